// SPDX-License-Identifier: GPL-2.0
/*
 * dies KIB CLIENT: wait to be killed, with so many KiB of memory and, if CLIENT is 1,
 * with a client. Written to stdout when it is ready: the process that it is to kreg.
 */
#include <sys/mman.h>

#include "table.h"

int main(int argc, char **argv)
{
	struct kreg_process self = { 0 };
	size_t size = atol(argv[1]) << 10;
	char *memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	memset(memory, 1, size);
	bench_pin(1);
	if (atoi(argv[2]))
		self = client_self(client_open());
	if (write(STDOUT_FILENO, &self, sizeof(self)) != sizeof(self))
		return 1;
	for (;;)
		pause();
}

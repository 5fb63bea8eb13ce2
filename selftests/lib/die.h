/* SPDX-License-Identifier: GPL-2.0 */
/* How a process ends itself, by a letter. */
#ifndef KREG_LIB_DIE_H
#define KREG_LIB_DIE_H

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct ending {
	char how;
	int status;		/* of wait(2), without the flag of a dump */
};

static const struct ending endings[] = {
	{ 'K', SIGKILL }, { 'S', SIGSEGV }, { 'A', SIGABRT }, { '0', 0 }, { '3', 3 << 8 },
};

#define ENDINGS		(sizeof(endings) / sizeof(endings[0]))
#define DUMPED		0x80

/* Other letters are digits: the code of its exit. */
static inline void die(char how)
{
	if (how == 'S')
		raise(SIGSEGV);
	if (how == 'A')
		abort();
	if (how == 'K')
		raise(SIGKILL);
	_exit(how - '0');
}

#endif /* KREG_LIB_DIE_H */

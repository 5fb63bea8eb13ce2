// SPDX-License-Identifier: GPL-2.0
/*
 * For shell tests: a table that no process holds.
 *
 *   parked make NAME OBJECTS    make it, fill it, and leave it parked
 *   parked leave NAME OBJECTS   the same, but it dies with this process
 *   parked remove NAME          destroy it
 */
#include "kit/op.h"

static int fill(int fd, __u64 id, __u32 objects)
{
	static char value[100];
	__u32 i;
	int err = 0;

	for (i = 0; i < objects && !err; i++)
		err = _test_put(fd, id, &i, sizeof(i), value, sizeof(value));
	return err;
}

int main(int argc, char **argv)
{
	int fd = test_client(), err = fd < 0 ? fd : -EINVAL;
	__u64 id;

	/* The harness comes with the header. */
	(void)test_harness_run;
	if (argc == 4 && fd >= 0) {
		err = _test_create(fd, argv[2], KREG_ACCESS_PROTECTED, &id) ?:
		      fill(fd, id, atoi(argv[3]));
		if (!err && !strcmp(argv[1], "make"))
			err = _test_park(fd, id);
	} else if (argc == 3 && fd >= 0 && !strcmp(argv[1], "remove")) {
		err = _test_open(fd, argv[2], 0, &id) ?: _test_destroy(fd, id);
	}
	if (err)
		fprintf(stderr, "parked: %s\n", strerror(-err));
	return err ? 1 : 0;
}

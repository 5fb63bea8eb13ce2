// SPDX-License-Identifier: GPL-2.0
/*
 * For shell tests: a table that no process holds.
 *
 *   parked make NAME OBJECTS    make it, fill it, and leave it parked
 *   parked leave NAME OBJECTS   the same, but it dies with this process
 *   parked linger NAME OBJECTS  likewise, with objects that a child has left
 *   parked remove NAME          destroy it
 */
#include "kit/register.h"

static int fill(int fd, __u64 id, __u32 objects)
{
	static char value[100];
	__u32 i;
	int err = 0;

	for (i = 0; i < objects && !err; i++)
		err = _test_put(fd, id, &i, sizeof(i), value, sizeof(value));
	return err;
}

/* One whose time ends about now, and others whose time does not. */
static int leave_to_linger(__u64 id, __u32 objects)
{
	struct kreg_ioc_register cmd;
	int fd = test_client(), err = 0;
	char key[16];
	__u32 i;

	for (i = 0; i < objects && !err; i++) {
		snprintf(key, sizeof(key), "%u", i);
		cmd = register_cmd(id, key, "v", 0);
		cmd.linger_ms = i ? 3600000 : 5;
		err = run_register(fd, &cmd);
	}
	return err;
}

static int linger(__u64 id, __u32 objects)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(leave_to_linger(id, objects) ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -ECHILD;
}

int main(int argc, char **argv)
{
	int fd = test_client(), err = fd < 0 ? fd : -EINVAL;
	bool lingers = argc == 4 && !strcmp(argv[1], "linger");
	__u64 id;

	/* The harness comes with the header. */
	(void)test_harness_run;
	if (argc == 4 && fd >= 0) {
		err = _test_create(fd, argv[2], lingers ? KREG_ACCESS_PUBLIC :
				   KREG_ACCESS_PROTECTED, &id) ?:
		      (lingers ? linger(id, atoi(argv[3])) : fill(fd, id, atoi(argv[3])));
		if (!err && !strcmp(argv[1], "make"))
			err = _test_park(fd, id);
	} else if (argc == 3 && fd >= 0 && !strcmp(argv[1], "remove")) {
		err = _test_open(fd, argv[2], 0, &id) ?: _test_destroy(fd, id);
	}
	if (err)
		fprintf(stderr, "parked: %s\n", strerror(-err));
	return err ? 1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kids that are held up by somebody else: stopped, or frozen with their cgroup.
 */
#ifndef KREG_KIT_PAUSE_H
#define KREG_KIT_PAUSE_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "kit/kid.h"

#define PAUSE_GROUP	"/sys/fs/cgroup/kreg-frozen/"

/* The letter of the process's state in its stat file, or 0. */
static inline char pause_state(struct kid *kid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", kid->pid);
	return test_task_state(path);
}

static inline bool pause_stop(struct kid *kid)
{
	return !kill(kid->pid, SIGSTOP) &&
	       test_wait_for(pause_state(kid) == 'T');
}

static inline bool pause_continue(struct kid *kid)
{
	return !kill(kid->pid, SIGCONT) &&
	       test_wait_for(pause_state(kid) != 'T');
}

static inline bool pause_write(const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), PAUSE_GROUP "%s", file);
	return !test_write_file(path, text);
}

static inline bool pause_frozen(void)
{
	char text[128];

	test_read_file(PAUSE_GROUP "cgroup.events", text, sizeof(text));
	return strstr(text, "frozen 1");
}

/* Move the kid into a cgroup of its own and freeze that. */
static inline bool pause_freeze(struct kid *kid)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", kid->pid);
	return (!mkdir(PAUSE_GROUP, 0755) || errno == EEXIST) &&
	       pause_write("cgroup.procs", pid) &&
	       pause_write("cgroup.freeze", "1") &&
	       test_wait_for(pause_frozen());
}

static inline bool pause_thaw(void)
{
	return pause_write("cgroup.freeze", "0") &&
	       test_wait_for(!pause_frozen());
}

/*
 * The freezer of cgroup v1 holds tasks where they sleep, as suspending the machine does,
 * and sends no signal.
 */
#define PAUSE_V1	"/tmp/kreg-freezer"

/* 1: frozen; 0: the kernel has no such freezer; or -errno. */
static inline int pause_suspend(struct kid *kid, const char *state)
{
	const bool thaw = !strcmp(state, "THAWED");
	char pid[16];
	int err;

	if (!thaw) {
		mkdir(PAUSE_V1, 0755);
		if (mount("none", PAUSE_V1, "cgroup", 0, "freezer"))
			return errno == ENOENT || errno == EINVAL ||
			       errno == ENODEV ? 0 : -errno;
		mkdir(PAUSE_V1 "/kreg", 0755);
		snprintf(pid, sizeof(pid), "%d", kid->pid);
		err = test_write_file(PAUSE_V1 "/kreg/cgroup.procs", pid);
		if (err)
			return err;
	}
	err = test_write_file(PAUSE_V1 "/kreg/freezer.state", state);
	return err ? err : 1;
}

static inline bool pause_suspended(void)
{
	char text[16];

	test_read_file(PAUSE_V1 "/kreg/freezer.state", text, sizeof(text));
	return !strncmp(text, "FROZEN", 6);
}

/* Succeeds when the kid is dead. */
static inline bool pause_suspend_clean(void)
{
	return test_wait_for(!rmdir(PAUSE_V1 "/kreg")) && !umount(PAUSE_V1);
}

/* Succeeds when the kid is dead. */
static inline bool pause_clean(void)
{
	return test_wait_for(!rmdir(PAUSE_GROUP));
}

#endif /* KREG_KIT_PAUSE_H */

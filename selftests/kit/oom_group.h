/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A memory cgroup that the kernel kills in when it is full, also processes that use none of it.
 */
#ifndef KREG_KIT_OOM_GROUP_H
#define KREG_KIT_OOM_GROUP_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kit/file.h"
#include "kit/scale.h"

#define OOM_ROOT	"/sys/fs/cgroup/"
#define OOM_GROUP	OOM_ROOT "kreg-oom/"
#define OOM_LIMIT	(24 << 20)

/* With little memory. */
static inline int oom_make_group(void)
{
	char text[32];
	int err = test_write_file(OOM_ROOT "cgroup.subtree_control", "+memory");

	if (err)
		return err;
	if (mkdir(OOM_GROUP, 0755) && errno != EEXIST)
		return -errno;
	snprintf(text, sizeof(text), "%d", OOM_LIMIT);
	return test_write_file(OOM_GROUP "memory.max", text);
}

static inline int oom_join(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", pid);
	return test_write_file(OOM_GROUP "cgroup.procs", text);
}

/* Use ever more memory; returns only if the limit does not hold. */
static inline int oom_use_memory(void)
{
	char *p;
	int i;

	for (i = 0; i < 64; i++) {
		p = mmap(NULL, OOM_LIMIT / 8, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -errno;
		memset(p, i, OOM_LIMIT / 8);
	}
	return 0;
}

/* Of processes that the kernel has killed in the group; or -errno. */
static inline int oom_count(void)
{
	char text[512], *line;
	int ret = test_read_file(OOM_GROUP "memory.events", text, sizeof(text));

	line = ret < 0 ? NULL : strstr(text, "oom_kill ");
	return line ? atoi(line + strlen("oom_kill ")) : ret < 0 ? ret : -ENODATA;
}

static inline int oom_with_hog(pid_t victim)
{
	int status = 0, err = test_write_file(OOM_GROUP "memory.oom.group", "1");
	pid_t hog;

	err = err ? err : oom_join(victim);
	if (err)
		return err;
	hog = fork();
	if (!hog)
		_exit(oom_join(0) || oom_use_memory() ? 1 : 2);
	if (hog < 0 || waitpid(hog, &status, 0) != hog)
		return -errno;
	if (status != SIGKILL)
		return -ECHILD;
	/* Both. */
	return oom_count() >= 2 ? 0 : -EAGAIN;
}

/*
 * Have the kernel kill this process for want of memory: it shares a group with one that uses too
 * much. When this returns it is dying. Return: 0, or what has not worked.
 */
static inline int oom_kill_process(pid_t pid)
{
	int err = oom_make_group(), tries;

	if (!err)
		err = oom_with_hog(pid);
	/* Until nobody is in it any more. */
	for (tries = 0; rmdir(OOM_GROUP) && errno == EBUSY && tries < PATIENCE_MS; tries++)
		usleep(1000);
	return err;
}

#endif /* KREG_KIT_OOM_GROUP_H */

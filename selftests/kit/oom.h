/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kid that the kernel kills because its memory cgroup is full.
 */
#ifndef KREG_KIT_OOM_H
#define KREG_KIT_OOM_H

#include <sys/stat.h>

#include "kit/kid.h"

#define OOM_ROOT	"/sys/fs/cgroup/"
#define OOM_GROUP	OOM_ROOT "kreg-oom/"
#define OOM_LIMIT	(24 << 20)

/* Put the kid into a group of its own with little memory. */
static inline int oom_prepare(struct kid *kid)
{
	char text[32];
	int err;

	err = test_write_file(OOM_ROOT "cgroup.subtree_control", "+memory");
	if (err)
		return err;
	if (mkdir(OOM_GROUP, 0755) && errno != EEXIST)
		return -errno;
	snprintf(text, sizeof(text), "%d", OOM_LIMIT);
	err = test_write_file(OOM_GROUP "memory.max", text);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%d", kid->pid);
	return test_write_file(OOM_GROUP "cgroup.procs", text);
}

static inline int oom_clean(void)
{
	return test_wait_for(!rmdir(OOM_GROUP)) ? 0 : -errno;
}

/* Use ever more memory; returns only if the limit does not hold. */
static inline long job_hog(struct job *job)
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

#endif /* KREG_KIT_OOM_H */

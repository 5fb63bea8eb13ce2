/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kid that the kernel kills because its memory cgroup is full.
 */
#ifndef KREG_KIT_OOM_H
#define KREG_KIT_OOM_H

#include "kit/kid.h"
#include "kit/oom_group.h"

/* Put the kid into a group of its own with little memory. */
static inline int oom_prepare(struct kid *kid)
{
	int err = oom_make_group();

	return err ? err : oom_join(kid->pid);
}

static inline int oom_clean(void)
{
	return test_wait_for(!rmdir(OOM_GROUP)) ? 0 : -errno;
}

/* Use ever more memory; returns only if the limit does not hold. */
static inline long job_hog(struct job *job)
{
	return oom_use_memory();
}

#endif /* KREG_KIT_OOM_H */

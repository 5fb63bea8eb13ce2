/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kids that are alone in a user namespace, with power in it.
 */
#ifndef KREG_ACCESS_USERNS_H
#define KREG_ACCESS_USERNS_H

#include "kit/fixture.h"
#include "kit/job.h"

#define ANY	KREG_ANY_NAMESPACE

static inline long write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Root within; only who is mapped may make a namespace below. */
static inline long become_root(uid_t uid)
{
	char map[32];

	/* Else what /proc has of a process that has changed its uid is root's. */
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_text("/proc/self/uid_map", map) ?:
	       write_text("/proc/self/setgroups", "deny") ?:
	       write_text("/proc/self/gid_map", map);
}

static inline long job_become_root(struct job *job)
{
	return become_root(job->arg) ?: job_client(job);
}

/* A kid alone in a user namespace of its own, which @uid has made; or NULL. */
static inline struct kid *try_start_alone(struct __test_metadata *_metadata,
					  uid_t uid, int err)
{
	struct kid *kid = kid_start_how(_metadata, &(struct kid_how) {
		.uid = uid, .bare = true,
	});

	kid->job->arg = uid;
	EXPECT_EQ(err, kid_do(kid, job_become_root));
	kid->self = kid->job->self;
	if (!err)
		return kid;
	kid_kill(kid);
	return NULL;
}

static inline struct kid *start_alone(struct __test_metadata *_metadata, uid_t uid)
{
	return try_start_alone(_metadata, uid, 0);
}

/* Private, for its owner's eyes alone, and parked when that is dead. */
static inline long kid_create_parked(struct kid *kid, const char *name, __u64 *id)
{
	long err;

	kid_open_prepare(kid, name, KREG_OPEN_CREATE);
	kid->job->open.access = KREG_ACCESS_PRIVATE;
	kid->job->open.orphan = KREG_ORPHAN_PARK;
	err = kid_do(kid, job_open);
	*id = kid->job->table;
	return err;
}

#endif /* KREG_ACCESS_USERNS_H */

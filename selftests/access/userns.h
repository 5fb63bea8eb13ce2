/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kids that are alone in a user namespace, as root of it.
 */
#ifndef KREG_ACCESS_USERNS_H
#define KREG_ACCESS_USERNS_H

#include "kit/fixture.h"
#include "kit/job.h"

#define ANY	KREG_ANY_NAMESPACE

/* Map @uid to root: without a mapping the kid could not make a namespace below. */
static inline long become_root(uid_t uid)
{
	char map[32];

	/* After a change of uid the files of /proc/self belong to root without this. */
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return test_write_file("/proc/self/uid_map", map) ?:
	       test_write_file("/proc/self/setgroups", "deny") ?:
	       test_write_file("/proc/self/gid_map", map);
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

/* A private table with mode 0600, which is parked when its owner dies. */
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

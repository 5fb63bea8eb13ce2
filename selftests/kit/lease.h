/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects on loan: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_LEASE_H
#define KREG_KIT_LEASE_H

#include <stddef.h>

#include "kit/job.h"

static inline struct kreg_ioc_lease lease_cmd(__u64 table, const char *key, char *room,
					      __u32 room_len)
{
	struct kreg_ioc_lease cmd = {
		.size = sizeof(cmd),
		.table = table,
		.key = test_ptr(key),
		.key_len = strlen(key),
		.value = test_ptr(room),
		.value_len = room_len,
	};

	memset(&cmd.out_version, 0xff, offsetof(struct kreg_ioc_lease, range) -
	       offsetof(struct kreg_ioc_lease, out_version));
	return cmd;
}

static inline int run_lease(int fd, struct kreg_ioc_lease *cmd)
{
	return test_ioctl(fd, KREG_IOC_LEASE, cmd);
}

/* Returns how often it was lent, or -errno. The version of the loan is in *@version. */
static inline int _test_lease_for(int fd, __u64 table, const char *key, __u32 ms, __u64 *version)
{
	char value[64] = "";
	struct kreg_ioc_lease cmd = lease_cmd(table, key, value, sizeof(value));
	int err;

	cmd.lease_ms = ms;
	err = run_lease(fd, &cmd);
	if (version)
		*version = cmd.out_version;
	return err ? err : (int)cmd.out_loans;
}

static inline int _test_lease(int fd, __u64 table, const char *key)
{
	return _test_lease_for(fd, table, key, 0, NULL);
}

/* @version 0: whatever it has. */
static inline int _test_return(int fd, __u64 table, const char *key, __u64 version)
{
	struct kreg_ioc_lease cmd = lease_cmd(table, key, NULL, 0);

	cmd.flags = KREG_LEASE_RETURN | (version ? KREG_LEASE_VERSION : 0);
	cmd.version = version;
	return run_lease(fd, &cmd);
}

/* How often it was lent, as a look-up tells; or -errno. */
static inline int test_loans(int fd, __u64 table, const char *key)
{
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.table = table,
		.op = test_ops(KREG_OP_MEMBER, key),
	};
	int err = test_ioctl(fd, KREG_IOC_OP, &cmd);

	return err ? err : (int)cmd.out_loans;
}

#define test_lease(...)			ASSERT_LT(0, _test_lease(__VA_ARGS__))
#define test_return(...)		ASSERT_EQ(0, _test_return(__VA_ARGS__))
#define test_err_lease(err, ...)	EXPECT_EQ(-(err), _test_lease(__VA_ARGS__))
#define test_err_return(err, ...)	EXPECT_EQ(-(err), _test_return(__VA_ARGS__))

static inline long job_lease(struct job *job)
{
	return _test_lease_for(job->fd, job->table, job->key, job->arg, &job->arg2);
}

static inline long job_return(struct job *job)
{
	return _test_return(job->fd, job->table, job->key, job->arg2);
}

/* The version is in kid->job->arg2. */
static inline long kid_lease_for(struct kid *kid, __u64 table, const char *key, __u32 ms)
{
	kid->job->table = table;
	kid->job->arg = ms;
	test_set(kid->job->key, key);
	return kid_do(kid, job_lease);
}

static inline long kid_lease(struct kid *kid, __u64 table, const char *key)
{
	return kid_lease_for(kid, table, key, 0);
}

static inline long kid_return(struct kid *kid, __u64 table, const char *key, __u64 version)
{
	kid->job->table = table;
	kid->job->arg2 = version;
	test_set(kid->job->key, key);
	return kid_do(kid, job_return);
}

#endif /* KREG_KIT_LEASE_H */

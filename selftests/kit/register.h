/* SPDX-License-Identifier: GPL-2.0 */
/*
 * REGISTER: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_REGISTER_H
#define KREG_KIT_REGISTER_H

#include <stddef.h>

#include "kit/bound.h"

static inline struct kreg_ioc_register register_cmd(__u64 table, const char *key,
						    const char *value, __u32 flags)
{
	struct kreg_ioc_register cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.table = table,
		.key = test_ptr(key),
		.key_len = strlen(key),
		.value = test_ptr(value),
		.value_len = strlen(value),
	};

	memset(&cmd.out_process, 0xff,
	       sizeof(cmd) - offsetof(struct kreg_ioc_register, out_process));
	return cmd;
}

static inline int run_register(int fd, struct kreg_ioc_register *cmd)
{
	return test_ioctl(fd, KREG_IOC_REGISTER, cmd);
}

/*
 * job->process is whom, job->arg the version, job->len how long it lingers; what is told comes
 * back in the former two.
 */
static inline long job_register(struct job *job)
{
	struct kreg_ioc_register cmd = register_cmd(job->table, job->key, job->value, job->flags);
	long err;

	cmd.process = job->process;
	cmd.version = job->arg;
	cmd.linger_ms = job->len;
	err = run_register(job->fd, &cmd);
	job->process = cmd.out_process;
	job->arg = cmd.out_version;
	job->arg2 = cmd.out_how;
	return err == -EDQUOT ? 1000 + cmd.out_limit : err;
}

static inline long kid_register_for(struct kid *kid, __u64 table, const char *key, __u32 flags,
				    struct kreg_process whom)
{
	kid->job->table = table;
	kid->job->flags = flags;
	kid->job->process = whom;
	kid->job->arg = 0;
	kid->job->len = 0;
	test_set(kid->job->key, key);
	test_set(kid->job->value, "reg");
	return kid_do(kid, job_register);
}

static inline long kid_register(struct kid *kid, __u64 table, const char *key, __u32 flags)
{
	return kid_register_for(kid, table, key, flags, (struct kreg_process) {});
}

/* For itself; the value is "reg". */
static inline long kid_linger(struct kid *kid, __u64 table, const char *key, __u32 ms)
{
	kid->job->table = table;
	kid->job->flags = 0;
	kid->job->process = (struct kreg_process) {};
	kid->job->arg = 0;
	kid->job->len = ms;
	test_set(kid->job->key, key);
	test_set(kid->job->value, "reg");
	return kid_do(kid, job_register);
}

/* It is there, of @who, who is dead. */
static inline bool test_is_left_by(int fd, __u64 table, const char *key,
				   struct kreg_process who)
{
	struct kreg_process whose;

	return !_test_whose(fd, table, key, &whose) && !whose.pid && !whose.reserved &&
	       whose.cookie == who.cookie;
}

static inline __u64 test_version_of(int fd, __u64 table, const char *key)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, key);

	return _test_op(fd, table, 0, &op) ? 0 : op.out_version;
}

#endif /* KREG_KIT_REGISTER_H */

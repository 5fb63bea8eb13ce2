/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that are bound to processes: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_BOUND_H
#define KREG_KIT_BOUND_H

#include "kit/job.h"

static inline struct kreg_op test_op_bind(const char *key, const char *value)
{
	struct kreg_op op = test_op_puts(key, value);

	op.flags = KREG_OP_BOUND;
	return op;
}

static inline int _test_bind(int fd, __u64 id, const char *key, const char *value)
{
	struct kreg_op op = test_op_bind(key, value);

	return _test_op(fd, id, 0, &op);
}

static inline int _test_bind_new(int fd, __u64 id, const char *key, const char *value)
{
	struct kreg_op op = test_op_bind(key, value);

	op.flags |= KREG_OP_NEW;
	return _test_op(fd, id, 0, &op);
}

/* To whom the object is bound, which is there. */
static inline int _test_whose(int fd, __u64 id, const char *key, struct kreg_process *whose)
{
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.table = id,
		.op = test_ops(KREG_OP_MEMBER, key),
	};
	int err;

	memset(&cmd.out_process, 0xff, sizeof(cmd.out_process));
	err = test_ioctl(fd, KREG_IOC_OP, &cmd);
	*whose = cmd.out_process;
	return err;
}

static inline bool test_is_of(int fd, __u64 id, const char *key, struct kreg_process p)
{
	struct kreg_process whose;

	return !_test_whose(fd, id, key, &whose) && test_same(whose, p);
}

static inline bool test_is_nobodys(int fd, __u64 id, const char *key)
{
	struct kreg_process whose;

	return !_test_whose(fd, id, key, &whose) && test_none(whose) && !whose.reserved;
}

static inline long long test_bound(int fd, __u64 id)
{
	struct kreg_info info;
	int err = _test_info(fd, id, &info);

	return err ? err : (long long)info.bound;
}

static inline long job_bind(struct job *job)
{
	struct kreg_op op = test_op_bind(job->key, job->value);

	op.flags |= job->flags;
	return _test_op(job->fd, job->table, 0, &op);
}

static inline long kid_bind_flags(struct kid *kid, __u64 id, const char *key,
				  const char *value, __u32 flags)
{
	kid->job->table = id;
	kid->job->flags = flags;
	test_set(kid->job->key, key);
	test_set(kid->job->value, value);
	return kid_do(kid, job_bind);
}

static inline long kid_bind(struct kid *kid, __u64 id, const char *key, const char *value)
{
	return kid_bind_flags(kid, id, key, value, 0);
}

/* A batch of job->len PUTs of keys job->key and a number, with op flags job->arg2. */
static inline long job_bind_many(struct job *job)
{
	static char keys[4096][24];
	static struct kreg_op ops[4096];
	__u32 i, done = 0;
	long err;

	for (i = 0; i < job->len; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%.16s%u", job->key, i);
		ops[i] = test_op_puts(keys[i], job->value);
		ops[i].flags = job->arg2;
	}
	err = _test_batch(job->fd, job->table, job->flags, ops, job->len, &done);
	return err ?: job->flags & KREG_WRITE_ASYNC ? 0 : done;
}

static inline long kid_bind_many(struct kid *kid, __u64 id, const char *key, __u32 count,
				 __u32 batch_flags)
{
	kid->job->table = id;
	kid->job->len = count;
	kid->job->flags = batch_flags;
	kid->job->arg2 = KREG_OP_BOUND;
	test_set(kid->job->key, key);
	test_set(kid->job->value, "many");
	return kid_do(kid, job_bind_many);
}

#define test_bind(...)		ASSERT_EQ(0, _test_bind(__VA_ARGS__))
#define test_bind_new(...)	ASSERT_EQ(0, _test_bind_new(__VA_ARGS__))
#define test_err_bind(err, ...)	EXPECT_EQ(-(err), _test_bind(__VA_ARGS__))
#define test_err_bind_new(err, ...) EXPECT_EQ(-(err), _test_bind_new(__VA_ARGS__))

#endif /* KREG_KIT_BOUND_H */

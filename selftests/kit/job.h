/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of kit/util.h, done by a kid with its own client.
 */
#ifndef KREG_KIT_JOB_H
#define KREG_KIT_JOB_H

#include "kit/kid.h"

static inline long job_open(struct job *job)
{
	long err;

	if (job->open.name)
		job->open.name = test_ptr(job->name);
	err = _test_open_cmd(job->fd, &job->open);
	job->table = job->open.out_table;
	return err;
}

static inline void kid_open_prepare(struct kid *kid, const char *name,
				    __u32 flags)
{
	kid->job->open = test_open_cmd(name, flags);
	if (name)
		test_set(kid->job->name, name);
}

static inline long kid_open(struct kid *kid, const char *name, __u32 flags,
			    __u64 *id)
{
	long err;

	kid_open_prepare(kid, name, flags);
	err = kid_do(kid, job_open);
	*id = kid->job->table;
	return err;
}

static inline long kid_create(struct kid *kid, const char *name, __u32 access,
			      __u64 *id)
{
	long err;

	kid_open_prepare(kid, name, KREG_OPEN_CREATE |
			 (name ? KREG_OPEN_EXCL : 0));
	kid->job->open.access = access;
	kid->job->open.mode = 0666;
	err = kid_do(kid, job_open);
	*id = kid->job->table;
	return err;
}

static inline long job_destroy(struct job *job)
{
	return _test_destroy(job->fd, job->table);
}

static inline long kid_destroy(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	return kid_do(kid, job_destroy);
}

static inline long job_puts(struct job *job)
{
	return _test_puts(job->fd, job->table, job->key, job->value);
}

static inline long job_gets(struct job *job)
{
	return _test_gets(job->fd, job->table, job->key, job->value,
			  sizeof(job->value));
}

static inline long job_op_code(struct job *job)
{
	struct kreg_op op = test_ops(job->arg, job->key);

	if (job->arg == KREG_OP_CLEAR)
		op = test_op(KREG_OP_CLEAR, NULL, 0);
	return _test_op(job->fd, job->table, 0, &op);
}

static inline long kid_puts(struct kid *kid, __u64 id, const char *key,
			    const char *value)
{
	kid->job->table = id;
	test_set(kid->job->key, key);
	test_set(kid->job->value, value);
	return kid_do(kid, job_puts);
}

/* The value is in kid->job->value. */
static inline long kid_gets(struct kid *kid, __u64 id, const char *key)
{
	kid->job->table = id;
	test_set(kid->job->key, key);
	return kid_do(kid, job_gets);
}

static inline long kid_op(struct kid *kid, __u64 id, __u16 code,
			  const char *key)
{
	kid->job->table = id;
	kid->job->arg = code;
	test_set(kid->job->key, key);
	return kid_do(kid, job_op_code);
}

static inline long job_give(struct job *job)
{
	return _test_give(job->fd, job->table, job->process, job->data,
			  job->len);
}

static inline long job_heir(struct job *job)
{
	return _test_heir(job->fd, job->table, job->process, job->data,
			  job->len, job->arg);
}

static inline void kid_set_data(struct kid *kid, const char *data)
{
	kid->job->len = strlen(data);
	memcpy(kid->job->data, data, kid->job->len);
}

static inline long kid_give(struct kid *kid, __u64 id, struct kreg_process to,
			    const char *data)
{
	kid->job->table = id;
	kid->job->process = to;
	kid_set_data(kid, data);
	return kid_do(kid, job_give);
}

static inline long kid_heir(struct kid *kid, __u64 id, struct kreg_process to,
			    const char *data)
{
	kid->job->table = id;
	kid->job->process = to;
	kid->job->arg = 0;
	kid_set_data(kid, data);
	return kid_do(kid, job_heir);
}

static inline long job_park(struct job *job)
{
	return _test_park(job->fd, job->table);
}

static inline long kid_park(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	return kid_do(kid, job_park);
}

static inline long job_setopt(struct job *job)
{
	return _test_setopt(job->fd, job->table, job->flags, job->arg,
			    job->arg2);
}

static inline long kid_setopt(struct kid *kid, __u64 id, __u32 option,
			      __u64 value, __u64 value2)
{
	kid->job->table = id;
	kid->job->flags = option;
	kid->job->arg = value;
	kid->job->arg2 = value2;
	return kid_do(kid, job_setopt);
}

static inline long kid_orphan(struct kid *kid, __u64 id, __u32 orphan,
			      __u64 ms)
{
	return kid_setopt(kid, id, KREG_OPT_ORPHAN, orphan, ms);
}

static inline long job_info(struct job *job)
{
	return _test_info(job->fd, job->table, &job->info);
}

static inline long kid_info(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	return kid_do(kid, job_info);
}

static inline long job_listed(struct job *job)
{
	return test_listed(job->fd, job->table);
}

static inline long kid_listed(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	return kid_do(kid, job_listed);
}

static inline long job_event_now(struct job *job)
{
	return _test_event_now(job->fd, &job->event);
}

/* The record is in kid->job->event. */
static inline long kid_event_now(struct kid *kid)
{
	return kid_do(kid, job_event_now);
}

static inline long job_no_event(struct job *job)
{
	return _test_no_event(job->fd);
}

static inline long kid_no_event(struct kid *kid)
{
	return kid_do(kid, job_no_event);
}

static inline long job_close(struct job *job)
{
	return close(job->fd) ? -errno : 0;
}

/* A table that the kid owns and @heir inherits. */
static inline long kid_create_heir(struct kid *kid, const char *name,
				   struct kreg_process heir, const char *data,
				   __u64 *id)
{
	long err = kid_create(kid, name, KREG_ACCESS_PROTECTED, id);

	return err ? err : kid_heir(kid, *id, heir, data);
}

/* A child that has the file open, too, and outlives the kid: job->pid, to be killed. */
static inline long job_leave_child(struct job *job)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	job->pid = pid;
	return pid < 0 ? -errno : 0;
}

#endif /* KREG_KIT_JOB_H */

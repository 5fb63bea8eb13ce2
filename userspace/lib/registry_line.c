/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registrations that wait for their turn. */
#include <errno.h>

#include "internal.h"

/* Who has the key, if that can be seen, is named. */
static int line_failed(int ret, struct kreg_table *table, const struct kreg_ioc_register *io,
		       size_t key_len, size_t value_len)
{
	unsigned int pid = io->process.pid;
	enum attempt attempt = TRY_LINE;

	if (ret == -ETIMEDOUT && io->out_process.pid) {
		attempt = TRY_HELD;
		pid = io->out_process.pid;
	}
	kreg_fail_sizes(kreg_fail_table(ret, attempt, table), key_len, value_len, 0);
	return kreg_fail_process(ret, pid);
}

/* What goes with a place in line: no version, which would have to be there at that time. */
static int line_options(struct kreg_register_options *o,
			const struct kreg_register_options *options)
{
	int ret;

	*o = (struct kreg_register_options){ .size = sizeof(*o) };
	if (!options)
		return 0;
	ret = kreg_options_copy(o, sizeof(*o), options);
	if (!ret && o->version)
		ret = kreg_cause(-EINVAL, "a version does not go with a place in line");
	return ret;
}

/* Time-out 0 is a moment that has passed, and 0 in the struct is none. */
static uint64_t deadline_of(int64_t timeout_ms)
{
	return timeout_ms ? kreg_deadline(timeout_ms) : 1;
}

int kreg_register_wait(struct kreg_table *table, const void *key, size_t key_len,
		       const void *value, size_t value_len,
		       const struct kreg_register_options *options, int64_t timeout_ms,
		       struct kreg_holder *holder)
{
	struct kreg_ioc_register io = { .flags = KREG_REGISTER_WAIT };
	struct kreg_register_options o;
	int ret = line_options(&o, options);

	if (!ret)
		ret = kreg_holder_check(holder);
	if (!ret) {
		io.linger_ms = o.linger_ms;
		io.deadline_ns = deadline_of(timeout_ms);
		ret = kreg_register_run(table, &io, o.process, key, key_len, value, value_len);
	}
	if (holder && (!ret || ret == -ETIMEDOUT || ret == -EALREADY))
		kreg_holder_fill(holder, &io.out_process, io.out_version);
	return line_failed(ret, table, &io, key_len, value_len);
}

/* What is registered at once brings no event. */
static int stand_by(struct kreg_table *table, struct kreg_ioc_register *io,
		    const struct kreg_register_options *o, const void *key, size_t key_len,
		    const void *value, size_t value_len, struct kreg_ref *ref,
		    struct kreg_ref **out)
{
	int ret = kreg_register_run(table, io, o->process, key, key_len, value, value_len);

	if (ret || io->out_how == KREG_REGISTERED) {
		kreg_ref_abort(ref);
		return ret ? ret : 1;
	}
	kreg_ref_commit(ref, io->out_id, out);
	return 0;
}

int kreg_register_standby(struct kreg_table *table, const void *key, size_t key_len,
			  const void *value, size_t value_len,
			  const struct kreg_register_options *options, kreg_event_fn fn,
			  void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_register io = { .flags = KREG_REGISTER_STANDBY };
	struct kreg_register_options o;
	struct kreg_ref *new;
	int ret = line_options(&o, options);

	if (ret)
		return line_failed(ret, table, &io, key_len, value_len);
	*ref = NULL;
	io.linger_ms = o.linger_ms;
	new = kreg_ref_begin(table->client, fn, arg);
	ret = new ? stand_by(table, &io, &o, key, key_len, value, value_len, new, ref) : -ENOMEM;
	return line_failed(ret, table, &io, key_len, value_len);
}

/* A call that has a time-out for all of its parts. */
struct ensure {
	struct kreg_table *table;
	struct kreg_table *locks;
	const void *key;
	size_t key_len;
	kreg_start_fn start;
	void *arg;
	uint64_t deadline_ns;	/* 0: none */
	struct kreg_holder *holder;
	bool again;		/* another thread has the lock: look again */
};

static int64_t ms_left(const struct ensure *e)
{
	uint64_t now = kreg_deadline(0);

	if (!e->deadline_ns)
		return -1;
	return now < e->deadline_ns ? (int64_t)(e->deadline_ns - now + 999999) / 1000000 : 0;
}

/* Who was started registers itself. It may die before that, or after. */
static int wait_for_it(struct ensure *e)
{
	int ret;

	do {
		ret = kreg_wait(e->table, e->key, e->key_len, KREG_WATCH_PRESENT, 0, ms_left(e));
		if (!ret)
			ret = kreg_whereis(e->table, e->key, e->key_len, e->holder);
	} while (ret == -ENODATA);
	return ret;
}

static int start_it(struct ensure *e)
{
	int ret = kreg_whereis(e->table, e->key, e->key_len, e->holder);

	if (ret != -ENODATA)
		return ret;
	ret = e->start(e->key, e->key_len, e->arg);
	if (ret)
		return kreg_fail_table(ret < 0 ? ret : -EINVAL, TRY_START, e->table);
	ret = wait_for_it(e);
	return ret ? ret : 1;
}

/* Another thread of this process may be at it: then it is that one's to start somebody. */
#define OWN_LOOK_MS	20

static int start_alone(struct ensure *e)
{
	struct kreg_lock *lock;
	int64_t left = ms_left(e);
	int ret = kreg_lock(e->locks, e->key, e->key_len, left, &lock);

	if (ret == -EALREADY && left) {
		ret = kreg_wait(e->table, e->key, e->key_len, KREG_WATCH_PRESENT, 0,
				left > 0 && left < OWN_LOOK_MS ? left : OWN_LOOK_MS);
		e->again = !ret || ret == -ETIMEDOUT;
		return ret;
	}
	if (ret)
		return ret;
	ret = start_it(e);
	/* That it was taken away meanwhile is not this caller's business. */
	kreg_unlock(lock);
	return ret;
}

static int ensure_it(struct ensure *e)
{
	int ret;

	do {
		e->again = false;
		ret = kreg_whereis(e->table, e->key, e->key_len, e->holder);
		if (ret == -ENODATA)
			ret = start_alone(e);
	} while (e->again);
	return ret;
}

int kreg_registry_ensure(struct kreg_table *table, struct kreg_table *locks, const void *key,
			 size_t key_len, kreg_start_fn start, void *arg, int64_t timeout_ms,
			 struct kreg_holder *holder)
{
	struct kreg_holder own = KREG_HOLDER_INIT;
	struct ensure e = {
		.table = table, .locks = locks, .key = key, .key_len = key_len, .start = start,
		.arg = arg, .holder = holder ? holder : &own,
		.deadline_ns = deadline_of(timeout_ms),
	};

	if (table->id == locks->id)
		return kreg_fail_table(kreg_cause(-EINVAL, "the locks are to be in another table"),
				       TRY_LINE, table);
	return ensure_it(&e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: locks, each a key that one process has at a time. */
#ifndef KREG_LOCK_H
#define KREG_LOCK_H

#include <kreg/registry.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A lock is a key of a table, held by the process to which its object is bound. Any table will
 * do; best one that has nothing else in it, with KREG_ACCESS_REGISTRY if several users share it.
 *
 * Who waits gets the lock in the order of coming, when it was unlocked and when the process that
 * had it is dead: not yet when that is exiting, since its threads may still run for a moment. A
 * lock is the process', not the thread's: threads of one exclude each other by other means. It
 * stays over execve(2), and is not a child's.
 *
 * Its token only grows from one holder to the next. Who changes something that outlives him under
 * a lock gives it along, and what he changes refuses those with a lower one: then no one who was
 * stopped, and whose lock was taken away by hand meanwhile, does harm.
 *
 * kreg_whereis() tells who has a lock, and kreg_get() why, if he has said it.
 *
 * Errors of all of them: those of <kreg/object.h>.
 */

/* A lock that this process has. Any thread at any time. */
struct kreg_lock;

/**
 * struct kreg_lock_options - how to lock
 * @size: sizeof(struct kreg_lock_options)
 * @timeout_ms: how long to wait; 0: only try; -1, INT64_MAX: for ever
 * @value: what others are to read in the table while it is locked: who, and why
 * @value_len: its length
 * @holder: who has it, also written with -ETIMEDOUT and -EALREADY; may be NULL
 */
struct kreg_lock_options {
	size_t size;
	int64_t timeout_ms;
	const void *value;
	size_t value_len;
	struct kreg_holder *holder;
};

#define KREG_LOCK_OPTIONS_INIT	{ sizeof(struct kreg_lock_options), -1, 0, 0, 0 }

/**
 * kreg_lock() - lock a key
 * @table: the table, which the caller may write to
 * @key: the key
 * @key_len: its length
 * @timeout_ms: how long to wait; 0: only try; -1, INT64_MAX: for ever
 * @lock: the new lock, to be given to kreg_unlock()
 *
 * Signals interrupt it as SA_RESTART says. A process that is stopped while it waits comes last
 * when it goes on.
 *
 * Errors: -ETIMEDOUT: another process has it, or comes first; -EALREADY: this process has it;
 * -EINTR; -ESTALE: the table is destroyed; -EACCES; -EDQUOT: too many wait, or bound objects of
 * the user.
 */
int kreg_lock(struct kreg_table *table, const void *key, size_t key_len, int64_t timeout_ms,
	      struct kreg_lock **lock) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_lock_with() - likewise, with options
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @options: how; NULL: for as long as it takes, with an empty value
 * @lock: the new lock
 */
int kreg_lock_with(struct kreg_table *table, const void *key, size_t key_len,
		   const struct kreg_lock_options *options, struct kreg_lock **lock)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_lock_take() - the lock that an event has brought
 * @table: the table that kreg_register_standby() was called with
 * @event: of kind KREG_EVENT_READY, of the ref that this has returned
 * @lock: the new lock
 *
 * So a lock is waited for without a thread that sleeps.
 *
 * Errors: -EINVAL: it is no such event.
 */
int kreg_lock_take(struct kreg_table *table, const struct kreg_event *event,
		   struct kreg_lock **lock) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/*
 * The number of this lock, higher than that of everybody who had it before. It stays the same when
 * the process puts another value under the key.
 */
uint64_t kreg_lock_token(const struct kreg_lock *lock) KREG_NONNULL_FIRST;

/**
 * kreg_unlock() - unlock, and free the handle
 * @lock: the lock, or NULL; not to be used afterwards, whatever is returned
 *
 * What the process has put under the key meanwhile is removed with it.
 *
 * Errors: -ECANCELED: it was not this process' any more, since somebody has deleted the key or
 * bound it anew; also if this process has locked it once more since, which stays so; -ESTALE: it is
 * the parent's, and the caller a child of fork(2), or the table is destroyed.
 */
int kreg_unlock(struct kreg_lock *lock);

#ifdef __cplusplus
}
#endif

#endif /* KREG_LOCK_H */

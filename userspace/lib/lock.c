/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locks: keys that one process has at a time. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct kreg_lock {
	struct kreg_lock *next;		/* in the list of all */
	struct kreg_table *table;
	uint64_t process;	/* whose it is: a number of fork.c */
	uint64_t token;		/* version of the object */
	size_t key_len;
	char key[];
};

/* All locks, to tell the last one of a key from one that was taken away by hand before. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kreg_lock *all_locks;

static void hold_lock_list(void)
{
	pthread_mutex_lock(&list_mutex);
}

static void release_lock_list(void)
{
	pthread_mutex_unlock(&list_mutex);
}

/* A child must not inherit a mutex that a thread of its parent holds. */
static void __attribute__((constructor)) guard_lock_list(void)
{
	pthread_atfork(hold_lock_list, release_lock_list, release_lock_list);
}

static void list_lock(struct kreg_lock *lock, uint64_t token)
{
	hold_lock_list();
	lock->token = token;
	lock->next = all_locks;
	all_locks = lock;
	release_lock_list();
}

static void unlist_lock(const struct kreg_lock *lock)
{
	struct kreg_lock **l = &all_locks;

	hold_lock_list();
	while (*l != lock)
		l = &(*l)->next;
	*l = lock->next;
	release_lock_list();
}

static bool replaces_lock(const struct kreg_lock *newer, const struct kreg_lock *lock)
{
	return newer->process == lock->process && newer->token > lock->token &&
	       newer->table->id == lock->table->id && newer->key_len == lock->key_len &&
	       !memcmp(newer->key, lock->key, lock->key_len);
}

/* Whether the process has locked the key once more, having lost it. */
static bool is_replaced(const struct kreg_lock *lock)
{
	const struct kreg_lock *l;

	hold_lock_list();
	for (l = all_locks; l && !replaces_lock(l, lock); l = l->next)
		;
	release_lock_list();
	return l;
}

/* The key stays the process' if there is no memory, so this comes first. */
static struct kreg_lock *new_lock(struct kreg_table *table, const void *key, size_t key_len)
{
	struct kreg_lock *lock = malloc(sizeof(*lock) + key_len);

	if (!lock)
		return NULL;
	lock->table = kreg_table_get(table);
	lock->process = kreg_process_number();
	lock->token = 0;
	lock->key_len = key_len;
	if (key_len)
		memcpy(lock->key, key, key_len);
	return lock;
}

static void free_lock(struct kreg_lock *lock)
{
	kreg_table_close(lock->table);
	free(lock);
}

static int take_key(struct kreg_lock *lock, const struct kreg_lock_options *o)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret;

	ret = kreg_register_wait(lock->table, lock->key, lock->key_len, o->value, o->value_len,
				 NULL, o->timeout_ms, &holder);
	if (o->holder && (!ret || ret == -ETIMEDOUT || ret == -EALREADY))
		kreg_holder_fill(o->holder, &holder.process, holder.version);
	if (!ret)
		list_lock(lock, holder.version);
	return ret;
}

int kreg_lock_with(struct kreg_table *table, const void *key, size_t key_len,
		   const struct kreg_lock_options *options, struct kreg_lock **lock)
{
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;
	struct kreg_lock *new;
	int ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;

	if (!ret)
		ret = kreg_holder_check(o.holder);
	if (!ret && key_len > KREG_MAX_KEY)
		ret = -ENAMETOOLONG;
	if (ret)
		return kreg_fail_sizes(kreg_fail_table(ret, TRY_LINE, table), key_len, 0, 0);
	new = new_lock(table, key, key_len);
	if (!new)
		return kreg_fail_table(-ENOMEM, TRY_LINE, table);
	ret = take_key(new, &o);
	if (ret) {
		free_lock(new);
		return ret;
	}
	*lock = new;
	return 0;
}

int kreg_lock(struct kreg_table *table, const void *key, size_t key_len, int64_t timeout_ms,
	      struct kreg_lock **lock)
{
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;

	o.timeout_ms = timeout_ms;
	return kreg_lock_with(table, key, key_len, &o, lock);
}

int kreg_lock_take(struct kreg_table *table, const struct kreg_event *event,
		   struct kreg_lock **lock)
{
	struct kreg_lock *new;
	const char *key;
	size_t len;

	if (kreg_event_kind(event) != KREG_EVENT_READY ||
	    kreg_event_cause(event) != KREG_CAUSE_CLAIM)
		return kreg_fail_table(kreg_cause(-EINVAL, "the event has brought no lock"),
				       TRY_LINE, table);
	key = kreg_event_key(event, &len);
	new = new_lock(table, key, len);
	if (!new)
		return kreg_fail_table(-ENOMEM, TRY_LINE, table);
	list_lock(new, kreg_event_version(event));
	*lock = new;
	return 0;
}

uint64_t kreg_lock_token(const struct kreg_lock *lock)
{
	return lock->token;
}

static int delete_token(const struct kreg_lock *lock)
{
	struct kreg_op_args args = {
		.size = sizeof(args),
		.code = KREG_OP_DELETE,
		.flags = KREG_OP_VERSION,
		.key = lock->key,
		.key_len = lock->key_len,
		.version = lock->token,
	};

	return kreg_op_run(lock->table, &args);
}

/*
 * Another version than the token's has also what the process has put under the key since, which
 * stays bound to it.
 */
static int delete_key(const struct kreg_lock *lock)
{
	int ret;

	if (lock->process != kreg_process_number())
		return -ESTALE;
	ret = delete_token(lock);
	if (ret != -ECANCELED || is_replaced(lock))
		return ret;
	ret = kreg_unregister(lock->table, lock->key, lock->key_len);
	if (ret > 0)
		return 0;
	return ret < 0 ? ret : -ECANCELED;
}

int kreg_unlock(struct kreg_lock *lock)
{
	int ret;

	if (!lock)
		return 0;
	ret = delete_key(lock);
	if (ret == -ECANCELED || lock->process != kreg_process_number())
		kreg_fail_table(ret, TRY_UNLOCK, lock->table);
	unlist_lock(lock);
	free_lock(lock);
	return ret;
}

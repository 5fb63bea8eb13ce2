/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: which process has which key. */
#ifndef KREG_REGISTRY_H
#define KREG_REGISTRY_H

#include <kreg/event.h>
#include <kreg/ref.h>
#include <kreg/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Any table may be a registry, best one with KREG_ACCESS_REGISTRY, in which each user
 * registers his own processes. An object that is registered is bound to a process: nobody
 * finds it from the moment on at which that is exiting, and it is removed when it is dead; or,
 * if it was registered to linger, some time later.
 *
 * Errors of all of them: those of <kreg/object.h>.
 */

/**
 * struct kreg_holder - who has a key
 * @size: sizeof(struct kreg_holder)
 * @process: the process; zero: the object is bound to none, or to one that is not visible; with
 *	the pid 0: it is dead, and the object lingers
 * @version: the version of the object
 */
struct kreg_holder {
	size_t size;
	struct kreg_process process;
	uint64_t version;
};

#define KREG_HOLDER_INIT	{ sizeof(struct kreg_holder), { 0, 0, 0 }, 0 }

/**
 * kreg_register() - register the calling process
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 *
 * Errors: -EEXIST: the key is taken; -EDQUOT: too many objects are bound.
 */
int kreg_register(struct kreg_table *table, const void *key, size_t key_len,
		  const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_register_or_get() - register a process, or find who has the key
 * @table: the table
 * @process: whom to register; NULL: the caller
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @holder: who has the key now; may be NULL
 *
 * Return: 1: registered; 0: somebody has it already.
 *
 * Errors: -ESRCH: the process is dead or unknown; -EPERM: it is another user's; -EDQUOT.
 */
int kreg_register_or_get(struct kreg_table *table, const struct kreg_process *process,
			 const void *key, size_t key_len, const void *value, size_t value_len,
			 struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * struct kreg_register_options - how to register
 * @size: sizeof(struct kreg_register_options)
 * @process: whom to register; NULL: the caller
 * @linger_ms: how long the object is found after the death of its process; others may
 *	register in its place meanwhile
 * @version: register in place of the object with this version; 0: where nobody has the key
 */
struct kreg_register_options {
	size_t size;
	const struct kreg_process *process;
	uint32_t linger_ms;
	uint64_t version;
};

#define KREG_REGISTER_OPTIONS_INIT	{ sizeof(struct kreg_register_options), 0, 0, 0 }

/**
 * kreg_register_with() - register a process, with options
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @options: how; NULL: as kreg_register()
 * @holder: who has the key now, written also with -EEXIST; may be NULL
 *
 * Errors: as kreg_register(); -ESRCH, -EPERM as kreg_register_or_get(); -ECANCELED: it has
 * another version.
 */
int kreg_register_with(struct kreg_table *table, const void *key, size_t key_len,
		       const void *value, size_t value_len,
		       const struct kreg_register_options *options,
		       struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_register_wait() - register a process when it is its turn
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @options: as of kreg_register_with(), without a version; may be NULL
 * @timeout_ms: how long to wait; 0: only try; -1, INT64_MAX: for ever
 * @holder: who has the key, also written with -ETIMEDOUT and -EALREADY; may be NULL
 *
 * Those who want a key that another has stand in its line and get it in the order of coming, when
 * it has been removed and when the process that had it is dead: not yet when that is exiting.
 * Nobody displaces them before they are dead either. <kreg/lock.h> makes locks of that.
 *
 * Any thread at any time. Signals interrupt it as SA_RESTART says. A process that is stopped
 * while it waits comes last when it goes on.
 *
 * Errors: -ETIMEDOUT: another has it, or comes first; -EALREADY: the process has it; -EINTR;
 * -ESTALE: the table is destroyed; -EACCES: the caller may not write to it, or not any more;
 * -ESRCH, -EPERM as of kreg_register_or_get(); -EDQUOT: bound objects or waits of the user, or
 * too many in line.
 */
int kreg_register_wait(struct kreg_table *table, const void *key, size_t key_len,
		       const void *value, size_t value_len,
		       const struct kreg_register_options *options, int64_t timeout_ms,
		       struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_register_standby() - likewise, without waiting
 * @table: the table; its client's mailbox gets the event
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @options: as of kreg_register_wait()
 * @fn: is called for the event; NULL: as of kreg_when()
 * @arg: for @fn
 * @ref: the new ref, or NULL: registered at once; to be freed with kreg_ref_cancel(), which
 *	gives up the place
 *
 * The event is of kind KREG_EVENT_READY, with the cause KREG_CAUSE_CLAIM: the process has the
 * key, and kreg_event_version() is the version of its object. Or it is of KREG_EVENT_GONE:
 * the table is destroyed; or with the cause KREG_CAUSE_ACCESS the caller may not write to it when
 * its turn comes; or with KREG_CAUSE_NOPROC the process that was to have it is dead.
 *
 * The place ends with the client, and with execve(2). A process that is stopped keeps it.
 *
 * Return: 1: registered at once; 0: it has a place in line; or an error as above.
 */
int kreg_register_standby(struct kreg_table *table, const void *key, size_t key_len,
			  const void *value, size_t value_len,
			  const struct kreg_register_options *options, kreg_event_fn fn,
			  void *arg, struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_start_fn - start a process that registers itself, for kreg_registry_ensure()
 * @key: under which key
 * @key_len: its length
 * @arg: as given to kreg_registry_ensure()
 *
 * It need not have registered when this returns. Return: 0, or a negative errno.
 */
typedef int (*kreg_start_fn)(const void *key, size_t key_len, void *arg);

/**
 * kreg_registry_ensure() - find who has a key, or start somebody who will
 * @table: the table
 * @locks: another table, for a lock of the same key
 * @key: the key
 * @key_len: its length
 * @start: is called if nobody has it, by one caller at a time, whichever process it is in
 * @arg: for @start
 * @timeout_ms: how long to wait for the others, and for who was started to register
 * @holder: who has the key; may be NULL
 *
 * If the caller who starts somebody dies, the next takes his place.
 *
 * Return: 1: @start was called by this call; 0: somebody had the key; or an error: -ETIMEDOUT,
 * also if who was started has not registered; what @start has returned; as of kreg_lock().
 */
int kreg_registry_ensure(struct kreg_table *table, struct kreg_table *locks, const void *key,
			 size_t key_len, kreg_start_fn start, void *arg, int64_t timeout_ms,
			 struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_unregister() - remove a key of the calling process. Return: 1, or 0: it had it not. */
int kreg_unregister(struct kreg_table *table, const void *key, size_t key_len) KREG_NONNULL_FIRST;

/**
 * kreg_whereis() - find who has a key
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @holder: who has it
 *
 * Never waits for a writer.
 *
 * Errors: -ENODATA: nobody.
 */
int kreg_whereis(struct kreg_table *table, const void *key, size_t key_len,
		 struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_whereis_pidfd() - likewise, with a pidfd of exactly that process
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @holder: who has it; may be NULL
 *
 * Return: a new descriptor (close-on-exec), or an error: -ENODATA: nobody has the key;
 * -ESRCH: the object is bound to no process, or to one of another pid namespace.
 */
int kreg_whereis_pidfd(struct kreg_table *table, const void *key, size_t key_len,
		       struct kreg_holder *holder) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_unregister_all() - remove all keys of the calling process
 * @table: the table
 *
 * What it has on loan is not among them, and stays so. Return: how many there were.
 */
int kreg_unregister_all(struct kreg_table *table) KREG_NONNULL_FIRST;

/**
 * kreg_update_fn - make a new value of the old one, for kreg_registry_update()
 * @old: the value as it is
 * @old_len: its length
 * @buf: room for the new one
 * @room: its size: at least 4096 bytes, and @old_len
 * @len: to be written: the length of the new value
 * @arg: as given to kreg_registry_update()
 *
 * Return: 0; -EMSGSIZE, with @len: there is too little room, call again with so much;
 * anything else: change nothing, and return that.
 */
typedef int (*kreg_update_fn)(const void *old, size_t old_len, void *buf, size_t room,
			      size_t *len, void *arg);

/**
 * kreg_registry_update() - change the value of a key of the calling process
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @fn: makes the new value; called again if another thread has written meanwhile
 * @arg: for @fn
 *
 * Return: 0, an error, or what @fn has returned. -ENODATA: the caller does not have the key.
 */
int kreg_registry_update(struct kreg_table *table, const void *key, size_t key_len,
			 kreg_update_fn fn, void *arg) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_registry_monitor() - be told when the process that has a key now is dead
 * @table: the table; its client's mailbox gets the event
 * @key: the key, which kreg_event_key() tells again
 * @key_len: its length
 * @fn: as of kreg_monitor(), like all else
 * @arg: for @fn
 * @ref: the new ref; kreg_ref_process() tells who has the key
 *
 * When the event can be read, the key is free. Who registers under it later makes no
 * difference. If nobody has it, the event is there at once, with cause KREG_CAUSE_NOPROC.
 */
int kreg_registry_monitor(struct kreg_table *table, const void *key, size_t key_len,
			  kreg_event_fn fn, void *arg, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_registry_monitor_all() - be told of the death of each process that has a key now
 * @table: the table; its client's mailbox gets the events
 * @fn: is called once for each process, however many keys it has; NULL: as of kreg_monitor()
 * @arg: for @fn
 * @ref: one ref for all; kreg_ref_cancel() returns 1 if some had not died
 *
 * For who takes over a registry. Who has died since its entry was found is told of at once,
 * with cause KREG_CAUSE_NOPROC. For processes that register later, subscribe to
 * KREG_EVENT_EXIT before: see kreg_subscribe().
 *
 * Each process is one monitor of the user; if there are too many nothing is monitored
 * (-EDQUOT).
 */
int kreg_registry_monitor_all(struct kreg_table *table, kreg_event_fn fn, void *arg,
			      struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_object_process() - to whom it is bound; of a scan with KREG_SCAN_PROCESSES, else zero. */
struct kreg_process kreg_object_process(const struct kreg_object *object) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_REGISTRY_H */

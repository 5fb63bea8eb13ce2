/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: waiting until a key or a table is there, is not, or has changed. */
#ifndef KREG_WAIT_H
#define KREG_WAIT_H

#include <kreg/types.h>
#include <kreg/event.h>
#include <kreg/ref.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_wait() - wait until a key of a table is as one wants it
 * @table: the table, which the caller may read
 * @key: the key
 * @key_len: its length
 * @what: KREG_WATCH_PRESENT, KREG_WATCH_ABSENT, or KREG_WATCH_CHANGED: its version is not
 *	@version any more
 * @version: with KREG_WATCH_CHANGED, the version that is known, or 0: that the key is
 *	absent; else 0
 * @timeout_ms: how long to wait; 0: not at all; -1, INT64_MAX: for ever
 *
 * It returns at once if it is so already. All who wait for a key go on, and by then another
 * may have changed it again. An object that is bound to a process which is exiting is absent.
 *
 * Any thread at any time. Signals interrupt it as SA_RESTART says.
 *
 * Errors: -ETIMEDOUT: it is not so, also with time-out 0; -EINTR; -ESTALE: the table is
 * destroyed; -EACCES: the caller may not read it, or not any more; -EDQUOT: waits and monitors
 * of the user, its bytes, or keys of the table that are waited for; -EOPNOTSUPP: keys of the table
 * may have several objects, and it is not KREG_WATCH_PRESENT.
 */
int kreg_wait(struct kreg_table *table, const void *key, size_t key_len,
	      enum kreg_watch_kind what, uint64_t version, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_wait_name() - likewise until there is a table with this name, or none
 * @client: the client
 * @name: name of the table
 * @what: KREG_WATCH_PRESENT or KREG_WATCH_ABSENT
 * @timeout_ms: as of kreg_wait()
 */
int kreg_wait_name(struct kreg_client *client, const char *name, enum kreg_watch_kind what,
		   int64_t timeout_ms) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_when() - be told when a key of a table is as one wants it
 * @table: the table; its client's mailbox gets the event
 * @key: the key
 * @key_len: its length
 * @what: as of kreg_wait()
 * @version: as of kreg_wait()
 * @fn: is called for the event; NULL: it comes out of kreg_event_next(), or goes to the
 *	handler of the client
 * @arg: for @fn
 * @ref: the new ref, written before @fn can be called; to be freed with kreg_ref_cancel(),
 *	before or after the event
 *
 * Exactly one event comes for each ref, and is never lost. It is of kind KREG_EVENT_READY,
 * and kreg_event_process() tells the process to which the object is bound; or of
 * KREG_EVENT_GONE: the table is destroyed, or with the cause KREG_CAUSE_ACCESS the caller may
 * not read it any more. kreg_event_name() tells the key.
 *
 * Any thread at any time. The ref ends with its client, and with execve(2).
 *
 * Errors: as of kreg_wait(), without those of waiting.
 */
int kreg_when(struct kreg_table *table, const void *key, size_t key_len,
	      enum kreg_watch_kind what, uint64_t version, kreg_event_fn fn, void *arg,
	      struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_when_name() - likewise when there is a table with this name, or none
 * @client: whose mailbox gets the event
 * @name: name of the table
 * @what: as of kreg_wait_name()
 * @fn: as of kreg_when()
 * @arg: for @fn
 * @ref: the new ref
 */
int kreg_when_name(struct kreg_client *client, const char *name, enum kreg_watch_kind what,
		   kreg_event_fn fn, void *arg, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_WAIT_H */

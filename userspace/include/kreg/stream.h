/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: being told what happens to a table, and telling others. */
#ifndef KREG_STREAM_H
#define KREG_STREAM_H

#include <kreg/event.h>
#include <kreg/ref.h>
#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Flag of kreg_subscribe(): first what is there, then what changes. The kernel knows
 * KREG_SUBSCRIBE_REPLAY and KREG_SUBSCRIBE_ACK.
 */
#define KREG_SUBSCRIBE_PRESENT	(1U << 31)

/**
 * kreg_subscribe() - be told what happens to a table
 * @table: the table; events go to its client
 * @kinds: KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE) and so on, or KREG_SUBSCRIBE_KINDS for all
 * @flags: KREG_SUBSCRIBE_REPLAY, KREG_SUBSCRIBE_ACK, KREG_SUBSCRIBE_PRESENT
 * @after_seq: with KREG_SUBSCRIBE_REPLAY, number of the event after which to begin; else 0
 * @fn: is called for each event; NULL: they come out of kreg_event_next(), or go to the
 *	handler of the client
 * @arg: for @fn
 * @ref: the new ref, written before @fn can be called; to be freed with kreg_ref_cancel()
 *
 * Each event of these kinds comes exactly once, in the order in which things happened. Who
 * does not keep up finds one KREG_EVENT_OVERFLOW for all that is lost, kreg_event_last_lost()
 * tells up to which number, and goes on with the oldest that is left. KREG_EVENT_GONE is the
 * last one: the table is destroyed, or may not be read any more.
 *
 * With KREG_SUBSCRIBE_REPLAY the events that the kernel still has from before are read first;
 * what it has not, OVERFLOW tells.
 *
 * With KREG_SUBSCRIBE_PRESENT a KREG_EVENT_CREATE comes first for each object of the table,
 * with its value whatever the length, then one KREG_EVENT_READY, then what has changed since,
 * without a gap; not with REPLAY. Who starts with an empty copy of the table, and
 * does to it what the events say, has an exact copy. An UPDATE, DELETE or EXIT soon after
 * READY may be of a key that was not told of, if that was there only for a moment. The objects
 * are fetched from the table as they are handed out; meanwhile the library keeps the keys that
 * are written, as far as the kernel may still have events of them: 3 MiB in all at most, until
 * the events have come past them. After an OVERFLOW subscribe anew.
 *
 * Where keys may have several objects, the table is pinned and all of it is read when the
 * subscription begins, into memory that is freed with KREG_EVENT_READY. A
 * KREG_EVENT_DELETE then says that objects of the key have gone, not which: all of them, but for
 * kreg_unregister(), which removes those of kreg_event_process(), and kreg_del_value() and
 * kreg_del_object(), after which the key is to be read anew.
 *
 * With KREG_SUBSCRIBE_ACK kreg_sync_notify() of others waits until an event is acknowledged.
 * That is done when @fn has returned; without @fn the program calls kreg_event_ack().
 *
 * The subscription ends with its client, and with execve(2).
 *
 * Errors: -EACCES: the caller may not read the table; -EINVAL: no kinds, flags that
 * contradict each other, or there is no event @after_seq yet; -EDQUOT: subscriptions of the
 * client or of the table, or bytes, or pins; -ESTALE.
 */
int kreg_subscribe(struct kreg_table *table, unsigned int kinds, unsigned int flags,
		   uint64_t after_seq, kreg_event_fn fn, void *arg, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_event_ack() - acknowledge an event, and all of its subscription before it
 * @event: one that was returned by kreg_event_next(), or that the handler of the client has
 *	got; it must be good still
 *
 * Errors: -EINVAL: it is of no subscription with KREG_SUBSCRIBE_ACK; -ENOENT: that has ended,
 * so nobody waits for it.
 */
int kreg_event_ack(const struct kreg_event *event) KREG_NONNULL_FIRST;

/**
 * kreg_notify() - tell all subscribers of a table something, and go on
 * @table: the table, to which the caller may write; nothing in it is changed
 * @key: any bytes; NULL: none
 * @key_len: their number, up to 1024
 * @data: any bytes; NULL: none
 * @len: their number, up to 4096
 *
 * They get it as KREG_EVENT_USER with this key and value. It returns when that is queued, or
 * done if that can be at once, as kreg_put_async() does.
 *
 * Errors: -EFBIG: too much data; -ENAMETOOLONG; -EACCES; -EAGAIN: too much waits already.
 */
int kreg_notify(struct kreg_table *table, const void *key, size_t key_len,
		const void *data, size_t len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_ack_notify() - likewise, and every subscriber can read it when this returns. */
int kreg_ack_notify(struct kreg_table *table, const void *key, size_t key_len,
		    const void *data, size_t len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_sync_notify() - likewise, and wait until it is acknowledged
 * @table: as of kreg_notify()
 * @key: likewise
 * @key_len: likewise
 * @data: likewise
 * @len: likewise
 * @timeout_ms: how long to wait at most
 *
 * Waits for the subscribers of other processes that have said KREG_SUBSCRIBE_ACK, until they
 * have acknowledged the event, have ended or are dead.
 *
 * Return: how many have not acknowledged it when the time was over or a signal came; it is
 * told in any case.
 */
int kreg_sync_notify(struct kreg_table *table, const void *key, size_t key_len,
		     const void *data, size_t len, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_STREAM_H */

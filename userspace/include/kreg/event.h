/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: the mailbox of a client. */
#ifndef KREG_EVENT_H
#define KREG_EVENT_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_event_next() - the next event of the mailbox
 * @client: the client; one thread at a time
 * @timeout_ms: how long to wait for one; 0: not at all; -1, INT64_MAX: for ever
 * @event: good until the next call with this client; not to be freed
 *
 * Events are never lost. Once a death is visible (waitpid(2), a pidfd) the events about it
 * can be read. An event of a ref with a handler is not returned: the handler is called for
 * it, and the next event is looked for.
 *
 * Errors: -EAGAIN: there is none, with time-out 0; -ETIMEDOUT; -EINTR: a signal handler has
 * run while waiting, as in poll(2) also one with SA_RESTART; -EBADF: also if the handler
 * of a ref has closed the client.
 */
int kreg_event_next(struct kreg_client *client, int64_t timeout_ms,
		    const struct kreg_event **event) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_event_fn - what is called for an event
 * @event: good until it returns or takes events itself; not to be freed
 * @arg: as given to kreg_client_set_handler(), kreg_monitor() and so on
 *
 * It may close and cancel what it likes, the client and its own ref included.
 */
typedef void (*kreg_event_fn)(const struct kreg_event *event, void *arg);

/**
 * kreg_client_set_handler() - set what kreg_client_dispatch() calls; NULL: nothing
 * @client: the client
 * @fn: for all events but those of refs that have a handler of their own
 * @arg: for @fn
 */
void kreg_client_set_handler(struct kreg_client *client, kreg_event_fn fn, void *arg)
	KREG_NONNULL_FIRST;

/**
 * kreg_client_dispatch() - hand out all events that are there
 * @client: the client; one thread at a time
 * @timeout_ms: how long to wait for the first; 0: not at all; -1, INT64_MAX: for ever
 *
 * For event loops: call it with 0 when kreg_client_fd() is readable, whether the loop
 * is level- or edge-triggered. It leaves no event behind, neither in the mailbox nor in
 * the buffer of the library. An event goes to the handler of its ref, else to that of the
 * client; one for which there is neither is dropped.
 *
 * Return: how many were handed out, 0 if none came in time; or an error: -EINVAL: the client
 * has no handler, and never had a ref; -EINTR as in kreg_event_next().
 */
int kreg_client_dispatch(struct kreg_client *client, int64_t timeout_ms) KREG_NONNULL_FIRST;

unsigned int kreg_event_kind(const struct kreg_event *event) KREG_NONNULL_FIRST;
/*
 * From 1, growing; those of refs that were cancelled are missing. Of a subscription: number of
 * the event, growing, for KREG_SUBSCRIBE_REPLAY; of OVERFLOW, of the first that is lost
 */
uint64_t kreg_event_seq(const struct kreg_event *event) KREG_NONNULL_FIRST;
uint64_t kreg_event_time_ns(const struct kreg_event *event) KREG_NONNULL_FIRST;
/* for kreg_table_by_id(); of DOWN: the one whose owner was monitored; 0: none */
uint64_t kreg_event_table(const struct kreg_event *event) KREG_NONNULL_FIRST;
/*
 * TRANSFER: the former owner; DOWN: who died; zero: nobody owned the table. CREATE, UPDATE,
 * EXIT, READY: to whom the object is or was bound; zero: nobody. OWNER: the new one; zero: none
 */
struct kreg_process kreg_event_process(const struct kreg_event *event) KREG_NONNULL_FIRST;
/* whose it is; NULL: of none, or of one that is cancelled */
struct kreg_ref *kreg_event_ref(const struct kreg_event *event) KREG_NONNULL_FIRST;
unsigned int kreg_event_cause(const struct kreg_event *event) KREG_NONNULL_FIRST;
/** kreg_event_status() - @status as in waitpid(2); false: it is not known. */
bool kreg_event_status(const struct kreg_event *event, int *status) KREG_NONNULL_FIRST;
/**
 * kreg_event_name() - copy the table's name; DOWN: the one that was given; READY: key or name
 * @event: the event
 * @buf: room for it and a NUL byte; may be NULL if @room is 0
 * @room: its size; KREG_MAX_NAME + 1 is enough, for a key KREG_MAX_KEY + 1
 * @len: its length, 0 for a table without a name, written also with -EMSGSIZE;
 *	may be NULL
 */
int kreg_event_name(const struct kreg_event *event, char *buf, size_t room, size_t *len)
	KREG_NONNULL_FIRST;
/** kreg_event_name_alloc() - likewise; @name is to be freed with free(3). */
int kreg_event_name_alloc(const struct kreg_event *event, char **name, size_t *len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;
/*
 * Of events of a table: the key; and the value, or the data of kreg_notify(). @len may be NULL.
 * NULL for a value that is longer than 4096 bytes, whose length @len is: get it by its key.
 */
const void *kreg_event_key(const struct kreg_event *event, size_t *len) KREG_NONNULL_FIRST;
const void *kreg_event_value(const struct kreg_event *event, size_t *len) KREG_NONNULL_FIRST;
/* of the object, or of the write that removed it; of others, of the last write before them */
uint64_t kreg_event_version(const struct kreg_event *event) KREG_NONNULL_FIRST;
/* OVERFLOW: number of the last event that is lost; others: 0 */
uint64_t kreg_event_last_lost(const struct kreg_event *event) KREG_NONNULL_FIRST;
/* TRANSFER, OWNER: who owned the table before; zero: nobody */
struct kreg_process kreg_event_former_owner(const struct kreg_event *event) KREG_NONNULL_FIRST;
/** kreg_event_data() - the bytes that the former owner has left for the receiver. */
const void *kreg_event_data(const struct kreg_event *event, size_t *len) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_EVENT_H */

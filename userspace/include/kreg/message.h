/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: the mailbox of a client. */
#ifndef KREG_MESSAGE_H
#define KREG_MESSAGE_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds. Later versions may add some; ignore those that you do not know. */
enum kreg_message_type {
	KREG_TRANSFER = 1,	/* this process has become the owner of a table */
};

enum kreg_reason {
	KREG_GIFT = 1,		/* the former owner gave it away */
	KREG_DEATH = 2,		/* the former owner died */
};

/**
 * kreg_message_next() - the next message of the mailbox
 * @client: the client; one thread at a time
 * @timeout_ms: how long to wait for one; 0: not; -1: for ever
 * @message: good until the next call with this client; not to be freed
 *
 * TRANSFER messages are never lost. Once a death is visible (waitpid(2), a pidfd)
 * the messages about it can be read.
 *
 * Errors: -EAGAIN: there is none, with time-out 0; -ETIMEDOUT; -EINTR: a signal
 * came while waiting.
 */
int kreg_message_next(struct kreg_client *client, int timeout_ms,
		      const struct kreg_message **message);

unsigned int kreg_message_type(const struct kreg_message *message);
uint64_t kreg_message_seq(const struct kreg_message *message);	/* from 1, without gaps */
uint64_t kreg_message_time_ns(const struct kreg_message *message);
uint64_t kreg_message_table(const struct kreg_message *message);	/* for kreg_table_by_id() */
struct kreg_proc kreg_message_from(const struct kreg_message *message);	/* former owner */
unsigned int kreg_message_reason(const struct kreg_message *message);
/** kreg_message_status() - @status as in waitpid(2); false: it is not known. */
bool kreg_message_status(const struct kreg_message *message, int *status);
/** kreg_message_name() - copy the table's name, NUL-terminated. Return: its length. */
size_t kreg_message_name(const struct kreg_message *message, char *buf, size_t room);
/** kreg_message_data() - the bytes that the heir was named or the gift sent with. */
const void *kreg_message_data(const struct kreg_message *message, size_t *len);

#ifdef __cplusplus
}
#endif

#endif /* KREG_MESSAGE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits, and places in the line of a key, that are told of by a record: READY, or GONE if nothing
 * can come any more.
 *
 * As other watches, each has its record with it from the start. It waits at its key until
 * it is over; then the record is in the mailbox of its client, and it is freed by who reads
 * that or cancels it, or when the client is closed.
 */
#ifndef KREG_TABLE_READY_H
#define KREG_TABLE_READY_H

#include "client/handle.h"
#include "client/mailbox.h"
#include "table/awaited.h"

struct kreg_ready {
	struct kreg_handle handle;
	struct kreg_wait wait;		/* with its candidate, if it is in a line */
	struct kreg_mail mail;		/* last, since a key follows it */
};

/*
 * Sleeps. For @cl, under @lock, waiting nowhere yet; with an id by which nobody finds it, and a
 * record for the table @table and @key. ERR_PTR(): -ENOMEM, kreg_over_limit().
 */
struct kreg_ready *kreg_ready_alloc(struct kreg_client *cl, spinlock_t *lock, u64 udata,
				    u64 table, const void *key, u32 key_len);
/* Any, without a lock but client->reading. It was read, or never came to wait. NULL is allowed. */
void kreg_ready_free(struct kreg_ready *ready);

/* Any. Charge a wait, with @bytes and its key, to the user of @cl. kreg_over_limit(). */
int kreg_ready_charge(struct kreg_client *cl, size_t bytes, u32 key_len);
void kreg_ready_uncharge(struct kreg_client *cl, size_t bytes, u32 key_len);
/* Any. What is charged then. */
size_t kreg_ready_memory(size_t bytes, u32 key_len);

#endif /* KREG_TABLE_READY_H */

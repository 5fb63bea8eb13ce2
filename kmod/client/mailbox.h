/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mail: records for a process, queued in the mailbox of one of its clients.
 *
 * A record is allocated and counted against its receiver when it is promised (an
 * heir is named, a table is given), so that sending it later cannot fail. Its memory
 * is charged to who promises it, until it has been read.
 *
 * DOC: Shares
 *
 * A mailbox is its owner's. Another user may have a quarter of it, in records and in
 * bytes, and all others together three quarters: so no stranger can fill it, and the
 * owner's own processes always find room. Root is no stranger.
 */
#ifndef KREG_CLIENT_MAILBOX_H
#define KREG_CLIENT_MAILBOX_H

#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

struct kreg_client;
struct kreg_proc;
struct kreg_mail_share;
struct kreg_user;

struct kreg_mail {
	struct list_head node;		/* box->lock, once sent */
	/* Invariant: */
	struct kreg_proc *to;		/* holds a reference */
	struct kreg_user *user;		/* who pays; holds a reference */
	struct kreg_mail_share *share;	/* NULL: not a stranger's */
	kuid_t uid;			/* under whom it may be read */
	struct kreg_event event;
	u8 tail[];			/* name, data, padding */
};

struct kreg_mailbox {
	spinlock_t lock;		/* innermost */
	struct list_head mails;		/* lock */
	u64 seq;			/* lock: number of the last record */
};

/* Any. */
void kreg_mailbox_init(struct kreg_mailbox *box);
/* Any. Free what has not been read. */
void kreg_mailbox_empty(struct kreg_mailbox *box);

/*
 * Sleeps. @from promises a TRANSFER record to @to under @uid. ERR_PTR: kreg_over_limit() if
 * the mailboxes of @to are full, or the share of the user of @from in them; -ENOMEM.
 */
struct kreg_mail *kreg_mail_alloc(const struct kreg_client *from, struct kreg_proc *to,
				  kuid_t uid, const void *name, u32 name_len,
				  const void *data, u32 data_len);
/* Any. NULL is allowed. */
void kreg_mail_free(struct kreg_mail *mail);

/* Any. Send; consumes @mail. Wakes nobody. */
void kreg_mailbox_send(struct kreg_mailbox *box, struct kreg_mail *mail);

/*
 * Any. What is in @from goes to the end of @to, with new numbers; false: there was nothing.
 * Wakes nobody.
 */
bool kreg_mailbox_move(struct kreg_mailbox *to, struct kreg_mailbox *from);

/* Any. As of a moment ago. */
bool kreg_mailbox_is_empty(struct kreg_mailbox *box);
/*
 * Any. Take the oldest record if it has at most @room bytes: NULL if there is none,
 * -EMSGSIZE if it is longer. Put it back in front if it could not be delivered.
 */
struct kreg_mail *kreg_mailbox_take(struct kreg_mailbox *box, size_t room);
void kreg_mailbox_put_back(struct kreg_mailbox *box, struct kreg_mail *mail);

#endif /* KREG_CLIENT_MAILBOX_H */

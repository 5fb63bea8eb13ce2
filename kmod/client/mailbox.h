/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mail: records for a process, queued in the mailbox of one of its clients.
 *
 * A record is allocated and counted against its receiver when it is promised (an
 * heir is named, a table is given), so that sending it later cannot fail.
 */
#ifndef KREG_CLIENT_MAILBOX_H
#define KREG_CLIENT_MAILBOX_H

#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

struct kreg_proc;

struct kreg_mail {
	struct list_head node;		/* box->lock, once sent */
	/* Invariant: */
	struct kreg_proc *to;		/* who pays; holds a reference */
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
 * Sleeps. Promise a TRANSFER record to @to under @uid. ERR_PTR: kreg_over_limit() if its
 * mailboxes are full, -ENOMEM.
 */
struct kreg_mail *kreg_mail_alloc(struct kreg_proc *to, kuid_t uid, const void *name,
				  u32 name_len, const void *data, u32 data_len);
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

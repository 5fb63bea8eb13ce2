/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mailboxes: queues of records for a process, each in one of its clients.
 *
 * A record is allocated and counted against its receiver when it is promised (an
 * heir is named, a table is given), so that sending it later cannot fail. Its memory
 * is charged to who promises it, until it has been read.
 */
#ifndef KREG_CLIENT_MAILBOX_H
#define KREG_CLIENT_MAILBOX_H

#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

struct kreg_proc;
struct kreg_mail_share;
struct kreg_user;

struct kreg_mail {
	struct list_head node;		/* box->lock, once sent */
	/* Invariant: */
	void (*free)(struct kreg_mail *mail);	/* once it was read, or never will be */
	/* Of a promise of mail.h: */
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

/* Any. Send; consumes @mail. Wakes nobody. */
void kreg_mailbox_send(struct kreg_mailbox *box, struct kreg_mail *mail);
/* Any, under box->lock. The same. */
void kreg_mailbox_add(struct kreg_mailbox *box, struct kreg_mail *mail);
/* Any. Take @mail back, if it is in there. */
bool kreg_mailbox_remove(struct kreg_mailbox *box, struct kreg_mail *mail);

/*
 * Any. What is in @from goes to the end of @to, with new numbers; false: there was nothing.
 * Wakes nobody.
 */
bool kreg_mailbox_move(struct kreg_mailbox *to, struct kreg_mailbox *from);
/* Any. All records, oldest first. */
void kreg_mailbox_take_all(struct kreg_mailbox *box, struct list_head *mails);

/* Any. As of a moment ago. */
bool kreg_mailbox_is_empty(struct kreg_mailbox *box);
/*
 * Any. Take the oldest record if it has at most @room bytes: NULL if there is none,
 * -EMSGSIZE if it is longer. Put it back in front if it could not be delivered.
 */
struct kreg_mail *kreg_mailbox_take(struct kreg_mailbox *box, size_t room);
void kreg_mailbox_put_back(struct kreg_mailbox *box, struct kreg_mail *mail);

#endif /* KREG_CLIENT_MAILBOX_H */

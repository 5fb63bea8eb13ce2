// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>

#include "client/mailbox.h"

void kreg_mailbox_init(struct kreg_mailbox *box)
{
	spin_lock_init(&box->lock);
	INIT_LIST_HEAD(&box->mails);
}

static void deliver_mail(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	lockdep_assert_held(&box->lock);
	mail->event.seq = ++box->seq;
	list_add_tail(&mail->node, &box->mails);
}

void kreg_mailbox_add(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	mail->event.time_ns = ktime_get_ns();
	deliver_mail(box, mail);
}

void kreg_mailbox_send(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	spin_lock(&box->lock);
	kreg_mailbox_add(box, mail);
	spin_unlock(&box->lock);
}

bool kreg_mailbox_remove(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	bool there;

	spin_lock(&box->lock);
	there = !list_empty(&mail->node);
	list_del_init(&mail->node);
	spin_unlock(&box->lock);
	return there;
}

void kreg_mailbox_take_all(struct kreg_mailbox *box, struct list_head *mails)
{
	spin_lock(&box->lock);
	list_splice_init(&box->mails, mails);
	spin_unlock(&box->lock);
}

bool kreg_mailbox_move(struct kreg_mailbox *to, struct kreg_mailbox *from)
{
	struct kreg_mail *mail, *next;
	LIST_HEAD(mails);
	bool moved;

	kreg_mailbox_take_all(from, &mails);
	moved = !list_empty(&mails);
	spin_lock(&to->lock);
	list_for_each_entry_safe(mail, next, &mails, node)
		deliver_mail(to, mail);
	spin_unlock(&to->lock);
	return moved;
}

bool kreg_mailbox_is_empty(struct kreg_mailbox *box)
{
	return list_empty(&box->mails);
}

struct kreg_mail *kreg_mailbox_take(struct kreg_mailbox *box, size_t room)
{
	struct kreg_mail *mail;

	spin_lock(&box->lock);
	mail = list_first_entry_or_null(&box->mails, struct kreg_mail, node);
	if (mail && mail->event.size > room)
		mail = ERR_PTR(-EMSGSIZE);
	else if (mail)
		list_del_init(&mail->node);
	spin_unlock(&box->lock);
	return mail;
}

/* client->reading lets one reader take at a time, so the order of records is kept. */
void kreg_mailbox_put_back(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	spin_lock(&box->lock);
	list_add(&mail->node, &box->mails);
	spin_unlock(&box->lock);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/limits.h"
#include "client/mailbox.h"
#include "client/proc.h"
#include "store/gfp.h"

void kreg_mailbox_init(struct kreg_mailbox *box)
{
	spin_lock_init(&box->lock);
	INIT_LIST_HEAD(&box->mails);
}

void kreg_mailbox_empty(struct kreg_mailbox *box)
{
	struct kreg_mail *mail, *next;
	LIST_HEAD(mails);

	spin_lock(&box->lock);
	list_splice_init(&box->mails, &mails);
	spin_unlock(&box->lock);
	list_for_each_entry_safe(mail, next, &mails, node)
		kreg_mail_free(mail);
}

static int charge_mail(struct kreg_proc *to, u32 bytes)
{
	u32 count = atomic_inc_return(&to->mails);
	u32 sum = atomic_add_return(bytes, &to->mail_bytes);

	if (count > READ_ONCE(kreg_limits.events) || sum > READ_ONCE(kreg_limits.event_bytes))
		return kreg_over_limit(KREG_LIMIT_MAILBOX);
	return 0;
}

static void uncharge_mail(struct kreg_proc *to, u32 bytes)
{
	atomic_sub(bytes, &to->mail_bytes);
	atomic_dec(&to->mails);
}

struct kreg_mail *kreg_mail_alloc(struct kreg_proc *to, kuid_t uid, const void *name,
				  u32 name_len, const void *data, u32 data_len)
{
	u32 tail = ALIGN(name_len + data_len, 8);
	struct kreg_mail *mail;
	int err;

	mail = kzalloc(struct_size(mail, tail, tail), KREG_GFP_USER);
	if (!mail)
		return ERR_PTR(-ENOMEM);
	mail->event.size = sizeof(mail->event) + tail;
	mail->event.kind = KREG_EVENT_TRANSFER;
	mail->event.key_len = name_len;
	mail->event.value_len = data_len;
	memcpy(mail->tail, name, name_len);
	memcpy(mail->tail + name_len, data, data_len);
	mail->to = to;
	mail->uid = uid;
	kreg_proc_get(to);
	err = charge_mail(to, mail->event.size);
	if (!err)
		return mail;
	kreg_mail_free(mail);
	return ERR_PTR(err);
}

void kreg_mail_free(struct kreg_mail *mail)
{
	if (!mail)
		return;
	uncharge_mail(mail->to, mail->event.size);
	kreg_proc_put(mail->to);
	kfree(mail);
}

static void deliver_mail(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	spin_lock(&box->lock);
	mail->event.seq = ++box->seq;
	list_add_tail(&mail->node, &box->mails);
	spin_unlock(&box->lock);
}

void kreg_mailbox_send(struct kreg_mailbox *box, struct kreg_mail *mail)
{
	mail->event.time_ns = ktime_get_ns();
	deliver_mail(box, mail);
}

bool kreg_mailbox_move(struct kreg_mailbox *to, struct kreg_mailbox *from)
{
	struct kreg_mail *mail, *next;
	LIST_HEAD(mails);
	bool moved;

	spin_lock(&from->lock);
	list_splice_init(&from->mails, &mails);
	spin_unlock(&from->lock);
	moved = !list_empty(&mails);
	list_for_each_entry_safe(mail, next, &mails, node)
		deliver_mail(to, mail);
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
		list_del(&mail->node);
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

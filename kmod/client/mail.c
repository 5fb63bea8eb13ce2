// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/mail.h"
#include "client/mailbox.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"

/* What a stranger has of the mailbox of a process. */
struct kreg_mail_share {
	struct list_head node;
	const struct kreg_user *user;	/* its records hold references */
	u32 mails;
	u32 bytes;
};

static struct kreg_mail_share *find_share(struct kreg_proc *to, const struct kreg_user *user)
{
	struct kreg_mail_share *share;

	lockdep_assert_held(&to->shares_lock);
	list_for_each_entry(share, &to->shares, node)
		if (share->user == user)
			return share;
	return NULL;
}

/* Of @most, what one stranger may have, and all of them. */
static u32 one_share(u32 most)
{
	return DIV_ROUND_UP(most, 4);
}

static u32 all_shares(u32 most)
{
	return most - most / 4;
}

/* Count @mail in the share of its user, which is in the list or @fresh. */
static int charge_share(struct kreg_mail *mail, struct kreg_mail_share **fresh)
{
	u32 most = READ_ONCE(kreg_limits.events), most_bytes = READ_ONCE(kreg_limits.event_bytes);
	u32 bytes = mail->event.size;
	struct kreg_proc *to = mail->to;
	struct kreg_mail_share *share = find_share(to, mail->user);

	if ((share ? share->mails : 0) + 1 > one_share(most) ||
	    (share ? share->bytes : 0) + bytes > one_share(most_bytes))
		return kreg_over_limit(KREG_LIMIT_PROMISED);
	if (to->share_mails + 1 > all_shares(most) ||
	    to->share_bytes + bytes > all_shares(most_bytes))
		return kreg_over_limit(KREG_LIMIT_STRANGERS);
	if (!share) {
		share = *fresh;
		*fresh = NULL;
		share->user = mail->user;
		list_add(&share->node, &to->shares);
	}
	share->mails++;
	share->bytes += bytes;
	to->share_mails++;
	to->share_bytes += bytes;
	mail->share = share;
	return 0;
}

static void uncharge_share(struct kreg_mail *mail)
{
	struct kreg_mail_share *share = mail->share;
	struct kreg_proc *to = mail->to;

	if (!share)
		return;
	spin_lock(&to->shares_lock);
	to->share_mails--;
	to->share_bytes -= mail->event.size;
	share->bytes -= mail->event.size;
	if (--share->mails)
		share = NULL;
	else
		list_del(&share->node);
	spin_unlock(&to->shares_lock);
	kfree(share);
}

/* The whole mailbox has room, or not. */
static int charge_box(struct kreg_proc *to, u32 bytes)
{
	u32 count = atomic_inc_return(&to->mails);
	u32 sum = atomic_add_return(bytes, &to->mail_bytes);
	enum kreg_limit limit;

	if (count > READ_ONCE(kreg_limits.events))
		limit = KREG_LIMIT_MAILBOX;
	else if (sum > READ_ONCE(kreg_limits.event_bytes))
		limit = KREG_LIMIT_MAILBOX_BYTES;
	else
		return 0;
	atomic_sub(bytes, &to->mail_bytes);
	atomic_dec(&to->mails);
	return kreg_over_limit(limit);
}

static int charge_stranger(struct kreg_mail *mail)
{
	struct kreg_mail_share *fresh = kzalloc(sizeof(*fresh), KREG_GFP_USER);
	int err;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&mail->to->shares_lock);
	err = charge_share(mail, &fresh);
	spin_unlock(&mail->to->shares_lock);
	kfree(fresh);
	return err;
}

static size_t mail_memory(const struct kreg_mail *mail)
{
	return sizeof(*mail) + mail->event.size - sizeof(mail->event);
}

static int charge_mail(struct kreg_mail *mail, bool stranger)
{
	int err = kreg_user_charge(mail->user, KREG_QUOTA_BYTES, mail_memory(mail));

	if (err)
		return err;
	err = stranger ? charge_stranger(mail) : 0;
	if (!err) {
		err = charge_box(mail->to, mail->event.size);
		if (!err)
			return 0;
		uncharge_share(mail);
	}
	kreg_user_uncharge(mail->user, KREG_QUOTA_BYTES, mail_memory(mail));
	return err;
}

static void free_mail(struct kreg_mail *mail)
{
	kreg_proc_put(mail->to);
	kreg_user_put(mail->user);
	kfree(mail);
}

static void free_promise(struct kreg_mail *mail)
{
	atomic_sub(mail->event.size, &mail->to->mail_bytes);
	atomic_dec(&mail->to->mails);
	uncharge_share(mail);
	kreg_user_uncharge(mail->user, KREG_QUOTA_BYTES, mail_memory(mail));
	free_mail(mail);
}

struct kreg_mail *kreg_mail_alloc(const struct kreg_client *from, struct kreg_proc *to,
				  kuid_t uid, const void *name, u32 name_len,
				  const void *data, u32 data_len)
{
	u32 tail = ALIGN(name_len + data_len, 8);
	struct kreg_mail *mail;
	int err;

	mail = kzalloc(struct_size(mail, tail, tail), KREG_GFP_USER);
	if (!mail)
		return ERR_PTR(-ENOMEM);
	mail->free = free_promise;
	mail->event.size = sizeof(mail->event) + tail;
	mail->event.kind = KREG_EVENT_TRANSFER;
	mail->event.key_len = name_len;
	mail->event.value_len = data_len;
	memcpy(mail->tail, name, name_len);
	memcpy(mail->tail + name_len, data, data_len);
	mail->to = to;
	mail->uid = uid;
	mail->user = from->user;
	refcount_inc(&from->user->refs);
	kreg_proc_get(to);
	err = charge_mail(mail, from->user->limited && !uid_eq(from->uid, uid));
	if (!err)
		return mail;
	free_mail(mail);
	return ERR_PTR(err);
}

void kreg_mail_free(struct kreg_mail *mail)
{
	if (mail)
		mail->free(mail);
}

void kreg_mail_free_all(struct kreg_mailbox *box)
{
	struct kreg_mail *mail, *next;
	LIST_HEAD(mails);

	kreg_mailbox_take_all(box, &mails);
	list_for_each_entry_safe(mail, next, &mails, node)
		kreg_mail_free(mail);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/user.h"
#include "store/gfp.h"
#include "table/candidate.h"
#include "table/ready.h"

/*
 * With each wait the key that it waits for, since it may have brought it; so all of a key that
 * many wait for is paid for, whoever of them is left.
 */
size_t kreg_ready_memory(size_t bytes, u32 key_len)
{
	return bytes + kreg_awaited_memory(key_len);
}

int kreg_ready_charge(struct kreg_client *cl, size_t bytes, u32 key_len)
{
	int err = kreg_user_charge_watch(cl->user, kreg_ready_memory(bytes, key_len));

	if (!err)
		atomic_inc(&cl->nr_waits);
	return err;
}

void kreg_ready_uncharge(struct kreg_client *cl, size_t bytes, u32 key_len)
{
	atomic_dec(&cl->nr_waits);
	kreg_user_uncharge_watch(cl->user, kreg_ready_memory(bytes, key_len));
}

static size_t own_bytes(u32 key_len)
{
	return sizeof(struct kreg_ready) + ALIGN(key_len, 8);
}

void kreg_ready_free(struct kreg_ready *ready)
{
	u32 key_len;

	if (!ready)
		return;
	key_len = ready->mail.event.key_len;
	kreg_candidate_free(ready->wait.candidate);
	kreg_handle_remove(&ready->handle);
	kreg_ready_uncharge(ready->handle.client, own_bytes(key_len), key_len);
	kfree(ready);
}

static void free_ready_mail(struct kreg_mail *mail)
{
	kreg_ready_free(container_of(mail, struct kreg_ready, mail));
}

static int cancel_ready(struct kreg_handle *h, bool flush)
{
	struct kreg_ready *ready = container_of(h, struct kreg_ready, handle);

	if (kreg_wait_cancel(&ready->wait)) {
		kreg_ready_free(ready);
		return 0;
	}
	if (flush && kreg_mailbox_remove(&h->client->box, &ready->mail))
		kreg_ready_free(ready);
	return -ENOENT;
}

static void end_ready(struct kreg_handle *h)
{
	struct kreg_ready *ready = container_of(h, struct kreg_ready, handle);

	if (!kreg_wait_cancel(&ready->wait))
		kreg_mailbox_remove(&h->client->box, &ready->mail);
	kreg_ready_free(ready);
}

static const struct kreg_handle_ops ready_ops = {
	.cancel = cancel_ready,
	.end = end_ready,
};

static void send_ready(struct kreg_wait *wait, const struct kreg_outcome *outcome,
		       struct kreg_writer *w)
{
	struct kreg_ready *ready = container_of(wait, struct kreg_ready, wait);
	struct kreg_event *event = &ready->mail.event;

	event->kind = outcome->result ? KREG_EVENT_GONE : KREG_EVENT_READY;
	event->cause = outcome->cause;
	event->version = outcome->version;
	event->process = outcome->holder;
	kreg_client_tell(ready->handle.client, &ready->mail, w);
}

static void init_ready(struct kreg_ready *ready, u64 udata, u64 table, const void *key,
		       u32 key_len)
{
	struct kreg_mail *mail = &ready->mail;

	ready->handle.ops = &ready_ops;
	INIT_LIST_HEAD(&ready->wait.node);
	ready->wait.over = send_ready;
	INIT_LIST_HEAD(&mail->node);
	mail->free = free_ready_mail;
	mail->event.size = sizeof(mail->event) + ALIGN(key_len, 8);
	mail->event.table = table;
	mail->event.udata = udata;
	mail->event.key_len = key_len;
	memcpy(mail->tail, key, key_len);
}

struct kreg_ready *kreg_ready_alloc(struct kreg_client *cl, spinlock_t *lock, u64 udata,
				    u64 table, const void *key, u32 key_len)
{
	struct kreg_ready *ready;
	int err;

	ready = kzalloc(struct_size(ready, mail.tail, ALIGN(key_len, 8)), KREG_GFP_USER);
	if (!ready)
		return ERR_PTR(-ENOMEM);
	init_ready(ready, udata, table, key, key_len);
	ready->wait.lock = lock;
	ready->wait.client = cl;
	err = kreg_ready_charge(cl, own_bytes(key_len), key_len);
	if (err)
		goto free;
	err = kreg_handle_reserve(cl, &ready->handle);
	if (err)
		goto uncharge;
	ready->mail.event.id = ready->handle.id;
	return ready;

uncharge:
	kreg_ready_uncharge(cl, own_bytes(key_len), key_len);
free:
	kfree(ready);
	return ERR_PTR(err);
}

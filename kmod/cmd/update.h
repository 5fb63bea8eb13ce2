/* SPDX-License-Identifier: GPL-2.0 */
/* A write that depends on the value that is there: between what asks for it and how it is done. */
#ifndef KREG_CMD_UPDATE_H
#define KREG_CMD_UPDATE_H

#include <linux/err.h>
#include <linux/kreg.h>
#include <linux/mm.h>

#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/usercopy.h"
#include "store/edit.h"
#include "table/bound.h"
#include "table/expire.h"

/* What takes no more than this needs no memory of its own; all fields do. */
#define KREG_UPDATE_SMALL	(KREG_MAX_FIELDS * sizeof(struct kreg_field) + 128)

/* The version has changed since; never the error of a call. */
#define KREG_UPDATE_AGAIN	(-ERESTART)

struct kreg_update {
	struct kreg_client *client;
	struct kreg_ioc_op *arg;
	struct kreg_acks *acks;		/* asked for; or NULL */
	const void *key;		/* so many bytes as @arg says; NULL: the caller has them */
	struct kreg_write write;
	struct kreg_edit edit;
	struct kreg_expiry expiry;	/* of what it makes where nothing is, */
	bool times;			/* if that is said */
	u8 small_key[KREG_SMALL_KEY] __aligned(8);
	u8 small[KREG_UPDATE_SMALL] __aligned(8);
};

/* The new value of what was handed out. */
struct kreg_made {
	struct kreg_blob *blob;		/* if it needs one, */
	void *value;			/* else this */
	u32 len;
};

static __always_inline int kreg_update_get_key(struct kreg_update *x)
{
	const struct kreg_op *op = &x->arg->op;
	struct kreg_change *c = &x->write.change;
	void *key;

	c->key.len = op->key_len;
	c->key.bytes = x->small_key;
	if (likely(op->key_len <= KREG_SMALL_KEY))
		return kreg_get_short(x->small_key, u64_to_user_ptr(op->key), op->key_len);
	key = kreg_cmd_get_bytes(op->key, op->key_len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	c->key.bytes = key;
	return 0;
}

/*
 * Sleeps. A PUT, of which the value is made under the turn, or was @made of the one of version
 * @only. @given: the key is in @x. KREG_EDIT_LONG.
 */
static __always_inline int kreg_update_put(struct kreg_update *x, u64 only, struct kreg_made *made,
					   bool given)
{
	struct kreg_op *op = &x->arg->op;
	struct kreg_write *w = &x->write;
	struct kreg_change *c = &w->change;
	int err = 0;

	kreg_write_init(w, x->arg->table, only);
	kreg_bind_note(c, &w->bind, x->client);
	c->kind = KREG_CHANGE_PUT;
	c->value_len = 0;
	c->mine = op->flags & KREG_OP_MINE;
	w->bind.keeps = true;
	if (made) {
		c->must_be_new = !only;
		c->value_len = made->len;
		c->value = made->blob ? NULL : made->value;
		swap(c->blob, made->blob);
	} else {
		c->edit = &x->edit;
	}
	if (unlikely(x->acks)) {
		w->acked = true;
		w->result.acks = (struct kreg_acks) {};
	}
	if (given) {
		c->key.bytes = x->key;
		c->key.len = op->key_len;
	} else {
		err = kreg_update_get_key(x);
	}
	if (unlikely(x->times) && !err)
		err = kreg_expirer_bring(&w->bind, w->table, &x->expiry);
	if (err)
		kreg_put_drop(c);
	else
		err = kreg_put_apply(x->client, w);
	if (!given && unlikely(c->key.bytes != x->small_key))
		kvfree(c->key.bytes);
	if (err)
		return err;
	if (unlikely(x->acks))
		*x->acks = w->result.acks;
	op->out_version = w->result.version;
	op->out_count = w->result.count;
	op->out_len = x->edit.len;
	return 0;
}

/*
 * update_long.c. Sleeps. A write of the caller's value on condition of what is there; @edit is
 * NULL if that was compared, with the version @only. KREG_EDIT_LONG.
 */
int kreg_update_compared(struct kreg_update *x, u64 only, struct kreg_edit *edit);
/*
 * Sleeps. After KREG_EDIT_LONG: do without the turn what could not be done under it, and put it
 * there; or bring room for it. KREG_UPDATE_AGAIN: it is to be tried once more.
 */
int kreg_update_long(struct kreg_update *x);

/* update.c. Sleeps. More room behind what the caller has brought. -ENOMEM. */
int kreg_update_add_room(struct kreg_update *x, u32 len, u32 *at);

/*
 * Sleeps. The fields of x->arg, an EDIT, to be applied to one key after another; @x is filled in
 * up to there. The errors of &struct kreg_field. After success, kreg_update_end().
 */
int kreg_update_begin(struct kreg_update *x);
/* Sleeps. Apply them to x->key. */
int kreg_update_run(struct kreg_update *x, u64 only);
void kreg_update_end(struct kreg_update *x);

#endif /* KREG_CMD_UPDATE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Values that are too long to be looked at under the turn: each was handed out there with its
 * version, is compared or edited here, and written if the version is still the same.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "cmd/edit_copy.h"
#include "cmd/update.h"
#include "store/gfp.h"

static int alloc_made(const struct kreg_update *x, struct kreg_made *made, u32 most)
{
	made->len = x->edit.len;
	if (kreg_store_needs_blob(x->arg->op.key_len, made->len)) {
		made->blob = kreg_blob_alloc(made->len);
		if (!made->blob)
			return -ENOMEM;
	}
	if (made->blob && most == made->len)
		return 0;
	made->value = kvmalloc(most, KREG_GFP_USER);
	return made->value ? 0 : -ENOMEM;
}

static int make_value(struct kreg_update *x, const void *base, struct kreg_made *made)
{
	struct kreg_edit *e = &x->edit;
	void *to;
	u32 most;
	int err = kreg_edit_measure(e, e->base_len, &most) ?: alloc_made(x, made, most);

	if (err)
		return err;
	to = made->value ?: kreg_blob_bytes(made->blob);
	memcpy(to, base, min(e->base_len, most));
	err = kreg_edit_run(e, to, e->base_len);
	if (!err && made->blob && made->value)
		memcpy(kreg_blob_bytes(made->blob), to, e->len);
	return err;
}

int kreg_update_compared(struct kreg_update *x, u64 only, struct kreg_edit *edit)
{
	const struct kreg_binding to = { .edit = edit };
	struct kreg_op *op = &x->arg->op;

	op->flags &= ~KREG_OP_VALUE;
	op->offset = 0;
	op->arg = only;
	return kreg_op_put_bound(x->client, x->arg->table, op, &to, x->acks);
}

/* What was handed out is compared and edited, and the outcome put in its place. */
static int write_long(struct kreg_update *x, const void *base)
{
	struct kreg_edit *e = &x->edit;
	struct kreg_made made = {};
	int err = 0;

	if (e->compares && !kreg_edit_matches(e, base, e->base_len))
		err = -ECANCELED;
	if (!err && e->count)
		err = make_value(x, base, &made);
	kreg_edit_put_base(e);
	if (!err) {
		err = e->count ? kreg_update_put(x, e->version, &made, x->key) :
				 kreg_update_compared(x, e->version, NULL);
		if (err == -ECANCELED || err == -EEXIST)
			err = KREG_UPDATE_AGAIN;
	}
	if (made.blob)
		kreg_blob_put(made.blob);
	kvfree(made.value);
	return err;
}

int kreg_update_long(struct kreg_update *x)
{
	const void *base = kreg_edit_base(&x->edit);

	if (fatal_signal_pending(current)) {
		kreg_edit_put_base(&x->edit);
		return -EINTR;
	}
	if (base)
		return write_long(x, base);
	return kreg_update_add_room(x, KREG_SLOT_MAX, &x->edit.room) ?: KREG_UPDATE_AGAIN;
}


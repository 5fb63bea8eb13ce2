// SPDX-License-Identifier: GPL-2.0
/* What is done of operations that look at what is there before their batch is applied. */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/looks.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"

static int describe_look(struct kreg_batch *b, u32 i, const struct kreg_op *op, u8 **keys)
{
	struct kreg_look *l = kreg_look_at(b->looks, i);
	struct kreg_batch_op *to = &b->ops[i];
	struct kreg_change *c = &to->change;

	if (!l)
		return 0;
	c->only = l->only;
	c->mine = op->flags & KREG_OP_MINE;
	c->edit = l->edit.compares ? &l->edit : NULL;
	if (!c->binds)
		c->bind = &l->timed.bind;
	c->special = true;
	if (c->kind != KREG_CHANGE_PUT)
		return 0;
	to->late = true;
	l->key = *keys;
	c->key.bytes = *keys;
	*keys += op->key_len;
	if (l->fields)
		c->value_len = 0;
	if (kreg_get(*keys - op->key_len, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	return c->blob && copy_from_user(kreg_blob_bytes(c->blob), u64_to_user_ptr(op->value),
					 op->value_len) ? -EFAULT : 0;
}

int kreg_batch_describe_looks(struct kreg_batch *b, const struct kreg_op *op, u8 *keys)
{
	u32 i;
	int err = 0;

	for (i = 0; i < b->count && !err; i++)
		err = describe_look(b, i, &op[i], &keys);
	return err;
}

/* In the order of keys, and for each of operations. */
static int compare_by_key(const void *x, const void *y, const void *batch)
{
	const struct kreg_batch *b = batch;
	u32 i = *(const u32 *)x, j = *(const u32 *)y;
	const struct kreg_key *k = &b->ops[i].change.key, *l = &b->ops[j].change.key;
	int order;

	if (k->hash != l->hash)
		return k->hash < l->hash ? -1 : 1;
	if (k->len != l->len)
		return k->len < l->len ? -1 : 1;
	order = memcmp(k->bytes, l->bytes, k->len);
	return order ?: i < j ? -1 : 1;
}

static bool same_key(const struct kreg_change *c, const struct kreg_change *d)
{
	return c->key.len == d->key.len && !memcmp(c->key.bytes, d->key.bytes, c->key.len);
}

/* Those that write one object; others are of no key. */
static u32 list_keys(const struct kreg_batch *b, u32 *order)
{
	u32 i, n = 0;

	for (i = 0; i < b->count; i++)
		if (b->ops[i].change.kind < KREG_CHANGE_CLEAR && !b->ops[i].error)
			order[n++] = i;
	return n;
}

/* What came before a CLEAR does not matter behind it. */
static void note_clears(struct kreg_batch *b)
{
	u32 i, cleared = 0;

	for (i = 0; i < b->count; i++) {
		if (b->ops[i].change.kind == KREG_CHANGE_CLEAR)
			cleared = i + 1;
		b->looks->at[i].before = max(b->looks->at[i].before, cleared);
	}
}

int kreg_batch_link(struct kreg_batch *b)
{
	u32 *order, i, n;

	if (b->count == 1)
		return 0;
	order = kvmalloc_array(b->count, sizeof(*order), KREG_GFP_USER);
	if (!order)
		return -ENOMEM;
	n = list_keys(b, order);
	sort_r(order, n, sizeof(*order), compare_by_key, NULL, b);
	for (i = 0; i < n; i++) {
		bool same = i && same_key(&b->ops[order[i]].change, &b->ops[order[i - 1]].change);

		b->looks->at[order[i]].before = same ? order[i - 1] + 1 : 0;
	}
	kvfree(order);
	note_clears(b);
	return 0;
}

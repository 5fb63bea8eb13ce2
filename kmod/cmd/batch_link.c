// SPDX-License-Identifier: GPL-2.0
/* What is done of operations that look at what is there before their batch is applied. */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/looks.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"

/*
 * Where keys have runs nothing that a PUT brings depends on what is there, but for what is refused
 * there. Then it gets its slot as others do.
 */
static bool is_known(const struct kreg_batch *b, const struct kreg_look *l)
{
	return kreg_store_has_runs(&b->table->store) && !l->keeps;
}

static void describe_known(struct kreg_look *l, struct kreg_change *c)
{
	l->timed.bind.times = l->times;
	if (!l->times)
		return;
	kreg_change_expire(c, &l->timed.expiry);
	c->bound = false;
}

static int describe_look(struct kreg_batch *b, u32 i, const struct kreg_op *op, u8 **keys)
{
	struct kreg_look *l = kreg_look_at(b->looks, i);
	struct kreg_batch_op *to = &b->ops[i];
	struct kreg_change *c = &to->change;

	if (!l)
		return 0;
	c->only = l->only;
	c->mine = op->flags & KREG_OP_MINE;
	c->edit = kreg_edit_asks(&l->edit) ? &l->edit : NULL;
	if (!c->binds)
		c->bind = &l->timed.bind;
	c->special = true;
	if (c->edit)
		b->looks->heaviest = max(b->looks->heaviest, kreg_look_conditions(l));
	if (c->kind != KREG_CHANGE_PUT)
		return 0;
	if (is_known(b, l)) {
		describe_known(l, c);
		return 0;
	}
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

static bool same_key(const struct kreg_key *k, const struct kreg_key *l)
{
	return k->hash == l->hash && k->len == l->len && !memcmp(k->bytes, l->bytes, k->len);
}

/* The last write before @i of the same key; and @i is the last from now on. */
static u32 link_key(struct kreg_batch *b, u32 i, u32 mask)
{
	const struct kreg_key *key = &b->ops[i].change.key;
	struct kreg_looks *l = b->looks;
	u32 *bucket = &l->at[key->hash & mask].bucket, before = *bucket;

	l->at[i].next = before;
	*bucket = i + 1;
	while (before && !same_key(key, &b->ops[before - 1].change.key))
		before = l->at[before - 1].next;
	return before;
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

void kreg_batch_link(struct kreg_batch *b)
{
	u32 i, mask = rounddown_pow_of_two(b->count) - 1;

	for (i = 0; i < b->count; i++)
		b->looks->at[i].bucket = 0;
	for (i = 0; i < b->count; i++) {
		bool writes_one = b->ops[i].change.kind < KREG_CHANGE_CLEAR && !b->ops[i].error;

		b->looks->at[i].before = writes_one ? link_key(b, i, mask) : 0;
	}
	note_clears(b);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Most bytes have room behind the looks, which is known beforehand. What an EDIT copies, and what
 * it starts from, is known when its fields have been read, so then all of its bytes move elsewhere.
 */
#include <linux/align.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/limits.h"
#include "cmd/batch_state.h"
#include "cmd/field.h"
#include "cmd/looks.h"
#include "cmd/op.h"
#include "cmd/terms.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"
#include "table/expire.h"

/* On the way in. */
struct look_source {
	struct kreg_client *client;
	u64 table;
	const struct kreg_op *op;
	struct kreg_more more;		/* if the operation has one */
	void *bytes;			/* room for the next */
};

static bool has_value_bytes(const struct kreg_op *op)
{
	return op->code == KREG_OP_PUT && !kreg_store_needs_blob(op->key_len, op->value_len);
}

/* Bytes that a look needs behind all looks. */
static size_t bytes_of_look(const struct kreg_op *op)
{
	size_t bytes = op->flags & KREG_OP_VALUE ? ALIGN(op->offset, 8) : 0;

	if (op->code == KREG_OP_EDIT || has_value_bytes(op))
		bytes += ALIGN(op->value_len, 8);
	return bytes;
}

/* Values that are compared are as short as fit a slot. */
static int measure_looks(const struct kreg_op_list *ops, size_t *size, u64 *expected)
{
	const struct kreg_op *op = ops->op, *end = op + ops->count;

	*size = 0;
	*expected = 0;
	for (; op != end; op++) {
		if (!kreg_op_has_look(op))
			continue;
		if (op->flags & KREG_OP_VALUE) {
			if (kreg_store_needs_blob(op->key_len, op->offset))
				return -EFBIG;
			*expected += op->offset;
		}
		*size += KREG_LOOK_SIZE + bytes_of_look(op);
	}
	return ops->bytes + *expected > READ_ONCE(kreg_limits.batch_bytes) ? -EFBIG : 0;
}

static int get_look_more(struct kreg_look *l, struct look_source *from)
{
	struct kreg_more *more = &from->more;
	int err = kreg_more_get(more, from->op);

	if (err)
		return err;
	l->edit.filter = kreg_terms_get(more->filter, more->filter_count);
	if (IS_ERR(l->edit.filter)) {
		err = PTR_ERR(l->edit.filter);
		l->edit.filter = NULL;
		return err;
	}
	l->only = more->if_version;
	l->edit.starts = more->flags & KREG_MORE_START;
	l->edit.start_len = more->start_len;
	if (kreg_store_needs_blob(from->op->key_len, more->start_len))
		return -EFBIG;
	if (!kreg_more_expiry(more, &l->timed.expiry))
		return 0;
	l->times = true;
	err = kreg_expirer_bring(&l->timed.bind, from->table, &l->timed.expiry);
	/* Whether it is to expire so is decided when it is known what is there. */
	l->timed.bind.times = false;
	return err;
}

/* Behind the bytes that are there so far what is as long as is known by now. */
static int move_look_bytes(struct kreg_look *l, const struct look_source *from)
{
	struct kreg_edit *e = &l->edit;
	u32 used = e->size, copied;
	void *bytes;

	e->start = kreg_field_add_bytes(e, e->start_len);
	copied = kreg_field_add_bytes(e, e->copied);
	bytes = kvmalloc(e->size, KREG_GFP_USER);
	if (!bytes)
		return -ENOMEM;
	e->bytes = memcpy(bytes, e->bytes, used);
	l->own = true;
	if (kreg_field_get_bytes(e, e->start, from->more.start, e->start_len))
		return -EFAULT;
	return kreg_field_get_copied(e, copied);
}

static int put_field_outs(const struct kreg_look *l)
{
	const struct kreg_field *f = kreg_edit_fields(&l->edit);

	return kreg_put_parts(u64_to_user_ptr(l->user) + offsetof(struct kreg_field, out),
			      sizeof(*f), &f->out, sizeof(*f), sizeof(f->out), l->fields);
}

/* See that the answer can be written, by writing back what is there. */
static int probe_field_outs(const struct kreg_look *l)
{
	struct kreg_field __user *f = u64_to_user_ptr(l->user), *end = f + l->fields;
	u64 out;

	for (; f != end; f++)
		if (kreg_get_short(&out, &f->out, sizeof(out)) ||
		    kreg_put_short(&f->out, &out, sizeof(out)))
			return -EFAULT;
	return 0;
}

/* Fields; what they copy comes when its place is known. */
static int get_look_fields(struct kreg_look *l, const struct look_source *from)
{
	const struct kreg_op *op = from->op;
	int err = kreg_field_get(&l->edit, op);

	if (err)
		return err;
	l->user = op->value;
	l->fields = l->edit.count;
	if (l->edit.copied > KREG_SLOT_MAX)
		return -EFBIG;
	return probe_field_outs(l);
}

/* The value to compare with is behind the fields. */
static int get_look_expected(struct kreg_look *l, const struct kreg_op *op)
{
	struct kreg_edit *e = &l->edit;

	e->compares = true;
	e->expected_len = op->offset;
	e->expected = kreg_field_add_bytes(e, op->offset);
	return kreg_field_get_bytes(e, e->expected, op->arg, op->offset);
}

static int get_look_value(struct kreg_look *l, const struct kreg_op *op, void *to)
{
	if (!has_value_bytes(op))
		return 0;
	l->value = to;
	return kreg_get(to, u64_to_user_ptr(op->value), op->value_len);
}

static int get_look(struct kreg_look *l, struct look_source *from)
{
	const struct kreg_op *op = from->op;
	struct kreg_edit *e = &l->edit;
	int err = 0;

	l->timed.bind.client = from->client;
	l->keeps = op->code == KREG_OP_EDIT || op->flags & KREG_OP_KEEP;
	l->only = op->flags & KREG_OP_VERSION ? op->arg : 0;
	e->bytes = from->bytes;
	if (op->code == KREG_OP_EDIT)
		err = get_look_fields(l, from);
	if (!err && op->flags & KREG_OP_VALUE)
		err = get_look_expected(l, op);
	if (!err)
		err = get_look_value(l, op, e->bytes + ALIGN(e->size, 8));
	if (!err && op->flags & KREG_OP_MORE)
		err = get_look_more(l, from);
	if (!err && (e->copied || e->start_len))
		err = move_look_bytes(l, from);
	e->count = 0;
	from->bytes += bytes_of_look(op);
	return err;
}

/* Whether a value may be longer on the way than it is in the end. */
static bool may_get_shorter(const struct kreg_look *l)
{
	const struct kreg_field *f = kreg_edit_fields(&l->edit), *end = f + l->fields;

	for (; l->fields > 1 && f != end; f++)
		if (f->flags & KREG_FIELD_TRUNCATE)
			return true;
	return false;
}

static int get_looks(struct kreg_looks *l, struct look_source *from, const struct kreg_op_list *ops)
{
	struct kreg_look *look;
	bool works = false;
	u32 i;
	int err;

	for (i = 0; i < ops->count; i++) {
		from->op = &ops->op[i];
		if (!kreg_op_has_look(from->op))
			continue;
		l->at[i].look = ++l->count;
		look = kreg_look_at(l, i);
		memset(look, 0, KREG_LOOK_SIZE);
		err = get_look(look, from);
		if (err)
			return err;
		l->reads |= kreg_op_looks(from->op) || look->edit.filter;
		l->bytes += look->edit.copied + look->edit.start_len +
			    kreg_filter_size(look->edit.filter);
		if (ops->bytes + l->bytes > READ_ONCE(kreg_limits.batch_bytes))
			return -EFBIG;
		works |= may_get_shorter(look);
	}
	l->work = works ? kvmalloc(KREG_SLOT_MAX, KREG_GFP_USER) : NULL;
	return works && !l->work ? -ENOMEM : 0;
}

int kreg_looks_get(struct kreg_client *cl, u64 table, struct kreg_op_list *ops, u32 count)
{
	struct look_source from = { .client = cl, .table = table };
	struct kreg_looks *l;
	u64 expected;
	size_t size;
	int err = measure_looks(ops, &size, &expected);

	if (err)
		return err;
	l = kreg_scratch_get(&cl->looks, size_add(struct_size(l, at, ops->count), size));
	if (!l)
		return -ENOMEM;
	memset(l, 0, struct_size(l, at, ops->count));
	refcount_set(&l->refs, 1);
	l->client = cl;
	l->ops = ops->count;
	l->bytes = expected;
	l->looks = &l->at[ops->count];
	from.bytes = l->looks + count * KREG_LOOK_SIZE;
	err = get_looks(l, &from, ops);
	if (err) {
		kreg_looks_put(l);
		return err;
	}
	ops->bytes += l->bytes;
	ops->looks = l;
	return 0;
}

void kreg_looks_put(struct kreg_looks *l)
{
	u32 i;

	if (!l || !refcount_dec_and_test(&l->refs))
		return;
	for (i = 0; i < l->ops; i++) {
		struct kreg_look *look = kreg_look_at(l, i);

		if (!look)
			continue;
		if (unlikely(look->timed.expirer))
			kfree(look->timed.expirer);
		if (look->own)
			kvfree(look->edit.bytes);
		kreg_filter_put(look->edit.filter);
	}
	kvfree(l->work);
	kreg_scratch_put(&l->client->looks, l);
}

void kreg_looks_answer(const struct kreg_looks *l, const struct kreg_batch_op *done,
		       struct kreg_op __user *user, size_t size)
{
	u32 i;

	for (i = 0; i < l->ops; i++, user = (void __user *)user + size) {
		const struct kreg_look *look = kreg_look_at(l, i);

		if (!look || !look->fields || done[i].error)
			continue;
		if (kreg_put_short(&user->out_len, &look->edit.len, sizeof(look->edit.len)))
			return;
		put_field_outs(look);
	}
}

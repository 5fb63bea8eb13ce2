// SPDX-License-Identifier: GPL-2.0
/*
 * EDIT, and writes with VALUE: what depends on the value that is there.
 *
 * What is short is decided and done under the turn. What is long is handed out there with its
 * version; it is compared or edited here, and written if the version is still the same.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/edit_copy.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/usercopy.h"
#include "store/edit.h"
#include "store/gfp.h"
#include "table/bound.h"
#include "table/expire.h"

/* What takes no more than this needs no memory of its own; all fields do. */
#define SMALL	(KREG_MAX_FIELDS * sizeof(struct kreg_field) + 128)

/* The version has changed since; never the error of a call. */
#define AGAIN	(-ERESTART)

struct update {
	struct kreg_client *client;
	struct kreg_ioc_op *arg;
	struct kreg_acks *acks;
	struct kreg_write write;
	struct kreg_edit edit;
	struct kreg_expiry expiry;	/* of what it makes where nothing is, */
	bool times;			/* if that is said */
	u8 key[KREG_SMALL_KEY] __aligned(8);
	u8 small[SMALL] __aligned(8);
};

/* The new value of what was handed out. */
struct made {
	struct kreg_blob *blob;		/* if it needs one, */
	void *value;			/* else this */
	u32 len;
};

/* Which flags go with a code. */
static const u16 code_flags[] = {
	[KREG_FIELD_COPY] = KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE,
	[KREG_FIELD_ADD] = KREG_FIELD_WRAP | KREG_FIELD_SATURATE | KREG_FIELD_THRESHOLD |
			   KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_MIN] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_MAX] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_AND] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_OR] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_XOR] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
};

/* Of which there may be one. */
#define OVERFLOW_FLAGS	(KREG_FIELD_WRAP | KREG_FIELD_SATURATE | KREG_FIELD_THRESHOLD)
/* With which the value may get longer. */
#define LONGER_FLAGS	(KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE)

/* One that is not as plain as most are. */
static noinline int check_unusual_field(const struct kreg_field *f)
{
	bool copies = f->code == KREG_FIELD_COPY;
	u16 over = f->flags & OVERFLOW_FLAGS;

	if (!f->code || f->code > KREG_FIELD_XOR || f->flags & ~KREG_FIELD_ALL)
		return -EOPNOTSUPP;
	if (f->flags & ~code_flags[array_index_nospec(f->code, ARRAY_SIZE(code_flags))] ||
	    over & (over - 1))
		return -EINVAL;
	if (over != KREG_FIELD_THRESHOLD && (f->threshold || (f->set && !copies)))
		return -EINVAL;
	if (copies && f->set > KREG_MAX_VALUE)
		return -EFBIG;
	return f->flags & LONGER_FLAGS &&
	       (u64)f->offset + (copies ? f->set : KREG_FIELD_NUMBER) > KREG_MAX_VALUE ?
	       -EFBIG : 0;
}

static __always_inline int check_field(const struct kreg_field *f)
{
	if (likely(f->code == KREG_FIELD_ADD && !(f->flags & ~KREG_FIELD_WRAP) &&
		   !(f->threshold | f->set)))
		return 0;
	return check_unusual_field(f);
}

/* Fields in; where they copy from is in @operand still. */
static __always_inline int get_fields(struct update *x)
{
	const struct kreg_op *op = &x->arg->op;
	struct kreg_field *f = (void *)x->small, *end = (void *)x->small + op->value_len;
	struct kreg_edit *e = &x->edit;
	int err;

	if (kreg_get_short(f, u64_to_user_ptr(op->value), op->value_len))
		return -EFAULT;
	e->size = op->value_len;
	e->count = op->value_len / sizeof(*f);
	do {
		err = check_field(f);
		if (err)
			return err;
		if (f->code == KREG_FIELD_COPY) {
			e->copied += f->set;
			/* Where no bytes are copied their place is none either. */
			f->operand = f->set ? f->operand : 0;
		}
		if (e->copied > KREG_MAX_VALUE)
			return -EFBIG;
		f->out = 0;
	} while (++f != end);
	return 0;
}

/* More bytes behind those that are there; where they begin is a multiple of 8. */
static u32 add_bytes(struct kreg_edit *e, u32 len)
{
	u32 at = ALIGN(e->size, 8);

	e->size = at + len;
	return at;
}

/* Move the first @used bytes to where there is room for all. */
static noinline int move_bytes(struct update *x, u32 used)
{
	struct kreg_edit *e = &x->edit;
	void *bytes = kvmalloc(e->size, KREG_GFP_USER);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, e->bytes, used);
	if (e->bytes != x->small)
		kvfree(e->bytes);
	e->bytes = bytes;
	return 0;
}

static __always_inline int get_bytes(struct kreg_edit *e, u32 at, u64 from, u32 len)
{
	return kreg_get(e->bytes + at, u64_to_user_ptr(from), len);
}

static noinline int get_copied(struct kreg_edit *e, u32 at)
{
	struct kreg_field *f = kreg_edit_fields(e), *end = f + e->count;

	for (; f != end; f++) {
		if (f->code != KREG_FIELD_COPY)
			continue;
		if (get_bytes(e, at, f->operand, f->set))
			return -EFAULT;
		f->operand = at;
		at += f->set;
	}
	return 0;
}

/* What the fields copy, and the values to start from and to compare with. */
static noinline int get_values(struct update *x, const struct kreg_more *more)
{
	const struct kreg_op *op = &x->arg->op;
	struct kreg_edit *e = &x->edit;
	u32 used = e->size, copied = add_bytes(e, e->copied);
	int err = 0;

	if (more && more->flags & KREG_MORE_START) {
		e->starts = true;
		e->start_len = more->start_len;
		e->start = add_bytes(e, e->start_len);
	}
	if (op->flags & KREG_OP_VALUE) {
		e->compares = true;
		e->expected_len = op->offset;
		e->expected = add_bytes(e, e->expected_len);
	}
	/* Refuse early, before much is copied. */
	if (unlikely(e->size > SMALL))
		err = kreg_put_check_write(x->client, x->arg->table) ?: move_bytes(x, used);
	if (!err && e->copied)
		err = get_copied(e, copied);
	if (!err && e->starts)
		err = get_bytes(e, e->start, more->start, e->start_len);
	if (!err && e->compares)
		err = get_bytes(e, e->expected, op->arg, e->expected_len);
	return err;
}

/* All that the caller brings; @more is NULL, or what he says besides. */
static __always_inline int get_update(struct update *x, const struct kreg_more *more)
{
	int err = x->arg->op.code == KREG_OP_EDIT ? get_fields(x) : 0;

	if (err || (x->edit.count && !x->edit.copied && !x->arg->op.flags))
		return err;
	return get_values(x, more);
}

/* Tell what became of the fields; and first, that this can be told. */
static __always_inline int answer_fields(const struct update *x)
{
	const struct kreg_field *f = kreg_edit_fields(&x->edit);
	void __user *user = u64_to_user_ptr(x->arg->op.value);

	if (!x->edit.count)
		return 0;
	return kreg_put_parts(user + offsetof(struct kreg_field, out), sizeof(*f), &f->out,
			      sizeof(*f), sizeof(f->out), x->edit.count);
}

static int alloc_made(const struct update *x, struct made *made, u32 most)
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

static int make_value(struct update *x, const void *base, struct made *made)
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

static __always_inline int get_update_key(struct update *x)
{
	const struct kreg_op *op = &x->arg->op;
	struct kreg_change *c = &x->write.change;
	void *key;

	c->key.len = op->key_len;
	c->key.bytes = x->key;
	if (likely(op->key_len <= KREG_SMALL_KEY))
		return kreg_get_short(x->key, u64_to_user_ptr(op->key), op->key_len);
	key = kreg_cmd_get_bytes(op->key, op->key_len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	c->key.bytes = key;
	return 0;
}

/* A PUT, of which the value is made under the turn, or was @made of the one of version @only. */
static __always_inline int put_edited(struct update *x, u64 only, struct made *made)
{
	struct kreg_op *op = &x->arg->op;
	struct kreg_write *w = &x->write;
	struct kreg_change *c = &w->change;
	int err;

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
	err = get_update_key(x);
	if (unlikely(x->times) && !err)
		err = kreg_expirer_bring(&w->bind, w->table, &x->expiry);
	if (err)
		kreg_put_drop(c);
	else
		err = kreg_put_apply(x->client, w);
	if (unlikely(c->key.bytes != x->key))
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

/* A write on condition of a value; @edit is NULL if that was compared, with the version @only. */
static noinline int put_compared(struct update *x, u64 only, struct kreg_edit *edit)
{
	const struct kreg_binding to = { .edit = edit };
	struct kreg_op *op = &x->arg->op;

	op->flags &= ~KREG_OP_VALUE;
	op->offset = 0;
	op->arg = only;
	return kreg_op_put_bound(x->client, x->arg->table, op, &to, x->acks);
}

/* What was handed out is compared and edited, and the outcome put in its place. */
static int write_long(struct update *x, const void *base)
{
	struct kreg_edit *e = &x->edit;
	struct made made = {};
	int err = 0;

	if (e->compares && !kreg_edit_matches(e, base, e->base_len))
		err = -ECANCELED;
	if (!err && e->count)
		err = make_value(x, base, &made);
	kreg_edit_put_base(e);
	if (!err) {
		err = e->count ? put_edited(x, e->version, &made) :
				 put_compared(x, e->version, NULL);
		if (err == -ECANCELED || err == -EEXIST)
			err = AGAIN;
	}
	if (made.blob)
		kreg_blob_put(made.blob);
	kvfree(made.value);
	return err;
}

/* It was handed out, or there was no room for it. */
static noinline int update_long(struct update *x)
{
	const void *base = kreg_edit_base(&x->edit);
	u32 used = x->edit.size;

	if (fatal_signal_pending(current)) {
		kreg_edit_put_base(&x->edit);
		return -EINTR;
	}
	if (base)
		return write_long(x, base);
	x->edit.room = add_bytes(&x->edit, KREG_SLOT_MAX);
	return move_bytes(x, used) ?: AGAIN;
}

static __always_inline int run_update(struct update *x, u64 only)
{
	int err;

	do {
		err = likely(x->edit.count) ? put_edited(x, only, NULL) :
					      put_compared(x, only, &x->edit);
		if (unlikely(err == KREG_EDIT_LONG))
			err = update_long(x);
	} while (unlikely(err == AGAIN));
	return err;
}

/* What is answered after the fact must not fail then: zeroes are answered before. */
static __always_inline int update_and_answer(struct update *x, struct kreg_ioc_op __user *user,
					     struct kreg_more *more)
{
	struct kreg_op *op = &x->arg->op;
	u64 only = op->flags & KREG_OP_VERSION ? op->arg : 0;
	int err;

	kreg_edit_init(&x->edit);
	x->edit.bytes = x->small;
	err = get_update(x, more);
	memset_startat(op, 0, out_version);
	if (!err && more)
		err = kreg_more_answer(op, more);
	if (!err)
		err = answer_fields(x) ?: kreg_op_answer(user, op);
	if (!err)
		err = run_update(x, more ? more->if_version : only);
	if (likely(!err)) {
		answer_fields(x);
		kreg_op_answer(user, op);
	}
	if (unlikely(x->edit.bytes != x->small))
		kvfree(x->edit.bytes);
	return err;
}

static noinline int update_with_more(struct update *x, struct kreg_ioc_op __user *user)
{
	struct kreg_more more __uninitialized;
	int err = kreg_more_get(&more, &x->arg->op);

	if (err)
		return err;
	x->times = kreg_more_expiry(&more, &x->expiry);
	memset_startat(&more, 0, out_process);
	return update_and_answer(x, user, &more);
}

int kreg_op_update(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		   struct kreg_ioc_op *arg, struct kreg_acks *acks)
{
	struct update x __uninitialized;

	x.client = cl;
	x.arg = arg;
	x.acks = acks;
	x.times = false;
	if (arg->op.flags & KREG_OP_MORE)
		return update_with_more(&x, user);
	return update_and_answer(&x, user, NULL);
}

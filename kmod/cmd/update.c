// SPDX-License-Identifier: GPL-2.0
/*
 * EDIT, and writes with VALUE: what depends on the value that is there. What is short is decided
 * and done under the turn; for what is long there is update_long.c.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/field.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/terms.h"
#include "cmd/update.h"
#include "cmd/usercopy.h"
#include "store/edit.h"
#include "store/gfp.h"

/* Move the first @used bytes to where there is room for all. */
static noinline int move_bytes(struct kreg_update *x, u32 used)
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

int kreg_update_add_room(struct kreg_update *x, u32 len, u32 *at)
{
	u32 used = x->edit.size;

	*at = kreg_field_add_bytes(&x->edit, len);
	return move_bytes(x, used);
}

/* What the fields copy, and the values to start from and to compare with. */
static noinline int get_values(struct kreg_update *x, const struct kreg_more *more)
{
	const struct kreg_op *op = &x->arg->op;
	struct kreg_edit *e = &x->edit;
	u32 used = e->size, copied = kreg_field_add_bytes(e, e->copied);
	int err = 0;

	if (more && more->flags & KREG_MORE_START) {
		e->starts = true;
		e->start_len = more->start_len;
		e->start = kreg_field_add_bytes(e, e->start_len);
	}
	if (op->flags & KREG_OP_VALUE) {
		e->compares = true;
		e->expected_len = op->offset;
		e->expected = kreg_field_add_bytes(e, e->expected_len);
	}
	/* Refuse early, before much is copied. */
	if (unlikely(e->size > KREG_UPDATE_SMALL))
		err = kreg_find_check_write(x->client, x->arg->table) ?: move_bytes(x, used);
	if (!err && e->copied)
		err = kreg_field_get_copied(e, copied);
	if (!err && e->starts)
		err = kreg_field_get_bytes(e, e->start, more->start, e->start_len);
	if (!err && e->compares)
		err = kreg_field_get_bytes(e, e->expected, op->arg, e->expected_len);
	return err;
}

/* All that the caller brings; @more is NULL, or what he says besides. */
static __always_inline int get_update(struct kreg_update *x, const struct kreg_more *more)
{
	int err = x->arg->op.code == KREG_OP_EDIT ? kreg_field_get(&x->edit, &x->arg->op) : 0;

	if (err || (x->edit.count && !x->edit.copied && !x->arg->op.flags))
		return err;
	return get_values(x, more);
}

/* Tell what became of the fields; and first, that this can be told. */
static __always_inline int answer_fields(const struct kreg_update *x)
{
	const struct kreg_field *f = kreg_edit_fields(&x->edit);
	void __user *user = u64_to_user_ptr(x->arg->op.value);

	if (!x->edit.count)
		return 0;
	return kreg_put_parts(user + offsetof(struct kreg_field, out), sizeof(*f), &f->out,
			      sizeof(*f), sizeof(f->out), x->edit.count);
}

static __always_inline int run_update(struct kreg_update *x, u64 only, bool given)
{
	int err;

	do {
		err = likely(x->edit.count) ? kreg_update_put(x, only, NULL, given) :
					      kreg_update_compared(x, only, &x->edit);
		if (unlikely(err == KREG_EDIT_LONG))
			err = kreg_update_long(x);
	} while (unlikely(err == KREG_UPDATE_AGAIN));
	return err;
}

static noinline int get_filter(struct kreg_update *x, const struct kreg_more *more)
{
	struct kreg_filter *f = kreg_terms_get(more->filter, more->filter_count);

	if (IS_ERR(f))
		return PTR_ERR(f);
	x->edit.filter = f;
	return 0;
}

static __always_inline void begin_update(struct kreg_update *x)
{
	kreg_edit_init(&x->edit);
	x->edit.bytes = x->small;
	x->key = NULL;
}

static __always_inline void end_update(struct kreg_update *x)
{
	if (unlikely(x->edit.bytes != x->small))
		kvfree(x->edit.bytes);
}

/* What is answered after the fact must not fail then: zeroes are answered before. */
static __always_inline int update_and_answer(struct kreg_update *x, struct kreg_ioc_op __user *user,
					     struct kreg_more *more)
{
	struct kreg_op *op = &x->arg->op;
	u64 only = op->flags & KREG_OP_VERSION ? op->arg : 0;
	int err;

	begin_update(x);
	err = get_update(x, more);
	memset_startat(op, 0, out_version);
	if (!err && more && unlikely(more->filter_count))
		err = get_filter(x, more);
	if (!err && more)
		err = kreg_more_answer(op, more);
	if (!err)
		err = answer_fields(x) ?: kreg_op_answer(user, op);
	if (!err)
		err = run_update(x, more ? more->if_version : only, false);
	if (likely(!err)) {
		answer_fields(x);
		kreg_op_answer(user, op);
	}
	end_update(x);
	if (more && unlikely(x->edit.filter))
		kreg_filter_put(x->edit.filter);
	return err;
}

static noinline int update_with_more(struct kreg_update *x, struct kreg_ioc_op __user *user)
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
	struct kreg_update x __uninitialized;

	x.client = cl;
	x.arg = arg;
	x.acks = acks;
	x.times = false;
	if (arg->op.flags & KREG_OP_MORE)
		return update_with_more(&x, user);
	return update_and_answer(&x, user, NULL);
}

int kreg_update_begin(struct kreg_update *x)
{
	int err;

	begin_update(x);
	err = get_update(x, NULL);
	if (err)
		end_update(x);
	return err;
}

int kreg_update_run(struct kreg_update *x, u64 only)
{
	return run_update(x, only, true);
}

void kreg_update_end(struct kreg_update *x)
{
	end_update(x);
}

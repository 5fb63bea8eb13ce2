// SPDX-License-Identifier: GPL-2.0
/* GROUP: batches of writes to several tables, all or nothing. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_call.h"
#include "cmd/batch_state.h"
#include "cmd/cmd.h"
#include "cmd/group_apply.h"
#include "cmd/op.h"
#include "cmd/sync.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"

/* A batch of the caller's, and what is made of it. */
struct part {
	struct kreg_ioc_batch arg;
	struct kreg_op_list ops;	/* no @op: not copied yet */
};

struct parts {
	u32 count;
	struct part part[KREG_MAX_GROUP];
	struct kreg_batch *batch[KREG_MAX_GROUP];	/* NULL: not made */
};

static int check_group(const struct kreg_ioc_group *arg)
{
	if (arg->flags)
		return -EOPNOTSUPP;
	if (!arg->count || arg->batch_size < sizeof(struct kreg_ioc_batch) || arg->batch_size % 8)
		return -EINVAL;
	if (arg->batch_size > PAGE_SIZE)
		return -E2BIG;
	return arg->count > KREG_MAX_GROUP ? -EFBIG : 0;
}

static void __user *user_batch(const struct kreg_ioc_group *arg, u32 i)
{
	return u64_to_user_ptr(arg->batches) + (size_t)i * arg->batch_size;
}

/* What a batch alone may say, but not in a group. */
static int check_part(const struct kreg_ioc_group *group, const struct kreg_ioc_batch *arg)
{
	if (arg->size != group->batch_size)
		return -EINVAL;
	return arg->flags & ~KREG_BATCH_ATOMIC ? -EOPNOTSUPP : 0;
}

static int get_part(struct kreg_client *cl, const struct kreg_ioc_group *group, struct part *p,
		    u32 i)
{
	int err = copy_struct_from_user(&p->arg, sizeof(p->arg), user_batch(group, i),
					group->batch_size);

	err = err ?: check_part(group, &p->arg) ?: kreg_batch_get_ops(cl, &p->arg, &p->ops);
	if (err) {
		p->ops.op = NULL;
		return err;
	}
	if (kreg_op_reads(p->ops.op))
		return -EINVAL;
	return kreg_client_check_mode(cl, kreg_batch_mode(&p->ops)) ?:
	       kreg_batch_probe_outs(&p->arg);
}

/* One hold of the turn has to do for all of it. */
static int check_sizes(const struct parts *parts)
{
	u64 bytes = 0;
	u32 i, j, ops = 0;

	for (i = 0; i < parts->count; i++) {
		for (j = 0; j < i; j++)
			if (parts->part[j].arg.table == parts->part[i].arg.table)
				return -EINVAL;
		ops += parts->part[i].ops.count;
		bytes += parts->part[i].ops.bytes;
	}
	return ops > KREG_MAX_GROUP_OPS || bytes > KREG_MAX_GROUP_BYTES ? -EFBIG : 0;
}

static int get_parts(struct kreg_client *cl, struct kreg_ioc_group *arg, struct parts *parts)
{
	int err;
	u32 i;

	for (i = 0; i < arg->count; i++) {
		err = get_part(cl, arg, &parts->part[i], i);
		if (err) {
			arg->out_failed = i;
			return err;
		}
	}
	parts->count = arg->count;
	return check_sizes(parts);
}

static void drop_batches(struct parts *parts)
{
	u32 i;

	for (i = 0; i < KREG_MAX_GROUP; i++) {
		if (parts->batch[i])
			kreg_batch_put(parts->batch[i]);
		parts->batch[i] = NULL;
	}
}

static void drop_parts(struct kreg_client *cl, struct parts *parts)
{
	u32 i;

	drop_batches(parts);
	for (i = 0; i < KREG_MAX_GROUP; i++)
		if (parts->part[i].ops.op)
			kreg_batch_put_ops(cl, &parts->part[i].ops);
	kfree(parts);
}

/* Each after what the caller has queued for its table; *failed: for which it could not be done. */
static int make_batches(struct kreg_client *cl, struct parts *parts, u32 *failed)
{
	struct kreg_batch *b;
	int err;
	u32 i;

	for (i = 0; i < parts->count; i++) {
		const struct part *p = &parts->part[i];

		*failed = i;
		err = kreg_sync_table(cl, p->arg.table);
		if (err)
			return err;
		b = kreg_batch_make(cl, p->arg.table, &p->ops);
		if (IS_ERR(b))
			return PTR_ERR(b);
		parts->batch[i] = b;
	}
	return 0;
}

static int apply_parts(struct kreg_client *cl, struct parts *parts, u32 *failed)
{
	int err;

	do {
		drop_batches(parts);
		err = make_batches(cl, parts, failed) ?:
		      kreg_group_apply(cl, parts->batch, parts->count, failed);
	} while (err == KREG_BATCH_ANEW);
	return err;
}

/* Of a batch that is to blame: which of its operations is, as BATCH tells of one with ATOMIC. */
static int put_done(const struct kreg_ioc_group *group, u32 i, u32 done)
{
	struct kreg_ioc_batch __user *user = user_batch(group, i);
	struct kreg_ioc_batch out = { .out_done = done };

	return kreg_put_short(&user->out_done, &out.out_done,
			      sizeof(out) - offsetof(struct kreg_ioc_batch, out_done));
}

/* As far as the memory can be written: what has happened cannot be undone. */
static void answer_parts(const struct kreg_ioc_group *group, struct parts *parts)
{
	u32 i;

	for (i = 0; i < parts->count; i++) {
		struct kreg_batch *b = parts->batch[i];

		kreg_batch_put_results(&parts->part[i].arg, b, b->txn.version);
		put_done(group, i, b->count - b->failed);
	}
}

static int perform_group(struct kreg_call *call, struct parts *parts)
{
	struct kreg_ioc_group *arg = call->arg;
	u32 i, failed = 0;
	int err = get_parts(call->client, arg, parts);

	for (i = 0; i < arg->count && !err; i++)
		err = put_done(arg, i, parts->part[i].ops.count);
	if (err)
		return err;
	err = apply_parts(call->client, parts, &failed);
	arg->out_failed = err ? failed : arg->count;
	if (!err)
		answer_parts(arg, parts);
	else if (err != -EINTR && failed < arg->count && parts->batch[failed])
		put_done(arg, failed, parts->batch[failed]->failed);
	return err;
}

int kreg_cmd_group(struct kreg_call *call)
{
	struct kreg_ioc_group *arg = call->arg;
	struct parts *parts;
	int err = check_group(arg) ?: kreg_client_check_mode(call->client, FMODE_WRITE);

	if (err)
		return err;
	arg->out_failed = arg->count;
	arg->out_limit = 0;
	err = kreg_cmd_answer_from(call, struct kreg_ioc_group, out_failed);
	if (err)
		return err;
	parts = kzalloc(sizeof(*parts), KREG_GFP_USER);
	if (!parts)
		return -ENOMEM;
	err = perform_group(call, parts);
	drop_parts(call->client, parts);
	kreg_cmd_answer_from(call, struct kreg_ioc_group, out_failed);
	return err;
}

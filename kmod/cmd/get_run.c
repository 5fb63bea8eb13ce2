// SPDX-License-Identifier: GPL-2.0
/*
 * GET, MEMBER and TAKE where a key may have several objects: all of them as they were at one
 * moment, packed as by a scan.
 */
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/scratch.h"
#include "cmd/op.h"
#include "cmd/scan_take.h"

/* A scan of one key. */
struct run {
	struct kreg_scan scan;
	struct kreg_ioc_scan arg;
	struct kreg_bounds bounds;	/* the last member: its array stays empty */
};

static void begin_run(struct run *r, bool measures)
{
	struct kreg_scan *s = &r->scan;

	s->measures = measures;
	s->after.key.len = 0;
	s->version = 0;
	s->count = 0;
	s->len = 0;
	s->need = 0;
	s->last_version = 0;
	s->last_sub = 0;
}

/* What died meanwhile, as all of it is to be there at one moment, makes it begin again. */
static int run_whole(struct run *r, bool measures)
{
	int err;

	do {
		begin_run(r, measures);
		err = kreg_scan_run(&r->scan);
		if (fatal_signal_pending(current))
			err = -EINTR;
	} while (err == -EAGAIN);
	return err;
}

static struct run *alloc_run(struct kreg_client *cl, u64 table, const struct kreg_key *key,
			     const struct kreg_op *op)
{
	struct run *r = kreg_scratch_get(&cl->call, sizeof(*r));
	struct kreg_scan *s;

	if (!r)
		return NULL;
	s = &r->scan;
	memset(s, 0, offsetof(struct kreg_scan, key));
	memset(&r->arg, 0, sizeof(r->arg));
	r->arg.table = table;
	r->arg.buf_len = op->value_len;
	r->bounds = (struct kreg_bounds) { .low = *key, .high = *key, .exact = true };
	s->client = cl;
	s->arg = &r->arg;
	s->buf = u64_to_user_ptr(op->value);
	s->wants_value = true;
	s->bounds = &r->bounds;
	s->whole = true;
	s->after.key.bytes = s->key;
	return r;
}

/* All of the objects, or with too little room how much they would need. */
static int get_run(struct run *r, const struct kreg_op *op)
{
	bool gets = op->code != KREG_OP_MEMBER;
	int err = gets ? run_whole(r, false) : 0;

	if (gets && err != -EMSGSIZE && (err || !r->arg.out_more))
		return err;
	err = run_whole(r, true);
	return err ?: gets && r->scan.count ? -EMSGSIZE : 0;
}

int kreg_op_get_run(struct kreg_client *cl, u64 table, const struct kreg_key *key,
		    struct kreg_op *op)
{
	struct run *r;
	int err;

	if (op->flags)
		return -EOPNOTSUPP;
	if (op->value % 8)
		return -EINVAL;
	r = alloc_run(cl, table, key, op);
	if (!r)
		return -ENOMEM;
	err = get_run(r, op);
	op->out_version = r->scan.last_version;
	op->out_len = r->scan.len;
	op->out_count = r->scan.count;
	op->out_error = 0;
	op->out_sub = r->scan.last_sub;
	if (!err && !r->scan.count)
		err = -ENODATA;
	kreg_scratch_put(&cl->call, r);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * GET, MEMBER and TAKE where a key may have several objects: all of them as they were at one
 * moment, packed as by a scan. What dies meanwhile, whatever its key, makes it begin again; if that
 * goes on, the table is pinned for the length of the call.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/scratch.h"
#include "cmd/op.h"
#include "cmd/pinning.h"
#include "cmd/scan_take.h"
#include "store/expiry.h"
#include "store/pin.h"
#include "table/snapshot.h"

/* A scan of one key. */
struct run {
	struct kreg_scan scan;
	struct kreg_ioc_scan arg;
	u64 pin;			/* id of one that was set here, or 0 */
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
	s->taken_version = 0;
	s->taken_sub = 0;
	s->expires = KREG_NEVER;
}

static void read_at(struct kreg_scan *s, struct kreg_snapshot *snap)
{
	s->snapshot = snap;
	s->pin = snap ? &snap->pin : NULL;
	/* A pin shows all of its commit. */
	s->whole = !snap;
}

/* If there may be no other pin, or no memory for it, it is tried without. */
static void set_pin(struct run *r)
{
	struct kreg_snapshot *snap = kreg_pin_for_call(r->scan.client, r->arg.table, &r->pin);

	if (!IS_ERR(snap))
		read_at(&r->scan, snap);
}

static void end_pin(struct run *r)
{
	struct kreg_snapshot *snap = r->scan.snapshot;

	if (!r->pin || !snap)
		return;
	read_at(&r->scan, NULL);
	kreg_pin_end_call(r->scan.client, snap, r->pin);
	r->pin = 0;
}

/* One that was set here may have been broken, and then it is as before. */
static int run_whole(struct run *r, bool measures)
{
	int err, tries = 0;

	do {
		begin_run(r, measures);
		err = kreg_scan_run(&r->scan);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (err == -ESTALE && r->pin) {
			end_pin(r);
			err = -EAGAIN;
		} else if (err == -EAGAIN && !(++tries % KREG_PIN_TRIES)) {
			set_pin(r);
		}
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
	r->pin = 0;
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
		    struct kreg_op *op, u64 *expires, struct kreg_snapshot *snap)
{
	struct run *r;
	int err;

	/* Who asks for more knows what to tell of it. */
	if (op->flags & ~KREG_OP_MORE)
		return -EOPNOTSUPP;
	if (op->value % 8)
		return -EINVAL;
	r = alloc_run(cl, table, key, op);
	if (!r)
		return -ENOMEM;
	read_at(&r->scan, snap);
	r->scan.asks = true;
	r->scan.uses = !snap;
	err = get_run(r, op);
	end_pin(r);
	*expires = r->scan.expires;
	op->out_version = r->scan.taken_version;
	op->out_len = r->scan.len;
	op->out_count = r->scan.count;
	op->out_error = 0;
	op->out_sub = r->scan.taken_sub;
	if (!err && !r->scan.count)
		err = -ENODATA;
	kreg_scratch_put(&cl->call, r);
	return err;
}

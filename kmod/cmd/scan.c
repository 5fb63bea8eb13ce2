// SPDX-License-Identifier: GPL-2.0
/* SCAN: what it asks for. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/scan_take.h"
#include "store/gfp.h"
#include "table/collect.h"
#include "table/snapshot.h"

/* It needs no room, and has nothing to put there. */
static bool counts_into_room(const struct kreg_ioc_scan *arg)
{
	return arg->flags & KREG_SCAN_COUNT &&
	       (arg->buf || arg->buf_len || arg->flags & (KREG_SCAN_KEYS | KREG_SCAN_PROCESSES |
						 KREG_SCAN_EXPIRES));
}

static int check_scan(const struct kreg_ioc_scan *arg)
{
	bool of = arg->flags & KREG_SCAN_OF;

	if (arg->flags & ~KREG_SCAN_ALL || kreg_range_is_unknown(&arg->range) ||
	    arg->process.reserved)
		return -EOPNOTSUPP;
	if (arg->buf % 8 || of == kreg_cmd_no_process(&arg->process) || counts_into_room(arg) ||
	    kreg_range_is_wrong(&arg->range))
		return -EINVAL;
	return kreg_range_is_long(&arg->range) ? -ENAMETOOLONG : 0;
}

/* The key to go on after, and the bounds if there are any, or a filter. */
static int get_range(struct kreg_scan *s)
{
	const struct kreg_range *r = &s->arg->range;
	struct kreg_bounds *b;
	int err = kreg_after_get(&s->after, r, s->key);

	if (err)
		return err;
	if (!r->low_len && !r->high_len && !r->filter_count &&
	    !(s->arg->flags & (KREG_SCAN_COUNT | KREG_SCAN_REVERSE)))
		return 0;
	b = kreg_bounds_get(r, s->arg->flags & KREG_SCAN_REVERSE, &s->after.key);
	if (IS_ERR(b))
		return PTR_ERR(b);
	s->bounds = b;
	return 0;
}

static int find_of(struct kreg_scan *s)
{
	const struct kreg_process *of = &s->arg->process;
	struct kreg_proc *p;

	s->only = s->arg->flags & KREG_SCAN_OF;
	if (!s->only)
		return 0;
	p = kreg_proc_find_ever(of->pid, of->cookie);
	if (IS_ERR(p))
		return PTR_ERR(p);
	s->of = p;
	/* Without it, of a part of the table, and at a pin, a walk finds them. */
	if (p && !s->bounds && !s->arg->pin)
		s->collected = kmalloc(sizeof(*s->collected), KREG_GFP_TRY);
	return 0;
}

static int find_pin(struct kreg_scan *s)
{
	struct kreg_snapshot *snap;

	if (!s->arg->pin)
		return 0;
	snap = kreg_snapshot_get(s->client, s->arg->pin, s->arg->table);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	s->snapshot = snap;
	s->pin = &snap->pin;
	return 0;
}

int kreg_cmd_scan(struct kreg_call *call)
{
	struct kreg_ioc_scan *arg = call->arg;
	struct kreg_scan *s;
	int err = check_scan(arg) ?: kreg_client_check_mode(call->client, FMODE_READ);

	if (err)
		return err;
	s = kmalloc(sizeof(*s), KREG_GFP_USER);
	if (!s)
		return -ENOMEM;
	memset(s, 0, offsetof(struct kreg_scan, key));
	s->client = call->client;
	s->arg = arg;
	s->wants_value = !(arg->flags & KREG_SCAN_KEYS);
	s->tail = (arg->flags & KREG_SCAN_PROCESSES ? sizeof(struct kreg_process) : 0) +
		  (arg->flags & KREG_SCAN_EXPIRES ? sizeof(struct kreg_object_expiry) : 0);
	s->buf = u64_to_user_ptr(arg->buf);
	arg->out_more = 0;
	arg->out_reserved = 0;
	err = get_range(s) ?: find_of(s) ?: find_pin(s) ?: kreg_scan_run(s);
	kreg_snapshot_put(s->snapshot);
	kreg_proc_put(s->of);
	kfree(s->collected);
	kreg_bounds_free(s->bounds);
	kfree(s);
	if (!err || err == -EMSGSIZE)
		err = kreg_cmd_answer_from(call, struct kreg_ioc_scan, out_count) ?: err;
	return err;
}

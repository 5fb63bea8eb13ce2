// SPDX-License-Identifier: GPL-2.0
/*
 * CHANGE: remove or edit whatever is in a range and matches a filter.
 *
 * Some keys of objects that match are collected in an RCU section, and each is written on the
 * condition that it matches still. Where a key may have several objects, which are never edited,
 * each is named by its version and number instead.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/range.h"
#include "cmd/sync.h"
#include "cmd/update.h"
#include "store/gfp.h"
#include "table/bond.h"
#include "table/table.h"

/* What is collected in one section, and what is looked at for that. */
#define SECTION_OBJECTS	32U
#define SECTION_KEYS	(8U << 10)

struct found {
	u32 at;			/* of the key, in the keys of all */
	u32 len;
	u32 sub;
	u64 version;
};

struct change_all {
	struct kreg_client *client;
	struct kreg_ioc_change *arg;
	struct kreg_bounds *bounds;
	bool runs;			/* a key may have several objects */
	bool ended;			/* the section has come to the end of the range */
	u32 n;				/* objects found in it */
	u32 used;			/* bytes of @keys */
	struct kreg_after after;	/* where the next one goes on */
	struct kreg_ioc_op op;		/* what each object gets */
	struct kreg_update update;
	struct found found[SECTION_OBJECTS];
	u8 key[KREG_MAX_KEY];		/* of @after */
	u8 keys[SECTION_KEYS];
};

static int check_change(const struct kreg_ioc_change *arg)
{
	bool edits = arg->code == KREG_OP_EDIT;

	if (arg->flags || kreg_range_is_unknown(&arg->range) ||
	    (!edits && arg->code != KREG_OP_DELETE))
		return -EOPNOTSUPP;
	if (edits != !!arg->field_count || (!edits && arg->fields) ||
	    kreg_range_is_wrong(&arg->range))
		return -EINVAL;
	if (kreg_range_is_long(&arg->range))
		return -ENAMETOOLONG;
	return arg->field_count > KREG_MAX_FIELDS ? -EFBIG : 0;
}

/* Of this the caller can be told in any case. */
static int probe_position(const struct kreg_ioc_change *arg)
{
	return arg->position && clear_user(u64_to_user_ptr(arg->position), KREG_MAX_KEY) ?
	       -EFAULT : 0;
}

static int get_what(struct change_all *x)
{
	const struct kreg_range *r = &x->arg->range;
	struct kreg_bounds *b;
	int err = kreg_after_get(&x->after, r, x->key);

	if (err)
		return err;
	b = kreg_bounds_get(r, false, &x->after.key);
	if (IS_ERR(b))
		return PTR_ERR(b);
	x->bounds = b;
	return 0;
}

static int get_edit(struct change_all *x)
{
	struct kreg_update *u = &x->update;
	int err;

	x->op.table = x->arg->table;
	x->op.op.code = x->arg->code;
	x->op.op.value = x->arg->fields;
	x->op.op.value_len = x->arg->field_count * sizeof(struct kreg_field);
	u->client = x->client;
	u->arg = &x->op;
	u->acks = NULL;
	if (x->arg->code == KREG_OP_DELETE) {
		kreg_edit_init(&u->edit);
		u->edit.filter = x->bounds->filter;
		return 0;
	}
	err = kreg_update_begin(u);
	if (!err)
		u->edit.filter = x->bounds->filter;
	return err;
}

static void add_found(struct change_all *x, const struct kreg_hit *hit)
{
	struct found *f = &x->found[x->n++];

	f->at = x->used;
	f->len = hit->key_len;
	f->version = hit->version;
	f->sub = x->runs ? kreg_hit_sub(hit) : 0;
	memcpy(x->keys + f->at, hit->key, f->len);
	x->used += f->len;
}

static void go_on_after(struct change_all *x, const void *key, u32 len, u64 version, u32 sub)
{
	memcpy(x->key, key, len);
	x->after.key.len = len;
	x->after.version = version;
	x->after.sub = sub;
}

static bool has_room(const struct change_all *x)
{
	return x->n < SECTION_OBJECTS && x->used + KREG_MAX_KEY <= SECTION_KEYS;
}

/* RCU. */
static void collect_from(struct change_all *x, const struct kreg_table *t)
{
	struct kreg_range_walk walk;
	enum kreg_range_step step;
	struct kreg_hit hit;

	x->runs = kreg_store_has_runs(&t->store);
	kreg_range_start(&walk, &t->store, NULL, x->bounds, &x->after);
	do {
		step = kreg_range_next(&walk, &hit);
		if (step == KREG_RANGE_FOUND &&
		    !(hit.holder && kreg_bond_hides(hit.holder, x->client->proc)))
			add_found(x, &hit);
	} while (step == KREG_RANGE_FOUND && has_room(x));
	x->ended = step == KREG_RANGE_END;
	if (!x->ended)
		go_on_after(x, hit.key, hit.key_len, hit.version,
			    x->runs ? kreg_hit_sub(&hit) : 0);
}

static int collect_some(struct change_all *x)
{
	struct kreg_table *t;
	int err;

	x->n = 0;
	x->used = 0;
	rcu_read_lock();
	err = kreg_find_readable(x->client, x->arg->table, &t);
	if (!err && x->arg->code == KREG_OP_EDIT && kreg_store_has_runs(&t->store))
		err = -EOPNOTSUPP;
	if (!err)
		collect_from(x, t);
	rcu_read_unlock();
	if (err == -EINPROGRESS)
		return kreg_find_settle(x->client, x->arg->table) ?: -EAGAIN;
	return err;
}

static int delete_found(struct change_all *x, const struct found *f)
{
	struct kreg_write *w = &x->update.write;
	struct kreg_change *c = &w->change;
	int err;

	kreg_write_init(w, x->arg->table, x->runs ? f->version : 0);
	kreg_bind_note(c, &w->bind, x->client);
	c->kind = KREG_CHANGE_DELETE;
	c->value_len = 0;
	c->key.bytes = x->keys + f->at;
	c->key.len = f->len;
	c->sub = x->runs ? f->sub : 0;
	c->edit = x->bounds->filter && !x->runs ? &x->update.edit : NULL;
	err = kreg_put_apply(x->client, w);
	if (err)
		return err;
	x->op.op.out_version = w->result.version;
	x->op.op.out_count = w->result.count;
	return 0;
}

static int edit_found(struct change_all *x, const struct found *f)
{
	x->update.key = x->keys + f->at;
	x->op.op.key_len = f->len;
	return kreg_update_run(&x->update, 0);
}

/* It does not match any more, or is gone, or on loan. */
static bool is_no_error(int err)
{
	return err == -ECANCELED || err == -ENODATA || err == -EBUSY;
}

static int change_found(struct change_all *x, const struct found *f)
{
	int err = x->arg->code == KREG_OP_EDIT ? edit_found(x, f) : delete_found(x, f);

	if (is_no_error(err) || (!err && !x->op.op.out_count))
		return 0;
	if (err)
		return err;
	x->arg->out_count++;
	x->arg->out_version = x->op.op.out_version;
	return 0;
}

static bool is_enough(const struct change_all *x)
{
	return x->arg->max_count && x->arg->out_count == x->arg->max_count;
}

/* One section, and what was found in it. 1: go on; 0: done; or an error. */
static int change_section(struct change_all *x)
{
	int err = collect_some(x);
	u32 i;

	if (err)
		return err == -EAGAIN ? 1 : err;
	for (i = 0; i < x->n; i++) {
		const struct found *f = &x->found[i];

		err = fatal_signal_pending(current) ? -EINTR : change_found(x, f);
		if (err || is_enough(x)) {
			go_on_after(x, x->keys + f->at, f->len, f->version, f->sub);
			return err;
		}
	}
	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	x->arg->out_more = !x->ended;
	return !x->ended;
}

static int change_all(struct change_all *x)
{
	int ret = kreg_find_check_write(x->client, x->arg->table) ?:
		  kreg_sync_table(x->client, x->arg->table);

	if (ret)
		return ret;
	x->arg->out_more = 1;
	do {
		ret = change_section(x);
	} while (ret > 0);
	return ret;
}

static int answer_change(const struct kreg_call *call, struct change_all *x)
{
	struct kreg_ioc_change *arg = x->arg;

	arg->out_position_len = x->after.key.len;
	arg->out_position_version = x->after.version;
	arg->out_position_sub = x->after.sub;
	if (arg->position &&
	    copy_to_user(u64_to_user_ptr(arg->position), x->key, x->after.key.len))
		return -EFAULT;
	return kreg_cmd_answer_from(call, struct kreg_ioc_change, out_count);
}

static int run_change(const struct kreg_call *call, struct change_all *x)
{
	int err = get_edit(x);

	if (err)
		return err;
	err = kreg_cmd_answer_from(call, struct kreg_ioc_change, out_count) ?:
	      probe_position(x->arg);
	if (!err)
		err = change_all(x);
	if (err != -EFAULT)
		answer_change(call, x);
	if (x->arg->code == KREG_OP_EDIT)
		kreg_update_end(&x->update);
	return err;
}

int kreg_cmd_change(struct kreg_call *call)
{
	struct kreg_ioc_change *arg = call->arg;
	struct change_all *x;
	int err = check_change(arg) ?:
		  kreg_client_check_mode(call->client, FMODE_READ | FMODE_WRITE);

	if (err)
		return err;
	x = kvzalloc(sizeof(*x), KREG_GFP_USER);
	if (!x)
		return -ENOMEM;
	x->client = call->client;
	x->arg = arg;
	memset_startat(arg, 0, out_count);
	err = get_what(x) ?: run_change(call, x);
	kreg_bounds_free(x->bounds);
	kvfree(x);
	return err;
}

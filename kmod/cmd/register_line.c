// SPDX-License-Identifier: GPL-2.0
/* REGISTER with WAIT or STANDBY of a key that is held: the line. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/register_line.h"
#include "cmd/sync.h"
#include "cmd/wait_apply.h"
#include "store/store.h"
#include "table/bond.h"
#include "table/candidate.h"
#include "table/change.h"
#include "table/names.h"
#include "table/ready.h"

/* Who has the key, with a reference, also if he is exiting; NULL: nobody. */
static struct kreg_proc *get_whose(const struct kreg_table *t, struct kreg_key *key)
{
	struct kreg_proc *p = NULL;
	struct kreg_hit hit;

	rcu_read_lock();
	if (!kreg_store_get(&t->store, key, &hit) && hit.holder) {
		p = kreg_bond_whose(hit.holder);
		if (p && !refcount_inc_not_zero(&p->refs))
			p = NULL;
	}
	rcu_read_unlock();
	return p;
}

/* As kreg_register_look(). */
static int ask_whose(struct kreg_proc *whose, const struct kreg_proc *p)
{
	int err;

	if (whose == p)
		return -EALREADY;
	if (kreg_proc_is_settled(whose))
		return 0;
	err = kreg_proc_settle(whose);
	if (err)
		return err > 0 ? -EAGAIN : err;
	return kreg_proc_exiting(whose);
}

static int look_at_key(struct kreg_client *cl, u64 id, struct kreg_key *key,
		       const struct kreg_proc *p)
{
	struct kreg_table *t = kreg_find_table(cl, id);
	struct kreg_proc *whose;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	whose = get_whose(t, key);
	kreg_table_put(t);
	if (!whose)
		return -ENODATA;
	err = ask_whose(whose, p);
	kreg_proc_put(whose);
	return err;
}

int kreg_register_look(struct kreg_client *cl, const struct kreg_ioc_register *arg,
		       const struct kreg_proc *p)
{
	struct kreg_key key = { .len = arg->key_len };
	u8 *bytes = kreg_cmd_get_bytes(arg->key, arg->key_len);
	int err;

	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	key.bytes = bytes;
	err = look_at_key(cl, arg->table, &key, p);
	kvfree(bytes);
	return err;
}

/* The object, in the slot that was set aside for it. */
static int fill_in(struct kreg_candidate *c, const struct wait *w, u64 value)
{
	struct kreg_change *change = &c->change;

	change->key.bytes = kreg_change_key(change);
	memcpy(kreg_change_key(change), w->key.bytes, w->key.len);
	if (copy_from_user(kreg_change_value(change), u64_to_user_ptr(value), change->value_len))
		return -EFAULT;
	change->key.hash = w->key.hash;
	kreg_change_finish(change);
	return 0;
}

static int bring_candidate(struct wait *w, const struct kreg_ioc_register *arg,
			   struct kreg_proc *p)
{
	struct kreg_candidate *c;

	c = kreg_candidate_alloc(w->client, w->table, p, arg->linger_ms, arg->key_len,
				 arg->value_len);
	if (IS_ERR(c))
		return PTR_ERR(c);
	w->candidate = c;
	return kreg_candidate_reserve(c) ?: fill_in(c, w, arg->value);
}

static int bring_all(struct wait *w, const struct kreg_ioc_register *arg, struct kreg_proc *p)
{
	bool sleeps = arg->flags & KREG_REGISTER_WAIT;

	return kreg_wait_bring_record(w, sleeps, arg->udata, arg->table) ?:
	       bring_candidate(w, arg, p);
}

/* What is charged, to whom it may be, has a chance of being there the second time. */
static int make_place_room(const struct wait *w, const struct kreg_ioc_register *arg)
{
	s64 place = kreg_ready_memory(sizeof(*w) + sizeof(*w->candidate), arg->key_len);
	s64 object = KREG_CANDIDATE_ROOM + arg->value_len;

	return kreg_sync_make_room(w->client->user, KREG_QUOTA_BYTES, place) ?:
	       kreg_sync_make_table_room(w->table, object);
}

/* What of the answer can be told before, since it may be read of as soon as it has happened. */
static int answer_place(struct kreg_call *call, const struct wait *w)
{
	struct kreg_ioc_register *arg = call->arg;

	if (!w->ready)
		return 0;
	arg->out_id = w->ready->handle.id;
	arg->out_how = KREG_REGISTER_WAITS;
	return kreg_cmd_answer_from(call, struct kreg_ioc_register, out_process);
}

static int stand_in_line(struct kreg_call *call, struct wait *w)
{
	struct kreg_ioc_register *arg = call->arg;
	int err = kreg_wait_for_key(w, arg->deadline_ns);

	if (!err && arg->flags & KREG_REGISTER_WAIT) {
		arg->out_version = w->outcome.version;
		arg->out_how = KREG_REGISTERED;
	}
	return err;
}

/* Once; over the limit of bytes it is to be tried once more. */
static int try_line(struct kreg_call *call, struct kreg_table *t, const u8 *key,
		    struct kreg_proc *p, bool again)
{
	const struct kreg_ioc_register *arg = call->arg;
	struct wait *w = kreg_wait_alloc(call->client, t);
	int err;

	if (!w)
		return -ENOMEM;
	err = kreg_wait_bring_key(w, key, arg->key_len) ?: bring_all(w, arg, p);
	if (err == kreg_over_limit(KREG_LIMIT_BYTES) && !again)
		err = make_place_room(w, arg) ?: -EAGAIN;
	else if (!err)
		err = answer_place(call, w) ?: stand_in_line(call, w);
	kreg_req_put(&w->req);
	return err;
}

int kreg_register_in_line(struct kreg_call *call, struct kreg_proc *p)
{
	const struct kreg_ioc_register *arg = call->arg;
	struct kreg_table *t = kreg_find_table(call->client, arg->table);
	u8 *key;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = kreg_table_check_write(t, call->client);
	key = err ? NULL : kreg_cmd_get_bytes(arg->key, arg->key_len);
	if (IS_ERR(key))
		err = PTR_ERR(key);
	if (!err) {
		err = try_line(call, t, key, p, false);
		if (err == -EAGAIN)
			err = try_line(call, t, key, p, true);
		kvfree(key);
	}
	kreg_table_put(t);
	return err;
}

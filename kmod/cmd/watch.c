// SPDX-License-Identifier: GPL-2.0
/* WATCH and CANCEL: being told of deaths; wait.c has the other kinds. */
#include <linux/err.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/handle.h"
#include "client/limits.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "cmd/wait.h"
#include "event/watches.h"
#include "table/access.h"
#include "table/table.h"

static int check_process(const struct kreg_ioc_watch *arg)
{
	return arg->table || arg->key || arg->key_len || !arg->process.pid ? -EINVAL : 0;
}

static int check_owner(const struct kreg_ioc_watch *arg)
{
	if (!kreg_cmd_no_process(&arg->process) || !arg->table == !arg->key_len)
		return -EINVAL;
	if (!arg->key_len)
		return arg->key ? -EINVAL : 0;
	return arg->key_len > KREG_MAX_NAME ? -ENAMETOOLONG : 0;
}

static int check_holder(const struct kreg_ioc_watch *arg)
{
	if (!kreg_cmd_no_process(&arg->process) || !arg->table || !arg->key_len)
		return -EINVAL;
	return arg->key_len > KREG_MAX_KEY ? -ENAMETOOLONG : 0;
}

static int check_watch(const struct kreg_ioc_watch *arg)
{
	if (arg->flags & ~KREG_WATCH_ALL || arg->process.reserved ||
	    arg->kind > KREG_WATCH_CHANGED)
		return -EOPNOTSUPP;
	if (arg->kind >= KREG_WATCH_PRESENT)
		return kreg_wait_check(arg);
	if (arg->flags || arg->version || arg->deadline_ns)
		return -EINVAL;
	switch (arg->kind) {
	case KREG_WATCH_PROCESS:
		return check_process(arg);
	case KREG_WATCH_HOLDER:
		return check_holder(arg);
	case KREG_WATCH_OWNER:
		return check_owner(arg);
	default:
		return -EINVAL;
	}
}

/* Whom a watch is for. */
struct watched {
	struct kreg_proc *proc;		/* a reference, or NULL: nobody who is known */
	bool dead;			/* and that has been handled */
	bool may_know;			/* the caller is told how it ends */
	struct kreg_process named;	/* as which it was found or asked for; zero: as none */
	u64 version;			/* of the object that was found */
	u64 table;
	const u8 *name;			/* or key */
	u32 name_len;
};

/* Takes the reference over. */
static int watch_found(struct kreg_proc *p, struct watched *w)
{
	int ret = kreg_proc_settle(p);

	if (ret < 0) {
		kreg_proc_put(p);
		return ret;
	}
	w->dead = ret;
	w->proc = p;
	return 0;
}

static int find_process(const struct kreg_process *named, struct watched *w)
{
	struct kreg_proc *p = kreg_proc_find_ever(named->pid, named->cookie);

	w->named = *named;
	return IS_ERR_OR_NULL(p) ? PTR_ERR_OR_ZERO(p) : watch_found(p, w);
}

static struct kreg_table *find_owned(struct kreg_client *cl, const struct kreg_ioc_watch *arg,
				     const struct watched *w)
{
	if (arg->table)
		return kreg_find_table(cl, arg->table);
	return kreg_find_table_named(cl, w->name, w->name_len);
}

static struct kreg_proc *get_owner(struct kreg_table *t)
{
	struct kreg_proc *owner;

	rcu_read_lock();
	owner = rcu_dereference(t->owner);
	if (owner && !refcount_inc_not_zero(&owner->refs))
		owner = NULL;
	rcu_read_unlock();
	return owner;
}

/* A name that is not there is no error, but nobody's. */
static int find_owner(struct kreg_client *cl, const struct kreg_ioc_watch *arg, struct watched *w)
{
	struct kreg_table *t = find_owned(cl, arg, w);
	int err;

	if (t == ERR_PTR(-ENOENT))
		return 0;
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = kreg_table_may_know(t, cl);
	if (!err) {
		w->table = t->id;
		w->may_know = true;
		w->proc = get_owner(t);
	}
	kreg_table_put(t);
	return err;
}

/*
 * What is not there, or hidden, or bound to nobody, is no error, but nobody's. What lingers is of
 * somebody who is dead.
 */
static int find_holder(struct kreg_client *cl, const struct kreg_ioc_watch *arg,
		       struct watched *w)
{
	struct kreg_key key = { .bytes = w->name, .len = w->name_len };
	struct kreg_proc *holder;
	int err = kreg_find_holder(cl, arg->table, &key, &holder, &w->version);

	w->table = arg->table;
	if (err)
		return err == -ENODATA ? 0 : err;
	w->may_know = true;
	return holder ? watch_found(holder, w) : 0;
}

static int find_watched(struct kreg_client *cl, const struct kreg_ioc_watch *arg,
			struct watched *w)
{
	switch (arg->kind) {
	case KREG_WATCH_PROCESS:
		return find_process(&arg->process, w);
	case KREG_WATCH_HOLDER:
		return find_holder(cl, arg, w);
	default:
		return find_owner(cl, arg, w);
	}
}

static struct kreg_watch *alloc_watch(struct kreg_client *cl, const struct kreg_ioc_watch *arg,
				      const struct watched *w)
{
	struct kreg_watch *watch;
	int err;

	watch = kreg_watch_alloc(cl, arg->udata, w->table, w->name, w->name_len);
	if (watch != ERR_PTR(kreg_over_limit(KREG_LIMIT_BYTES)))
		return watch;
	/* What the user gives back may not have been given back yet. */
	err = kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES, KREG_WATCH_BYTES + w->name_len);
	return err ? ERR_PTR(err) :
	       kreg_watch_alloc(cl, arg->udata, w->table, w->name, w->name_len);
}

/* The id is told before the watch is set, after which it may be gone at any moment. */
static int answer_watch(struct kreg_call *call, const struct watched *w, u64 id)
{
	struct kreg_ioc_watch *arg = call->arg;

	arg->out_id = id;
	arg->out_process = (struct kreg_process) {};
	if (w->proc && !w->dead) {
		arg->out_process.pid = kreg_proc_pid(w->proc);
		arg->out_process.cookie = w->proc->cookie;
	}
	arg->out_version = w->version;
	arg->out_limit = KREG_LIMIT_NONE;
	arg->out_reserved = 0;
	return kreg_cmd_answer_from(call, struct kreg_ioc_watch, out_id);
}

static int set_watch(struct kreg_call *call, const struct watched *w)
{
	struct kreg_watch *watch;
	int err;

	watch = alloc_watch(call->client, call->arg, w);
	if (IS_ERR(watch))
		return PTR_ERR(watch);
	watch->may_know = w->may_know;
	err = answer_watch(call, w, watch->handle.id);
	if (err)
		kreg_watch_free(watch);
	else if (w->proc && !w->dead)
		kreg_watch_set(watch, w->proc);
	else
		kreg_watch_answer(watch, w->proc, &w->named);
	return err;
}

static int watch_named(struct kreg_call *call, const u8 *name)
{
	const struct kreg_ioc_watch *arg = call->arg;
	struct watched w = { .name = name, .name_len = arg->key_len };
	int err;

	err = find_watched(call->client, arg, &w);
	if (!err)
		err = set_watch(call, &w);
	kreg_proc_put(w.proc);
	return err;
}

int kreg_cmd_watch(struct kreg_call *call)
{
	const struct kreg_ioc_watch *arg = call->arg;
	u8 *name;
	int err = check_watch(arg) ?: kreg_client_check_mode(call->client, FMODE_READ);

	if (err)
		return err;
	if (arg->kind >= KREG_WATCH_PRESENT)
		return kreg_wait_perform(call);
	/* A key may have any bytes. */
	name = arg->kind == KREG_WATCH_HOLDER ? kreg_cmd_get_bytes(arg->key, arg->key_len) :
						kreg_cmd_get_name(arg->key, arg->key_len);
	if (IS_ERR(name))
		return PTR_ERR(name);
	err = watch_named(call, name);
	kvfree(name);
	return err;
}

int kreg_cmd_cancel(struct kreg_call *call)
{
	const struct kreg_ioc_cancel *arg = call->arg;

	if (arg->flags & ~KREG_CANCEL_ALL)
		return -EOPNOTSUPP;
	return kreg_handle_cancel(call->client, arg->id, arg->flags & KREG_CANCEL_FLUSH);
}

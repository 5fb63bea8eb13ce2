// SPDX-License-Identifier: GPL-2.0
/* Ownership: find, destroy, give, set options. */
#include <linux/capability.h>
#include <linux/slab.h>

#include "client/client.h"
#include "table/request.h"
#include "table/owner.h"
#include "client/mailbox.h"
#include "table/names.h"
#include "client/ns.h"
#include "cmd/ops.h"
#include "client/proc.h"
#include "table/table.h"

/* 1: the owner was dead, look again; 0: it lives, or there is none; -EINTR. */
static int settle_owner(struct kreg_table *t)
{
	struct kreg_proc *owner;
	int ret = 0;

	rcu_read_lock();
	owner = rcu_dereference(t->owner);
	if (owner && !(kreg_proc_dead(owner) && refcount_inc_not_zero(&owner->refs)))
		owner = NULL;
	rcu_read_unlock();
	if (owner) {
		ret = kreg_proc_settle(owner);
		/* What is handled owns nothing. */
		if (ret > 0 && WARN_ON_ONCE(kreg_table_owned_by(t, owner)))
			ret = -ESTALE;
		kreg_proc_put(owner);
	}
	return ret;
}

/* @t is borrowed under RCU, which ends here. */
static struct kreg_table *get_settled(struct kreg_table *t)
{
	int ret;

	if (!IS_ERR(t) && !kreg_table_tryget(t))
		t = ERR_PTR(-EAGAIN);
	rcu_read_unlock();
	if (IS_ERR(t))
		return t;
	ret = settle_owner(t);
	if (!ret)
		return t;
	kreg_table_put(t);
	return ERR_PTR(ret < 0 ? ret : -EAGAIN);
}

struct kreg_table *kreg_ops_get_table(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t;

	do {
		rcu_read_lock();
		t = get_settled(kreg_names_id(cl->ns, id) ?: ERR_PTR(kreg_names_no_id(id)));
	} while (t == ERR_PTR(-EAGAIN));
	return t;
}

struct kreg_table *kreg_ops_find_table(struct kreg_client *cl, const u8 *name, u32 len)
{
	struct kreg_table *t;

	do {
		rcu_read_lock();
		t = get_settled(kreg_names_find(cl->ns, name, len));
	} while (t == ERR_PTR(-EAGAIN));
	return t;
}

static int may_destroy(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_control(t, cl);

	if (!err || kreg_client_capable(cl, t->ns->user_ns, CAP_SYS_ADMIN))
		return 0;
	return kreg_table_owned_by(t, NULL) && !kreg_table_may_claim(t, cl) ? 0 : err;
}

static int apply_destroy(struct kreg_control *c)
{
	int err = may_destroy(c->table, c->client);

	if (!err)
		kreg_fate_destroy(c->table);
	return err;
}

int kreg_ops_destroy(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t = kreg_ops_get_table(cl, id);
	struct kreg_control *c;

	if (IS_ERR(t))
		return PTR_ERR(t);
	c = kreg_control_alloc(cl, t, apply_destroy);
	return c ? kreg_control_submit(c) : -ENOMEM;
}

/* May the caller, who owns the table, hand it to c->to? */
static int may_hand(const struct kreg_control *c)
{
	int err = kreg_table_may_control(c->table, c->client);

	if (err)
		return err;
	if (kreg_proc_doomed(c->to))
		return -ESRCH;
	return kreg_client_may_hand(c->client, c->to);
}

/*
 * When c->to owns the table, the heir may be owed a record. It was set aside for
 * who was the heir a moment ago; if that has changed, the caller tries again.
 */
static int check_heir_mail(struct kreg_control *c, const struct kreg_proc *owner)
{
	struct kreg_table *t = c->table;

	if (!kreg_table_wants_mail(t, owner))
		return 0;
	return c->heir_mail && c->heir_mail->to == t->heir ? 0 : -EAGAIN;
}

static void use_heir_mail(struct kreg_control *c, const struct kreg_proc *owner)
{
	if (!kreg_table_wants_mail(c->table, owner))
		return;
	c->table->mail = c->heir_mail;
	c->heir_mail = NULL;
}

static int apply_park(struct kreg_control *c)
{
	int err = kreg_table_may_control(c->table, c->client) ?: check_heir_mail(c, NULL);

	if (err)
		return err;
	use_heir_mail(c, NULL);
	return kreg_fate_park(c->table, c->table->orphan == KREG_ORPHAN_PARK ?
			      c->table->orphan_ms : c->value);
}

static int apply_give(struct kreg_control *c)
{
	struct kreg_table *t = c->table;
	int err = may_hand(c);

	if (!err)
		err = check_heir_mail(c, c->to);
	if (err)
		return err;
	use_heir_mail(c, c->to);
	kreg_fate_give(t, c->to, c->mail);
	c->mail = NULL;
	return 0;
}

/* Set a record for the heir aside, whoever that is just now. */
static int bring_heir_mail(struct kreg_control *c)
{
	struct kreg_table *t = c->table;
	struct kreg_proc *heir;
	struct kreg_mail *mail;
	u8 data[KREG_MAX_DATA];
	u32 len = 0;

	spin_lock(&t->writer->turn);
	heir = t->heir_silent || t->mail ? NULL : t->heir;
	if (heir) {
		kreg_proc_get(heir);
		len = t->heir_data_len;
		memcpy(data, t->heir_data, len);
	}
	spin_unlock(&t->writer->turn);
	if (!heir)
		return 0;
	mail = kreg_mail_alloc(heir, t->name, t->name_len, data, len);
	kreg_proc_put(heir);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	c->heir_mail = mail;
	return 0;
}

static int bring_gift(struct kreg_control *c, const struct kreg_ioc_give *arg, const void *data)
{
	struct kreg_table *t = c->table;
	struct kreg_mail *mail;
	struct kreg_proc *to;
	int err;

	to = kreg_proc_find(arg->to.pid, arg->to.cookie);
	if (IS_ERR(to))
		return PTR_ERR(to);
	c->to = to;
	if (to == c->client->proc)
		return -EALREADY;
	err = kreg_client_may_hand(c->client, to);
	if (err)
		return err;
	mail = kreg_mail_alloc(to, t->name, t->name_len, data, arg->data_len);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	c->mail = mail;
	return 0;
}

static int give(struct kreg_client *cl, struct kreg_table *t, const struct kreg_ioc_give *arg,
		const void *data)
{
	struct kreg_control *c;
	int err;

	c = kreg_control_alloc(cl, t, arg->flags & KREG_GIVE_PARK ? apply_park : apply_give);
	if (!c)
		return -ENOMEM;
	err = kreg_table_may_control(t, cl);
	if (!err && arg->flags & KREG_GIVE_PARK)
		err = kreg_client_may_park(cl, &c->value) ?:
		      kreg_ops_make_room(t->user, KREG_QUOTA_PARKED, 1);
	else if (!err)
		err = bring_gift(c, arg, data);
	if (!err)
		err = bring_heir_mail(c);
	return err ? kreg_control_abandon(c, err) : kreg_control_submit(c);
}

int kreg_ops_give(struct kreg_client *cl, const struct kreg_ioc_give *arg, const void *data)
{
	struct kreg_table *t;
	int err;

	do {
		t = kreg_ops_get_table(cl, arg->table);
		if (IS_ERR(t))
			return PTR_ERR(t);
		err = give(cl, t, arg, data);
	} while (err == -EAGAIN);
	return err;
}

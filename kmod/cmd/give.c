// SPDX-License-Identifier: GPL-2.0
/* GIVE: to another process, or to nobody (park). */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/mail.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/owner.h"
#include "table/park.h"
#include "table/request.h"
#include "table/table.h"

static int check_give(const struct kreg_ioc_give *arg)
{
	if (arg->flags & ~KREG_GIVE_ALL || arg->to.reserved)
		return -EOPNOTSUPP;
	if (arg->flags & KREG_GIVE_PARK) {
		if (!kreg_cmd_no_process(&arg->to) || arg->data || arg->data_len)
			return -EINVAL;
		return 0;
	}
	if (!arg->to.pid)
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

/* May the caller, who owns the table, hand it to c->to? */
static int may_hand(const struct kreg_table_req *c)
{
	int err = kreg_table_may_pass_on(c->table, c->client) ?: kreg_table_req_check_name(c);

	if (err)
		return err;
	if (kreg_proc_exiting(c->to))
		return -ESRCH;
	return kreg_client_may_take(c->to, c->to_uid, c->client->ns, c->client->uid);
}

/*
 * When @owner owns the table, there must be a record reserved for the heir. The caller has
 * brought one for who was the heir a moment ago; if that has changed, it tries again.
 */
static int check_heir_mail(struct kreg_table_req *c, const struct kreg_proc *owner)
{
	struct kreg_table *t = c->table;

	if (!kreg_table_wants_mail(t, owner))
		return 0;
	return c->heir_mail && c->heir_mail->to == t->heir &&
	       uid_eq(c->heir_mail->uid, t->heir_uid) ? 0 : -EAGAIN;
}

static void use_heir_mail(struct kreg_table_req *c, const struct kreg_proc *owner)
{
	if (!kreg_table_wants_mail(c->table, owner))
		return;
	c->table->mail = c->heir_mail;
	c->heir_mail = NULL;
}

static int apply_park(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_pass_on(t, c->client) ?: kreg_table_req_check_name(c) ?:
		  check_heir_mail(c, NULL) ?: kreg_table_charge_park(t);

	if (err)
		return err;
	use_heir_mail(c, NULL);
	kreg_table_park(t, t->orphan != KREG_ORPHAN_DESTROY ? t->orphan_ms : c->value);
	return 0;
}

static int apply_give(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = may_hand(c);

	if (!err)
		err = check_heir_mail(c, c->to);
	if (err)
		return err;
	use_heir_mail(c, c->to);
	kreg_table_give(t, c->to, c->to_uid, c->mail);
	c->mail = NULL;
	return 0;
}

/* Reserve a record for who is the heir at this moment. */
static int bring_heir_mail(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	struct kreg_proc *heir;
	struct kreg_mail *mail;
	u8 data[KREG_MAX_DATA] __uninitialized, name[KREG_MAX_NAME] __uninitialized;
	kuid_t uid;
	u32 len = 0;

	spin_lock(&t->writer->turn);
	heir = t->heir_silent || t->mail ? NULL : t->heir;
	if (heir) {
		kreg_proc_get(heir);
		uid = t->heir_uid;
		len = t->heir_data_len;
		memcpy(data, t->heir_data, len);
	}
	spin_unlock(&t->writer->turn);
	if (!heir)
		return 0;
	mail = kreg_mail_alloc(c->client, heir, uid, name, kreg_table_copy_name(t, name), data,
			       len);
	kreg_proc_put(heir);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	c->heir_mail = mail;
	return 0;
}

static int bring_gift(struct kreg_table_req *c, const struct kreg_ioc_give *arg, const void *data)
{
	struct kreg_table *t = c->table;
	u8 name[KREG_MAX_NAME] __uninitialized;
	struct kreg_mail *mail;
	struct kreg_proc *to;
	int err;

	to = kreg_proc_find(arg->to.pid, arg->to.cookie);
	if (IS_ERR(to))
		return PTR_ERR(to);
	c->to = to;
	c->to_uid = kreg_client_user_of(to, c->client);
	if (to == c->client->proc)
		return -EALREADY;
	err = kreg_client_may_take(to, c->to_uid, c->client->ns, c->client->uid);
	if (err)
		return err;
	mail = kreg_mail_alloc(c->client, to, c->to_uid, name, kreg_table_copy_name(t, name),
			       data, arg->data_len);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	c->mail = mail;
	return 0;
}

static int give_table(struct kreg_client *cl, struct kreg_table *t, const struct kreg_ioc_give *arg,
		      const void *data)
{
	struct kreg_table_req *c;
	int err;

	c = kreg_table_req_alloc(cl, t, arg->flags & KREG_GIVE_PARK ? apply_park : apply_give);
	if (!c)
		return -ENOMEM;
	err = kreg_table_may_control(t, cl);
	if (!err && arg->flags & KREG_GIVE_PARK)
		err = kreg_client_may_park(cl, &c->value) ?:
		      kreg_sync_make_room(t->user, KREG_QUOTA_PARKED, 1);
	else if (!err)
		err = bring_gift(c, arg, data);
	if (!err)
		err = bring_heir_mail(c);
	return err ? kreg_table_req_cancel(c, err) : kreg_table_req_submit(c);
}

static int give_table_by_id(struct kreg_client *cl, const struct kreg_ioc_give *arg,
			    const void *data)
{
	struct kreg_table *t;
	int err;

	do {
		t = kreg_find_table(cl, arg->table);
		if (IS_ERR(t))
			return PTR_ERR(t);
		err = give_table(cl, t, arg, data);
	} while (err == -EAGAIN);
	return err;
}

int kreg_cmd_give(struct kreg_call *call)
{
	const struct kreg_ioc_give *arg = call->arg;
	void *data;
	int err = check_give(arg) ?: kreg_client_check_mode(call->client, FMODE_WRITE);

	if (err)
		return err;
	data = kreg_cmd_get_bytes(arg->data, arg->data_len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = give_table_by_id(call->client, arg, data);
	kvfree(data);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/* RENAME: another name for a table, or the names of two exchanged. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/mail.h"
#include "client/mailbox.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "table/access.h"
#include "table/names.h"
#include "table/table.h"

static int check_rename(const struct kreg_ioc_rename *arg)
{
	bool exchange = arg->flags & KREG_RENAME_EXCHANGE;

	if (arg->flags & ~KREG_RENAME_ALL || arg->reserved)
		return -EOPNOTSUPP;
	if (exchange != !!arg->other || exchange == !!arg->name_len || (exchange && arg->name) ||
	    arg->table == arg->other)
		return -EINVAL;
	return arg->name_len > KREG_MAX_NAME ? -ENAMETOOLONG : 0;
}

/* One of two tables, and what it gets. */
struct renamed {
	struct kreg_table *table;	/* a reference, or NULL: there is no second one */
	struct kreg_mail *mail;		/* for its heir, who is to be told by the new name */
};

static void lock_turns(const struct renamed *r)
{
	struct kreg_writer *a = r[0].table->writer, *b = r[1].table ? r[1].table->writer : a;

	if (b->nr < a->nr)
		swap(a, b);
	spin_lock(&a->turn);
	if (a != b)
		spin_lock_nested(&b->turn, SINGLE_DEPTH_NESTING);
}

static void unlock_turns(const struct renamed *r)
{
	struct kreg_writer *a = r[0].table->writer, *b = r[1].table ? r[1].table->writer : a;

	if (a != b)
		spin_unlock(&b->turn);
	spin_unlock(&a->turn);
	/* Who waits for the name, or for there to be none. */
	kreg_wake_queued(a);
}

/* A record for the heir of this moment, if one is promised to him. */
static int bring_mail(struct kreg_client *cl, struct renamed *r, const u8 *name, u32 len)
{
	struct kreg_table *t = r->table;
	struct kreg_proc *heir;
	struct kreg_mail *mail;
	u8 data[KREG_MAX_DATA] __uninitialized;
	u32 data_len = 0;
	kuid_t uid;

	spin_lock(&t->writer->turn);
	heir = t->mail ? t->heir : NULL;
	if (heir) {
		kreg_proc_get(heir);
		uid = t->heir_uid;
		data_len = t->heir_data_len;
		memcpy(data, t->heir_data, data_len);
	}
	spin_unlock(&t->writer->turn);
	if (!heir)
		return 0;
	mail = kreg_mail_alloc(cl, heir, uid, name, len, data, data_len);
	kreg_proc_put(heir);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	r->mail = mail;
	return 0;
}

/* Turn. Whether the record that was brought is for who is the heir, with his data. */
static bool fits_heir(const struct renamed *r)
{
	const struct kreg_table *t = r->table;
	const struct kreg_mail *mail = r->mail;

	if (!t->mail)
		return true;
	return mail && mail->to == t->heir && uid_eq(mail->uid, t->heir_uid) &&
	       mail->event.value_len == t->heir_data_len &&
	       !memcmp(mail->tail + mail->event.key_len, t->heir_data, t->heir_data_len);
}

static int decide_rename(const struct kreg_client *cl, const struct renamed *r)
{
	int err;

	if (r->table->dead)
		return -ESTALE;
	err = kreg_table_may_dispose(r->table, cl);
	if (err)
		return err;
	return fits_heir(r) ? 0 : -EAGAIN;
}

/* The old record is freed when the turn has been returned. */
static void use_mail(struct renamed *r)
{
	if (r->table->mail)
		swap(r->table->mail, r->mail);
}

/* What the name takes is charged to the user of the table, before. */
static int apply_rename(struct kreg_client *cl, struct renamed *r, struct kreg_name **name)
{
	int err;

	lock_turns(r);
	err = decide_rename(cl, r) ?: kreg_names_rename(r->table, name);
	if (!err)
		use_mail(r);
	unlock_turns(r);
	return err;
}

static int rename_table(struct kreg_client *cl, struct renamed *r, const u8 *bytes, u32 len)
{
	struct kreg_name *name = kreg_name_alloc(bytes, len);
	struct kreg_user *user = r->table->user;
	int err;

	if (!name)
		return -ENOMEM;
	err = kreg_table_may_dispose(r->table, cl) ?: bring_mail(cl, r, bytes, len);
	if (!err)
		err = kreg_user_charge(user, KREG_QUOTA_BYTES, kreg_name_memory(name));
	if (!err) {
		err = apply_rename(cl, r, &name);
		/* That of the old name, or of the one that was not used. */
		kreg_user_uncharge(user, KREG_QUOTA_BYTES, kreg_name_memory(name));
	}
	kreg_name_free(name);
	return err;
}

/* As they are at this moment, in @names with their lengths. */
static void copy_names(const struct renamed *r, u8 names[2][KREG_MAX_NAME], u32 len[2],
		       u32 renames[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		renames[i] = READ_ONCE(r[i].table->renames);
		len[i] = kreg_table_copy_name(r[i].table, names[i]);
	}
}

static int apply_exchange(struct kreg_client *cl, struct renamed *r, const u32 *renames)
{
	int err;

	lock_turns(r);
	err = decide_rename(cl, &r[0]) ?: decide_rename(cl, &r[1]);
	if (!err && (r[0].table->renames != renames[0] || r[1].table->renames != renames[1]))
		err = -EAGAIN;
	if (!err)
		err = kreg_names_exchange(r[0].table, r[1].table);
	if (!err) {
		use_mail(&r[0]);
		use_mail(&r[1]);
	}
	unlock_turns(r);
	return err;
}

static int exchange_tables(struct kreg_client *cl, struct renamed *r)
{
	u8 names[2][KREG_MAX_NAME] __uninitialized;
	u32 len[2], renames[2];
	int err = kreg_table_may_dispose(r[0].table, cl) ?:
		  kreg_table_may_dispose(r[1].table, cl);

	if (err)
		return err;
	copy_names(r, names, len, renames);
	err = bring_mail(cl, &r[0], names[1], len[1]) ?: bring_mail(cl, &r[1], names[0], len[0]);
	return err ?: apply_exchange(cl, r, renames);
}

static int find_both(struct kreg_client *cl, const struct kreg_ioc_rename *arg, struct renamed *r)
{
	struct kreg_table *t = kreg_find_table(cl, arg->table);

	if (IS_ERR(t))
		return PTR_ERR(t);
	r[0].table = t;
	if (!arg->other)
		return 0;
	t = kreg_find_table(cl, arg->other);
	if (IS_ERR(t))
		return PTR_ERR(t);
	r[1].table = t;
	return 0;
}

static int rename_once(struct kreg_client *cl, const struct kreg_ioc_rename *arg, const u8 *name)
{
	struct renamed r[2] = {};
	int err = find_both(cl, arg, r);

	if (!err)
		err = arg->other ? exchange_tables(cl, r) :
				   rename_table(cl, r, name, arg->name_len);
	kreg_mail_free(r[0].mail);
	kreg_mail_free(r[1].mail);
	kreg_table_put(r[0].table);
	kreg_table_put(r[1].table);
	return err;
}

int kreg_cmd_rename(struct kreg_call *call)
{
	const struct kreg_ioc_rename *arg = call->arg;
	u8 *name;
	int err = check_rename(arg) ?: kreg_client_check_mode(call->client, FMODE_WRITE);

	if (err)
		return err;
	name = kreg_cmd_get_name(arg->name, arg->name_len);
	if (IS_ERR(name))
		return PTR_ERR(name);
	do {
		err = rename_once(call->client, arg, name);
	} while (err == -EAGAIN);
	kvfree(name);
	return err;
}

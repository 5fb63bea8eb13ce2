// SPDX-License-Identifier: GPL-2.0
/* OPEN: find, create or claim a table. */
#include <linux/err.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/ns.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/claim.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/heir.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/names.h"
#include "table/park.h"
#include "table/request.h"
#include "table/table.h"

/* Members that describe a new table must be zero without CREATE. */
static int check_no_create(const struct kreg_ioc_open *arg)
{
	if (arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIMABLE | KREG_OPEN_HEIR |
			  KREG_OPEN_HEIR_SILENT | KREG_OPEN_BESIDE | KREG_OPEN_SEALED |
			  KREG_OPEN_SHARED))
		return -EINVAL;
	if (arg->type || arg->access || arg->mode || arg->orphan || arg->orphan_ms)
		return -EINVAL;
	return 0;
}

static int check_create(const struct kreg_ioc_open *arg)
{
	if (!arg->type || (arg->schema && !arg->schema_version))
		return -EINVAL;
	if (arg->type > KREG_TYPE_DUPLICATE_BAG)
		return -EOPNOTSUPP;
	if (arg->access > KREG_ACCESS_REGISTRY ||
	    arg->orphan > KREG_ORPHAN_PARK_ON_CRASH)
		return -EOPNOTSUPP;
	if (arg->mode & ~KREG_MODE_BITS ||
	    (arg->flags & KREG_OPEN_EXCL && arg->flags & KREG_OPEN_CLAIM) ||
	    (arg->orphan_ms && arg->orphan == KREG_ORPHAN_DESTROY))
		return -EINVAL;
	return 0;
}

static int check_heir(const struct kreg_ioc_open *arg)
{
	if (!(arg->flags & KREG_OPEN_HEIR)) {
		if (arg->flags & KREG_OPEN_HEIR_SILENT || !kreg_cmd_no_process(&arg->heir) ||
		    arg->data || arg->data_len)
			return -EINVAL;
		return 0;
	}
	if (!arg->heir.pid || (arg->flags & KREG_OPEN_HEIR_SILENT && arg->data_len))
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

static int check_line(const struct kreg_ioc_open *arg)
{
	u32 waits = arg->flags & (KREG_OPEN_WAIT | KREG_OPEN_STANDBY);

	if (waits && (!(arg->flags & KREG_OPEN_CLAIM) ||
		      waits == (KREG_OPEN_WAIT | KREG_OPEN_STANDBY)))
		return -EINVAL;
	if ((arg->deadline_ns && waits != KREG_OPEN_WAIT) ||
	    (arg->udata && waits != KREG_OPEN_STANDBY))
		return -EINVAL;
	return 0;
}

static int check_open(const struct kreg_ioc_open *arg)
{
	bool create = arg->flags & KREG_OPEN_CREATE;
	int err;

	if (arg->flags & ~KREG_OPEN_ALL || arg->heir.reserved)
		return -EOPNOTSUPP;
	err = create ? check_create(arg) : check_no_create(arg);
	if (!err)
		err = check_line(arg);
	if (err)
		return err;
	if (!arg->schema && arg->schema_version)
		return -EINVAL;
	if (!(arg->flags & KREG_OPEN_BESIDE) != !arg->beside)
		return -EINVAL;
	if (arg->flags & KREG_OPEN_QUARANTINED && !(arg->flags & KREG_OPEN_CLAIM))
		return -EINVAL;
	/* Without a name there is nothing to find. */
	if (!arg->name_len && (!create || arg->name ||
			       arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIM)))
		return -EINVAL;
	err = check_heir(arg);
	if (err != -EFBIG)
		return err;
	return arg->name_len > KREG_MAX_NAME ? -ENAMETOOLONG : err;
}

/* Charge what the new table costs, and give it its name; or nothing. */
static int enter_table(struct kreg_table *t)
{
	int err;

	/*
	 * If the namespace ends later, the death of its init will be handled under
	 * this turn, and finds the table.
	 */
	if (kreg_ns_ends(t->ns))
		return -ESRCH;
	err = kreg_user_charge(t->user, KREG_QUOTA_TABLES, 1);
	if (err)
		return err;
	err = kreg_table_set_orphan(t, t->orphan, t->orphan_ms);
	if (err)
		goto uncharge;
	err = kreg_names_add(t);
	if (err)
		goto unpark;
	return 0;

unpark:
	kreg_table_uncharge_park(t);
uncharge:
	kreg_user_uncharge(t->user, KREG_QUOTA_TABLES, 1);
	return err;
}

static int apply_create(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_heir_check(c) ?: enter_table(t);

	if (err)
		return err;
	/* The directory's reference. Nothing can fail any more. */
	kreg_table_get(t);
	kreg_table_set_owner(t, c->client->proc, c->client->uid);
	if (c->to)
		kreg_heir_commit(c);
	return 0;
}

/* It goes on without the table. ESTALE would mean that the one to be opened has gone meanwhile. */
static int find_writer(struct kreg_client *cl, u64 table, struct kreg_writer **writer)
{
	struct kreg_table *t = kreg_find_table(cl, table);

	if (IS_ERR(t))
		return PTR_ERR(t) == -EINTR ? -EINTR : -EXDEV;
	*writer = t->writer;
	kreg_table_put(t);
	return 0;
}

static struct kreg_table *new_table(struct kreg_client *cl, const struct kreg_open *open, u64 id)
{
	const struct kreg_ioc_open *arg = open->arg;
	struct kreg_table_spec spec = {
		.name = open->name,
		.name_len = arg->name_len,
		.type = arg->type,
		.access = arg->access ?: KREG_ACCESS_PROTECTED,
		.mode = arg->mode,
		.orphan = arg->orphan,
		.orphan_ms = arg->orphan_ms,
		.claimable = arg->flags & KREG_OPEN_CLAIMABLE,
		.sealed = arg->flags & KREG_OPEN_SEALED,
		.shared = arg->flags & KREG_OPEN_SHARED,
		.schema = { arg->schema, arg->schema_version },
	};
	int err = 0;

	if (spec.orphan != KREG_ORPHAN_DESTROY)
		err = kreg_client_may_park(cl, &spec.orphan_ms);
	if (!err && arg->beside)
		err = find_writer(cl, arg->beside, &spec.writer);
	return err ? ERR_PTR(err) : kreg_table_alloc(cl, &spec, id);
}

/* The id is reserved; what becomes of it is decided here and at the end of the request. */
static int create_with_id(struct kreg_client *cl, struct kreg_open *open, u64 id)
{
	struct kreg_ioc_open *arg = open->arg;
	struct kreg_table_req *c;
	struct kreg_table *t;
	int err = 0;

	t = new_table(cl, open, id);
	c = IS_ERR(t) ? NULL : kreg_table_req_alloc(cl, t, apply_create);
	if (!c) {
		kreg_names_release(cl->ns, id);
		return PTR_ERR_OR_ZERO(t) ?: -ENOMEM;
	}
	/* Killed, the caller may return before the request is applied. */
	c->creates = true;
	if (arg->flags & KREG_OPEN_HEIR)
		err = kreg_heir_bring(c, &arg->heir, arg->flags & KREG_OPEN_HEIR_SILENT,
				      open->data, arg->data_len);
	if (!err)
		err = kreg_open_answer(open, t, KREG_OPENED_CREATED, 0);
	return err ? kreg_table_req_cancel(c, err) : kreg_table_req_submit(c);
}

static int create_table(struct kreg_client *cl, struct kreg_open *open)
{
	u64 id;
	int err;

	err = kreg_sync_make_room(cl->user, KREG_QUOTA_TABLES, 1) ?:
	      kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES,
				  KREG_TABLE_BYTES + open->arg->name_len);
	if (!err && open->arg->orphan != KREG_ORPHAN_DESTROY)
		err = kreg_sync_make_room(cl->user, KREG_QUOTA_PARKED, 1);
	if (!err)
		err = kreg_names_reserve(cl->ns, &id);
	return err ?: create_with_id(cl, open, id);
}

static int open_table(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t)
{
	bool other_type = open->arg->type && open->arg->type != t->type;
	int err = -EEXIST;

	if (!other_type && open->arg->flags & KREG_OPEN_CLAIM)
		return kreg_open_claim(cl, open, t);
	if (!other_type)
		err = kreg_table_may_open(t, cl) ?: kreg_open_check_user(cl, open, t) ?:
		      kreg_open_check_schema(open, t) ?: kreg_open_answer(open, t, 0, 0);
	kreg_table_put(t);
	return err;
}

static int open_existing(struct kreg_client *cl, struct kreg_open *open)
{
	struct kreg_table *t;

	if (!open->arg->name_len)
		return -ENOENT;
	t = kreg_find_table_named(cl, open->name, open->arg->name_len);
	if (IS_ERR(t))
		return PTR_ERR(t);
	if (!(open->arg->flags & KREG_OPEN_EXCL))
		return open_table(cl, open, t);
	kreg_table_put(t);
	return -EEXIST;
}

static fmode_t mode_needed(u32 flags)
{
	if (flags & KREG_OPEN_STANDBY)
		return KREG_CLIENT_RW;
	return flags & (KREG_OPEN_CREATE | KREG_OPEN_CLAIM) ? FMODE_WRITE : 0;
}

static int open_any(struct kreg_client *cl, struct kreg_open *open)
{
	bool may_create = open->arg->flags & KREG_OPEN_CREATE;
	bool may_exist = !(open->arg->flags & KREG_OPEN_EXCL);
	bool waits = open->arg->flags & KREG_OPEN_WAIT;
	int err = kreg_client_check_mode(cl, mode_needed(open->arg->flags));

	if (err)
		return err;

	/* Another may create or destroy it between two looks. */
	do {
		err = open_existing(cl, open);
		if (may_create && err == -ENOENT)
			err = create_table(cl, open);
		else if (waits || err != -ESTALE)
			break;
	} while (err == -ESTALE || (err == -EEXIST && may_exist));
	return err;
}

int kreg_cmd_open(struct kreg_call *call)
{
	struct kreg_open open = { .call = call, .arg = call->arg };
	int err = check_open(open.arg);

	if (err)
		return err;
	open.name = kreg_cmd_get_name(open.arg->name, open.arg->name_len);
	if (IS_ERR(open.name))
		return PTR_ERR(open.name);
	open.data = kreg_cmd_get_bytes(open.arg->data, open.arg->data_len);
	if (IS_ERR(open.data)) {
		err = PTR_ERR(open.data);
	} else {
		err = open_any(call->client, &open);
		kvfree(open.data);
	}
	kvfree(open.name);
	return err;
}

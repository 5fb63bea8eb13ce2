/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handles of tables: open, create, claim, close. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define OPEN_FLAGS	(KREG_OPEN_CREATE | KREG_OPEN_EXCL | KREG_OPEN_CLAIM | KREG_OPEN_WAIT | \
			 KREG_OPEN_CLAIMABLE | KREG_OPEN_HEIR_SILENT | KREG_OPEN_OWN_USER | \
			 KREG_OPEN_QUARANTINED | KREG_OPEN_ANY_USER | KREG_OPEN_SEALED | \
			 KREG_OPEN_SHARED)

#define OWN_FLAGS	(KREG_OPEN_CLAIMABLE | KREG_OPEN_HEIR_SILENT | KREG_OPEN_OWN_USER | \
			 KREG_OPEN_ANY_USER | KREG_OPEN_SHARED)

uint64_t kreg_deadline(int64_t timeout_ms)
{
	struct timespec now;

	/* Longer ones would overflow the nanoseconds: they mean never. */
	if (timeout_ms < 0 || timeout_ms > INT64_MAX / 2000000)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec + timeout_ms * 1000000u;
}

struct kreg_table *kreg_table_new(struct kreg_client *client, uint64_t id, const void *name,
				  size_t name_len)
{
	struct kreg_table *t = calloc(1, sizeof(*t) + name_len + 1);

	if (!t)
		return NULL;
	t->client = kreg_client_get(client);
	atomic_init(&t->refs, 1);
	t->id = id;
	t->name_len = name_len;
	if (name_len)
		memcpy(t->name, name, name_len);
	return t;
}

/* What the options say of a table that is to be created. */
static int open_new(struct kreg_ioc_open *open, const struct kreg_open_options *o)
{
	if (o->data_len > KREG_MAX_DATA)
		return -EFBIG;
	open->type = o->type ? o->type : KREG_TYPE_SET;
	open->access = o->access;
	open->mode = o->mode ? o->mode : 0600;
	open->orphan = o->orphan;
	open->orphan_ms = o->orphan_ms;
	if (o->heir.pid) {
		open->flags |= KREG_OPEN_HEIR;
		open->heir = o->heir;
		open->data = o->data_len ? kreg_ptr(o->data) : 0;
		open->data_len = o->data_len;
	} else if (o->data_len || (o->flags & KREG_OPEN_HEIR_SILENT)) {
		return kreg_cause(-EINVAL,
				  "data and KREG_OPEN_HEIR_SILENT go with an heir, and there is none");
	}
	return 0;
}

/* Who may create the table trusts it as his own: refuse one that another user has made. */
static bool own_user_alone(const struct kreg_open_options *o)
{
	return (o->flags & KREG_OPEN_CREATE) &&
	       !(o->flags & (KREG_OPEN_EXCL | KREG_OPEN_ANY_USER));
}

static int open_fill(struct kreg_ioc_open *open, const struct kreg_open_options *o)
{
	if (o->reserved || o->reserved2 || (o->flags & ~(OPEN_FLAGS | KREG_OPEN_STANDBY)))
		return -EOPNOTSUPP;
	if ((o->flags & KREG_OPEN_OWN_USER) && (o->flags & KREG_OPEN_ANY_USER))
		return kreg_cause(-EINVAL,
				  "KREG_OPEN_OWN_USER does not go with KREG_OPEN_ANY_USER");
	open->flags = o->flags & ~KREG_OPEN_ANY_USER;
	if (own_user_alone(o))
		open->flags |= KREG_OPEN_OWN_USER;
	open->deadline_ns = o->deadline_ns;
	open->schema = o->schema;
	open->schema_version = o->schema_version;
	open->beside = o->beside ? o->beside->id : 0;
	open->flags |= o->beside ? KREG_OPEN_BESIDE : 0;
	if (o->flags & KREG_OPEN_CREATE)
		return open_new(open, o);
	if (o->beside || o->access || o->mode || o->orphan || o->orphan_ms || o->heir.pid ||
	    o->data_len ||
	    (o->flags & (KREG_OPEN_HEIR_SILENT | KREG_OPEN_CLAIMABLE | KREG_OPEN_SEALED |
			 KREG_OPEN_SHARED)))
		return kreg_cause(-EINVAL,
				  "the options describe a new table, without KREG_OPEN_CREATE");
	open->type = o->type;
	return 0;
}

/* What the kernel calls invalid. */
static const char *open_fault(const char *name, const struct kreg_open_options *o)
{
	unsigned int flags = o->flags;

	if (!name && !(flags & KREG_OPEN_CREATE))
		return "there is no name: a table without one is opened by its id";
	if (!name && flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIM))
		return "a table without a name is always new: it is neither claimed nor in the way";
	if (flags & KREG_OPEN_EXCL)
		return flags & KREG_OPEN_CREATE ?
		       "KREG_OPEN_EXCL does not go with KREG_OPEN_CLAIM" :
		       "KREG_OPEN_EXCL goes with KREG_OPEN_CREATE alone";
	if (flags & (KREG_OPEN_WAIT | KREG_OPEN_QUARANTINED) && !(flags & KREG_OPEN_CLAIM))
		return "KREG_OPEN_WAIT and KREG_OPEN_QUARANTINED go with KREG_OPEN_CLAIM alone";
	if (o->deadline_ns && !(flags & KREG_OPEN_WAIT))
		return "a deadline goes with KREG_OPEN_WAIT alone";
	if (o->mode & ~0666u)
		return "a mode has no other bits than those of 0666";
	if (o->orphan_ms && o->orphan == KREG_ORPHAN_DESTROY)
		return "a table that is to be destroyed is not parked for a time";
	if (!o->schema != !o->schema_version)
		return o->schema ? "a new table has a version of its schema" :
		       "a version of a schema goes with the schema alone";
	return "data goes into an event, and KREG_OPEN_HEIR_SILENT is for none";
}

static int open_refused(int ret, const char *name, const struct kreg_open_options *o)
{
	if (ret == -EINVAL)
		return kreg_cause(ret, open_fault(name, o));
	if (ret == -EXDEV)
		return kreg_cause(ret, "the table beside which it is to be created is gone");
	return ret;
}

/* @id: of the place in line. */
static int open_with(struct kreg_client *client, const char *name,
		     const struct kreg_open_options *o, struct kreg_table **table, uint64_t *id)
{
	struct kreg_ioc_open open = { .size = sizeof(open) };
	size_t len = name ? strlen(name) : 0;
	struct kreg_table *t;
	int ret;

	ret = open_fill(&open, o);
	if (ret)
		return ret;
	if (len > KREG_MAX_NAME)
		return -ENAMETOOLONG;
	/* An empty string is a bad name, not the wish for a table without one. */
	if (name && !len)
		return kreg_cause(-EINVAL, "the name is empty");
	open.name = kreg_ptr(name);
	open.name_len = len;

	/* The handle first: if there is no memory for it, no table is created. */
	t = kreg_table_new(client, 0, name, len);
	if (!t)
		return -ENOMEM;
	ret = kreg_ioctl(client, KREG_IOC_OPEN, &open);
	if (ret) {
		kreg_table_close(t);
		return open_refused(ret, name, o);
	}
	t->id = open.out_table;
	t->type = open.out_type;
	t->opened = open.out_how;
	*id = open.out_id;
	*table = t;
	return 0;
}

static int open_table(struct kreg_client *client, const char *name,
		      const struct kreg_open_options *options, struct kreg_table **table)
{
	struct kreg_open_options o = { .size = sizeof(o) };
	uint64_t id;
	int ret;

	if (options) {
		ret = kreg_options_copy(&o, sizeof(o), options);
		if (ret)
			return ret;
	}
	/* Whoever stands by needs a ref. */
	if (o.flags & KREG_OPEN_STANDBY)
		return -EOPNOTSUPP;
	return open_with(client, name, &o, table, &id);
}

static enum attempt attempt_of(int ret, const struct kreg_open_options *o)
{
	if (ret == -EOPNOTSUPP && o->type > KREG_TYPE_SET)
		return TRY_TYPE;
	/* It may be there, but not as a table of this type. */
	if (ret == -EEXIST && !(o->flags & KREG_OPEN_EXCL))
		return TRY_OPEN;
	if (o->flags & KREG_OPEN_CLAIM)
		return TRY_CLAIM;
	return o->flags & KREG_OPEN_CREATE ? TRY_CREATE : TRY_OPEN;
}

static int open_failed(int ret, struct kreg_client *client, const char *name,
		       const struct kreg_open_options *o)
{
	if (!ret || !o)
		return kreg_fail_name(ret, TRY_OPEN, client, name);
	kreg_fail_name(ret, attempt_of(ret, o), client, name);
	if (ret == -EFBIG)
		kreg_fail_sizes(ret, 0, o->data_len, 0);
	return kreg_fail_process(ret, o->heir.pid);
}

int kreg_table_open(struct kreg_client *client, const char *name,
		    const struct kreg_open_options *options, struct kreg_table **table)
{
	int ret = open_table(client, name, options, table);

	return open_failed(ret, client, name, options);
}

int kreg_table_create(struct kreg_client *client, const char *name, struct kreg_table **table)
{
	struct kreg_open_options o = {
		.size = sizeof(o), .flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL,
	};

	return kreg_table_open(client, name, &o, table);
}

int kreg_table_claim(struct kreg_client *client, const char *name, int64_t timeout_ms,
		     struct kreg_table **table)
{
	struct kreg_open_options o = { .size = sizeof(o), .flags = KREG_OPEN_CLAIM };

	if (timeout_ms) {
		o.flags |= KREG_OPEN_WAIT;
		o.deadline_ns = kreg_deadline(timeout_ms);
	}
	return kreg_table_open(client, name, &o, table);
}

/* Create or claim, as the program's options say. */
static int own_options(struct kreg_open_options *o, const struct kreg_open_options *options)
{
	int ret = 0;

	*o = (struct kreg_open_options){ .size = sizeof(*o), .orphan = KREG_ORPHAN_PARK };
	if (options)
		ret = kreg_options_copy(o, sizeof(*o), options);
	if (!ret && o->flags & ~OWN_FLAGS)
		ret = kreg_cause(-EINVAL, "a flag does not go with owning a table");
	if (!ret && o->deadline_ns)
		ret = kreg_cause(-EINVAL, "the time-out of this call is not in its options");
	o->size = sizeof(*o);
	o->flags |= KREG_OPEN_CREATE | KREG_OPEN_CLAIM;
	return ret;
}

/* The table is the caller's already. */
static int open_owned(struct kreg_client *client, const char *name,
		      const struct kreg_open_options *wanted, struct kreg_table **table)
{
	struct kreg_open_options o = {
		.size = sizeof(o),
		.schema = wanted->schema,
		.schema_version = wanted->schema_version,
	};

	return open_table(client, name, &o, table);
}

int kreg_table_own(struct kreg_client *client, const char *name, int64_t timeout_ms,
		   const struct kreg_open_options *options, struct kreg_table **table)
{
	struct kreg_open_options o;
	int ret = own_options(&o, options);

	if (ret)
		return kreg_fail_name(ret, TRY_CREATE, client, name);
	if (timeout_ms) {
		o.flags |= KREG_OPEN_WAIT;
		o.deadline_ns = kreg_deadline(timeout_ms);
	}
	ret = open_table(client, name, &o, table);
	if (ret == -EALREADY)
		ret = open_owned(client, name, &o, table);
	return open_failed(ret, client, name, &o);
}

static int stand_by(struct kreg_client *client, const char *name,
		    const struct kreg_open_options *o, kreg_event_fn fn, void *arg,
		    struct kreg_table **table, struct kreg_ref **out)
{
	struct kreg_ref *ref = kreg_ref_begin(client, fn, arg);
	uint64_t id = 0;
	int ret;

	if (!ref)
		return -ENOMEM;
	ret = open_with(client, name, o, table, &id);
	if (!ret && id) {
		kreg_ref_commit(ref, id, out);
		return 0;
	}
	kreg_ref_abort(ref);
	if (!ret)
		*out = NULL;
	return ret;
}

int kreg_table_standby(struct kreg_client *client, const char *name,
		       const struct kreg_open_options *options, kreg_event_fn fn, void *arg,
		       struct kreg_table **table, struct kreg_ref **ref)
{
	struct kreg_open_options o = { .size = sizeof(o), .flags = KREG_OPEN_CLAIM };
	int ret = options ? own_options(&o, options) : 0;

	if (ret)
		return kreg_fail_name(ret, TRY_CREATE, client, name);
	o.flags |= KREG_OPEN_STANDBY;
	ret = stand_by(client, name, &o, fn, arg, table, ref);
	if (ret == -EALREADY) {
		*ref = NULL;
		ret = open_owned(client, name, &o, table);
	}
	return open_failed(ret, client, name, &o);
}

static int table_by_id(struct kreg_client *client, uint64_t id, struct kreg_table **table)
{
	struct kreg_info info;
	struct kreg_table *t;
	int ret;

	if (!id)
		return kreg_cause(-EINVAL, "no table has the id 0");
	ret = kreg_info_read(client, id, NULL, &info);
	if (ret)
		return ret;
	t = kreg_table_new(client, id, info.name, info.name_len);
	if (!t)
		return -ENOMEM;
	t->type = info.type;
	*table = t;
	return 0;
}

int kreg_table_by_id(struct kreg_client *client, uint64_t id, struct kreg_table **table)
{
	return kreg_fail(table_by_id(client, id, table), TRY_OPEN, client);
}

struct kreg_table *kreg_table_get(struct kreg_table *table)
{
	atomic_fetch_add(&table->refs, 1);
	return table;
}

void kreg_table_close(struct kreg_table *table)
{
	if (!table || atomic_fetch_sub(&table->refs, 1) != 1)
		return;
	kreg_client_put(table->client);
	free(table);
}

uint64_t kreg_table_id(const struct kreg_table *table)
{
	return table->id;
}

const char *kreg_table_name(const struct kreg_table *table)
{
	return table->name;
}

enum kreg_type kreg_table_type(const struct kreg_table *table)
{
	return table->type;
}

unsigned int kreg_table_opened(const struct kreg_table *table)
{
	return table->opened;
}

struct kreg_client *kreg_table_client(const struct kreg_table *table)
{
	return table->client;
}

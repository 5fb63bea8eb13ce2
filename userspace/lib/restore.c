/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of a dump: verified first, then filled, then shown to others. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "dump.h"

struct restore {
	struct kreg_client *client;
	struct kreg_restore_options o;
	struct kreg_table *table;
	struct kreg_batch *batch;
	struct dump_reader reader;	/* that fills the table */
	struct kreg_dump_info info;	/* what the dump has, from when it was verified */
	uint64_t expired;		/* objects that are left out, */
	uint64_t timed;			/* and those that may go at any moment */
};

static int read_options(struct kreg_restore_options *o, const struct kreg_restore_options *options)
{
	int ret;

	*o = (struct kreg_restore_options){ .size = sizeof(*o) };
	ret = options ? kreg_options_copy(o, sizeof(*o), options) : 0;
	if (!ret && (o->flags || o->reserved))
		ret = kreg_cause(-EOPNOTSUPP, "a flag of the restore is not known");
	return ret;
}

/* What comes through a pipe can be read once, so it is kept. The descriptor to read again. */
static int verify(struct restore *r, int fd)
{
	off_t from = lseek(fd, 0, SEEK_CUR);
	struct dump_reader reader;
	int copy = -1, ret;

	if (from < 0) {
		copy = kreg_dump_temporary();
		if (copy < 0)
			return copy;
		from = 0;
	}
	ret = kreg_dump_reader_open(&reader, fd, copy);
	if (!ret)
		ret = kreg_dump_verify(&reader, r->o.progress, r->o.arg);
	r->info = reader.info;
	kreg_dump_reader_close(&reader);
	if (!ret && lseek(copy < 0 ? fd : copy, from, SEEK_SET) < 0)
		ret = kreg_dump_fail(-errno, "the dump cannot be read again: %s", strerror(errno));
	if (!ret)
		return copy < 0 ? fd : copy;
	if (copy >= 0)
		close(copy);
	return ret;
}

static int create(struct restore *r)
{
	struct kreg_open_options o = {
		.size = sizeof(o),
		.flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL |
			 (r->info.flags & KREG_DUMP_CLAIMABLE ? KREG_OPEN_CLAIMABLE : 0) |
			 (r->info.flags & KREG_DUMP_SHARED ? KREG_OPEN_SHARED : 0),
		.type = r->info.type,
		.access = KREG_ACCESS_PRIVATE,
		.orphan = KREG_ORPHAN_DESTROY,
		.schema = r->info.schema,
		.schema_version = r->info.schema_version,
	};
	const char *name = r->o.name ? r->o.name : r->info.name;

	/* One without a name cannot be there already. */
	if (!r->o.name && !*name) {
		o.flags &= ~KREG_OPEN_EXCL;
		name = NULL;
	}
	return kreg_table_open(r->client, name, &o, &r->table);
}

static int run_batch(struct restore *r)
{
	int ret = kreg_batch_run(r->batch);

	if (ret < 0)
		return ret;
	kreg_batch_reset(r->batch);
	return kreg_dump_tell(r->o.progress, r->o.arg, KREG_DUMP_LOADING,
			      r->reader.info.objects, r->info.objects);
}

static int add_object(struct restore *r, const struct dump_object *o,
		      const struct kreg_put_options *p)
{
	if (!p)
		return kreg_batch_put(r->batch, o->key, o->key_len, o->value, o->value_len);
	return kreg_batch_put_with(r->batch, o->key, o->key_len, o->value, o->value_len, p);
}

/* Those of a key stay in their order, with what expires among them. */
static int load_as(struct restore *r, const struct dump_object *o, const struct kreg_put_options *p)
{
	int ret = add_object(r, o, p);

	if (ret == -ENOBUFS) {
		ret = run_batch(r);
		if (!ret)
			ret = add_object(r, o, p);
	}
	return ret < 0 ? ret : 0;
}

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* One that expires: as the dump says; but what expires when it is idle begins anew to be so. */
static int load_timed(struct restore *r, const struct dump_object *o)
{
	const struct kreg_object_expiry *e = &r->reader.expiry;
	struct kreg_put_options p = KREG_PUT_OPTIONS_INIT;
	uint64_t now = wall_clock_ns();

	if (e->until_ns <= now) {
		r->expired++;
		return 0;
	}
	if (e->expires_ns)
		p.expires_ns = kreg_deadline(0) + (e->expires_ns - now);
	p.idle_ms = e->idle_ms;
	r->timed++;
	return load_as(r, o, &p);
}

static int load_object(struct restore *r, const struct dump_object *o)
{
	if (r->reader.expiry.until_ns)
		return load_timed(r, o);
	return load_as(r, o, NULL);
}

/* Of two objects that the table takes for one, the second has replaced the first. */
static int check_count(struct restore *r)
{
	uint64_t n, most = r->info.objects - r->expired;
	int ret = kreg_count(r->table, &n);

	if (!ret && (n > most || n + r->timed < most))
		ret = kreg_dump_fail(-ENOTUNIQ,
				     "the dump has %llu objects, of which this type of table keeps %llu",
				     (unsigned long long)most, (unsigned long long)n);
	return ret;
}

static int new_batch(struct restore *r)
{
	int ret = kreg_batch_new(r->table, KREG_BATCH_ATOMIC, &r->batch);

	return ret ? ret : kreg_batch_limits(r->client, &r->batch->most_ops,
					     &r->batch->most_bytes);
}

/* All of it is verified once more: somebody may have written to the file meanwhile. */
static int load(struct restore *r, int fd)
{
	struct dump_object object;
	int ret = kreg_dump_reader_open(&r->reader, fd, -1);

	if (!ret)
		ret = new_batch(r);
	while (!ret) {
		ret = kreg_dump_reader_next(&r->reader, &object);
		if (ret <= 0)
			break;
		ret = load_object(r, &object);
	}
	if (!ret)
		ret = run_batch(r);
	if (!ret && memcmp(&r->info, &r->reader.info, sizeof(r->info)))
		ret = kreg_dump_fail(-EBADMSG,
				     "the dump was written to while it was read; take a copy of it first");
	kreg_batch_free(r->batch);
	kreg_dump_reader_close(&r->reader);
	return ret ? ret : check_count(r);
}

static int set_orphan(struct restore *r)
{
	uint64_t ms = r->info.orphan == KREG_ORPHAN_DESTROY ? 0 : r->info.orphan_ms;
	int ret = kreg_table_set_orphan(r->table, r->info.orphan, ms);

	/* The dump may come from where tables are kept for longer. */
	return ret == -EPERM && ms ? kreg_table_set_orphan(r->table, r->info.orphan, 0) : ret;
}

/* The access rule, by which others see what is in it, comes when all else is right. */
static int publish(struct restore *r)
{
	int ret = r->info.flags & KREG_DUMP_SEALED ? kreg_table_seal(r->table) : 0;

	if (!ret)
		ret = kreg_table_set_mode(r->table, r->info.mode);
	if (!ret && r->info.access != KREG_ACCESS_PRIVATE)
		ret = kreg_table_set_access(r->table, r->info.access);
	return ret ? ret : set_orphan(r);
}

static int make_table(struct restore *r, int fd)
{
	int ret = create(r);

	if (ret)
		return ret;
	ret = load(r, fd);
	if (!ret)
		ret = publish(r);
	if (!ret)
		return 0;
	/* The sentence may tell of the table, which is gone then. */
	kreg_errmsg();
	kreg_table_destroy(r->table);
	kreg_table_close(r->table);
	return ret;
}

int kreg_restore(struct kreg_client *client, int fd, const struct kreg_restore_options *options,
		 struct kreg_table **table)
{
	struct restore r = { .client = client };
	int ret = read_options(&r.o, options), from;

	if (ret)
		return kreg_fail(ret, TRY_OTHER, client);
	from = verify(&r, fd);
	if (from < 0)
		return from;
	ret = make_table(&r, from);
	if (from != fd)
		close(from);
	if (!ret)
		*table = r.table;
	return ret;
}

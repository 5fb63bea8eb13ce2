/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that expire. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "internal.h"

#define FLAGS	(KREG_OP_NEW | KREG_OP_PRESENT | KREG_OP_KEEP)

/* What the options have wrong, or NULL. */
static const char *options_fault(const struct kreg_put_options *o)
{
	if (o->ttl_ms < 0 || o->idle_ms < 0)
		return "a time is below 0";
	if (o->ttl_ms && o->expires_ns)
		return "of ttl_ms and expires_ns one may be given";
	if (o->flags & KREG_OP_NEW &&
	    (o->flags & (KREG_OP_PRESENT | KREG_OP_KEEP) || o->if_version || o->filter))
		return "KREG_OP_NEW does not go with what only an object has that is there";
	return NULL;
}

int kreg_put_read_options(struct kreg_put_options *o, const struct kreg_put_options *options)
{
	const char *fault;
	int ret;

	*o = (struct kreg_put_options)KREG_PUT_OPTIONS_INIT;
	ret = options ? kreg_options_copy(o, sizeof(*o), options) : 0;
	if (ret)
		return ret;
	if (o->flags & ~FLAGS || o->reserved)
		return kreg_cause(-EOPNOTSUPP, "a flag of the insertion is not known");
	fault = options_fault(o);
	return fault ? kreg_cause(-EINVAL, fault) : 0;
}

/* The kernel counts what is idle in 32 bits: seven weeks, behind which nothing else is told. */
void kreg_put_set_more(struct kreg_more *more, const struct kreg_put_options *o)
{
	*more = (struct kreg_more){
		.size = sizeof(*more),
		.if_version = o->if_version,
		.expires_ns = o->ttl_ms ? kreg_deadline(o->ttl_ms) : o->expires_ns,
		.idle_ms = o->idle_ms > UINT32_MAX ? UINT32_MAX : o->idle_ms,
	};
}

static int run_put(struct kreg_table *table, const void *key, size_t key_len, const void *value,
		   size_t value_len, struct kreg_put_options *o)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	struct kreg_range which = { 0 };
	struct kreg_more more;
	int ret;

	kreg_put_set_more(&more, o);
	kreg_filter_set(o->filter, &which);
	more.filter = which.filter;
	more.filter_count = which.filter_count;
	ret = kreg_op_fill(&io.op, KREG_OP_PUT, key, key_len, (void *)value, value_len);
	if (ret)
		return ret;
	io.op.flags = o->flags | KREG_OP_MORE;
	io.op.arg = kreg_ptr(&more);
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	o->out_version = io.op.out_version;
	return ret;
}

static int put_failed(int ret, const struct kreg_table *table, size_t key_len, size_t value_len)
{
	kreg_fail_table(ret, ret == -EOPNOTSUPP ? TRY_EXPIRE : TRY_WRITE, table);
	return kreg_fail_sizes(ret, key_len, value_len, 0);
}

int kreg_put_with(struct kreg_table *table, const void *key, size_t key_len, const void *value,
		  size_t value_len, struct kreg_put_options *options)
{
	struct kreg_put_options o;
	int ret = kreg_put_read_options(&o, options);

	if (!ret)
		ret = run_put(table, key, key_len, value, value_len, &o);
	if (ret)
		return put_failed(ret, table, key_len, value_len);
	if (options && options->size >= sizeof(o))
		options->out_version = o.out_version;
	return 0;
}

int kreg_put_ttl(struct kreg_table *table, const void *key, size_t key_len, const void *value,
		 size_t value_len, int64_t ttl_ms)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;

	/* With no time it is past from the start, as a time-out of 0 is. */
	o.expires_ns = kreg_deadline(ttl_ms < 0 ? -1 : ttl_ms);
	return kreg_put_with(table, key, key_len, value, value_len, &o);
}

int kreg_expiry_of(struct kreg_table *table, const void *key, size_t key_len, uint64_t *expires_ns)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	struct kreg_more more = { .size = sizeof(more) };
	int ret = kreg_op_fill(&io.op, KREG_OP_MEMBER, key, key_len, NULL, 0);

	io.op.flags = KREG_OP_MORE;
	io.op.arg = kreg_ptr(&more);
	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	*expires_ns = more.out_expires_ns;
	return ret;
}

int kreg_expires(struct kreg_table *table, const void *key, size_t key_len, uint64_t *expires_ns)
{
	uint64_t ns;
	int ret = kreg_expiry_of(table, key, key_len, &ns);

	if (ret)
		return kreg_fail_sizes(kreg_fail_table(ret, TRY_READ, table), key_len, 0, 0);
	*expires_ns = ns;
	return 0;
}

const struct kreg_object_expiry *kreg_object_expiry(const struct kreg_object *object)
{
	const struct kreg_object_expiry *e;

	e = (const void *)((const char *)object + object->size - sizeof(*e));
	return object->sub & OBJECT_EXPIRY ? e : NULL;
}

uint64_t kreg_object_expires(const struct kreg_object *object)
{
	const struct kreg_object_expiry *e = kreg_object_expiry(object);

	return e ? e->until_ns : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters, parts of values, and writes on condition of what is there. */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "internal.h"

/* What the first version of the library knew. */
#define EDIT_OPTIONS_LEAST	(offsetof(struct kreg_edit_options, out_len) + sizeof(size_t))
#define COUNTER_OPTIONS_LEAST	(offsetof(struct kreg_counter_options, set) + sizeof(int64_t))

/* The first room for a part of a value, which may go on to the end. */
#define GUESS	4096

/* Keep the failure and its sizes for kreg_errmsg(). */
static int edit_failed(int ret, const struct kreg_table *table, size_t key_len, size_t len)
{
	kreg_fail_table(ret, TRY_EDIT, table);
	return kreg_fail_sizes(ret, key_len, len, 0);
}

/* What does not fit stays unknown, so that the kernel refuses it. */
static uint16_t to_u16(unsigned int x)
{
	return x > UINT16_MAX ? UINT16_MAX : x;
}

void kreg_field_number(struct kreg_field *field, unsigned int code, unsigned int flags,
		       uint32_t offset, int64_t operand)
{
	*field = (struct kreg_field){
		.code = to_u16(code), .flags = to_u16(flags), .offset = offset,
		.operand = operand,
	};
}

void kreg_field_copy(struct kreg_field *field, unsigned int flags, uint32_t offset,
		     const void *bytes, size_t len)
{
	*field = (struct kreg_field){
		.code = KREG_FIELD_COPY, .flags = to_u16(flags), .offset = offset,
		.operand = kreg_ptr(bytes), .set = len,
	};
}

int kreg_edit_read_options(struct kreg_edit_options *o, const struct kreg_edit_options *options)
{
	*o = (struct kreg_edit_options)KREG_EDIT_OPTIONS_INIT;
	return options ? kreg_options_copy_from(o, sizeof(*o), EDIT_OPTIONS_LEAST, options) : 0;
}

int kreg_edit_check(size_t count, const struct kreg_edit_options *o)
{
	if (o->idle_ms < 0)
		return kreg_cause(-EINVAL, "a time is below 0");
	if ((o->expires_ns || o->idle_ms) && !o->start)
		return kreg_cause(-EINVAL, "only an object that is made can be said to expire");
	if (count > KREG_MAX_FIELDS)
		return kreg_cause(-EFBIG, "there are more than %F fields");
	if (!count)
		return kreg_cause(-EINVAL, "there is no field");
	if (o->start && o->if_version)
		return kreg_cause(-EINVAL, "where there is no value to start from there is no version");
	if (o->start && o->filter)
		return kreg_cause(-EINVAL, "a value to start from matches no filter: give one of both");
	return 0;
}

void kreg_edit_set_more(struct kreg_more *more, const struct kreg_edit_options *o)
{
	*more = (struct kreg_more){
		.size = sizeof(*more), .if_version = o->if_version,
		.start = o->start_len ? kreg_ptr(o->start) : 0,
		.start_len = o->start_len > UINT32_MAX ? UINT32_MAX : o->start_len,
		.flags = o->start ? KREG_MORE_START : 0,
		.expires_ns = o->expires_ns,
		.idle_ms = o->idle_ms > UINT32_MAX ? UINT32_MAX : o->idle_ms,
	};
}

static int run_edit(struct kreg_table *table, const void *key, size_t key_len,
		    struct kreg_field *fields, size_t count, struct kreg_edit_options *o)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	struct kreg_range which;
	struct kreg_more more;
	int ret = kreg_edit_check(count, o);

	if (ret)
		return ret;
	ret = kreg_op_fill(&io.op, KREG_OP_EDIT, key, key_len, fields, count * sizeof(*fields));
	if (ret)
		return ret;
	kreg_edit_set_more(&more, o);
	kreg_filter_set(o->filter, &which);
	more.filter = which.filter;
	more.filter_count = which.filter_count;
	if (o->start || o->if_version || o->filter) {
		io.op.flags = KREG_OP_MORE;
		io.op.arg = kreg_ptr(&more);
	}
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	o->out_version = io.op.out_version;
	o->out_len = io.op.out_len;
	return ret;
}

int kreg_edit(struct kreg_table *table, const void *key, size_t key_len,
	      struct kreg_field *fields, size_t count, struct kreg_edit_options *options)
{
	struct kreg_edit_options o;
	int ret = kreg_edit_read_options(&o, options);

	if (!ret)
		ret = run_edit(table, key, key_len, fields, count, &o);
	if (ret)
		return edit_failed(ret, table, key_len, o.start_len);
	if (options) {
		options->out_version = o.out_version;
		options->out_len = o.out_len;
	}
	return 0;
}

int kreg_patch(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
	       const void *bytes, size_t len, unsigned int flags)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field field;
	int ret;

	if (offset > UINT32_MAX)
		return edit_failed(-ERANGE, table, key_len, len);
	kreg_field_copy(&field, flags, offset, bytes, len);
	ret = run_edit(table, key, key_len, &field, 1, &o);
	return ret ? edit_failed(ret, table, key_len, len) : 0;
}

static int add(struct kreg_table *table, const void *key, size_t key_len,
	       const struct kreg_counter_options *o, int64_t by, int64_t *now)
{
	struct kreg_edit_options edit = KREG_EDIT_OPTIONS_INIT;
	uint64_t start = o->flags & KREG_FIELD_BIG_ENDIAN ? htobe64(o->start) : (uint64_t)o->start;
	struct kreg_field field;
	int ret = 0;

	if (o->flags > UINT16_MAX || o->starts > 1)
		ret = -EOPNOTSUPP;
	if (!ret && o->starts) {
		edit.start = &start;
		/* In front of it there are zeros, if there may be. */
		edit.start_len = o->offset ? 0 : sizeof(start);
		if (o->offset && (o->start || !(o->flags & KREG_FIELD_EXTEND)))
			ret = kreg_cause(-EINVAL,
					 "a counter that is not at the start of its value begins with 0, and extends it");
	}
	kreg_field_number(&field, KREG_FIELD_ADD, o->flags, o->offset, by);
	field.threshold = o->threshold;
	field.set = o->set;
	if (!ret)
		ret = run_edit(table, key, key_len, &field, 1, &edit);
	if (ret)
		return edit_failed(ret, table, key_len, 0);
	if (now)
		*now = field.out;
	return 0;
}

int kreg_counter_add(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
		     int64_t *now)
{
	return add(table, key, key_len, &(struct kreg_counter_options){ 0 }, by, now);
}

int kreg_counter_add_from(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
			  int64_t start, int64_t *now)
{
	const struct kreg_counter_options o = { .starts = 1, .start = start };

	return add(table, key, key_len, &o, by, now);
}

int kreg_counter_add_with(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
			  const struct kreg_counter_options *options, int64_t *now)
{
	struct kreg_counter_options o = { 0 };
	int ret = 0;

	if (options)
		ret = kreg_options_copy_from(&o, sizeof(o), COUNTER_OPTIONS_LEAST, options);
	if (ret)
		return edit_failed(ret, table, key_len, 0);
	return add(table, key, key_len, &o, by, now);
}

static int get_range(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
		     void *buf, size_t room, struct kreg_op *out)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	int ret;

	if (offset > UINT32_MAX)
		return -ERANGE;
	ret = kreg_op_fill(&io.op, KREG_OP_GET, key, key_len, buf, room);
	if (ret)
		return ret;
	io.op.flags = KREG_OP_PART;
	io.op.offset = offset;
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	*out = io.op;
	return ret;
}

static int range_failed(int ret, const struct kreg_table *table, size_t key_len, size_t offset)
{
	kreg_fail_table(ret, TRY_READ, table);
	return kreg_fail_sizes(ret, key_len, offset, 0);
}

/* How much of the value there is from @offset on. */
static size_t rest_of(const struct kreg_op *op, size_t offset, size_t most)
{
	return op->out_len - offset < most ? op->out_len - offset : most;
}

int kreg_get_range(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
		   void *buf, size_t room, size_t *len, size_t *value_len)
{
	struct kreg_op op;
	int ret = get_range(table, key, key_len, offset, buf, room, &op);

	if (ret)
		return range_failed(ret, table, key_len, offset);
	*len = rest_of(&op, offset, room);
	if (value_len)
		*value_len = op.out_len;
	return 0;
}

/* A loop, since the value may grow between two tries. */
int kreg_get_range_alloc(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
			 size_t most, void **bytes, size_t *len, size_t *value_len)
{
	size_t room = most < GUESS ? most : GUESS, got;
	char *buf = NULL, *more;
	struct kreg_op op;
	int ret;

	for (;;) {
		more = realloc(buf, room + 1);
		ret = more ? 0 : -ENOMEM;
		if (more)
			buf = more;
		if (!ret)
			ret = get_range(table, key, key_len, offset, buf, room, &op);
		if (ret) {
			free(buf);
			return range_failed(ret, table, key_len, offset);
		}
		got = rest_of(&op, offset, room);
		if (got == rest_of(&op, offset, most))
			break;
		room = rest_of(&op, offset, most);
	}
	buf[got] = '\0';
	*bytes = buf;
	if (len)
		*len = got;
	if (value_len)
		*value_len = op.out_len;
	return 0;
}

int kreg_counter_get(struct kreg_table *table, const void *key, size_t key_len, int64_t *now)
{
	struct kreg_op op;
	int64_t x;
	int ret = get_range(table, key, key_len, 0, &x, sizeof(x), &op);

	if (!ret && op.out_len < sizeof(x))
		ret = -ERANGE;
	if (ret)
		return range_failed(ret, table, key_len, sizeof(x));
	*now = x;
	return 0;
}

/* A PUT or DELETE with this condition. */
static int run_if(struct kreg_table *table, struct kreg_op_args *args, unsigned int flags,
		  uint64_t *now)
{
	int ret;

	args->size = sizeof(*args);
	args->flags = flags;
	ret = kreg_op_run(table, args);
	if (!ret && now)
		*now = args->out_version;
	return ret;
}

int kreg_put_present(struct kreg_table *table, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	struct kreg_op_args args = {
		.code = KREG_OP_PUT, .key = key, .key_len = key_len,
		.value = (void *)value, .value_len = value_len,
	};

	return run_if(table, &args, KREG_OP_PRESENT, NULL);
}

int kreg_swap(struct kreg_table *table, const void *key, size_t key_len, uint64_t version,
	      const void *value, size_t value_len, uint64_t *now)
{
	struct kreg_op_args args = {
		.code = KREG_OP_PUT, .key = key, .key_len = key_len,
		.value = (void *)value, .value_len = value_len, .version = version,
	};

	return run_if(table, &args, KREG_OP_VERSION, now);
}

int kreg_swap_value(struct kreg_table *table, const void *key, size_t key_len,
		    const void *old, size_t old_len, const void *value, size_t value_len)
{
	struct kreg_op_args args = {
		.code = KREG_OP_PUT, .key = key, .key_len = key_len,
		.value = (void *)value, .value_len = value_len,
		.expected = old, .expected_len = old_len,
	};

	return run_if(table, &args, KREG_OP_VALUE, NULL);
}

int kreg_del_version(struct kreg_table *table, const void *key, size_t key_len, uint64_t version)
{
	struct kreg_op_args args = {
		.code = KREG_OP_DELETE, .key = key, .key_len = key_len, .version = version,
	};

	return run_if(table, &args, KREG_OP_VERSION, NULL);
}

int kreg_del_value(struct kreg_table *table, const void *key, size_t key_len,
		   const void *value, size_t value_len)
{
	struct kreg_op_args args = {
		.code = KREG_OP_DELETE, .key = key, .key_len = key_len,
		.expected = value, .expected_len = value_len,
	};
	int ret = run_if(table, &args, KREG_OP_VALUE, NULL);

	return ret == -ECANCELED ? 0 : ret ? ret : (int)args.out_count;
}

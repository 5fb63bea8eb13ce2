/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of a batch that look at what is there: counters, edits, values as a condition. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

/*
 * What such an operation leads to lies behind its key and value in the buffer of the batch: a value
 * to compare with, the bytes that its fields copy, and a struct kreg_more with the value to start
 * from. Where these are is kept as an offset, and made a pointer for the call. The fields are the
 * value, which begins where a number may; what follows, too.
 */
static struct kreg_field *fields_of(const struct kreg_batch *b, const struct kreg_op *op)
{
	return (void *)(b->bytes + op->value);
}

/* Bytes behind those that are there; *at: where. They count as those of keys and values do. */
static int append_bytes(struct kreg_batch *b, const void *bytes, size_t len, uint64_t *at)
{
	size_t padding = -b->len & 7;
	int ret;

	if (len > KREG_MAX_BATCH_BYTES || b->payload + len > KREG_MAX_BATCH_BYTES)
		return -ENOBUFS;
	ret = kreg_batch_grow(b, padding + len);
	if (ret)
		return ret;
	b->len += padding;
	*at = b->len;
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	b->payload += len;
	return 0;
}

/* What is said besides, with the value to start from. */
static int append_more(struct kreg_batch *b, const struct kreg_more *more, const void *start,
		       uint64_t *at)
{
	struct kreg_more m = *more;
	int ret = append_bytes(b, start, m.start_len, at);

	m.start = m.start_len ? *at : 0;
	return ret ? ret : append_bytes(b, &m, sizeof(m), at);
}

/* Its terms stay where they are as long as the batch has a reference to it. */
static int keep_filter(struct kreg_batch *b, const struct kreg_filter *filter,
		       struct kreg_more *more)
{
	struct kreg_range which = { 0 };
	struct kreg_filter **kept;

	if (!filter)
		return 0;
	kept = realloc(b->filters, (b->nr_filters + 1) * sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	b->filters = kept;
	kept[b->nr_filters++] = kreg_filter_get(filter);
	kreg_filter_set(filter, &which);
	more->filter = which.filter;
	more->filter_count = which.filter_count;
	return 0;
}

void kreg_batch_drop_filters(struct kreg_batch *b)
{
	while (b->nr_filters)
		kreg_filter_free(b->filters[--b->nr_filters]);
	free(b->filters);
	b->filters = NULL;
}

/* Nobody would be told what it has come to. */
static int refuse_async(const struct kreg_batch *b)
{
	return b->flags & KREG_WRITE_ASYNC ?
	       kreg_cause(-EOPNOTSUPP, "an asynchronous batch has no edits and no conditions") : 0;
}

/* An operation that could not be finished is taken back. */
static int take_back(struct kreg_batch *b, const struct kreg_batch *was, int ret)
{
	b->count = was->count;
	b->len = was->len;
	b->payload = was->payload;
	return kreg_fail_table(ret, TRY_BATCH, b->table);
}

static int finish(struct kreg_batch *b, int index, uint16_t flags, uint64_t arg)
{
	b->ops[index].flags |= flags;
	b->ops[index].arg = arg;
	b->looks = true;
	return index;
}

static int add_if_value(struct kreg_batch *b, unsigned int code, const void *key, size_t key_len,
			const void *value, size_t value_len, const void *old, size_t old_len)
{
	struct kreg_batch was = *b;
	int ret = refuse_async(b), index;
	uint64_t at;

	if (!ret && old_len > KREG_MAX_VALUE)
		ret = kreg_cause(-EFBIG, "the value to compare with is longer than any");
	if (ret)
		return kreg_fail_table(ret, TRY_BATCH, b->table);
	index = kreg_batch_add(b, code, key, key_len, value, value_len);
	if (index < 0)
		return index;
	ret = append_bytes(b, old, old_len, &at);
	if (ret)
		return take_back(b, &was, ret);
	b->ops[index].offset = old_len;
	return finish(b, index, KREG_OP_VALUE, at);
}

int kreg_batch_swap_value(struct kreg_batch *batch, const void *key, size_t key_len,
			  const void *old, size_t old_len, const void *value, size_t value_len)
{
	return add_if_value(batch, KREG_OP_PUT, key, key_len, value, value_len, old, old_len);
}

int kreg_batch_del_value(struct kreg_batch *batch, const void *key, size_t key_len,
			 const void *value, size_t value_len)
{
	return add_if_value(batch, KREG_OP_DELETE, key, key_len, NULL, 0, value, value_len);
}

int kreg_batch_put_with(struct kreg_batch *batch, const void *key, size_t key_len,
			const void *value, size_t value_len,
			const struct kreg_put_options *options)
{
	struct kreg_batch was = *batch;
	struct kreg_put_options o;
	struct kreg_more more;
	int index, ret = refuse_async(batch);
	uint64_t at;

	if (!ret)
		ret = kreg_put_read_options(&o, options);
	if (ret)
		return kreg_fail_table(ret, TRY_BATCH, batch->table);
	index = kreg_batch_add(batch, KREG_OP_PUT, key, key_len, value, value_len);
	if (index < 0)
		return index;
	kreg_put_set_more(&more, &o);
	ret = keep_filter(batch, o.filter, &more);
	if (!ret)
		ret = append_more(batch, &more, NULL, &at);
	if (ret)
		return take_back(batch, &was, ret);
	return finish(batch, index, o.flags | KREG_OP_MORE, at);
}

/* The bytes that the fields copy; where they are is in @operand then. Nothing has come out yet. */
static int append_copied(struct kreg_batch *b, int index)
{
	unsigned int i, count = b->ops[index].value_len / sizeof(struct kreg_field);
	int ret = 0;

	for (i = 0; i < count && !ret; i++) {
		struct kreg_field *f = &fields_of(b, &b->ops[index])[i];
		uint64_t at = 0;

		f->out = 0;
		if (f->code != KREG_FIELD_COPY || !f->set)
			continue;
		ret = append_bytes(b, (const void *)(uintptr_t)f->operand, f->set, &at);
		/* The buffer may have moved. */
		fields_of(b, &b->ops[index])[i].operand = at;
	}
	return ret;
}

/* Room before the key, so that the fields behind it begin where a number may. */
static int align_fields(struct kreg_batch *b, size_t key_len)
{
	size_t padding = -(b->len + key_len) & 7;
	int ret = kreg_batch_grow(b, padding);

	if (ret)
		return kreg_fail_table(ret, TRY_BATCH, b->table);
	b->len += padding;
	return 0;
}

static int check_edit(const struct kreg_batch *b, size_t count, const struct kreg_edit_options *o)
{
	int ret = refuse_async(b);

	return ret ? ret : kreg_edit_check(count, o);
}

static int add_edit(struct kreg_batch *b, const void *key, size_t key_len,
		    const struct kreg_field *fields, size_t count,
		    const struct kreg_edit_options *o)
{
	struct kreg_batch was = *b;
	int index, ret = check_edit(b, count, o);
	struct kreg_more more;
	uint64_t at = 0;

	if (ret)
		return kreg_fail_table(ret, TRY_EDIT, b->table);
	ret = align_fields(b, key_len);
	if (ret)
		return ret;
	index = kreg_batch_add(b, KREG_OP_EDIT, key, key_len, fields, count * sizeof(*fields));
	if (index < 0) {
		b->len = was.len;
		return index;
	}
	ret = append_copied(b, index);
	if (!ret && (o->start || o->if_version || o->filter)) {
		kreg_edit_set_more(&more, o);
		ret = keep_filter(b, o->filter, &more);
		if (!ret)
			ret = append_more(b, &more, o->start, &at);
	}
	if (ret)
		return take_back(b, &was, ret);
	return finish(b, index, at ? KREG_OP_MORE : 0, at);
}

int kreg_batch_edit(struct kreg_batch *batch, const void *key, size_t key_len,
		    const struct kreg_field *fields, size_t count,
		    const struct kreg_edit_options *options)
{
	struct kreg_edit_options o;
	int ret = kreg_edit_read_options(&o, options);

	if (ret)
		return kreg_fail_table(ret, TRY_EDIT, batch->table);
	return add_edit(batch, key, key_len, fields, count, &o);
}

int kreg_batch_counter_add(struct kreg_batch *batch, const void *key, size_t key_len, int64_t by)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field field;

	kreg_field_number(&field, KREG_FIELD_ADD, 0, 0, by);
	return add_edit(batch, key, key_len, &field, 1, &o);
}

int kreg_batch_counter_add_from(struct kreg_batch *batch, const void *key, size_t key_len,
				int64_t by, int64_t start)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field field;

	o.start = &start;
	o.start_len = sizeof(start);
	kreg_field_number(&field, KREG_FIELD_ADD, 0, 0, by);
	return add_edit(batch, key, key_len, &field, 1, &o);
}

int kreg_batch_number(const struct kreg_batch *batch, unsigned int index, unsigned int field,
		      int64_t *now)
{
	const struct kreg_op *op = &batch->ops[index];

	if (index >= batch->count || !batch->ran || op->code != KREG_OP_EDIT ||
	    field >= op->value_len / sizeof(struct kreg_field))
		return -EINVAL;
	if (op->out_error)
		return -(int)op->out_error;
	*now = fields_of(batch, op)[field].out;
	return 0;
}

/* Called where @value of the operations is an offset; @there: what is here becomes pointers. */
static void move_copied(struct kreg_batch *b, const struct kreg_op *op, uint64_t by)
{
	struct kreg_field *f = fields_of(b, op), *end = f + op->value_len / sizeof(*f);

	for (; f != end; f++)
		if (f->code == KREG_FIELD_COPY && f->set)
			f->operand += by;
}

void kreg_batch_move_looks(struct kreg_batch *b, bool there)
{
	uint64_t by = there ? kreg_ptr(b->bytes) : -kreg_ptr(b->bytes);
	struct kreg_op *op;

	for (op = b->ops; op < b->ops + b->count; op++) {
		uint64_t at = there ? op->arg : op->arg + by;

		if (op->code == KREG_OP_EDIT)
			move_copied(b, op, by);
		if (op->flags & KREG_OP_MORE) {
			struct kreg_more *more = (void *)(b->bytes + at);

			more->start += more->start_len ? by : 0;
		}
		if (op->flags & (KREG_OP_MORE | KREG_OP_VALUE))
			op->arg += by;
	}
}

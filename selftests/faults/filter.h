/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c that ask objects what they hold.
 */
#ifndef KREG_FAULTS_FILTER_H
#define KREG_FAULTS_FILTER_H

#include "kit/filter.h"

/* What all objects begin with, and that they have a version. */
static struct kreg_term *filter_all(void)
{
	static struct kreg_term terms[2];

	terms[0] = test_term_bytes(KREG_TERM_VALUE, 0, bytes, 9);
	terms[1] = test_term(KREG_TERM_GT, KREG_TERM_VERSION, 0, 0, 0);
	return terms;
}

/* The filter is a part of the call, which is cut. */
static void call_filter(struct call *c, __u64 *holder, __u32 *count)
{
	call_in(c, PART_OPS, holder, filter_all(), 2 * sizeof(struct kreg_term));
	*count = 2;
}

MAKER(make_scan_filter)
{
	static __u64 room[AREA_HALF / 8];
	bool counts = test->flags & KREG_SCAN_COUNT;
	struct kreg_ioc_scan scan = { .flags = test->flags, .table = w->table };

	if (!counts) {
		scan.buf = test_ptr(room);
		scan.buf_len = sizeof(room);
	}
	test_set_filter(&scan.range, filter_all(), 2);
	test_scan(w->fd, &scan);
	ASSERT_EQ(3, scan.out_count);
	call_init(c, KREG_IOC_SCAN, sizeof(c->arg.scan), true);
	c->arg.scan = scan;
	if (!counts) {
		c->arg.scan.buf_len = scan.out_len;
		call_out(c, PART_VALUE, &c->arg.scan.buf, scan.out_len);
	}
	call_filter(c, &c->arg.scan.range.filter, &c->arg.scan.range.filter_count);
}

SWEEP(scan_filter, .make = make_scan_filter)
SWEEP(scan_filter_count, .make = make_scan_filter, .flags = KREG_SCAN_COUNT)
SWEEP(scan_filter_ordered, .make = make_scan_filter, .type = KREG_TYPE_ORDERED_SET)

/* PUT, DELETE and EDIT on condition of a filter, whose terms stay where they are. */
static void add_filter(struct call *c)
{
	static struct kreg_more more;

	more = (struct kreg_more) {
		.size = sizeof(more), .filter = test_ptr(filter_all()), .filter_count = 2,
	};
	c->arg.op.op.flags = KREG_OP_MORE;
	call_in(c, PART_OPS, &c->arg.op.op.arg, &more, sizeof(more));
	c->span[PART_OPS].out = true;
}

MAKER(make_filtered)
{
	make_op(_metadata, w, c, test);
	add_filter(c);
}

MAKER(make_filtered_edit)
{
	make_edit(_metadata, w, c, test);
	add_filter(c);
}

#define SWEEP_FILTERED(_name, _code, _object)				\
	SWEEP(_name, .make = make_filtered, .code = KREG_OP_##_code, .object = &(_object))

SWEEP_FILTERED(put_filter_small, PUT, small)
SWEEP_FILTERED(put_filter_blob, PUT, blob)
SWEEP_FILTERED(del_filter_page, DELETE, page)
SWEEP(edit_filter_small, .make = make_filtered_edit, .object = &small, .value = 10)
SWEEP(edit_filter_long, .make = make_filtered_edit, .object = &small, .value = LONG_VALUE)

/* One object, of which either all is done or nothing. */
MAKER(make_change)
{
	static struct kreg_field f[2];
	static char key[KREG_MAX_KEY], position[KREG_MAX_KEY];
	const struct object *o = test->object;
	struct kreg_ioc_change *change = &c->arg.change;

	call_init(c, KREG_IOC_CHANGE, sizeof(*change), true);
	change->table = w->table;
	change->code = test->code;
	change->range.flags = KREG_RANGE_EXACT;
	change->range.low_len = o->key_len;
	change->position = test_ptr(position);
	call_in(c, PART_KEY, &change->range.low, key_of(o, key), o->key_len);
	call_filter(c, &change->range.filter, &change->range.filter_count);
	if (test->code == KREG_OP_DELETE)
		return;
	f[0] = (struct kreg_field) { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP,
				     .operand = 1 };
	f[1] = (struct kreg_field) { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_EXTEND,
				     .offset = 4, .operand = test_ptr(bytes), .set = test->value };
	change->field_count = 2;
	call_in(c, PART_VALUE, &change->fields, f, sizeof(f));
}

#define SWEEP_CHANGE(_name, _code, _object, ...)			\
	SWEEP(_name, .make = make_change, .code = KREG_OP_##_code, .object = &(_object), \
	      __VA_ARGS__)

SWEEP_CHANGE(change_delete_small, DELETE, small)
SWEEP_CHANGE(change_delete_blob, DELETE, blob)
SWEEP_CHANGE(change_delete_bag, DELETE, page, .type = KREG_TYPE_BAG)
SWEEP_CHANGE(change_edit_small, EDIT, small, .value = 10)
SWEEP_CHANGE(change_edit_long, EDIT, small, .value = LONG_VALUE)

#endif /* KREG_FAULTS_FILTER_H */

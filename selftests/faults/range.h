/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c that look for ranges of keys.
 */
#ifndef KREG_FAULTS_RANGE_H
#define KREG_FAULTS_RANGE_H

/* The range has the keys @low and @high, or one of them, whose memory is cut as the room is. */
static void make_scan_in(struct __test_metadata *_metadata, struct world *w, struct call *c,
			 const struct test_case *test, const struct object *low,
			 const struct object *high)
{
	static char low_key[KREG_MAX_KEY], high_key[KREG_MAX_KEY];
	static __u64 room[AREA_HALF / 8];
	struct kreg_ioc_scan scan = {
		.flags = test->flags,
		.table = w->table,
		.range.flags = test->value,
		.range.low = low ? test_ptr(key_of(low, low_key)) : 0,
		.range.low_len = low ? low->key_len : 0,
		.range.high = high ? test_ptr(key_of(high, high_key)) : 0,
		.range.high_len = high ? high->key_len : 0,
	};
	bool counts = test->flags & KREG_SCAN_COUNT;

	if (!counts) {
		scan.buf = test_ptr(room);
		scan.buf_len = sizeof(room);
	}
	test_scan(w->fd, &scan);
	ASSERT_LT(0, scan.out_count);
	call_init(c, KREG_IOC_SCAN, sizeof(c->arg.scan), true);
	c->arg.scan = scan;
	if (!counts) {
		c->arg.scan.buf_len = scan.out_len;
		call_out(c, PART_VALUE, &c->arg.scan.buf, scan.out_len);
	}
	if (low)
		call_in(c, PART_KEY, &c->arg.scan.range.low, low_key, low->key_len);
	if (high)
		call_in(c, PART_OPS, &c->arg.scan.range.high, high_key, high->key_len);
}

MAKER(make_scan_range)
{
	make_scan_in(_metadata, w, c, test, &blob, &page);
}

MAKER(make_scan_key)
{
	make_scan_in(_metadata, w, c, test, test->object, NULL);
}

MAKER(make_scan_all)
{
	make_scan_in(_metadata, w, c, test, NULL, NULL);
}

SWEEP(scan_range, .make = make_scan_range)
SWEEP(scan_range_open, .make = make_scan_range, .value = KREG_RANGE_HIGH_OPEN)
SWEEP(scan_prefix, .make = make_scan_key, .object = &page, .value = KREG_RANGE_PREFIX)
SWEEP(scan_exact, .make = make_scan_key, .object = &blob, .value = KREG_RANGE_EXACT)
SWEEP(scan_count, .make = make_scan_all, .flags = KREG_SCAN_COUNT)
SWEEP(scan_count_range, .make = make_scan_range, .flags = KREG_SCAN_COUNT)
SWEEP(scan_ordered, .make = make_scan_range, .type = KREG_TYPE_ORDERED_SET)
#define SWEEP_BACK(_name, ...)						\
	SWEEP(_name, .type = KREG_TYPE_ORDERED_SET, .flags = KREG_SCAN_REVERSE, __VA_ARGS__)

SWEEP_BACK(scan_reverse, .make = make_scan_range)
SWEEP_BACK(scan_reverse_all, .make = make_scan_all)
SWEEP_BACK(scan_reverse_prefix, .make = make_scan_key, .object = &page, .value = KREG_RANGE_PREFIX)

#endif /* KREG_FAULTS_RANGE_H */

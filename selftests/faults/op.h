/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c on objects.
 */
#ifndef KREG_FAULTS_OP_H
#define KREG_FAULTS_OP_H

/* An operation whose key and value (or room) are parts of the call, to be cut. */
static void make_one(struct call *c, struct kreg_op *op, const struct object *o,
		     __u16 code, __u16 flags)
{
	static char key[KREG_MAX_KEY];

	op->code = code;
	op->flags = flags;
	if (code == KREG_OP_CLEAR)
		return;
	op->key_len = o->key_len;
	call_in(c, PART_KEY, &op->key, key_of(o, key), o->key_len);
	if (code == KREG_OP_DELETE || code == KREG_OP_MEMBER)
		return;
	op->value_len = o->value_len;
	if (code == KREG_OP_PUT || code == KREG_OP_PUBLISH)
		call_in(c, PART_VALUE, &op->value, bytes + 1, o->value_len);
	else
		call_out(c, PART_VALUE, &op->value, o->value_len);
}

MAKER(make_op)
{
	call_init(c, KREG_IOC_OP, test->tail ? sizeof(c->arg.op) : KREG_OP_SIZE, !test->flags);
	c->arg.op.table = w->table;
	c->arg.op.flags = test->flags;
	make_one(c, &c->arg.op.op, test->object, test->code, test->op_flags);
}

#define SWEEP_OP(_name, _code, _object, ...)				\
	SWEEP(_name, .make = make_op, .code = KREG_OP_##_code,		\
	      .object = &(_object), __VA_ARGS__)

SWEEP_OP(put_new_small, PUT, small2, .empty = true, .op_flags = KREG_OP_NEW)
SWEEP_OP(put_new_page, PUT, page2, .empty = true, .op_flags = KREG_OP_NEW)
SWEEP_OP(put_new_blob, PUT, blob2, .empty = true, .op_flags = KREG_OP_NEW)
SWEEP_OP(put_bound_new, PUT, small2, .empty = true, .op_flags = KREG_OP_BOUND)
SWEEP_OP(put_bound_small, PUT, small, .op_flags = KREG_OP_BOUND)
SWEEP_OP(put_bound_blob, PUT, blob, .op_flags = KREG_OP_BOUND)
SWEEP_OP(async_put_bound, PUT, small, .op_flags = KREG_OP_BOUND, .flags = KREG_WRITE_ASYNC)
SWEEP_OP(put_small, PUT, small, .quiet = QUIET_IF_LENT)
SWEEP_OP(put_small_tail, PUT, small, .tail = true, .quiet = QUIET_IF_LENT)
SWEEP_OP(get_small_tail, GET, small, .tail = true, .quiet = QUIET)
SWEEP_OP(put_page, PUT, page)
SWEEP_OP(put_blob, PUT, blob)
SWEEP_OP(get_small, GET, small, .quiet = QUIET)
SWEEP_OP(get_page, GET, page)
SWEEP_OP(get_blob, GET, blob)
SWEEP_OP(member_small, MEMBER, small, .quiet = QUIET)
SWEEP_OP(member_page, MEMBER, page)
SWEEP_OP(delete_small, DELETE, small, .quiet = QUIET_IF_LENT)
SWEEP_OP(delete_page, DELETE, page)
SWEEP_OP(delete_blob, DELETE, blob, .quiet = QUIET_IF_LENT)
SWEEP_OP(take_small, TAKE, small, .quiet = QUIET_IF_LENT)
SWEEP_OP(take_page, TAKE, page)
SWEEP_OP(take_blob, TAKE, blob)
SWEEP_OP(clear, CLEAR, small)
SWEEP_OP(put_acked, PUT, small, .tail = true, .flags = KREG_WRITE_ACKED)
SWEEP_OP(publish_small, PUBLISH, small, .quiet = QUIET_IF_LENT)
SWEEP_OP(publish_page, PUBLISH, page)
SWEEP_OP(async_put_small, PUT, small, .flags = KREG_WRITE_ASYNC, .quiet = QUIET_IF_LENT)
SWEEP_OP(async_put_page, PUT, page, .flags = KREG_WRITE_ASYNC)
SWEEP_OP(async_put_blob, PUT, blob, .flags = KREG_WRITE_ASYNC)
SWEEP_OP(async_delete, DELETE, page, .flags = KREG_WRITE_ASYNC)
SWEEP_OP(async_clear, CLEAR, small, .flags = KREG_WRITE_ASYNC)

SWEEP_OP(put_bound_full, PUT, small2, .empty = true, .op_flags = KREG_OP_BOUND,
	 .full = "max_user_bound", .at = 0)

MAKER(make_register)
{
	call_init(c, KREG_IOC_REGISTER, sizeof(c->arg.reg), true);
	c->arg.reg.table = w->table;
	c->arg.reg.key_len = strlen(NAME);
	c->arg.reg.value_len = 64;
	c->arg.reg.flags = test->flags;
	if (w->kid)
		c->arg.reg.process = w->kid->self;
	call_in(c, PART_KEY, &c->arg.reg.key, NAME, strlen(NAME));
	call_in(c, PART_VALUE, &c->arg.reg.value, bytes + 1, 64);
}

SWEEP(register_new, .make = make_register, .empty = true)
SWEEP(register_other, .make = make_register, .empty = true, .kid = true)
SWEEP(register_wait, .make = make_register, .empty = true, .flags = KREG_REGISTER_WAIT)

MAKER(make_linger)
{
	make_register(_metadata, w, c, test);
	c->arg.reg.linger_ms = 3600000;
}

SWEEP(register_linger, .make = make_linger, .empty = true)

MAKER(make_lease)
{
	const struct object *o = test->object;
	static char key[KREG_MAX_KEY];

	call_init(c, KREG_IOC_LEASE, sizeof(c->arg.lease), true);
	c->arg.lease.table = w->table;
	c->arg.lease.key_len = o->key_len;
	c->arg.lease.value_len = o->value_len;
	c->arg.lease.lease_ms = 3600000;
	call_in(c, PART_KEY, &c->arg.lease.key, key_of(o, key), o->key_len);
	call_out(c, PART_VALUE, &c->arg.lease.value, o->value_len);
}

#define SWEEP_LEASE(_name, _object, ...) \
	SWEEP(_name, .make = make_lease, .object = &(_object), __VA_ARGS__)

SWEEP_LEASE(lease_small, small)
SWEEP_LEASE(lease_page, page)
SWEEP_LEASE(lease_blob, blob)
SWEEP_LEASE(lease_full, small, .full = "max_user_bound", .at = 0)

/* The first that has this key, which is told. */
MAKER(make_lease_first)
{
	const struct object *o = test->object;
	struct kreg_ioc_lease *lease = &c->arg.lease;
	static char key[KREG_MAX_KEY];

	call_init(c, KREG_IOC_LEASE, sizeof(*lease), true);
	lease->flags = KREG_LEASE_FIRST;
	lease->table = w->table;
	lease->key_len = o->key_len;
	lease->value_len = o->value_len;
	lease->range.flags = KREG_RANGE_PREFIX;
	lease->range.low_len = o->key_len;
	call_in(c, PART_KEY, &lease->range.low, key_of(o, key), o->key_len);
	call_out(c, PART_OPS, &lease->key, o->key_len);
	call_out(c, PART_VALUE, &lease->value, o->value_len);
}

#define SWEEP_FIRST(_name, _object) \
	SWEEP(_name, .make = make_lease_first, .object = &(_object), .type = KREG_TYPE_ORDERED_SET)

SWEEP_FIRST(lease_first_small, small)
SWEEP_FIRST(lease_first_blob, blob)

/* The object is on loan to the caller's process. */
MAKER(make_return)
{
	static char key[KREG_MAX_KEY];
	char room[64];
	struct kreg_ioc_lease lease = {
		.size = sizeof(lease),
		.table = w->table,
		.key = test_ptr(key_of(&small, key)),
		.key_len = small.key_len,
		.value = test_ptr(room),
		.value_len = sizeof(room),
	};

	ASSERT_EQ(0, test_ioctl(w->fd, KREG_IOC_LEASE, &lease));
	call_init(c, KREG_IOC_LEASE, sizeof(c->arg.lease), true);
	c->arg.lease.table = w->table;
	c->arg.lease.flags = KREG_LEASE_RETURN;
	c->arg.lease.key_len = small.key_len;
	call_in(c, PART_KEY, &c->arg.lease.key, key, small.key_len);
}

SWEEP(lease_return, .make = make_return, .quiet = QUIET_IF_LENT)

/* A PUT that says more, in memory that is cut. */
MAKER(make_more)
{
	static struct kreg_more more;

	more = (struct kreg_more) { .size = sizeof(more), .linger_ms = 3600000 };
	make_op(_metadata, w, c, test);
	c->arg.op.op.flags = KREG_OP_BOUND | KREG_OP_MORE;
	call_in(c, PART_OPS, &c->arg.op.op.arg, &more, sizeof(more));
	c->span[PART_OPS].out = true;
}

SWEEP(put_more, .make = make_more, .code = KREG_OP_PUT, .object = &small2, .empty = true)

/* One that expires, of which the first brings a wheel and a timer; and a read that asks when. */
MAKER(make_timed)
{
	static struct kreg_more more;

	more = (struct kreg_more) { .size = sizeof(more) };
	if (test->code == KREG_OP_PUT) {
		more.expires_ns = test_now_ns() + 3600000000000ULL;
		more.idle_ms = test->value;
	}
	make_op(_metadata, w, c, test);
	c->arg.op.op.flags = KREG_OP_MORE;
	call_in(c, PART_OPS, &c->arg.op.op.arg, &more, sizeof(more));
	c->span[PART_OPS].out = true;
}

SWEEP(put_timed, .make = make_timed, .code = KREG_OP_PUT, .object = &small2, .empty = true)
SWEEP(put_timed_blob, .make = make_timed, .code = KREG_OP_PUT, .object = &blob2, .empty = true)
SWEEP(get_when, .make = make_timed, .code = KREG_OP_GET, .object = &small, .quiet = QUIET)

/* An operation whose key and value are in ordinary memory. */
static struct kreg_op op_beside(const struct object *o, __u16 code, __u16 flags)
{
	static char keys[256][KREG_MAX_KEY], rooms[256][16384];
	unsigned char i = o->letter;
	const void *value = code == KREG_OP_PUT ? bytes + 2 : rooms[i];
	struct kreg_op op = test_op_value(code, key_of(o, keys[i]), o->key_len,
					  value, o->value_len);

	/* Write to it, so that the call meets no page fault there. */
	memset(rooms[i], 0, sizeof(rooms[i]));
	op.flags = flags;
	return op;
}

/* A small object, one of the case's kind whose memory is cut, and a blob. */
MAKER(make_batch)
{
	bool fresh = test->op_flags & KREG_OP_NEW;

	call_init(c, KREG_IOC_BATCH, sizeof(c->arg.batch), true);
	c->arg.batch = test_batch_cmd(w->table, test->flags, NULL, CALL_OPS);
	c->ops[0] = op_beside(fresh ? &small2 : &small, test->code, test->op_flags);
	make_one(c, &c->ops[1], test->object, test->code, test->op_flags);
	c->ops[2] = op_beside(fresh ? &blob2 : &blob, test->code, test->op_flags);
	call_in(c, PART_OPS, &c->arg.batch.ops, c->ops, sizeof(c->ops));
	c->span[PART_OPS].out = !(test->flags & KREG_WRITE_ASYNC);
}

#define SWEEP_BATCH(_name, _code, _object, ...)				\
	SWEEP(_name, .make = make_batch, .code = KREG_OP_##_code,	\
	      .object = &(_object), __VA_ARGS__)

/* The same as a group of one. */
MAKER(make_group)
{
	static struct kreg_ioc_batch batch;

	call_init(c, KREG_IOC_GROUP, sizeof(c->arg.group), true);
	batch = test_batch_cmd(w->table, 0, NULL, CALL_OPS);
	c->ops[0] = op_beside(&small, test->code, 0);
	make_one(c, &c->ops[1], test->object, test->code, 0);
	c->ops[2] = op_beside(&small2, test->code, 0);
	call_in(c, PART_OPS, &batch.ops, c->ops, sizeof(c->ops));
	c->span[PART_OPS].out = true;
	c->arg.group.count = 1;
	c->arg.group.batch_size = sizeof(batch);
	call_in(c, PART_BATCHES, &c->arg.group.batches, &batch, sizeof(batch));
	c->span[PART_BATCHES].out = true;
}

SWEEP(group_put, .make = make_group, .code = KREG_OP_PUT, .object = &page)

SWEEP_BATCH(batch_put_small, PUT, small)
SWEEP_BATCH(batch_put_page, PUT, page)
SWEEP_BATCH(batch_put_blob, PUT, blob)
SWEEP_BATCH(batch_put_new, PUT, page2, .empty = true, .op_flags = KREG_OP_NEW)
SWEEP_BATCH(batch_bound, PUT, page, .op_flags = KREG_OP_BOUND)
SWEEP_BATCH(batch_bound_atomic, PUT, page, .op_flags = KREG_OP_BOUND, .flags = KREG_BATCH_ATOMIC)
SWEEP_BATCH(batch_get_small, GET, small)
SWEEP_BATCH(batch_get_page, GET, page)
SWEEP_BATCH(batch_get_blob, GET, blob)
SWEEP_BATCH(batch_atomic, PUT, page, .flags = KREG_BATCH_ATOMIC)
SWEEP_BATCH(batch_atomic_new, PUT, page2, .empty = true,
	    .op_flags = KREG_OP_NEW, .flags = KREG_BATCH_ATOMIC)
SWEEP_BATCH(batch_async, PUT, page, .flags = KREG_WRITE_ASYNC)
SWEEP_BATCH(batch_async_atomic, PUT, blob,
	    .flags = KREG_WRITE_ASYNC | KREG_BATCH_ATOMIC)

/* A blob's deletion and a new one behind a clear: all or nothing. */
MAKER(make_batch_mixed)
{
	make_batch(_metadata, w, c, test);
	c->arg.batch.flags = KREG_BATCH_ATOMIC;
	c->ops[0] = (struct kreg_op) { .code = KREG_OP_CLEAR };
	c->ops[2] = test_ops(KREG_OP_DELETE, "none");
}

SWEEP(batch_clear, .make = make_batch_mixed, .code = KREG_OP_PUT, .object = &blob)

/* A scan with exactly the room that it needs. */
static void make_scan_after(struct __test_metadata *_metadata, struct world *w,
			    struct call *c, __u32 flags, const void *key,
			    __u32 key_len)
{
	static __u64 room[AREA_HALF / 8];
	struct kreg_ioc_scan scan = {
		.flags = flags,
		.table = w->table,
		.range.after = test_ptr(key),
		.range.after_len = key_len,
		.buf = test_ptr(room),
		.buf_len = sizeof(room),
	};

	if (flags & KREG_SCAN_OF)
		scan.process = test_self(w->fd);
	test_scan(w->fd, &scan);
	ASSERT_LT(0, scan.out_len);
	call_init(c, KREG_IOC_SCAN, sizeof(c->arg.scan), true);
	c->arg.scan = scan;
	c->arg.scan.buf_len = scan.out_len;
	c->arg.scan.max_count = scan.out_count;
	call_out(c, PART_VALUE, &c->arg.scan.buf, scan.out_len);
	if (key_len)
		call_in(c, PART_KEY, &c->arg.scan.range.after, key, key_len);
}

MAKER(make_scan)
{
	make_scan_after(_metadata, w, c, test->flags, NULL, 0);
}

SWEEP(scan, .make = make_scan)
SWEEP(scan_keys, .make = make_scan, .flags = KREG_SCAN_KEYS)
SWEEP(scan_processes, .make = make_scan, .flags = KREG_SCAN_PROCESSES)

/* Of what is bound to the caller. */
MAKER(make_scan_of)
{
	test_bind(w->fd, w->table, "bound", "v");
	make_scan_after(_metadata, w, c, KREG_SCAN_OF | test->flags, NULL, 0);
}

SWEEP(scan_of, .make = make_scan_of, .flags = KREG_SCAN_PROCESSES)
SWEEP(scan_of_keys, .make = make_scan_of, .flags = KREG_SCAN_KEYS)

/* A scan that goes on after the first object. */
MAKER(make_scan_on)
{
	static struct {
		struct kreg_object o;
		char key[KREG_MAX_KEY];
	} first;
	struct kreg_ioc_scan scan = {
		.flags = KREG_SCAN_KEYS,
		.table = w->table,
		.max_count = 1,
		.buf = test_ptr(&first),
		.buf_len = sizeof(first),
	};

	test_scan(w->fd, &scan);
	make_scan_after(_metadata, w, c, 0, first.key, first.o.key_len);
}

SWEEP(scan_on, .make = make_scan_on)

#endif /* KREG_FAULTS_OP_H */

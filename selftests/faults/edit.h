/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c that depend on the value that is there.
 */
#ifndef KREG_FAULTS_EDIT_H
#define KREG_FAULTS_EDIT_H

/* Longer than fits a slot. */
#define LONG_VALUE	20000

/* A number that is counted up, and bytes that are copied over the end: @value of them. */
MAKER(make_edit)
{
	static struct kreg_field f[2];
	static char key[KREG_MAX_KEY];
	const struct object *o = test->object;
	struct kreg_op *op = &c->arg.op.op;

	f[0] = (struct kreg_field) { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP,
				     .operand = 1 };
	f[1] = (struct kreg_field) { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_EXTEND,
				     .offset = 4, .operand = test_ptr(bytes), .set = test->value };
	call_init(c, KREG_IOC_OP, test->tail ? sizeof(c->arg.op) : KREG_OP_SIZE, true);
	c->arg.op.table = w->table;
	op->code = KREG_OP_EDIT;
	op->key_len = o->key_len;
	op->value_len = sizeof(f);
	call_in(c, PART_KEY, &op->key, key_of(o, key), o->key_len);
	call_in(c, PART_VALUE, &op->value, f, sizeof(f));
	c->span[PART_VALUE].out = true;
}

#define SWEEP_EDIT(_name, _object, _bytes, ...)				\
	SWEEP(_name, .make = make_edit, .object = &(_object), .value = _bytes, __VA_ARGS__)

SWEEP_EDIT(edit_small, small, 10, .quiet = QUIET_IF_LENT)
SWEEP_EDIT(edit_small_tail, small, 10, .tail = true, .quiet = QUIET_IF_LENT)
SWEEP_EDIT(edit_page, page, 100)
SWEEP_EDIT(edit_much, page, 12000)
SWEEP_EDIT(edit_gets_long, small, LONG_VALUE)

/* The object is long already. */
MAKER(make_edit_long)
{
	char key[KREG_MAX_KEY];

	test_put(w->fd, w->table, key_of(&small, key), small.key_len, bytes, LONG_VALUE);
	make_edit(_metadata, w, c, test);
}

SWEEP(edit_long, .make = make_edit_long, .object = &small, .value = 10)

/* Where there is nothing, from @value bytes that are there. */
MAKER(make_start)
{
	static struct kreg_more more;

	more = (struct kreg_more) {
		.size = sizeof(more), .flags = KREG_MORE_START,
		.start = test_ptr(bytes), .start_len = test->value,
	};
	make_edit(_metadata, w, c, test);
	c->arg.op.op.flags = KREG_OP_MORE;
	call_in(c, PART_OPS, &c->arg.op.op.arg, &more, sizeof(more));
	c->span[PART_OPS].out = true;
}

SWEEP(edit_start, .make = make_start, .object = &small2, .value = 10, .empty = true)
SWEEP(edit_start_long, .make = make_start, .object = &page2, .value = LONG_VALUE, .empty = true)

/* PUT and DELETE of an object that has a value, of which memory is cut. */
MAKER(make_compared)
{
	make_op(_metadata, w, c, test);
	c->arg.op.op.offset = test->value ?: test->object->value_len;
	call_in(c, PART_OPS, &c->arg.op.op.arg, bytes, c->arg.op.op.offset);
}

#define SWEEP_COMPARED(_name, _code, _object, ...)			\
	SWEEP(_name, .make = make_compared, .code = KREG_OP_##_code,	\
	      .object = &(_object), .op_flags = KREG_OP_VALUE, __VA_ARGS__)

SWEEP_COMPARED(swap_small, PUT, small, .quiet = QUIET_IF_LENT)
SWEEP_COMPARED(swap_page, PUT, page)
SWEEP_COMPARED(swap_blob, PUT, blob)
SWEEP_COMPARED(del_value_small, DELETE, small, .quiet = QUIET_IF_LENT)
SWEEP_COMPARED(del_value_page, DELETE, page)

MAKER(make_compared_long)
{
	char key[KREG_MAX_KEY];

	test_put(w->fd, w->table, key_of(&small, key), small.key_len, bytes, LONG_VALUE);
	make_compared(_metadata, w, c, test);
}

#define SWEEP_LONG(_name, _code)					\
	SWEEP(_name, .make = make_compared_long, .code = KREG_OP_##_code,	\
	      .object = &small, .op_flags = KREG_OP_VALUE, .value = LONG_VALUE)

SWEEP_LONG(swap_long, PUT)
SWEEP_LONG(del_value_long, DELETE)

/* A part of a value: all but its first byte. */
MAKER(make_part)
{
	make_op(_metadata, w, c, test);
	c->arg.op.op.offset = 1;
	call_out(c, PART_VALUE, &c->arg.op.op.value, test->object->value_len - 1);
	c->arg.op.op.value_len--;
}

#define SWEEP_PART(_name, _object, ...)					\
	SWEEP(_name, .make = make_part, .code = KREG_OP_GET,		\
	      .object = &(_object), .op_flags = KREG_OP_PART, __VA_ARGS__)

SWEEP_PART(part_small, small, .quiet = QUIET)
SWEEP_PART(part_page, page)
SWEEP_PART(part_blob, blob)

SWEEP_OP(put_present, PUT, small, .op_flags = KREG_OP_PRESENT, .quiet = QUIET_IF_LENT)
SWEEP_BATCH(batch_present, PUT, page, .op_flags = KREG_OP_PRESENT, .flags = KREG_BATCH_ATOMIC)

/*
 * A batch: a number, an edit whose memory is cut, of @value bytes, and a long value that keeps its
 * expiry.
 */
MAKER(make_batch_edit)
{
	static struct kreg_field f[3];
	static char key[KREG_MAX_KEY];
	const struct object *o = test->object;
	struct kreg_op *op = &c->ops[1];

	f[0] = (struct kreg_field) { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP,
				     .operand = 1 };
	f[1] = (struct kreg_field) { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_EXTEND,
				     .offset = 4, .operand = test_ptr(bytes), .set = test->value };
	f[2] = f[0];
	call_init(c, KREG_IOC_BATCH, sizeof(c->arg.batch), true);
	c->arg.batch = test_batch_cmd(w->table, test->flags, NULL, CALL_OPS);
	c->ops[0] = op_beside(&small, KREG_OP_EDIT, 0);
	c->ops[0].value = test_ptr(&f[2]);
	c->ops[0].value_len = sizeof(f[2]);
	*op = (struct kreg_op) {
		.code = KREG_OP_EDIT, .key_len = o->key_len, .value_len = 2 * sizeof(f[0]),
	};
	call_in(c, PART_KEY, &op->key, key_of(o, key), o->key_len);
	call_in(c, PART_VALUE, &op->value, f, 2 * sizeof(f[0]));
	c->span[PART_VALUE].out = true;
	c->ops[2] = op_beside(&blob, KREG_OP_PUT, KREG_OP_KEEP);
	call_in(c, PART_OPS, &c->arg.batch.ops, c->ops, sizeof(c->ops));
	c->span[PART_OPS].out = true;
}

#define SWEEP_BATCH_EDIT(_name, _bytes, ...)				\
	SWEEP(_name, .make = make_batch_edit, .object = &page, .value = _bytes, __VA_ARGS__)

SWEEP_BATCH_EDIT(batch_edit, 100)
SWEEP_BATCH_EDIT(batch_edit_atomic, 100, .flags = KREG_BATCH_ATOMIC)
SWEEP_BATCH_EDIT(batch_edit_much, 12000, .flags = KREG_BATCH_ATOMIC)

/* Three objects, one of them with what its @arg leads to, of which memory is cut. */
static void make_batch_with(struct call *c, struct world *w, const struct test_case *test,
			    __u16 flag, const void *arg, size_t len)
{
	call_init(c, KREG_IOC_BATCH, sizeof(c->arg.batch), true);
	c->arg.batch = test_batch_cmd(w->table, test->flags, NULL, CALL_OPS);
	c->ops[0] = op_beside(&small, KREG_OP_PUT, 0);
	c->ops[1] = op_beside(test->object, KREG_OP_PUT, flag);
	c->ops[2] = op_beside(&blob, KREG_OP_PUT, 0);
	c->ops[1].offset = flag == KREG_OP_VALUE ? len : 0;
	call_in(c, PART_VALUE, &c->ops[1].arg, arg, len);
	call_in(c, PART_OPS, &c->arg.batch.ops, c->ops, sizeof(c->ops));
	c->span[PART_OPS].out = true;
}

/* On condition of a value. */
MAKER(make_batch_compared)
{
	make_batch_with(c, w, test, KREG_OP_VALUE, bytes, test->object->value_len);
}

/* What expires, of which the first brings a wheel and a timer. */
MAKER(make_batch_timed)
{
	static struct kreg_more more;

	more = (struct kreg_more) {
		.size = sizeof(more), .expires_ns = test_now_ns() + 3600000000000ULL,
	};
	make_batch_with(c, w, test, KREG_OP_MORE, &more, sizeof(more));
}

#define SWEEP_BATCH_LOOKS(_name, _make, _flags)				\
	SWEEP(_name, .make = _make, .object = &page, .flags = _flags)

SWEEP_BATCH_LOOKS(batch_swap, make_batch_compared, 0)
SWEEP_BATCH_LOOKS(batch_swap_atomic, make_batch_compared, KREG_BATCH_ATOMIC)
SWEEP_BATCH_LOOKS(batch_timed, make_batch_timed, KREG_BATCH_ATOMIC)

#endif /* KREG_FAULTS_EDIT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c on keys that may have several objects.
 */
#ifndef KREG_FAULTS_BAG_H
#define KREG_FAULTS_BAG_H

/* What MEMBER tells of the key of the test, which becomes that of the call. */
static struct kreg_op look_at_key(struct __test_metadata *_metadata, struct world *w,
				  struct call *c, const struct test_case *test, __u16 code)
{
	static char key[KREG_MAX_KEY];
	struct kreg_op *op = &c->arg.op.op, found;

	found = test_op(KREG_OP_MEMBER, key_of(test->object, key), test->object->key_len);
	test_op_(w->fd, w->table, 0, &found);
	call_init(c, KREG_IOC_OP, KREG_OP_SIZE, true);
	c->arg.op.table = w->table;
	op->code = code;
	op->key_len = test->object->key_len;
	call_in(c, PART_KEY, &op->key, key, op->key_len);
	return found;
}

/* GET or TAKE, with as much room as the objects of the key take. */
MAKER(make_run)
{
	struct kreg_op all = look_at_key(_metadata, w, c, test, test->code);

	c->arg.op.op.value_len = all.out_len;
	call_out(c, PART_VALUE, &c->arg.op.op.value, all.out_len);
}

/* DELETE of the very object. */
MAKER(make_delete_one)
{
	struct kreg_op one = look_at_key(_metadata, w, c, test, KREG_OP_DELETE);

	c->arg.op.op.flags = KREG_OP_VERSION;
	c->arg.op.op.arg = one.out_version;
	c->arg.op.op.offset = one.out_sub;
}

#define SWEEP_BAG(_name, _object, ...)					\
	SWEEP(bag_##_name, .type = KREG_TYPE_BAG, .object = &(_object), __VA_ARGS__)

SWEEP_BAG(put_small, small, .make = make_op, .code = KREG_OP_PUT, .quiet = QUIET_IF_LENT)
SWEEP_BAG(put_new_small, small2, .make = make_op, .code = KREG_OP_PUT, .empty = true)
SWEEP_BAG(put_page, page, .make = make_op, .code = KREG_OP_PUT)
SWEEP_BAG(put_blob, blob, .make = make_op, .code = KREG_OP_PUT)
SWEEP_BAG(put_bound, small, .make = make_op, .code = KREG_OP_PUT, .op_flags = KREG_OP_BOUND)
SWEEP_BAG(async_put, small, .make = make_op, .code = KREG_OP_PUT, .flags = KREG_WRITE_ASYNC,
	  .quiet = QUIET_IF_LENT)
SWEEP_BAG(put_timed, small, .make = make_timed, .code = KREG_OP_PUT)
SWEEP_BAG(put_timed_blob, blob2, .make = make_timed, .code = KREG_OP_PUT, .empty = true)
SWEEP_BAG(batch_timed, page, .make = make_batch_timed, .flags = KREG_BATCH_ATOMIC)
SWEEP_BAG(group_put, page, .make = make_group, .code = KREG_OP_PUT)
SWEEP_BAG(member_when, page, .make = make_timed, .code = KREG_OP_MEMBER)
SWEEP_BAG(get_small, small, .make = make_run, .code = KREG_OP_GET)
SWEEP_BAG(get_blob, blob, .make = make_run, .code = KREG_OP_GET)
SWEEP_BAG(member, page, .make = make_op, .code = KREG_OP_MEMBER)
SWEEP_BAG(take_small, small, .make = make_run, .code = KREG_OP_TAKE)
SWEEP_BAG(take_blob, blob, .make = make_run, .code = KREG_OP_TAKE)
SWEEP_BAG(delete, page, .make = make_op, .code = KREG_OP_DELETE)
SWEEP_BAG(delete_one, blob, .make = make_delete_one, .quiet = QUIET_IF_LENT)
SWEEP_BAG(scan, blob, .make = make_scan_key, .value = KREG_RANGE_EXACT)

#endif /* KREG_FAULTS_BAG_H */

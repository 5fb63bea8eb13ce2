// SPDX-License-Identifier: GPL-2.0
/*
 * Writes in a batch that are meant for an object which matches a filter.
 */
#include "data/batch_edit.h"
#include "kit/filter.h"

static struct kreg_more more_if(const struct kreg_term *terms, __u32 count)
{
	return (struct kreg_more) {
		.size = sizeof(struct kreg_more),
		.filter = test_ptr(terms),
		.filter_count = count,
	};
}

static struct kreg_op with_more(struct kreg_op op, const struct kreg_more *more)
{
	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(more);
	return op;
}

static struct kreg_term is_number(__u64 n)
{
	return test_term(KREG_TERM_EQ, KREG_TERM_VALUE, 8, 0, n);
}

TEST_F(batch_edit, each_if_it_matches)
{
	struct kreg_term one = is_number(1), two = is_number(2);
	struct kreg_more if_one = more_if(&one, 1), if_two = more_if(&two, 1);
	struct kreg_field f = test_add(0, 10);
	__u64 nine = 9;
	struct kreg_op put = test_op_value(KREG_OP_PUT, "put", 3, &nine, sizeof(nine));
	struct kreg_op ops[] = {
		with_more(put, &if_one), with_more(test_op_edit("edit", &f, 1), &if_one),
		with_more(test_ops(KREG_OP_DELETE, "delete"), &if_one),
		with_more(test_op_edit("two", &f, 1), &if_two),
		with_more(test_op_edit("none", &f, 1), &if_two),
	};
	__u32 done, flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		put_number_("put", 1);
		put_number_("edit", 1);
		put_number_("delete", 1);
		put_number_("two", 1);
		if (flags) {
			/* The fourth does not, so nothing has happened. */
			test_err_batch(ECANCELED, self->fd, self->table, flags, ops, 4, &done);
			EXPECT_EQ(3, done);
			EXPECT_EQ(4, test_objects(self->fd, self->table));
			EXPECT_EQ(1, number_("edit"));
			put_number_("two", 2);
			ASSERT_EQ(0, run(flags, ops, 4));
		} else {
			test_batch(self->fd, self->table, flags, ops, 5, &done);
			EXPECT_EQ(3, done);
			EXPECT_EQ(ECANCELED, ops[3].out_error);
			EXPECT_EQ(ECANCELED, ops[4].out_error);
		}
		EXPECT_EQ(9, number_("put"));
		EXPECT_EQ(11, number_("edit"));
		test_err_member(ENODATA, self->fd, self->table, "delete");
		EXPECT_EQ(flags ? 12 : 1, number_("two"));
	}
}

/* Of an atomic batch what was there before it is asked, else what is there by then. */
TEST_F(batch_edit, as_it_was_before)
{
	struct kreg_term one = is_number(1), six = is_number(6);
	struct kreg_more if_one = more_if(&one, 1), if_six = more_if(&six, 1);
	struct kreg_field f = test_add(0, 5);
	struct kreg_op ops[2] = { test_op_edit("k", &f, 1),
				  with_more(test_op_edit("k", &f, 1), &if_one) };

	put_number_("k", 1);
	ASSERT_EQ(0, run(ATOMIC, ops, 2));
	EXPECT_EQ(11, number_("k"));
	put_number_("k", 1);
	ASSERT_EQ(0, run(0, ops, 2));
	EXPECT_EQ(ECANCELED, ops[1].out_error);
	EXPECT_EQ(6, number_("k"));
	put_number_("k", 1);
	ops[1] = with_more(test_ops(KREG_OP_DELETE, "k"), &if_six);
	ASSERT_EQ(0, run(0, ops, 2));
	test_err_member(ENODATA, self->fd, self->table, "k");
}

/* A long value is asked where it is, though it is not edited in a batch. */
TEST_F(batch_edit, long_ones_that_match)
{
	static char value[LONG];
	struct kreg_term last = test_term_bytes(KREG_TERM_VALUE, LONG - 4, "last", 4);
	struct kreg_more more = more_if(&last, 1);
	struct kreg_op ops[2] = {
		with_more(test_op_value(KREG_OP_PUT, "a", 1, value, LONG), &more),
		with_more(test_ops(KREG_OP_DELETE, "b"), &more),
	};
	__u32 flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		memcpy(value + LONG - 4, "last", 4);
		test_put(self->fd, self->table, "a", 1, value, LONG);
		test_put(self->fd, self->table, "b", 1, value, LONG);
		value[LONG - 1] = 'x';
		ASSERT_EQ(0, run(flags, ops, 2));
		EXPECT_EQ(1, ops[0].out_count);
		EXPECT_EQ(1, ops[1].out_count);
		EXPECT_EQ(1, test_objects(self->fd, self->table));
		test_err_batch(flags ? ECANCELED : 0, self->fd, self->table, flags, ops, 1, NULL);
		EXPECT_EQ(flags ? 0 : ECANCELED, flags ? 0 : ops[0].out_error);
	}
}

/* So many, and such long ones, that they are looked at in many holds of the turn. */
TEST_F(batch_edit, many_that_match)
{
	enum { MANY = 600 };
	static struct kreg_term terms[KREG_MAX_TERMS];
	static struct kreg_op ops[MANY];
	static char keys[MANY][8];
	struct kreg_more more = more_if(terms, KREG_MAX_TERMS);
	__u32 i, n = test_size(MANY), done;

	for (i = 0; i < KREG_MAX_TERMS; i++)
		terms[i] = test_term(KREG_TERM_LT, KREG_TERM_VALUE, 8, 0, 1000 + i);
	for (i = 0; i < n; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%u", i);
		put_number(self->fd, self->table, keys[i], i % 2 ? 1 : 1000);
		ops[i] = with_more(test_ops(KREG_OP_DELETE, keys[i]), &more);
	}
	test_batch(self->fd, self->table, 0, ops, n, &done);
	EXPECT_EQ(n / 2, done);
	EXPECT_EQ(n - n / 2, test_objects(self->fd, self->table));
	terms[0].value = 999;
	test_err_batch(ECANCELED, self->fd, self->table, ATOMIC, ops, 1, &done);
	/* All their bytes count. */
	terms[0] = test_term_bytes(KREG_TERM_VALUE, 0, ops, KREG_MAX_TERM_BYTES);
	for (i = 0; i < MANY; i++)
		ops[i] = with_more(test_ops(KREG_OP_DELETE, "k"), &more);
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, MANY, NULL);
}

TEST_F(batch_edit, filters_that_are_wrong)
{
	struct kreg_term term = is_number(1);
	struct kreg_more more = more_if(&term, 1);
	struct kreg_op op = with_more(test_op_puts("k", "12345678"), &more);
	__u32 flags;

	put_number_("k", 1);
	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
#define EXPECT_WRONG(err, change) do {						\
			term = is_number(1);					\
			more = more_if(&term, 1);				\
			change;							\
			test_err_batch(err, self->fd, self->table, flags, &op, 1, NULL); \
		} while (0)
		EXPECT_WRONG(EINVAL, term.size = 3);
		EXPECT_WRONG(EOPNOTSUPP, term.op = 0);
		EXPECT_WRONG(EFAULT, more.filter = 8);
		EXPECT_WRONG(EINVAL, more.filter_count = 0);
		EXPECT_WRONG(EFBIG, more.filter_count = KREG_MAX_TERMS + 1);
		EXPECT_WRONG(EOPNOTSUPP, op.flags |= KREG_OP_BOUND);
		op.flags = KREG_OP_MORE | KREG_OP_NEW;
		EXPECT_WRONG(EINVAL, (void)0);
		op.flags = KREG_OP_MORE;
	}
	EXPECT_EQ(1, number_("k"));
}

static long job_filter(struct job *job)
{
	struct kreg_term term = is_number(1);
	struct kreg_more more = more_if(&term, 1);
	struct kreg_op op = with_more(test_ops(KREG_OP_DELETE, "k"), &more);

	return _test_batch(job->fd, job->table, job->flags, &op, 1, NULL);
}

/* What matches is told by it, so it needs the right to read. */
TEST_F(batch_edit, only_who_reads)
{
	int w = open(KREG_DEV, O_WRONLY | O_CLOEXEC);
	struct kid *kid = kid_start_as(_metadata, 1000);
	struct job job = { .fd = w, .table = self->table };

	put_number_("k", 1);
	ASSERT_LE(0, w);
	EXPECT_EQ(-EBADF, job_filter(&job));
	kid->job->table = self->table;
	kid->job->flags = ATOMIC;
	test_mode(self->fd, self->table, 0622);
	EXPECT_EQ(-EACCES, kid_do(kid, job_filter));
	test_mode(self->fd, self->table, 0666);
	EXPECT_EQ(0, kid_do(kid, job_filter));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	close(w);
}

/* In a bag its objects are asked one by one, by CHANGE. */
TEST_F(batch_edit, not_in_bags)
{
	struct kreg_term term = is_number(1);
	struct kreg_more more = more_if(&term, 1);
	struct kreg_op ops[2] = { with_more(test_ops(KREG_OP_DELETE, "k"), &more),
				  with_more(test_op_puts("k", "v"), &more) };
	__u64 bag;
	int i;

	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_BAG, 0, &bag));
	put_number(self->fd, bag, "k", 1);
	for (i = 0; i < 2; i++) {
		test_err_batch(EOPNOTSUPP, self->fd, bag, ATOMIC, &ops[i], 1, NULL);
		test_batch(self->fd, bag, 0, &ops[i], 1, NULL);
		EXPECT_EQ(EOPNOTSUPP, ops[i].out_error);
	}
	EXPECT_EQ(1, test_objects(self->fd, bag));
}

/* In a group as in any batch. */
TEST_F(batch_edit, in_a_group)
{
	struct kreg_term one = is_number(1), two = is_number(2);
	struct kreg_more if_one = more_if(&one, 1), if_two = more_if(&two, 1);
	struct kreg_field f = test_add(0, 1);
	struct kreg_op a = with_more(test_op_edit("k", &f, 1), &if_one);
	struct kreg_op b = with_more(test_op_edit("k", &f, 1), &if_two);
	struct kreg_ioc_open open = test_open_cmd("other", KREG_OPEN_CREATE | KREG_OPEN_BESIDE);
	struct kreg_ioc_batch batches[2];
	struct kreg_ioc_group group = {
		.size = sizeof(group), .batches = test_ptr(batches), .count = 2,
		.batch_size = sizeof(*batches),
	};

	open.beside = self->table;
	open.type = KREG_TYPE_SET;
	ASSERT_EQ(0, _test_open_cmd(self->fd, &open));
	batches[0] = test_batch_cmd(self->table, 0, &a, 1);
	batches[1] = test_batch_cmd(open.out_table, 0, &b, 1);
	put_number_("k", 1);
	put_number(self->fd, open.out_table, "k", 1);
	EXPECT_EQ(-ECANCELED, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(1, group.out_failed);
	EXPECT_EQ(1, number_("k"));
	put_number(self->fd, open.out_table, "k", 2);
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(2, number_("k"));
	EXPECT_EQ(3, number(self->fd, open.out_table, "k"));
}

TEST_HARNESS_MAIN

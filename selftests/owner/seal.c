// SPDX-License-Identifier: GPL-2.0
/*
 * Sealed tables: nobody changes an object of them any more, and all else goes on.
 */
#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/filter.h"
#include "kit/lease.h"
#include "kit/line.h"
#include "kit/pin.h"
#include "kit/stream.h"
#include "owner/seal.h"

#define WRITES	400

FIXTURE(seal) {
	struct test_base base;
	int fd;
	struct kid *kid;
	__u64 table;
};

/* The table has "k", with the number 0 as its value. */
FIXTURE_VARIANT(seal) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(seal, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(seal, ordered_set) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_VARIANT_ADD(seal, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(seal, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

static const __u64 zero;

FIXTURE_SETUP(seal)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, _test_create_type(self->fd, "s", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	test_put(self->fd, self->table, "k", 1, &zero, sizeof(zero));
}

FIXTURE_TEARDOWN_PARENT(seal)
{
	test_teardown(_metadata, &self->base);
}

static __u64 last_write(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? 0 : info.version;
}

static int put_async(int fd, __u64 table, const char *key)
{
	struct kreg_op op = test_op_puts(key, "v");

	return _test_op(fd, table, KREG_WRITE_ASYNC, &op);
}

/* Three writes; with @flags. */
static int batch(int fd, __u64 table, __u32 flags)
{
	struct kreg_op ops[] = {
		test_op_puts("a", "1"), test_op_puts("k", "2"), test_ops(KREG_OP_DELETE, "k"),
	};
	struct kreg_ioc_batch cmd = test_batch_cmd(table, flags, ops, ARRAY_SIZE(ops));

	return _test_batch_cmd(fd, &cmd);
}

static int put_large(int fd, __u64 table, __u32 len)
{
	static char value[KREG_MAX_VALUE];

	return _test_put(fd, table, "k", 1, value, len);
}

static int take(int fd, __u64 table, const char *key, __u32 room)
{
	static __u64 value[16];
	struct kreg_op op = test_op_value(KREG_OP_TAKE, key, strlen(key), value, room);

	return _test_op(fd, table, 0, &op);
}

/* All objects with a number less than @n. */
static int delete_less(int fd, __u64 table, __u64 n)
{
	struct kreg_term term = test_term(KREG_TERM_LT, KREG_TERM_VALUE, 8, 0, n);
	struct kreg_ioc_change cmd = test_change_cmd(table, &term, 1);

	return _test_change(fd, &cmd);
}

/* What tables of all types have, of whoever may write. */
static void expect_refused(struct __test_metadata *_metadata, int fd, __u64 t)
{
	test_refused(_test_puts(fd, t, "k", "v"));
	test_refused(_test_puts(fd, t, "new", "v"));
	test_refused(_test_put_new(fd, t, "k", "v"));
	test_refused(op_flags(fd, t, test_op_puts("absent", "v"), KREG_OP_PRESENT, 0));
	test_refused(put_large(fd, t, 512));
	test_refused(put_large(fd, t, KREG_MAX_VALUE));
	test_refused(_test_delete(fd, t, "k"));
	test_refused(_test_delete(fd, t, "absent"));
	test_refused(take(fd, t, "k", 64));
	test_refused(take(fd, t, "k", 0));
	test_refused(take(fd, t, "absent", 64));
	test_refused(_test_clear(fd, t));
	test_refused(op_flags(fd, t, test_op_puts("k", "v"), KREG_OP_BOUND, 0));
	test_refused(test_op_code(fd, t, KREG_OP_PUBLISH, "k"));
	test_refused(put_async(fd, t, "k"));
	test_refused(batch(fd, t, 0));
	test_refused(batch(fd, t, KREG_BATCH_ATOMIC));
	test_refused(batch(fd, t, KREG_WRITE_ASYNC));
	test_refused(delete_less(fd, t, 1));
	test_refused(delete_less(fd, t, 0));
}

/* And what only tables have in which a key has one object. */
static void expect_refused_of_sets(struct __test_metadata *_metadata, int fd, __u64 t)
{
	struct kreg_field f = test_add(0, 1);
	struct kreg_more more = { .size = sizeof(more), .expires_ns = 1 };
	struct kreg_ioc_change change = test_change_edit(t, NULL, 0, &f, 1);
	struct kreg_ioc_register reg = register_cmd(t, "k", "v", 0);
	__u64 id;

	test_refused(op_flags(fd, t, test_op_puts("k", "v"), KREG_OP_VERSION, 1));
	test_refused(op_flags(fd, t, test_op_puts("k", "v"), KREG_OP_MORE, test_ptr(&more)));
	test_refused(_test_edit(fd, t, "k", &f, 1));
	test_refused(_test_edit(fd, t, "absent", &f, 1));
	test_refused(test_count_up(fd, t, "absent", 1));
	test_refused(_test_change(fd, &change));
	test_refused(run_register(fd, &reg));
	reg.flags = KREG_REGISTER_GET;
	test_refused(run_register(fd, &reg));
	test_refused(_test_lock(fd, t, -1, NULL));
	test_refused(_test_stand(fd, t, &id));
	test_refused(_test_lease(fd, t, "k"));
	test_refused(_test_lease(fd, t, "absent"));
	test_refused(_test_return(fd, t, "k", 0));
}

TEST_F(seal, refuses_all_writes)
{
	__u64 version;

	EXPECT_EQ(0, seal(self->fd, self->table));
	EXPECT_TRUE(is_sealed(self->fd, self->table));
	version = last_write(self->fd, self->table);
	expect_refused(_metadata, self->fd, self->table);
	if (variant->type == KREG_TYPE_SET || variant->type == KREG_TYPE_ORDERED_SET)
		expect_refused_of_sets(_metadata, self->fd, self->table);
	EXPECT_EQ(version, last_write(self->fd, self->table));
	EXPECT_EQ(1, test_count(self->fd, self->table));
	test_sync(self->fd);
	test_destroy(self->fd, self->table);
}

/* Who may not write is told that, and who may not seal, too. */
TEST_F(seal, for_the_owner)
{
	struct kid *stranger = kid_start_as(_metadata, 1000);

	EXPECT_EQ(-EPERM, kid_setopt(self->kid, self->table, KREG_OPT_SEAL, 1, 0));
	EXPECT_FALSE(is_sealed(self->fd, self->table));
	EXPECT_EQ(0, seal(self->fd, self->table));
	EXPECT_EQ(-EROFS, kid_puts(self->kid, self->table, "k", "v"));
	EXPECT_EQ(-EROFS, kid_puts(stranger, self->table, "k", "v"));
	test_mode(self->fd, self->table, 0644);
	EXPECT_EQ(-EACCES, kid_puts(stranger, self->table, "k", "v"));
	test_access(self->fd, self->table, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_puts(self->kid, self->table, "k", "v"));
	EXPECT_EQ(-EACCES, kid_setopt(self->kid, self->table, KREG_OPT_SEAL, 1, 0));
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ESTALE, _test_puts(self->fd, self->table, "k", "v"));
	EXPECT_EQ(-ESTALE, seal(self->fd, self->table));
}

/* A call that has to wait until the death of the owner is handled looks again then. */
TEST_F(seal, when_its_owner_has_died)
{
	struct kreg_op take = test_ops(KREG_OP_TAKE, "absent");
	struct kid *kid;
	__u64 id;
	int i;

	for (i = 0; i < 20; i++) {
		kid = kid_start(_metadata);
		ASSERT_EQ(0, _test_create_type(self->fd, "died", variant->type, KREG_ACCESS_PUBLIC,
					       &id));
		test_orphan(self->fd, id, KREG_ORPHAN_PARK, 0);
		EXPECT_EQ(0, seal(self->fd, id));
		test_give(self->fd, id, kid->self, NULL, 0);
		EXPECT_EQ(SIGKILL, kid_kill(kid));
		test_refused(i % 2 ? op_flags(self->fd, id, take, 0, 0) :
				     delete_less(self->fd, id, 1));
		test_destroy(self->fd, id);
	}
	test_destroy(self->fd, self->table);
}

TEST_F(seal, is_not_undone)
{
	test_err_setopt(EINVAL, self->fd, self->table, KREG_OPT_SEAL, 0, 0);
	test_err_setopt(EOPNOTSUPP, self->fd, self->table, KREG_OPT_SEAL, 2, 0);
	test_err_setopt(EINVAL, self->fd, self->table, KREG_OPT_SEAL, 1, 1);
	EXPECT_FALSE(is_sealed(self->fd, self->table));
	EXPECT_EQ(0, seal(self->fd, self->table));
	EXPECT_EQ(0, seal(self->fd, self->table));
	test_err_setopt(EINVAL, self->fd, self->table, KREG_OPT_SEAL, 0, 0);
	EXPECT_TRUE(is_sealed(self->fd, self->table));
	/* Not by another owner either. */
	test_give(self->fd, self->table, self->kid->self, NULL, 0);
	EXPECT_EQ(0, kid_setopt(self->kid, self->table, KREG_OPT_SEAL, 1, 0));
	EXPECT_EQ(-EROFS, kid_puts(self->kid, self->table, "k", "v"));
	EXPECT_EQ(0, kid_destroy(self->kid, self->table));
}

TEST_F(seal, at_creation)
{
	struct kreg_ioc_open cmd = test_open_cmd("empty", KREG_OPEN_CREATE | KREG_OPEN_SEALED);

	cmd.type = variant->type;
	test_open_(self->fd, &cmd);
	EXPECT_TRUE(is_sealed(self->fd, cmd.out_table));
	expect_refused(_metadata, self->fd, cmd.out_table);
	EXPECT_EQ(0, test_count(self->fd, cmd.out_table));
	test_destroy(self->fd, cmd.out_table);
	/* It says nothing of one that is there, and makes no sense without CREATE. */
	cmd = test_open_cmd("s", KREG_OPEN_CREATE | KREG_OPEN_SEALED);
	cmd.type = variant->type;
	test_open_(self->fd, &cmd);
	EXPECT_FALSE(is_sealed(self->fd, self->table));
	cmd = test_open_cmd("s", KREG_OPEN_SEALED);
	test_err_open_(EINVAL, self->fd, &cmd);
	test_destroy(self->fd, self->table);
}

TEST_F(seal, reads_go_on)
{
	__u64 value[16], pin, early, id;
	struct kreg_op op = test_ops(KREG_OP_MEMBER, "k");

	test_pin(self->fd, self->table, 0, &early);
	EXPECT_EQ(0, seal(self->fd, self->table));
	EXPECT_LT(0, _test_get(self->fd, self->table, "k", 1, value, sizeof(value)));
	test_member(self->fd, self->table, "k");
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, &op, 1, NULL);
	EXPECT_EQ(1, test_count(self->fd, self->table));
	EXPECT_EQ(1, test_pinned_count(self->fd, self->table, early));
	test_pin(self->fd, self->table, 0, &pin);
	EXPECT_EQ(1, test_pinned_count(self->fd, self->table, pin));
	test_cancel(self->fd, pin, 0);
	test_cancel(self->fd, early, 0);
	test_watch_owner(self->fd, self->table, &id);
	test_cancel(self->fd, id, 0);
	test_subscribe(self->fd, self->table, KREG_SUBSCRIBE_KINDS);
	test_destroy(self->fd, self->table);
}

/* What becomes of the table itself. */
TEST_F(seal, all_else_goes_on)
{
	struct kreg_ioc_rename name = {
		.size = sizeof(name), .name = test_ptr("named anew"), .name_len = 10,
	};
	__u64 id;

	EXPECT_EQ(0, seal(self->fd, self->table));
	name.table = self->table;
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_RENAME, &name));
	test_mode(self->fd, self->table, 0666);
	test_access(self->fd, self->table, KREG_ACCESS_PUBLIC);
	test_setopt(self->fd, self->table, KREG_OPT_STREAM, KREG_MIN_STREAM, 0);
	test_orphan(self->fd, self->table, KREG_ORPHAN_PARK, 0);
	test_park(self->fd, self->table);
	test_open(self->fd, "named anew", KREG_OPEN_CLAIM, &id);
	EXPECT_EQ(self->table, id);
	test_give(self->fd, id, self->kid->self, NULL, 0);
	EXPECT_EQ(0, kid_heir(self->kid, id, test_self(self->fd), ""));
	kid_kill(self->kid);
	test_sync(self->fd);
	EXPECT_TRUE(is_sealed(self->fd, id));
	EXPECT_EQ(1, test_count(self->fd, id));
	test_refused(_test_puts(self->fd, id, "k", "v"));
	test_destroy(self->fd, id);
}

TEST_F(seal, with_bound_objects)
{
	struct kreg_ioc_register reg = register_cmd(self->table, "b", "v", 0);

	EXPECT_EQ(0, kid_register(self->kid, self->table, "b", 0));
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	EXPECT_FALSE(is_sealed(self->fd, self->table));
	test_puts(self->fd, self->table, "k", "v");
	/* Until the death is handled, and what lingers is gone. */
	kid_kill(self->kid);
	test_sync(self->fd);
	self->kid = kid_start(_metadata);
	EXPECT_EQ(0, kid_linger(self->kid, self->table, "b", 3600000));
	kid_kill(self->kid);
	test_sync(self->fd);
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	test_delete(self->fd, self->table, "b");
	EXPECT_EQ(0, seal(self->fd, self->table));
	test_refused(run_register(self->fd, &reg));
	test_destroy(self->fd, self->table);
}

/* What it says of its values stays, too. */
TEST_F(seal, with_a_schema)
{
	struct kreg_info info;

	test_setopt(self->fd, self->table, KREG_OPT_SCHEMA, 5, 1);
	EXPECT_EQ(0, seal(self->fd, self->table));
	test_err_setopt(EROFS, self->fd, self->table, KREG_OPT_SCHEMA, 5, 2);
	test_err_setopt(EROFS, self->fd, self->table, KREG_OPT_SCHEMA, 0, 0);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(5, info.schema);
	EXPECT_EQ(1, info.schema_version);
	test_destroy(self->fd, self->table);
}

/* What the client has queued comes before it. */
TEST_F(seal, behind_what_is_queued)
{
	char key[16];
	int i;

	for (i = 0; i < WRITES; i++) {
		snprintf(key, sizeof(key), "q%d", i);
		ASSERT_EQ(0, put_async(self->fd, self->table, key));
	}
	EXPECT_EQ(0, seal(self->fd, self->table));
	EXPECT_EQ(1 + WRITES, test_count(self->fd, self->table));
	test_sync(self->fd);
	test_refused(put_async(self->fd, self->table, "late"));
	test_destroy(self->fd, self->table);
}

/* Writes until it is told no: how many were done. */
static long job_write_on(struct job *job)
{
	char key[24];
	int err = 0;
	long n;

	for (n = 0; !err; n++) {
		snprintf(key, sizeof(key), "w%ld", n);
		err = _test_puts(job->fd, job->table, key, "v");
		job->arg = n;
	}
	return err;
}

TEST_F(seal, while_others_write)
{
	__u64 version;

	self->kid->job->table = self->table;
	kid_ask(self->kid, job_write_on);
	EXPECT_TRUE(test_wait_for(test_count(self->fd, self->table) > 2));
	EXPECT_EQ(0, seal(self->fd, self->table));
	version = last_write(self->fd, self->table);
	EXPECT_EQ(-EROFS, kid_answer(self->kid));
	EXPECT_EQ(version, last_write(self->fd, self->table));
	EXPECT_EQ(1 + self->kid->job->arg, test_count(self->fd, self->table));
	test_destroy(self->fd, self->table);
}

TEST_HARNESS_MAIN

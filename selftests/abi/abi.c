// SPDX-License-Identifier: GPL-2.0
/*
 * The general ioctl format: sizes, tails, pointers, flags, reserved members.
 * Built for 32-bit callers as well.
 */
#include "abi/abi.h"

/* Members by number of command: must be zero, or point to something. */
struct member {
	unsigned int cmd;
	unsigned int offset;
	unsigned int size;
};

#define MEMBER(cmd, size, type, member) \
	{ KREG_CMD_##cmd, offsetof(struct type, member), size }

/* Members that must be zero: reserved, or marked "not yet" in the header. */
static const struct member reserved[] = {
	MEMBER(WHOIS, 4, kreg_ioc_whois, reserved),
	MEMBER(OPEN, 4, kreg_ioc_open, heir.reserved),
	MEMBER(GIVE, 4, kreg_ioc_give, to.reserved),
	MEMBER(SETOPT, 4, kreg_ioc_setopt, process.reserved),
	MEMBER(OP, 4, kreg_ioc_op, op.offset),
	MEMBER(OP, 8, kreg_ioc_op, op.arg),
	MEMBER(BATCH, 8, kreg_ioc_batch, deadline_ns),
	MEMBER(SCAN, 4, kreg_ioc_scan, process.reserved),
	MEMBER(WATCH, 4, kreg_ioc_watch, process.reserved),
	MEMBER(REGISTER, 4, kreg_ioc_register, process.reserved),
	MEMBER(REGISTER, 4, kreg_ioc_register, reserved),
	MEMBER(SUBSCRIBE, 4, kreg_ioc_subscribe, reserved),
	MEMBER(LEASE, 4, kreg_ioc_lease, reserved),
	MEMBER(PIN, 4, kreg_ioc_pin, reserved),
	MEMBER(RENAME, 4, kreg_ioc_rename, reserved),
};

static const struct member pointers[] = {
	MEMBER(OPEN, 8, kreg_ioc_open, name),
	MEMBER(OPEN, 8, kreg_ioc_open, data),
	MEMBER(GIVE, 8, kreg_ioc_give, data),
	MEMBER(SETOPT, 8, kreg_ioc_setopt, data),
	MEMBER(OP, 8, kreg_ioc_op, op.key),
	MEMBER(OP, 8, kreg_ioc_op, op.value),
	MEMBER(BATCH, 8, kreg_ioc_batch, ops),
	MEMBER(SCAN, 8, kreg_ioc_scan, range.low),
	MEMBER(SCAN, 8, kreg_ioc_scan, range.high),
	MEMBER(SCAN, 8, kreg_ioc_scan, range.after),
	MEMBER(CHANGE, 8, kreg_ioc_change, range.low),
	MEMBER(CHANGE, 8, kreg_ioc_change, range.filter),
	MEMBER(CHANGE, 8, kreg_ioc_change, fields),
	MEMBER(INFO, 8, kreg_ioc_info, info),
	MEMBER(LIST, 8, kreg_ioc_list, infos),
	MEMBER(WATCH, 8, kreg_ioc_watch, key),
	MEMBER(REGISTER, 8, kreg_ioc_register, key),
	MEMBER(REGISTER, 8, kreg_ioc_register, value),
	MEMBER(LEASE, 8, kreg_ioc_lease, key),
	MEMBER(LEASE, 8, kreg_ioc_lease, value),
	MEMBER(RENAME, 8, kreg_ioc_rename, name),
	MEMBER(GROUP, 8, kreg_ioc_group, batches),
};

FIXTURE(abi) {
	struct test_base base;
	int fd;
};

/* Each test runs with both forms of KREG_IOC_OP. */
FIXTURE_VARIANT(abi) {
	unsigned int op_size;
};

FIXTURE_VARIANT_ADD(abi, short_op) {
	.op_size = KREG_OP_SIZE,
};

FIXTURE_VARIANT_ADD(abi, long_op) {
	.op_size = sizeof(struct kreg_ioc_op),
};

FIXTURE_SETUP(abi)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(abi)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(abi, valid)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;

	for (c = commands; c->name; c++)
		expect_call(_metadata, 0, t, c, fill(_metadata, t, c));
}

/* EINVAL: shorter than the first version. */
TEST_F(abi, too_short)
{
	static const unsigned int short_of[] = { 0, 1, 3, 4, 7 };
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a;
	unsigned int i;

	for (c = commands; c->name; c++) {
		for (i = 0; i < ARRAY_SIZE(short_of); i++) {
			a = fill(_metadata, t, c);
			a->query.size = short_of[i];
			expect_call(_metadata, -EINVAL, t, c, a);
		}
		a = fill(_metadata, t, c);
		a->query.size = c->first - 1;
		expect_call(_metadata, -EINVAL, t, c, a);
	}
}

/* A longer struct, all zero beyond what the kernel knows. */
TEST_F(abi, long_zero)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a;

	for (c = commands; c->name; c++) {
		a = fill(_metadata, t, c);
		a->query.size = c->size + 1;
		expect_call(_metadata, 0, t, c, a);
		a = fill(_metadata, t, c);
		a->query.size = c->size + 8;
		expect_call(_metadata, 0, t, c, a);
		a = fill(_metadata, t, c);
		a->query.size = PAGE;
		expect_call(_metadata, 0, t, c, a);
	}
}

TEST_F(abi, long_nonzero)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a;

	for (c = commands; c->name; c++) {
		a = fill(_metadata, t, c);
		a->query.size = c->size + 8;
		a->bytes[c->size] = 1;
		expect_call(_metadata, -E2BIG, t, c, a);
		a = fill(_metadata, t, c);
		a->query.size = PAGE;
		a->bytes[PAGE - 1] = 0x80;
		expect_call(_metadata, -E2BIG, t, c, a);
		/* What lies beyond the size does not matter. */
		a = fill(_metadata, t, c);
		memset(&a->bytes[c->size], 0xff, PAGE - c->size);
		expect_call(_metadata, 0, t, c, a);
	}
}

TEST_F(abi, longer_than_a_page)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a;

	for (c = commands; c->name; c++) {
		a = fill(_metadata, t, c);
		a->query.size = PAGE + 1;
		expect_call(_metadata, -E2BIG, t, c, a);
		a = fill(_metadata, t, c);
		a->query.size = ~0U;
		expect_call(_metadata, -E2BIG, t, c, a);
	}
}

TEST_F(abi, bad_struct_pointer)
{
	char *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	const struct command *c;

	ASSERT_NE(MAP_FAILED, hole);
	for (c = commands; c->name; c++) {
		EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, NULL));
		EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, hole));
		EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, (void *)-1L));
	}
}

/* Of the struct only the size can be read: it is checked before the rest is copied. */
TEST_F(abi, struct_runs_off)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u32 *size = (__u32 *)(page + PAGE) - 1;
	const struct command *c;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + PAGE, PAGE, PROT_NONE));
	for (c = commands; c->name; c++) {
		*size = c->size;
		EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, size));
		*size = c->first - 1;
		EXPECT_EQ(-EINVAL, test_ioctl(self->fd, c->nr, size));
		*size = PAGE + 1;
		EXPECT_EQ(-E2BIG, test_ioctl(self->fd, c->nr, size));
	}
}

TEST_F(abi, unknown_flags)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a;
	int bit;

	for (c = commands; c->name; c++) {
		for (bit = 0; bit < 32; bit++) {
			if (c->flags & (1U << bit))
				continue;
			a = fill(_metadata, t, c);
			a->query.flags |= 1U << bit;
			expect_call(_metadata, -EOPNOTSUPP, t, c, a);
		}
	}
}

TEST_F(abi, unknown_op_flags)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *op = &commands[KREG_CMD_OP];
	const struct command *batch = &commands[KREG_CMD_BATCH];
	union any *a;
	int bit;

	for (bit = 1; bit < 16; bit++) {
		if (KREG_OP_ALL & (1U << bit))
			continue;
		a = fill(_metadata, t, op);
		a->op.op.flags = 1U << bit;
		expect_call(_metadata, -EOPNOTSUPP, t, op, a);
		a = fill(_metadata, t, batch);
		t->op.flags = 1U << bit;
		expect_call(_metadata, -EOPNOTSUPP, t, batch, a);
	}
}

TEST_F(abi, reserved_members)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	const struct member *m;
	union any *a;

	for (m = reserved; m < reserved + ARRAY_SIZE(reserved); m++) {
		c = &commands[m->cmd];
		a = fill(_metadata, t, c);
		/* The short form does not have this member. */
		if (m->offset >= a->query.size) {
			expect_call(_metadata, 0, t, c, a);
			continue;
		}
		a->bytes[m->offset] = 1;
		expect_call(_metadata, -EOPNOTSUPP, t, c, a);
		a = fill(_metadata, t, c);
		a->bytes[m->offset + m->size - 1] = 0x80;
		expect_call(_metadata, -EOPNOTSUPP, t, c, a);
	}
}

/* What is marked "not yet" in the header. */
TEST_F(abi, not_yet)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *open = &commands[KREG_CMD_OPEN];
	union any *a;

	a = fill(_metadata, t, open);
	a->open.type = KREG_TYPE_DUPLICATE_BAG + 1;
	expect_call(_metadata, -EOPNOTSUPP, t, open, a);
	a = fill(_metadata, t, open);
	a->open.orphan = KREG_ORPHAN_PARK_ON_CRASH + 1;
	expect_call(_metadata, -EOPNOTSUPP, t, open, a);

	test_create(self->fd, "mine", 0, &t->table);
	test_err_setopt(EOPNOTSUPP, self->fd, t->table, KREG_OPT_SEAL + 1, 0, 0);
	test_err_setopt(EOPNOTSUPP, self->fd, t->table, KREG_OPT_HEIR,
			KREG_HEIR_ON_CRASH << 1, 0);
	test_err_setopt(EOPNOTSUPP, self->fd, t->table, KREG_OPT_ORPHAN,
			KREG_ORPHAN_PARK_ON_CRASH + 1, 0);
}

TEST_F(abi, bad_inner_pointers)
{
	static const __u64 bad[] = { 8, 1ULL << 63, ~7ULL };
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	const struct member *m;
	union any *a;
	unsigned int i;

	for (m = pointers; m < pointers + ARRAY_SIZE(pointers); m++) {
		c = &commands[m->cmd];
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			a = fill(_metadata, t, c);
			memcpy(&a->bytes[m->offset], &bad[i], sizeof(bad[i]));
			EXPECT_EQ(-EFAULT, call(t, c, a)) {
				TH_LOG("command %s, member at %u, %llx",
				       c->name, m->offset,
				       (unsigned long long)bad[i]);
			}
		}
	}
}

TEST_F(abi, unknown_numbers)
{
	__u32 sync[4] = { sizeof(sync) };
	unsigned int nr;

	for (nr = FIRST_UNKNOWN; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY, test_ioctl(self->fd, _IO(KREG_IOC_MAGIC, nr),
					      sync));
	EXPECT_EQ(-ENOTTY, test_ioctl(self->fd, _IO(KREG_IOC_MAGIC + 1,
						    KREG_CMD_SYNC), sync));
	EXPECT_EQ(-ENOTTY, test_ioctl(self->fd, _IOWR(KREG_IOC_MAGIC,
						      KREG_CMD_SYNC, __u64),
				      sync));
	/* An unknown command is noticed before anything that is wrong with the struct. */
	EXPECT_EQ(-ENOTTY, test_ioctl(self->fd, _IO(KREG_IOC_MAGIC,
						    FIRST_UNKNOWN), NULL));
}

/* A call that fails leaves the struct as it was, byte by byte. */
TEST_F(abi, failure_writes_nothing)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c;
	union any *a, before;

	for (c = commands; c->name; c++) {
		a = fill(_metadata, t, c);
		a->query.flags = 1U << 31;
		before = *a;
		EXPECT_EQ(-EOPNOTSUPP, test_ioctl(self->fd, c->nr, a));
		EXPECT_EQ(0, memcmp(&before, a, sizeof(before)));
		call(t, c, a);
	}
}

/* The same of an operation in the long form: refused, or a read that finds nothing. */
TEST_F(abi, failed_op_writes_no_tail)
{
	struct things *t = new_things(_metadata, self->fd, sizeof(struct kreg_ioc_op));
	const struct command *c = &commands[KREG_CMD_OP];
	union any *a, before;
	int i;

	for (i = 0; i < 3; i++) {
		a = fill(_metadata, t, c);
		if (i == 0)
			a->op.flags = 1U << 31;
		else if (i == 1)
			a->op.op.arg = 1;
		else
			a->op.op = test_ops(KREG_OP_MEMBER, "absent");
		a->op.out_process.cookie = 5;
		a->op.out_missing = 6;
		a->op.out_limit = 7;
		before = *a;
		EXPECT_EQ(i < 2 ? -EOPNOTSUPP : -ENODATA, test_ioctl(self->fd, c->nr, a));
		EXPECT_EQ(0, memcmp(&before, a, sizeof(before)));
		call(t, c, a);
	}
}

/* A struct in memory that cannot be written is EFAULT, and nothing happens. */
TEST_F(abi, read_only_struct)
{
	struct things *t = new_things(_metadata, self->fd, variant->op_size);
	const struct command *c = &commands[KREG_CMD_OPEN];
	union any *a = fill(_metadata, t, c);
	struct kreg_info info;

	ASSERT_EQ(0, mprotect(a, 3 * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, a));
	test_err_info_name(ENOENT, self->fd, t->name, &info);
	munmap(a, 3 * PAGE);

	c = &commands[KREG_CMD_OP];
	test_destroy(self->fd, t->table);
	a = fill(_metadata, t, c);
	test_puts(self->fd, t->table, t->key, "before");
	a->op.op.code = KREG_OP_TAKE;
	ASSERT_EQ(0, mprotect(a, 3 * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, test_ioctl(self->fd, c->nr, a));
	test_gets(self->fd, t->table, t->key, "before");
}

TEST_HARNESS_MAIN

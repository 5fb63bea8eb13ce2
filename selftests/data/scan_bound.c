// SPDX-License-Identifier: GPL-2.0
/*
 * Scans that tell to whom objects are bound, or find those of one process.
 */
#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/lease.h"

FIXTURE(scan_bound) {
	struct test_base base;
	int fd;
	__u64 table;
	struct kreg_process me;
};

FIXTURE_SETUP(scan_bound)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	test_create(self->fd, "scan_bound", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(scan_bound)
{
	test_teardown(_metadata, &self->base);
}

static unsigned int scan_of(int fd, __u64 table, __u32 flags, struct kreg_process of,
			    void *buf, __u32 len, long *err)
{
	struct kreg_ioc_scan cmd = {
		.flags = flags, .table = table, .process = of, .buf = test_ptr(buf), .buf_len = len,
	};

	*err = _test_scan(fd, &cmd);
	return cmd.out_count;
}

TEST_F(scan_bound, whose)
{
	struct kreg_process none = {}, whom;
	static __u64 buf[40000], big[3000];
	struct kreg_object *object = (void *)buf;
	struct kid *kid = kid_start(_metadata);
	unsigned int i, n, his = 0, mine = 0;
	long err;

	ASSERT_EQ(300, kid_bind_many(kid, self->table, "k", 300, 0));
	test_bind(self->fd, self->table, "mine", "v");
	test_puts(self->fd, self->table, "plain", "v");
	memset(big, 'b', sizeof(big));
	test_put(self->fd, self->table, "big", 3, big, sizeof(big));
	n = scan_of(self->fd, self->table, KREG_SCAN_PROCESSES, none, buf, sizeof(buf), &err);
	EXPECT_EQ(0, err);
	EXPECT_EQ(303, n);
	for (i = 0; i < n; i++, object = (void *)object + object->size) {
		const char *key = (const char *)(object + 1), *value = key + object->key_len;
		__u32 plain = (sizeof(*object) + object->key_len + object->value_len + 7) & ~7U;

		EXPECT_EQ(plain + sizeof(whom), object->size);
		memcpy(&whom, (char *)object + plain, sizeof(whom));
		if (*key == 'k') {
			EXPECT_TRUE(test_same(whom, kid->self));
			EXPECT_EQ(0, memcmp(value, "many", 4));
			his++;
		} else if (*key == 'm') {
			EXPECT_TRUE(test_same(whom, self->me));
			mine++;
		} else {
			EXPECT_TRUE(test_none(whom));
		}
		if (*key == 'b')
			EXPECT_EQ(0, memcmp(value, big, sizeof(big)));
	}
	EXPECT_EQ(300, his);
	EXPECT_EQ(1, mine);
	/* Only keys; only of one. */
	EXPECT_EQ(303, scan_of(self->fd, self->table, KREG_SCAN_PROCESSES | KREG_SCAN_KEYS, none,
			       buf, sizeof(buf), &err));
	EXPECT_EQ(300, scan_of(self->fd, self->table, KREG_SCAN_OF, kid->self, buf, sizeof(buf),
			       &err));
	EXPECT_EQ(1, scan_of(self->fd, self->table, KREG_SCAN_OF, self->me, buf, sizeof(buf),
			     &err));
	object = (void *)buf;
	EXPECT_EQ(0, memcmp(object + 1, "minev", 5));
	scan_of(self->fd, self->table, KREG_SCAN_OF, none, buf, sizeof(buf), &err);
	EXPECT_EQ(-EINVAL, err);
	scan_of(self->fd, self->table, 0, self->me, buf, sizeof(buf), &err);
	EXPECT_EQ(-EINVAL, err);
	whom = kid->self;
	whom.cookie = 0;
	scan_of(self->fd, self->table, KREG_SCAN_OF, whom, buf, sizeof(buf), &err);
	EXPECT_EQ(-ESRCH, err);
	whom = kid->self;
	kid_kill(kid);
	EXPECT_EQ(0, scan_of(self->fd, self->table, KREG_SCAN_OF, whom, buf, sizeof(buf), &err));
	EXPECT_EQ(0, err);
	EXPECT_EQ(3, scan_of(self->fd, self->table, 0, none, buf, sizeof(buf), &err));
}

/* What was on loan is nobody's afterwards, and not that of a process which is forgotten. */
TEST_F(scan_bound, whose_after_a_loan)
{
	static __u64 buf[64];
	struct kid *kid = kid_start(_metadata);
	struct kreg_process his = kid->self, none = {};
	long err;

	test_puts(self->fd, self->table, "lent", "v");
	ASSERT_EQ(1, kid_lease(kid, self->table, "lent"));
	EXPECT_EQ(0, scan_of(self->fd, self->table, 0, none, buf, sizeof(buf), &err));
	kid_kill(kid);
	test_sync(self->fd);
	EXPECT_EQ(1, scan_of(self->fd, self->table, 0, none, buf, sizeof(buf), &err));
	EXPECT_EQ(0, scan_of(self->fd, self->table, KREG_SCAN_OF, his, buf, sizeof(buf), &err));
	EXPECT_EQ(0, err);
	/* One that never was. */
	his.cookie = 1ULL << 60;
	EXPECT_EQ(0, scan_of(self->fd, self->table, KREG_SCAN_OF, his, buf, sizeof(buf), &err));
}

/* A page of the room that is not there yet, and no room. */
TEST_F(scan_bound, room)
{
	struct kreg_ioc_scan cmd = { .flags = KREG_SCAN_PROCESSES, .table = self->table };
	char *room = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_NE(MAP_FAILED, room);
	test_bind(self->fd, self->table, "key", "value");
	cmd.buf = test_ptr(room + PAGE - 32);
	cmd.buf_len = 47;
	test_err_scan(EMSGSIZE, self->fd, &cmd);
	EXPECT_EQ(48, cmd.out_len);
	cmd.buf_len = 48;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	EXPECT_EQ(0, memcmp(room + PAGE, &self->me, sizeof(self->me)));
}

TEST_HARNESS_MAIN

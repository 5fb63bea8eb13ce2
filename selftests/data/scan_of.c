// SPDX-License-Identifier: GPL-2.0
/*
 * Scans of what is bound to one process, which has little in a large table, so that they go by
 * what it holds and not over the table: the same objects in the same order as a scan of all, also
 * page by page, and each that stays bound to it exactly once, whatever is written meanwhile.
 */
#include "kit/fixture.h"
#include "kit/lease.h"
#include "kit/register.h"

#define STABLE	100	/* objects of the process that stay */
#define OTHERS	6000	/* that belong to nobody, or to others */
#define LOOSE	20	/* that come and go */

FIXTURE(scan_of) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_VARIANT(scan_of) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(scan_of, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(scan_of, ordered_set) { .type = KREG_TYPE_ORDERED_SET };

FIXTURE_SETUP(scan_of)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "of", variant->type, KREG_ACCESS_REGISTRY,
				       &self->table));
}

FIXTURE_TEARDOWN_PARENT(scan_of)
{
	test_teardown(_metadata, &self->base);
}

static void fill(struct __test_metadata *_metadata, int fd, __u64 table)
{
	static struct kreg_op ops[2000];
	static char keys[2000][12];
	unsigned int i, k;

	for (i = 0; i < OTHERS; i += 2000) {
		for (k = 0; k < 2000; k++) {
			snprintf(keys[k], sizeof(keys[k]), "other%u", i + k);
			ops[k] = test_op_puts(keys[k], "v");
		}
		test_batch(fd, table, 0, ops, 2000, NULL);
	}
}

/* What a scan has found, of which all keys begin with a letter and end with a number. */
struct found {
	unsigned int n;
	char keys[2048][16];
};

/* Page by page; of @of, or of all whose keys begin with @first. */
static long scan_pages(int fd, __u64 table, struct kreg_process of, char first, __u32 page,
		       struct found *f)
{
	static __u64 buf[8192], key[KREG_MAX_KEY / 8];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_KEYS | (test_none(of) ? 0 : KREG_SCAN_OF), .table = table,
		.process = of, .buf = test_ptr(buf), .buf_len = sizeof(buf), .max_count = page,
	};
	struct kreg_object *object;
	unsigned int i;
	long err;

	f->n = 0;
	do {
		err = _test_scan(fd, &cmd);
		object = (void *)buf;
		for (i = 0; !err && i < cmd.out_count; i++) {
			if (f->n == ARRAY_SIZE(f->keys))
				return -E2BIG;
			memset(key, 0, sizeof(key));
			memcpy(key, object + 1, object->key_len);
			if (*(char *)key == first || !first)
				snprintf(f->keys[f->n++], 16, "%.15s", (char *)key);
			cmd.range.after = test_ptr(key);
			cmd.range.after_len = object->key_len;
			object = (void *)object + object->size;
		}
	} while (!err && cmd.out_more);
	return err;
}

static void expect_same(struct __test_metadata *_metadata, const struct found *a,
			const struct found *b)
{
	unsigned int i;

	ASSERT_EQ(a->n, b->n);
	for (i = 0; i < a->n; i++)
		EXPECT_STREQ(a->keys[i], b->keys[i]);
}

TEST_F(scan_of, order)
{
	struct kreg_process none = {}, his;
	struct kid *kid = kid_start(_metadata);
	static struct found all, of;
	__u32 page;

	his = kid->self;
	fill(_metadata, self->fd, self->table);
	test_bind(self->fd, self->table, "mine", "v");
	ASSERT_EQ(STABLE, kid_bind_many(kid, self->table, "s", STABLE, 0));
	/* Of another bond of his. */
	ASSERT_EQ(0, kid_linger(kid, self->table, "s1000", 60000));
	ASSERT_EQ(0, scan_pages(self->fd, self->table, none, 's', 0, &all));
	EXPECT_EQ(STABLE + 1, all.n);
	for (page = 0; page < 12; page += 3) {
		ASSERT_EQ(0, scan_pages(self->fd, self->table, his, 0, page, &of));
		expect_same(_metadata, &all, &of);
	}
	kid_kill(kid);
}

/* Too many for it to be worth while, or to be gone through at once: then the table is. */
TEST_F(scan_of, much)
{
	struct kreg_process me = test_self(self->fd);
	struct kid *kid = kid_start(_metadata);
	static struct found of;
	char key[16];
	int i;

	fill(_metadata, self->fd, self->table);
	ASSERT_EQ(900, kid_bind_many(kid, self->table, "s", 900, 0));
	ASSERT_EQ(0, scan_pages(self->fd, self->table, kid->self, 0, 0, &of));
	EXPECT_EQ(900, of.n);
	ASSERT_EQ(400, kid_bind_many(kid, self->table, "t", 400, 0));
	ASSERT_EQ(0, scan_pages(self->fd, self->table, kid->self, 0, 0, &of));
	EXPECT_EQ(1300, of.n);
	for (i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "other%d", i);
		test_lease(self->fd, self->table, key);
	}
	ASSERT_EQ(0, scan_pages(self->fd, self->table, me, 0, 0, &of));
	EXPECT_EQ(300, of.n);
	kid_kill(kid);
}

/* How many a kid finds. */
static long job_count_of(struct job *job)
{
	static struct found of;

	return scan_pages(job->fd, job->table, job->process, 0, 0, &of) ?: (long)of.n;
}

/* What one has borrowed is bound to one, each by a bond of its own, and there for nobody else. */
TEST_F(scan_of, loans)
{
	struct kreg_process me = test_self(self->fd);
	struct kid *kid = kid_start(_metadata);
	static struct found of;

	fill(_metadata, self->fd, self->table);
	test_bind(self->fd, self->table, "mine1", "v");
	test_lease(self->fd, self->table, "other7");
	test_lease(self->fd, self->table, "other8");
	ASSERT_EQ(0, scan_pages(self->fd, self->table, me, 0, 0, &of));
	EXPECT_EQ(3, of.n);
	kid->job->table = self->table;
	kid->job->process = me;
	EXPECT_EQ(1, kid_do(kid, job_count_of));
	test_return(self->fd, self->table, "other8", 0);
	ASSERT_EQ(0, scan_pages(self->fd, self->table, me, 0, 0, &of));
	EXPECT_EQ(2, of.n);
	kid_kill(kid);
}

/* His chains end with a clear, and begin anew. */
TEST_F(scan_of, cleared_and_again)
{
	struct kid *kid = kid_start(_metadata);
	static struct found of;

	fill(_metadata, self->fd, self->table);
	ASSERT_EQ(STABLE, kid_bind_many(kid, self->table, "s", STABLE, 0));
	test_clear(self->fd, self->table);
	ASSERT_EQ(0, scan_pages(self->fd, self->table, kid->self, 0, 0, &of));
	EXPECT_EQ(0, of.n);
	fill(_metadata, self->fd, self->table);
	ASSERT_EQ(0, kid_bind(kid, self->table, "s1", "v"));
	ASSERT_EQ(0, scan_pages(self->fd, self->table, kid->self, 0, 0, &of));
	EXPECT_EQ(1, of.n);
	kid_kill(kid);
}

static unsigned int draw(__u64 *random, unsigned int n)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % n;
}

/* One that stays is written, or goes to a bond of his with another time to linger. */
static long write_stable(const struct job *job, __u64 *random)
{
	struct kreg_more more = { .size = sizeof(more), .linger_ms = draw(random, 3) * 1000 };
	struct kreg_op op;
	char key[16];

	snprintf(key, sizeof(key), "s%u", draw(random, STABLE));
	op = test_op_bind(key, "again");
	if (draw(random, 2)) {
		op.flags |= KREG_OP_MORE;
		op.arg = test_ptr(&more);
	}
	return _test_op(job->fd, job->table, 0, &op);
}

/* A batch of which all or nothing is seen: it removes what comes and goes, and puts it again. */
static long write_loose(const struct job *job)
{
	struct kreg_op ops[2 * LOOSE];
	char keys[LOOSE][16];
	unsigned int i;

	for (i = 0; i < LOOSE; i++) {
		snprintf(keys[i], sizeof(keys[i]), "l%u", i);
		ops[i] = test_ops(KREG_OP_DELETE, keys[i]);
		ops[LOOSE + i] = test_op_bind(keys[i], "v");
	}
	return _test_batch(job->fd, job->table, KREG_BATCH_ATOMIC, ops, 2 * LOOSE, NULL);
}

static int *stop;

static long job_write(struct job *job)
{
	__u64 random = getpid();
	long err = 0;

	while (!err && !__atomic_load_n(stop, __ATOMIC_RELAXED))
		err = draw(&random, 4) ? write_stable(job, &random) : write_loose(job);
	return err;
}

/* How often the key was found. */
static unsigned int times(const struct found *f, const char *key)
{
	unsigned int i, n = 0;

	for (i = 0; i < f->n; i++)
		n += !strcmp(f->keys[i], key);
	return n;
}

static void expect_each_once(struct __test_metadata *_metadata, const struct found *f)
{
	unsigned int i, wrong = 0;
	char key[16];

	for (i = 0; i < STABLE; i++) {
		snprintf(key, sizeof(key), "s%u", i);
		wrong += times(f, key) != 1;
	}
	/* Those of one batch are there before it and after it, and no page is between. */
	for (i = 0; i < LOOSE; i++) {
		snprintf(key, sizeof(key), "l%u", i);
		wrong += times(f, key) != 1;
	}
	EXPECT_EQ(0, wrong);
}

/* He himself goes on writing: the chains that a scan goes by change all the time. */
TEST_F(scan_of, while_written)
{
	unsigned int i, n = test_size(600);
	static struct found of;
	struct kid *kid;

	stop = test_shared(sizeof(*stop));
	ASSERT_NE(NULL, stop);
	fill(_metadata, self->fd, self->table);
	kid = kid_start(_metadata);
	ASSERT_EQ(STABLE, kid_bind_many(kid, self->table, "s", STABLE, 0));
	ASSERT_EQ(LOOSE, kid_bind_many(kid, self->table, "l", LOOSE, 0));
	kid_ask(kid, job_write);
	for (i = 0; i < n && __test_passed(_metadata); i++) {
		ASSERT_EQ(0, scan_pages(self->fd, self->table, kid->self, 0, i % 3 * 20, &of));
		expect_each_once(_metadata, &of);
	}
	__atomic_store_n(stop, 1, __ATOMIC_RELAXED);
	EXPECT_EQ(0, kid_answer(kid));
	kid_kill(kid);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Large tables and many tables. Times and sizes are printed; no limit is set to times.
 *
 * KREG_TEST_OBJECTS=N, KREG_TEST_TABLES=N: so many, instead of a million and 10,000.
 */
#include <sys/resource.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define OBJECTS		number_of("KREG_TEST_OBJECTS", 1000000)
#define TABLES		number_of("KREG_TEST_TABLES", 10000)
#define CLIENTS		1000
#define KEY		16
#define VALUE		64
#define BATCH		KREG_MAX_BATCH_OPS

static unsigned int number_of(const char *variable, unsigned int usual)
{
	const char *n = getenv(variable);

	return n && atoi(n) > 0 ? (unsigned int)atoi(n) : test_size(usual);
}

/* Seconds for a test that has so many for the usual number. */
static int patience(int seconds, unsigned int number, unsigned int usual)
{
	return test_scale(seconds * (1 + number / usual));
}

FIXTURE(sizes) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(sizes)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(sizes)
{
	test_teardown(_metadata, &self->base);
}

static unsigned long long us_since(__u64 start)
{
	return (test_now_ns() - start) / 1000;
}

static void make_key(char *key, __u32 i)
{
	snprintf(key, KEY + 1, "key%013u", i);
}

/* Objects from @from to @to, in batches. */
static long put_many(int fd, __u64 table, __u32 from, __u32 to)
{
	static char keys[BATCH][KEY + 1], value[VALUE];
	static struct kreg_op ops[BATCH];
	__u32 i, n;
	long err;

	while (from < to) {
		n = to - from < BATCH ? to - from : BATCH;
		for (i = 0; i < n; i++) {
			make_key(keys[i], from + i);
			ops[i] = test_op_value(KREG_OP_PUT, keys[i], KEY,
					       value, VALUE);
		}
		err = _test_batch(fd, table, 0, ops, n, NULL);
		if (err)
			return err;
		from += n;
	}
	return 0;
}

/* How long each tenth took, and what memory the first one takes. */
struct growth {
	__u64 ns[10];
	__u64 memory;
};

static long job_grow(struct job *job)
{
	struct growth *g = (void *)job->value;
	__u32 tenth = job->arg / 10, i;
	struct kreg_info info;
	__u64 start;
	long err = 0;

	for (i = 0; i < 10 && !err; i++) {
		start = test_now_ns();
		err = put_many(job->fd, job->table, i * tenth, i < 9 ? (i + 1) * tenth : job->arg);
		g->ns[i] = test_now_ns() - start;
		if (!err && !i)
			err = _test_info(job->fd, job->table, &info);
		if (!err && !i)
			g->memory = info.memory;
	}
	return err;
}

/* If the sum of the numbers in the keys is right, each is there once. */
static long scan_sum(int fd, __u64 table, __u64 *sum)
{
	static __u64 buf[1 << 15];
	char last[KREG_MAX_KEY];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_KEYS,
		.table = table,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	struct kreg_object *object;
	long count = 0;
	__u32 i, at;

	do {
		long err = _test_scan(fd, &cmd);

		if (err)
			return err;
		for (i = 0, at = 0; i < cmd.out_count; i++) {
			object = (void *)((char *)buf + at);
			at += object->size;
			memcpy(last, object + 1, KEY);
			last[KEY] = 0;
			*sum += atoll(last + 3);
		}
		count += cmd.out_count;
		cmd.range.after = test_ptr(last);
		cmd.range.after_len = KEY;
	} while (cmd.out_more);
	return count;
}

/* It takes as much memory for each, whatever their number; how long it took is printed. */
static void expect_linear(struct __test_metadata *_metadata, const struct growth *g,
			  const struct kreg_info *info)
{
	__u64 before = g->memory / (OBJECTS / 10), each = info->memory / OBJECTS, all = 0;
	unsigned int i;

	for (i = 0; i < 10; i++)
		all += g->ns[i] / 1000000;
	TH_LOG("%u objects of %u + %u bytes: %llu ms, the last tenth %.2f times the first",
	       OBJECTS, KEY, VALUE, (unsigned long long)all, (double)g->ns[9] / g->ns[0]);
	TH_LOG("%llu bytes each, %llu of a tenth of them; index %llu", (unsigned long long)each,
	       (unsigned long long)before, (unsigned long long)info->buckets);
	EXPECT_GE(before + before / 4, each);
}

static void expect_all(struct __test_metadata *_metadata, int fd, __u64 id)
{
	char key[KEY + 1], value[VALUE];
	__u64 start = test_now_ns(), sum = 0;
	__u32 i, n = 0;

	for (i = 0; i < OBJECTS; i += 997, n++) {
		make_key(key, i);
		ASSERT_EQ(VALUE, _test_get(fd, id, key, KEY, value, VALUE));
	}
	TH_LOG("%u looked up: %llu ns each", n, us_since(start) * 1000 / n);
	start = test_now_ns();
	EXPECT_EQ(OBJECTS, scan_sum(fd, id, &sum));
	EXPECT_EQ((__u64)OBJECTS * (OBJECTS - 1) / 2, sum);
	TH_LOG("scan of all: %llu ms", us_since(start) / 1000);
}

static __u64 fill_table(struct __test_metadata *_metadata, struct kid *kid, __u32 type,
			struct kreg_process heir)
{
	struct job *job = kid->job;
	__u64 id;

	kid_open_prepare(kid, "million", KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	job->open.type = type;
	job->open.access = KREG_ACCESS_PUBLIC;
	ASSERT_EQ(0, kid_do(kid, job_open));
	id = job->table;
	ASSERT_EQ(0, kid_heir(kid, id, heir, ""));
	job->table = id;
	job->arg = OBJECTS;
	kid_ask(kid, job_grow);
	while (kid_answer(kid) == -ETIME)
		;
	ASSERT_EQ(0, job->ret);
	return id;
}

static void million_objects(struct __test_metadata *_metadata, int fd, __u32 type)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	struct kreg_info info;
	__u64 id, start;

	id = fill_table(_metadata, kid, type, test_self(fd));
	ASSERT_EQ(0, _test_sync(fd));
	test_info(fd, id, &info);
	EXPECT_EQ(OBJECTS, info.objects);
	EXPECT_EQ((__u64)OBJECTS * (KEY + VALUE), info.bytes);
	expect_linear(_metadata, (void *)kid->job->value, &info);
	expect_all(_metadata, fd, id);

	kill(kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(kid));
	start = test_now_ns();
	test_event_now(fd, &event);
	TH_LOG("handed over %llu us after the death was seen", us_since(start));
	start = test_now_ns();
	test_destroy(fd, id);
	TH_LOG("destroyed in %llu us", us_since(start));
	start = test_now_ns();
	EXPECT_TRUE(test_wait_for(!test_param("memory")));
	TH_LOG("freed in the background in %llu ms", us_since(start) / 1000);
	kid_reap(kid);
}

TEST_F_TIMEOUT(sizes, million_objects, patience(180, OBJECTS, 1000000))
{
	million_objects(_metadata, self->fd, KREG_TYPE_SET);
}

TEST_F_TIMEOUT(sizes, million_in_order, patience(180, OBJECTS, 1000000))
{
	million_objects(_metadata, self->fd, KREG_TYPE_ORDERED_SET);
}

/* db.no_copy: the time of a gift does not depend on the size of the table. */
TEST_F(sizes, give_of_any_size)
{
	struct kid *kid = kid_start(_metadata);
	const __u32 sizes[] = { 0, 100, 10000, test_size(100000) };
	unsigned long long us;
	unsigned int i;
	__u64 id, start;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_create(self->fd, NULL, 0, &id);
		ASSERT_EQ(0, put_many(self->fd, id, 0, sizes[i]));
		start = test_now_ns();
		test_give(self->fd, id, kid->self, NULL, 0);
		us = us_since(start);
		ASSERT_EQ(0, kid_event_now(kid));
		TH_LOG("%u objects given in %llu us", sizes[i], us);
		kid->job->table = id;
		EXPECT_EQ(sizes[i], test_objects(self->fd, id));
	}
}

static long job_many_tables(struct job *job)
{
	struct kreg_op op;
	__u32 i;
	long err;

	for (i = 0; i < TABLES; i++) {
		err = _test_create(job->fd, NULL, 0, &job->table);
		if (err)
			return err;
		if (job->arg)
			err = _test_heir(job->fd, job->table, job->process,
					 NULL, 0, KREG_HEIR_SILENT);
		if (err)
			return err;
		op = test_op_puts("key", "value");
		err = _test_op(job->fd, job->table, 0, &op);
		if (err)
			return err;
	}
	return 0;
}

static void many_tables(struct __test_metadata *_metadata, int fd,
			struct kreg_process heir)
{
	struct kid *kid = kid_start(_metadata);
	long long tables = test_param("tables"), memory = test_param("memory");
	__u64 start = test_now_ns();

	kid->job->process = heir;
	kid->job->arg = heir.pid;
	kid_ask(kid, job_many_tables);
	while (kid_answer(kid) == -ETIME)
		;
	ASSERT_EQ(0, kid->job->ret);
	EXPECT_EQ(tables + TABLES, test_param("tables"));
	memory = test_param("memory") - memory;
	TH_LOG("%u tables with an object: %llu ms, %lld bytes each", TABLES,
	       us_since(start) / 1000, memory / TABLES);
	/* The first objects are in a part of a page. */
	EXPECT_GE(TABLES * 2048LL, memory);
	start = test_now_ns();
	kill(kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(kid));
	test_sync(fd);
	TH_LOG("their owner's death: %llu ms", us_since(start) / 1000);
	kid_reap(kid);
}

TEST_F_TIMEOUT(sizes, many_tables, patience(120, TABLES, 10000))
{
	long long tables = test_param("tables");
	struct kreg_process none = {};

	many_tables(_metadata, self->fd, none);
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables));
}

TEST_F_TIMEOUT(sizes, many_tables_inherited, patience(120, TABLES, 10000))
{
	struct kreg_info infos[8];
	__u64 after = 0, start;
	unsigned int found = 0;
	char value[8];
	int n;
	__u32 more;

	many_tables(_metadata, self->fd, self->me);
	start = test_now_ns();
	do {
		n = _test_list(self->fd, after, infos, 8, &more);
		ASSERT_LE(0, n);
		found += n;
		while (n--) {
			after = after > infos[n].id ? after : infos[n].id;
			ASSERT_TRUE(test_same(self->me, infos[n].owner));
			ASSERT_EQ(5, _test_get(self->fd, infos[n].id, "key", 3, value,
					       sizeof(value)));
		}
	} while (more);
	TH_LOG("all listed, and an object of each looked up: %llu ms", us_since(start) / 1000);
	EXPECT_EQ(TABLES, found);
}

TEST_F(sizes, large_values)
{
	char *value = malloc(KREG_MAX_VALUE), *room = malloc(KREG_MAX_VALUE);
	struct kreg_info info;
	__u64 id, start;
	__u32 i;

	test_create(self->fd, NULL, 0, &id);
	start = test_now_ns();
	for (i = 0; i < 100; i++) {
		memset(value, i, KREG_MAX_VALUE);
		test_put(self->fd, id, &i, sizeof(i), value, KREG_MAX_VALUE);
	}
	test_info(self->fd, id, &info);
	TH_LOG("100 values of 1 MiB: %llu ms, %llu bytes each",
	       us_since(start) / 1000, (unsigned long long)info.memory / 100);
	for (i = 0; i < 100; i++) {
		memset(value, i, KREG_MAX_VALUE);
		ASSERT_EQ(KREG_MAX_VALUE, _test_get(self->fd, id, &i,
						    sizeof(i), room,
						    KREG_MAX_VALUE));
		ASSERT_EQ(0, memcmp(value, room, KREG_MAX_VALUE));
	}
}

static long job_many_clients(struct job *job)
{
	__u32 i;
	int fd;

	for (i = 1; i < job->arg; i++) {
		fd = test_client();
		if (fd < 0)
			return fd;
	}
	return 0;
}

TEST_F(sizes, many_clients)
{
	struct kid *kids[CLIENTS / 50];
	long long clients = test_param("clients");
	__u64 start = test_now_ns();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kids); i++) {
		kids[i] = kid_start(_metadata);
		kids[i]->job->arg = 50;
		ASSERT_EQ(0, kid_do(kids[i], job_many_clients));
	}
	EXPECT_EQ(clients + CLIENTS, test_param("clients"));
	TH_LOG("%u clients in %zu processes: %llu ms", CLIENTS,
	       ARRAY_SIZE(kids), us_since(start) / 1000);
	for (i = 0; i < ARRAY_SIZE(kids); i++)
		kid_kill(kids[i]);
	EXPECT_TRUE(test_wait_for(test_param("clients") == clients));
}

/* The least number of buckets that so many objects of an ordered table are in. */
#define LEAST_BUCKETS	(BATCH / 16)

/*
 * Keys that have much in common, in one batch, for which places to begin at have to be longer than
 * was known before. Then there are such places, without another write.
 */
TEST_F(sizes, buckets_of_one_batch)
{
	struct kreg_op *ops = calloc(BATCH, sizeof(*ops));
	static char keys[BATCH][304];
	struct kreg_info info;
	__u64 table;
	int i;

	ASSERT_NE(NULL, ops);
	memset(keys, 'a', sizeof(keys));
	for (i = 0; i < BATCH; i++) {
		sprintf(keys[i] + sizeof(keys[i]) - 5, "%04x", i);
		ops[i].code = KREG_OP_PUT;
		ops[i].key = test_ptr(keys[i]);
		ops[i].key_len = sizeof(keys[i]) - 1;
	}
	ASSERT_EQ(0, _test_create_type(self->fd, "together", KREG_TYPE_ORDERED_SET,
				       KREG_ACCESS_PUBLIC, &table));
	test_batch(self->fd, table, KREG_BATCH_ATOMIC, ops, BATCH, NULL);
	for (i = 0; i < test_scale(200) && !_test_info(self->fd, table, &info) &&
	     info.buckets < LEAST_BUCKETS; i++)
		usleep(10000);
	EXPECT_LE(LEAST_BUCKETS, info.buckets);
	free(ops);
}

TEST_HARNESS_MAIN

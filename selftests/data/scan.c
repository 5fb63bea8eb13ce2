// SPDX-License-Identifier: GPL-2.0
/*
 * Walking over the objects of a table.
 */
#include "kit/fixture.h"

#define OBJECTS	3000

FIXTURE(scan) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(scan)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "scan", KREG_ACCESS_PROTECTED, &self->table);
}

FIXTURE_TEARDOWN_PARENT(scan)
{
	test_teardown(_metadata, &self->base);
}

struct walk {
	struct kreg_ioc_scan cmd;
	__u64 buf[8192];
	char key[KREG_MAX_KEY];
};

static struct walk *walk_start(__u64 table, __u32 flags, __u32 room)
{
	struct walk *w = calloc(1, sizeof(*w));

	w->cmd.flags = flags;
	w->cmd.table = table;
	w->cmd.buf = test_ptr(w->buf);
	w->cmd.buf_len = room;
	return w;
}

static const struct kreg_object *next_object(const struct kreg_object *object)
{
	return (const void *)((const char *)object + object->size);
}

/* Prepare the next call: it goes on after the last key of this one. */
static void walk_on(struct walk *w)
{
	const struct kreg_object *object = (void *)w->buf;
	__u32 i;

	for (i = 1; i < w->cmd.out_count; i++)
		object = next_object(object);
	memcpy(w->key, object + 1, object->key_len);
	w->cmd.range.after = test_ptr(w->key);
	w->cmd.range.after_len = object->key_len;
}

/* Check what holds for the result of every scan. */
static void check_form(struct __test_metadata *_metadata, struct walk *w)
{
	const struct kreg_object *object = (void *)w->buf;
	const char *bytes;
	__u32 i, j, at = 0, used;

	ASSERT_LE(w->cmd.out_len, w->cmd.buf_len);
	for (i = 0; i < w->cmd.out_count; i++) {
		used = sizeof(*object) + object->key_len;
		if (!(w->cmd.flags & KREG_SCAN_KEYS))
			used += object->value_len;
		ASSERT_EQ((used + 7) & ~7U, object->size);
		ASSERT_EQ(0, object->sub);
		ASSERT_NE(0, object->version);
		bytes = (const char *)object;
		for (j = used; j < object->size; j++)
			ASSERT_EQ(0, bytes[j]);
		at += object->size;
		ASSERT_LE(at, w->cmd.out_len);
		object = next_object(object);
	}
	ASSERT_EQ(at, w->cmd.out_len);
	if (w->cmd.max_count)
		ASSERT_LE(w->cmd.out_count, w->cmd.max_count);
}

/* Keys are numbers: count in @seen how often each was returned. */
static void count_numbers(struct __test_metadata *_metadata, struct walk *w,
			  __u8 *seen, __u32 max)
{
	const struct kreg_object *object = (void *)w->buf;
	__u32 i, number;

	for (i = 0; i < w->cmd.out_count; i++) {
		ASSERT_EQ(sizeof(number), object->key_len);
		memcpy(&number, object + 1, sizeof(number));
		ASSERT_LT(number, max);
		seen[number]++;
		object = next_object(object);
	}
}

static void fill(struct __test_metadata *_metadata, int fd, __u64 table,
		 __u32 from, __u32 to, __u32 value_len)
{
	static char value[8192];
	__u32 i;

	memset(value, 'v', sizeof(value));
	for (i = from; i < to; i++)
		test_put(fd, table, &i, sizeof(i), value, value_len);
}

/* One step of a walk; false when the end was reached. */
static bool step(struct __test_metadata *_metadata, int fd, struct walk *w,
		 __u8 *seen, __u32 max)
{
	test_scan(fd, &w->cmd);
	check_form(_metadata, w);
	count_numbers(_metadata, w, seen, max);
	if (w->cmd.out_count)
		walk_on(w);
	else
		EXPECT_EQ(0, w->cmd.out_more);
	return w->cmd.out_more;
}

TEST_F(scan, empty)
{
	struct walk *w = walk_start(self->table, 0, sizeof(w->buf));

	memset(&w->cmd.out_count, 0xff, 12);
	test_scan(self->fd, &w->cmd);
	EXPECT_EQ(0, w->cmd.out_count);
	EXPECT_EQ(0, w->cmd.out_len);
	EXPECT_EQ(0, w->cmd.out_more);
}

TEST_F(scan, content)
{
	struct walk *w = walk_start(self->table, 0, sizeof(w->buf));
	const struct kreg_object *object = (void *)w->buf;
	struct kreg_op op = test_op_puts("key", "value!");

	test_op_(self->fd, self->table, 0, &op);
	test_scan(self->fd, &w->cmd);
	check_form(_metadata, w);
	ASSERT_EQ(1, w->cmd.out_count);
	EXPECT_EQ(3, object->key_len);
	EXPECT_EQ(6, object->value_len);
	EXPECT_EQ(op.out_version, object->version);
	EXPECT_EQ(0, memcmp("keyvalue!", object + 1, 9));

	w->cmd.flags = KREG_SCAN_KEYS;
	test_scan(self->fd, &w->cmd);
	check_form(_metadata, w);
	ASSERT_EQ(1, w->cmd.out_count);
	EXPECT_EQ(3, object->key_len);
	EXPECT_EQ(6, object->value_len);
	EXPECT_EQ(32, object->size);
	EXPECT_EQ(0, memcmp("key\0\0\0\0", object + 1, 8));
}

/* Whatever the room and the count: all objects, each once. */
TEST_F(scan, rooms_and_counts)
{
	static const struct {
		__u32 flags, room, max;
	} rows[] = {
		{ 0, 64, 0 }, { 0, 72, 0 }, { 0, 4096, 0 }, { 0, 65536, 0 },
		{ 0, 65536, 1 }, { 0, 65536, 7 }, { 0, 200, 2 },
		{ KREG_SCAN_KEYS, 32, 0 }, { KREG_SCAN_KEYS, 100, 0 },
		{ KREG_SCAN_KEYS, 65536, 1000 },
	};
	__u8 seen[300];
	struct walk *w;
	unsigned int i, n;

	fill(_metadata, self->fd, self->table, 0, 300, 30);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(seen, 0, sizeof(seen));
		w = walk_start(self->table, rows[i].flags, rows[i].room);
		w->cmd.max_count = rows[i].max;
		while (step(_metadata, self->fd, w, seen, 300))
			;
		for (n = 0; n < 300; n++)
			ASSERT_EQ(1, seen[n]);
		free(w);
	}
}

TEST_F(scan, too_little_room)
{
	struct walk *w = walk_start(self->table, 0, 0);

	/* An empty table needs no room. */
	test_scan(self->fd, &w->cmd);
	EXPECT_EQ(0, w->cmd.out_more);
	test_put(self->fd, self->table, "key", 3, "0123456789", 10);
	test_err_scan(EMSGSIZE, self->fd, &w->cmd);
	EXPECT_EQ(40, w->cmd.out_len);
	w->cmd.buf_len = 39;
	test_err_scan(EMSGSIZE, self->fd, &w->cmd);
	EXPECT_EQ(40, w->cmd.out_len);
	w->cmd.buf_len = 40;
	test_scan(self->fd, &w->cmd);
	EXPECT_EQ(1, w->cmd.out_count);
	w->cmd.buf_len = 39;
	w->cmd.flags = KREG_SCAN_KEYS;
	test_scan(self->fd, &w->cmd);
	EXPECT_EQ(1, w->cmd.out_count);
}

/* An object larger than a page, and one that fits only alone. */
TEST_F(scan, large_objects)
{
	struct walk *w = walk_start(self->table, 0, 9000);
	__u8 seen[20] = { 0 };
	int i;

	fill(_metadata, self->fd, self->table, 0, 20, 8192);
	while (step(_metadata, self->fd, w, seen, 20))
		EXPECT_GE(1, w->cmd.out_count);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(1, seen[i]);
}

/* The order is the table's own and never changes. */
TEST_F(scan, order)
{
	struct walk *a = walk_start(self->table, KREG_SCAN_KEYS,
				    sizeof(a->buf));
	struct walk *b = walk_start(self->table, KREG_SCAN_KEYS,
				    sizeof(b->buf));
	__u8 seen[1000] = { 0 };

	fill(_metadata, self->fd, self->table, 0, 1000, 0);
	step(_metadata, self->fd, a, seen, 1000);
	/* New values and growth do not change the order of the objects that are there. */
	fill(_metadata, self->fd, self->table, 0, 1000, 50);
	step(_metadata, self->fd, b, seen, 1000);
	ASSERT_EQ(1000, a->cmd.out_count);
	ASSERT_EQ(1000, b->cmd.out_count);
	ASSERT_EQ(a->cmd.out_len, b->cmd.out_len);
	for (a->cmd.out_count = 0; a->cmd.out_count < 1000;
	     a->cmd.out_count++) {
		/* Objects of 32 bytes, with the key at 24. */
		ASSERT_EQ((__u32)a->buf[a->cmd.out_count * 4 + 3],
			  (__u32)b->buf[a->cmd.out_count * 4 + 3]);
	}
}

/* A scan can go on after a key that was deleted or never existed. */
TEST_F(scan, absent_cursor)
{
	struct walk *w = walk_start(self->table, 0, 4096);
	struct walk *all = walk_start(self->table, KREG_SCAN_KEYS,
				      sizeof(all->buf));
	__u8 seen[500] = { 0 };
	__u32 never = 1000000, number;
	struct kreg_op op;
	int i, steps = 0;
	bool more;

	fill(_metadata, self->fd, self->table, 0, 500, 30);
	do {
		more = step(_metadata, self->fd, w, seen, 500);
		/* The object to go on after is deleted each time. */
		memcpy(&number, w->key, sizeof(number));
		op = test_op(KREG_OP_DELETE, &number, sizeof(number));
		test_op_(self->fd, self->table, 0, &op);
		steps++;
	} while (more && steps < 1000);
	for (i = 0; i < 500; i++)
		ASSERT_EQ(1, seen[i]);

	all->cmd.range.after = test_ptr(&never);
	all->cmd.range.after_len = sizeof(never);
	test_scan(self->fd, &all->cmd);
	check_form(_metadata, all);
	EXPECT_GE(500, all->cmd.out_count);
}

/*
 * Objects that exist all the time are found exactly once, while others are inserted and
 * deleted and the index grows and shrinks; nothing is found twice.
 */
TEST_F(scan, exactly_once)
{
	struct walk *w = walk_start(self->table, 0, 1024);
	__u8 *seen = calloc(1, 10 * OBJECTS);
	__u32 i, odd, at = OBJECTS;
	struct kreg_op op;
	bool more;

	fill(_metadata, self->fd, self->table, 0, OBJECTS, 8);
	do {
		more = step(_metadata, self->fd, w, seen, 10 * OBJECTS);
		/* Even numbers stay; odd ones are deleted, new ones are inserted. */
		for (i = 0; i < 80 && at < 10 * OBJECTS; i++, at++) {
			test_put(self->fd, self->table, &at, sizeof(at), "n",
				 1);
			odd = at - OBJECTS;
			if (odd >= OBJECTS || !(odd & 1))
				continue;
			op = test_op(KREG_OP_DELETE, &odd, sizeof(odd));
			test_op_(self->fd, self->table, 0, &op);
		}
	} while (more);
	for (i = 0; i < 10 * OBJECTS; i++) {
		ASSERT_GE(1, seen[i]);
		if (i < OBJECTS && !(i & 1))
			ASSERT_EQ(1, seen[i]);
	}
	EXPECT_LT(OBJECTS, at);
}

/* Objects that are replaced are still the same objects. */
TEST_F(scan, rewritten_meanwhile)
{
	struct walk *w = walk_start(self->table, 0, 512);
	int i, objects = 100 + test_size(400);
	__u8 *seen = calloc(1, objects);
	__u32 len = 1;

	fill(_metadata, self->fd, self->table, 0, objects, 8);
	while (step(_metadata, self->fd, w, seen, objects)) {
		fill(_metadata, self->fd, self->table, 0, objects, len % 300);
		len += 13;
	}
	for (i = 0; i < objects; i++)
		ASSERT_EQ(1, seen[i]);
}

TEST_F(scan, shrinks_meanwhile)
{
	struct walk *w = walk_start(self->table, 0, 1024);
	__u8 *seen = calloc(1, OBJECTS);
	struct kreg_op op;
	__u32 i;

	fill(_metadata, self->fd, self->table, 0, OBJECTS, 8);
	ASSERT_TRUE(step(_metadata, self->fd, w, seen, OBJECTS));
	for (i = 100; i < OBJECTS; i++) {
		op = test_op(KREG_OP_DELETE, &i, sizeof(i));
		test_op_(self->fd, self->table, 0, &op);
	}
	test_sync(self->fd);
	while (step(_metadata, self->fd, w, seen, OBJECTS))
		;
	for (i = 0; i < 100; i++)
		ASSERT_EQ(1, seen[i]);
	for (; i < OBJECTS; i++)
		ASSERT_GE(1, seen[i]);
}

TEST_F(scan, cleared_or_destroyed)
{
	struct walk *w = walk_start(self->table, 0, 1024);
	__u8 seen[500] = { 0 };

	fill(_metadata, self->fd, self->table, 0, 500, 8);
	ASSERT_TRUE(step(_metadata, self->fd, w, seen, 500));
	test_clear(self->fd, self->table);
	EXPECT_FALSE(step(_metadata, self->fd, w, seen, 500));
	EXPECT_EQ(0, w->cmd.out_count);
	test_destroy(self->fd, self->table);
	test_err_scan(ESTALE, self->fd, &w->cmd);
}

TEST_F(scan, arguments)
{
	struct walk *w = walk_start(self->table, 0, 1024);

	w->cmd.buf += 4;
	test_err_scan(EINVAL, self->fd, &w->cmd);
	w->cmd.buf = 8;
	test_puts(self->fd, self->table, "k", "v");
	test_err_scan(EFAULT, self->fd, &w->cmd);
}

TEST_HARNESS_MAIN

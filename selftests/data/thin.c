// SPDX-License-Identifier: GPL-2.0
/*
 * Nine objects in ten are deleted at random: the memory of the table comes back to what the rest
 * needs, while others read all of it, and by a pin, and find each of the rest exactly once; and
 * nobody is told of anything.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/pin.h"

#define OBJECTS		100000
#define KEY		16
#define VALUE		64
#define EACH		4		/* objects of a key in a bag */
#define BATCH		KREG_MAX_BATCH_OPS

/* What an object takes without the slack of anything: header, key and value. */
#define LIVE		(32 + KEY + VALUE)
/* So much more may be there anyway. */
#define LEAST		(64 << 10)

FIXTURE(thin) {
	struct test_base base;
	int fd;
	__u64 table;
	__u32 keys;
};

FIXTURE_VARIANT(thin) {
	__u32 type;
	__u32 each;
};

FIXTURE_VARIANT_ADD(thin, set) { .type = KREG_TYPE_SET, .each = 1 };
FIXTURE_VARIANT_ADD(thin, ordered_set) { .type = KREG_TYPE_ORDERED_SET, .each = 1 };
FIXTURE_VARIANT_ADD(thin, bag) { .type = KREG_TYPE_BAG, .each = EACH };

static __u32 each;			/* objects of a key */
static bool *kept;			/* by the number of the key */
static __u32 kept_count;		/* objects */

static void make_key(char *key, __u32 n)
{
	snprintf(key, KEY + 1, "key%013u", n);
}

/* Object @n, or the key of number @n without those that are kept. */
static bool make_op(struct kreg_op *op, __u32 code, __u32 n, char *key, char *value)
{
	if (code == KREG_OP_DELETE && kept[n])
		return false;
	make_key(key, code == KREG_OP_PUT ? n / each : n);
	if (code == KREG_OP_PUT)
		memcpy(value, &n, sizeof(n));
	*op = code == KREG_OP_PUT ? test_op_value(code, key, KEY, value, VALUE) :
				    test_ops(code, key);
	return true;
}

static int write_all(int fd, __u64 table, __u32 code, __u32 count)
{
	static char keys[BATCH][KEY + 1], values[BATCH][VALUE];
	static struct kreg_op ops[BATCH];
	__u32 i = 0, n;
	int err = 0;

	while (i < count && !err) {
		for (n = 0; n < BATCH && i < count; i++)
			n += make_op(&ops[n], code, i, keys[n], values[n]);
		err = n ? _test_batch(fd, table, 0, ops, n, NULL) : 0;
	}
	return err;
}

FIXTURE_SETUP(thin)
{
	__u32 i;

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "thin", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	each = variant->each;
	self->keys = test_size(OBJECTS) / each;
	kept = calloc(self->keys, sizeof(*kept));
	ASSERT_NE(NULL, kept);
	kept_count = 0;
	srandom(1);
	for (i = 0; i < self->keys; i++) {
		kept[i] = random() % 10 == 0;
		kept_count += kept[i] * each;
	}
}

FIXTURE_TEARDOWN_PARENT(thin)
{
	test_teardown(_metadata, &self->base);
}

/* Who reads all objects again and again, until he is stopped. */
struct reader {
	pthread_t thread;
	int fd;
	__u64 table;
	bool pinned;
	__u64 pin;			/* with @pinned: his own */
	bool back;
	__u32 count;
	__u8 *seen;
	int stop;
	__u32 passes;
	const char *wrong;
};

static void go_on(struct kreg_ioc_scan *cmd, const struct kreg_object *o, __u8 *after)
{
	memcpy(after, o + 1, o->key_len);
	cmd->range.after = test_ptr(after);
	cmd->range.after_len = o->key_len;
	cmd->range.after_version = each > 1 ? o->version : 0;
	cmd->range.after_sub = each > 1 ? o->sub : 0;
}

/* What is wrong with @o, which comes next; else NULL. */
static const char *meet(struct reader *r, const struct kreg_object *o, __u32 *found)
{
	__u32 n;

	memcpy(&n, (const char *)(o + 1) + o->key_len, sizeof(n));
	if (n >= r->count || o->value_len != VALUE)
		return "another value";
	if (r->seen[n]++)
		return "twice";
	if (r->pin && !kept[n / each])
		return "not at the pin";
	*found += kept[n / each];
	return NULL;
}

static const char *read_all(struct reader *r)
{
	__u64 room[8192] = {};
	__u8 after[KREG_MAX_KEY];
	struct kreg_ioc_scan cmd = {
		.table = r->table,
		.pin = r->pin,
		.flags = r->back ? KREG_SCAN_REVERSE : 0,
		.buf = test_ptr(room),
		.buf_len = sizeof(room),
		.out_more = 1,
	};
	const char *wrong = NULL;
	__u32 i, found = 0;

	memset(r->seen, 0, r->count);
	while (cmd.out_more && !wrong) {
		const struct kreg_object *o = (void *)room;

		if (_test_scan(r->fd, &cmd))
			return "an error";
		for (i = 0; i < cmd.out_count && !wrong; i++) {
			wrong = meet(r, o, &found);
			go_on(&cmd, o, after);
			o = (const void *)((const char *)o + o->size);
		}
	}
	return wrong ? wrong : found == kept_count ? NULL : "not all";
}

static void *read_always(void *arg)
{
	struct reader *r = arg;

	while (!r->wrong && !__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		r->wrong = read_all(r);
		__atomic_fetch_add(&r->passes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void start(struct __test_metadata *_metadata, struct reader *r)
{
	r->seen = calloc(r->count, 1);
	r->fd = test_client();
	ASSERT_LE(0, r->fd);
	if (r->pinned)
		test_pin(r->fd, r->table, 0, &r->pin);
	ASSERT_EQ(0, pthread_create(&r->thread, NULL, read_always, r));
}

/* He reads all of it once more, to the end. */
static void stop(struct __test_metadata *_metadata, struct reader *r)
{
	__u32 passes = __atomic_load_n(&r->passes, __ATOMIC_RELAXED);

	EXPECT_TRUE(test_wait_for(__atomic_load_n(&r->passes, __ATOMIC_RELAXED) > passes + 1 ||
				  __atomic_load_n(&r->wrong, __ATOMIC_RELAXED)));
	__atomic_store_n(&r->stop, 1, __ATOMIC_RELAXED);
	pthread_join(r->thread, NULL);
	EXPECT_EQ(NULL, r->wrong) {
		TH_LOG("a reader has found: %s", r->wrong);
	}
	free(r->seen);
	close(r->fd);
}

TEST_F_TIMEOUT(thin, memory_comes_back, test_scale(120))
{
	struct reader reader = { .table = self->table, .count = self->keys * each };
	struct reader by_pin = reader;
	struct kreg_info before, info;

	ASSERT_EQ(0, write_all(self->fd, self->table, KREG_OP_PUT, self->keys * each));
	test_info(self->fd, self->table, &before);
	reader.back = variant->type == KREG_TYPE_ORDERED_SET;
	start(_metadata, &reader);
	ASSERT_EQ(0, write_all(self->fd, self->table, KREG_OP_DELETE, self->keys));
	by_pin.pinned = true;
	start(_metadata, &by_pin);
	test_info(self->fd, self->table, &before);
	EXPECT_EQ(kept_count, before.objects);
	EXPECT_TRUE(test_wait_for(!_test_info(self->fd, self->table, &info) &&
				  info.memory <= kept_count * LIVE / 10 * 25 + LEAST));
	TH_LOG("%u objects, %llu bytes, before: %llu", kept_count,
	       (unsigned long long)info.memory, (unsigned long long)before.memory);
	stop(_metadata, &reader);
	stop(_metadata, &by_pin);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(before.version, info.version);
	EXPECT_EQ(kept_count, info.objects);
}

TEST_HARNESS_MAIN

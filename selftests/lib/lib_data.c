// SPDX-License-Identifier: GPL-2.0
/* libkreg: objects, batches, scans, asynchronous writes. */
#include "lib/lib.h"

TEST_F(lib, put_get)
{
	char buf[16];
	size_t len = 0;
	uint64_t n;

	EXPECT_EQ(-ENODATA, kreg_get(self->table, "k", 1, buf, sizeof(buf), &len));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "value", 5));
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, buf, sizeof(buf), &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, memcmp(buf, "value", 5));
	EXPECT_EQ(-EMSGSIZE, kreg_get(self->table, "k", 1, buf, 4, &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(-EMSGSIZE, kreg_get(self->table, "k", 1, NULL, 0, NULL));
	EXPECT_EQ(-EEXIST, kreg_put_new(self->table, "k", 1, "x", 1));
	EXPECT_EQ(0, kreg_put_new(self->table, "l", 1, NULL, 0));
	EXPECT_EQ(0, kreg_get(self->table, "l", 1, NULL, 0, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(0, kreg_member(self->table, "k", 1));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "m", 1));
	ASSERT_EQ(0, kreg_count(self->table, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(1, kreg_del(self->table, "k", 1));
	EXPECT_EQ(0, kreg_del(self->table, "k", 1));
	ASSERT_EQ(0, kreg_clear(self->table, &n));
	EXPECT_EQ(1, n);
	ASSERT_EQ(0, kreg_clear(self->table, NULL));
}

TEST_F(lib, object_errors)
{
	char *big = calloc(1, (1 << 20) + 1);
	struct kreg_table *dead;
	char buf[8];

	ASSERT_NE(NULL, big);
	EXPECT_EQ(-EINVAL, kreg_put(self->table, "", 0, "v", 1));
	EXPECT_EQ(-EINVAL, kreg_get(self->table, "", 0, buf, sizeof(buf), NULL));
	EXPECT_EQ(-ENAMETOOLONG, kreg_put(self->table, big, 1025, "v", 1));
	EXPECT_EQ(0, kreg_put(self->table, big, 1024, "v", 1));
	EXPECT_EQ(-EFBIG, kreg_put(self->table, "k", 1, big, (1 << 20) + 1));
	EXPECT_EQ(0, kreg_put(self->table, "k", 1, big, 1 << 20));
	/* Lengths whose lower 32 bits are small. */
	EXPECT_EQ(-EFBIG, kreg_put(self->table, "k", 1, big, (size_t)1 << 32));
	EXPECT_EQ(-ENAMETOOLONG, kreg_get(self->table, big, ((size_t)1 << 32) + 1, buf, 8, NULL));
	free(big);

	ASSERT_EQ(0, kreg_table_by_id(self->client, kreg_table_id(self->table), &dead));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_put(dead, "k", 1, "v", 1));
	EXPECT_EQ(-ESTALE, kreg_get(dead, "k", 1, buf, sizeof(buf), NULL));
	kreg_table_close(dead);
}

TEST_F(lib, alloc_and_take)
{
	char *big = malloc(100000);
	void *value = NULL;
	char buf[8];
	size_t len;

	ASSERT_NE(NULL, big);
	memset(big, 'x', 100000);
	ASSERT_EQ(0, kreg_put(self->table, "big", 3, big, 100000));
	ASSERT_EQ(0, kreg_get_alloc(self->table, "big", 3, &value, &len));
	EXPECT_EQ(100000, len);
	EXPECT_EQ(0, memcmp(big, value, len));
	EXPECT_EQ('\0', ((char *)value)[len]);
	free(value);
	EXPECT_EQ(-EMSGSIZE, kreg_take(self->table, "big", 3, buf, sizeof(buf), &len));
	EXPECT_EQ(0, kreg_member(self->table, "big", 3));
	ASSERT_EQ(0, kreg_take_alloc(self->table, "big", 3, &value, NULL));
	free(value);
	EXPECT_EQ(-ENODATA, kreg_take_alloc(self->table, "big", 3, &value, NULL));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_take(self->table, "k", 1, buf, sizeof(buf), &len));
	EXPECT_EQ(-ENODATA, kreg_take(self->table, "k", 1, buf, sizeof(buf), &len));
	free(big);
}

TEST_F(lib, run_tells_versions)
{
	struct kreg_op_args args = {
		.size = sizeof(args), .code = KREG_OP_PUT, .key = "k", .key_len = 1,
		.value = "v", .value_len = 1,
	};
	uint64_t version;
	char buf[8];

	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	version = args.out_version;
	EXPECT_EQ(0, args.out_count);
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	EXPECT_EQ(1, args.out_count);
	EXPECT_LT(version, args.out_version);
	version = args.out_version;
	args.code = KREG_OP_PUT;
	args.flags = KREG_OP_NEW;
	EXPECT_EQ(-EEXIST, kreg_op_run(self->table, &args));
	args.code = KREG_OP_GET;
	args.flags = 0;
	args.value = buf;
	args.value_len = sizeof(buf);
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	EXPECT_EQ(version, args.out_version);
	EXPECT_EQ(1, args.out_len);
	args.code = 99;
	EXPECT_EQ(-EOPNOTSUPP, kreg_op_run(self->table, &args));
	args.size = 4;
	EXPECT_EQ(-EINVAL, kreg_op_run(self->table, &args));
}

TEST_F(lib, async)
{
	uint64_t n;
	char key;

	for (key = 'a'; key <= 'z'; key++)
		ASSERT_EQ(0, kreg_put_async(self->table, &key, 1, "v", 1));
	EXPECT_EQ(0, kreg_del_async(self->table, "z", 1));
	ASSERT_EQ(0, kreg_client_sync(self->client));
	ASSERT_EQ(0, kreg_count(self->table, &n));
	EXPECT_EQ(25, n);
	EXPECT_EQ(0, kreg_clear_async(self->table));
	ASSERT_EQ(0, kreg_client_sync(self->client));
	ASSERT_EQ(0, kreg_count(self->table, &n));
	EXPECT_EQ(0, n);
}

TEST_F(lib, batch_writes)
{
	struct kreg_batch *b;
	uint64_t n;

	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_new(self->table, 1 << 7, &b));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_new(self->table, KREG_WRITE_ACKED, &b));
	EXPECT_STREQ("a batch waits for no subscriber; a kreg_sync_notify() after it does",
		     kreg_errmsg());
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	EXPECT_EQ(0, kreg_batch_run(b));
	EXPECT_EQ(0, kreg_batch_put(b, "a", 1, "1", 1));
	EXPECT_EQ(1, kreg_batch_put_new(b, "b", 1, "", 0));
	EXPECT_EQ(2, kreg_batch_put(b, "c", 1, "3", 1));
	EXPECT_EQ(3, kreg_batch_del(b, "c", 1));
	EXPECT_EQ(-EINVAL, kreg_batch_get(b, "a", 1, 8));
	EXPECT_EQ(-EINVAL, kreg_batch_put(b, "", 0, "1", 1));
	EXPECT_EQ(4, kreg_batch_count(b));
	EXPECT_EQ(4, kreg_batch_run(b));
	EXPECT_EQ(-1, kreg_batch_failed_index(b));
	EXPECT_LE(1, kreg_batch_version(b, 0));
	EXPECT_EQ(0, kreg_batch_error(b, 1));
	ASSERT_EQ(0, kreg_count(self->table, &n));
	EXPECT_EQ(2, n);
	/* Once more: b exists already, and a is replaced. */
	EXPECT_EQ(3, kreg_batch_run(b));
	EXPECT_EQ(-EEXIST, kreg_batch_error(b, 1));
	EXPECT_EQ(1, kreg_batch_count_of(b, 0));
	kreg_batch_reset(b);
	EXPECT_EQ(0, kreg_batch_count(b));
	EXPECT_EQ(0, kreg_batch_clear(b));
	EXPECT_EQ(1, kreg_batch_run(b));
	EXPECT_EQ(2, kreg_batch_count_of(b, 0));
	EXPECT_EQ(-EINVAL, kreg_batch_error(b, 7));
	kreg_batch_free(b);
	kreg_batch_free(NULL);
}

TEST_F(lib, batch_atomic)
{
	struct kreg_batch *b;

	ASSERT_EQ(0, kreg_put(self->table, "b", 1, "old", 3));
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	ASSERT_EQ(0, kreg_batch_put(b, "a", 1, "1", 1));
	ASSERT_EQ(1, kreg_batch_put_new(b, "b", 1, "2", 1));
	EXPECT_EQ(-EEXIST, kreg_batch_run(b));
	EXPECT_EQ(1, kreg_batch_failed_index(b));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "a", 1));
	kreg_batch_free(b);

	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_WRITE_ASYNC, &b));
	ASSERT_EQ(0, kreg_batch_put(b, "a", 1, "1", 1));
	EXPECT_EQ(1, kreg_batch_run(b));
	EXPECT_EQ(0, kreg_client_sync(self->client));
	EXPECT_EQ(0, kreg_member(self->table, "a", 1));
	kreg_batch_free(b);
}

TEST_F(lib, batch_reads)
{
	struct kreg_batch *b;
	const struct kreg_object *o;
	size_t len = 0;

	ASSERT_EQ(0, kreg_put(self->table, "a", 1, "alpha", 5));
	ASSERT_EQ(0, kreg_put(self->table, "e", 1, "", 0));
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	ASSERT_EQ(0, kreg_batch_get(b, "a", 1, 16));
	ASSERT_EQ(1, kreg_batch_get(b, "a", 1, 2));
	ASSERT_EQ(2, kreg_batch_get(b, "x", 1, 16));
	ASSERT_EQ(3, kreg_batch_member(b, "a", 1));
	ASSERT_EQ(4, kreg_batch_get(b, "e", 1, 0));
	EXPECT_EQ(NULL, kreg_batch_object(b, 0));
	EXPECT_EQ(3, kreg_batch_run(b));
	o = kreg_batch_object(b, 0);
	ASSERT_NE(NULL, o);
	EXPECT_EQ(0, memcmp(kreg_object_value(o, &len), "alpha", 5));
	EXPECT_EQ(5, len);
	EXPECT_EQ('a', *(const char *)kreg_object_key(o, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(kreg_batch_version(b, 0), kreg_object_version(o));
	o = kreg_batch_object(b, 1);
	ASSERT_NE(NULL, o);
	EXPECT_EQ(NULL, kreg_object_value(o, &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(NULL, kreg_batch_object(b, 2));
	o = kreg_batch_object(b, 3);
	ASSERT_NE(NULL, o);
	EXPECT_EQ(NULL, kreg_object_value(o, &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(-EMSGSIZE, kreg_batch_error(b, 1));
	EXPECT_EQ(-ENODATA, kreg_batch_error(b, 2));
	EXPECT_EQ(0, kreg_batch_error(b, 3));
	o = kreg_batch_object(b, 4);
	ASSERT_NE(NULL, o);
	EXPECT_NE(NULL, kreg_object_value(o, &len));
	EXPECT_EQ(0, len);
	kreg_batch_free(b);
}

TEST_F(lib, batch_full)
{
	char *value = calloc(1, 1 << 20);
	struct kreg_batch *b;
	uint32_t key;
	int ret = 0;

	ASSERT_NE(NULL, value);
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	for (key = 0; ret >= 0; key++)
		ret = kreg_batch_put(b, &key, sizeof(key), "v", 1);
	EXPECT_EQ(-ENOBUFS, ret);
	EXPECT_EQ(4096, kreg_batch_count(b));
	EXPECT_EQ(4096, kreg_batch_run(b));
	kreg_batch_reset(b);
	for (key = 0, ret = 0; ret >= 0; key++)
		ret = kreg_batch_put(b, &key, sizeof(key), value, 1 << 20);
	EXPECT_EQ(-ENOBUFS, ret);
	EXPECT_EQ(3, kreg_batch_count(b));
	EXPECT_EQ(3, kreg_batch_run(b));
	kreg_batch_free(b);
	free(value);
}

TEST_F(lib, get_many)
{
	static struct kreg_item items[1000];
	static uint32_t keys[1000], values[1000];
	int i;

	for (i = 0; i < 1000; i++) {
		keys[i] = i;
		if (i % 10)
			ASSERT_EQ(0, kreg_put(self->table, &keys[i], 4, &keys[i], 4));
		items[i] = (struct kreg_item){ &keys[i], 4, &values[i], 4, 0, 0, 0 };
	}
	items[5].room = 3;
	EXPECT_EQ(899, kreg_get_many(self->table, items, 1000, sizeof(*items)));
	for (i = 0; i < 1000; i++) {
		if (i % 10 == 0) {
			EXPECT_EQ(-ENODATA, items[i].error);
		} else if (i != 5) {
			EXPECT_EQ(0, items[i].error);
			EXPECT_EQ(4, items[i].len);
			EXPECT_EQ(keys[i], values[i]);
			EXPECT_LE(1, items[i].version);
		}
	}
	EXPECT_EQ(-EMSGSIZE, items[5].error);
	EXPECT_EQ(4, items[5].len);
	EXPECT_EQ(0, kreg_get_many(self->table, NULL, 0, sizeof(*items)));
	EXPECT_EQ(-EINVAL, kreg_get_many(self->table, items, 1, sizeof(*items) - 1));
}

/* A program whose items are longer than the library's. */
TEST_F(lib, get_many_longer)
{
	struct {
		struct kreg_item known;
		char later[8];
	} items[2];
	char values[2];

	memset(items, 0, sizeof(items));
	items[0].known = (struct kreg_item){ "a", 1, &values[0], 1, 0, 0, 0 };
	items[1].known = (struct kreg_item){ "b", 1, &values[1], 1, 0, 0, 0 };
	ASSERT_EQ(0, kreg_put(self->table, "b", 1, "2", 1));
	EXPECT_EQ(1, kreg_get_many(self->table, &items[0].known, 2, sizeof(items[0])));
	EXPECT_EQ(-ENODATA, items[0].known.error);
	EXPECT_EQ('2', values[1]);
	items[1].later[7] = 1;
	EXPECT_EQ(-E2BIG, kreg_get_many(self->table, &items[0].known, 2, sizeof(items[0])));
}

TEST_F(lib, get_object)
{
	struct kreg_op_args args = KREG_OP_ARGS_INIT;
	char *big = calloc(1, 100000);
	struct kreg_object *o = NULL;
	size_t len;

	ASSERT_NE(NULL, big);
	EXPECT_EQ(-ENODATA, kreg_get_object(self->table, "k", 1, &o));
	EXPECT_EQ(-EINVAL, kreg_get_object(self->table, "", 0, &o));
	EXPECT_EQ(-ENAMETOOLONG, kreg_get_object(self->table, big, 1025, &o));
	EXPECT_EQ(NULL, o);
	big[99999] = 'x';
	args.code = KREG_OP_PUT;
	args.key = "k";
	args.key_len = 1;
	args.value = big;
	args.value_len = 100000;
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	ASSERT_EQ(0, kreg_get_object(self->table, "k", 1, &o));
	EXPECT_EQ('k', *(const char *)kreg_object_key(o, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0, memcmp(big, kreg_object_value(o, &len), 100000));
	EXPECT_EQ(100000, len);
	EXPECT_EQ(args.out_version, kreg_object_version(o));
	kreg_object_free(o);
	kreg_object_free(NULL);
	free(big);
}

/* Every key once, with its value; returns how many. */
static int walk(struct kreg_table *table, const struct kreg_scan_options *o, char *last)
{
	const struct kreg_object *object;
	const void *key, *value;
	struct kreg_scan *s;
	int n = 0, ret;
	size_t len;

	ret = kreg_scan_open(table, o, &s);
	if (ret)
		return ret;
	while ((ret = kreg_scan_next(s, &object)) > 0) {
		key = kreg_object_key(object, &len);
		value = kreg_object_value(object, NULL);
		if (len != 4 || (value && memcmp(key, value, 4)))
			return -EBADMSG;
		if (!value != (o && o->flags & KREG_SCAN_KEYS))
			return -EBADMSG;
		memcpy(last, key, 4);
		n++;
	}
	kreg_scan_close(s);
	return ret ? ret : n;
}

TEST_F(lib, scan)
{
	struct kreg_scan_options o = { .size = sizeof(o), .flags = KREG_SCAN_KEYS };
	char value[3000] = "", last[4];
	struct kreg_scan *s = NULL;
	uint32_t key;

	EXPECT_EQ(0, walk(self->table, NULL, last));
	for (key = 0; key < 500; key++) {
		memcpy(value, &key, 4);
		ASSERT_EQ(0, kreg_put(self->table, &key, 4, value, sizeof(value)));
	}
	EXPECT_EQ(500, walk(self->table, NULL, last));
	EXPECT_EQ(500, walk(self->table, &o, last));
	/* The library enlarges a room that is too small for one object. */
	o.flags = 0;
	o.room = 8;
	o.batch = 3;
	EXPECT_EQ(500, walk(self->table, &o, last));
	o.after = last;
	o.after_len = 4;
	EXPECT_EQ(0, walk(self->table, &o, last));
	o.flags = 1 << 9;
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_open(self->table, &o, &s));
	o.flags = 0;
	o.after_len = 1025;
	EXPECT_EQ(-ENAMETOOLONG, kreg_scan_open(self->table, &o, &s));
	EXPECT_EQ(NULL, s);
	kreg_scan_close(NULL);
}

TEST_HARNESS_MAIN

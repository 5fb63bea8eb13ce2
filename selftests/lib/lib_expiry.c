// SPDX-License-Identifier: GPL-2.0
/* libkreg: objects that expire. */
#include "lib/cause.h"
#include "lib/dump.h"

#define HOUR_MS		3600000

static bool is_there(struct kreg_table *table, const char *key)
{
	return !kreg_member(table, key, strlen(key));
}

static uint64_t expires(struct kreg_table *table, const char *key)
{
	uint64_t ns = UINT64_MAX;

	return kreg_expires(table, key, strlen(key), &ns) ? UINT64_MAX : ns;
}

TEST_F(lib, put_ttl)
{
	uint64_t before = kreg_deadline(HOUR_MS), ns;
	struct kreg_stat *stat;

	ASSERT_EQ(0, kreg_put_ttl(self->table, "key", 3, "value", 5, HOUR_MS));
	ns = expires(self->table, "key");
	EXPECT_LE(before, ns);
	EXPECT_GE(kreg_deadline(HOUR_MS), ns);
	ASSERT_EQ(0, kreg_table_stat(self->table, &stat));
	EXPECT_EQ(1, kreg_stat_timed(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_put_ttl(self->table, "key", 3, "value", 5, -1));
	EXPECT_EQ(0, expires(self->table, "key"));
	ASSERT_EQ(0, kreg_put_ttl(self->table, "key", 3, "value", 5, 30));
	ASSERT_EQ(0, kreg_wait(self->table, "key", 3, KREG_WATCH_ABSENT, 0, -1));
	EXPECT_FALSE(is_there(self->table, "key"));
	EXPECT_EQ(-ENODATA, kreg_expires(self->table, "key", 3, &ns));
	EXPECT_TRUE(says("the key is not in"));
	ASSERT_EQ(0, kreg_put_ttl(self->table, "key", 3, "value", 5, 0));
	ASSERT_EQ(0, kreg_wait(self->table, "key", 3, KREG_WATCH_ABSENT, 0, -1));
}

TEST_F(lib, put_with)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;
	uint64_t ns, version;

	ASSERT_EQ(0, kreg_put_with(self->table, "key", 3, "value", 5, NULL));
	EXPECT_EQ(0, expires(self->table, "key"));
	o.flags = KREG_OP_NEW;
	EXPECT_EQ(-EEXIST, kreg_put_with(self->table, "key", 3, "value", 5, &o));
	o.flags = KREG_OP_PRESENT;
	EXPECT_EQ(-ENODATA, kreg_put_with(self->table, "other", 5, "value", 5, &o));
	o.idle_ms = HOUR_MS;
	ASSERT_EQ(0, kreg_put_with(self->table, "key", 3, "value", 5, &o));
	version = o.out_version;
	EXPECT_LT(kreg_deadline(0), expires(self->table, "key"));
	o.idle_ms = 0;
	o.flags = 0;
	o.expires_ns = kreg_deadline(HOUR_MS);
	o.if_version = version + 1;
	EXPECT_EQ(-ECANCELED, kreg_put_with(self->table, "key", 3, "value", 5, &o));
	o.if_version = version;
	ASSERT_EQ(0, kreg_put_with(self->table, "key", 3, "value", 5, &o));
	EXPECT_EQ(o.expires_ns, expires(self->table, "key"));
	/* What is there keeps what it has, and what is not gets what is said. */
	ns = o.expires_ns;
	o.if_version = 0;
	o.flags = KREG_OP_KEEP;
	o.expires_ns = 0;
	o.ttl_ms = 2 * HOUR_MS;
	ASSERT_EQ(0, kreg_put_with(self->table, "key", 3, "new", 3, &o));
	EXPECT_EQ(ns, expires(self->table, "key"));
	ASSERT_EQ(0, kreg_put_with(self->table, "other", 5, "new", 3, &o));
	EXPECT_LT(ns, expires(self->table, "other"));
}

static size_t count_of(struct kreg_table *table, const char *key)
{
	uint64_t n;

	return kreg_count_of(table, key, strlen(key), &n) ? 0 : n;
}

/* Each of a key by itself; and in a bag the last put of what is there counts. */
TEST_F(lib, put_ttl_in_a_bag)
{
	struct kreg_table *bag = dump_new_table(self->client, "ttl-bag", KREG_TYPE_BAG);
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;

	ASSERT_NE(NULL, bag);
	ASSERT_EQ(0, kreg_put(bag, "key", 3, "a", 1));
	EXPECT_EQ(0, expires(bag, "key"));
	ASSERT_EQ(0, kreg_put_ttl(bag, "key", 3, "b", 1, HOUR_MS));
	EXPECT_LT(kreg_deadline(0), expires(bag, "key"));
	EXPECT_EQ(2, count_of(bag, "key"));
	o.expires_ns = kreg_deadline(HOUR_MS);
	ASSERT_EQ(0, kreg_put_with(bag, "key", 3, "a", 1, &o));
	ASSERT_EQ(0, kreg_put_ttl(bag, "key", 3, "b", 1, -1));
	EXPECT_EQ(o.expires_ns, expires(bag, "key"));
	EXPECT_EQ(2, count_of(bag, "key"));
	o.expires_ns = 1;
	ASSERT_EQ(0, kreg_put_with(bag, "key", 3, "b", 1, &o));
	EXPECT_EQ(1, count_of(bag, "key"));
	dump_drop_table(bag);
}

TEST_F(lib, put_with_errors)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;
	struct kreg_edit_options e = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field f;
	struct kreg_table *bag;

#define FAILS(err, text, ...)						\
	do {								\
		o = (struct kreg_put_options)KREG_PUT_OPTIONS_INIT;	\
		__VA_ARGS__;						\
		EXPECT_EQ(-(err), kreg_put_with(self->table, "key", 3, "v", 1, &o)); \
		EXPECT_TRUE(says(text));				\
	} while (0)
	FAILS(EINVAL, "a time is below 0", o.ttl_ms = -1);
	FAILS(EINVAL, "a time is below 0", o.idle_ms = -1);
	FAILS(EINVAL, "ttl_ms and expires_ns", o.ttl_ms = 1; o.expires_ns = 1);
	FAILS(EINVAL, "KREG_OP_NEW does not go", o.flags = KREG_OP_NEW | KREG_OP_KEEP);
	FAILS(EINVAL, "KREG_OP_NEW does not go", o.flags = KREG_OP_NEW; o.if_version = 1);
	FAILS(EOPNOTSUPP, "flag", o.flags = KREG_OP_BOUND);
	FAILS(EOPNOTSUPP, "flag", o.reserved = 1);
	FAILS(EINVAL, "size", o.size = 0);
	EXPECT_EQ(-EINVAL, kreg_put_ttl(self->table, "", 0, "v", 1, 1));
	kreg_field_number(&f, KREG_FIELD_ADD, 0, 0, 1);
	e.expires_ns = 1;
	EXPECT_EQ(-EINVAL, kreg_edit(self->table, "key", 3, &f, 1, &e));
	EXPECT_TRUE(says("only an object that is made"));
	bag = dump_new_table(self->client, "expiry-bag", KREG_TYPE_BAG);
	ASSERT_NE(NULL, bag);
	o = (struct kreg_put_options)KREG_PUT_OPTIONS_INIT;
	o.flags = KREG_OP_KEEP;
	EXPECT_EQ(-EOPNOTSUPP, kreg_put_with(bag, "key", 3, "v", 1, &o));
	EXPECT_TRUE(says("may have several objects"));
	dump_drop_table(bag);
}

/* What is bound to a process goes with that, and what expires goes then. */
TEST_F(lib, expires_or_is_bound)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	void *value;
	size_t len;

	ASSERT_EQ(0, kreg_register(self->table, "key", 3, "v", 1));
	EXPECT_EQ(-EOPNOTSUPP, kreg_put_ttl(self->table, "key", 3, "v", 1, HOUR_MS));
	EXPECT_TRUE(says("is bound to a process, and goes with that"));
	ASSERT_EQ(0, kreg_put_ttl(self->table, "job", 3, "v", 1, HOUR_MS));
	EXPECT_EQ(-EOPNOTSUPP, kreg_lease(self->table, "job", 3, 0, &value, &len, &loan));
	EXPECT_TRUE(says("expires, so it cannot be had on loan"));
}

TEST_F(lib, put_filtered)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;
	struct kreg_filter *filter;

	ASSERT_EQ(0, kreg_filter_compile("value == 'old'", &filter, NULL));
	o.filter = filter;
	EXPECT_EQ(-ECANCELED, kreg_put_with(self->table, "key", 3, "new", 3, &o));
	ASSERT_EQ(0, kreg_put(self->table, "key", 3, "old", 3));
	EXPECT_EQ(0, kreg_put_with(self->table, "key", 3, "new", 3, &o));
	EXPECT_EQ(-ECANCELED, kreg_put_with(self->table, "key", 3, "newer", 5, &o));
	kreg_filter_free(filter);
}

/* So many in an hour: the count begins with the first, and anew when that is over. */
TEST_F(lib, edit_expires)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	const int64_t zero = 0;
	struct kreg_field f;
	uint64_t ns;

	kreg_field_number(&f, KREG_FIELD_ADD, 0, 0, 1);
	o.start = &zero;
	o.start_len = sizeof(zero);
	o.expires_ns = kreg_deadline(HOUR_MS);
	ASSERT_EQ(0, kreg_edit(self->table, "n", 1, &f, 1, &o));
	ns = o.expires_ns;
	o.expires_ns += ns;
	ASSERT_EQ(0, kreg_edit(self->table, "n", 1, &f, 1, &o));
	EXPECT_EQ(2, (int64_t)f.out);
	EXPECT_EQ(ns, expires(self->table, "n"));
	o.start = NULL;
	o.expires_ns = 0;
	o.start_len = 0;
	ASSERT_EQ(0, kreg_counter_add(self->table, "n", 1, 1, NULL));
	EXPECT_EQ(ns, expires(self->table, "n"));
}

TEST_F(lib, scan_expires)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;

	ASSERT_EQ(0, kreg_put_ttl(self->table, "key", 3, "value", 5, HOUR_MS));
	o.flags = KREG_SCAN_EXPIRES | KREG_SCAN_PROCESSES;
	ASSERT_EQ(0, kreg_scan_open(self->table, &o, &scan));
	ASSERT_EQ(1, kreg_scan_next(scan, &object));
	EXPECT_EQ(expires(self->table, "key"), kreg_object_expires(object));
	EXPECT_EQ(0, kreg_object_process(object).cookie);
	kreg_scan_close(scan);
	ASSERT_EQ(0, kreg_scan_open(self->table, NULL, &scan));
	ASSERT_EQ(1, kreg_scan_next(scan, &object));
	EXPECT_EQ(0, kreg_object_expires(object));
	kreg_scan_close(scan);
}

/* In a dump it goes on to expire. */
TEST_F(lib, dump_expires)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT;
	struct kreg_table *copy;
	uint64_t ns, was, n;
	int fd;

	ASSERT_EQ(0, kreg_put(self->table, "plain", 5, "value", 5));
	ASSERT_EQ(0, kreg_put_ttl(self->table, "long", 4, "value", 5, HOUR_MS));
	ASSERT_EQ(0, kreg_put_ttl(self->table, "short", 5, "value", 5, 100));
	o.idle_ms = HOUR_MS;
	ASSERT_EQ(0, kreg_put_with(self->table, "idle", 4, "value", 5, &o));
	was = expires(self->table, "long");
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_wait(self->table, "short", 5, KREG_WATCH_ABSENT, 0, -1));
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy-of-expiry", &copy));
	ASSERT_EQ(0, kreg_count(copy, &n));
	EXPECT_EQ(3, n);
	EXPECT_FALSE(is_there(copy, "short"));
	EXPECT_EQ(0, expires(copy, "plain"));
	/* The clocks of the machine and of the dump are read one after the other. */
	ns = expires(copy, "long");
	EXPECT_GT(was + 1000000000, ns);
	EXPECT_LT(was - 1000000000, ns);
	EXPECT_NE(0, expires(copy, "idle"));
	dump_drop_table(copy);
	close(fd);
}

TEST_HARNESS_MAIN

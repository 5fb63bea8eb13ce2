// SPDX-License-Identifier: GPL-2.0
/* libkreg: tables as they were at one moment. */
#include <sys/wait.h>

#include "lib/lib.h"

#define KEYS	500

FIXTURE(pin)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_pin *pin;
};

static int put_number(struct kreg_table *table, unsigned int n, unsigned int value)
{
	char key[16];

	snprintf(key, sizeof(key), "key %05u", n);
	return kreg_put(table, key, strlen(key), &value, sizeof(value));
}

FIXTURE_SETUP(pin)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	unsigned int n;

	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	options.flags = KREG_OPEN_CREATE;
	options.type = KREG_TYPE_ORDERED_SET;
	ASSERT_EQ(0, kreg_table_open(self->client, "pinned", &options, &self->table));
	for (n = 0; n < KEYS; n++)
		ASSERT_EQ(0, put_number(self->table, n, n));
	ASSERT_EQ(0, kreg_pin_set(self->table, 0, &self->pin));
}

FIXTURE_TEARDOWN(pin)
{
	kreg_pin_end(self->pin);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

/* How many of the objects of a scan are as put_number() made them first, or the error. */
static int count_first(struct kreg_table *table, struct kreg_scan_options *o)
{
	const struct kreg_object *object;
	unsigned int n = 0, value;
	struct kreg_scan *scan;
	size_t len;
	int ret = kreg_scan_open(table, o, &scan);

	if (ret)
		return ret;
	while ((ret = kreg_scan_next(scan, &object)) > 0) {
		memcpy(&value, kreg_object_value(object, &len), sizeof(value));
		n += value == n;
	}
	kreg_scan_close(scan);
	return ret ? ret : (int)n;
}

TEST_F(pin, scan)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct kreg_stat *stat;
	uint64_t count;
	unsigned int n;

	for (n = 0; n < KEYS; n += 2)
		ASSERT_EQ(0, put_number(self->table, n, KEYS));
	ASSERT_EQ(0, put_number(self->table, KEYS, KEYS));
	EXPECT_GT(KEYS, count_first(self->table, &o));
	o.pin = self->pin;
	EXPECT_EQ(KEYS, count_first(self->table, &o));
	o.batch = 7;
	EXPECT_EQ(KEYS, count_first(self->table, &o));
	o.batch = 0;
	ASSERT_EQ(0, kreg_scan_count(self->table, &o, &count));
	EXPECT_EQ(KEYS, count);
	ASSERT_EQ(0, kreg_table_stat(self->table, &stat));
	EXPECT_EQ(1, kreg_stat_pins(stat));
	EXPECT_LT(0, kreg_stat_pinned_since_ns(stat));
	EXPECT_GE(kreg_deadline(0), kreg_stat_pinned_since_ns(stat));
	EXPECT_EQ(getpid(), kreg_stat_pinner(stat).pid);
	EXPECT_EQ(KEYS / 2, kreg_stat_kept(stat));
	EXPECT_LT(KEYS / 2 * 32, kreg_stat_kept_bytes(stat));
	EXPECT_LT(kreg_pin_version(self->pin), kreg_stat_version(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(KREG_MAX_PIN_MS, kreg_pin_ms(self->pin));
}

TEST_F(pin, get)
{
	struct kreg_object *object;
	size_t len;

	ASSERT_EQ(0, put_number(self->table, 7, 0));
	ASSERT_EQ(0, kreg_pin_get(self->pin, "key 00007", 9, &object));
	EXPECT_EQ(7, *(const unsigned int *)kreg_object_value(object, &len));
	EXPECT_EQ(4, len);
	free(object);
	EXPECT_EQ(-ENODATA, kreg_pin_get(self->pin, "none", 4, &object));
	EXPECT_STREQ("the key was not in table 'pinned' when it was pinned", kreg_errmsg());
	EXPECT_EQ(-EINVAL, kreg_pin_get(self->pin, "", 0, &object));
}

TEST_F(pin, ended)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct kreg_pin *brief;
	struct kreg_object *object;

	ASSERT_EQ(0, kreg_pin_set(self->table, 1, &brief));
	EXPECT_EQ(1, kreg_pin_ms(brief));
	while (!kreg_pin_get(brief, "key 00007", 9, &object))
		free(object);
	EXPECT_EQ(-ESTALE, kreg_pin_get(brief, "key 00007", 9, &object));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the pin of table 'pinned' has ended"));
	o.pin = brief;
	EXPECT_EQ(-ESTALE, count_first(self->table, &o));
	kreg_pin_end(brief);
	kreg_pin_end(NULL);
}

TEST_F(pin, of_another_table)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_scan_options o = { .size = sizeof(o), .pin = self->pin };
	struct kreg_table *other;
	uint64_t count;

	options.flags = KREG_OPEN_CREATE;
	ASSERT_EQ(0, kreg_table_open(self->client, "other", &options, &other));
	EXPECT_EQ(-EINVAL, count_first(other, &o));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the pin is of another table"));
	EXPECT_EQ(-EINVAL, kreg_scan_count(other, &o, &count));
	kreg_table_destroy(other);
	kreg_table_close(other);
}

TEST_F(pin, limit)
{
	struct kreg_pin *pins[KREG_MAX_PINS];
	int n;

	for (n = 0; n < KREG_MAX_PINS - 1; n++)
		ASSERT_EQ(0, kreg_pin_set(self->table, 0, &pins[n]));
	EXPECT_EQ(-EDQUOT, kreg_pin_set(self->table, 0, &pins[n]));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the most is 16"));
	while (n--)
		kreg_pin_end(pins[n]);
}

/* Reads of one moment need no pin of the program's. */
TEST_F(pin, batch)
{
	struct kreg_batch *b;
	size_t len;

	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	ASSERT_EQ(0, kreg_batch_get(b, "key 00001", 9, 4));
	ASSERT_EQ(1, kreg_batch_get(b, "none", 4, 4));
	ASSERT_EQ(2, kreg_batch_get(b, "key 00002", 9, 4));
	EXPECT_EQ(2, kreg_batch_run(b));
	EXPECT_EQ(-ENODATA, kreg_batch_error(b, 1));
	EXPECT_EQ(-1, kreg_batch_failed_index(b));
	EXPECT_EQ(2, *(const unsigned int *)kreg_object_value(kreg_batch_object(b, 2), &len));
	kreg_batch_free(b);
}

/* A forked child has none, and its end does not end that of the parent. */
TEST_F(pin, forked)
{
	struct kreg_scan_options o = { .size = sizeof(o), .pin = self->pin };
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		int ret = count_first(self->table, &o);

		kreg_pin_end(self->pin);
		_exit(ret == -ESTALE ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(KEYS, count_first(self->table, &o));
}

/* One of its own pins may have the same number, and is not what the scan goes by. */
static int go_on_in_child(struct kreg_table *table, struct kreg_scan *scan)
{
	const struct kreg_object *object;
	struct kreg_pin *own;
	int ret;

	if (kreg_pin_set(table, 0, &own))
		return 1;
	while ((ret = kreg_scan_next(scan, &object)) > 0)
		;
	kreg_scan_close(scan);
	kreg_pin_end(own);
	return ret == -ESTALE && strstr(kreg_errmsg(), "the pin of table 'pinned'") ? 0 : 2;
}

TEST_F(pin, forked_in_a_scan)
{
	struct kreg_scan_options o = { .size = sizeof(o), .pin = self->pin, .batch = 7 };
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int status;
	pid_t pid;

	ASSERT_EQ(0, kreg_scan_open(self->table, &o, &scan));
	ASSERT_EQ(1, kreg_scan_next(scan, &object));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(go_on_in_child(self->table, scan));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, kreg_scan_next(scan, &object));
	kreg_scan_close(scan);
}

TEST_HARNESS_MAIN

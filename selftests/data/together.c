// SPDX-License-Identifier: GPL-2.0
/*
 * Readers and writers together, in tables of all types: no batch, no edit and no change of what
 * matches is ever seen half done, as the table is and by pins.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/edit.h"
#include "kit/filter.h"
#include "kit/pin.h"

#define KEYS	60
#define WORDS	40		/* the first and the last of a value always are the same */
#define LEN	(WORDS * sizeof(__u64))
#define ROOM	((sizeof(struct kreg_object) + 8 + LEN) / sizeof(__u64) + 1)
#define ROUNDS	300
#define LONG	20000
#define LONG_IN_BAG	5000	/* where a PUT compares with all objects of its key */

FIXTURE(together) {
	struct test_base base;
	int fd;
	__u64 table;
	bool runs;
};

FIXTURE_VARIANT(together) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(together, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(together, ordered_set) { .type = KREG_TYPE_ORDERED_SET };
FIXTURE_VARIANT_ADD(together, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(together, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

static char keys[KEYS][4];

/* Who writes until he is stopped. */
struct writer {
	pthread_t thread;
	int fd;
	__u64 table;
	bool runs;
	int stop;
	__u64 stamp;
	int err;
};

/* All keys get the stamp, all over their values; in a bag in place of what they have had. */
static int write_all(struct writer *w, __u64 stamp)
{
	static struct kreg_op ops[2 * KEYS];
	static __u64 value[WORDS];
	int i, n = 0;

	for (i = 0; i < WORDS; i++)
		value[i] = stamp;
	for (i = 0; i < KEYS; i++) {
		if (w->runs)
			ops[n++] = test_ops(KREG_OP_DELETE, keys[i]);
		ops[n++] = test_op_value(KREG_OP_PUT, keys[i], 3, value, LEN);
	}
	return _test_batch(w->fd, w->table, KREG_BATCH_ATOMIC, ops, n, NULL);
}

/* One more in both words, in one EDIT; a key after the other. */
static int edit_all(struct writer *w, __u64 stamp)
{
	struct kreg_field fields[2] = { test_add(0, 1), test_add(LEN - 8, 1) };
	int i, err = 0;

	(void)stamp;
	for (i = 0; i < KEYS && !err; i++)
		err = _test_edit(w->fd, w->table, keys[i], fields, 2);
	return err;
}

/* The same of all that match, in one call. */
static int change_all(struct writer *w, __u64 stamp)
{
	struct kreg_term below = test_term(KREG_TERM_LT, KREG_TERM_VALUE, 8, 0, stamp);
	struct kreg_field fields[2] = { test_add(0, 1), test_add(LEN - 8, 1) };
	struct kreg_ioc_change cmd = test_change_edit(w->table, &below, 1, fields, 2);
	int err = _test_change(w->fd, &cmd);

	return err ? err : cmd.out_count == KEYS ? 0 : -ENODATA;
}

typedef int write_fn(struct writer *w, __u64 stamp);

static write_fn *write_once;

static void *write_always(void *arg)
{
	struct writer *w = arg;

	while (!w->err && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		w->err = write_once(w, w->stamp + 1);
		__atomic_fetch_add(&w->stamp, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void start(struct __test_metadata *_metadata, struct writer *w, write_fn *fn)
{
	write_once = fn;
	ASSERT_EQ(0, pthread_create(&w->thread, NULL, write_always, w));
	ASSERT_TRUE(test_wait_for(__atomic_load_n(&w->stamp, __ATOMIC_RELAXED)));
}

static void stop(struct __test_metadata *_metadata, struct writer *w)
{
	__atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
	pthread_join(w->thread, NULL);
	EXPECT_EQ(0, w->err);
	close(w->fd);
}

FIXTURE_SETUP(together)
{
	int i;

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "together", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->runs = variant->type >= KREG_TYPE_BAG;
	for (i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "%03d", i);
}

FIXTURE_TEARDOWN_PARENT(together)
{
	test_teardown(_metadata, &self->base);
}

static struct writer make_writer(struct __test_metadata *_metadata, __u64 table, bool runs)
{
	struct writer w = { .fd = test_client(), .table = table, .runs = runs };

	ASSERT_LE(0, w.fd);
	ASSERT_EQ(0, write_all(&w, 0));
	return w;
}

/* The stamp of a value, or ~0: it is half written. */
static __u64 stamp_of(const void *value)
{
	__u64 first, last;

	memcpy(&first, value, 8);
	memcpy(&last, (const char *)value + LEN - 8, 8);
	return first == last ? first : ~0ULL;
}

/* By one batch of reads: have all keys one object, and all the same stamp? */
static bool reads_one_stamp(int fd, __u64 table, bool runs)
{
	static __u64 room[KEYS][ROOM];
	static struct kreg_op ops[KEYS];
	__u32 done, skip = runs ? sizeof(struct kreg_object) + 3 : 0;
	__u64 stamp = 0;
	int i;

	for (i = 0; i < KEYS; i++)
		ops[i] = test_op_value(KREG_OP_GET, keys[i], 3, room[i], sizeof(room[i]));
	if (_test_batch(fd, table, KREG_BATCH_ATOMIC, ops, KEYS, &done) || done != KEYS)
		return false;
	for (i = 0; i < KEYS; i++) {
		stamp = i ? stamp : stamp_of((char *)room[0] + skip);
		if (ops[i].out_count != 1 || stamp_of((char *)room[i] + skip) != stamp)
			return false;
	}
	return stamp != ~0ULL;
}

/* The stamps of all objects of a scan, whole ones only; how many there are, or -errno. */
static int scan_stamps(int fd, __u64 table, __u64 pin, __u64 stamps[KEYS])
{
	struct kreg_ioc_scan cmd = test_pinned_cmd(table, pin);
	const struct kreg_object *o = (void *)(unsigned long)cmd.buf;
	int i, err = _test_scan(fd, &cmd), wrong = err;

	for (i = 0; !wrong && i < (int)cmd.out_count; i++) {
		wrong = i == KEYS || o->value_len != LEN ? -EINVAL : 0;
		if (!wrong)
			stamps[i] = stamp_of((const char *)(o + 1) + o->key_len);
		o = (const void *)((const char *)o + o->size);
	}
	return wrong ? wrong : i;
}

/* Of all keys at one moment: the greatest stamp less the least; ~0: something is half done. */
static __u64 pinned_spread(int fd, __u64 table)
{
	__u64 stamps[KEYS], pin, least = ~0ULL, most = 0;
	int i, n;

	if (_test_pin(fd, table, 0, &pin))
		return ~0ULL;
	n = scan_stamps(fd, table, pin, stamps);
	for (i = 0; i < n; i++) {
		least = stamps[i] < least ? stamps[i] : least;
		most = stamps[i] > most ? stamps[i] : most;
	}
	if (_test_cancel(fd, pin, 0) || n != KEYS || most == ~0ULL)
		return ~0ULL;
	return most - least;
}

TEST_F(together, batches)
{
	struct writer w = make_writer(_metadata, self->table, self->runs);
	int i, halves = 0, rounds = test_size(ROUNDS);

	start(_metadata, &w, write_all);
	for (i = 0; i < rounds; i++) {
		halves += !reads_one_stamp(self->fd, self->table, self->runs);
		halves += pinned_spread(self->fd, self->table) != 0;
	}
	stop(_metadata, &w);
	EXPECT_EQ(0, halves);
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

/* What is whole is each object, and how many of them have been written by a moment. */
static void look_at_objects(struct __test_metadata *_metadata, int fd, __u64 table)
{
	__u64 value[WORDS], stamps[KEYS];
	int i, j, n, halves = 0, rounds = test_size(ROUNDS);

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ((int)LEN, _test_get(fd, table, keys[i % KEYS], 3, value, LEN));
		halves += stamp_of(value) == ~0ULL;
		n = scan_stamps(fd, table, 0, stamps);
		ASSERT_EQ(KEYS, n);
		for (j = 0; j < n; j++)
			halves += stamps[j] == ~0ULL;
		halves += pinned_spread(fd, table) > 1;
	}
	EXPECT_EQ(0, halves);
}

TEST_F(together, edits)
{
	struct writer w;

	if (self->runs)
		return;
	w = make_writer(_metadata, self->table, false);
	start(_metadata, &w, edit_all);
	look_at_objects(_metadata, self->fd, self->table);
	stop(_metadata, &w);
}

TEST_F(together, search_and_change)
{
	struct writer w;

	if (self->runs)
		return;
	w = make_writer(_metadata, self->table, false);
	start(_metadata, &w, change_all);
	look_at_objects(_metadata, self->fd, self->table);
	stop(_metadata, &w);
}

/* Another key comes and goes, without a pause. */
static int come_and_go(struct writer *w, __u64 stamp)
{
	struct kreg_op put = test_op_puts("other", "value");
	struct kreg_op delete = test_ops(KREG_OP_DELETE, "other");
	int err = _test_op(w->fd, w->table, 0, &put);

	(void)stamp;
	return err ? err : _test_op(w->fd, w->table, 0, &delete);
}

static void put_long(struct __test_metadata *_metadata, int fd, __u64 table, __u32 count)
{
	struct kreg_op ops[500];
	__u32 numbers[500], i, n, from;

	for (from = 0; from < count; from += n) {
		n = count - from < 500 ? count - from : 500;
		for (i = 0; i < n; i++) {
			numbers[i] = from + i;
			ops[i] = test_op_value(KREG_OP_PUT, "long", 4, &numbers[i], 4);
		}
		test_batch(fd, table, 0, ops, n, NULL);
	}
}

/*
 * All objects of a key, of one moment, that are too many for one section, come to an end however
 * often something else is removed meanwhile.
 */
TEST_F(together, long_run_beside_deletes)
{
	size_t size = LONG * (sizeof(struct kreg_object) + 8);
	__u32 count = test_size(variant->type == KREG_TYPE_BAG ? LONG_IN_BAG : LONG);
	struct kreg_op op;
	struct writer w;
	void *room;
	int i;

	if (!self->runs)
		return;
	room = malloc(size);
	put_long(_metadata, self->fd, self->table, count);
	w = make_writer(_metadata, self->table, true);
	start(_metadata, &w, come_and_go);
	for (i = 0; i < 3; i++) {
		op = test_op_value(KREG_OP_GET, "long", 4, room, size);
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(count, op.out_count);
		EXPECT_EQ(count, test_number_of(self->fd, self->table, "long"));
	}
	op = test_op_value(KREG_OP_TAKE, "long", 4, room, size);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(count, op.out_count);
	stop(_metadata, &w);
	EXPECT_EQ(KEYS, test_objects(self->fd, self->table));
	EXPECT_TRUE(test_wait_for(!test_pins(self->fd, self->table)));
	free(room);
}

TEST_HARNESS_MAIN

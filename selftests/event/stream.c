// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: what is told of a table, to whom, and when that ends.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stream.h"

FIXTURE(stream) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
};

FIXTURE_SETUP(stream)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->id);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(stream)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(stream, kinds)
{
	struct kreg_op put = test_op_puts("a", "1"), again = test_op_puts("a", "22");
	struct kreg_op delete = test_ops(KREG_OP_DELETE, "a");
	struct kreg_op clear = test_op(KREG_OP_CLEAR, NULL, 0);
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	__u64 begin = test_now_ns(), last = begin;
	const struct kreg_event *e;

	test_puts(self->fd, self->id, "before", "");
	cmd.udata = 77;
	test_subscribe_(self->fd, &cmd);
	EXPECT_NE(0, cmd.out_id);
	EXPECT_EQ(1, cmd.out_version);
	EXPECT_EQ(0, cmd.out_limit);
	test_nothing(self->r);
	test_op_(self->fd, self->id, 0, &put);
	test_op_(self->fd, self->id, 0, &again);
	test_op_(self->fd, self->id, 0, &delete);
	/* Nothing happens by these. */
	test_delete(self->fd, self->id, "a");
	test_delete(self->fd, self->id, "absent");
	test_op_(self->fd, self->id, 0, &clear);
	test_clear(self->fd, self->id);

	e = test_expect(self->r, KREG_EVENT_CREATE, "a");
	EXPECT_TRUE(test_has_value(e, "1"));
	EXPECT_EQ(put.out_version, e->version);
	EXPECT_EQ(cmd.out_seq + 1, e->seq);
	EXPECT_EQ(self->id, e->table);
	EXPECT_EQ(cmd.out_id, e->id);
	EXPECT_EQ(77, e->udata);
	EXPECT_EQ(0, e->flags);
	EXPECT_EQ(0, e->cause);
	EXPECT_TRUE(test_none(e->process));
	EXPECT_LE(last, e->time_ns);
	last = e->time_ns;
	e = test_expect(self->r, KREG_EVENT_UPDATE, "a");
	EXPECT_TRUE(test_has_value(e, "22"));
	EXPECT_EQ(again.out_version, e->version);
	EXPECT_EQ(cmd.out_seq + 2, e->seq);
	EXPECT_LE(last, e->time_ns);
	e = test_expect(self->r, KREG_EVENT_DELETE, "a");
	EXPECT_EQ(0, e->value_len);
	EXPECT_EQ(delete.out_version, e->version);
	EXPECT_EQ(cmd.out_seq + 3, e->seq);
	e = test_expect(self->r, KREG_EVENT_CLEAR, "");
	EXPECT_EQ(clear.out_version, e->version);
	EXPECT_EQ(cmd.out_seq + 4, e->seq);
	EXPECT_LE(e->time_ns, test_now_ns());
	test_nothing(self->r);
}

TEST_F(stream, take_and_async)
{
	struct kreg_op take;
	char value[16];

	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_put_async(self->fd, self->id, "a", "1");
	test_sync(self->fd);
	take = test_op_value(KREG_OP_TAKE, "a", 1, value, sizeof(value));
	test_op_(self->fd, self->id, 0, &take);
	EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_CREATE, "a"), "1"));
	test_expect(self->r, KREG_EVENT_DELETE, "a");
	test_nothing(self->r);
}

/* The kinds that were not asked for are counted, and neither told nor waited for. */
TEST_F(stream, mask)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, KIND(DELETE));
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	const struct kreg_event *e;
	int i;

	test_subscribe_(self->fd, &cmd);
	for (i = 0; i < 100; i++)
		test_puts(self->fd, self->id, "a", "1");
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	test_nothing(self->r);
	test_delete(self->fd, self->id, "a");
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	e = test_expect(self->r, KREG_EVENT_DELETE, "a");
	EXPECT_EQ(cmd.out_seq + 101, e->seq);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	/* The same when another has asked for them, and they are in the ring. */
	ASSERT_LE(0, pfd.fd = test_client());
	test_subscribe(pfd.fd, self->id, ALL_KINDS);
	for (i = 0; i < 100; i++)
		test_puts(self->fd, self->id, "a", "1");
	pfd.fd = self->fd;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	test_nothing(self->r);
	test_delete(self->fd, self->id, "a");
	e = test_expect(self->r, KREG_EVENT_DELETE, "a");
	EXPECT_EQ(cmd.out_seq + 202, e->seq);
	test_nothing(self->r);
}

TEST_F(stream, long_values)
{
	static char value[KREG_MAX_EVENT_VALUE + 1], big[200000];
	char key[KREG_MAX_KEY];
	const struct kreg_event *e;

	memset(key, 'k', sizeof(key));
	memset(value, 'v', sizeof(value));
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_put(self->fd, self->id, key, sizeof(key), value, sizeof(value) - 1);
	test_put(self->fd, self->id, "cut", 3, value, sizeof(value));
	test_put(self->fd, self->id, "big", 3, big, sizeof(big));
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(0, e->flags);
	EXPECT_EQ(KREG_MAX_EVENT_VALUE, e->value_len);
	EXPECT_EQ(0, memcmp(test_value(e), value, KREG_MAX_EVENT_VALUE));
	EXPECT_EQ(0, memcmp(test_key(e), key, sizeof(key)));
	e = test_expect(self->r, KREG_EVENT_CREATE, "cut");
	EXPECT_EQ(KREG_EVENT_CUT, e->flags);
	EXPECT_EQ(sizeof(value), e->value_len);
	e = test_expect(self->r, KREG_EVENT_CREATE, "big");
	EXPECT_EQ(KREG_EVENT_CUT, e->flags);
	EXPECT_EQ(sizeof(big), e->value_len);
	test_nothing(self->r);
}

/* Of a batch all or nothing, in its order. */
TEST_F(stream, batch)
{
	struct kreg_op ops[64];
	char keys[64][8];
	const struct kreg_event *e;
	unsigned int i, done;

	for (i = 0; i < 64; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
		ops[i] = test_op_puts(keys[i], keys[i]);
	}
	ops[20] = test_ops(KREG_OP_DELETE, "k3");
	ops[40] = test_op(KREG_OP_CLEAR, NULL, 0);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_batch(self->fd, self->id, 0, ops, 64, &done);
	EXPECT_EQ(64, done);
	for (i = 0; i < 64; i++) {
		e = test_next(self->r);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(ops[0].out_version, e->version);
		EXPECT_TRUE(i == 20 ? test_is(e, KREG_EVENT_DELETE, "k3") :
			    i == 40 ? test_is(e, KREG_EVENT_CLEAR, "") :
				      test_is(e, KREG_EVENT_CREATE, keys[i]) &&
				      test_has_value(e, keys[i]));
	}
	test_nothing(self->r);
	/* One fails, and so all of them; or it alone. */
	ops[40] = ops[41];
	ops[20] = ops[21];
	ops[63].flags = KREG_OP_NEW;
	test_err_batch(EEXIST, self->fd, self->id, KREG_BATCH_ATOMIC, ops, 64, NULL);
	test_nothing(self->r);
	test_batch(self->fd, self->id, 0, ops, 64, &done);
	EXPECT_EQ(63, done);
	for (i = 0; i < 63; i++)
		ASSERT_NE(NULL, test_next(self->r));
	test_nothing(self->r);
	/* Small, which is lent, and asynchronous. */
	test_batch(self->fd, self->id, KREG_BATCH_ATOMIC, ops, 2, NULL);
	test_expect(self->r, KREG_EVENT_UPDATE, "k0");
	test_expect(self->r, KREG_EVENT_UPDATE, "k1");
	ops[63].flags = 0;
	test_batch(self->fd, self->id, KREG_WRITE_ASYNC, ops, 64, NULL);
	test_sync(self->fd);
	for (i = 0; i < 64; i++)
		ASSERT_NE(NULL, test_next(self->r));
	test_nothing(self->r);
}

/* A batch that is longer than the ring loses of itself, and what was before it. */
TEST_F(stream, batch_over_the_ring)
{
	static struct kreg_op ops[4096];
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	const struct kreg_event *e;
	unsigned int n = 0;
	__u64 last;

	for (n = 0; n < 4096; n++)
		ops[n] = test_op_puts("a", "0123456789");
	test_subscribe_(self->fd, &cmd);
	test_puts(self->fd, self->id, "before", "");
	test_batch(self->fd, self->id, 0, ops, 4096, NULL);
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, e->kind);
	EXPECT_EQ(cmd.out_seq + 1, e->seq);
	EXPECT_LT(e->seq, e->version);
	last = e->version;
	for (n = 0; (e = test_next_now(self->r)); n++) {
		EXPECT_EQ(KREG_EVENT_UPDATE, e->kind);
		EXPECT_EQ(++last, e->seq);
	}
	EXPECT_LT(KREG_STREAM_BYTES / 104 - 3, n);
	EXPECT_EQ(cmd.out_seq + 4097, last);
}

TEST_F(stream, overflow)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	const struct kreg_event *e;
	__u64 last;
	int i;

	test_subscribe_(self->fd, &cmd);
	for (i = 0; i < 3000; i++)
		test_put(self->fd, self->id, &i, sizeof(i), &i, sizeof(i));
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, e->kind);
	EXPECT_EQ(sizeof(*e), e->size);
	EXPECT_EQ(cmd.out_seq + 1, e->seq);
	EXPECT_EQ(cmd.out_id, e->id);
	EXPECT_EQ(self->id, e->table);
	last = e->version;
	EXPECT_EQ(KREG_STREAM_BYTES / 96, cmd.out_seq + 3000 - last);
	/* The key tells which it is. */
	while ((e = test_next_now(self->r))) {
		EXPECT_EQ(KREG_EVENT_CREATE, e->kind);
		EXPECT_EQ(++last, e->seq);
		memcpy(&i, test_key(e), sizeof(i));
		EXPECT_EQ(last - cmd.out_seq - 1, i);
	}
	EXPECT_EQ(cmd.out_seq + 3000, last);
	test_puts(self->fd, self->id, "more", "");
	test_expect(self->r, KREG_EVENT_CREATE, "more");
	test_nothing(self->r);
}

/* Whose kinds are not among those that were lost is told nothing. */
TEST_F(stream, no_overflow_of_others)
{
	int fd = test_client(), i;

	ASSERT_LE(0, fd);
	test_subscribe(fd, self->id, ALL_KINDS);
	test_subscribe(self->fd, self->id, KIND(DELETE));
	for (i = 0; i < 3000; i++)
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
	test_nothing(self->r);
	test_delete(self->fd, self->id, "absent");
	test_puts(self->fd, self->id, "there", "");
	test_delete(self->fd, self->id, "there");
	test_expect(self->r, KREG_EVENT_DELETE, "there");
	test_nothing(self->r);
}

/* Events of all lengths, over the end of the ring in all positions. */
TEST_F(stream, lengths)
{
	static char value[5000];
	unsigned int seed = 1, len, key, i, n;
	const struct kreg_event *e;

	test_subscribe(self->fd, self->id, ALL_KINDS);
	for (i = 0; i < test_size(3000); i++) {
		for (n = 0; n < 1 + i % 7; n++) {
			len = rand_r(&seed) % sizeof(value);
			key = rand_r(&seed) % KREG_MAX_KEY + 1;
			memset(value, 'a' + (i + n) % 26, len);
			test_put(self->fd, self->id, value, key, value, len);
		}
		seed = i + 1;
		for (n = 0; n < 1 + i % 7; n++)
			ASSERT_NE(NULL, e = test_next(self->r));
		/* Of the last one, which is still known. */
		EXPECT_EQ(key, e->key_len);
		EXPECT_EQ(len, e->value_len);
		EXPECT_EQ(len > KREG_MAX_EVENT_VALUE ? KREG_EVENT_CUT : 0, e->flags);
		if (!e->flags)
			EXPECT_EQ(0, memcmp(test_value(e), value, len));
		test_nothing(self->r);
	}
}

TEST_F(stream, short_buffer)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kreg_event *e = (void *)page;
	int len;

	ASSERT_NE(MAP_FAILED, page);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_puts(self->fd, self->id, "a", "1");
	test_puts(self->fd, self->id, "b", "1");
	for (len = 8; len < 96; len += 8) {
		EXPECT_EQ(-1, read(self->fd, page, len));
		EXPECT_EQ(EMSGSIZE, errno);
	}
	EXPECT_EQ(-1, syscall(SYS_read, self->fd, 8, 4096));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(96, read(self->fd, page, 96 * 2 - 1));
	EXPECT_TRUE(test_is(e, KREG_EVENT_CREATE, "a"));
	EXPECT_EQ(96, read(self->fd, page, 96 * 2 - 1));
	EXPECT_TRUE(test_is(e, KREG_EVENT_CREATE, "b"));
	test_nothing(self->r);
}

/* What is in the mailbox comes first. */
TEST_F(stream, mail_first)
{
	const struct kreg_event *e;
	__u64 gift;

	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_puts(self->fd, self->id, "a", "1");
	ASSERT_EQ(0, kid_create(self->kid, NULL, 0, &gift));
	ASSERT_EQ(0, kid_give(self->kid, gift, test_self(self->fd), ""));
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_TRANSFER, e->kind);
	test_expect(self->r, KREG_EVENT_CREATE, "a");
	test_nothing(self->r);
}

/* A client reads all of its subscriptions in turns; each client its own. */
TEST_F(stream, two_tables_two_clients)
{
	int fd = test_client(), i, turns = 0, n[2] = { 0 };
	struct test_reader *r = test_reader(fd);
	struct kreg_ioc_subscribe cmd[2];
	const struct kreg_event *e;
	__u64 other, last = 0;

	ASSERT_LE(0, fd);
	test_create(self->fd, NULL, 0, &other);
	cmd[0] = test_subscribe_cmd(self->id, ALL_KINDS);
	cmd[1] = test_subscribe_cmd(other, ALL_KINDS);
	for (i = 0; i < 2; i++) {
		cmd[i].udata = i;
		test_subscribe_(self->fd, &cmd[i]);
	}
	EXPECT_NE(cmd[0].out_id, cmd[1].out_id);
	test_subscribe(fd, other, ALL_KINDS);
	for (i = 0; i < 500; i++) {
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
		test_put(self->fd, other, &i, sizeof(i), NULL, 0);
	}
	for (i = 0; i < 1000; i++) {
		e = test_next(self->r);
		ASSERT_NE(NULL, e);
		ASSERT_GT(2, e->udata);
		EXPECT_EQ(cmd[e->udata].out_id, e->id);
		EXPECT_EQ(cmd[e->udata].table, e->table);
		EXPECT_EQ(cmd[e->udata].out_seq + ++n[e->udata], e->seq);
		turns += last != e->id;
		last = e->id;
	}
	EXPECT_EQ(500, n[0]);
	EXPECT_EQ(500, n[1]);
	EXPECT_LT(4, turns);
	test_nothing(self->r);
	for (i = 0; i < 500; i++)
		ASSERT_NE(NULL, e = test_next(r));
	EXPECT_EQ(other, e->table);
	test_nothing(r);
	free(r);
}

TEST_HARNESS_MAIN

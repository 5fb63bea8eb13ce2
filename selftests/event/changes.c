// SPDX-License-Identifier: GPL-2.0
/*
 * Subscribers while others write: each event once and in order, a state and its changes
 * without a gap, and writers that wait for nobody.
 */
#include <pthread.h>
#include <sys/epoll.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pause.h"
#include "kit/stream.h"

#define WRITERS		3
#define KEYS		64
#define SLEEPERS	48

FIXTURE(changes) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
};

FIXTURE_SETUP(changes)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &self->id);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(changes)
{
	test_teardown(_metadata, &self->base);
}

/* A thread that writes with a client of its own. */
struct writer {
	pthread_t thread;
	__u64 id;
	unsigned int nr;
	unsigned int count;
	long err;
};

static void *put_and_delete(void *arg)
{
	struct writer *w = arg;
	int fd = test_client();
	unsigned int i, key;

	for (i = 0; i < w->count && !w->err; i++) {
		key = i << 8 | w->nr;
		w->err = _test_put(fd, w->id, &key, sizeof(key), &i, sizeof(i));
		if (!w->err && i & 1) {
			struct kreg_op op = test_op(KREG_OP_DELETE, &key, sizeof(key));

			w->err = _test_op(fd, w->id, 0, &op);
		}
	}
	close(fd);
	return NULL;
}

static void start_writers(struct __test_metadata *_metadata, struct writer *w, __u64 id,
			  unsigned int count, void *(*fn)(void *))
{
	unsigned int i;

	for (i = 0; i < WRITERS; i++) {
		w[i] = (struct writer) { .id = id, .nr = i, .count = count };
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, fn, &w[i]));
	}
}

static void end_writers(struct __test_metadata *_metadata, struct writer *w)
{
	unsigned int i;

	for (i = 0; i < WRITERS; i++) {
		ASSERT_EQ(0, pthread_join(w[i].thread, NULL));
		EXPECT_EQ(0, w[i].err);
	}
}

/*
 * Numbers follow each other, over an OVERFLOW as well; what is read as created is there, and
 * what is read as deleted is not.
 */
TEST_F(changes, once_in_order_and_true)
{
	unsigned int count = test_size(20000), lost = 0, wrong = 0;
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	struct writer w[WRITERS];
	const struct kreg_event *e;
	__u64 seq, version = 0, end;
	struct kreg_op op;

	test_subscribe_(self->fd, &cmd);
	seq = cmd.out_seq;
	end = seq + (count + count / 2) * WRITERS;
	start_writers(_metadata, w, self->id, count, put_and_delete);
	while (seq < end) {
		ASSERT_NE(NULL, e = test_next(self->r));
		ASSERT_EQ(seq + 1, e->seq);
		if (e->kind == KREG_EVENT_OVERFLOW) {
			lost++;
			seq = e->version;
			continue;
		}
		seq = e->seq;
		wrong += e->version <= version;
		version = e->version;
		op = test_op(KREG_OP_MEMBER, test_key(e), e->key_len);
		if (e->kind == KREG_EVENT_DELETE)
			wrong += _test_op(self->fd, self->id, 0, &op) != -ENODATA;
		else if (!(*(unsigned char *)(test_key(e) + 1) & 1))
			wrong += _test_op(self->fd, self->id, 0, &op) != 0;
	}
	end_writers(_metadata, w);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(end, seq);
	TH_LOG("overflows: %u", lost);
	test_nothing(self->r);
}

static void *write_some_keys(void *arg)
{
	struct writer *w = arg;
	unsigned int i, key, seed = w->nr;
	int fd = test_client();

	for (i = 0; i < w->count && !w->err; i++) {
		key = rand_r(&seed) % KEYS;
		if (rand_r(&seed) % 4) {
			w->err = _test_put(fd, w->id, &key, sizeof(key), &i, sizeof(i));
		} else {
			struct kreg_op op = test_op(KREG_OP_DELETE, &key, sizeof(key));

			w->err = _test_op(fd, w->id, 0, &op);
		}
		if (!(rand_r(&seed) % 1000))
			w->err = w->err ?: _test_clear(fd, w->id);
		/* Not faster than it can be read. */
		if (!(i % 64))
			test_pause_ms(1);
	}
	close(fd);
	return NULL;
}

/* What the subscriber knows of the table. */
struct model {
	__u64 version[KEYS];		/* as it was found, then of the last change */
	unsigned int value[KEYS];
	bool there[KEYS];
	__u64 cleared;
};

static bool scan_model(int fd, __u64 id, struct model *m)
{
	static __u64 buf[KEYS * 8];
	struct kreg_ioc_scan cmd = {
		.table = id,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	const struct kreg_object *o = (void *)buf;
	unsigned int i, key;

	memset(m, 0, sizeof(*m));
	if (_test_scan(fd, &cmd) || cmd.out_more)
		return false;
	for (i = 0; i < cmd.out_count; i++, o = (void *)o + o->size) {
		memcpy(&key, o + 1, sizeof(key));
		memcpy(&m->value[key], (char *)(o + 1) + sizeof(key), sizeof(int));
		m->there[key] = true;
		m->version[key] = o->version;
	}
	return true;
}

static void apply_event(struct model *m, const struct kreg_event *e)
{
	unsigned int key;

	if (e->kind == KREG_EVENT_CLEAR) {
		for (key = 0; key < KEYS; key++)
			if (m->version[key] < e->version)
				m->there[key] = false;
		return;
	}
	memcpy(&key, test_key(e), sizeof(key));
	if (e->version <= m->version[key])
		return;
	m->version[key] = e->version;
	m->there[key] = e->kind != KREG_EVENT_DELETE;
	if (m->there[key])
		memcpy(&m->value[key], test_value(e), sizeof(int));
}

TEST_F(changes, state_then_changes)
{
	struct writer w[WRITERS];
	const struct kreg_event *e;
	struct model m, real;
	unsigned int key, round;

	/* Large enough for all, however slow the reader is. */
	test_setopt(self->fd, self->id, KREG_OPT_STREAM, KREG_MAX_STREAM, 0);
	for (round = 0; round < 5; round++) {
		start_writers(_metadata, w, self->id, test_size(2000), write_some_keys);
		test_pause_ms(10);
		test_subscribe(self->fd, self->id, CHANGES);
		ASSERT_TRUE(scan_model(self->fd, self->id, &m));
		do {
			while ((e = test_next_now(self->r))) {
				ASSERT_NE(KREG_EVENT_OVERFLOW, e->kind);
				apply_event(&m, e);
			}
		} while (pthread_tryjoin_np(w[0].thread, NULL));
		EXPECT_EQ(0, w[0].err);
		for (key = 1; key < WRITERS; key++)
			ASSERT_EQ(0, pthread_join(w[key].thread, NULL));
		while ((e = test_next_now(self->r)))
			apply_event(&m, e);
		ASSERT_TRUE(scan_model(self->fd, self->id, &real));
		for (key = 0; key < KEYS; key++) {
			EXPECT_EQ(real.there[key], m.there[key]);
			EXPECT_EQ(real.there[key] ? real.value[key] : 0,
				  m.there[key] ? m.value[key] : 0);
		}
		close(self->fd);
		ASSERT_LE(0, self->fd = self->r->fd = test_client());
	}
}

static void *write_batches(void *arg)
{
	struct writer *w = arg;
	struct kreg_op ops[100];
	unsigned int keys[100], i, n;
	int fd = test_client();

	for (n = 0; n < 100; n++) {
		keys[n] = n;
		ops[n] = test_op_value(KREG_OP_PUT, &keys[n], sizeof(keys[n]), NULL, 0);
	}
	for (i = 0; i < w->count && !w->err; i++) {
		w->err = _test_batch(fd, w->id, KREG_BATCH_ATOMIC, ops, 100, NULL);
		test_pause_ms(1);
	}
	close(fd);
	return NULL;
}

/* Whenever the reader has found nothing more, what it has read is whole batches. */
TEST_F(changes, batches_at_once)
{
	unsigned int count = test_size(300), n = 0, total = count * WRITERS * 100;
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct writer w[WRITERS];
	const struct kreg_event *e;

	test_subscribe(self->fd, self->id, ALL_KINDS);
	start_writers(_metadata, w, self->id, count, write_batches);
	while (n < total) {
		ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_MS));
		for (; (e = test_next_now(self->r)); n++)
			n += e->kind == KREG_EVENT_OVERFLOW ? e->version - e->seq : 0;
		ASSERT_EQ(0, n % 100);
	}
	end_writers(_metadata, w);
	EXPECT_EQ(total, n);
}

static long job_subscribe(struct job *job)
{
	return _test_subscribe(job->fd, job->table, ALL_KINDS);
}

static long job_read_all(struct job *job)
{
	struct test_reader *r = test_reader(job->fd);

	while (test_next(r))
		job->arg2++;
	return 0;
}

/* Stopped, killed, silent or busy: the writer's calls all return, and one reader has it all. */
TEST_F(changes, writer_waits_for_nobody)
{
	struct kid *kids[4];
	const struct kreg_event *e;
	unsigned int i, n = 0, count = test_size(20000);
	int fd = test_client();

	ASSERT_LE(0, fd);
	for (i = 0; i < 4; i++) {
		kids[i] = kid_start_as(_metadata, i & 1 ? 1234 : 0);
		kids[i]->job->table = self->id;
		ASSERT_EQ(0, kid_do(kids[i], job_subscribe));
	}
	/* The first one sleeps and is stopped there, the second killed, the third is busy. */
	kid_ask(kids[0], job_read_all);
	ASSERT_TRUE(test_wait_for(kid_sleeps(kids[0], SYS_poll, kids[0]->job->fd) ||
				  pause_state(kids[0]) == 'S'));
	ASSERT_TRUE(pause_stop(kids[0]));
	kid_ask(kids[2], job_read_all);
	test_subscribe(fd, self->id, ALL_KINDS);
	self->r->fd = fd;
	for (i = 0; i < count; i++) {
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
		if (i == count / 2)
			kid_kill(kids[1]);
		if (i % 256 == 255)
			while ((e = test_next_now(self->r)))
				n += e->kind == KREG_EVENT_CREATE;
	}
	while ((e = test_next_now(self->r)))
		n += e->kind == KREG_EVENT_CREATE;
	EXPECT_EQ(count, n);
	EXPECT_TRUE(test_wait_for(kids[2]->job->arg2 > 0));
	kid_kill(kids[0]);
	kid_kill(kids[2]);
	kid_kill(kids[3]);
}

struct sleeper {
	pthread_t thread;
	int fd;
	unsigned int rounds;
	unsigned int seen;
};

static void *sleep_in_read(void *arg)
{
	struct sleeper *s = arg;
	__u64 buf[64];

	while (s->seen < s->rounds && read(s->fd, buf, sizeof(buf)) > 0)
		__atomic_add_fetch(&s->seen, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Each event wakes all who sleep, few or many. */
TEST_F(changes, many_sleepers)
{
	static struct sleeper s[SLEEPERS];
	unsigned int i, n, rounds = 50;

	for (i = 0; i < SLEEPERS; i++) {
		s[i] = (struct sleeper) { .fd = test_client(), .rounds = rounds };
		ASSERT_LE(0, s[i].fd);
		test_subscribe(s[i].fd, self->id, i % 3 ? ALL_KINDS : KIND(CREATE));
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, sleep_in_read, &s[i]));
	}
	for (n = 0; n < rounds; n++) {
		test_put(self->fd, self->id, &n, sizeof(n), NULL, 0);
		for (i = 0; i < SLEEPERS; i++)
			ASSERT_TRUE(test_wait_for(__atomic_load_n(&s[i].seen, __ATOMIC_SEQ_CST) ==
						  n + 1));
	}
	for (i = 0; i < SLEEPERS; i++) {
		ASSERT_EQ(0, pthread_join(s[i].thread, NULL));
		close(s[i].fd);
	}
}

static void *put_at_times(void *arg)
{
	struct writer *w = arg;
	int fd = test_client();
	unsigned int i;

	for (i = 0; i < w->count && !w->err; i++) {
		w->err = _test_put(fd, w->id, &i, sizeof(i), NULL, 0);
		if (!(i % 16))
			test_pause_ms(1);
	}
	close(fd);
	return NULL;
}

/* Edge-triggered: whoever reads until there is nothing is told of what comes after that. */
static void read_by_epoll(struct __test_metadata *_metadata, struct test_reader *r, __u64 id,
			  __u32 events)
{
	struct epoll_event event = { .events = events };
	unsigned int n = 0, count = test_size(5000);
	struct writer w[WRITERS];
	const struct kreg_event *e;
	int epoll = epoll_create1(0);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, r->fd, &event));
	start_writers(_metadata, w, id, count, put_at_times);
	while (n < count * WRITERS) {
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS)) {
			TH_LOG("%u of %u", n, count * WRITERS);
		}
		for (; (e = test_next_now(r)); n++)
			n += e->kind == KREG_EVENT_OVERFLOW ? e->version - e->seq : 0;
	}
	end_writers(_metadata, w);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
}

TEST_F(changes, epoll_edge)
{
	test_subscribe(self->fd, self->id, ALL_KINDS);
	read_by_epoll(_metadata, self->r, self->id, EPOLLIN | EPOLLET);
}

TEST_F(changes, epoll_level)
{
	test_subscribe(self->fd, self->id, ALL_KINDS);
	read_by_epoll(_metadata, self->r, self->id, EPOLLIN);
}

TEST_HARNESS_MAIN

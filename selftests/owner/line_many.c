// SPDX-License-Identifier: GPL-2.0
/*
 * The lines of many keys at once, one key that many want all the time, and who may not have it.
 */
#include "owner/line.h"
#include "kit/register.h"

#define ALICE	1000
#define BOB	1001

/* Who may not write any more when his turn comes is told so, and the next gets it. */
TEST_F(line, lost_the_right)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);

	kid_ask_lock(alice, self->table, -1);
	ASSERT_TRUE(kid_is_in_line(alice));
	ASSERT_EQ(0, kid_stand(bob, self->table));
	test_stand(self->fd, self->table, &self->id);
	test_mode(self->fd, self->table, 0644);
	kid_kill(self->holder);
	EXPECT_EQ(-EACCES, kid_answer(alice));
	test_served(self->fd, self->table, self->id, self->me);
	ASSERT_EQ(0, kid_event_now(bob));
	EXPECT_EQ(KREG_EVENT_GONE, bob->job->event.e.kind);
	EXPECT_EQ(KREG_CAUSE_ACCESS, bob->job->event.e.cause);
	EXPECT_EQ(bob->job->arg, bob->job->event.e.id);
	EXPECT_EQ(-EACCES, kid_lock(alice, self->table, -1));
	EXPECT_EQ(-EACCES, kid_stand(bob, self->table));
}

/* One CLEAR makes many keys free, and each goes to the first in its line. */
TEST_F(line, cleared)
{
	enum { N = 40 };
	struct kreg_ioc_register cmd;
	struct test_event event;
	char key[16];
	int i;

	for (i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "%d", i);
		ASSERT_EQ(0, kid_bind(self->holder, self->table, key, "v"));
		cmd = standby_cmd(self->table, key);
		ASSERT_EQ(0, run_register(self->fd, &cmd));
		EXPECT_EQ(KREG_REGISTER_WAITS, cmd.out_how);
	}
	test_clear(self->fd, self->table);
	for (i = 0; i < N; i++) {
		test_event(self->fd, &event);
		EXPECT_EQ(KREG_EVENT_READY, event.e.kind);
		EXPECT_TRUE(test_is_of(self->fd, self->table, event.name, self->me));
	}
	test_no_event(self->fd);
	EXPECT_EQ(N, test_objects(self->fd, self->table));
}

/* A hundred processes, of which each has the key until it is killed, in the order they came in. */
TEST_F(line, in_order_of_many)
{
	struct kid *kids[100], *holder = self->holder;
	unsigned int i, n = test_size(ARRAY_SIZE(kids));
	__u64 last = self->version, version;

	for (i = 0; i < n; i++) {
		kids[i] = kid_start(_metadata);
		ASSERT_EQ(0, kid_stand(kids[i], self->table));
	}
	for (i = 0; i < n; i++) {
		kid_kill(holder);
		holder = kids[i];
		test_sync(self->fd);
		EXPECT_TRUE(test_is_of(self->fd, self->table, "key", holder->self));
		version = test_version_of(self->fd, self->table, "key");
		EXPECT_LT(last, version);
		last = version;
	}
	kid_kill(holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* Many lines at one death. */
TEST_F(line, death_with_many_keys)
{
	enum { N = 200 };
	struct kreg_ioc_register cmd;
	struct test_event event;
	char key[16];
	int i;

	ASSERT_EQ(N, kid_bind_many(self->holder, self->table, "", N, 0));
	for (i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "%d", i);
		cmd = standby_cmd(self->table, key);
		ASSERT_EQ(0, run_register(self->fd, &cmd));
	}
	kid_kill(self->holder);
	test_sync(self->fd);
	for (i = 0; i < N; i++) {
		test_event_now(self->fd, &event);
		EXPECT_EQ(KREG_EVENT_READY, event.e.kind);
		EXPECT_TRUE(test_is_of(self->fd, self->table, event.name, self->me));
	}
	test_no_event(self->fd);
	EXPECT_EQ(N, test_objects(self->fd, self->table));
}

struct racer {
	int fd;
	__u64 table;
	__u64 id;
	__u64 *last;		/* version of the one who had it last; only its holder writes */
	int rounds;
	int wrong;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	__u64 version;
	int i;

	for (i = 0; i < r->rounds; i++) {
		int err = _test_lock(r->fd, r->table, -1, &version);

		/* Another thread of the process may have it. */
		if (err == -EALREADY)
			continue;
		r->wrong += !!err || version <= __atomic_load_n(r->last, __ATOMIC_RELAXED);
		__atomic_store_n(r->last, version, __ATOMIC_RELAXED);
		r->wrong += !!_test_unlock(r->fd, r->table, version);
	}
	return NULL;
}

static long job_race(struct job *job)
{
	struct racer r = {
		.fd = job->fd, .table = job->table, .rounds = job->len,
		.last = (__u64 *)(uintptr_t)job->arg2,
	};

	race(&r);
	return r.wrong;
}

/* Nobody waits for ever, and each sees a version above that of the one before. */
TEST_F(line, many_at_once)
{
	enum { KIDS = 4 };
	struct kid *kids[KIDS];
	__u64 *last = test_shared(sizeof(*last));
	int i;

	ASSERT_NE(NULL, last);
	for (i = 0; i < KIDS; i++) {
		kids[i] = kid_start(_metadata);
		kids[i]->job->table = self->table;
		kids[i]->job->len = test_size(500);
		kids[i]->job->arg2 = (uintptr_t)last;
		kid_ask(kids[i], job_race);
	}
	kid_kill(self->holder);
	for (i = 0; i < KIDS; i++)
		EXPECT_EQ(0, kid_answer(kids[i]));
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

static long job_lock_and_wait(struct job *job)
{
	__u64 version;
	long err = _test_lock(job->fd, job->table, -1, &version);

	*(__u64 *)(uintptr_t)job->arg2 = version;
	return err;
}

/*
 * One after the other is killed while he has it, and some who wait: each one that comes has a
 * version above that of all before him, and there is one at a time.
 */
TEST_F(line, killed_holders)
{
	enum { KIDS = 8 };
	struct kid *kids[KIDS];
	__u64 *versions = test_shared(KIDS * sizeof(*versions)), last = 0;
	int i, round, left = KIDS;

	ASSERT_NE(NULL, versions);
	for (i = 0; i < KIDS; i++) {
		kids[i] = kid_start(_metadata);
		kids[i]->job->table = self->table;
		kids[i]->job->arg2 = (uintptr_t)&versions[i];
		kid_ask(kids[i], job_lock_and_wait);
		ASSERT_TRUE(kid_is_in_line(kids[i]));
	}
	kid_kill(self->holder);
	for (round = 0; left; round++) {
		struct kreg_process whose;

		ASSERT_TRUE(test_wait_for(!_test_whose(self->fd, self->table, "key", &whose)));
		for (i = 0; i < KIDS && !(kids[i] && test_same(kids[i]->self, whose)); i++)
			;
		ASSERT_GT(KIDS, i);
		EXPECT_EQ(0, kid_answer(kids[i]));
		EXPECT_LT(last, versions[i]);
		last = versions[i];
		kid_kill(kids[i]);
		kids[i] = NULL;
		left--;
		/* The last one who waits goes as well. */
		for (i = KIDS - 1; i >= 0 && !kids[i]; i--)
			;
		if (i < 0 || round % 2)
			continue;
		ASSERT_TRUE(test_wait_for(!_test_whose(self->fd, self->table, "key", &whose)));
		if (test_same(kids[i]->self, whose))
			continue;
		kid_kill(kids[i]);
		kids[i] = NULL;
		left--;
	}
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/*
 * The death of who has something that lingers comes while others write and wait: it lingers all
 * the same, although its death has to wait for the table's lane.
 */
TEST_F(line, lingers_beside_a_line)
{
	struct kid *writer = kid_start(_metadata), *kid;
	int round;

	ASSERT_EQ(0, kid_stand(writer, self->table));
	for (round = 0; round < 10; round++) {
		kid = kid_start(_metadata);
		ASSERT_EQ(0, kid_linger(kid, self->table, "svc", test_scale(60000)));
		ASSERT_EQ(0, kid_bind_many(writer, self->table, "x", test_size(4000),
					   KREG_WRITE_ASYNC));
		kid_kill(kid);
		test_sync(self->fd);
		EXPECT_TRUE(test_is_left_by(self->fd, self->table, "svc", kid->self));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Deaths that the writer's thread has not handled, because it does not run or has to do first what
 * others have queued: who asks meanwhile is told what comes first, first. Several threads keep no
 * order among them, and only one can be kept from running.
 */
#include "kit/register.h"
#include "kit/stall.h"
#include "kit/stream.h"
#include "kit/watch.h"

FIXTURE(deaths_late) {
	struct test_base base;
	int fd;			/* its mailbox: TRANSFER and DOWN */
	int stream;		/* EXIT */
	__u64 registry;
	__u64 table;		/* the victim's, of which the test is the heir */
	struct kid *victim;
	struct kreg_process who;
	struct hold hold;
};

#define late_data	FIXTURE_DATA(deaths_late)

FIXTURE_SETUP(deaths_late)
{
	self->fd = test_setup(_metadata, &self->base);
	if (test_param("writers") > 1)
		SKIP(return, "kreg has several writers");
	self->stream = test_client();
	ASSERT_LE(0, self->stream);
	test_create(self->fd, NULL, KREG_ACCESS_REGISTRY, &self->registry);
	test_subscribe(self->stream, self->registry, KIND(EXIT));
	self->victim = kid_start(_metadata);
	self->who = self->victim->self;
	hold_prepare(_metadata, &self->hold);
	set_cpu(_metadata, 0, 0);
}

FIXTURE_TEARDOWN_PARENT(deaths_late)
{
	test_teardown(_metadata, &self->base);
}

#define inherit()	inherit_from_victim(_metadata, self)

static void inherit_from_victim(struct __test_metadata *_metadata, late_data *self)
{
	struct kreg_process me = test_self(self->fd);

	ASSERT_EQ(0, kid_create(self->victim, NULL, KREG_ACCESS_PUBLIC, &self->table));
	ASSERT_EQ(0, kid_heir(self->victim, self->table, me, ""));
}

/* When TRANSFER was told. */
static __u64 take_transfer(struct __test_metadata *_metadata, late_data *self)
{
	struct test_event event;

	test_event(self->fd, &event);
	test_transfer(&event, self->table, self->who, KREG_CAUSE_DEATH);
	return event.e.time_ns;
}

/* When EXIT was told. */
static __u64 take_exit(struct __test_metadata *_metadata, late_data *self)
{
	struct test_event event;

	test_event_now(self->stream, &event);
	EXPECT_EQ(KREG_EVENT_EXIT, event.e.kind);
	EXPECT_EQ(self->who.cookie, event.e.process.cookie);
	return event.e.time_ns;
}

/*
 * The table is passed on when what others have queued for it was applied. Until then nothing that
 * was bound to the dead is told to have gone.
 */
TEST_F(deaths_late, table_is_busy)
{
	__u64 watch, transfer, exit;
	struct test_event event;
	char key[8];
	int i;

	inherit();
	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", 0));
	test_watch(self->fd, self->who, &watch);
	hold(_metadata, &self->hold);
	for (i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "%d", i);
		EXPECT_EQ(0, _test_put_async(self->fd, self->table, key, "v"));
	}
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	unhold(_metadata, &self->hold);
	transfer = take_transfer(_metadata, self);
	EXPECT_EQ(50, test_objects(self->fd, self->table));
	test_event(self->fd, &event);
	test_down(&event, watch, self->who, KREG_CAUSE_DEATH);
	exit = take_exit(_metadata, self);
	EXPECT_LE(transfer, exit);
	EXPECT_LE(exit, event.e.time_ns);
}

/* Several tables, each with a lane of its own, and the last of them decides. */
TEST_F(deaths_late, tables_are_busy)
{
	__u64 tables[20], last = 0;
	struct test_event event;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		inherit();
		tables[i] = self->table;
	}
	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", 0));
	hold(_metadata, &self->hold);
	for (i = 0; i < ARRAY_SIZE(tables); i += 3)
		EXPECT_EQ(0, _test_put_async(self->fd, tables[i], "k", "v"));
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	unhold(_metadata, &self->hold);
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		test_event(self->fd, &event);
		EXPECT_EQ(KREG_EVENT_TRANSFER, event.e.kind);
		last = event.e.time_ns;
	}
	test_sync(self->fd);
	EXPECT_LE(last, take_exit(_metadata, self));
	test_no_event(self->fd);
}

/*
 * It has no number any more, but what it had is still to be passed on: that is done, and told,
 * before the watch says that it is dead.
 */
TEST_F(deaths_late, watched_when_reaped)
{
	struct test_event event;
	__u64 watch;

	inherit();
	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", 0));
	hold(_metadata, &self->hold);
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	test_watch(self->fd, self->who, &watch);
	take_transfer(_metadata, self);
	test_event_now(self->fd, &event);
	test_down(&event, watch, self->who, KREG_CAUSE_NOPROC);
	test_status(&event, SIGKILL);
	take_exit(_metadata, self);
	unhold(_metadata, &self->hold);
}

static long job_watch_process(struct job *job)
{
	return _test_watch(job->fd, job->process, &job->arg);
}

/* Whoever could not have killed it is told no more than that. The number has to be the one, too. */
TEST_F(deaths_late, watched_by_others)
{
	struct kid *stranger = kid_start_as(_metadata, 1000);
	struct kreg_process wrong = self->who;
	struct test_event event;
	__u64 watch;

	wrong.pid = getpid();
	stranger->job->process = self->who;
	hold(_metadata, &self->hold);
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	test_watch(self->fd, wrong, &watch);
	test_event_now(self->fd, &event);
	test_down(&event, watch, wrong, KREG_CAUSE_NOPROC);
	test_no_status(&event);
	EXPECT_EQ(0, kid_do(stranger, job_watch_process));
	EXPECT_EQ(0, kid_event_now(stranger));
	unhold(_metadata, &self->hold);
	test_down(&stranger->job->event, stranger->job->arg, self->who, KREG_CAUSE_NOPROC);
	test_no_status(&stranger->job->event);
	kid_kill(stranger);
}

static bool lends(void)
{
	char text[4] = "";

	test_read_file(KREG_PARAMS "lend", text, sizeof(text));
	return text[0] == 'Y';
}

static void help_once(struct __test_metadata *_metadata, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	ASSERT_EQ(0, test_set_param("lend", true));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

/*
 * Somebody sleeps until it has been handled, and so must not depend on one who only helps. The
 * thread is kept from running for a second at most.
 */
TEST_F(deaths_late, left_to_the_thread)
{
	__u64 end = test_now_ns() + 800000000ULL;
	struct kid *waiter = kid_start(_metadata);
	long long objects;
	bool lent = lends();

	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", 0));
	set_cpu(_metadata, waiter->pid, 0);
	waiter->job->process = self->who;
	hold(_metadata, &self->hold);
	ASSERT_EQ(0, test_set_param("lend", false));
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	kid_ask(waiter, job_watch_process);
	EXPECT_TRUE(test_wait_for(kid_sleeps(waiter, SYS_ioctl, waiter->job->fd)));
	help_once(_metadata, self->fd);
	objects = test_objects(self->fd, self->registry);
	EXPECT_TRUE(objects == 1 || test_now_ns() > end);
	EXPECT_EQ(0, test_set_param("lend", lent));
	unhold(_metadata, &self->hold);
	EXPECT_EQ(0, kid_answer(waiter));
	EXPECT_EQ(0, test_objects(self->fd, self->registry));
	kid_kill(waiter);
}

/* Nobody holds the key, which is told when that is so for all. */
TEST_F(deaths_late, holder_is_dead)
{
	struct kreg_process nobody = {};
	struct test_event event;
	__u64 watch;

	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", KREG_REGISTER_WAIT));
	hold(_metadata, &self->hold);
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	test_watch_holder(self->fd, self->registry, "key", &watch);
	EXPECT_EQ(0, test_objects(self->fd, self->registry));
	take_exit(_metadata, self);
	unhold(_metadata, &self->hold);
	test_event_now(self->fd, &event);
	test_down(&event, watch, nobody, KREG_CAUSE_NOPROC);
}

/* The key goes to who stands in line, and he is watched. */
TEST_F(deaths_late, holder_is_followed)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);
	struct kid *next = kid_start(_metadata);
	struct kreg_process who = next->self;
	struct test_event event;
	__u64 watch;

	cmd.table = self->registry;
	cmd.key = test_ptr("key");
	cmd.key_len = 3;
	ASSERT_EQ(0, kid_register(self->victim, self->registry, "key", KREG_REGISTER_WAIT));
	ASSERT_EQ(0, kid_register(next, self->registry, "key", KREG_REGISTER_STANDBY));
	hold(_metadata, &self->hold);
	EXPECT_EQ(SIGKILL, kid_kill(self->victim));
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &watch));
	unhold(_metadata, &self->hold);
	EXPECT_TRUE(test_same(who, cmd.out_process));
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(next));
	test_event_now(self->fd, &event);
	test_down(&event, watch, who, KREG_CAUSE_DEATH);
}

TEST_HARNESS_MAIN

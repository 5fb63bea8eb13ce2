// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of ownership and of owners that exit.
 * The names are those of its cases.
 */
#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/edit.h"
#include "kit/filter.h"
#include "kit/job.h"
#include "kit/lease.h"
#include "kit/pin.h"
#include "kit/register.h"
#include "kit/stream.h"

#define LARGE	50000
#define TABLES	1000
#define OWNERS	5

FIXTURE(ets) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* How the owner ends: by itself, or by others. */
static void end(struct kid *kid, int how)
{
	kid->job->arg = how;
	if (how == 0 || how == 1)
		kid_ask(kid, job_exit);
	else
		kill(kid->pid, how == 2 ? SIGKILL : SIGTERM);
	kid_reap(kid);
}

/* heir: all kinds of data, and of deaths; the heir may write only after the death */
TEST_F(ets, heir)
{
	static const char * const data[] = { "", "d", "some data of the heir" };
	struct kreg_process dead;
	struct test_event event;
	struct kid *owner;
	__u64 id;
	int how;

	for (how = 0; how < 12; how++) {
		owner = kid_start(_metadata);
		dead = owner->self;
		ASSERT_EQ(0, kid_create(owner, "foo", KREG_ACCESS_PRIVATE,
					&id));
		ASSERT_EQ(0, kid_puts(owner, id, "key", "val"));
		ASSERT_EQ(0, kid_heir(owner, id, self->me, data[how % 3]));
		test_err_member(EACCES, self->fd, id, "key");
		test_no_event(self->fd);
		end(owner, how % 4);
		test_event_now(self->fd, &event);
		test_transfer(&event, id, dead, KREG_CAUSE_DEATH);
		EXPECT_STREQ(data[how % 3], event.data);
		EXPECT_STREQ("foo", event.name);
		test_gets(self->fd, id, "key", "val");
		test_puts(self->fd, id, "key", "new");
		test_destroy(self->fd, id);
	}
}

/* heir: none; dead when named; dies first. */
TEST_F(ets, heir_none)
{
	struct kid *owner = kid_start(_metadata);
	struct kid *heir = kid_start(_metadata);
	struct kreg_process dead = heir->self;
	struct kreg_info info;
	__u64 a, b, c;

	ASSERT_EQ(0, kid_create(owner, "a", 0, &a));
	ASSERT_EQ(0, kid_create_heir(owner, "b", dead, "data", &b));
	kid_kill(heir);
	ASSERT_EQ(0, kid_create(owner, "c", 0, &c));
	EXPECT_EQ(-ESRCH, kid_heir(owner, c, dead, "data"));
	kid_kill(owner);
	test_err_info(ESTALE, self->fd, a, &info);
	test_err_info(ESTALE, self->fd, b, &info);
	test_err_info(ESTALE, self->fd, c, &info);
	test_no_event(self->fd);
}

/* heir_2: an heir that is not told */
TEST_F(ets, heir_2)
{
	struct kid *owner = kid_start(_metadata);
	__u64 id;

	ASSERT_EQ(0, kid_create(owner, "foo", KREG_ACCESS_PRIVATE, &id));
	ASSERT_EQ(0, kid_puts(owner, id, "key", "val"));
	owner->job->process = self->me;
	owner->job->arg = KREG_HEIR_SILENT;
	owner->job->len = 0;
	ASSERT_EQ(0, kid_do(owner, job_heir));
	kid_kill(owner);
	test_gets(self->fd, id, "key", "val");
	test_no_event(self->fd);
}

/* give_away: give and give back */
TEST_F(ets, give_away)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 id;

	test_create(self->fd, "foo", KREG_ACCESS_PRIVATE, &id);
	test_puts(self->fd, id, "key", "val");
	test_give(self->fd, id, kid->self, "3a", 2);
	test_err_member(EACCES, self->fd, id, "key");
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_STREQ("3a", kid->job->event.data);
	ASSERT_EQ(0, kid_gets(kid, id, "key"));
	ASSERT_EQ(0, kid_give(kid, id, self->me, "3b"));
	test_event_now(self->fd, &event);
	EXPECT_STREQ("3b", event.data);
	test_gets(self->fd, id, "key", "val");
	EXPECT_EQ(-EACCES, kid_op(kid, id, KREG_OP_MEMBER, "key"));
}

/* give_away: the receiver keeps it and dies; or it has an heir, and dies */
TEST_F(ets, give_away_receiver_dies)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process dead = kid->self;
	struct test_event event;
	struct kreg_info info;
	__u64 lost, back;

	test_create(self->fd, "lost", KREG_ACCESS_PRIVATE, &lost);
	test_create(self->fd, "back", KREG_ACCESS_PRIVATE, &back);
	test_heir(self->fd, back, self->me, "heir", 4, 0);
	test_give(self->fd, lost, kid->self, NULL, 0);
	test_give(self->fd, back, kid->self, NULL, 0);
	kid_kill(kid);
	test_err_info(ESTALE, self->fd, lost, &info);
	test_event_now(self->fd, &event);
	test_transfer(&event, back, dead, KREG_CAUSE_DEATH);
	EXPECT_STREQ("heir", event.data);
	test_no_event(self->fd);
}

/* give_away: to the dead, to oneself, of what is gone, of what is another's */
TEST_F(ets, give_away_negative)
{
	struct kid *owner = kid_start(_metadata), *dead = kid_start(_metadata);
	struct kreg_process gone = dead->self;
	__u64 mine, theirs, none;

	kid_kill(dead);
	test_create(self->fd, "mine", KREG_ACCESS_PUBLIC, &mine);
	test_create(self->fd, NULL, 0, &none);
	test_destroy(self->fd, none);
	test_err_give(ESRCH, self->fd, mine, gone, NULL, 0);
	test_err_give(EALREADY, self->fd, mine, self->me, NULL, 0);
	test_err_give(ESTALE, self->fd, none, owner->self, NULL, 0);
	test_err_give(EINVAL, self->fd, ~0ULL, owner->self, NULL, 0);
	ASSERT_EQ(0, kid_create(owner, "theirs", KREG_ACCESS_PUBLIC, &theirs));
	test_err_give(EPERM, self->fd, theirs, owner->self, NULL, 0);
	test_err_give(EPERM, self->fd, theirs, self->me, NULL, 0);
	ASSERT_EQ(0, kid_setopt(owner, theirs, KREG_OPT_ACCESS,
				KREG_ACCESS_PROTECTED, 0));
	test_err_give(EACCES, self->fd, theirs, self->me, NULL, 0);
	EXPECT_EQ(0, kid_no_event(owner));
	test_puts(self->fd, mine, "k", "v");
}

/* setopts: the heir set, cleared, refused; what was refused changed nothing */
TEST_F(ets, setopts)
{
	struct kid *heir = kid_start(_metadata), *dead = kid_start(_metadata);
	struct kreg_process none = {}, gone = dead->self;
	struct kreg_info info;
	__u64 id;

	kid_kill(dead);
	test_create(self->fd, "foo", KREG_ACCESS_PROTECTED, &id);
	test_heir(self->fd, id, heir->self, "data", 4, 0);
	test_err_heir(ESRCH, self->fd, id, gone, NULL, 0, 0);
	test_err_heir(EOPNOTSUPP, self->fd, id, heir->self, NULL, 0, 4);
	test_err_setopt(EOPNOTSUPP, self->fd, id, 0, 0, 0);
	test_err_setopt(EOPNOTSUPP, self->fd, id, 1000, 0, 0);
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_same(heir->self, info.heir));
	EXPECT_EQ(KREG_ACCESS_PROTECTED, info.access);
	test_heir(self->fd, id, none, NULL, 0, 0);
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_none(info.heir));
	EXPECT_EQ(-EACCES, kid_heir(heir, id, heir->self, ""));
}

static void expect_bad(struct __test_metadata *_metadata, int fd, __u64 id,
		       int read, int write, int own)
{
	struct kreg_process me = test_self(fd);
	struct kreg_op op = test_ops(KREG_OP_TAKE, "k");
	struct kreg_op put = test_op_puts("k", "v");
	struct kreg_op get = test_ops(KREG_OP_GET, "k");
	char room[8];

	test_err_get(read, fd, id, "k", 1, room, 8);
	test_err_member(read, fd, id, "k");
	test_err_batch(read, fd, id, 0, &get, 1, NULL);
	EXPECT_EQ(-read, test_count(fd, id));
	test_err_puts(write, fd, id, "k", "v");
	test_err_put_new(write, fd, id, "k", "v");
	test_err_delete(write, fd, id, "k");
	test_err_op(write, fd, id, 0, &op);
	test_err_clear(write, fd, id);
	test_err_put_async(write, fd, id, "k", "v");
	test_err_batch(write, fd, id, 0, &put, 1, NULL);
	test_err_batch(write, fd, id, KREG_BATCH_ATOMIC, &put, 1, NULL);
	test_err_give(own, fd, id, me, NULL, 0);
	test_err_park(own, fd, id);
	test_err_heir(own, fd, id, me, NULL, 0, 0);
	test_err_access(own, fd, id, KREG_ACCESS_PUBLIC);
	test_err_mode(own, fd, id, 0666);
	test_err_orphan(own, fd, id, KREG_ORPHAN_PARK, 0);
	test_sync(fd);
}

/* What of a bad table is seen, and edited, in more than one object or one moment. */
static void expect_bad_search(struct __test_metadata *_metadata, int fd, __u64 id, int read,
			      int write)
{
	struct kreg_term term = test_u32(KREG_TERM_EQ, 0, 1);
	struct kreg_field add = test_add(0, 1);
	struct kreg_ioc_change removal = test_change_cmd(id, &term, 1);
	struct kreg_ioc_change edit = test_change_edit(id, &term, 1, &add, 1);
	__u64 pin;

	EXPECT_EQ(-read, test_matching(fd, id, &term, 1));
	test_err_pin(read, fd, id, 0, &pin);
	test_err_change(write, fd, &removal);
	test_err_change(write, fd, &edit);
	test_err_edit(write, fd, id, "k", &add, 1);
	test_err_edit_from(write, fd, id, "k", &add, 1, "12345678", 8);
}

/* What of a bad table has to do with processes, and with what happens in it. */
static void expect_bad_process(struct __test_metadata *_metadata, int fd, __u64 id, int read,
			       int write)
{
	struct kreg_ioc_register cmd = register_cmd(id, "k", "v", 0);
	struct kreg_ioc_watch sleeps;
	__u64 watch;

	EXPECT_EQ(-write, run_register(fd, &cmd));
	EXPECT_EQ(-write, _test_lease(fd, id, "k"));
	EXPECT_EQ(-write, _test_bind(fd, id, "k", "v"));
	EXPECT_EQ(-read, _test_subscribe(fd, id, CHANGES));
	EXPECT_EQ(-read, _test_await(fd, id, KREG_WATCH_PRESENT, "k", 0, &watch));
	EXPECT_EQ(-read, _test_sleep(fd, id, KREG_WATCH_PRESENT, "k", 0, 0, &sleeps));
}

/* What only the owner of a table may. */
static void expect_bad_control(struct __test_metadata *_metadata, int fd, __u64 id, int own)
{
	struct kreg_ioc_rename rename = {
		.size = sizeof(rename), .table = id, .name = test_ptr("worse"), .name_len = 5,
	};

	EXPECT_EQ(-own, test_ioctl(fd, KREG_IOC_RENAME, &rename));
	test_err_setopt(own, fd, id, KREG_OPT_WRITER, 0, 0);
	test_err_setopt(own, fd, id, KREG_OPT_LIMIT, 0, 0);
	test_err_setopt(own, fd, id, KREG_OPT_SCHEMA, 1, 1);
	test_err_setopt(own, fd, id, KREG_OPT_SEAL, 1, 0);
}

static void expect_all_bad(struct __test_metadata *_metadata, int fd, __u64 id, int read,
			   int write, int own)
{
	expect_bad(_metadata, fd, id, read, write, own);
	expect_bad_search(_metadata, fd, id, read, write);
	expect_bad_process(_metadata, fd, id, read, write);
	expect_bad_control(_metadata, fd, id, own);
}

/* bad_table: every command on an absent, deleted, private, protected table */
TEST_F(ets, bad_table)
{
	struct kid *owner = kid_start(_metadata);
	struct kreg_info before, after;
	__u64 id;

	expect_all_bad(_metadata, self->fd, ~0ULL, EINVAL, EINVAL, EINVAL);
	ASSERT_EQ(0, kid_create(owner, "bad", KREG_ACCESS_PRIVATE, &id));
	ASSERT_EQ(0, kid_puts(owner, id, "k", "v"));
	test_info(self->fd, id, &before);
	expect_all_bad(_metadata, self->fd, id, EACCES, EACCES, EACCES);
	test_info(self->fd, id, &after);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	ASSERT_EQ(0, kid_destroy(owner, id));
	expect_all_bad(_metadata, self->fd, id, ESTALE, ESTALE, ESTALE);
}

/* As bad_table, but reads succeed. */
TEST_F(ets, bad_table_protected)
{
	struct kid *owner = kid_start(_metadata);
	struct kreg_info before, after;
	__u64 id;

	ASSERT_EQ(0, kid_create(owner, "bad", KREG_ACCESS_PROTECTED, &id));
	test_info(self->fd, id, &before);
	test_err_member(ENODATA, self->fd, id, "k");
	test_err_puts(EACCES, self->fd, id, "k", "v");
	test_err_put_async(EACCES, self->fd, id, "k", "v");
	test_err_clear(EACCES, self->fd, id);
	test_err_delete(EACCES, self->fd, id, "k");
	expect_bad_control(_metadata, self->fd, id, EACCES);
	test_sync(self->fd);
	test_info(self->fd, id, &after);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

static long job_fill(struct job *job)
{
	static struct kreg_op ops[KREG_MAX_BATCH_OPS];
	static __u32 keys[KREG_MAX_BATCH_OPS];
	__u32 at = 0, n;
	long err;

	while (at < LARGE) {
		for (n = 0; n < KREG_MAX_BATCH_OPS && at < LARGE; n++, at++) {
			keys[n] = at;
			ops[n] = test_op_value(KREG_OP_PUT, &keys[n], 4,
					       &keys[n], 4);
		}
		err = _test_batch(job->fd, job->table, 0, ops, n, NULL);
		if (err)
			return err;
	}
	return 0;
}

static long job_fill_tables(struct job *job)
{
	__u64 i;
	long err;

	for (i = 0; i < job->arg; i++) {
		err = _test_create(job->fd, NULL, 0, &job->table);
		if (!err)
			err = _test_puts(job->fd, job->table, "k", "v");
		if (err)
			return err;
	}
	return 0;
}

static void owners_exit(struct __test_metadata *_metadata, int fd, int owners,
			long (*fn)(struct job *job), int arg)
{
	long long tables = test_param("tables");
	struct kid *kids[OWNERS];
	__u64 last[OWNERS];
	struct kreg_info info;
	int i;

	for (i = 0; i < owners; i++) {
		kids[i] = kid_start(_metadata);
		ASSERT_EQ(0, kid_create(kids[i], NULL, 0, &last[i]));
		kids[i]->job->arg = arg;
		ASSERT_EQ(0, kid_do(kids[i], fn));
		last[i] = kids[i]->job->table;
	}
	for (i = 0; i < owners; i++)
		kill(kids[i]->pid, SIGKILL);
	for (i = 0; i < owners; i++) {
		ASSERT_EQ(SIGKILL, kid_reap(kids[i]));
		test_err_info(ESTALE, fd, last[i], &info);
	}
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables));
}

TEST_F(ets, exit_large_table_owner)
{
	owners_exit(_metadata, self->fd, 1, job_fill, 0);
}

TEST_F(ets, exit_many_large_table_owner)
{
	owners_exit(_metadata, self->fd, 4, job_fill, 0);
}

TEST_F(ets, exit_many_tables_owner)
{
	owners_exit(_metadata, self->fd, 1, job_fill_tables, TABLES);
}

TEST_F(ets, exit_many_many_tables_owner)
{
	owners_exit(_metadata, self->fd, OWNERS, job_fill_tables, TABLES / 5);
}

TEST_HARNESS_MAIN

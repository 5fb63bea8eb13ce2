// SPDX-License-Identifier: GPL-2.0
/* libkreg: owners, heirs, events, fork(2), pidfds. */
#include <sys/prctl.h>

#include "lib/lib.h"

/* o: own the table; p: put; m: how many events; f: fail to claim; k: park. */
static int kid_act(struct kreg_client *client, char letter, const char *name)
{
	static struct kreg_table *table;
	const struct kreg_event *m;

	switch (letter) {
	case 'o':
		return kreg_table_own(client, name, 5000, NULL, &table);
	case 'O':
		return kreg_table_open(client, name, NULL, &table);
	case 'p':
		return kreg_put(table, "kid", 3, "was here", 8);
	case 'k':
		return kreg_table_park(table);
	case 'm':
		return kreg_event_next(client, 0, &m);
	case 'a':
		return kreg_client_set_accept(client, true);
	}
	return -EBADMSG;
}

FIXTURE(owner)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kid kid;
	struct kreg_process kid_proc;
	char name[32];
};

FIXTURE_SETUP(owner)
{
	snprintf(self->name, sizeof(self->name), "owner-%d", getpid());
	ASSERT_EQ(0, kid_start(&self->kid, kid_act, self->name));
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->table));
	ASSERT_EQ(0, kreg_process_find(self->client, self->kid.pid, &self->kid_proc));
}

FIXTURE_TEARDOWN(owner)
{
	if (self->kid.pid)
		kid_kill(&self->kid);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

TEST_F(owner, inherit)
{
	const struct kreg_event *m;
	struct kreg_process me;
	struct kreg_stat *st;
	int status = 0, dead;
	char name[32], *copy;
	size_t len;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, &me, "note", 4, false));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, "gift", 4));
	EXPECT_EQ(0, kid_do(&self->kid, 'm'));
	EXPECT_EQ(0, kid_do(&self->kid, 'O'));
	EXPECT_EQ(0, kid_do(&self->kid, 'p'));
	EXPECT_EQ(-EACCES, kreg_put(self->table, "k", 1, "v", 1));
	EXPECT_EQ(-EACCES, kreg_table_park(self->table));
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &m));
	EXPECT_EQ(-ETIMEDOUT, kreg_event_next(self->client, 1, &m));

	dead = kid_kill(&self->kid);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &m));
	EXPECT_EQ(KREG_EVENT_TRANSFER, kreg_event_kind(m));
	EXPECT_EQ(1, kreg_event_seq(m));
	EXPECT_LE(kreg_event_time_ns(m), kreg_deadline(0));
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(m));
	EXPECT_EQ(self->kid_proc.pid, kreg_event_process(m).pid);
	EXPECT_EQ(self->kid_proc.cookie, kreg_event_process(m).cookie);
	EXPECT_EQ(KREG_CAUSE_DEATH, kreg_event_cause(m));
	ASSERT_TRUE(kreg_event_status(m, &status));
	EXPECT_EQ(dead, status);
	EXPECT_EQ(-EMSGSIZE, kreg_event_name(m, NULL, 0, &len));
	EXPECT_EQ(strlen(self->name), len);
	EXPECT_EQ(-EMSGSIZE, kreg_event_name(m, name, len, NULL));
	ASSERT_EQ(0, kreg_event_name(m, name, len + 1, &len));
	EXPECT_STREQ(self->name, name);
	ASSERT_EQ(0, kreg_event_name_alloc(m, &copy, &len));
	EXPECT_STREQ(self->name, copy);
	EXPECT_EQ(strlen(self->name), len);
	free(copy);
	EXPECT_EQ(0, memcmp("note", kreg_event_data(m, &len), 4));
	EXPECT_EQ(4, len);
	EXPECT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_EQ(2, kreg_stat_transfers(st));
	EXPECT_EQ(2, kreg_stat_objects(st));
	kreg_stat_free(st);
}

TEST_F(owner, silent_heir)
{
	const struct kreg_event *m;
	struct kreg_process me;
	struct kreg_stat *st;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, &me, NULL, 0, true));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	kid_kill(&self->kid);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &m));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_EQ(getpid(), kreg_stat_owner(st).pid);
	EXPECT_EQ(getpid(), kreg_stat_heir(st).pid);
	EXPECT_TRUE(kreg_stat_heir_silent(st));
	kreg_stat_free(st);
	EXPECT_EQ(0, kreg_table_set_heir(self->table, NULL, NULL, 0, false));
	EXPECT_EQ(-EFBIG, kreg_table_set_heir(self->table, &me, self->name, 1025, false));
}

TEST_F(owner, park_and_claim)
{
	struct kreg_open_options o = { .size = sizeof(o), .flags = KREG_OPEN_WAIT };
	struct kreg_table *t = NULL;
	struct kreg_stat *st;

	EXPECT_EQ(-EALREADY, kreg_table_claim(self->client, self->name, 0, &t));
	ASSERT_EQ(0, kreg_table_park(self->table));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_TRUE(kreg_stat_parked(st));
	EXPECT_EQ(0, kreg_stat_owner(st).pid);
	kreg_stat_free(st);
	EXPECT_EQ(-ENOENT, kreg_table_owner_pidfd(self->table, NULL));
	ASSERT_EQ(0, kid_do(&self->kid, 'o'));
	EXPECT_EQ(-EBUSY, kreg_table_claim(self->client, self->name, 0, &t));
	EXPECT_EQ(-ETIMEDOUT, kreg_table_claim(self->client, self->name, 20, &t));
	EXPECT_EQ(-EINVAL, kreg_table_own(self->client, self->name, 0, &o, &t));
	EXPECT_EQ(NULL, t);
	ASSERT_EQ(0, kid_do(&self->kid, 'k'));
	ASSERT_EQ(0, kreg_table_claim(self->client, self->name, -1, &t));
	EXPECT_EQ(KREG_OPENED_CLAIMED, kreg_table_opened(t));
	EXPECT_EQ(kreg_table_id(self->table), kreg_table_id(t));
	kreg_table_close(t);
	/* To own a table that is one's own already is no error. */
	ASSERT_EQ(0, kreg_table_own(self->client, self->name, 0, NULL, &t));
	EXPECT_EQ(0, kreg_table_opened(t));
	kreg_table_close(t);
}

TEST_F(owner, death_serves_who_waits)
{
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_table_set_orphan(self->table, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	kid_kill(&self->kid);
	ASSERT_EQ(0, kreg_table_own(self->client, self->name, 5000, NULL, &t));
	EXPECT_EQ(KREG_OPENED_CLAIMED, kreg_table_opened(t));
	kreg_table_close(t);
}

TEST_F(owner, pidfds)
{
	struct kreg_process owner, found;
	struct pollfd p = { .events = POLLIN };
	int fd;

	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	p.fd = kreg_table_owner_pidfd(self->table, &owner);
	ASSERT_LE(0, p.fd);
	EXPECT_EQ(self->kid_proc.cookie, owner.cookie);
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, kreg_process_from_pidfd(self->client, p.fd, &found));
	EXPECT_EQ(owner.cookie, found.cookie);
	fd = kreg_process_pidfd(self->client, &owner);
	ASSERT_LE(0, fd);
	close(fd);
	owner.cookie++;
	EXPECT_EQ(-ESRCH, kreg_process_pidfd(self->client, &owner));
	owner.cookie = 0;
	EXPECT_EQ(-ESRCH, kreg_process_pidfd(self->client, &owner));
	EXPECT_EQ(-EBADF, kreg_process_from_pidfd(self->client, 0, &found));
	EXPECT_EQ(-EBADF, kreg_process_from_pidfd(self->client, 999, &found));
	/* An owner need not have a client. */
	ASSERT_EQ(0, kid_do(&self->kid, 'c'));
	EXPECT_EQ(-ENOTCONN, kreg_process_find(self->client, self->kid.pid, &found));
	fd = kreg_table_owner_pidfd(self->table, NULL);
	EXPECT_LE(0, fd);
	close(fd);
	kid_kill(&self->kid);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(-ESRCH, kreg_process_from_pidfd(self->client, p.fd, &found));
	EXPECT_EQ(-ESRCH, kreg_process_pidfd(self->client, &self->kid_proc));
	EXPECT_EQ(-ESTALE, kreg_table_owner_pidfd(self->table, NULL));
	close(p.fd);
}

/* A child goes on with the inherited handles, as another process. */
TEST_F(owner, fork_reopens)
{
	const struct kreg_event *m;
	struct kreg_process parent, me;
	int status;
	pid_t pid;

	ASSERT_EQ(0, kreg_client_self(self->client, &parent));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	pid = fork();
	if (pid == 0) {
		int fd = kreg_client_fd(self->client);
		int bad = 0;

		bad |= kreg_event_next(self->client, 0, &m) != -EAGAIN;
		bad |= (kreg_client_self(self->client, &me) != 0) << 1;
		bad |= ((pid_t)me.pid != getpid() || me.cookie == parent.cookie) << 2;
		bad |= (kreg_member(self->table, "k", 1) != 0) << 3;
		bad |= (kreg_put(self->table, "l", 1, "v", 1) != -EACCES) << 4;
		bad |= (kreg_client_fd(self->client) != fd) << 5;
		bad |= (fcntl(fd, F_GETFD) != FD_CLOEXEC) << 6;
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The parent's file is still the parent's. */
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	EXPECT_EQ(parent.cookie, me.cookie);
	EXPECT_EQ(0, kreg_put(self->table, "l", 1, "v", 1));
}

/* The child does not get events that the parent's library has read but not handed out. */
TEST_F(owner, fork_leaves_messages)
{
	const struct kreg_event *m;
	struct kreg_table *more;
	struct kreg_process me;
	int status;
	pid_t pid;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_table_create(self->client, "more", &more));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, &me, NULL, 0, false));
	ASSERT_EQ(0, kreg_table_set_heir(more, &me, NULL, 0, false));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	ASSERT_EQ(0, kreg_table_give(more, &self->kid_proc, NULL, 0));
	kid_kill(&self->kid);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &m));
	EXPECT_EQ(1, kreg_event_seq(m));
	pid = fork();
	if (pid == 0)
		_exit(kreg_event_next(self->client, 0, &m) != -EAGAIN);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &m));
	EXPECT_EQ(2, kreg_event_seq(m));
	kreg_table_close(more);
}

/* The handler closes the client after so many events. */
struct seen {
	struct kreg_client *client;
	int count;
	int close_after;
};

static void on_event(const struct kreg_event *event, void *arg)
{
	struct seen *seen = arg;

	if (kreg_event_kind(event) == KREG_EVENT_TRANSFER)
		seen->count++;
	if (seen->count == seen->close_after)
		kreg_client_close(seen->client);
}

TEST_F(owner, dispatch)
{
	struct seen seen = { self->client, 0, 0 };
	struct kreg_process me;
	struct kreg_table *t[3];
	char name[32];
	int i;

	EXPECT_EQ(-EINVAL, kreg_client_dispatch(self->client, 0));
	kreg_client_set_handler(self->client, on_event, &seen);
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 1));
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "dispatch-%d", i);
		ASSERT_EQ(0, kreg_table_create(self->client, name, &t[i]));
		ASSERT_EQ(0, kreg_table_set_heir(t[i], &me, NULL, 0, false));
		ASSERT_EQ(0, kreg_table_give(t[i], &self->kid_proc, NULL, 0));
	}
	kid_kill(&self->kid);
	/* One call hands out all of them: those left in the library's buffer, too. */
	EXPECT_EQ(3, kreg_client_dispatch(self->client, INT64_MAX));
	EXPECT_EQ(3, seen.count);
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, kreg_table_destroy(t[i]));
		kreg_table_close(t[i]);
	}
}

TEST_F(owner, dispatch_closes_itself)
{
	struct seen seen = { NULL, 0, 2 };
	struct kreg_process me;
	struct kreg_table *t[3];
	int i;

	ASSERT_EQ(0, kreg_client_open(NULL, &seen.client));
	ASSERT_EQ(0, kreg_client_set_receiver(seen.client));
	ASSERT_EQ(0, kreg_client_self(seen.client, &me));
	for (i = 0; i < 3; i++) {
		struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;

		o.flags = KREG_OPEN_CREATE;
		ASSERT_EQ(0, kreg_table_open(seen.client, NULL, &o, &t[i]));
		ASSERT_EQ(0, kreg_table_set_heir(t[i], &me, NULL, 0, false));
		ASSERT_EQ(0, kreg_table_give(t[i], &self->kid_proc, NULL, 0));
	}
	kid_kill(&self->kid);
	kreg_client_set_handler(seen.client, on_event, &seen);
	EXPECT_EQ(2, kreg_client_dispatch(seen.client, 1000));
	EXPECT_EQ(2, seen.count);
	/* Tables outlive the client as handles, which can only be closed. */
	EXPECT_EQ(-EBADF, kreg_put(t[0], "k", 1, "v", 1));
	for (i = 0; i < 3; i++)
		kreg_table_close(t[i]);
}

static void ignore(int sig __attribute__((unused)))
{
}

TEST_F(owner, signal_ends_waiting)
{
	struct sigaction sa = { .sa_handler = ignore };
	/* A repeating timer: the first signal may come before the waiting begins. */
	struct itimerval timer = { { 0, 50000 }, { 0, 50000 } };
	const struct kreg_event *m;
	struct kreg_table *t;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(-EINTR, kreg_event_next(self->client, PATIENCE_MS, &m));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	EXPECT_EQ(-EINTR, kreg_table_claim(self->client, self->name, 10000, &t));
}

TEST_F(owner, errmsg_names_the_owner)
{
	char want[256], comm[16];
	struct kreg_table *t;

	ASSERT_EQ(0, prctl(PR_GET_NAME, comm));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	EXPECT_EQ(-EBUSY, kreg_table_claim(self->client, self->name, 0, &t));
	snprintf(want, sizeof(want),
		 "table '%s' belongs to process %d (%s); wait for it or ask it to give the table away",
		 self->name, self->kid.pid, comm);
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(-EACCES, kreg_put(self->table, "k", 1, "v", 1));
	snprintf(want, sizeof(want),
		 "table '%s' is written only by its owner, process %d (%s)",
		 self->name, self->kid.pid, comm);
	EXPECT_STREQ(want, kreg_errmsg());
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* libkreg: whom one can monitor, by what, and what is told of the death. */
#include <sys/syscall.h>

#include "kit/file.h"
#include "lib/monitor.h"

#define MAX_WATCHES	"/sys/module/kreg/parameters/max_user_watches"

static const struct kreg_process nobody;

static int no_act(struct kreg_client *client, char letter, const char *name)
{
	return -EBADMSG;
}

TEST_F(monitor, by_name)
{
	const struct kreg_event *event;
	struct kreg_process who;
	struct kreg_ref *ref;
	struct kid kid;
	char name[8] = "x";
	size_t len = 1;

	ASSERT_EQ(0, kid_start(&kid, no_act, ""));
	ASSERT_EQ(0, kreg_process_find(self->client, kid.pid, &who));
	ASSERT_EQ(0, kreg_monitor(self->client, &who, NULL, self, &ref));
	EXPECT_EQ(self, kreg_ref_arg(ref));
	EXPECT_EQ(who.pid, kreg_ref_process(ref).pid);
	EXPECT_EQ(who.cookie, kreg_ref_process(ref).cookie);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(-ETIMEDOUT, kreg_event_next(self->client, 1, &event));
	EXPECT_EQ(SIGKILL, kid_kill(&kid));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, who, KREG_CAUSE_DEATH);
	test_status(event, SIGKILL);
	EXPECT_EQ(1, kreg_event_seq(event));
	EXPECT_EQ(0, kreg_event_table(event));
	EXPECT_EQ(0, kreg_event_name(event, name, sizeof(name), &len));
	EXPECT_EQ(0, len);
	EXPECT_STREQ("", name);
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(NULL, kreg_event_ref(event));
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
}

/* Each ref has its event, and they come in the order in which they were asked for. */
TEST_F(monitor, many_of_one)
{
	const struct kreg_event *event;
	struct kreg_ref *refs[300];
	int i;

	for (i = 0; i < 300; i++)
		ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &refs[i]));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
		EXPECT_EQ(refs[i], kreg_event_ref(event));
		EXPECT_EQ(0, kreg_ref_cancel(refs[i]));
	}
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
}

TEST_F(monitor, exit_status)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	int fds[2], status;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (pid == 0)
		_exit(read(fds[0], &byte, 1) == 1 ? 7 : 8);
	ASSERT_EQ(0, kreg_monitor_pid(self->client, pid, NULL, NULL, &ref));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_EQ(0, kreg_event_next(self->client, -1, &event));
	test_status(event, 7 << 8);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(7 << 8, status);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
}

TEST_F(monitor, dead_already)
{
	struct kreg_process who, wrong;
	const struct kreg_event *event;
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	who = kreg_ref_process(ref);
	EXPECT_EQ(self->pid, who.pid);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	wrong = who;
	wrong.cookie++;
	ASSERT_EQ(0, kreg_monitor(self->client, &wrong, NULL, NULL, &ref));
	EXPECT_EQ(0, kreg_ref_process(ref).pid);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, wrong, KREG_CAUSE_NOPROC);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	ASSERT_EQ(0, kreg_monitor(self->client, &who, NULL, NULL, &ref));
	EXPECT_EQ(0, kreg_ref_process(ref).pid);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, who, KREG_CAUSE_NOPROC);
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
}

TEST_F(monitor, bad_names)
{
	struct kreg_process bad[] = { { 0 }, { .cookie = 1 } };
	struct kreg_process other = { .pid = self->pid };
	struct kreg_ref *ref = NULL;
	char want[128];
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, kreg_monitor(self->client, &bad[i], NULL, NULL, &ref));
		EXPECT_STREQ("the pid is 0", kreg_errmsg());
	}
	EXPECT_EQ(-ESRCH, kreg_monitor(self->client, &other, NULL, NULL, &ref));
	snprintf(want, sizeof(want),
		 "no living process %d: it is dead, or the number is a thread's or of another pid namespace",
		 self->pid);
	EXPECT_STREQ(want, kreg_errmsg());
	other.reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_monitor(self->client, &other, NULL, NULL, &ref));
	EXPECT_EQ(NULL, ref);
}

static void *thread_id(void *arg)
{
	int *fds = arg;
	char byte;

	__atomic_store_n(&fds[2], syscall(SYS_gettid), __ATOMIC_RELEASE);
	return read(fds[0], &byte, 1) == 1 ? NULL : arg;
}

TEST_F(monitor, by_pid)
{
	int fds[3] = { 0 }, i;
	struct kreg_process who;
	struct kreg_ref *ref = NULL;
	pthread_t thread;

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_id, fds));
	for (i = 0; i < 1000 && !__atomic_load_n(&fds[2], __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	EXPECT_EQ(-ESRCH, kreg_monitor_pid(self->client, fds[2], NULL, NULL, &ref));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ESRCH, kreg_monitor_pid(self->client, 0, NULL, NULL, &ref));
	EXPECT_STREQ("no living process 0: it is dead, or the number is a thread's or of another pid namespace",
		     kreg_errmsg());
	EXPECT_EQ(-ESRCH, kreg_monitor_pid(self->client, -1, NULL, NULL, &ref));
	EXPECT_EQ(NULL, ref);
	/* It has got a name, but no client. */
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	EXPECT_EQ(-ENOTCONN, kreg_process_find(self->client, self->pid, &who));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	/* A zombie has its pid still, and is dead. */
	kill(self->pid, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, self->pid, NULL, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	/* One may monitor oneself, to no avail. */
	ASSERT_EQ(0, kreg_monitor_pid(self->client, getpid(), NULL, NULL, &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(monitor, by_pidfd)
{
	int pidfd = syscall(SYS_pidfd_open, self->pid, 0);
	const struct kreg_event *event;
	struct kreg_client *closed;
	struct kreg_process who;
	struct kreg_ref *ref = NULL;

	ASSERT_LE(0, pidfd);
	EXPECT_EQ(-EBADF, kreg_monitor_pidfd(self->client, 0, NULL, NULL, &ref));
	EXPECT_STREQ("this descriptor is no pidfd", kreg_errmsg());
	EXPECT_EQ(-EBADF, kreg_monitor_pidfd(self->client, 999, NULL, NULL, &ref));
	EXPECT_EQ(-ENOTCONN, kreg_process_from_pidfd(self->client, pidfd, &who));
	EXPECT_STREQ("the process of this pidfd has not opened /dev/kreg; it must before it can be found",
		     kreg_errmsg());
	EXPECT_EQ(NULL, ref);
	ASSERT_EQ(0, kreg_monitor_pidfd(self->client, pidfd, NULL, NULL, &ref));
	who = kreg_ref_process(ref);
	EXPECT_EQ(self->pid, who.pid);
	/* The program has closed the client's descriptor, which is no fault of the pidfd. */
	ASSERT_EQ(0, kreg_client_open(NULL, &closed));
	close(kreg_client_fd(closed));
	EXPECT_EQ(-EBADF, kreg_monitor_pidfd(closed, pidfd, NULL, NULL, &ref));
	EXPECT_STREQ("the client is closed, or the program has closed its descriptor",
		     kreg_errmsg());
	kreg_client_close(closed);
	kill(self->pid, SIGKILL);
	ASSERT_EQ(0, kreg_event_next(self->client, -1, &event));
	test_down(event, who, KREG_CAUSE_DEATH);
	test_status(event, SIGKILL);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(-ESRCH, kreg_monitor_pidfd(self->client, pidfd, NULL, NULL, &ref));
	EXPECT_STREQ("the process of this pidfd is dead, or this pid namespace does not have it",
		     kreg_errmsg());
	end(&self->pid);
	EXPECT_EQ(-ESRCH, kreg_monitor_pidfd(self->client, pidfd, NULL, NULL, &ref));
	close(pidfd);
}

TEST_F(monitor, owner)
{
	struct kreg_ref *by_handle, *by_name;
	const struct kreg_event *event;
	struct kreg_process who;
	struct kreg_table *table;
	struct kid kid;
	char name[32];
	size_t len;

	ASSERT_EQ(0, kid_start(&kid, no_act, ""));
	ASSERT_EQ(0, kreg_process_find(self->client, kid.pid, &who));
	ASSERT_EQ(0, kreg_table_create(self->client, "monitored", &table));
	ASSERT_EQ(0, kreg_table_give(table, &who, NULL, 0));
	ASSERT_EQ(0, kreg_monitor_owner(table, NULL, NULL, &by_handle));
	EXPECT_EQ(who.cookie, kreg_ref_process(by_handle).cookie);
	ASSERT_EQ(0, kreg_monitor_owner_name(self->client, "monitored", NULL, NULL, &by_name));
	EXPECT_EQ(who.cookie, kreg_ref_process(by_name).cookie);
	EXPECT_EQ(SIGKILL, kid_kill(&kid));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, who, KREG_CAUSE_DEATH);
	test_status(event, SIGKILL);
	EXPECT_EQ(by_handle, kreg_event_ref(event));
	EXPECT_EQ(kreg_table_id(table), kreg_event_table(event));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, who, KREG_CAUSE_DEATH);
	EXPECT_EQ(by_name, kreg_event_ref(event));
	EXPECT_EQ(kreg_table_id(table), kreg_event_table(event));
	ASSERT_EQ(0, kreg_event_name(event, name, sizeof(name), &len));
	EXPECT_STREQ("monitored", name);
	EXPECT_EQ(0, kreg_ref_cancel(by_handle));
	EXPECT_EQ(0, kreg_ref_cancel(by_name));
	/* The table has gone with its owner. */
	EXPECT_EQ(-ESTALE, kreg_monitor_owner(table, NULL, NULL, &by_handle));
	EXPECT_STREQ("table 'monitored' has been destroyed; open or create it again",
		     kreg_errmsg());
	kreg_table_close(table);
}

TEST_F(monitor, nobody_owns)
{
	const struct kreg_event *event;
	struct kreg_table *table;
	struct kreg_ref *ref;
	char name[32];
	int status;

	ASSERT_EQ(0, kreg_table_create(self->client, "ownerless", &table));
	ASSERT_EQ(0, kreg_table_park(table));
	ASSERT_EQ(0, kreg_monitor_owner(table, NULL, NULL, &ref));
	EXPECT_EQ(0, kreg_ref_process(ref).cookie);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, nobody, KREG_CAUSE_NOPROC);
	EXPECT_FALSE(kreg_event_status(event, &status));
	EXPECT_EQ(kreg_table_id(table), kreg_event_table(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_table_destroy(table);
	kreg_table_close(table);
	ASSERT_EQ(0, kreg_monitor_owner_name(self->client, "absent", NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, nobody, KREG_CAUSE_NOPROC);
	EXPECT_EQ(0, kreg_event_table(event));
	ASSERT_EQ(0, kreg_event_name(event, name, sizeof(name), NULL));
	EXPECT_STREQ("absent", name);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
}

TEST_F(monitor, bad_table_names)
{
	struct kreg_ref *ref = NULL;
	char name[130];

	EXPECT_EQ(-EINVAL, kreg_monitor_owner_name(self->client, "", NULL, NULL, &ref));
	EXPECT_STREQ("the name is empty", kreg_errmsg());
	memset(name, 'x', 129);
	name[129] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, kreg_monitor_owner_name(self->client, name, NULL, NULL, &ref));
	EXPECT_STREQ("the name has 129 bytes; the most is 128", kreg_errmsg());
	EXPECT_EQ(NULL, ref);
}

TEST_F(monitor, tables_of_other_users)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_table *table;
	struct kreg_ref *ref = NULL;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_create(self->client, "hidden", &table));
	EXPECT_EQ(-EACCES, kreg_monitor_owner_name(other, "hidden", NULL, NULL, &ref));
	EXPECT_STREQ("the mode of table 'hidden' does not let this user do it; its owner can change the mode",
		     kreg_errmsg());
	EXPECT_EQ(NULL, ref);
	kreg_table_destroy(table);
	kreg_table_close(table);
	kreg_client_close(other);
}

TEST_F(monitor, limit_of_the_user)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_ref *refs[3] = { NULL };
	char before[32];
	int i;

	ASSERT_NE(NULL, other);
	ASSERT_LT(0, test_read_file(MAX_WATCHES, before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(MAX_WATCHES, "2"));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, kreg_monitor_pid(other, self->pid, NULL, NULL, &refs[i]));
	EXPECT_EQ(-EDQUOT, kreg_monitor_pid(other, self->pid, NULL, NULL, &refs[2]));
	EXPECT_STREQ("this user monitors and waits for as much as one may (max_user_watches = 2): cancel some, or read the events of the dead",
		     kreg_errmsg());
	EXPECT_EQ(NULL, refs[2]);
	/* An unread event counts as well; it may go with its ref. */
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(-EDQUOT, kreg_monitor_pid(other, getpid(), NULL, NULL, &refs[2]));
	EXPECT_EQ(0, kreg_ref_cancel(refs[0]));
	EXPECT_EQ(0, kreg_monitor_pid(other, getpid(), NULL, NULL, &refs[0]));
	EXPECT_EQ(0, test_write_file(MAX_WATCHES, before));
	EXPECT_EQ(1, kreg_ref_cancel(refs[0]));
	EXPECT_EQ(0, kreg_ref_cancel(refs[1]));
	kreg_client_close(other);
}

/* Who may only read the device may monitor; who may only write has no use for events. */
TEST_F(monitor, open_modes)
{
	struct kreg_client *reads = open_as_other(0644), *writes;
	const struct kreg_event *event;
	struct kreg_ref *ref = NULL;
	int fd = open("/dev/kreg", O_WRONLY);

	ASSERT_NE(NULL, reads);
	ASSERT_EQ(0, kreg_client_open_fd(fd, &writes));
	EXPECT_EQ(-EBADF, kreg_monitor_pid(writes, self->pid, NULL, NULL, &ref));
	EXPECT_STREQ("the client's descriptor was not opened for reading", kreg_errmsg());
	EXPECT_EQ(NULL, ref);
	kreg_client_close(writes);
	ASSERT_EQ(0, kreg_monitor_pid(reads, self->pid, NULL, NULL, &ref));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(0, kreg_event_next(reads, 0, &event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_client_close(reads);
}

/* The heir knows of his tables before he knows of the death. */
TEST_F(monitor, after_the_transfer)
{
	const struct kreg_event *event;
	struct kreg_process me, who;
	struct kreg_table *table;
	struct kreg_ref *ref;
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, no_act, ""));
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_process_find(self->client, kid.pid, &who));
	ASSERT_EQ(0, kreg_monitor(self->client, &who, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_table_create(self->client, "inherited", &table));
	ASSERT_EQ(0, kreg_table_set_heir(table, &me, NULL, 0, false));
	ASSERT_EQ(0, kreg_table_give(table, &who, NULL, 0));
	EXPECT_EQ(SIGKILL, kid_kill(&kid));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(KREG_EVENT_TRANSFER, kreg_event_kind(event));
	EXPECT_EQ(NULL, kreg_event_ref(event));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	test_down(event, who, KREG_CAUSE_DEATH);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_table_destroy(table);
	kreg_table_close(table);
}

#define MANY	2000

static void count_one(const struct kreg_event *event, void *arg)
{
	++*(int *)arg;
}

TEST_F(monitor, many)
{
	static struct kreg_ref *refs[MANY];
	int i, n = 0, count = 0;

	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, count_one, &count,
					      &refs[i]));
	for (i = 0; i < MANY; i += 3) {
		EXPECT_EQ(1, kreg_ref_cancel(refs[i]));
		n++;
	}
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(MANY - n, kreg_client_dispatch(self->client, PATIENCE_MS));
	EXPECT_EQ(MANY - n, count);
	for (i = MANY - 1; i >= 0; i--)
		if (i % 3)
			EXPECT_EQ(0, kreg_ref_cancel(refs[i]));
}

TEST_HARNESS_MAIN

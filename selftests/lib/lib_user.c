// SPDX-License-Identifier: GPL-2.0
/* libkreg: tables and clients of other users, and of processes that seem to be the same. */
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kit/file.h"
#include "lib/lib.h"

#define MAX_PARK	"/sys/module/kreg/parameters/max_park_ms"

TEST_F(lib, tables_of_other_users)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_client *client = open_as_other(0666);
	struct kreg_table *theirs, *t;
	struct kreg_stat *stat;

	ASSERT_NE(NULL, client);
	o.flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL;
	o.mode = 0666;
	ASSERT_EQ(0, kreg_table_open(client, "theirs", &o, &theirs));
	ASSERT_EQ(0, kreg_table_stat(theirs, &stat));
	EXPECT_EQ(OTHER, kreg_stat_owner_uid(stat));
	EXPECT_EQ(0, kreg_stat_heir_uid(stat));
	kreg_stat_free(stat);

	o.flags = KREG_OPEN_CREATE;
	EXPECT_EQ(-EPERM, kreg_table_open(self->client, "theirs", &o, &t));
	EXPECT_STREQ("table 'theirs' is of user 1001, who may have made it to be trusted; choose another name, or allow tables of any user",
		     kreg_errmsg());
	EXPECT_EQ(-EPERM, kreg_table_own(self->client, "theirs", 0, NULL, &t));
	EXPECT_STREQ("table 'theirs' is of user 1001, who may have made it to be trusted; choose another name, or allow tables of any user",
		     kreg_errmsg());
	o.flags = KREG_OPEN_CREATE | KREG_OPEN_ANY_USER;
	ASSERT_EQ(0, kreg_table_open(self->client, "theirs", &o, &t));
	kreg_table_close(t);
	o.flags |= KREG_OPEN_OWN_USER;
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, "theirs", &o, &t));
	/* Without CREATE the table may be another user's. */
	ASSERT_EQ(0, kreg_table_open(self->client, "theirs", NULL, &t));
	kreg_table_close(t);
	ASSERT_EQ(0, kreg_table_park(theirs));
	memset(&o, 0, sizeof(o));
	o.size = sizeof(o);
	o.flags = KREG_OPEN_ANY_USER;
	ASSERT_EQ(0, kreg_table_own(self->client, "theirs", 0, &o, &t));
	EXPECT_EQ(KREG_OPENED_CLAIMED, kreg_table_opened(t));
	ASSERT_EQ(0, kreg_table_stat(t, &stat));
	EXPECT_EQ(OTHER, kreg_stat_uid(stat));
	EXPECT_EQ(0, kreg_stat_owner_uid(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(0, kreg_table_destroy(t));
	kreg_table_close(t);
	kreg_table_close(theirs);
	kreg_client_close(client);
}

/* Parking that is refused: the sentence is about the table, not about a receiver. */
TEST_F(lib, refused_parking)
{
	struct kreg_client *client = open_as_other(0666);
	struct kreg_table *t;
	char before[32];

	ASSERT_NE(NULL, client);
	ASSERT_EQ(0, kreg_table_create(client, "forever", &t));
	ASSERT_LT(0, test_read_file(MAX_PARK, before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(MAX_PARK, "0"));
	EXPECT_EQ(-EPERM, kreg_table_park(t));
	EXPECT_STREQ("this user may not have table 'forever' parked, or not for so long (max_park_ms = 0); that needs CAP_SYS_RESOURCE",
		     kreg_errmsg());
	EXPECT_EQ(0, test_write_file(MAX_PARK, before));
	EXPECT_EQ(0, kreg_table_destroy(t));
	kreg_table_close(t);
	kreg_client_close(client);
}

static void *fail_with_little_stack(void *table)
{
	bool said = kreg_put(table, "k", 1, "v", 1) == -EACCES &&
		    strstr(kreg_errmsg(), "table 'theirs'");

	return said ? table : NULL;
}

/* A sentence that depends on the groups of this user, in a thread that has little stack. */
TEST_F(lib, sentence_with_little_stack)
{
	struct kreg_client *client = open_as_other(0666);
	struct kreg_table *theirs, *seen;
	pthread_attr_t attributes;
	pthread_t thread;
	void *ret;

	ASSERT_NE(NULL, client);
	ASSERT_EQ(0, kreg_table_create(client, "theirs", &theirs));
	ASSERT_EQ(0, kreg_table_open(self->client, "theirs", NULL, &seen));
	ASSERT_EQ(0, pthread_attr_init(&attributes));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attributes, 64 << 10));
	ASSERT_EQ(0, pthread_create(&thread, &attributes, fail_with_little_stack, seen));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(seen, ret);
	pthread_attr_destroy(&attributes);
	EXPECT_EQ(0, kreg_table_destroy(theirs));
	kreg_table_close(seen);
	kreg_table_close(theirs);
	kreg_client_close(client);
}

/* A user whom the mode of the device allows only reading can read tables. */
TEST_F(lib, read_only_device)
{
	struct kreg_client *client = open_as_other(0644);
	struct kreg_table *t;
	char room[8];

	ASSERT_NE(NULL, client);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0664));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_table_open(client, self->name, NULL, &t));
	EXPECT_EQ(0, kreg_get(t, "k", 1, room, sizeof(room), NULL));
	EXPECT_EQ(-EBADF, kreg_put(t, "k", 1, "w", 1));
	EXPECT_STREQ("this process may read the device and not write to it; 'ls -l /dev/kreg' tells who may",
		     kreg_errmsg());
	EXPECT_EQ(-EBADF, kreg_client_set_accept(client, true));
	EXPECT_STREQ("this process may read the device and not write to it; 'ls -l /dev/kreg' tells who may",
		     kreg_errmsg());
	kreg_client_close(client);
	EXPECT_EQ(-EBADF, kreg_put(t, "k", 1, "w", 1));
	EXPECT_STREQ("the client is closed, or the program has closed its descriptor",
		     kreg_errmsg());
	kreg_table_close(t);
	EXPECT_EQ(NULL, open_as_other(0600));
	EXPECT_STREQ("no permission for /dev/kreg; 'ls -l /dev/kreg' tells who may use it",
		     kreg_errmsg());
}

/* In a process with the pid that had the client: it is another one all the same. */
static int use_again(struct kreg_client *client, struct kreg_table *table,
		     const struct kreg_process *before)
{
	const struct kreg_event *m;
	struct kreg_process me;
	int ret = kreg_event_next(client, 0, &m);

	if (ret != -EAGAIN)
		return ret ? ret : -EEXIST;
	ret = kreg_member(table, "k", 1);
	ret = ret ? ret : kreg_client_self(client, &me);
	return ret ? ret : me.pid == before->pid && me.cookie != before->cookie;
}

/* As fork(2), with a pid that is free. */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (unsigned long)&pid,
		.set_tid_size = 1,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* The process has never used the client; its parent, whose pid is wanted, is about to end. */
static int use_with_pid(struct kreg_client *client, struct kreg_table *table,
			const struct kreg_process *wanted)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < 10000; i++) {
		pid = fork_as(wanted->pid);
		if (!pid)
			_exit(use_again(client, table, wanted) == 1 ? 1 : 2);
		if (pid > 0)
			return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -errno;
		if (errno != EEXIST)
			return -errno;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

static void leave_client(const char *name, int out)
{
	struct kreg_process me;
	struct kreg_client *client;
	struct kreg_table *table;
	int ret;

	ret = kreg_client_open(NULL, &client);
	ret = ret ? ret : kreg_table_open(client, name, NULL, &table);
	ret = ret ? ret : kreg_client_self(client, &me);
	if (!ret && fork())
		_exit(0);
	ret = ret ? ret : use_with_pid(client, table, &me);
	_exit(write(out, &ret, sizeof(ret)) != sizeof(ret));
}

/* Its pid does not tell that a process is another one than that which opened the client. */
TEST_F(lib, fork_to_the_same_pid)
{
	int fds[2], ret = 0;
	pid_t pid;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid)
		leave_client(self->name, fds[1]);
	close(fds[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(sizeof(ret), read(fds[0], &ret, sizeof(ret)));
	EXPECT_EQ(1, ret);
	close(fds[0]);
}

/* Two of its events are in the library's buffer, one of which it has not read. */
static int leave_event(struct kreg_client *client, struct kreg_table *table)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	int ret;

	ret = kreg_subscribe(table, KREG_SUBSCRIBE_KINDS, 0, 0, NULL, NULL, &ref);
	ret = ret ? ret : kreg_put(table, "k", 1, "v", 1);
	ret = ret ? ret : kreg_put(table, "l", 1, "v", 1);
	return ret ? ret : kreg_event_next(client, 1000, &event);
}

/* In process 1 of a pid namespace: what process 1 of the one below it gets through its client. */
static int use_below(void)
{
	struct kreg_process me, child;
	struct kreg_client *client;
	const struct kreg_event *event;
	struct kreg_table *table;
	int status, ret;
	pid_t pid;

	ret = kreg_client_open(NULL, &client);
	ret = ret ? ret : kreg_table_create(client, "below", &table);
	ret = ret ? ret : leave_event(client, table);
	ret = ret ? ret : kreg_client_self(client, &me);
	if (ret || me.pid != 1 || unshare(CLONE_NEWPID))
		return 2;
	pid = fork();
	if (!pid) {
		if (getpid() != 1 || kreg_event_next(client, 0, &event) != -EAGAIN)
			_exit(3);
		ret = kreg_client_self(client, &child);
		_exit(ret || child.pid != 1 || child.cookie == me.cookie ? 4 : 1);
	}
	if (waitpid(pid, &status, 0) != pid || kreg_event_next(client, 0, &event))
		return 5;
	return WEXITSTATUS(status);
}

/* As if both were the same process; neither gets what is the other's. */
TEST_F(lib, fork_to_another_init)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(6);
		pid = fork();
		if (!pid)
			_exit(use_below());
		_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 7);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
}

/* No file can be opened any more. Return: what it fails with; a kernel may have no seccomp(2). */
static int forbid_open(void)
{
	const struct rlimit none = { 0, 0 };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 0;
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -ENOMEM;
	return errno == EINVAL && !setrlimit(RLIMIT_NOFILE, &none) ? -EMFILE : 0;
}

static int use_opened(int fd)
{
	const struct kreg_event *event;
	struct kreg_client *client;
	struct kreg_table *table;
	char room[8];
	int ret;

	ret = kreg_client_open_fd(fd, &client);
	ret = ret ? ret : kreg_table_create(client, "opened", &table);
	ret = ret ? ret : leave_event(client, table);
	ret = ret ? ret : kreg_event_next(client, 0, &event);
	ret = ret ? ret : kreg_get(table, "k", 1, room, sizeof(room), NULL);
	ret = ret ? ret : kreg_table_destroy(table);
	kreg_client_close(client);
	return ret;
}

/* By a process that may not open it any more: in a chroot(2), as another user, under seccomp(2). */
TEST_F(lib, opened_before)
{
	struct kreg_client *client;
	int status = -1, fd, err;
	pid_t pid = fork();

	if (!pid) {
		fd = open("/dev/kreg", O_RDWR | O_CLOEXEC);
		if (fd < 0 || chroot("/proc/self/fdinfo") || chdir("/") ||
		    setresuid(OTHER, OTHER, OTHER) ||
		    kreg_client_open(NULL, &client) != -ENOENT)
			_exit(2);
		err = forbid_open();
		if (!err || kreg_client_open(NULL, &client) != err)
			_exit(4);
		_exit(use_opened(fd) ? 3 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * What is one process and what is another: fork, threads, exec, passed files.
 */
#include <pthread.h>
#include <sys/socket.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/line.h"

#define THREADS	8

FIXTURE(process) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	__u64 table;
};

FIXTURE_SETUP(process)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	test_create(self->fd, "mine", KREG_ACCESS_PRIVATE, &self->table);
	test_puts(self->fd, self->table, "k", "v");
}

FIXTURE_TEARDOWN_PARENT(process)
{
	test_teardown(_metadata, &self->base);
}

/* Every call through a client of another process fails. */
static void expect_useless(struct __test_metadata *_metadata, int fd,
			   __u64 table)
{
	struct kreg_ioc_query query;
	struct kreg_info info;
	struct test_event event;
	__u64 id;
	char room[8];

	EXPECT_EQ(-ENXIO, _test_query(fd, &query));
	EXPECT_EQ(-ENXIO, _test_open(fd, "mine", 0, &id));
	EXPECT_EQ(-ENXIO, _test_create(fd, "other", 0, &id));
	EXPECT_EQ(-ENXIO, _test_get(fd, table, "k", 1, room, 8));
	EXPECT_EQ(-ENXIO, _test_puts(fd, table, "k", "w"));
	EXPECT_EQ(-ENXIO, _test_destroy(fd, table));
	EXPECT_EQ(-ENXIO, _test_info(fd, table, &info));
	EXPECT_EQ(-ENXIO, _test_sync(fd));
	EXPECT_EQ(-ENXIO, _test_event_now(fd, &event));
	EXPECT_EQ(-ENXIO, test_listed(fd, table));
	EXPECT_EQ(-ENXIO, _test_receiver(fd));
}

TEST_F(process, fork)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		expect_useless(_metadata, self->fd, self->table);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	test_gets(self->fd, self->table, "k", "v");
}

/* The child's own client is another process, and the table is not its own. */
TEST_F(process, forked_child_reopens)
{
	struct kreg_process child;
	int status, fd;
	char room[8];
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		fd = test_client();
		child = test_self(fd);
		EXPECT_EQ(getpid(), child.pid);
		EXPECT_NE(self->me.cookie, child.cookie);
		test_err_get(EACCES, fd, self->table, "k", 1, room, 8);
		test_err_mode(EACCES, fd, self->table, 0666);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	test_gets(self->fd, self->table, "k", "v");
}

static int send_file(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_file(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(process, passed_file)
{
	int socks[2], fd, status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* The child's own client, sent to its parent. */
		_exit(send_file(socks[1], test_client()) ? 1 : 0);
	}
	fd = receive_file(socks[0]);
	ASSERT_LE(0, fd);
	expect_useless(_metadata, fd, self->table);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The process that opened the file is dead; the file is still open. */
	expect_useless(_metadata, fd, self->table);
	close(fd);
}

struct thread {
	int fd;
	__u64 table;
	int number;
	int errors;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	char key[16], room[16];
	int i, fd;

	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "%d.%d", t->number, i);
		t->errors += !!_test_puts(t->fd, t->table, key, key);
		t->errors += !!_test_gets(t->fd, t->table, key, room, 16);
		t->errors += !!strcmp(key, room);
	}
	/* A client that a thread has opened belongs to the process. */
	fd = test_client();
	t->errors += !!_test_member(fd, t->table, key);
	t->errors += !!_test_delete(fd, t->table, key);
	close(fd);
	return NULL;
}

/* All threads own a table that one of them has created. */
TEST_F(process, threads)
{
	pthread_t threads[THREADS];
	struct thread args[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		args[i] = (struct thread) { self->fd, self->table, i, 0 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_main,
					    &args[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, args[i].errors);
	}
	EXPECT_EQ(1 + THREADS * 199, test_objects(self->fd, self->table));
}

static void *thread_create(void *arg)
{
	struct thread *t = arg;

	t->errors = _test_create(t->fd, "by a thread", 0, &t->table);
	return NULL;
}

/* The thread that has created the table ends: the process still owns it. */
TEST_F(process, thread_ends)
{
	struct thread t = { .fd = self->fd };
	struct kreg_info info;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_create, &t));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, t.errors);
	test_sync(self->fd);
	test_info(self->fd, t.table, &info);
	EXPECT_TRUE(test_same(self->me, info.owner));
	test_puts(self->fd, t.table, "k", "v");
}

static void *thread_tid(void *arg)
{
	struct job *job = arg;
	char c;

	job->pid = syscall(SYS_gettid);
	/* The pipe is never written to: sleep until the process dies. */
	if (read(job->fd2, &c, 1) < 0)
		return arg;
	return NULL;
}

static long job_thread(struct job *job)
{
	pthread_t thread;
	int fds[2];

	if (pipe(fds))
		return -errno;
	job->fd2 = fds[0];
	if (pthread_create(&thread, NULL, thread_tid, job))
		return -EAGAIN;
	return test_wait_for(job->pid) ? 0 : -ETIME;
}

/* WHOIS takes ids of processes, not of threads. */
TEST_F(process, whois_thread)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process process;

	ASSERT_EQ(0, kid_do(kid, job_thread));
	test_err_whois(ESRCH, self->fd, kid->job->pid, &process);
	test_whois(self->fd, kid->pid, &process);
	process.pid = kid->job->pid;
	test_err_give(ESRCH, self->fd, self->table, process, NULL, 0);
}

/*
 * The second half of this test: after execve(2), with the file and the id of
 * the table as arguments.
 */
static int after_exec(char **argv)
{
	int fd = atoi(argv[2]);
	__u64 id = strtoull(argv[3], NULL, 10);
	struct kreg_info info;
	char room[8];

	if (_test_gets(fd, id, "k", room, sizeof(room)) || strcmp(room, "v"))
		return 2;
	/* A new client belongs to the same process. */
	fd = test_client();
	if (_test_info(fd, id, &info) || info.owner.pid != (__u32)getpid())
		return 3;
	if (!test_same(test_self(fd), info.owner))
		return 4;
	if (_test_access(fd, id, KREG_ACCESS_PUBLIC) ||
	    _test_puts(fd, id, "k", "exec"))
		return 5;
	return pause() ? 6 : 0;
}

static long job_exec(struct job *job)
{
	char fd[16], id[32];

	snprintf(fd, sizeof(fd), "%d", job->fd);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)job->table);
	fcntl(job->fd, F_SETFD, 0);
	execl("/proc/self/exe", "process", "--after-exec", fd, id, NULL);
	return -errno;
}

static void *exec_thread(void *arg)
{
	job_exec(arg);
	return NULL;
}

static long job_exec_in_thread(struct job *job)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_thread, job))
		return -EAGAIN;
	pthread_join(thread, NULL);
	return -EINVAL;
}

static void expect_exec(struct __test_metadata *_metadata, int fd,
			long (*how)(struct job *job))
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process owner = kid->self;
	struct kreg_info info;
	unsigned int missed = 0;
	__u64 id, names;

	test_create(fd, "names", KREG_ACCESS_REGISTRY, &names);
	ASSERT_EQ(0, kid_bind(kid, names, "name", "v"));
	ASSERT_EQ(0, kid_lock(kid, names, 0));
	ASSERT_EQ(0, kid_create(kid, "execs", KREG_ACCESS_PROTECTED, &id));
	ASSERT_EQ(0, kid_puts(kid, id, "k", "v"));
	kid->job->table = id;
	kid_ask(kid, how);
	/* after_exec() makes the table public when all has gone well. */
	EXPECT_TRUE(test_wait_for((missed += !test_is_of(fd, names, "name", owner),
				   !_test_puts(fd, id, "done", "")) ||
				  _test_info(fd, id, &info)));
	test_info(fd, id, &info);
	EXPECT_TRUE(test_same(owner, info.owner));
	EXPECT_EQ(0, info.transfers);
	/* Nor was it without its name or its lock in between. */
	EXPECT_EQ(0, missed);
	EXPECT_TRUE(test_is_of(fd, names, "key", owner));
	test_err_lock(ETIMEDOUT, fd, names, 0, NULL);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_err_info(ESTALE, fd, id, &info);
	test_err_member(ENODATA, fd, names, "name");
	test_lock(fd, names, 0, NULL);
}

/*
 * SYNC waits for deaths of owners also among many processes that have only a client. The
 * parameter "objects" waits for no death.
 */
TEST_F(process, sync_among_idle)
{
	enum { IDLE = 32, ROUNDS = 20 };
	struct kid *owner;
	unsigned int i;
	__u64 id;

	for (i = 0; i < IDLE; i++)
		ASSERT_NE(NULL, kid_start(_metadata));
	for (i = 0; i < ROUNDS; i++) {
		owner = kid_start(_metadata);
		ASSERT_EQ(0, kid_create(owner, "theirs", 0, &id));
		ASSERT_EQ(0, kid_puts(owner, id, "k", "v"));
		EXPECT_EQ(2, test_param("objects"));
		kid_kill(owner);
		EXPECT_EQ(0, _test_sync(self->fd));
		EXPECT_EQ(1, test_param("objects"));
	}
}

TEST_F(process, exec)
{
	expect_exec(_metadata, self->fd, job_exec);
}

TEST_F(process, exec_by_a_thread)
{
	expect_exec(_metadata, self->fd, job_exec_in_thread);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--after-exec"))
		return after_exec(argv);
	return test_harness_run(argc, argv);
}

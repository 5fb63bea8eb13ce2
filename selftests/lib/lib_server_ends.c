// SPDX-License-Identifier: GPL-2.0
/* libkreg: connections that a server has ended, and servers that are none. */
#include "kit/file.h"
#include "lib/raw.h"

#define MAX_SUBSCRIPTIONS	"/sys/module/kreg/parameters/max_subscriptions"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

/*
 * A connection is on its way out, and its other end can neither send nor read anything: the
 * request goes over a new one.
 */
TEST_F(server, leaves_without_a_word)
{
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;
	int busy, more, i;
	char buf[8];

	options.max_connections = 2;
	self->how.options = &options;
	for (i = 0; i < 2; i++) {
		self->pid = serve(&self->how);
		ASSERT_LT(0, self->pid);
		ASSERT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
		busy = connect_raw(self->table);
		ASSERT_LE(0, busy);
		EXPECT_EQ(0, send_raw(busy, (struct head){ MAGIC, CAST, 0, 0 }, "l", 0));
		ASSERT_EQ(0, wait_read(busy));
		ASSERT_EQ(0, pause_server(self->pid));
		more = connect_raw(self->table);
		ASSERT_LE(0, more);
		EXPECT_EQ(0, send_raw(busy, (struct head){ MAGIC, CAST, 0, 0 }, "s1000", 0));
		ASSERT_EQ(0, kill(self->pid, SIGCONT));
		ASSERT_EQ(0, wait_read(busy));
		EXPECT_EQ(0, i ? cast(self->peer, "l") : call(self->peer, "e", buf, sizeof(buf)));
		close(busy);
		close(more);
		kill_server(self->pid);
	}
	self->pid = 0;
}

/* A socket under KEY at which this process listens. */
static int listen_raw(struct kreg_table *table)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket_raw();
	unsigned char value[128] = { 1 };
	socklen_t len = sizeof(address);

	if (bind(fd, (void *)&address, sizeof(sa_family_t)) || listen(fd, 10) ||
	    getsockname(fd, (void *)&address, &len))
		return -1;
	value[1] = len - offsetof(struct sockaddr_un, sun_path);
	memcpy(value + 2, address.sun_path, value[1]);
	return kreg_register(table, KEY, strlen(KEY), value, 2 + value[1]) ? -1 : fd;
}

static void no_handler(int signal)
{
}

/*
 * Each connection is ended, with this word, before the one who has made it can use it: whoever
 * ends it runs before him, on the same processor.
 */
static pid_t end_all(int fd, const struct head *word)
{
	struct sched_param param = { .sched_priority = 50 };
	cpu_set_t first;
	pid_t pid;
	int one;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl_die();
		if (sched_setscheduler(0, SCHED_FIFO, &param))
			_exit(1);
		while ((one = accept(fd, NULL, NULL)) >= 0) {
			if (word)
				send_raw(one, *word, "", 0);
			close(one);
		}
		_exit(2);
	}
	/* Until it waits for the first. */
	usleep(100000);
	return pid;
}

TEST_F(server, asks_to_try_again)
{
	struct itimerval often = { { 0, 50000 }, { 0, 50000 } };
	struct sigaction act = { .sa_handler = no_handler };
	const struct head again = { MAGIC, ERROR, EAGAIN, 0 };
	int fd = listen_raw(self->table);
	char buf[8];
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = end_all(fd, &again);
	ASSERT_LT(0, pid);
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "e", 1, buf, sizeof(buf), NULL, 200));
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "e", 1, buf, sizeof(buf), NULL, 0));
	EXPECT_EQ(-ETIMEDOUT, kreg_stop(self->peer, 200));
	EXPECT_EQ(-EAGAIN, cast(self->peer, "e"));
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(-EINTR, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(-EINTR, kreg_stop(self->peer, 10000));
	EXPECT_EQ(SIGKILL, kill_server(pid));
	close(fd);
}

TEST_F(server, ends_every_connection)
{
	const struct head no = { MAGIC, ERROR, EACCES, 0 };
	int fd = listen_raw(self->table);
	char buf[8];
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = end_all(fd, &no);
	ASSERT_LT(0, pid);
	EXPECT_EQ(-EACCES, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(-EACCES, cast(self->peer, "e"));
	EXPECT_EQ(-EACCES, kreg_stop(self->peer, 10000));
	EXPECT_EQ(SIGKILL, kill_server(pid));
	pid = end_all(fd, NULL);
	ASSERT_LT(0, pid);
	EXPECT_EQ(-ECONNRESET, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(-EAGAIN, cast(self->peer, "e"));
	EXPECT_EQ(-ECONNRESET, kreg_stop(self->peer, 10000));
	EXPECT_EQ(SIGKILL, kill_server(pid));
	close(fd);
}

/* A server that is none: what it sends is no reply. */
TEST_F(server, malformed_replies)
{
	int fd = listen_raw(self->table), one, i;
	const struct head bad[] = {
		{ 0, REPLY, 0, 1 }, { MAGIC, REPLY, 0, 2 }, { MAGIC, CALL, 0, 1 },
		{ MAGIC, REPLY, 1, 1 }, { MAGIC, 5, 0, 1 }, { MAGIC, 5, 5000, 1 },
	};
	char buf[8];
	pid_t pid;

	ASSERT_LE(0, fd);
	for (i = 0; i < 6; i++) {
		pid = fork();
		if (!pid) {
			one = accept(fd, NULL, NULL);
			_exit(send_raw(one, bad[i], "x", 0) || is_ended(one) ? 0 : 1);
		}
		EXPECT_EQ(-EBADMSG, call(self->peer, "e", buf, sizeof(buf)));
		EXPECT_EQ(0, end_of(pid));
	}
	close(fd);
}

static bool kernel_tells_dead_peers(int fd)
{
	socklen_t len = sizeof(int);
	int pidfd;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		close(pidfd);
	else if (errno == ENOPROTOOPT)
		return false;
	return true;
}

#define LAST_PID	"/proc/sys/kernel/ns_last_pid"

/* A process with this pid, which nobody has. Return: it, or 0. */
static pid_t take_pid(pid_t wanted)
{
	char before[16];
	pid_t pid;
	int i;

	snprintf(before, sizeof(before), "%d", wanted - 1);
	for (i = 0; i < 100; i++) {
		if (test_write_file(LAST_PID, before))
			return 0;
		pid = fork();
		if (!pid) {
			prctl_die();
			for (;;)
				pause();
		}
		if (pid == wanted)
			return pid;
		kill_server(pid);
	}
	return 0;
}

/* The caller is dead, and another process has its pid. */
TEST_F(server, from_the_dead)
{
	struct { struct head head; int told[3]; } reply;
	pid_t pid, other = 0;
	int fd = socket_raw();

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, pause_server(self->pid));
	pid = fork();
	if (!pid)
		_exit(connect_socket(self->table, fd) < 0 ||
		      send_raw(fd, (struct head){ MAGIC, CALL, 0, 1 }, "i", 0));
	EXPECT_EQ(0, end_of(pid));
	/* Kernels without checkpoints do not let one choose a pid. */
	if (kernel_tells_dead_peers(fd) && !access(LAST_PID, W_OK)) {
		other = take_pid(pid);
		EXPECT_EQ(pid, other);
	}
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	ASSERT_EQ(sizeof(reply.head) + sizeof(reply.told), recv(fd, &reply, sizeof(reply), 0));
	EXPECT_EQ(-ESRCH, reply.told[0]);
	EXPECT_EQ(0, reply.told[2]);
	if (other)
		kill_server(other);
	close(fd);
}

/* An answer is no limit of the module, whatever this thread has met before. */
TEST_F(server, answer_like_a_limit)
{
	struct kreg_ref *first, *second;
	char before[32];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_LT(0, test_read_file(MAX_SUBSCRIPTIONS, before, sizeof(before)));
	ASSERT_EQ(0, kreg_subscribe(self->table, KREG_SUBSCRIBE_KINDS, 0, 0, NULL, NULL,
				    &first));
	ASSERT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, "1"));
	EXPECT_EQ(-EDQUOT, kreg_subscribe(self->table, KREG_SUBSCRIBE_KINDS, 0, 0, NULL, NULL,
					  &second));
	EXPECT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, before));
	EXPECT_EQ(1, kreg_ref_cancel(first));
	EXPECT_EQ(-EDQUOT, call_number(self->peer, "E122"));
	EXPECT_STREQ("the server has answered with error 122", kreg_errmsg());
}

TEST_HARNESS_MAIN

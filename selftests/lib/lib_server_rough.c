// SPDX-License-Identifier: GPL-2.0
/* libkreg: a server whose callers mean no good, or are too many. */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "lib/server.h"

struct head {
	uint32_t magic;
	uint16_t type;
	uint16_t key_len;
	uint64_t id;
};

#define MAGIC	0x3167726bu
#define CALL	1
#define CAST	2
#define REPLY	4

/* A connection without the library. */
static int connect_raw(struct kreg_table *table)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned char value[128];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	size_t len;

	if (fd < 0 || kreg_get(table, KEY, strlen(KEY), value, sizeof(value), &len))
		return -1;
	memcpy(address.sun_path, value + 2, value[1]);
	if (connect(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + value[1]))
		return -1;
	return fd;
}

static int send_raw(int fd, struct head head, const char *text, int flags)
{
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)text, strlen(text) } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Until the server has read all that was sent. */
static int wait_read(int fd)
{
	int left = 1, i;

	for (i = 0; left && i < 10000; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			return -errno;
		usleep(1000);
	}
	return left;
}

/* Is the connection ended by the server, within ten seconds? */
static bool is_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[64];

	while (poll(&p, 1, 10000) == 1)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return true;
	return false;
}

TEST_F(server, malformed_packets)
{
	const struct head bad[] = {
		{ 0, CALL, 0, 1 }, { MAGIC, 0, 0, 1 }, { MAGIC, 9, 0, 1 }, { MAGIC, REPLY, 0, 1 },
		{ MAGIC, CALL, 100, 1 }, { MAGIC, CALL, 65535, 1 }, { MAGIC, CALL, 9, 1 },
		{ MAGIC, CALL, 0, 0 }, { MAGIC, CAST, 2000, 0 }, { MAGIC, 5, 0, 1 },
		{ MAGIC, 5, 2, 1 },
	};
	static char big[150000];
	char buf[8];
	size_t i;
	int fd;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = connect_raw(self->table);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, send_raw(fd, bad[i], "12345678", 0));
		EXPECT_TRUE(is_ended(fd));
		close(fd);
		EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	}
	for (i = 1; i < sizeof(big); i = i * 2 + 13) {
		fd = connect_raw(self->table);
		ASSERT_LE(0, fd);
		EXPECT_EQ(i, send(fd, big, i, 0));
		EXPECT_TRUE(is_ended(fd));
		close(fd);
	}
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
}

/* Descriptors that come with a packet are closed. */
TEST_F(server, descriptors_in_packets)
{
	struct head head = { MAGIC, CALL, 0, 1 }, answer;
	struct iovec part = { &head, sizeof(head) };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(100 * sizeof(int))];
	} control;
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int before, fd, i;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	before = call_number(self->peer, "F");
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(100 * sizeof(int));
	memset(CMSG_DATA(c), 0, 100 * sizeof(int));
	for (i = 0; i < 10; i++) {
		fd = connect_raw(self->table);
		ASSERT_LE(0, fd);
		EXPECT_EQ(sizeof(head), sendmsg(fd, &msg, 0));
		EXPECT_EQ(sizeof(answer), recv(fd, &answer, sizeof(answer), 0));
		EXPECT_EQ(ENOMSG, answer.key_len);
		close(fd);
	}
	EXPECT_EQ(before, call_number(self->peer, "F"));
}

/* It asks for a lot and reads nothing. */
TEST_F(server, slow_reader)
{
	int fd, n = 0, ret;
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	fd = connect_raw(self->table);
	ASSERT_LE(0, fd);
	do {
		ret = send_raw(fd, (struct head){ MAGIC, CALL, 0, ++n }, "b60000", 0);
	} while (!ret && n < 1000);
	EXPECT_TRUE(ret == -EPIPE || ret == -ECONNRESET);
	close(fd);
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	/* It closes its end, or half of it, with its calls unanswered. */
	fd = connect_raw(self->table);
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CALL, 0, 1 }, "k", 0));
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CALL, 0, 2 }, "e", 0));
	EXPECT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_TRUE(is_ended(fd));
	close(fd);
	EXPECT_EQ(0, cast(self->peer, "a"));
	EXPECT_EQ(-EPIPE, call_number(self->peer, "r"));
}

/* One that always has something to say does not keep others from being heard. */
TEST_F(server, flood_of_requests)
{
	pid_t pid;
	char buf[8];
	int fd, i;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	fd = connect_raw(self->table);
	ASSERT_LE(0, fd);
	pid = fork();
	if (!pid) {
		prctl_die();
		while (!send_raw(fd, (struct head){ MAGIC, CAST, 0, 0 }, "l", 0))
			;
		_exit(0);
	}
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, kreg_call(self->peer, "e", 1, buf, sizeof(buf), NULL, 10000));
	kill_server(pid);
	close(fd);
}

TEST_F(server, flood_of_connections)
{
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;
	int fds[100], before, i;
	char buf[64];

	options.max_connections = 4;
	self->how.options = &options;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	before = call_number(self->peer, "F");
	for (i = 0; i < 100; i++) {
		fds[i] = connect_raw(self->table);
		ASSERT_LE(0, fds[i]);
		if (i % 10)
			continue;
		EXPECT_EQ(0, send_raw(fds[i], (struct head){ MAGIC, CAST, 0, 0 }, "l.", 0));
		EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	}
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_GE(before + 3, call_number(self->peer, "F"));
	/* What was sent before they had to leave was heard. */
	EXPECT_EQ(0, call(self->peer, "L", buf, sizeof(buf)));
	EXPECT_STREQ("..........", buf);
	EXPECT_TRUE(is_ended(fds[0]));
	for (i = 0; i < 100; i++)
		close(fds[i]);
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
}

/* Who waits for an answer is not made to leave; the others wait for him. */
TEST_F(server, all_connections_busy)
{
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;
	struct { struct head head; char text[8]; } reply;
	char buf[8];
	int fd;

	options.max_connections = 1;
	self->how.options = &options;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	fd = connect_raw(self->table);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CALL, 0, 7 }, "k", 0));
	ASSERT_EQ(0, wait_read(fd));
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "e", 1, buf, sizeof(buf), NULL, 200));
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CAST, 0, 0 }, "a", 0));
	ASSERT_EQ(sizeof(struct head) + 4, recv(fd, &reply, sizeof(reply), 0));
	EXPECT_EQ(7, reply.head.id);
	EXPECT_EQ(0, memcmp("late", reply.text, 4));
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_TRUE(is_ended(fd));
	close(fd);
}

/* One that is made to leave gets the answer to what it had sent before. */
TEST_F(server, leaves_after_its_answer)
{
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;
	struct head head;
	char buf[8];
	int fd, more;

	options.max_connections = 2;
	self->how.options = &options;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	fd = connect_raw(self->table);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CAST, 0, 0 }, "l", 0));
	ASSERT_EQ(0, wait_read(fd));
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, kill(self->pid, SIGSTOP));
	more = connect_raw(self->table);
	ASSERT_LE(0, more);
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CALL, 0, 7 }, "k", 0));
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	ASSERT_EQ(0, wait_read(fd));
	EXPECT_EQ(-EPIPE, send_raw(fd, (struct head){ MAGIC, CAST, 0, 0 }, "l", 0));
	EXPECT_EQ(-EAGAIN, recv(fd, &head, sizeof(head), MSG_DONTWAIT) < 0 ? -errno : 0);
	EXPECT_EQ(0, cast(self->peer, "a"));
	ASSERT_EQ(sizeof(head), recv(fd, &head, sizeof(head), 0));
	EXPECT_EQ(7, head.id);
	EXPECT_EQ(0, recv(fd, &head, sizeof(head), 0));
	EXPECT_EQ(0, send_raw(more, (struct head){ MAGIC, CALL, 0, 8 }, "e", 0));
	ASSERT_EQ(sizeof(head), recv(more, &head, sizeof(head), 0));
	EXPECT_EQ(8, head.id);
	close(fd);
	close(more);
}

/* It is out of descriptors: who is connected is served, and it does not turn in circles. */
TEST_F(server, no_descriptors)
{
	int fds[20], start, i, ret;
	struct kreg_peer *more;
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, call_number(self->peer, "R"));
	for (i = 0; i < 20; i++)
		fds[i] = connect_raw(self->table);
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, kreg_peer_open(self->table, KEY, strlen(KEY), &more));
	ret = kreg_call(more, "e", 1, buf, sizeof(buf), NULL, 100);
	EXPECT_EQ(-ETIMEDOUT, ret);
	kreg_peer_close(more);
	start = call_number(self->peer, "u");
	usleep(1000000);
	EXPECT_GT(500, call_number(self->peer, "u") - start);
	for (i = 0; i < 20; i++)
		close(fds[i]);
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
}

/* A server that is none: what it sends is no reply. */
TEST_F(server, malformed_replies)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), one, i;
	const struct head bad[] = {
		{ 0, REPLY, 0, 1 }, { MAGIC, REPLY, 0, 2 }, { MAGIC, CALL, 0, 1 },
		{ MAGIC, REPLY, 1, 1 }, { MAGIC, 5, 0, 1 }, { MAGIC, 5, 5000, 1 },
	};
	socklen_t len = sizeof(address);
	unsigned char value[128] = { 1 };
	char buf[8];
	pid_t pid;

	ASSERT_EQ(0, bind(fd, (void *)&address, sizeof(sa_family_t)));
	ASSERT_EQ(0, listen(fd, 10));
	ASSERT_EQ(0, getsockname(fd, (void *)&address, &len));
	value[1] = len - offsetof(struct sockaddr_un, sun_path);
	memcpy(value + 2, address.sun_path, value[1]);
	ASSERT_EQ(0, kreg_register(self->table, KEY, strlen(KEY), value, 2 + value[1]));
	for (i = 0; i < 6; i++) {
		pid = fork();
		if (!pid) {
			one = accept(fd, NULL, NULL);
			_exit(send_raw(one, bad[i], "x", 0) || is_ended(one) ? 0 : 1);
		}
		EXPECT_EQ(-EBADMSG, call(self->peer, "e", buf, sizeof(buf)));
		EXPECT_EQ(0, end_of(pid));
	}
	/* It takes no request: each connection is ended. */
	pid = fork();
	if (!pid)
		for (;;)
			close(accept(fd, NULL, NULL));
	EXPECT_EQ(-ECONNRESET, call(self->peer, "e", buf, sizeof(buf)));
	kill_server(pid);
	close(fd);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* libkreg: a server whose callers mean no good, or are too many. */
#include "lib/raw.h"

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
	/* What was sent before they had to leave is heard, but many wait to be connected still. */
	for (i = 0; i < 1000 && !call(self->peer, "L", buf, sizeof(buf)) && strlen(buf) < 10; i++)
		usleep(10000);
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

/*
 * One that is made to leave gets the answer to what it had sent before. However long that takes,
 * another one that is idle leaves meanwhile.
 */
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
	ASSERT_EQ(0, pause_server(self->pid));
	more = connect_raw(self->table);
	ASSERT_LE(0, more);
	EXPECT_EQ(0, send_raw(fd, (struct head){ MAGIC, CALL, 0, 7 }, "k", 0));
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	ASSERT_EQ(0, wait_read(fd));
	EXPECT_EQ(-EPIPE, send_raw(fd, (struct head){ MAGIC, CAST, 0, 0 }, "l", 0));
	EXPECT_EQ(0, send_raw(more, (struct head){ MAGIC, CALL, 0, 8 }, "e", 0));
	ASSERT_EQ(sizeof(head), recv(more, &head, sizeof(head), 0));
	EXPECT_EQ(8, head.id);
	EXPECT_EQ(-EAGAIN, recv(fd, &head, sizeof(head), MSG_DONTWAIT) < 0 ? -errno : 0);
	EXPECT_EQ(0, cast(self->peer, "a"));
	EXPECT_TRUE(is_ended(more));
	ASSERT_EQ(sizeof(head), recv(fd, &head, sizeof(head), 0));
	EXPECT_EQ(7, head.id);
	EXPECT_EQ(0, recv(fd, &head, sizeof(head), 0));
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

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: the program closes descriptors that the library has opened, as daemons do, and files of
 * its own get their numbers. Nothing is read from these or written to them, and none is closed.
 */
#include "lib/server.h"

#define FILES	64

/* Of descriptors below FILES, those that are open. */
static uint64_t open_files(void)
{
	uint64_t set = 0;
	int fd;

	for (fd = 0; fd < FILES; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			set |= UINT64_C(1) << fd;
	return set;
}

/* The program's own files: all are one end of a socket, and the other end hears what comes. */
struct own {
	uint64_t before, taken;
	int end, other;
};

static int begin(struct own *own)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair))
		return -errno;
	own->end = pair[0];
	own->other = pair[1];
	own->before = open_files();
	own->taken = 0;
	return 0;
}

/* Return: how many descriptors were opened since. */
static int take(struct own *own)
{
	int fd, n = 0;

	own->taken = open_files() & ~own->before;
	for (fd = 0; fd < FILES; fd++)
		if (own->taken >> fd & 1 && dup2(own->end, fd) == fd)
			n++;
	return n;
}

static bool is_mine(int fd, int other)
{
	char byte = 'm', got = 0;

	return send(fd, &byte, 1, 0) == 1 && recv(other, &got, 1, 0) == 1 && got == byte;
}

/* Nothing has come there, and all are the program's still. */
static bool untouched(const struct own *own)
{
	char room[64];
	int fd;

	if (recv(own->other, room, sizeof(room), 0) >= 0 || errno != EAGAIN)
		return false;
	for (fd = 0; fd < FILES; fd++)
		if (own->taken >> fd & 1 && !is_mine(fd, own->other))
			return false;
	return open_files() == (own->before | own->taken);
}

static void end(const struct own *own)
{
	int fd;

	for (fd = 0; fd < FILES; fd++)
		if (own->taken >> fd & 1)
			close(fd);
	close(own->end);
	close(own->other);
}

/* The program has closed a client's descriptor and opened another file under its number. */
TEST(descriptor_taken)
{
	struct kreg_client *client;
	struct kreg_process self;
	const struct kreg_event *event;
	int pipes[2], fd;
	char byte;

	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, pipe(pipes));
	fd = kreg_client_fd(client);
	ASSERT_EQ(fd, dup2(pipes[0], fd));
	ASSERT_EQ(1, write(pipes[1], "x", 1));
	EXPECT_EQ(-EBADF, kreg_event_next(client, 0, &event));
	EXPECT_EQ(-EBADF, kreg_client_self(client, &self));
	/* One that answers EINVAL to commands that it does not know. */
	ASSERT_EQ(fd, dup2(open("/dev/random", O_RDONLY), fd));
	EXPECT_EQ(-EBADF, kreg_client_self(client, &self));
	ASSERT_EQ(fd, dup2(pipes[0], fd));
	kreg_client_close(client);
	EXPECT_EQ(1, read(fd, &byte, 1));
}

/* Who calls a server connects to it again. */
TEST_F(server, caller)
{
	struct kreg_peer *peer;
	struct own own;
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, kreg_peer_open(self->table, KEY, strlen(KEY), &peer));
	ASSERT_EQ(0, begin(&own));
	ASSERT_EQ(0, call(peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(2, take(&own));
	EXPECT_EQ(0, call(peer, "eyes", buf, sizeof(buf)));
	EXPECT_STREQ("yes", buf);
	EXPECT_EQ(0, cast(peer, "a"));
	kreg_peer_close(peer);
	EXPECT_TRUE(untouched(&own));
	end(&own);
}

static void keep(struct kreg_request *request, void *arg)
{
	if (kreg_request_keep(request, arg))
		abort();
}

/* A server that has a call to answer. */
TEST_F(server, server)
{
	struct kreg_request *kept = NULL;
	struct kreg_server *server;
	struct own own;
	char buf[8];
	pid_t pid;

	ASSERT_EQ(0, begin(&own));
	ASSERT_EQ(0, kreg_server_new(self->client, keep, &kept, NULL, &server));
	ASSERT_EQ(0, kreg_server_register(server, self->table, KEY, strlen(KEY)));
	pid = fork();
	if (!pid) {
		end(&own);
		_exit(-call(self->peer, "e", buf, sizeof(buf)));
	}
	while (!kept) {
		ASSERT_LT(0, kreg_server_dispatch(server, PATIENCE_MS)) {
			TH_LOG("status of the caller: %x", end_of(pid));
		}
	}
	ASSERT_EQ(5, take(&own));
	EXPECT_EQ(-EPIPE, kreg_reply(kept, "x", 1));
	kreg_server_end(server, 0);
	kreg_server_free(server);
	EXPECT_TRUE(untouched(&own));
	end(&own);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Wherever the process runs out of descriptors, none is left open. */
TEST_F(server, none_left)
{
	struct rlimit was, limit;
	uint64_t before = open_files();
	struct kreg_server *server;
	int ret = -EMFILE;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	limit = was;
	for (limit.rlim_cur = 64 - __builtin_clzll(before); ret; limit.rlim_cur++) {
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		ret = kreg_server_new(self->client, keep, NULL, NULL, &server);
		ASSERT_TRUE(!ret || (ret == -EMFILE && open_files() == before)) {
			TH_LOG("%d with %lu", ret, (unsigned long)limit.rlim_cur);
		}
	}
	kreg_server_free(server);
	EXPECT_EQ(before, open_files());
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
}

/* The supervisor cannot stop it any more. */
static int stay(void *arg)
{
	prctl_die();
	pause();
	return 0;
}

/* One that has a child. */
TEST_F(server, supervisor)
{
	struct kreg_child child = KREG_CHILD_INIT;
	struct kreg_supervisor *sup;
	struct kreg_table *state;
	struct own own;

	child.id = "child";
	child.main = stay;
	ASSERT_EQ(0, begin(&own));
	ASSERT_EQ(0, kreg_supervisor_new(self->client, "files", KREG_ONE_FOR_ONE, 1, 1000, &sup));
	ASSERT_EQ(0, kreg_supervisor_add(sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(sup));
	ASSERT_LE(6, take(&own));
	kreg_supervisor_end(sup);
	kreg_supervisor_free(sup);
	EXPECT_TRUE(untouched(&own));
	end(&own);
	ASSERT_EQ(0, kreg_table_open(self->client, "supervisor.files", NULL, &state));
	EXPECT_EQ(0, kreg_table_destroy(state));
	kreg_table_close(state);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* libkreg: where servers are, who may call them, and their place in a program. */
#include <sys/epoll.h>

#include "lib/server.h"

TEST_F(server, other_network_namespace)
{
	char buf[8], directory[] = "/tmp/kreg-XXXXXX";
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;

	self->how.new_net = true;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-EHOSTUNREACH, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_STREQ("the server lives and cannot be reached from here: it is in another network namespace and must put its socket into a directory, or it has closed its socket",
		     kreg_errmsg());
	EXPECT_EQ(-EHOSTUNREACH, cast(self->peer, "e"));
	kill_server(self->pid);
	ASSERT_NE(NULL, mkdtemp(directory));
	options.directory = directory;
	self->how.options = &options;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, call(self->peer, "ehello", buf, sizeof(buf)));
	EXPECT_STREQ("hello", buf);
	/* Freed, it leaves nothing behind. */
	EXPECT_EQ(-1000, call_number(self->peer, "X"));
	EXPECT_EQ(0, end_of(self->pid));
	self->pid = 0;
	EXPECT_EQ(0, rmdir(directory));
}

/* Who has copied the entry of a server is not taken for it, nor is the server called for him. */
TEST_F(server, address_of_another)
{
	unsigned char value[256];
	struct kreg_peer *peer;
	char buf[8];
	size_t len;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, kreg_get(self->table, KEY, strlen(KEY), value, sizeof(value), &len));
	ASSERT_EQ(0, kreg_register(self->table, "copy", 4, value, len));
	ASSERT_EQ(0, kreg_peer_open(self->table, "copy", 4, &peer));
	EXPECT_EQ(-EHOSTUNREACH, call(peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(-EHOSTUNREACH, cast(peer, "lcast"));
	EXPECT_EQ(-EHOSTUNREACH, kreg_stop(peer, 10000));
	kreg_peer_close(peer);
	EXPECT_EQ(0, call(self->peer, "L", buf, sizeof(buf)));
	EXPECT_STREQ("", buf);
}

static bool admit_all(uid_t uid, gid_t gid, void *arg)
{
	return uid == OTHER && !gid && arg == admit_all;
}

TEST_F(server, admission)
{
	struct kreg_server_options options = KREG_SERVER_OPTIONS_INIT;
	struct kreg_client *other = open_as_other(0666);
	struct kreg_table *table;
	struct kreg_peer *peer;
	int ret = 0, i, from[3];
	char buf[8];

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &table));
	ASSERT_EQ(0, kreg_peer_open(table, KEY, strlen(KEY), &peer));
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, seteuid(OTHER));
	EXPECT_EQ(-EACCES, call(peer, "e", buf, sizeof(buf)));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the server does not admit this user"));
	EXPECT_EQ(-EACCES, kreg_stop(peer, 10000));
	for (i = 0; i < 1000 && !ret; i++) {
		ret = cast(peer, "e");
		usleep(1000);
	}
	EXPECT_EQ(-EACCES, ret);
	ASSERT_EQ(0, seteuid(0));
	kill_server(self->pid);
	options.admit = admit_all;
	options.arg = admit_all;
	self->how.options = &options;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-EACCES, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, seteuid(OTHER));
	EXPECT_EQ(0, kreg_call(peer, "i", 1, from, sizeof(from), NULL, -1));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(OTHER, from[2]);
	EXPECT_EQ(getpid(), from[1]);
	kreg_peer_close(peer);
	kreg_table_close(table);
	kreg_client_close(other);
}

/* Root may call the server of any user, and this one only its own. */
TEST_F(server, of_another_user)
{
	char buf[8];

	ASSERT_EQ(0, chmod("/dev/kreg", 0666));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0666));
	self->how.uid = OTHER;
	self->pid = serve(&self->how);
	EXPECT_EQ(0, chmod("/dev/kreg", 0600));
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, setegid(OTHER));
	ASSERT_EQ(0, seteuid(OTHER + 1));
	kreg_peer_close(self->peer);
	EXPECT_EQ(0, kreg_peer_open(self->table, KEY, strlen(KEY), &self->peer));
	EXPECT_EQ(-EACCES, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(0));
}

/* A server in the test's own process, which another thread calls. */
struct own {
	struct kreg_server *server;
	struct kreg_request *kept;
	struct kreg_peer *peer;
	char buf[8];
	int requests;
	int downs;
	int ret;
};

static void serve_own(struct kreg_request *r, void *arg)
{
	struct own *own = arg;

	own->requests++;
	if (kreg_request_is_cast(r))
		own->ret = kreg_reply(r, "x", 1);
	else
		own->ret = kreg_request_keep(r, &own->kept);
}

static void count_down(const struct kreg_event *event, void *arg)
{
	struct own *own = arg;

	own->downs++;
}

static void *call_own(void *arg)
{
	struct own *own = arg;

	own->ret = call(own->peer, "e", own->buf, sizeof(own->buf));
	return NULL;
}

TEST_F(server, event_loop)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;
	struct own own = { .peer = self->peer };
	struct kreg_ref *ref;
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &own.server));
	ASSERT_EQ(0, kreg_server_register(own.server, self->table, KEY, strlen(KEY)));
	EXPECT_EQ(-EEXIST, kreg_server_register(own.server, self->table, KEY, strlen(KEY)));
	EXPECT_EQ(-EINVAL, kreg_server_register(own.server, self->table, "", 0));
	EXPECT_EQ(-ENAMETOOLONG, kreg_server_register(own.server, self->table, KEY, 1025));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, kreg_server_fd(own.server), &ev));
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
	EXPECT_EQ(0, kreg_server_dispatch(own.server, 0));
	EXPECT_EQ(0, kreg_server_dispatch(own.server, 20));
	ASSERT_EQ(0, cast(own.peer, "e"));
	for (i = 0; !own.requests && i < 10; i++) {
		EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, PATIENCE_MS));
		EXPECT_LE(0, kreg_server_dispatch(own.server, 0));
	}
	EXPECT_EQ(1, own.requests);
	EXPECT_EQ(0, own.ret);
	/* The events of its client, also before there is a handler for them. */
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	ASSERT_EQ(0, kreg_monitor_pid(self->client, pid, count_down, &own, &ref));
	kill_server(pid);
	EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, PATIENCE_MS));
	EXPECT_EQ(1, kreg_server_dispatch(own.server, 0));
	EXPECT_EQ(1, own.downs);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
	/* Answered when the server is freed already. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_own, &own));
	while (!own.kept)
		EXPECT_LE(0, kreg_server_dispatch(own.server, PATIENCE_MS));
	kreg_server_end(own.server, 5);
	kreg_server_end(own.server, 6);
	EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, 0));
	EXPECT_EQ(-ESHUTDOWN, kreg_server_dispatch(own.server, -1));
	EXPECT_STREQ("the server is to end", kreg_errmsg());
	EXPECT_EQ(5, kreg_server_run(own.server));
	kreg_server_free(own.server);
	pthread_join(thread, NULL);
	EXPECT_EQ(-ECONNRESET, own.ret);
	EXPECT_EQ(-EPIPE, kreg_reply_error(own.kept, EIO));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, KEY, strlen(KEY)));
	close(epoll);
	kreg_server_free(NULL);
}

/* Its names are removed with it, unless another one has them meanwhile. */
TEST_F(server, names_go_with_it)
{
	struct kreg_server_options options = { .size = sizeof(options), .reserved = 1 };
	struct kreg_server *a, *b;
	struct own own = { .ret = 0 };

	EXPECT_EQ(-EOPNOTSUPP, kreg_server_new(self->client, serve_own, &own, &options, &a));
	options = (struct kreg_server_options){ sizeof(options), .max_message = 65537 };
	EXPECT_EQ(-EFBIG, kreg_server_new(self->client, serve_own, &own, &options, &a));
	options = (struct kreg_server_options){ sizeof(options), .directory = "/no/such" };
	EXPECT_EQ(-ENOENT, kreg_server_new(self->client, serve_own, &own, &options, &a));
	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &a));
	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &b));
	ASSERT_EQ(0, kreg_server_register(a, self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, kreg_server_register(a, self->table, "more", 4));
	EXPECT_EQ(1, kreg_unregister(self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, kreg_server_register(b, self->table, KEY, strlen(KEY)));
	kreg_server_free(a);
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "more", 4));
	EXPECT_EQ(0, kreg_member(self->table, KEY, strlen(KEY)));
	kreg_server_free(b);
	EXPECT_EQ(-ENODATA, kreg_member(self->table, KEY, strlen(KEY)));
}

/* Also when the program has put the address anew; what else it has put there is its own. */
TEST_F(server, names_with_new_values)
{
	struct kreg_server *server;
	struct own own = { .ret = 0 };
	char value[128];
	size_t len;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &server));
	ASSERT_EQ(0, kreg_server_register(server, self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, kreg_server_register(server, self->table, "more", 4));
	ASSERT_EQ(0, kreg_get(self->table, KEY, strlen(KEY), value, sizeof(value), &len));
	ASSERT_EQ(0, kreg_put(self->table, KEY, strlen(KEY), value, len));
	ASSERT_EQ(0, kreg_put(self->table, "more", 4, "else", 4));
	kreg_server_free(server);
	EXPECT_EQ(-ENODATA, kreg_member(self->table, KEY, strlen(KEY)));
	EXPECT_EQ(1, kreg_unregister(self->table, "more", 4));
}

/* A child has nothing of the server, and does not disturb it. */
TEST_F(server, fork_of_a_server)
{
	struct own own = { .peer = self->peer };
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &own.server));
	ASSERT_EQ(0, kreg_server_register(own.server, self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_own, &own));
	while (!own.kept)
		EXPECT_LE(0, kreg_server_dispatch(own.server, PATIENCE_MS));
	pid = fork();
	if (!pid) {
		if (kreg_server_dispatch(own.server, 0) != -ESTALE ||
		    strcmp("the server is the parent's of this process", kreg_errmsg()) ||
		    kreg_server_register(own.server, self->table, "child", 5) != -ESTALE ||
		    kreg_reply(own.kept, "no", 2) != -ESTALE)
			_exit(1);
		kreg_server_free(own.server);
		_exit(kreg_member(self->table, KEY, strlen(KEY)));
	}
	EXPECT_EQ(0, end_of(pid));
	EXPECT_EQ(0, kreg_server_dispatch(own.server, 0));
	EXPECT_EQ(0, kreg_reply(own.kept, "yes", 3));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, own.ret);
	EXPECT_STREQ("yes", own.buf);
	kreg_server_free(own.server);
}

/* The highest descriptor that a command would inherit. */
static int highest_kept_over_exec(void)
{
	int fd, highest = -1, flags;

	for (fd = 0; fd < 1024; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			highest = fd;
	}
	return highest;
}

TEST_F(server, close_on_exec)
{
	int before = highest_kept_over_exec(), fds = count_fds();
	struct own own = { .peer = self->peer };
	pthread_t thread;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_own, &own, NULL, &own.server));
	ASSERT_EQ(0, kreg_server_register(own.server, self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_own, &own));
	while (!own.kept)
		EXPECT_LE(0, kreg_server_dispatch(own.server, PATIENCE_MS));
	EXPECT_EQ(before, highest_kept_over_exec());
	/* epoll set, listener, eventfd and its copy; both ends of a connection, pidfd. */
	EXPECT_EQ(fds + 7, count_fds());
	EXPECT_EQ(0, kreg_reply(own.kept, NULL, 0));
	pthread_join(thread, NULL);
	kreg_server_free(own.server);
	EXPECT_EQ(fds + 2, count_fds());
	EXPECT_EQ(-ESRCH, call(self->peer, "e", own.buf, sizeof(own.buf)));
	kreg_peer_close(self->peer);
	self->peer = NULL;
	EXPECT_EQ(fds, count_fds());
}

static bool is_refused(int ret, const char *why)
{
	return ret == -EALREADY && strstr(kreg_errmsg(), why);
}

/* How many of what comes too late is refused, and with the reason. */
static void serve_twice(struct kreg_request *r, void *arg)
{
	struct kreg_request *other;
	struct own *own = arg;

	if (!own->requests++) {
		own->ret = kreg_reply(r, "x", 1);
		own->downs += is_refused(kreg_reply(r, "y", 1), "was answered already");
		own->downs += is_refused(kreg_request_keep(r, &other), "was answered already");
		return;
	}
	own->ret = kreg_request_keep(r, &own->kept);
	own->downs += is_refused(kreg_reply(r, "y", 1), "is kept");
	own->downs += is_refused(kreg_request_keep(r, &other), "is kept");
	own->downs += is_refused(kreg_request_keep(own->kept, &other), "is kept");
	own->ret = kreg_reply(own->kept, "z", 1);
}

TEST_F(server, dealt_with_already)
{
	static const char * const replies[] = { "x", "z" };
	struct own own = { .peer = self->peer };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_twice, &own, NULL, &own.server));
	ASSERT_EQ(0, kreg_server_register(own.server, self->table, KEY, strlen(KEY)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, call_own, &own));
		while (own.requests == i)
			EXPECT_LE(0, kreg_server_dispatch(own.server, PATIENCE_MS));
		pthread_join(thread, NULL);
		EXPECT_EQ(0, own.ret);
		EXPECT_EQ(0, strncmp(own.buf, replies[i], 1));
	}
	EXPECT_EQ(5, own.downs);
	kreg_server_free(own.server);
}

TEST_HARNESS_MAIN

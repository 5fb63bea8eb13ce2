// SPDX-License-Identifier: GPL-2.0
/* libkreg: servers, and each result that a call, a cast and a stop can have. */
#include "kit/oom_group.h"
#include "lib/server.h"

static uint64_t now_ms(void)
{
	return kreg_deadline(0) / 1000000;
}

TEST_F(server, call_and_cast)
{
	static char out[KREG_MAX_MESSAGE], in[KREG_MAX_MESSAGE];
	struct kreg_peer *other;
	char buf[64];
	size_t len;
	int from[3];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, call(self->peer, "ehello", buf, sizeof(buf)));
	EXPECT_STREQ("hello", buf);
	ASSERT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_STREQ("", buf);
	ASSERT_EQ(0, kreg_peer_open(self->table, "other", 5, &other));
	EXPECT_EQ(0, call(other, "K", buf, sizeof(buf)));
	EXPECT_STREQ("other", buf);
	kreg_peer_close(other);
	EXPECT_EQ(0, call(self->peer, "K", buf, sizeof(buf)));
	EXPECT_STREQ(KEY, buf);
	memset(out, 'o', sizeof(out));
	out[0] = 'e';
	ASSERT_EQ(0, kreg_call(self->peer, out, sizeof(out), in, sizeof(in), &len, -1));
	EXPECT_EQ(sizeof(out) - 1, len);
	EXPECT_EQ(0, memcmp(out + 1, in, len));
	ASSERT_EQ(0, kreg_call(self->peer, "i", 1, from, sizeof(from), NULL, -1));
	EXPECT_EQ(0, from[0]);
	EXPECT_EQ(getpid(), from[1]);
	EXPECT_EQ(0, from[2]);
	EXPECT_EQ(0, cast(self->peer, "lone "));
	EXPECT_EQ(0, cast(self->peer, "ltwo "));
	EXPECT_EQ(0, cast(self->peer, "lthree"));
	EXPECT_EQ(0, call(self->peer, "L", buf, sizeof(buf)));
	EXPECT_STREQ("one two three", buf);
	EXPECT_EQ(-EBUSY, call_number(self->peer, "B"));
}

TEST_F(server, errors_of_the_server)
{
	char buf[128];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-ENOENT, call(self->peer, "E2", buf, sizeof(buf)));
	EXPECT_STREQ("the server has answered with error 2", kreg_errmsg());
	EXPECT_EQ(-EMSGSIZE, call(self->peer, "E90", buf, sizeof(buf)));
	EXPECT_EQ(-ENOMSG, call(self->peer, "nonsense", buf, sizeof(buf)));
	EXPECT_STREQ("the server does not answer this request", kreg_errmsg());
	EXPECT_EQ(-ENOMSG, call(self->peer, "E4096", buf, sizeof(buf)));
	EXPECT_EQ(-ENOMSG, call(self->peer, "E0", buf, sizeof(buf)));
	EXPECT_EQ(0, call(self->peer, "b65537", buf, sizeof(buf)));
	EXPECT_STREQ("the reply is too long: at most 65536 bytes can be sent", buf);
}

TEST_F(server, sizes)
{
	static char big[KREG_MAX_MESSAGE + 1] = "e";
	char buf[128];
	size_t len = 0;

	self->how.options = &(struct kreg_server_options){
		.size = sizeof(struct kreg_server_options), .max_message = 100,
	};
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-EFBIG, kreg_call(self->peer, big, sizeof(big), buf, sizeof(buf), NULL, -1));
	EXPECT_STREQ("the request has 65537 bytes, and at most 65536 can be sent: put them into a table",
		     kreg_errmsg());
	EXPECT_EQ(-EFBIG, kreg_cast(self->peer, big, sizeof(big)));
	EXPECT_EQ(-EFBIG, kreg_call(self->peer, big, 101, buf, sizeof(buf), NULL, -1));
	EXPECT_STREQ("the server does not take requests of this length", kreg_errmsg());
	EXPECT_EQ(-EFBIG, kreg_call(self->peer, big, sizeof(big) - 1, buf, sizeof(buf), NULL, -1));
	EXPECT_EQ(0, kreg_call(self->peer, big, 100, buf, sizeof(buf), &len, -1));
	EXPECT_EQ(99, len);
	EXPECT_EQ(-EMSGSIZE, kreg_call(self->peer, "b1000", 5, buf, 10, &len, -1));
	EXPECT_EQ(1000, len);
	EXPECT_STREQ("the reply has 1000 bytes, and there is room for 10", kreg_errmsg());
	EXPECT_EQ(-EMSGSIZE, kreg_call(self->peer, "b1", 2, NULL, 0, NULL, -1));
	/* The connection goes on behind it. */
	EXPECT_EQ(0, call(self->peer, "enext", buf, sizeof(buf)));
	EXPECT_STREQ("next", buf);
}

TEST_F(server, nobody)
{
	struct kreg_peer *peer = NULL;
	char want[128], buf[8];

	EXPECT_EQ(-ESRCH, call(self->peer, "e", buf, sizeof(buf)));
	snprintf(want, sizeof(want),
		 "nobody has the key in table '%s', or who had it died before the request was sent",
		 self->name);
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(-ESRCH, cast(self->peer, "e"));
	EXPECT_EQ(-ESRCH, kreg_stop(self->peer, 0));
	ASSERT_EQ(0, kreg_put(self->table, KEY, strlen(KEY), "value", 5));
	EXPECT_EQ(-EPROTO, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(1, kreg_del(self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, kreg_register(self->table, KEY, strlen(KEY), "\1\5abc", 5));
	EXPECT_EQ(-EPROTO, call(self->peer, "e", buf, sizeof(buf)));
	snprintf(want, sizeof(want), "who has the key in table '%s' is no server", self->name);
	EXPECT_STREQ(want, kreg_errmsg());
	/* An address where nobody is. */
	ASSERT_EQ(1, kreg_unregister(self->table, KEY, strlen(KEY)));
	ASSERT_EQ(0, kreg_register(self->table, KEY, strlen(KEY), "\1\4\0abc", 6));
	EXPECT_EQ(-EHOSTUNREACH, call(self->peer, "e", buf, sizeof(buf)));
	EXPECT_EQ(-EINVAL, kreg_peer_open(self->table, "", 0, &peer));
	EXPECT_EQ(-ENAMETOOLONG, kreg_peer_open(self->table, self, 1025, &peer));
	EXPECT_EQ(NULL, peer);
	kreg_peer_close(NULL);
}

TEST_F(server, dead_before)
{
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, call(self->peer, "e1", buf, sizeof(buf)));
	kill_server(self->pid);
	EXPECT_EQ(-ESRCH, call(self->peer, "e2", buf, sizeof(buf)));
	EXPECT_EQ(-ESRCH, cast(self->peer, "e2"));
	/* Another process has the name from now on. */
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, call(self->peer, "e3", buf, sizeof(buf)));
	EXPECT_STREQ("3", buf);
	kill_server(self->pid);
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, cast(self->peer, "l4"));
	EXPECT_EQ(0, call(self->peer, "L", buf, sizeof(buf)));
	EXPECT_STREQ("4", buf);
}

TEST_F(server, dead_meanwhile)
{
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-ECONNRESET, call(self->peer, "d3", buf, sizeof(buf)));
	EXPECT_STREQ("the server has died, or ended, after the request was sent, which it may have handled",
		     kreg_errmsg());
	EXPECT_EQ(3 << 8, end_of(self->pid));
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, call(self->peer, "D", buf, sizeof(buf)));
	EXPECT_STREQ("bye", buf);
	EXPECT_EQ(SIGKILL, end_of(self->pid));
	self->pid = 0;
}

/* The end of the connection does not come, since a child has the socket. */
TEST_F(server, child_holds_the_socket)
{
	uint64_t start;
	pid_t holder;
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	holder = call_number(self->peer, "f");
	ASSERT_LT(0, holder);
	start = now_ms();
	EXPECT_EQ(-ECONNRESET, call(self->peer, "d3", buf, sizeof(buf)));
	EXPECT_GT(5000, now_ms() - start);
	EXPECT_EQ(3 << 8, end_of(self->pid));
	EXPECT_EQ(-ESRCH, call(self->peer, "e", buf, sizeof(buf)));
	kill(holder, SIGKILL);
	/* Likewise with a reply that was sent before. */
	self->pid = serve(&self->how);
	holder = call_number(self->peer, "f");
	ASSERT_LT(0, holder);
	EXPECT_EQ(0, call(self->peer, "D", buf, sizeof(buf)));
	EXPECT_EQ(SIGKILL, end_of(self->pid));
	self->pid = 0;
	kill(holder, SIGKILL);
}

/* What is late goes nowhere. */
TEST_F(server, late)
{
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "k", 1, buf, sizeof(buf), NULL, 50));
	EXPECT_STREQ("no reply came in time; the server may still handle the request",
		     kreg_errmsg());
	EXPECT_EQ(1, call_number(self->peer, "r"));
	EXPECT_EQ(0, cast(self->peer, "a"));
	EXPECT_EQ(0, call(self->peer, "enew", buf, sizeof(buf)));
	EXPECT_STREQ("new", buf);
	EXPECT_EQ(-EPIPE, call_number(self->peer, "r"));
	ASSERT_EQ(0, pause_server(self->pid));
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "eold", 4, buf, sizeof(buf), NULL, 1));
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "eold", 4, buf, sizeof(buf), NULL, 0));
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	EXPECT_EQ(0, call(self->peer, "enew", buf, sizeof(buf)));
	EXPECT_STREQ("new", buf);
}

struct caller {
	struct kreg_peer *peer;
	const char *text;
	char buf[32];
	int ret;
};

static void *call_once(void *arg)
{
	struct caller *c = arg;

	c->ret = call(c->peer, c->text, c->buf, sizeof(c->buf));
	return NULL;
}

TEST_F(server, reply_later)
{
	struct caller caller = { .peer = self->peer, .text = "k" };
	pthread_t thread;
	char buf[8];
	int i;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_once, &caller));
	for (i = 0; i < 1000 && call_number(self->peer, "r") == 1; i++) {
		EXPECT_EQ(0, call(self->peer, "eother", buf, sizeof(buf)));
		EXPECT_EQ(0, cast(self->peer, "a"));
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(0, caller.ret);
	EXPECT_STREQ("late", caller.buf);
	EXPECT_EQ(0, call_number(self->peer, "r"));
}

/* Whatever it dies of while it has a request, the caller is told, and the next one starts anew. */
TEST_F(server, dead_of_any_cause)
{
	char text[] = "d?", buf[8];
	size_t i;

	for (i = 0; i < ENDINGS; i++) {
		self->pid = serve(&self->how);
		ASSERT_LT(0, self->pid);
		text[1] = endings[i].how;
		EXPECT_EQ(-ECONNRESET, call(self->peer, text, buf, sizeof(buf)));
		EXPECT_EQ(endings[i].status, end_of(self->pid) & ~DUMPED);
		EXPECT_EQ(-ESRCH, call(self->peer, "e", buf, sizeof(buf)));
		EXPECT_EQ(-ESRCH, kreg_stop(self->peer, 0));
	}
	self->pid = 0;
}

TEST_F(server, dead_for_want_of_memory)
{
	struct caller caller = { .peer = self->peer, .text = "k" };
	pthread_t thread;
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_once, &caller));
	while (call_number(self->peer, "w") != 1)
		usleep(1000);
	EXPECT_EQ(0, oom_kill_process(self->pid));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ECONNRESET, caller.ret);
	EXPECT_EQ(SIGKILL, end_of(self->pid));
	self->pid = 0;
	EXPECT_EQ(-ESRCH, call(self->peer, "e", buf, sizeof(buf)));
}

TEST_F(server, queue_is_full)
{
	char buf[8];
	int n = 0, ret;
	pid_t pid;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	ASSERT_EQ(0, pause_server(self->pid));
	do {
		ret = cast(self->peer, "l");
	} while (!ret && ++n < 100000);
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_LT(10, n);
	EXPECT_STREQ("the server has too much to do already: this request was not sent; try again later, or call and wait",
		     kreg_errmsg());
	EXPECT_EQ(-ETIMEDOUT, kreg_call(self->peer, "e", 1, buf, sizeof(buf), NULL, 50));
	pid = resume_later(self->pid);
	EXPECT_EQ(0, call(self->peer, "ewaited", buf, sizeof(buf)));
	EXPECT_STREQ("waited", buf);
	EXPECT_EQ(0, end_of(pid));
	EXPECT_EQ(0, cast(self->peer, "l"));
}

static void no_handler(int signal)
{
}

TEST_F(server, interrupted)
{
	struct itimerval often = { { 0, 100000 }, { 0, 100000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction act = { .sa_handler = no_handler, .sa_flags = SA_RESTART };
	char buf[8];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(-EINTR, call(self->peer, "k", buf, sizeof(buf)));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(0, call(self->peer, "enew", buf, sizeof(buf)));
	EXPECT_STREQ("new", buf);
}

TEST_F(server, stop)
{
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(0, cast(self->peer, "s50"));
	EXPECT_EQ(0, kreg_stop(self->peer, 10000));
	EXPECT_EQ(self->pid, waitpid(self->pid, NULL, WNOHANG));
	EXPECT_EQ(-ESRCH, kreg_stop(self->peer, 10000));
	self->how.stays = true;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-ETIMEDOUT, kreg_stop(self->peer, 50));
	kill_server(self->pid);
	self->how.stays = false;
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-1000, call_number(self->peer, "x7"));
	EXPECT_EQ(7 << 8, end_of(self->pid));
	/* Freed by its own function, while it runs. */
	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	EXPECT_EQ(-1000, call_number(self->peer, "X"));
	EXPECT_EQ(0, end_of(self->pid));
	self->pid = 0;
}

/* Each has a connection of its own, over which its own requests are in order. */
static void *order_of_one(void *arg)
{
	struct caller *c = arg;
	char text[16], buf[16];
	int i;

	for (i = 0; i < 200 && !c->ret; i++) {
		snprintf(text, sizeof(text), "e%p%d", (void *)c, i);
		c->ret = call(c->peer, text, buf, sizeof(buf));
		if (!c->ret && strcmp(buf, text + 1))
			c->ret = -EILSEQ;
	}
	return NULL;
}

TEST_F(server, threads_share_a_peer)
{
	struct caller callers[8] = { { .ret = 0 } };
	pthread_t threads[8];
	int i;

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	for (i = 0; i < 8; i++) {
		callers[i].peer = self->peer;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, order_of_one, &callers[i]));
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, callers[i].ret);
	}
}

/* The child does not use the connection of its parent. */
TEST_F(server, fork_of_a_client)
{
	struct caller caller = { .peer = self->peer };
	pid_t pid;
	char buf[8];
	int from[3];

	self->pid = serve(&self->how);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
	pid = fork();
	if (!pid) {
		order_of_one(&caller);
		if (kreg_call(self->peer, "i", 1, from, sizeof(from), NULL, -1) ||
		    from[1] != getpid())
			_exit(1);
		_exit(caller.ret ? 2 : 0);
	}
	order_of_one(&caller);
	EXPECT_EQ(0, caller.ret);
	EXPECT_EQ(0, end_of(pid));
	ASSERT_EQ(0, call(self->peer, "e", buf, sizeof(buf)));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* libkreg: refs, from kreg_monitor() to kreg_ref_cancel(), and their handlers. */
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "lib/monitor.h"

/* What a handler is to do, and what it has seen. */
struct seen {
	struct kreg_client *close;
	struct kreg_ref *ref;
	struct kreg_ref *other;		/* to be cancelled */
	int cancelled;			/* what that returned */
	int own;
	int count;
};

static void on_down(const struct kreg_event *event, void *arg)
{
	struct seen *seen = arg;

	if (kreg_event_kind(event) == KREG_EVENT_DOWN && kreg_event_ref(event) == seen->ref)
		seen->count++;
	if (seen->other)
		seen->cancelled = kreg_ref_cancel(seen->other);
	if (seen->close)
		kreg_client_close(seen->close);
}

static void on_down_cancel_itself(const struct kreg_event *event, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->own = kreg_ref_cancel(kreg_event_ref(event));
	seen->count += !!kreg_event_ref(event);
}

static int monitor_seen(struct kreg_client *client, pid_t pid, struct seen *seen)
{
	return kreg_monitor_pid(client, pid, on_down, seen, &seen->ref);
}

TEST_F(monitor, cancel)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;

	EXPECT_EQ(0, kreg_ref_cancel(NULL));
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
}

/* The event is in the mailbox, or in the library's buffer: it does not come out any more. */
TEST_F(monitor, cancel_fired)
{
	const struct kreg_event *event;
	struct kreg_ref *refs[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &refs[i]));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	ASSERT_EQ(0, kreg_client_sync(self->client));
	EXPECT_EQ(0, kreg_ref_cancel(refs[0]));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(refs[1], kreg_event_ref(event));
	EXPECT_EQ(0, kreg_ref_cancel(refs[2]));
	/* The event that is out stays good, and whose it is. */
	EXPECT_EQ(refs[1], kreg_event_ref(event));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(refs[3], kreg_event_ref(event));
	EXPECT_EQ(4, kreg_event_seq(event));
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(0, kreg_ref_cancel(refs[1]));
	EXPECT_EQ(0, kreg_ref_cancel(refs[3]));
}

TEST_F(monitor, handlers)
{
	struct seen seen[3] = { { 0 } };
	struct pollfd readable = { .events = POLLIN };
	int i;

	EXPECT_EQ(-EINVAL, kreg_client_dispatch(self->client, 0));
	EXPECT_STREQ("the client has no handler, and never had a ref", kreg_errmsg());
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, monitor_seen(self->client, self->pid, &seen[i]));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 1));
	readable.fd = kreg_client_fd(self->client);
	EXPECT_EQ(0, poll(&readable, 1, 0));
	kill(self->pid, SIGKILL);
	ASSERT_EQ(1, poll(&readable, 1, PATIENCE_MS));
	EXPECT_EQ(3, kreg_client_dispatch(self->client, PATIENCE_MS));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, seen[i].count);
		EXPECT_EQ(0, kreg_ref_cancel(seen[i].ref));
	}
	/* A loop that is woken for nothing makes no mistake. */
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
}

/* What has no handler of its own goes to the client's. */
TEST_F(monitor, handler_of_the_client)
{
	struct seen own = { 0 }, of_client = { 0 };

	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &own));
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &of_client.ref));
	kreg_client_set_handler(self->client, on_down, &of_client);
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(2, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, own.count);
	EXPECT_EQ(1, of_client.count);
	EXPECT_EQ(0, kreg_ref_cancel(own.ref));
	EXPECT_EQ(0, kreg_ref_cancel(of_client.ref));
}

/* Without one it is dropped, and does not count as handed out. */
TEST_F(monitor, no_handler)
{
	const struct kreg_event *event;
	struct seen seen = { 0 };
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &seen));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, PATIENCE_MS));
	EXPECT_EQ(1, seen.count);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(0, kreg_ref_cancel(seen.ref));
}

/* Who takes events one by one gets those of handlers handled. */
TEST_F(monitor, next_calls_handlers)
{
	const struct kreg_event *event;
	struct seen seen[2] = { { 0 } };
	struct kreg_ref *ref;

	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &seen[0]));
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &seen[1]));
	kill(self->pid, SIGKILL);
	ASSERT_EQ(0, kreg_event_next(self->client, -1, &event));
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_EQ(1, seen[0].count);
	EXPECT_EQ(0, seen[1].count);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(1, seen[1].count);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(0, kreg_ref_cancel(seen[0].ref));
	EXPECT_EQ(0, kreg_ref_cancel(seen[1].ref));
}

TEST_F(monitor, handler_cancels)
{
	struct seen itself = { .own = -1 }, first = { .cancelled = -1 }, second = { 0 };
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, on_down_cancel_itself, &itself,
				      &ref));
	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &first));
	ASSERT_EQ(0, monitor_seen(self->client, self->pid, &second));
	first.other = second.ref;
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(2, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, itself.count);
	EXPECT_EQ(0, itself.own);
	EXPECT_EQ(1, first.count);
	EXPECT_EQ(0, first.cancelled);
	EXPECT_EQ(0, second.count);
	EXPECT_EQ(0, kreg_ref_cancel(first.ref));
}

TEST_F(monitor, handler_closes_the_client)
{
	struct seen seen[2][2] = { { { 0 } } };
	const struct kreg_event *event;
	struct kreg_client *client;
	int round, i;

	for (round = 0; round < 2; round++) {
		pid_t pid = bystander();

		ASSERT_EQ(0, kreg_client_open(NULL, &client));
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, monitor_seen(client, pid, &seen[round][i]));
		seen[round][0].close = client;
		EXPECT_EQ(SIGKILL, end(&pid));
		EXPECT_EQ(round ? -EBADF : 1, round ? kreg_event_next(client, -1, &event) :
						      kreg_client_dispatch(client, -1));
		EXPECT_EQ(1, seen[round][0].count);
		EXPECT_EQ(0, seen[round][1].count);
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(-EBADF, kreg_ref_cancel(seen[round][i].ref));
			EXPECT_STREQ("the client is closed, or the program has closed its descriptor",
				     kreg_errmsg());
		}
	}
}

/* Closed by the program, or its descriptor taken for another file. */
TEST_F(monitor, client_is_gone)
{
	struct kreg_client *client;
	struct kreg_ref *refs[2];
	int pipes[2], i;

	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, kreg_monitor_pid(client, self->pid, NULL, NULL, &refs[i]));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_LE(0, dup2(pipes[0], kreg_client_fd(client)));
	EXPECT_EQ(-EBADF, kreg_ref_cancel(refs[0]));
	kreg_client_close(client);
	EXPECT_EQ(-EBADF, kreg_ref_cancel(refs[1]));
}

#define THE_PARENTS	"the parent of this process has asked for this, and it stays the parent's"

/* A child has no refs; what it asks for itself has the same numbers, and is its own. */
static int in_child(struct kreg_client *client, struct kreg_ref *ref, pid_t pid,
		    const struct kreg_event *event)
{
	struct kreg_ref *own;
	int bad = !!kreg_event_ref(event) << 6;

	bad |= kreg_monitor_pid(client, pid, NULL, NULL, &own) != 0;
	bad |= (kreg_ref_cancel(ref) != -ESTALE) << 1;
	bad |= !!strcmp(kreg_errmsg(), THE_PARENTS) << 2;
	bad |= (kreg_event_next(client, 0, &event) != -EAGAIN) << 3;
	bad |= (kreg_ref_cancel(own) != 1) << 4;
	bad |= (kreg_client_dispatch(client, 0) != 0) << 5;
	return bad;
}

TEST_F(monitor, fork)
{
	struct kreg_ref *refs[3], *untouched;
	const struct kreg_event *event;
	pid_t pid, dead = bystander();
	int status, i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kreg_monitor_pid(self->client, i ? dead : self->pid, NULL, NULL,
					      &refs[i]));
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &untouched));
	EXPECT_EQ(SIGKILL, end(&dead));
	/* The second event stays in the library's buffer. */
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	pid = fork();
	if (pid == 0)
		_exit(in_child(self->client, refs[0], self->pid, event));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(refs[1], kreg_event_ref(event));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(refs[2], kreg_event_ref(event));
	EXPECT_EQ(1, kreg_ref_cancel(refs[0]));
	EXPECT_EQ(0, kreg_ref_cancel(refs[1]));
	EXPECT_EQ(0, kreg_ref_cancel(refs[2]));
	EXPECT_EQ(SIGKILL, end(&self->pid));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(untouched, kreg_event_ref(event));
	EXPECT_EQ(0, kreg_ref_cancel(untouched));
}

/* The program after execve(2), which is this one again, with the client of the one before. */
static int after_execve(pid_t dead)
{
	const struct kreg_event *event;
	struct kreg_client *client;
	struct kreg_ref *ref;
	pid_t pid = bystander();
	int bad = 0;

	if (kreg_client_open(NULL, &client) || kreg_monitor_pid(client, pid, NULL, NULL, &ref))
		return 1;
	end(&pid);
	/* It was asked for before: nobody's, though the record has an address in it. */
	bad |= (kreg_event_next(client, 0, &event) != 0) << 1;
	if (bad)
		return bad;
	bad |= !!kreg_event_ref(event) << 2;
	bad |= ((pid_t)kreg_event_process(event).pid != dead) << 3;
	bad |= (kreg_event_next(client, 0, &event) != 0 || kreg_event_ref(event) != ref) << 4;
	bad |= (kreg_ref_cancel(ref) != 0) << 5;
	return bad;
}

static void __attribute__((constructor)) second_program(void)
{
	const char *dead = getenv("LIB_REFS_DEAD");

	if (dead)
		_exit(after_execve(atoi(dead)));
}

/* In a child. Ids go on after those of the program before. */
static void execute(pid_t watched)
{
	struct kreg_ref *ref;
	struct kreg_client *client;
	char text[16];

	if (kreg_client_open(NULL, &client) ||
	    kreg_monitor_pid(client, watched, on_down, &ref, &ref))
		_exit(100);
	fcntl(kreg_client_fd(client), F_SETFD, 0);
	snprintf(text, sizeof(text), "%d", kreg_client_fd(client));
	setenv("KREG_FD", text, 1);
	snprintf(text, sizeof(text), "%d", watched);
	setenv("LIB_REFS_DEAD", text, 1);
	kill(watched, SIGKILL);
	execl("/proc/self/exe", "lib_refs", NULL);
	_exit(101);
}

TEST_F(monitor, execve)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		execute(self->pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Records with whatever in their udata, asked for by the program itself. */
TEST_F(monitor, foreign_watch)
{
	struct kreg_ioc_watch watch = {
		.size = sizeof(watch), .kind = KREG_WATCH_PROCESS, .udata = 0xdead0000beefULL,
	};
	struct seen seen = { 0 };
	struct kreg_client *client;
	struct kreg_ref *ref;
	int fd = open("/dev/kreg", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	watch.process = kreg_ref_process(ref);
	ASSERT_EQ(0, ioctl(fd, KREG_IOC_WATCH, &watch));
	ASSERT_EQ(0, kreg_client_open_fd(fd, &client));
	kreg_client_set_handler(client, on_down, &seen);
	EXPECT_EQ(SIGKILL, end(&self->pid));
	EXPECT_EQ(1, kreg_client_dispatch(client, 0));
	EXPECT_EQ(1, seen.count);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_client_close(client);
}

#define THREADS	4
#define ROUNDS	40

struct many {
	struct kreg_client *client;
	pid_t lives;
	atomic_bool over;
	atomic_int fired;
	atomic_int bad;
};

static void count_one(const struct kreg_event *event, void *arg)
{
	atomic_int *count = arg;

	++*count;
}

/* One process dies, and one is monitored for nothing, while another thread hands out. */
static void set_and_cancel(struct many *many, bool early)
{
	atomic_int count = 0, none = 0;
	struct kreg_process who;
	struct kreg_ref *ref, *idle;
	pid_t pid = bystander();
	int i;

	many->bad += kreg_monitor_pid(many->client, many->lives, count_one, (void *)&none,
				      &idle) != 0;
	many->bad += kreg_monitor_pid(many->client, pid, NULL, NULL, &ref) != 0;
	who = kreg_ref_process(ref);
	many->bad += kreg_ref_cancel(ref) != 1;
	if (early)
		kill(pid, SIGKILL);
	many->bad += kreg_monitor(many->client, &who, count_one, (void *)&count, &ref) != 0;
	kill(pid, SIGKILL);
	for (i = 0; i < 10000 && !count; i++)
		usleep(1000);
	waitpid(pid, NULL, 0);
	many->fired += count;
	many->bad += kreg_ref_cancel(ref) != 0 || count != 1;
	many->bad += kreg_ref_cancel(idle) != 1 || none != 0;
}

static void *use_refs(void *arg)
{
	int i;

	for (i = 0; i < test_rounds(ROUNDS); i++)
		set_and_cancel(arg, i % 2);
	return NULL;
}

static void *hand_out(void *arg)
{
	struct many *many = arg;

	while (!many->over)
		many->bad += kreg_client_dispatch(many->client, 10) < 0;
	return NULL;
}

TEST_F(monitor, threads)
{
	struct many many = { .client = self->client, .lives = self->pid };
	pthread_t threads[THREADS], events;
	struct kreg_ref *ref;
	int i;

	ASSERT_EQ(0, kreg_monitor_pid(self->client, self->pid, NULL, NULL, &ref));
	ASSERT_EQ(0, pthread_create(&events, NULL, hand_out, &many));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_refs, &many));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	many.over = true;
	pthread_join(events, NULL);
	EXPECT_EQ(0, many.bad);
	EXPECT_EQ(THREADS * test_rounds(ROUNDS), many.fired);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_HARNESS_MAIN

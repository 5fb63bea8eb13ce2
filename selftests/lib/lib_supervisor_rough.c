// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors whose children are slow, deaf or traced, and whose program interferes. */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "lib/allocations.h"
#include "lib/supervisor.h"

/* What the test and its children share. */
static struct {
	_Atomic unsigned int signals, allocations;
	unsigned long blocked;		/* signals of 1 to 64 in the child */
} *shared;

/* Between fork(2) and the program. */
static bool is_between;

void *malloc(size_t size)
{
	if (is_between)
		shared->allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (is_between)
		shared->allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (is_between)
		shared->allocations++;
	return __libc_realloc(old, size);
}

static void count_signal(int sig)
{
	shared->signals++;
}

static void begin_child(void)
{
	raise(SIGURG);
	is_between = true;
}

static int tells_blocked(void *arg)
{
	sigset_t set;
	int sig;

	is_between = false;
	sigprocmask(SIG_BLOCK, NULL, &set);
	for (sig = 1; sig <= 64; sig++)
		shared->blocked |= sigismember(&set, sig) == 1 ? 1ul << (sig - 1) : 0;
	return obey(arg);
}

static int map_shared(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	return shared == MAP_FAILED ? -errno : 0;
}

static bool is_blocked(int sig)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

/*
 * A new process calls no handler of its parent, takes none of its locks, and has nothing blocked;
 * what the parent blocks stays so.
 */
TEST_F(sup, fork)
{
	static const char *const tables[] = { "rough-table", NULL };
	static char *const env[] = { "PATH=/bin", "ROUGH=1", NULL };
	struct kreg_child child = obedient("a", KREG_PERMANENT);
	struct kreg_table *table;
	sigset_t set;

	ASSERT_EQ(0, map_shared());
	signal(SIGURG, count_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child.main = tells_blocked;
	child.tables = tables;
	child.env = env;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, pthread_atfork(NULL, NULL, begin_child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(0, shared->signals);
	EXPECT_EQ(0, shared->allocations);
	EXPECT_EQ(0, shared->blocked);
	EXPECT_TRUE(is_blocked(SIGUSR1));
	EXPECT_FALSE(is_blocked(SIGUSR2));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	ASSERT_EQ(0, kreg_table_open(self->client, tables[0], NULL, &table));
	kreg_table_destroy(table);
	kreg_table_close(table);
}

/*
 * Another process may have the socket of a child, if it was made without the handlers of fork(3),
 * and the supervisor is not told of it any more.
 */
static pid_t holder;

static void fork_log(const struct kreg_supervisor_log *log, void *arg)
{
	record_log(log, arg);
	if (log->what != KREG_CHILD_STARTS || holder)
		return;
	holder = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (holder)
		return;
	for (;;)
		pause();
}

static bool gets_idle(struct kreg_supervisor *sup)
{
	int i;

	for (i = 0; i < 50; i++)
		if (!kreg_supervisor_dispatch(sup, 20))
			return true;
	return false;
}

TEST_F(sup, socket_elsewhere)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	kreg_supervisor_set_log(self->sup, fork_log, &self->record);
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &a, NULL));
	ASSERT_LT(0, holder);
	EXPECT_TRUE(gets_idle(self->sup));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	EXPECT_TRUE(gets_idle(self->sup));
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

static int never_ready(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int deaf(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return never_ready(arg);
}

static int deaf_and_ready(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return obey(arg);
}

static int change(struct kreg_supervisor *sup, const struct kreg_child *children, size_t count)
{
	return kreg_supervisor_change(sup, KREG_ONE_FOR_ONE, 3, 60000, children, count);
}

static void until(struct kreg_supervisor *sup, struct record *record, const char *sign)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);

	while (!strstr(record->text, sign) && kreg_deadline(0) < deadline)
		kreg_supervisor_dispatch(sup, 100);
}

static struct kreg_child slow(const char *id, int (*fn)(void *arg), int start_ms, int stop_ms)
{
	struct kreg_child child = obedient(id, KREG_PERMANENT);

	child.main = fn;
	child.start_ms = start_ms;
	child.stop_ms = stop_ms;
	return child;
}

/* One that is being stopped, since it was not ready in time, is asked to stop: that is no death. */
TEST_F(sup, stop_of_one_that_failed)
{
	struct kreg_child c[2] = {
		obedient("a", KREG_PERMANENT), slow("b", deaf, 50, 200),
	};

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 0,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c[0]));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, change(self->sup, c, 2));
	until(self->sup, &self->record, "-b");
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_STREQ("+a-b*b!b", self->record.text);
}

TEST_F(sup, removal_of_one_that_failed)
{
	struct kreg_child c[2] = {
		obedient("a", KREG_PERMANENT), slow("b", deaf, 50, 200),
	};

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 0,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c[0]));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, change(self->sup, c, 2));
	until(self->sup, &self->record, "-b");
	ASSERT_EQ(0, change(self->sup, c, 1));
	/* As long as it lives it is in the way of another one; stopping it waits for it. */
	EXPECT_EQ(-EBUSY, change(self->sup, c, 2));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "child 'b' is still being stopped"));
	EXPECT_EQ(-ENOENT, kreg_supervisor_restart_child(self->sup, "b", NULL));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_STREQ("+a-b*b!b", self->record.text);
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_EQ(0, change(self->sup, c, 1));
}

/* The second one runs, and the first one, which is never ready, is added. */
static int add_second(struct kreg_supervisor *sup, struct kreg_child *c)
{
	int ret = kreg_supervisor_add(sup, &c[1]);

	ret = ret ? ret : kreg_supervisor_start(sup);
	return ret ? ret : change(sup, c, 2);
}

/* While one stops, another one is not ready in time. */
TEST_F(sup, deadline_meanwhile)
{
	struct kreg_child c[2] = {
		slow("b", never_ready, 200, 5000), slow("c", deaf_and_ready, 30000, 1000),
	};

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, add_second(self->sup, c));
	ASSERT_EQ(0, change(self->sup, c, 1));
	until(self->sup, &self->record, "!c");
	EXPECT_STREQ("+c-c-b!b?b*c!c", self->record.text);
}

/* If it is to stop as well it does so in its turn, and has not failed. */
TEST_F(sup, deadline_before_its_turn)
{
	struct kreg_child c[2] = {
		slow("b", never_ready, 100, 5000), slow("c", deaf_and_ready, 30000, 400),
	};

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 0,
			  &self->record));
	ASSERT_EQ(0, add_second(self->sup, c));
	ASSERT_EQ(0, change(self->sup, c, 0));
	follow(self->sup, &self->record, "+c-c*c!c-b!b");
	EXPECT_STREQ("+c-c*c!c-b!b", self->record.text);
}

/* A zombie of which another process is told first: it is reaped when that one has let go. */
static pid_t trace(pid_t pid)
{
	int ready[2];
	char letter = 0;
	pid_t tracer;

	if (pipe(ready))
		return -errno;
	tracer = fork();
	if (!tracer) {
		letter = ptrace(PTRACE_SEIZE, pid, NULL, NULL) ? 'x' : 'y';
		if (write(ready[1], &letter, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	if (read(ready[0], &letter, 1) != 1)
		letter = 'x';
	close(ready[0]);
	close(ready[1]);
	return letter == 'y' ? tracer : -ESRCH;
}

static bool gets_gone(struct kreg_supervisor *sup, pid_t pid)
{
	uint64_t deadline = kreg_deadline(10000);

	while (!kill(pid, 0) && kreg_deadline(0) < deadline)
		kreg_supervisor_dispatch(sup, 2000);
	return kill(pid, 0) && errno == ESRCH;
}

TEST_F(sup, traced)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT);
	pid_t pid, tracer;

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	pid = pid_of(self->sup, "a");
	tracer = trace(pid);
	ASSERT_LT(0, tracer);
	kill(pid, SIGKILL);
	follow(self->sup, &self->record, "+a!a+a");
	EXPECT_STREQ("+a!a+a", self->record.text);
	EXPECT_EQ(SIGKILL, self->record.status);
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_TRUE(gets_idle(self->sup));
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
	EXPECT_TRUE(gets_gone(self->sup, pid));
}

/* What it says comes in one datagram with its being ready, and stays while it stops. */
static int says_status(void *arg)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	size_t len = strlen(path);

	memcpy(a.sun_path + 1, path + 1, len - 1);
	if (sendto(fd, arg, strlen(arg), 0, (struct sockaddr *)&a,
		   offsetof(struct sockaddr_un, sun_path) + len) < 0)
		return 3;
	return never_ready(arg);
}

static struct {
	struct kreg_client *client;
	char table[64], text[256];
} run;

static void read_run(void)
{
	struct kreg_table *table;
	size_t len = 0;

	if (kreg_table_open(run.client, run.table, NULL, &table))
		return;
	if (!kreg_get(table, "run/a", 5, run.text, sizeof(run.text) - 1, &len))
		run.text[len] = '\0';
	kreg_table_close(table);
}

static void read_log(const struct kreg_supervisor_log *log, void *arg)
{
	record_log(log, arg);
	if (log->what == KREG_CHILD_STOPS)
		read_run();
}

TEST_F(sup, status_text)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT);
	char *const said[] = { "STATUS=at work\nREADY=1", "READY=1\nSTATUS=at work" };
	size_t i;

	run.client = self->client;
	snprintf(run.table, sizeof(run.table), "supervisor.%s", self->name);
	a.main = says_status;
	for (i = 0; i < ARRAY_SIZE(said); i++) {
		a.arg = said[i];
		ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
				  &self->record));
		kreg_supervisor_set_log(self->sup, read_log, &self->record);
		ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
		ASSERT_EQ(0, kreg_supervisor_start(self->sup));
		read_run();
		EXPECT_STREQ("start=1 phase=ready status=at work", run.text);
		/* It is still the first start that stops, whichever is wanted. */
		EXPECT_EQ(0, kreg_supervisor_restart_child(self->sup, "a", NULL));
		EXPECT_STREQ("start=1 phase=stopping status=at work", run.text);
		read_run();
		EXPECT_STREQ("start=2 phase=ready status=at work", run.text);
		kreg_supervisor_free(self->sup);
		self->sup = NULL;
	}
}

/* For supervise.sh and order.sh: as whoever may call the server, and children of their files. */
static int stop_server(const char *name, const char *key)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_peer *peer;
	int ret = kreg_client_open(NULL, &client);

	if (!ret)
		ret = kreg_table_open(client, name, NULL, &table);
	if (!ret)
		ret = kreg_peer_open(table, key, strlen(key), &peer);
	if (!ret)
		ret = kreg_stop(peer, 20000);
	if (ret)
		fprintf(stderr, "%s\n", kreg_errmsg());
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "stop"))
		return stop_server(argv[2], argv[3]);
	if (argc >= 2 && !strcmp(argv[1], "obey"))
		return obey(NULL);
	if (argc == 3 && !strcmp(argv[1], "oom"))
		return oom_kill_process(atoi(argv[2])) ? 1 : 0;
	return test_harness_run(argc, argv);
}

// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors: who is started and stopped in which order when somebody dies. */
#include "lib/supervisor.h"

#define P	KREG_PERMANENT
#define T	KREG_TRANSIENT
#define N	KREG_TEMPORARY

/* Children a, b and c; one is made to end. */
static const struct {
	const char *what;
	enum kreg_strategy strategy;
	enum kreg_restart type[3];
	char whom;
	int how;
	const char *expected;
} cases[] = {
	{ "that one alone", KREG_ONE_FOR_ONE, { P, P, P }, 'b', SIGKILL, "!b+b" },
	{ "the first alone", KREG_ONE_FOR_ONE, { P, P, P }, 'a', SIGSEGV, "!a+a" },
	{ "the last alone", KREG_ONE_FOR_ONE, { P, P, P }, 'c', ABORT, "!c+c" },
	{ "permanent after exit 0", KREG_ONE_FOR_ONE, { P, P, P }, 'b', EXIT_0, "!b+b" },
	{ "permanent after exit 3", KREG_ONE_FOR_ONE, { P, P, P }, 'b', EXIT_3, "!b+b" },
	{ "permanent after its stop signal", KREG_ONE_FOR_ONE, { P, P, P }, 'b', SIGTERM, "!b+b" },
	{ "transient after exit 0", KREG_ONE_FOR_ONE, { P, T, P }, 'b', EXIT_0, "!b" },
	{ "transient after its stop signal", KREG_ONE_FOR_ONE, { P, T, P }, 'b', SIGTERM, "!b" },
	{ "transient after another signal", KREG_ONE_FOR_ONE, { P, T, P }, 'b', SIGKILL, "!b+b" },
	{ "transient after exit 3", KREG_ONE_FOR_ONE, { P, T, P }, 'b', EXIT_3, "!b+b" },
	{ "transient after abort", KREG_ONE_FOR_ONE, { P, T, P }, 'b', ABORT, "!b+b" },
	{ "permanent for want of memory", KREG_ONE_FOR_ONE, { P, P, P }, 'b', BY_OOM, "!b+b" },
	{ "transient for want of memory", KREG_ONE_FOR_ONE, { P, T, P }, 'b', BY_OOM, "!b+b" },
	{ "temporary after exit 0", KREG_ONE_FOR_ONE, { P, N, P }, 'b', EXIT_0, "!b" },
	{ "temporary after a crash", KREG_ONE_FOR_ONE, { P, N, P }, 'b', SIGSEGV, "!b" },
	{ "all, the first", KREG_ONE_FOR_ALL, { P, P, P }, 'a', SIGKILL, "!a-c!c-b!b+a+b+c" },
	{ "all, the middle", KREG_ONE_FOR_ALL, { P, P, P }, 'b', SIGSEGV, "!b-c!c-a!a+a+b+c" },
	{ "all, the last", KREG_ONE_FOR_ALL, { P, P, P }, 'c', EXIT_3, "!c-b!b-a!a+a+b+c" },
	{ "all but the temporary", KREG_ONE_FOR_ALL, { P, N, P }, 'a', ABORT, "!a-c!c-b!b+a+c" },
	{ "all, transient ends", KREG_ONE_FOR_ALL, { P, T, P }, 'b', EXIT_0, "!b" },
	{ "all, transient crashes", KREG_ONE_FOR_ALL, { P, T, T }, 'b', EXIT_3,
	  "!b-c!c-a!a+a+b+c" },
	{ "all, for want of memory", KREG_ONE_FOR_ALL, { P, P, P }, 'b', BY_OOM,
	  "!b-c!c-a!a+a+b+c" },
	{ "rest, for want of memory", KREG_REST_FOR_ONE, { P, P, P }, 'b', BY_OOM, "!b-c!c+b+c" },
	{ "rest, the first", KREG_REST_FOR_ONE, { P, P, P }, 'a', SIGKILL, "!a-c!c-b!b+a+b+c" },
	{ "rest, the middle", KREG_REST_FOR_ONE, { P, P, P }, 'b', EXIT_0, "!b-c!c+b+c" },
	{ "rest, the last", KREG_REST_FOR_ONE, { P, P, P }, 'c', SIGSEGV, "!c+c" },
	{ "rest, temporary ends", KREG_REST_FOR_ONE, { P, N, P }, 'b', SIGKILL, "!b" },
};

static int add_three(struct kreg_supervisor *sup, const enum kreg_restart *type)
{
	const char *const ids[] = { "a", "b", "c" };
	struct kreg_child child;
	int i, ret = 0;

	for (i = 0; i < 3 && !ret; i++) {
		child = obedient(ids[i], type[i]);
		ret = kreg_supervisor_add(sup, &child);
	}
	return ret;
}

static const enum kreg_restart all_permanent[] = { P, P, P };

/* Whether this has happened to a child. */
static bool has_sign(const char *text, char sign, char id)
{
	char both[] = { sign, id, '\0' };

	return strstr(text, both);
}

static bool as_expected(const char *expected, char id, pid_t before, pid_t now)
{
	if (has_sign(expected, READY, id))
		return now && now != before;
	return now == (has_sign(expected, DEAD, id) ? 0 : before);
}

TEST_F(sup, strategies)
{
	static const char *const ids[] = { "a", "b", "c" };
	char whom[2] = "";
	pid_t pids[3];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		whom[0] = cases[i].whom;
		self->record.text[0] = '\0';
		ASSERT_EQ(0, make(&self->sup, self->client, self->name, cases[i].strategy, 3,
				  &self->record));
		ASSERT_EQ(0, add_three(self->sup, cases[i].type));
		ASSERT_EQ(0, kreg_supervisor_start(self->sup));
		EXPECT_STREQ("+a+b+c", self->record.text);
		for (k = 0; k < 3; k++)
			pids[k] = pid_of(self->sup, ids[k]);
		self->record.text[0] = '\0';
		ASSERT_EQ(0, end_child(pid_of(self->sup, whom), cases[i].how));
		follow(self->sup, &self->record, cases[i].expected);
		EXPECT_STREQ(cases[i].expected, self->record.text) {
			TH_LOG("%s", cases[i].what);
		}
		/* Who was not started again is the same process as before, or none. */
		for (k = 0; k < 3; k++)
			EXPECT_TRUE(as_expected(cases[i].expected, *ids[k], pids[k],
						pid_of(self->sup, ids[k])));
		kreg_supervisor_free(self->sup);
		self->sup = NULL;
	}
}

TEST_F(sup, stops_last_first)
{
	char name[64];
	struct kreg_table *table;

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, add_three(self->sup, all_permanent));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_STREQ("+a+b+c-c!c-b!b-a!a", self->record.text);
	EXPECT_EQ(SIGTERM, self->record.status);
	EXPECT_TRUE(self->record.known);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
	/* Nothing is left for the next one to go on with. */
	snprintf(name, sizeof(name), "supervisor.%s", self->name);
	EXPECT_EQ(-ENOENT, kreg_table_open(self->client, name, NULL, &table));
}

TEST_F(sup, intensity)
{
	char expected[64] = "";
	int i;

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, add_three(self->sup, all_permanent));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	self->record.text[0] = '\0';
	for (i = 0; i < 3; i++) {
		strcat(expected, "!b+b");
		kill(pid_of(self->sup, "b"), SIGKILL);
		follow(self->sup, &self->record, expected);
		ASSERT_STREQ(expected, self->record.text);
	}
	strcat(expected, "!a#a-c!c-b!b");
	kill(pid_of(self->sup, "a"), SIGKILL);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(self->sup));
	EXPECT_STREQ(expected, self->record.text);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_dispatch(self->sup, 0));
}

/* Deaths that are longer ago than that do not count. */
TEST_F(sup, intensity_window)
{
	struct kreg_child child = obedient("a", KREG_PERMANENT);
	char expected[64] = "";
	int i;

	ASSERT_EQ(0, kreg_supervisor_new(self->client, self->name, KREG_ONE_FOR_ONE, 1, 100,
					 &self->sup));
	kreg_supervisor_set_log(self->sup, record_log, &self->record);
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	self->record.text[0] = '\0';
	for (i = 0; i < 4; i++) {
		strcat(expected, "!a+a");
		kill(pid_of(self->sup, "a"), SIGKILL);
		follow(self->sup, &self->record, expected);
		ASSERT_STREQ(expected, self->record.text);
		usleep(120000);
	}
}

TEST_F(sup, intensity_for_ever)
{
	struct kreg_child child = obedient("a", KREG_PERMANENT);

	ASSERT_EQ(0, kreg_supervisor_new(self->client, self->name, KREG_ONE_FOR_ONE, 1,
					 UINT64_MAX, &self->sup));
	kreg_supervisor_set_log(self->sup, record_log, &self->record);
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "+a!a+a");
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "+a!a+a!a#a");
	EXPECT_STREQ("+a!a+a!a#a", self->record.text);
}

static int ignores_term(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return obey(arg);
}

static int ends_on_int(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, do_exit_3);
	return obey(arg);
}

TEST_F(sup, stop_signal_patience_kill)
{
	struct kreg_child patient = obedient("a", KREG_PERMANENT);
	struct kreg_child at_once = obedient("b", KREG_PERMANENT);
	struct kreg_child other = obedient("c", KREG_PERMANENT);
	struct kreg_child stopped = obedient("d", KREG_PERMANENT);

	patient.main = ignores_term;
	patient.stop_ms = 100;
	at_once.stop_ms = KREG_AT_ONCE;
	other.main = ends_on_int;
	other.stop_signal = SIGINT;
	other.stop_ms = KREG_FOR_EVER;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &patient));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &at_once));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &other));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &stopped));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, kill(pid_of(self->sup, "d"), SIGSTOP));
	self->record.text[0] = '\0';
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_STREQ("-d!d-c!c*b!b-a*a!a", self->record.text);
	EXPECT_EQ(SIGKILL, self->record.status);
}

static struct kreg_child program(const char *id, char *const *argv)
{
	struct kreg_child child = {
		.size = sizeof(child), .id = id, .argv = argv, .start_ms = PATIENCE_MS,
	};

	return child;
}

static int never_ready(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int dies_first(void *arg)
{
	return 3;
}

/* What cannot be started ends the start: those before it are stopped, and it is said why. */
TEST_F(sup, start_failures)
{
	char *const missing[] = { "/nowhere/program", NULL };
	char *const directory[] = { "/", NULL };
	struct kreg_child bad[6], good = obedient("a", KREG_PERMANENT);
	static const struct {
		int err;
		const char *why;
	} expected[] = {
		{ -ENOENT, "its program" }, { -EACCES, "its program" },
		{ -ENOENT, "its directory" }, { -ESRCH, "there is no 'nobody-has-" },
		{ -ETIMEDOUT, "in time, within 300 ms" }, { -ECHILD, "before it was ready" },
	};
	size_t i;

	bad[0] = program("x", missing);
	bad[1] = program("x", directory);
	bad[2] = obedient("x", KREG_PERMANENT);
	bad[2].directory = "/nowhere";
	bad[3] = obedient("x", KREG_PERMANENT);
	bad[3].user = "nobody-has-this-name";
	bad[4] = obedient("x", KREG_PERMANENT);
	bad[4].main = never_ready;
	bad[4].start_ms = 300;
	bad[5] = obedient("x", KREG_PERMANENT);
	bad[5].main = dies_first;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
				  &self->record));
		ASSERT_EQ(0, kreg_supervisor_add(self->sup, &good));
		ASSERT_EQ(0, kreg_supervisor_add(self->sup, &bad[i]));
		self->record.text[0] = '\0';
		EXPECT_EQ(expected[i].err, kreg_supervisor_start(self->sup));
		EXPECT_NE(NULL, strstr(kreg_errmsg(), "child 'x'"));
		EXPECT_NE(NULL, strstr(kreg_errmsg(), expected[i].why)) {
			TH_LOG("%s", kreg_errmsg());
		}
		EXPECT_NE(NULL, strstr(self->record.text, "?x-a!a")) {
			TH_LOG("%s", self->record.text);
		}
		EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(self->sup) ? -ESHUTDOWN : 0);
		kreg_supervisor_free(self->sup);
		self->sup = NULL;
	}
}

/* At a restart it counts as a death more. */
static int ready_once(void *arg)
{
	if (access(arg, F_OK))
		return 3;
	unlink(arg);
	return obey(arg);
}

TEST_F(sup, restart_failure_counts)
{
	struct kreg_child child = obedient("b", KREG_PERMANENT);
	char path[64];

	snprintf(path, sizeof(path), "/tmp/once-%d", getpid());
	close(open(path, O_CREAT | O_WRONLY, 0600));
	child.main = ready_once;
	child.arg = path;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 2,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	kill(pid_of(self->sup, "b"), SIGKILL);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(self->sup));
	EXPECT_STREQ("+b!b!b?b!b?b#b", self->record.text);
}

/* Ready when there is something to be read. */
static int ready_when_told(void *arg)
{
	char letter;

	alarm(test_scale(120));
	if (read(*(int *)arg, &letter, 1) != 1)
		return 4;
	return obey(arg);
}

/* While one is starting: who is in front of it may be what it needs, and who is behind it waits. */
TEST_F(sup, deaths_meanwhile)
{
	struct kreg_child c[3] = {
		obedient("a", KREG_PERMANENT), obedient("b", KREG_PERMANENT),
		obedient("c", KREG_PERMANENT),
	};
	int tell[2], i;

	ASSERT_EQ(0, pipe(tell));
	c[1].main = ready_when_told;
	c[1].arg = &tell[0];
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 5,
			  &self->record));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c[i]));
	ASSERT_EQ(1, write(tell[1], "1", 1));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	kill(pid_of(self->sup, "b"), SIGKILL);
	follow(self->sup, &self->record, "+a+b+c!b");
	kill(pid_of(self->sup, "c"), SIGKILL);
	follow(self->sup, &self->record, "+a+b+c!b!c");
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "+a+b+c!b!c!a+a");
	ASSERT_STREQ("+a+b+c!b!c!a+a", self->record.text);
	ASSERT_EQ(1, write(tell[1], "2", 1));
	follow(self->sup, &self->record, "+a+b+c!b!c!a+a+b+c");
	EXPECT_STREQ("+a+b+c!b!c!a+a+b+c", self->record.text);
	close(tell[0]);
	close(tell[1]);
}

/* On request, which is no death, and concerns no others. */
TEST_F(sup, restart)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT), b = obedient("b", KREG_PERMANENT);
	struct kreg_process first, second;
	char path[64];

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ALL, 0,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	EXPECT_EQ(-EBUSY, kreg_supervisor_restart_child(self->sup, "a", NULL));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &b, &first));
	EXPECT_EQ(0, kreg_supervisor_restart_child(self->sup, "b", &second));
	EXPECT_NE(first.pid, second.pid);
	EXPECT_EQ(pid_of(self->sup, "b"), (pid_t)second.pid);
	EXPECT_EQ(0, kreg_supervisor_restart_child(self->sup, "a", NULL));
	EXPECT_EQ(-ENOENT, kreg_supervisor_restart_child(self->sup, "c", NULL));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	EXPECT_EQ(0, kreg_supervisor_restart_child(self->sup, "a", NULL));
	EXPECT_STREQ("+a+b-b!b+b-a!a+a-a!a+a", self->record.text);
	/* One on request that cannot be started again is forgotten. */
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	snprintf(path, sizeof(path), "/tmp/restart-%d", getpid());
	close(open(path, O_CREAT | O_WRONLY, 0600));
	b.main = ready_once;
	b.arg = path;
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &b, NULL));
	EXPECT_EQ(-ECHILD, kreg_supervisor_restart_child(self->sup, "b", NULL));
	EXPECT_EQ(-ENOENT, kreg_supervisor_restart_child(self->sup, "b", NULL));
	kreg_supervisor_end(self->sup);
	EXPECT_EQ(0, kreg_supervisor_run(self->sup));
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_restart_child(self->sup, "a", NULL));
}

static void end_it(int sig)
{
}

/* From a signal handler or another thread. */
static void *end_later(void *arg)
{
	usleep(50000);
	kreg_supervisor_end(arg);
	return NULL;
}

TEST_F(sup, end)
{
	pthread_t thread;

	signal(SIGALRM, end_it);
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 2,
			  &self->record));
	ASSERT_EQ(0, add_three(self->sup, all_permanent));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_later, self->sup));
	EXPECT_EQ(0, kreg_supervisor_run(self->sup));
	pthread_join(thread, NULL);
	EXPECT_STREQ("+a+b+c-c!c-b!b-a!a", self->record.text);
}

TEST_HARNESS_MAIN

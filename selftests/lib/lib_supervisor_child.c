// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors: what a child finds when it begins, and children on request. */
#include "lib/supervisor.h"

/* What a child has found, for the test. */
struct found {
	int ret;
	int transfers;
	char data[16];
	char tables[64], supervisor[64], directory[64], extra[16];
	pid_t pid, named;
	uid_t uid;
	gid_t gid;
	int own;		/* result of a write to its table */
	int foreign;		/* and to one that it may write to */
	int other;		/* and to one that is the supervisor's alone */
};

static struct found *found;

static int put_to(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;
	int ret = kreg_table_open(client, name, NULL, &table);

	if (ret)
		return ret;
	ret = kreg_put(table, "k", 1, "v", 1);
	kreg_table_close(table);
	return ret;
}

/* The client that the supervisor has left has the event. */
static void look_around(struct found *f)
{
	const struct kreg_event *event;
	struct kreg_client *client;
	const void *data;
	size_t len;

	memset(f, 0, sizeof(*f));
	f->pid = getpid();
	f->uid = getuid();
	f->gid = getgid();
	f->named = atoi(getenv("KREG_PID") ?: "0");
	snprintf(f->tables, sizeof(f->tables), "%s", getenv("KREG_TABLES") ?: "-");
	snprintf(f->supervisor, sizeof(f->supervisor), "%s", getenv("KREG_SUPERVISOR") ?: "-");
	snprintf(f->extra, sizeof(f->extra), "%s", getenv("EXTRA") ?: "-");
	if (!getcwd(f->directory, sizeof(f->directory)))
		f->directory[0] = '\0';
	f->ret = kreg_client_open(NULL, &client);
	if (f->ret)
		return;
	while (!kreg_event_next(client, 0, &event)) {
		data = kreg_event_data(event, &len);
		f->transfers += kreg_event_kind(event) == KREG_EVENT_TRANSFER;
		snprintf(f->data, sizeof(f->data), "%.*s", (int)len, (const char *)data);
	}
	f->own = put_to(client, "its-table");
	f->foreign = put_to(client, "its-to-write");
	f->other = put_to(client, "not-its");
}

static int looks(void *arg)
{
	look_around(found);
	return obey(arg);
}

/* The same in a program. */
static int look_in_program(const char *path)
{
	int fd = open(path, O_RDWR);
	struct found *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	look_around(f);
	return obey(NULL);
}

FIXTURE(child)
{
	struct kreg_client *client;
	struct kreg_supervisor *sup;
	struct kreg_table *write, *other;
	struct record record;
	char name[32], path[64];
};

FIXTURE_SETUP(child)
{
	int fd;

	snprintf(self->name, sizeof(self->name), "s%d", getpid());
	snprintf(self->path, sizeof(self->path), "/tmp/found-%d", getpid());
	fd = open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchmod(fd, 0666));
	ASSERT_EQ(0, ftruncate(fd, sizeof(*found)));
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, found);
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_own(self->client, "its-to-write", 0, NULL, &self->write));
	ASSERT_EQ(0, kreg_table_own(self->client, "not-its", 0, NULL, &self->other));
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
}

static void destroy_named(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;

	if (kreg_table_open(client, name, NULL, &table))
		return;
	kreg_table_destroy(table);
	kreg_table_close(table);
}

FIXTURE_TEARDOWN(child)
{
	kreg_supervisor_free(self->sup);
	destroy_named(self->client, "its-table");
	destroy_named(self->client, "its-to-write");
	destroy_named(self->client, "not-its");
	kreg_table_close(self->write);
	kreg_table_close(self->other);
	kreg_client_close(self->client);
	unlink(self->path);
}

static struct kreg_child full_child(void)
{
	static const char *const tables[] = { "its-table", NULL };
	static const char *const writes[] = { "its-to-write", NULL };
	static char *const env[] = { "EXTRA=more", NULL };
	struct kreg_child child = obedient("w", KREG_PERMANENT);

	child.main = looks;
	child.tables = tables;
	child.writes = writes;
	child.env = env;
	child.directory = "/proc";
	return child;
}

#define EXPECT_FOUND(number) do {				\
	EXPECT_EQ(0, found->ret);				\
	EXPECT_EQ(1, found->transfers);				\
	EXPECT_STREQ(number, found->data);			\
	EXPECT_STREQ("its-table", found->tables);		\
	EXPECT_STREQ(self->name, found->supervisor);		\
	EXPECT_STREQ("more", found->extra);			\
	EXPECT_STREQ("/proc", found->directory);		\
	EXPECT_EQ(found->pid, found->named);			\
	EXPECT_EQ(pid_of(self->sup, "w"), found->pid);		\
	EXPECT_EQ(0, found->own);				\
	EXPECT_EQ(0, found->foreign);				\
	EXPECT_EQ(-EACCES, found->other);			\
} while (0)

/* Its tables are its own before its first instruction, and come back when it is dead. */
TEST_F(child, begins)
{
	struct kreg_child child = full_child();
	struct kreg_table *table;

	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_FOUND("0");
	/* It is the child's; the other one is still the supervisor's, too. */
	ASSERT_EQ(0, kreg_table_open(self->client, "its-table", NULL, &table));
	EXPECT_EQ(-EACCES, kreg_put(table, "k", 1, "w", 1));
	EXPECT_EQ(0, kreg_put(self->write, "k", 1, "w", 1));
	memset(found, 0, sizeof(*found));
	kill(pid_of(self->sup, "w"), SIGKILL);
	follow(self->sup, &self->record, "+w!w+w");
	EXPECT_FOUND("1");
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_EQ(0, kreg_put(table, "k", 1, "w", 1));
	kreg_table_close(table);
}

/* Likewise over execve(2), and as another user. */
TEST_F(child, program_of_another_user)
{
	struct kreg_child child = full_child();
	char *const argv[] = { "/proc/self/exe", "look", self->path, NULL };
	struct stat st;

	ASSERT_EQ(0, stat("/dev/kreg", &st));
	ASSERT_EQ(0, chmod("/dev/kreg", 0666));
	child.main = NULL;
	child.argv = argv;
	child.user = "1001";
	child.group = "1002";
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup)) {
		TH_LOG("%s", kreg_errmsg());
	}
	EXPECT_EQ(1001, found->uid);
	EXPECT_EQ(1002, found->gid);
	EXPECT_FOUND("0");
	memset(found, 0, sizeof(*found));
	kill(pid_of(self->sup, "w"), SIGSEGV);
	follow(self->sup, &self->record, "+w!w+w");
	EXPECT_FOUND("1");
	chmod("/dev/kreg", st.st_mode & 0777);
}

/* Who may not open the device can be a child that has no tables, and no other. */
TEST_F(child, without_the_device)
{
	struct kreg_child child = obedient("w", KREG_PERMANENT), full = full_child();

	child.main = looks;
	child.user = "1001";
	full.id = "x";
	full.user = "1001";
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &child));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-EACCES, found->ret);
	EXPECT_EQ(-EACCES, kreg_supervisor_start_child(self->sup, &full, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "device"));
	EXPECT_STREQ("+w!x?x", self->record.text);
}

/* On request, and forgotten when it has ended; one that has been stopped stays stopped. */
TEST_F(child, on_request)
{
	struct kreg_child first = obedient("a", KREG_PERMANENT), none = { .size = sizeof(none) };
	struct kreg_child more = obedient("b", KREG_TEMPORARY);
	struct kreg_process process = { 0 };

	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &first));
	EXPECT_EQ(-EEXIST, kreg_supervisor_add(self->sup, &first));
	EXPECT_EQ(-EBUSY, kreg_supervisor_start_child(self->sup, &more, NULL));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-EBUSY, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-EBUSY, kreg_supervisor_add(self->sup, &more));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &more, &process));
	EXPECT_EQ(pid_of(self->sup, "b"), process.pid);
	EXPECT_EQ(-EEXIST, kreg_supervisor_start_child(self->sup, &more, NULL));
	kill(process.pid, SIGKILL);
	follow(self->sup, &self->record, "+a+b!b");
	EXPECT_EQ(0, pid_of(self->sup, "b"));
	none.id = "b";
	EXPECT_EQ(-ENOENT, kreg_supervisor_start_child(self->sup, &none, NULL));
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "b"));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &more, &process));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	none.id = "a";
	EXPECT_EQ(0, kreg_supervisor_start_child(self->sup, &none, &process));
	EXPECT_EQ(pid_of(self->sup, "a"), process.pid);
	EXPECT_STREQ("+a+b!b+b-b!b-a!a+a", self->record.text);
}

static int fails(void *arg)
{
	return 3;
}

TEST_F(child, request_fails)
{
	struct kreg_child bad = obedient("b", KREG_PERMANENT);

	bad.main = fails;
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-ECHILD, kreg_supervisor_start_child(self->sup, &bad, NULL));
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_STREQ("!b?b", self->record.text);
	EXPECT_EQ(0, kreg_supervisor_dispatch(self->sup, 0));
}

TEST_F(child, bad_arguments)
{
	char id[80];
	char *const argv[] = { id, NULL };
	char *const empty[] = { NULL };
	struct kreg_child c, good = obedient("a", KREG_PERMANENT);
	struct kreg_supervisor *sup;

	memset(id, 'x', sizeof(id));
	id[65] = '\0';
#define BAD(member, value, text) do {						\
	c = good;								\
	c.member = value;							\
	EXPECT_EQ(-EINVAL, kreg_supervisor_add(self->sup, &c));			\
	EXPECT_NE(NULL, strstr(kreg_errmsg(), text));				\
} while (0)
	BAD(max_deaths, 65, "of 64 deaths at most");
	BAD(max_deaths, 1, "or neither");
	BAD(deaths_ms, 1, "or neither");
	BAD(id, NULL, "has no id");
	BAD(id, "", "has no id");
	BAD(id, id, "is too long");
	BAD(main, NULL, "has no program");
	BAD(argv, argv, "a program and a function");
	BAD(restart, 3, "no such rule");
	BAD(stop_signal, -1, "no such signal");
	BAD(stop_signal, 65, "no such signal");
	BAD(stop_ms, -3, "is negative");
	BAD(start_ms, -2, "is negative");
	c = good;
	c.main = NULL;
	c.argv = empty;
	EXPECT_EQ(-EINVAL, kreg_supervisor_add(self->sup, &c));
	c = good;
	c.size = 4;
	EXPECT_EQ(-EINVAL, kreg_supervisor_add(self->sup, &c));
	EXPECT_EQ(-EINVAL, kreg_supervisor_new(self->client, "", 0, 3, 5000, &sup));
	EXPECT_EQ(-EINVAL, kreg_supervisor_new(self->client, "a/b", 0, 3, 5000, &sup));
	EXPECT_EQ(-EINVAL, kreg_supervisor_new(self->client, "a", 3, 3, 5000, &sup));
	EXPECT_EQ(-EINVAL, kreg_supervisor_new(self->client, "a", 0,
					       KREG_MAX_RESTARTS + 1, 5000, &sup));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "so many restarts"));
	EXPECT_EQ(-EINVAL, kreg_supervisor_new(self->client, id, 0, 3, 5000, &sup));
	EXPECT_EQ(-EBUSY, kreg_supervisor_new(self->client, self->name, 0, 3, 5000, &sup));
}

static bool is_there(struct kreg_client *client, const char *supervisor)
{
	char name[64];
	struct kreg_stat *stat;

	snprintf(name, sizeof(name), "supervisor.%s", supervisor);
	if (kreg_stat_by_name(client, name, &stat))
		return false;
	kreg_stat_free(stat);
	return true;
}

/* One that is given up before it has started anything leaves no state behind. */
TEST_F(child, never_started)
{
	struct kreg_child good = obedient("a", KREG_PERMANENT);
	struct kreg_supervisor *second;

	EXPECT_EQ(0, kreg_supervisor_add(self->sup, &good));
	EXPECT_TRUE(is_there(self->client, self->name));
	/* Nor does a second one that cannot be, which takes nothing from the first. */
	EXPECT_EQ(-EBUSY, kreg_supervisor_new(self->client, self->name, 0, 3, 5000, &second));
	EXPECT_TRUE(is_there(self->client, self->name));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_FALSE(is_there(self->client, self->name));
}

/* In a child of fork(2) it is the parent's. */
TEST_F(child, forked)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	pid = fork();
	if (!pid) {
		status = kreg_supervisor_dispatch(self->sup, 0) != -ESTALE;
		kreg_supervisor_free(self->sup);
		_exit(status);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, kreg_supervisor_dispatch(self->sup, 0));
}

/* One descriptor tells of everything. */
TEST_F(child, descriptor)
{
	struct kreg_child c = obedient("a", KREG_PERMANENT);
	struct pollfd p = { .events = POLLIN };

	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	while (kreg_supervisor_dispatch(self->sup, 50) > 0)
		;
	p.fd = kreg_supervisor_fd(self->sup);
	EXPECT_EQ(0, poll(&p, 1, 0));
	kill(pid_of(self->sup, "a"), SIGKILL);
	while (!strstr(self->record.text, "!a+a") || poll(&p, 1, 100)) {
		ASSERT_EQ(1, poll(&p, 1, PATIENCE_MS));
		ASSERT_LE(0, kreg_supervisor_dispatch(self->sup, 0));
	}
	EXPECT_STREQ("+a!a+a", self->record.text);
}

/* Only the child itself says that it is ready. */
static int ready_by_another(void *arg)
{
	if (!fork())
		_exit(kreg_ready() != 0);
	for (;;)
		pause();
	return 0;
}

TEST_F(child, ready_of_another)
{
	struct kreg_child c = obedient("a", KREG_PERMANENT);

	c.main = ready_by_another;
	c.start_ms = 500;
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c));
	EXPECT_EQ(-ETIMEDOUT, kreg_supervisor_start(self->sup));
	unsetenv("NOTIFY_SOCKET");
	EXPECT_EQ(0, kreg_ready());
	setenv("NOTIFY_SOCKET", "nonsense", 1);
	EXPECT_EQ(-EINVAL, kreg_ready());
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "has to begin with"));
	setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
	EXPECT_EQ(-ENOENT, kreg_ready());
	EXPECT_STREQ("the socket that NOTIFY_SOCKET names: No such file or directory",
		     kreg_errmsg());
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "look"))
		return look_in_program(argv[2]);
	return test_harness_run(argc, argv);
}

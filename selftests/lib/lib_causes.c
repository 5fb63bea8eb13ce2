// SPDX-License-Identifier: GPL-2.0
/* libkreg: what is not allowed, for several reasons, each of which has a sentence of its own. */
#include "kit/file.h"
#include "lib/cause.h"

#define MAX_PARK	"/sys/module/kreg/parameters/max_park_ms"

static int play(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_process self;
	struct kreg_table *t;

	o.mode = 0666;
	o.access = KREG_ACCESS_PUBLIC;
	o.flags = KREG_OPEN_CREATE;
	switch (letter) {
	case 'o':
		return kreg_table_open(client, name, &o, &t);
	case 'a':
		return kreg_client_set_accept(client, true);
	default:
		return kreg_client_self(client, &self);
	}
}

/* In other namespaces, before the child opens the device. */
static int away(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_client *again;

	return letter == 'n' ? unshare(CLONE_NEWUSER) ? -errno : kreg_client_open(NULL, &again) : 0;
}

TEST_F(lib, causes_of_follow)
{
	struct kreg_table *role, *second, *gone;
	struct kid kid;

	ASSERT_EQ(0, kreg_table_create(self->client, "role", &role));
	ASSERT_EQ(0, kreg_table_create(self->client, "second", &second));
	ASSERT_EQ(0, kreg_table_create(self->client, "gone", &gone));
	EXPECT_CAUSE(EINVAL, "table 'role' is to be its own role", kreg_table_follow(role, role));
	EXPECT_CAUSE(EINVAL, "table 'role' is to be its own role",
		     kreg_table_set_writer(role, role));
	ASSERT_EQ(0, kreg_table_follow(second, role));
	EXPECT_CAUSE(EINVAL, "the role follows another one",
		     kreg_table_follow(self->table, second));
	EXPECT_CAUSE(EINVAL, "other tables follow table 'role'",
		     kreg_table_follow(role, self->table));
	ASSERT_EQ(0, kreg_table_destroy(gone));
	EXPECT_CAUSE(ESTALE, "the role has been destroyed", kreg_table_follow(self->table, gone));
	EXPECT_CAUSE(ESTALE, "the role has been destroyed",
		     kreg_table_set_writer(self->table, gone));
	EXPECT_CAUSE(ESTALE, "table 'gone' has been destroyed", kreg_table_follow(gone, role));
	kreg_table_close(gone);
	ASSERT_EQ(0, kid_start(&kid, play, "others"));
	ASSERT_EQ(0, kid_do(&kid, 'o'));
	ASSERT_EQ(0, kreg_table_open(self->client, "others", NULL, &gone));
	EXPECT_CAUSE(EPERM, "does not own the role", kreg_table_follow(self->table, gone));
	EXPECT_CAUSE(EPERM, "table 'others' belongs to process", kreg_table_follow(gone, role));
	EXPECT_CAUSE(EPERM, "table 'others' belongs to process", kreg_table_set_mode(gone, 0600));
	kreg_table_close(gone);
	kid_kill(&kid);
	ASSERT_EQ(0, kreg_table_destroy(second));
	ASSERT_EQ(0, kreg_table_destroy(role));
	kreg_table_close(second);
	kreg_table_close(role);
}

/* Who may not have the table: each by giving it away, naming an heir, and creating with one. */
static void expect_denied(struct __test_metadata *_metadata, struct kreg_client *client,
			  struct kreg_table *table, struct kreg_process to, const char *text)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *t;

	o.flags = KREG_OPEN_CREATE;
	o.heir = to;
	EXPECT_CAUSE(EPERM, text, kreg_table_give(table, &to, NULL, 0));
	EXPECT_CAUSE(EPERM, text, kreg_table_set_heir(table, &to, NULL, 0, 0));
	EXPECT_CAUSE(EPERM, text, kreg_table_open(client, NULL, &o, &t));
}

TEST_F(lib, causes_of_receivers)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_process process;
	struct kreg_table *theirs;
	struct kid kid, far;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kid_start(&kid, play, "none"));
	ASSERT_EQ(0, kreg_process_find(self->client, kid.pid, &process));
	ASSERT_EQ(0, kreg_table_create(other, "theirs", &theirs));
	expect_denied(_metadata, other, theirs, process, "must accept tables first");
	ASSERT_EQ(0, kid_do(&kid, 'a'));
	EXPECT_EQ(0, kreg_table_give(theirs, &process, NULL, 0));
	kid_kill(&kid);
	ASSERT_EQ(0, kid_start(&far, away, "none"));
	ASSERT_EQ(0, kid_do(&far, 'c'));
	ASSERT_EQ(0, kid_do(&far, 'n'));
	ASSERT_EQ(0, kreg_process_find(self->client, far.pid, &process));
	expect_denied(_metadata, self->client, self->table, process, "is in other user or pid");
	kid_kill(&far);
	kreg_table_close(theirs);
	kreg_client_close(other);
}

TEST_F(lib, causes_of_parking)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	const char *text = "may not have table 'theirs' parked";
	struct kreg_table *theirs, *role, *t;
	char before[32];

	ASSERT_NE(NULL, other);
	ASSERT_LT(0, test_read_file(MAX_PARK, before, sizeof(before)));
	ASSERT_EQ(0, kreg_table_create(other, "theirs", &theirs));
	ASSERT_EQ(0, kreg_table_create(other, "role", &role));
	ASSERT_EQ(0, test_write_file(MAX_PARK, "0"));
	o.flags = KREG_OPEN_CREATE;
	o.orphan = KREG_ORPHAN_PARK;
	EXPECT_CAUSE(EPERM, "may not have table 'new' parked",
		     kreg_table_open(other, "new", &o, &t));
	EXPECT_CAUSE(EPERM, text, kreg_table_park(theirs));
	EXPECT_CAUSE(EPERM, text, kreg_table_set_orphan(theirs, KREG_ORPHAN_PARK, 0));
	EXPECT_CAUSE(EPERM, text, kreg_table_set_limit(theirs, 1, 1000));
	EXPECT_CAUSE(EPERM, text, kreg_table_follow(theirs, role));
	EXPECT_EQ(0, test_write_file(MAX_PARK, before));
	/* The same errno, and nothing of that. */
	ASSERT_EQ(0, kreg_table_set_access(theirs, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kreg_table_open(self->client, "theirs", NULL, &t));
	EXPECT_CAUSE(EPERM, "but under another user", kreg_table_park(t));
	kreg_table_close(t);
	kreg_table_close(role);
	kreg_table_close(theirs);
	kreg_client_close(other);
}

/* Whose process it is, and not whose table. */
TEST_F(lib, causes_of_registering)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_register_options o = { .size = sizeof(o) };
	struct kreg_holder holder = { .size = 1 };
	struct kreg_process process;
	struct kreg_table *t;
	struct kid kid;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0666));
	ASSERT_EQ(0, kid_start(&kid, play, "none"));
	ASSERT_EQ(0, kreg_process_find(self->client, kid.pid, &process));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &t));
	o.process = &process;
	EXPECT_CAUSE(EPERM, "is another user's", kreg_register_with(t, "k", 1, "", 0, &o, NULL));
	EXPECT_CAUSE(EPERM, "is another user's",
		     kreg_register_or_get(t, &process, "k", 1, "", 0, NULL));
	EXPECT_CAUSE(EPERM, "is another user's",
		     kreg_register_wait(t, "k", 1, "", 0, &o, 0, NULL));
	EXPECT_CAUSE(EINVAL, "the holder does not tell its size",
		     kreg_register_with(t, "k", 1, "", 0, &o, &holder));
	EXPECT_CAUSE(EINVAL, "the holder does not tell its size",
		     kreg_whereis(t, "k", 1, &holder));
	kid_kill(&kid);
	kreg_table_close(t);
	kreg_client_close(other);
}

/* Whether it is anything else than this, if something is said. */
static bool is_no_denial(const char *text, int ret, const char *call)
{
	if (!text || (ret == -EACCES && strstr(kreg_errmsg(), text)))
		return false;
	printf("# %s: %d, %s\n", call, ret, kreg_errmsg());
	return true;
}

/* In a child of another user, since the process that has made it owns the table. */
static int expect_no_access(const char *name, const char *write, const char *read)
{
	struct kreg_client *client;
	struct kreg_table *t;
	struct kreg_lock *lock;
	char room[8];
	int64_t now;

	if (setresuid(OTHER, OTHER, OTHER) || kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, name, NULL, &t))
		return 1;
#define NO_ACCESS(text, call)	is_no_denial(text, call, #call)
	return NO_ACCESS(write, kreg_put(t, "k", 1, "v", 1)) ||
	       NO_ACCESS(write, kreg_lock(t, "k", 1, 0, &lock)) ||
	       NO_ACCESS(write, kreg_notify(t, NULL, 0, "x", 1)) ||
	       NO_ACCESS(write ? write : read, kreg_counter_add(t, "n", 1, 1, &now)) ||
	       NO_ACCESS(read, kreg_wait(t, "n", 1, KREG_WATCH_PRESENT, 0, 0)) ||
	       NO_ACCESS(read, kreg_get(t, "n", 1, room, sizeof(room), NULL));
#undef NO_ACCESS
}

static int no_access(const char *name, const char *write, const char *read)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		status = expect_no_access(name, write, read);
		fflush(stdout);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* By the mode, by the rule of owners, and by that of registries. */
TEST_F(lib, causes_of_access)
{
	static const struct {
		unsigned int access, mode;
		const char *write, *read;
	} cases[] = {
		{ KREG_ACCESS_PROTECTED, 0666, "is written only by its owner, process", NULL },
		{ KREG_ACCESS_PRIVATE, 0666, "is written only by its owner, process",
		  "is private to its owner, process" },
		{ KREG_ACCESS_PUBLIC, 0644, "the mode of table", NULL },
		{ KREG_ACCESS_PUBLIC, 0622, NULL, "the mode of table" },
		{ KREG_ACCESS_PROTECTED, 0644, "the mode of table", NULL },
		{ KREG_ACCESS_REGISTRY, 0644, "the mode of table", NULL },
	};
	struct stat st;
	int64_t now;
	size_t i;

	ASSERT_EQ(0, stat("/dev/kreg", &st));
	ASSERT_EQ(0, kreg_counter_add_from(self->table, "n", 1, 1, 0, &now));
	ASSERT_EQ(0, chmod("/dev/kreg", 0666));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(0, kreg_table_set_access(self->table, cases[i].access));
		EXPECT_EQ(0, kreg_table_set_mode(self->table, cases[i].mode));
		EXPECT_EQ(0, no_access(self->name, cases[i].write, cases[i].read)) {
			TH_LOG("case %zu", i);
		}
	}
	EXPECT_EQ(0, chmod("/dev/kreg", st.st_mode & 0777));
}

static int write_unbound(const char *name)
{
	struct kreg_client *client;
	struct kreg_table *t;

	if (setresuid(OTHER, OTHER, OTHER) || kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, name, NULL, &t) || kreg_register(t, "k", 1, "v", 1))
		return 1;
	return kreg_put(t, "n", 1, "v", 1) != -EACCES || !strstr(kreg_errmsg(), "a registry");
}

/* Everybody may write there, but not everything. */
TEST_F(lib, causes_in_registries)
{
	struct stat st;
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, stat("/dev/kreg", &st));
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0666));
	ASSERT_EQ(0, chmod("/dev/kreg", 0666));
	pid = fork();
	if (!pid)
		_exit(write_unbound(self->name));
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, chmod("/dev/kreg", st.st_mode & 0777));
}

/* A child opens the device again: where it may not, and where there is none. */
static int use_without_device(struct kreg_client *client, struct kreg_table *t, bool hidden)
{
	const char *text = hidden ? "there is no /dev/kreg" : "no permission for /dev/kreg";
	int err = hidden ? -ENOENT : -EACCES;
	const struct kreg_event *event;

	if (hidden ? chroot("/proc") || chdir("/") : setresuid(OTHER, OTHER, OTHER))
		return 1;
	if (kreg_put(t, "k", 1, "v", 1) != err || !says(text))
		return 2;
	if (kreg_event_next(client, 0, &event) != err || !says(text))
		return 3;
	return kreg_table_open(client, "other", NULL, &t) != err || !says(text) ? 4 : 0;
}

TEST_F(lib, causes_in_children)
{
	struct stat st;
	int status, i;
	pid_t pid;

	ASSERT_EQ(0, stat("/dev/kreg", &st));
	ASSERT_EQ(0, chmod("/dev/kreg", 0600));
	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			status = use_without_device(self->client, self->table, i);
			fflush(stdout);
			_exit(status);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, chmod("/dev/kreg", st.st_mode & 0777));
}

TEST_HARNESS_MAIN

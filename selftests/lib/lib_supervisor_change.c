// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors that get another list of children while these run. */
#include "lib/supervisor.h"

static const char *const ids[] = { "a", "b", "c", "d" };

static int other_main(void *arg)
{
	return obey(arg);
}

/* A letter is a child as it is at first, a capital one that is changed. */
static size_t children_of(const char *letters, struct kreg_child *children)
{
	static char *const env[] = { "CHANGED=1", NULL };
	size_t n;

	for (n = 0; letters[n]; n++) {
		children[n] = obedient(ids[(letters[n] | 0x20) - 'a'], KREG_PERMANENT);
		if (letters[n] < 'a')
			children[n].env = env;
	}
	return n;
}

static int change(struct kreg_supervisor *sup, const char *letters)
{
	struct kreg_child children[8];
	size_t n = children_of(letters, children);

	return kreg_supervisor_change(sup, KREG_ONE_FOR_ONE, 3, 60000, children, n);
}

static int start_with(struct kreg_supervisor *sup, const char *letters)
{
	struct kreg_child children[8];
	size_t n = children_of(letters, children), i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = kreg_supervisor_add(sup, &children[i]);
	return ret ? ret : kreg_supervisor_start(sup);
}

static const struct {
	const char *before, *after, *expected, *stops;
} cases[] = {
	{ "abc", "abc", "", "-c!c-b!b-a!a" },
	{ "abc", "ab", "-c!c", "-b!b-a!a" },
	{ "abc", "bc", "-a!a", "-c!c-b!b" },
	{ "ab", "abc", "+c", "-c!c-b!b-a!a" },
	{ "bc", "abc", "+a", "-c!c-b!b-a!a" },
	{ "abc", "aBc", "-b!b+b", "-c!c-b!b-a!a" },
	{ "abc", "ABC", "-c!c-b!b-a!a+a+b+c", "-c!c-b!b-a!a" },
	{ "abc", "cba", "", "-a!a-b!b-c!c" },
	{ "abc", "daC", "-b!b-c!c+d+c", "-c!c-a!a-d!d" },
	{ "abc", "d", "-c!c-b!b-a!a+d", "-d!d" },
};

TEST_F(sup, cases)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
				  &self->record));
		ASSERT_EQ(0, start_with(self->sup, cases[i].before));
		self->record.text[0] = '\0';
		ASSERT_EQ(0, change(self->sup, cases[i].after));
		follow(self->sup, &self->record, cases[i].expected);
		EXPECT_STREQ(cases[i].expected, self->record.text) {
			TH_LOG("%s to %s", cases[i].before, cases[i].after);
		}
		self->record.text[0] = '\0';
		kreg_supervisor_free(self->sup);
		self->sup = NULL;
		EXPECT_STREQ(cases[i].stops, self->record.text);
	}
}

/* A child that is changed is stopped by the signal of before. */
TEST_F(sup, signal_of_before)
{
	struct kreg_child c = obedient("a", KREG_PERMANENT);

	c.stop_signal = EXIT_3;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	c.stop_signal = SIGKILL;
	c.main = other_main;
	ASSERT_EQ(0, kreg_supervisor_change(self->sup, KREG_ONE_FOR_ONE, 3, 60000, &c, 1));
	follow(self->sup, &self->record, "+a-a!a+a");
	EXPECT_STREQ("+a-a!a+a", self->record.text);
	EXPECT_EQ(3, WEXITSTATUS(self->record.status));
}

TEST_F(sup, errors_change_nothing)
{
	struct kreg_child c = obedient("a", KREG_PERMANENT), two[2];

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	EXPECT_EQ(-EBUSY, change(self->sup, "a"));
	ASSERT_EQ(0, start_with(self->sup, "ab"));
	EXPECT_EQ(-EEXIST, change(self->sup, "aa"));
	EXPECT_EQ(-EINVAL, kreg_supervisor_change(self->sup, 3, 3, 5000, &c, 1));
	two[0] = c;
	two[1] = obedient("", KREG_PERMANENT);
	EXPECT_EQ(-EINVAL, kreg_supervisor_change(self->sup, 0, 3, 5000, two, 2));
	follow(self->sup, &self->record, "+a+b");
	EXPECT_STREQ("+a+b", self->record.text);
}

/* One on request goes on, and one that was stopped stays so. */
TEST_F(sup, requests_are_kept)
{
	struct kreg_child d = obedient("d", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, start_with(self->sup, "ab"));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &d, NULL));
	ASSERT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	ASSERT_EQ(0, change(self->sup, "aBc"));
	follow(self->sup, &self->record, "+a+b+d-b!b+c");
	EXPECT_STREQ("+a+b+d-b!b+c", self->record.text);
}

/* One on request that comes into the list is one of the list, and goes with it. */
TEST_F(sup, request_is_listed)
{
	struct kreg_child d = obedient("d", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, start_with(self->sup, "a"));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &d, NULL));
	ASSERT_EQ(0, change(self->sup, "ad"));
	ASSERT_EQ(0, change(self->sup, "a"));
	follow(self->sup, &self->record, "+a+d-d!d");
	EXPECT_STREQ("+a+d-d!d", self->record.text);
}

static struct kreg_process owner_of(struct kreg_client *client, const char *name)
{
	struct kreg_process process = { 0, 0, 0 };
	struct kreg_stat *stat;

	if (kreg_stat_by_name(client, name, &stat))
		return process;
	process = kreg_stat_owner(stat);
	kreg_stat_free(stat);
	return process;
}

static void destroy_named(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;

	if (kreg_table_open(client, name, NULL, &table))
		return;
	kreg_table_destroy(table);
	kreg_table_close(table);
}

/* Tables go from one child to another, or back to the supervisor. */
TEST_F(sup, tables_move)
{
	static const char *const one[] = { "moves", NULL };
	static const char *const two[] = { "moves", "stays", NULL };
	struct kreg_child c[2] = {
		obedient("a", KREG_PERMANENT), obedient("b", KREG_PERMANENT),
	};

	c[0].tables = two;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c[0]));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c[1]));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(pid_of(self->sup, "a"), owner_of(self->client, "moves").pid);
	c[0].tables = NULL;
	c[1].tables = one;
	ASSERT_EQ(0, kreg_supervisor_change(self->sup, KREG_ONE_FOR_ONE, 3, 60000, c, 2));
	follow(self->sup, &self->record, "+a+b-b!b-a!a+a+b");
	EXPECT_STREQ("+a+b-b!b-a!a+a+b", self->record.text);
	EXPECT_EQ(pid_of(self->sup, "b"), owner_of(self->client, "moves").pid);
	EXPECT_EQ(getpid(), owner_of(self->client, "stays").pid);
	ASSERT_EQ(0, kreg_supervisor_change(self->sup, KREG_ONE_FOR_ONE, 3, 60000, c, 1));
	follow(self->sup, &self->record, "+a+b-b!b-a!a+a+b-b!b");
	EXPECT_EQ(getpid(), owner_of(self->client, "moves").pid);
	destroy_named(self->client, "moves");
	destroy_named(self->client, "stays");
}

TEST_HARNESS_MAIN

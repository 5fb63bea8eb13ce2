// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors whose table cannot be written to for a while. */
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/supervisor.h"

/* As the kernel answers that has no memory. */
static bool refuses;

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (refuses && request == KREG_IOC_BATCH) {
		errno = ENOMEM;
		return -1;
	}
	return syscall(SYS_ioctl, fd, request, arg);
}

static bool is_wanted(struct kreg_supervisor *sup, const char *id, const char *want)
{
	char key[80], text[512] = "";
	int len = snprintf(key, sizeof(key), "child/%s", id);

	return !kreg_get(kreg_supervisor_table(sup), key, len, text, sizeof(text) - 1, NULL) &&
	       !strncmp(text, want, strlen(want));
}

static bool is_known(struct kreg_supervisor *sup, const char *kind, const char *id)
{
	char key[80];
	int len = snprintf(key, sizeof(key), "%s/%s", kind, id);

	return !kreg_member(kreg_supervisor_table(sup), key, len);
}

#define sup_data	FIXTURE_DATA(sup)

/* The children "a", which is started again as @restart says, and "b". */
static void start_two(struct __test_metadata *_metadata, sup_data *self, int restart)
{
	struct kreg_child a = obedient("a", restart), b = obedient("b", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &b));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
}

/* What is wanted of a child is written with the next change of another one, if not before. */
TEST_F(sup, written_later)
{
	start_two(_metadata, self, KREG_PERMANENT);
	refuses = true;
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	refuses = false;
	EXPECT_NE(NULL, strchr(self->record.text, 'X'));
	EXPECT_TRUE(is_wanted(self->sup, "a", "want=run "));
	self->record.text[0] = '\0';
	kill(pid_of(self->sup, "b"), SIGKILL);
	follow(self->sup, &self->record, "!b+b");
	EXPECT_STREQ("!b+b", self->record.text);
	EXPECT_TRUE(is_wanted(self->sup, "a", "want=stop "));
}

/* So is the entry of a process that has died removed, which would count once more. */
TEST_F(sup, death_written_later)
{
	start_two(_metadata, self, KREG_TEMPORARY);
	refuses = true;
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "!a");
	EXPECT_TRUE(is_known(self->sup, "run", "a"));
	refuses = false;
	kill(pid_of(self->sup, "b"), SIGKILL);
	follow(self->sup, &self->record, "!b+b");
	EXPECT_FALSE(is_known(self->sup, "run", "a"));
	EXPECT_TRUE(is_known(self->sup, "run", "b"));
	EXPECT_TRUE(is_wanted(self->sup, "a", "want=ended "));
}

/* So is it that a child on request is not to be known any more, or is once more. */
TEST_F(sup, forgotten_later)
{
	struct kreg_child c[] = {
		obedient("a", KREG_PERMANENT), obedient("b", KREG_PERMANENT),
		obedient("c", KREG_PERMANENT),
	};
	size_t i;

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	for (i = 0; i < ARRAY_SIZE(c); i++)
		ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &c[i], NULL));
	refuses = true;
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "a"));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "a"));
	EXPECT_TRUE(is_known(self->sup, "spec", "a"));
	refuses = false;
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &c[1], NULL));
	EXPECT_FALSE(is_known(self->sup, "child", "a"));
	EXPECT_FALSE(is_known(self->sup, "spec", "a"));
	EXPECT_TRUE(is_known(self->sup, "child", "b"));
	EXPECT_TRUE(is_known(self->sup, "spec", "b"));
	EXPECT_TRUE(is_known(self->sup, "spec", "c"));
}

/* The entry of a process is not that of the one before it under the same id. */
TEST_F(sup, started_while_unsaved)
{
	struct kreg_child a = obedient("a", KREG_TEMPORARY), b = obedient("b", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &a, NULL));
	refuses = true;
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "+a!a");
	EXPECT_EQ(0, kreg_supervisor_start_child(self->sup, &a, NULL));
	EXPECT_TRUE(is_known(self->sup, "run", "a"));
	refuses = false;
	EXPECT_EQ(0, kreg_supervisor_start_child(self->sup, &b, NULL));
	EXPECT_TRUE(is_known(self->sup, "run", "a"));
	EXPECT_TRUE(is_known(self->sup, "run", "b"));
}

/* A death counts although its child runs again when that can be written. */
TEST_F(sup, counted_later)
{
	start_two(_metadata, self, KREG_PERMANENT);
	refuses = true;
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "!a+a");
	refuses = false;
	EXPECT_NE(0, kreg_member(kreg_supervisor_table(self->sup), "restarts", 8));
	EXPECT_EQ(0, kreg_supervisor_stop_child(self->sup, "b"));
	EXPECT_EQ(0, kreg_member(kreg_supervisor_table(self->sup), "restarts", 8));
}

/* A child on request that could not be kept is not started, and is in the way of no other. */
TEST_F(sup, too_long_to_be_kept)
{
	static char variable[KREG_MAX_VALUE];
	static char *const env[] = { variable, NULL };
	struct kreg_child a = obedient("a", KREG_PERMANENT), c = obedient("c", KREG_PERMANENT);

	memset(variable, 'V', sizeof(variable) - 1);
	variable[1] = '=';
	c.env = env;
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-EFBIG, kreg_supervisor_start_child(self->sup, &c, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "at most 1048576 bytes are kept")) {
		TH_LOG("%s", kreg_errmsg());
	}
	EXPECT_EQ(-ENOENT, kreg_supervisor_stop_child(self->sup, "c"));
	ASSERT_EQ(0, kreg_supervisor_start_child(self->sup, &a, NULL));
	EXPECT_TRUE(is_wanted(self->sup, "a", "want=run "));
	/* Some of that is what else there is to be kept. */
	variable[sizeof(variable) - 300] = '\0';
	EXPECT_EQ(0, kreg_supervisor_start_child(self->sup, &c, NULL));
	EXPECT_TRUE(is_wanted(self->sup, "c", "want=run "));
	EXPECT_STREQ("+a+c", self->record.text);
	/* One of the list is not kept, and may be as long as it likes. */
	kreg_supervisor_free(self->sup);
	variable[sizeof(variable) - 300] = 'V';
	self->record.text[0] = '\0';
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_STREQ("+c", self->record.text);
}

TEST_HARNESS_MAIN

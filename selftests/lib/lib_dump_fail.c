// SPDX-License-Identifier: GPL-2.0
/* libkreg: dumps and restores that fail, or are killed, leave nothing behind. */
#include <sys/resource.h>

#include "kit/file.h"
#include "lib/dump.h"

#define PARAMETERS	"/sys/module/kreg/parameters/"

FIXTURE(dump_fail)
{
	struct kreg_client *client;
	struct kreg_table *table;
	int fd;				/* a dump of it */
};

FIXTURE_SETUP(dump_fail)
{
	char value[1000] = "";
	unsigned int n;

	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = dump_new_table(self->client, "dumped", KREG_TYPE_SET);
	ASSERT_NE(NULL, self->table);
	for (n = 0; n < 5000; n++)
		ASSERT_EQ(0, kreg_put(self->table, &n, sizeof(n), value, sizeof(value)));
	self->fd = dump_table(self->table, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(dump_fail)
{
	close(self->fd);
	dump_drop_table(self->table);
	kreg_client_close(self->client);
}

TEST_F(dump_fail, taken)
{
	struct kreg_table *copy;
	uint64_t n;

	EXPECT_EQ(-EEXIST, dump_restore(self->client, self->fd, NULL, &copy));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "table 'dumped' exists already"));
	EXPECT_EQ(-EEXIST, dump_restore(self->client, self->fd, "dumped", &copy));
	EXPECT_EQ(-EINVAL, dump_restore(self->client, self->fd, "", &copy));
	EXPECT_STREQ("the name is empty", kreg_errmsg());
	ASSERT_EQ(0, kreg_count(self->table, &n));
	EXPECT_EQ(5000, n);
}

static int cancel_at(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	return stage == *(unsigned int *)arg;
}

TEST_F(dump_fail, cancelled)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct kreg_restore_options r = KREG_RESTORE_OPTIONS_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	struct kreg_table *copy;
	unsigned int stage = KREG_DUMP_WRITING;

	o.progress = cancel_at;
	o.arg = &stage;
	EXPECT_EQ(-ECANCELED, kreg_dump(self->table, fd, &o, NULL));
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(-EBADMSG, kreg_dump_info(fd, &info));
	r.name = "copy";
	r.progress = cancel_at;
	r.arg = &stage;
	for (stage = KREG_DUMP_VERIFYING; stage <= KREG_DUMP_LOADING; stage++) {
		lseek(self->fd, 0, SEEK_SET);
		EXPECT_EQ(-ECANCELED, kreg_restore(self->client, self->fd, &r, &copy));
		EXPECT_STREQ("the program did not want to go on", kreg_errmsg());
		EXPECT_TRUE(dump_none(self->client, "copy"));
	}
	close(fd);
}

/* Stops when a part was loaded. */
static int stop_at_loading(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	if (stage == KREG_DUMP_LOADING)
		raise(SIGSTOP);
	return 0;
}

static void restore_and_stop(int fd)
{
	struct kreg_restore_options r = KREG_RESTORE_OPTIONS_INIT;
	struct kreg_client *client;
	struct kreg_table *copy;

	r.name = "copy";
	r.progress = stop_at_loading;
	lseek(fd, 0, SEEK_SET);
	_exit(kreg_client_open(NULL, &client) || kreg_restore(client, fd, &r, &copy));
}

TEST_F(dump_fail, killed)
{
	struct kreg_table *copy;
	struct kreg_stat *stat;
	int status;
	char value;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		restore_and_stop(self->fd);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	/* There it is, with a part of its objects, and nobody gets at them. */
	ASSERT_EQ(0, kreg_table_open(self->client, "copy", NULL, &copy));
	ASSERT_EQ(0, kreg_table_stat(copy, &stat));
	EXPECT_LT(0, kreg_stat_objects(stat));
	EXPECT_GT(5000, kreg_stat_objects(stat));
	EXPECT_EQ(KREG_ACCESS_PRIVATE, kreg_stat_access(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(-EACCES, kreg_get(copy, "\0\0\0\0", 4, &value, 1, NULL));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(dump_none(self->client, "copy"));
	kreg_table_close(copy);
}

TEST_F(dump_fail, options)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct kreg_restore_options r = KREG_RESTORE_OPTIONS_INIT;
	struct kreg_dump_info info = { 0 };
	struct kreg_table *copy;

	o.flags = 1u << 31;
	EXPECT_EQ(-EOPNOTSUPP, kreg_dump(self->table, self->fd, &o, NULL));
	EXPECT_STREQ("a flag of the dump is not known", kreg_errmsg());
	o.flags = 0;
	o.level = 3;
	EXPECT_EQ(-EINVAL, kreg_dump(self->table, self->fd, &o, NULL));
	EXPECT_STREQ("a level goes with KREG_DUMP_COMPRESS alone", kreg_errmsg());
	o.flags = KREG_DUMP_COMPRESS;
	o.level = 23;
	EXPECT_EQ(-EINVAL, kreg_dump(self->table, self->fd, &o, NULL));
	EXPECT_STREQ("zstd has no such level: they go from 1 to 22", kreg_errmsg());
	o.level = -1;
	EXPECT_EQ(-EINVAL, kreg_dump(self->table, self->fd, &o, NULL));
	o.size = 0;
	EXPECT_EQ(-EINVAL, kreg_dump(self->table, self->fd, &o, NULL));
	EXPECT_EQ(-EINVAL, kreg_dump(self->table, self->fd, NULL, &info));
	EXPECT_EQ(-EINVAL, kreg_dump_info(self->fd, &info));
	r.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_restore(self->client, self->fd, &r, &copy));
	EXPECT_STREQ("a flag of the restore is not known", kreg_errmsg());
}

TEST_F(dump_fail, descriptors)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
	struct kreg_table *copy;

	EXPECT_EQ(-ENOSPC, kreg_dump(self->table, full, NULL, NULL));
	EXPECT_STREQ("the dump cannot be written: No space left on device", kreg_errmsg());
	EXPECT_EQ(-EBADF, kreg_dump_info(full, &info));
	EXPECT_STREQ("the dump cannot be read: Bad file descriptor", kreg_errmsg());
	close(full);
	EXPECT_EQ(-EBADF, kreg_dump(self->table, full, NULL, NULL));
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	close(ends[0]);
	EXPECT_EQ(-EPIPE, kreg_dump(self->table, ends[1], NULL, NULL));
	close(ends[1]);
	/* What comes through a pipe has to be put somewhere. */
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	setenv("TMPDIR", "/nowhere", 1);
	EXPECT_EQ(-ENOENT, kreg_restore(self->client, ends[0], NULL, &copy));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "no file can be made in /nowhere"));
	unsetenv("TMPDIR");
	close(ends[0]);
	close(ends[1]);
}

/* There is less room for what comes through a pipe than it needs. */
TEST_F(dump_fail, too_little_room)
{
	struct rlimit before, little;
	struct kreg_table *copy;
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		close(ends[0]);
		_exit(kreg_dump(self->table, ends[1], NULL, NULL) != 0);
	}
	close(ends[1]);
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	little = before;
	little.rlim_cur = 100000;
	setenv("TMPDIR", "/tmp/", 1);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	EXPECT_EQ(-EFBIG, kreg_restore(self->client, ends[0], NULL, &copy));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_STREQ("what comes through the pipe cannot be kept in /tmp/: File too large; set TMPDIR, or restore from a file",
		     kreg_errmsg());
	unsetenv("TMPDIR");
	close(ends[0]);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Goes on when the table is not pinned any more. */
static int wait_for_unpinned(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	struct kreg_stat *stat;
	uint64_t pins;

	do {
		if (kreg_table_stat(arg, &stat))
			return 1;
		pins = kreg_stat_pins(stat);
		kreg_stat_free(stat);
	} while (pins);
	return 0;
}

/* It takes longer than a pin may. */
TEST_F(dump_fail, pin_ends)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	char before[32];

	o.progress = wait_for_unpinned;
	o.arg = self->table;
	ASSERT_LT(0, test_read_file(PARAMETERS "max_pin_ms", before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(PARAMETERS "max_pin_ms", "500"));
	EXPECT_EQ(-ESTALE, kreg_dump(self->table, fd, &o, &info));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the pin of table 'dumped' has ended"));
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), info.file_bytes);
	EXPECT_EQ(0, test_write_file(PARAMETERS "max_pin_ms", before));
	/* What was written until then is no dump. */
	EXPECT_LT(0, lseek(fd, 0, SEEK_END));
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(-EBADMSG, kreg_dump_info(fd, &info));
	close(fd);
}

/* The table is more than its user may have, and there is no part of it then. */
TEST_F(dump_fail, too_much)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_table *copy;
	char before[32];

	ASSERT_NE(NULL, other);
	ASSERT_LT(0, test_read_file(PARAMETERS "max_user_bytes", before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(PARAMETERS "max_user_bytes", "2000000"));
	EXPECT_EQ(-EDQUOT, dump_restore(other, self->fd, "copy", &copy));
	EXPECT_EQ(0, test_write_file(PARAMETERS "max_user_bytes", before));
	EXPECT_TRUE(dump_none(self->client, "copy"));
	ASSERT_EQ(0, dump_restore(other, self->fd, "copy", &copy));
	dump_drop_table(copy);
	kreg_client_close(other);
}

/* The administrator allows shorter batches than the library makes at most. */
TEST_F(dump_fail, lower_limits)
{
	static const char *const names[] = {
		PARAMETERS "max_batch_ops", PARAMETERS "max_batch_bytes",
	};
	static const char *const limits[] = { "70", "5000" };
	struct kreg_table *copy;
	char before[32];
	uint64_t n;
	int i, ret;

	for (i = 0; i < 2; i++) {
		ASSERT_LT(0, test_read_file(names[i], before, sizeof(before)));
		ASSERT_EQ(0, test_write_file(names[i], limits[i]));
		ret = dump_restore(self->client, self->fd, "copy", &copy);
		EXPECT_EQ(0, test_write_file(names[i], before));
		ASSERT_EQ(0, ret);
		EXPECT_EQ(0, kreg_count(copy, &n));
		EXPECT_EQ(5000, n);
		dump_drop_table(copy);
	}
}

/* Who may not read the table, and a table that is gone. */
TEST_F(dump_fail, rights)
{
	struct kreg_client *other = open_as_other(0666);
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	struct kreg_table *seen, *gone;

	ASSERT_NE(NULL, other);
	info.file_bytes = 7;
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PRIVATE));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, kreg_table_open(other, "dumped", NULL, &seen));
	EXPECT_EQ(-EACCES, kreg_dump(seen, self->fd, NULL, &info));
	/* Nothing was written, which says that it may be tried again. */
	EXPECT_EQ(0, info.file_bytes);
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "but under another user than that of this client"));
	kreg_table_close(seen);
	kreg_client_close(other);
	gone = dump_new_table(self->client, "gone", KREG_TYPE_SET);
	ASSERT_NE(NULL, gone);
	ASSERT_EQ(0, kreg_table_destroy(gone));
	EXPECT_EQ(-ESTALE, kreg_dump(gone, self->fd, NULL, NULL));
	kreg_table_close(gone);
}

static int make_private(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	return kreg_table_set_access(arg, KREG_ACCESS_PRIVATE);
}

/* In the middle of a dump: it says so, and that there is a part of it. */
TEST_F(dump_fail, turned_private)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct kreg_client *other = open_as_other(0666);
	struct kreg_table *seen;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, kreg_table_open(other, "dumped", NULL, &seen));
	o.progress = make_private;
	o.arg = self->table;
	EXPECT_EQ(-EACCES, kreg_dump(seen, fd, &o, &info));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "but under another user than that of this client"));
	EXPECT_LT(0, info.file_bytes);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), info.file_bytes);
	kreg_table_close(seen);
	kreg_client_close(other);
	close(fd);
}

/* Writes into what was verified and is to be loaded. */
static int overwrite(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	if (stage == KREG_DUMP_LOADING &&
	    pwrite(*(int *)arg, "!", 1, lseek(*(int *)arg, 0, SEEK_END) - 100) != 1)
		return 1;
	return 0;
}

/* The position is that of the descriptor by which it is read, so this is another one. */
TEST_F(dump_fail, written_to_meanwhile)
{
	struct kreg_restore_options r = KREG_RESTORE_OPTIONS_INIT;
	struct kreg_table *copy;
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, again);
	r.name = "copy";
	r.progress = overwrite;
	r.arg = &again;
	lseek(self->fd, 0, SEEK_SET);
	EXPECT_EQ(-EBADMSG, kreg_restore(self->client, self->fd, &r, &copy));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "another checksum"));
	EXPECT_TRUE(dump_none(self->client, "copy"));
	close(again);
}

TEST_HARNESS_MAIN

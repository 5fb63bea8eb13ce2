// SPDX-License-Identifier: GPL-2.0
/* libkreg: tables in files and pipes. */
#include "lib/dump.h"

#define MANY	10000

FIXTURE(dump)
{
	struct kreg_client *client;
	struct kreg_table *table;	/* of the tests that need no other type */
	struct kreg_table *copy;
};

FIXTURE_SETUP(dump)
{
	self->copy = NULL;
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = dump_new_table(self->client, "dumped", KREG_TYPE_SET);
	ASSERT_NE(NULL, self->table);
}

FIXTURE_TEARDOWN(dump)
{
	if (self->copy)
		dump_drop_table(self->copy);
	dump_drop_table(self->table);
	kreg_client_close(self->client);
}

static int put_number(struct kreg_table *table, unsigned int n, size_t len)
{
	char key[16], value[1024];

	memset(value, n, sizeof(value));
	memcpy(value, &n, sizeof(n));
	snprintf(key, sizeof(key), "%u", n);
	return kreg_put(table, key, strlen(key), value, len);
}

static int put_numbers(struct kreg_table *table, unsigned int count, size_t len)
{
	unsigned int n;
	int ret = 0;

	for (n = 0; !ret && n < count; n++)
		ret = put_number(table, n, len);
	return ret;
}

/* Objects of a type, a key with several of them if it may have that; the order is no other's. */
static int fill(struct kreg_table *table)
{
	static const char *const values[] = { "zwei", "eins", "eins", "" };
	unsigned int n;
	int ret = 0;

	for (n = 0; !ret && n < 20; n++)
		ret = kreg_put(table, n % 5 ? "key" : "k\0y", 3, values[n % 4],
			       strlen(values[n % 4]));
	return ret ? ret : put_numbers(table, 100, 4);
}

FIXTURE(types)
{
	struct kreg_client *client;
	struct kreg_table *table;
};

FIXTURE_VARIANT(types)
{
	unsigned int type;
	unsigned int flags;
	int objects;
};

FIXTURE_VARIANT_ADD(types, set) { KREG_TYPE_SET, 0, 102 };
FIXTURE_VARIANT_ADD(types, ordered) { KREG_TYPE_ORDERED_SET, 0, 102 };
FIXTURE_VARIANT_ADD(types, bag) { KREG_TYPE_BAG, 0, 106 };
FIXTURE_VARIANT_ADD(types, duplicate) { KREG_TYPE_DUPLICATE_BAG, 0, 120 };
FIXTURE_VARIANT_ADD(types, packed) { KREG_TYPE_DUPLICATE_BAG, KREG_DUMP_COMPRESS, 120 };

FIXTURE_SETUP(types)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = dump_new_table(self->client, "typed", variant->type);
	ASSERT_NE(NULL, self->table);
}

FIXTURE_TEARDOWN(types)
{
	dump_drop_table(self->table);
	kreg_client_close(self->client);
}

TEST_F(types, same)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	struct kreg_table *copy;
	int fd;

	ASSERT_EQ(0, fill(self->table));
	fd = dump_table(self->table, variant->flags);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_dump_info(fd, &info));
	EXPECT_EQ(variant->type, info.type);
	EXPECT_EQ(variant->flags, info.flags);
	EXPECT_EQ(variant->objects, info.objects);
	EXPECT_STREQ("typed", info.name);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &copy));
	EXPECT_EQ(variant->type, kreg_table_type(copy));
	EXPECT_EQ(variant->objects, dump_compare(self->table, copy));
	dump_drop_table(copy);
	close(fd);
}

TEST_F(dump, rules)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT, read = KREG_DUMP_INFO_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	__u64 begin = time(NULL) * 1000000000ULL;
	struct kreg_table *table;
	struct kreg_stat *stat;

	o.flags = KREG_OPEN_CREATE | KREG_OPEN_CLAIMABLE | KREG_OPEN_SHARED;
	o.access = KREG_ACCESS_PUBLIC;
	o.mode = 0640;
	o.orphan = KREG_ORPHAN_PARK_ON_CRASH;
	o.orphan_ms = 12345;
	ASSERT_EQ(0, kreg_table_open(self->client, "ruled", &o, &table));
	ASSERT_EQ(0, kreg_put(table, "k", 1, "value", 5));
	ASSERT_EQ(0, kreg_dump(table, fd, NULL, &info));
	dump_drop_table(table);
	lseek(fd, 0, SEEK_SET);
	ASSERT_EQ(0, kreg_dump_info(fd, &read));
	EXPECT_EQ(0, memcmp(&info, &read, sizeof(info)));
	EXPECT_EQ(1, info.format);
	EXPECT_EQ(6, info.bytes);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), info.file_bytes);
	EXPECT_LT(0, info.version);
	EXPECT_LE(begin, info.time_ns);
	EXPECT_GT((time(NULL) + 1) * 1000000000ULL, info.time_ns);
	ASSERT_EQ(0, dump_restore(self->client, fd, NULL, &self->copy));
	EXPECT_STREQ("ruled", kreg_table_name(self->copy));
	ASSERT_EQ(0, kreg_table_stat(self->copy, &stat));
	EXPECT_EQ(KREG_ACCESS_PUBLIC, kreg_stat_access(stat));
	EXPECT_EQ(0640, kreg_stat_mode(stat));
	EXPECT_EQ(KREG_ORPHAN_PARK_ON_CRASH, kreg_stat_orphan(stat));
	EXPECT_EQ(12345, kreg_stat_orphan_ms(stat));
	EXPECT_TRUE(kreg_stat_claimable(stat));
	EXPECT_TRUE(kreg_stat_shared(stat));
	EXPECT_EQ(getpid(), kreg_stat_owner(stat).pid);
	kreg_stat_free(stat);
	close(fd);
}

TEST_F(dump, empty)
{
	int fd = dump_table(self->table, KREG_DUMP_COMPRESS);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
	EXPECT_EQ(0, dump_compare(self->table, self->copy));
	close(fd);
}

TEST_F(dump, largest)
{
	unsigned int flags;
	char *value = malloc(KREG_MAX_VALUE);
	char key[KREG_MAX_KEY];
	size_t i;
	int fd;

	memset(key, 'k', sizeof(key));
	for (i = 0; i < KREG_MAX_VALUE; i++)
		value[i] = rand();
	ASSERT_EQ(0, kreg_put(self->table, key, sizeof(key), value, KREG_MAX_VALUE));
	memset(value, 0, KREG_MAX_VALUE);
	ASSERT_EQ(0, kreg_put(self->table, key, sizeof(key) - 1, value, KREG_MAX_VALUE));
	ASSERT_EQ(0, kreg_put(self->table, key, 1, "", 0));
	for (flags = 0; flags <= KREG_DUMP_COMPRESS; flags++) {
		fd = dump_table(self->table, flags);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
		EXPECT_EQ(3, dump_compare(self->table, self->copy));
		dump_drop_table(self->copy);
		self->copy = NULL;
		close(fd);
	}
	free(value);
}

struct told {
	unsigned int stages;	/* bits */
	uint64_t objects;
	uint64_t total;
	unsigned int cancel;	/* at this one */
};

static int tell(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	struct told *told = arg;

	told->stages |= 1u << stage;
	told->objects = objects;
	told->total = total;
	return stage == told->cancel;
}

TEST_F(dump, many)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct kreg_restore_options r = KREG_RESTORE_OPTIONS_INIT;
	struct kreg_dump_info plain = KREG_DUMP_INFO_INIT, packed = KREG_DUMP_INFO_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct told told = { 0 };

	ASSERT_EQ(0, put_numbers(self->table, MANY, 100));
	ASSERT_EQ(0, kreg_dump(self->table, fd, NULL, &plain));
	ASSERT_EQ(0, ftruncate(fd, 0) + lseek(fd, 0, SEEK_SET));
	o.flags = KREG_DUMP_COMPRESS;
	o.level = 1;
	o.progress = tell;
	o.arg = &told;
	ASSERT_EQ(0, kreg_dump(self->table, fd, &o, &packed));
	EXPECT_EQ(MANY, packed.objects);
	EXPECT_GT(plain.file_bytes / 2, packed.file_bytes);
	EXPECT_EQ(1u << KREG_DUMP_WRITING, told.stages);
	EXPECT_EQ(MANY, told.objects);
	EXPECT_EQ(MANY, told.total);
	r.name = "copy";
	r.progress = tell;
	r.arg = &told;
	lseek(fd, 0, SEEK_SET);
	ASSERT_EQ(0, kreg_restore(self->client, fd, &r, &self->copy));
	EXPECT_EQ(14, told.stages);
	EXPECT_EQ(MANY, dump_compare(self->table, self->copy));
	close(fd);
}

/* What comes through a pipe is read once, and may be longer than a pipe holds. */
TEST_F(dump, pipe)
{
	int ends[2], status;
	pid_t pid;

	ASSERT_EQ(0, put_numbers(self->table, 1000, 1000));
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(kreg_dump(self->table, ends[1], NULL, NULL) ? 1 : 0);
	close(ends[1]);
	ASSERT_EQ(0, dump_restore(self->client, ends[0], "copy", &self->copy));
	EXPECT_EQ(1000, dump_compare(self->table, self->copy));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(ends[0]);
	/* What ends too early leaves nothing. */
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	ASSERT_EQ(8, write(ends[1], "\x89kreg\r\n\x1a", 8));
	close(ends[1]);
	EXPECT_EQ(-EBADMSG, dump_restore(self->client, ends[0], "other", &self->copy));
	EXPECT_TRUE(dump_none(self->client, "other"));
	close(ends[0]);
}

#define MOMENT	2000

/* Each of its batches gives all objects the same number. */
static void write_for_ever(const char *name)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_batch *batch;
	unsigned int n, number;
	char value[1024] = "";

	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &table) ||
	    kreg_batch_new(table, KREG_BATCH_ATOMIC, &batch))
		_exit(1);
	for (number = 1;; number++) {
		kreg_batch_reset(batch);
		memcpy(value, &number, sizeof(number));
		for (n = 0; n < MOMENT; n++)
			if (kreg_batch_put(batch, &n, sizeof(n), value, sizeof(value)) < 0)
				_exit(1);
		if (kreg_batch_run(batch) < 0)
			_exit(1);
	}
}

/* Goes on when something was written since the last time. */
static int wait_for_writes(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	struct kreg_stat *stat;
	uint64_t first = 0, now;

	do {
		if (kreg_table_stat(arg, &stat))
			return 1;
		now = kreg_stat_version(stat);
		kreg_stat_free(stat);
		first = first ? first : now;
	} while (now == first);
	return 0;
}

TEST_F(dump, one_moment)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC), status;
	unsigned int n, number, first = 0;
	char value[1024];
	pid_t pid;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		write_for_ever("dumped");
	while (kreg_member(self->table, &first, sizeof(first)))
		;
	o.progress = wait_for_writes;
	o.arg = self->table;
	EXPECT_EQ(0, kreg_dump(self->table, fd, &o, NULL));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
	for (n = 0; n < MOMENT; n++) {
		ASSERT_EQ(0, kreg_get(self->copy, &n, sizeof(n), value, sizeof(value), NULL));
		memcpy(&number, value, sizeof(number));
		first = n ? first : number;
		ASSERT_EQ(first, number);
	}
	close(fd);
}

/* What is of a process is left out, and what it has on loan as well. */
TEST_F(dump, of_processes)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	void *value;
	size_t len;
	int fd;

	ASSERT_EQ(0, put_numbers(self->table, 3, 4));
	ASSERT_EQ(0, kreg_register(self->table, "me", 2, "", 0));
	ASSERT_EQ(0, kreg_lease(self->table, "1", 1, 0, &value, &len, &loan));
	free(value);
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_dump_info(fd, &info));
	EXPECT_EQ(2, info.objects);
	close(fd);
	ASSERT_EQ(0, kreg_lease_return(self->table, "1", 1, &loan));
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_dump_info(fd, &info));
	EXPECT_EQ(3, info.objects);
	close(fd);
}

/* A registry is one again, without those who were in it. */
TEST_F(dump, registry)
{
	struct kreg_stat *stat;
	int fd;

	ASSERT_EQ(0, kreg_put(self->table, "about", 5, "this one", 8));
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_register(self->table, "me", 2, "", 0));
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
	ASSERT_EQ(0, kreg_table_stat(self->copy, &stat));
	EXPECT_EQ(KREG_ACCESS_REGISTRY, kreg_stat_access(stat));
	EXPECT_EQ(1, kreg_stat_objects(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_register(self->copy, "me", 2, "", 0));
	close(fd);
}

/* Whom the mode allows nothing may have a dump as well. */
TEST_F(dump, mode_of_nobody)
{
	struct kreg_stat *stat;
	int fd;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "value", 5));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0));
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
	ASSERT_EQ(0, kreg_table_stat(self->copy, &stat));
	EXPECT_EQ(0, kreg_stat_mode(stat));
	EXPECT_EQ(1, kreg_stat_objects(stat));
	kreg_stat_free(stat);
	close(fd);
}

/* One without a name is restored without one, or gets one. */
TEST_F(dump, nameless)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table;
	int fd;

	o.flags = KREG_OPEN_CREATE;
	ASSERT_EQ(0, kreg_table_open(self->client, NULL, &o, &table));
	ASSERT_EQ(0, put_numbers(table, 3, 4));
	fd = dump_table(table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dump_restore(self->client, fd, NULL, &self->copy));
	EXPECT_STREQ("", kreg_table_name(self->copy));
	EXPECT_EQ(3, dump_compare(table, self->copy));
	dump_drop_table(self->copy);
	ASSERT_EQ(0, dump_restore(self->client, fd, "copy", &self->copy));
	EXPECT_STREQ("copy", kreg_table_name(self->copy));
	dump_drop_table(table);
	close(fd);
}

TEST_HARNESS_MAIN

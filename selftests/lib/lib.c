// SPDX-License-Identifier: GPL-2.0
/* libkreg: clients, tables, their state, sentences about errors. */
#include <sys/stat.h>

#include "lib/lib.h"

TEST(version)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", KREG_VERSION_MAJOR, KREG_VERSION_MINOR,
		 KREG_VERSION_PATCH);
	EXPECT_STREQ(text, kreg_version());
}

TEST(client_open_errors)
{
	struct kreg_client *client = NULL;

	EXPECT_EQ(-ENOENT, kreg_client_open("/dev/no-such-device", &client));
	EXPECT_EQ(-ENOTTY, kreg_client_open("/dev/null", &client));
	EXPECT_EQ(NULL, client);
	kreg_client_close(NULL);
}

/* A descriptor of the device that the program has got from who has started it. */
TEST(client_open_fd)
{
	struct kreg_client *client = NULL, *other;
	struct kreg_process self;
	char text[16];
	int fd;

	fd = open("/dev/null", O_RDWR);
	EXPECT_EQ(-ENOTTY, kreg_client_open_fd(fd, &client));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	close(fd);
	EXPECT_EQ(-EBADF, kreg_client_open_fd(fd, &client));
	EXPECT_EQ(NULL, client);
	fd = open("/dev/kreg", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_client_open_fd(fd, &client));
	EXPECT_EQ(fd, kreg_client_fd(client));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	ASSERT_EQ(0, kreg_client_self(client, &self));
	kreg_client_close(client);
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));

	fd = open("/dev/kreg", O_RDWR);
	ASSERT_LE(0, fd);
	snprintf(text, sizeof(text), "%d", fd);
	setenv("KREG_FD", text, 1);
	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	EXPECT_EQ(fd, kreg_client_fd(client));
	/* Only one client gets it. */
	ASSERT_EQ(0, kreg_client_open(NULL, &other));
	EXPECT_NE(fd, kreg_client_fd(other));
	kreg_client_close(other);
	kreg_client_close(client);
}

/* In whatever order handles are closed. */
TEST(closing_order)
{
	const struct kreg_object *object;
	const struct kreg_stat *stat;
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_batch *batch;
	struct kreg_list *list;
	struct kreg_scan *scan;

	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, kreg_table_create(client, "closing-order", &table));
	ASSERT_EQ(0, kreg_put(table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_scan_open(table, NULL, &scan));
	ASSERT_EQ(0, kreg_batch_new(table, 0, &batch));
	ASSERT_EQ(0, kreg_batch_get(batch, "k", 1, 8));
	ASSERT_EQ(0, kreg_list_open(client, &list));
	ASSERT_EQ(0, kreg_table_destroy(table));
	kreg_table_close(table);
	EXPECT_EQ(-ESTALE, kreg_scan_next(scan, &object));
	kreg_client_close(client);
	EXPECT_EQ(-EBADF, kreg_scan_next(scan, &object));
	EXPECT_EQ(-EBADF, kreg_batch_run(batch));
	EXPECT_EQ(-EBADF, kreg_list_next(list, &stat));
	kreg_list_close(list);
	kreg_batch_free(batch);
	kreg_scan_close(scan);
}

TEST_F(lib, limits)
{
	struct {
		struct kreg_limits known;
		char later[16];
	} longer = { .known.size = sizeof(longer), .later = "not zero" };
	struct kreg_limits limits = { .size = sizeof(limits) };

	ASSERT_EQ(0, kreg_client_limits(self->client, &limits));
	EXPECT_EQ(1024, limits.max_key);
	EXPECT_EQ(1 << 20, limits.max_value);
	EXPECT_EQ(128, limits.max_name);
	EXPECT_EQ(1024, limits.max_data);
	EXPECT_EQ(4096, limits.max_batch_ops);
	EXPECT_EQ(4 << 20, limits.max_batch_bytes);
	EXPECT_EQ(KREG_FEATURE_ALL, limits.features);

	/* A program whose struct is longer than the library's. */
	ASSERT_EQ(0, kreg_client_limits(self->client, &longer.known));
	EXPECT_EQ(1024, longer.known.max_key);
	EXPECT_EQ(0, longer.later[0]);
	limits.size = 1;
	EXPECT_EQ(-EINVAL, kreg_client_limits(self->client, &limits));
}

TEST_F(lib, self)
{
	struct kreg_process me, found;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	EXPECT_EQ(getpid(), me.pid);
	EXPECT_NE(0, me.cookie);
	ASSERT_EQ(0, kreg_process_find(self->client, getpid(), &found));
	EXPECT_EQ(me.cookie, found.cookie);
	EXPECT_EQ(-ESRCH, kreg_process_find(self->client, 0, &found));
	EXPECT_EQ(-ESRCH, kreg_process_find(self->client, -1, &found));
	EXPECT_LE(0, kreg_client_fd(self->client));
	EXPECT_EQ(FD_CLOEXEC, fcntl(kreg_client_fd(self->client), F_GETFD));
	EXPECT_EQ(0, kreg_client_set_receiver(self->client));
	EXPECT_EQ(0, kreg_client_set_accept(self->client, true));
	EXPECT_EQ(0, kreg_client_set_accept(self->client, false));
	EXPECT_EQ(0, kreg_client_sync(self->client));
}

TEST_F(lib, table_getters)
{
	struct kreg_table *again;

	EXPECT_EQ(KREG_OPENED_CREATED, kreg_table_opened(self->table));
	EXPECT_STREQ(self->name, kreg_table_name(self->table));
	EXPECT_EQ(KREG_TYPE_SET, kreg_table_type(self->table));
	EXPECT_EQ(self->client, kreg_table_client(self->table));
	ASSERT_EQ(0, kreg_table_by_id(self->client, kreg_table_id(self->table), &again));
	EXPECT_EQ(kreg_table_id(self->table), kreg_table_id(again));
	EXPECT_STREQ(self->name, kreg_table_name(again));
	EXPECT_EQ(0, kreg_table_opened(again));
	EXPECT_EQ(KREG_TYPE_SET, kreg_table_type(again));
	kreg_table_close(again);
	kreg_table_close(NULL);
	EXPECT_EQ(-EINVAL, kreg_table_by_id(self->client, 0, &again));
	EXPECT_EQ(-EINVAL, kreg_table_by_id(self->client, UINT64_MAX >> 1, &again));
}

TEST_F(lib, open)
{
	struct kreg_open_options o = {
		.size = sizeof(o), .flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL,
	};
	struct kreg_table *t = NULL;

	EXPECT_EQ(-EEXIST, kreg_table_open(self->client, self->name, &o, &t));
	EXPECT_EQ(-EEXIST, kreg_table_create(self->client, self->name, &t));
	EXPECT_EQ(-ENOENT, kreg_table_open(self->client, "there is none", NULL, &t));
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, "", NULL, &t));
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, NULL, NULL, &t));
	EXPECT_EQ(NULL, t);
	o.flags = KREG_OPEN_CREATE;
	ASSERT_EQ(0, kreg_table_open(self->client, self->name, &o, &t));
	EXPECT_EQ(0, kreg_table_opened(t));
	kreg_table_close(t);

	/* Without a name. */
	ASSERT_EQ(0, kreg_table_open(self->client, NULL, &o, &t));
	EXPECT_EQ(KREG_OPENED_CREATED, kreg_table_opened(t));
	EXPECT_STREQ("", kreg_table_name(t));
	EXPECT_EQ(0, kreg_table_destroy(t));
	EXPECT_EQ(-ESTALE, kreg_table_destroy(t));
	kreg_table_close(t);
}

TEST_F(lib, open_options)
{
	struct {
		struct kreg_open_options known;
		char later[8];
	} longer = { .known = { .size = sizeof(longer) } };
	struct kreg_open_options o = { .size = sizeof(o) };
	struct kreg_table *t;
	char name[200];

	o.access = KREG_ACCESS_PUBLIC;
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, self->name, &o, &t));
	o = (struct kreg_open_options){ .size = sizeof(o), .flags = 1u << 30 };
	EXPECT_EQ(-EOPNOTSUPP, kreg_table_open(self->client, self->name, &o, &t));
	o = (struct kreg_open_options){
		.size = sizeof(o), .flags = KREG_OPEN_CREATE | KREG_OPEN_HEIR_SILENT,
	};
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, self->name, &o, &t));
	o.size = 3;
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, self->name, &o, &t));
	memset(name, 'x', sizeof(name));
	name[129] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, kreg_table_open(self->client, name, NULL, &t));
	name[128] = '\0';
	EXPECT_EQ(-ENOENT, kreg_table_open(self->client, name, NULL, &t));

	ASSERT_EQ(0, kreg_table_open(self->client, self->name, &longer.known, &t));
	kreg_table_close(t);
	longer.later[7] = 1;
	EXPECT_EQ(-E2BIG, kreg_table_open(self->client, self->name, &longer.known, &t));
}

TEST_F(lib, stat)
{
	struct kreg_stat *st;

	ASSERT_EQ(0, kreg_put(self->table, "key", 3, "value", 5));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_EQ(kreg_table_id(self->table), kreg_stat_id(st));
	EXPECT_STREQ(self->name, kreg_stat_name(st));
	EXPECT_EQ(KREG_TYPE_SET, kreg_stat_type(st));
	EXPECT_EQ(KREG_ACCESS_PROTECTED, kreg_stat_access(st));
	EXPECT_EQ(0600, kreg_stat_mode(st));
	EXPECT_EQ(getuid(), kreg_stat_uid(st));
	EXPECT_EQ(getgid(), kreg_stat_gid(st));
	EXPECT_EQ(KREG_ORPHAN_DESTROY, kreg_stat_orphan(st));
	EXPECT_EQ(0, kreg_stat_orphan_ms(st));
	EXPECT_FALSE(kreg_stat_parked(st));
	EXPECT_EQ(0, kreg_stat_parked_until_ns(st));
	EXPECT_FALSE(kreg_stat_claimable(st));
	EXPECT_FALSE(kreg_stat_heir_silent(st));
	EXPECT_EQ(getpid(), kreg_stat_owner(st).pid);
	EXPECT_EQ(0, kreg_stat_heir(st).pid);
	EXPECT_EQ(1, kreg_stat_objects(st));
	EXPECT_EQ(8, kreg_stat_bytes(st));
	EXPECT_LT(8, kreg_stat_memory(st));
	EXPECT_LE(kreg_stat_limbo(st), kreg_stat_memory(st));
	EXPECT_LE(1, kreg_stat_version(st));
	EXPECT_EQ(0, kreg_stat_transfers(st));
	EXPECT_LE(1, kreg_stat_buckets(st));
	EXPECT_EQ(0, kreg_stat_walked(st));
	EXPECT_EQ(0, kreg_stat_marks(st));
	EXPECT_EQ(0, kreg_stat_waiters(st));
	kreg_stat_free(st);
	kreg_stat_free(NULL);

	ASSERT_EQ(0, kreg_stat_by_name(self->client, self->name, &st));
	EXPECT_EQ(kreg_table_id(self->table), kreg_stat_id(st));
	kreg_stat_free(st);
	EXPECT_EQ(-ENOENT, kreg_stat_by_name(self->client, "there is none", &st));
	EXPECT_EQ(-EINVAL, kreg_stat_by_name(self->client, "", &st));
}

TEST_F(lib, list)
{
	const struct kreg_stat *st;
	struct kreg_table *t[70];
	struct kreg_list *list;
	uint64_t last = 0;
	char name[32];
	int i, mine = 0, ret;

	/* More than the library fetches in one call. */
	for (i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "list-%d", i);
		ASSERT_EQ(0, kreg_table_create(self->client, name, &t[i]));
	}
	ASSERT_EQ(0, kreg_list_open(self->client, &list));
	while ((ret = kreg_list_next(list, &st)) > 0) {
		EXPECT_LT(last, kreg_stat_id(st));
		last = kreg_stat_id(st);
		mine += !strncmp(kreg_stat_name(st), "list-", 5);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(70, mine);
	kreg_list_close(list);
	kreg_list_close(NULL);
	for (i = 0; i < 70; i++) {
		EXPECT_EQ(0, kreg_table_destroy(t[i]));
		kreg_table_close(t[i]);
	}
}

/* By id, in one's own namespace; access/userns.c tests others. */
TEST_F(lib, by_id)
{
	uint64_t id = kreg_table_id(self->table), ns;
	const struct kreg_stat *st;
	struct kreg_list *list;
	struct kreg_stat *own;
	struct stat file;
	int mine = 0, ret;

	ASSERT_EQ(0, kreg_stat_by_id(self->client, id, &own));
	EXPECT_STREQ(self->name, kreg_stat_name(own));
	ASSERT_EQ(0, stat("/proc/self/ns/user", &file));
	ns = file.st_ino;
	EXPECT_EQ(ns, kreg_stat_user_ns(own));
	ASSERT_EQ(0, stat("/proc/self/ns/pid", &file));
	ns = file.st_ino;
	EXPECT_EQ(ns, kreg_stat_pid_ns(own));
	kreg_stat_free(own);

	ASSERT_EQ(0, kreg_list_open_all(self->client, &list));
	while ((ret = kreg_list_next(list, &st)) > 0)
		mine += kreg_stat_id(st) == id;
	EXPECT_EQ(0, ret);
	EXPECT_EQ(1, mine);
	kreg_list_close(list);

	EXPECT_EQ(-EINVAL, kreg_stat_by_id(self->client, 0, &own));
	EXPECT_EQ(-EINVAL, kreg_destroy_by_id(self->client, 0));
	EXPECT_STREQ("no table ever had this id", kreg_errmsg());
	EXPECT_EQ(0, kreg_destroy_by_id(self->client, id));
	EXPECT_EQ(-ESTALE, kreg_destroy_by_id(self->client, id));
	EXPECT_EQ(-ESTALE, kreg_stat_by_id(self->client, id, &own));
}

TEST_F(lib, set_options)
{
	struct kreg_stat *st;

	EXPECT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	EXPECT_EQ(0, kreg_table_set_mode(self->table, 0644));
	EXPECT_EQ(0, kreg_table_set_orphan(self->table, KREG_ORPHAN_PARK, 60000));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_EQ(KREG_ACCESS_PUBLIC, kreg_stat_access(st));
	EXPECT_EQ(0644, kreg_stat_mode(st));
	EXPECT_EQ(KREG_ORPHAN_PARK, kreg_stat_orphan(st));
	EXPECT_EQ(60000, kreg_stat_orphan_ms(st));
	kreg_stat_free(st);
	EXPECT_NE(0, kreg_table_set_access(self->table, 17));
	EXPECT_NE(0, kreg_table_set_mode(self->table, 0777));
	EXPECT_EQ(0, kreg_table_set_orphan(self->table, KREG_ORPHAN_DESTROY, 0));
}

TEST(deadline)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	EXPECT_EQ(0, kreg_deadline(-1));
	EXPECT_EQ(0, kreg_deadline(INT64_MAX));
	EXPECT_LE(ns + 5000000000ull, kreg_deadline(5000));
	EXPECT_GT(ns + 60000000000ull, kreg_deadline(5000));
}

TEST(errors_in_words)
{
	EXPECT_STREQ("EBUSY", kreg_error_name(-EBUSY));
	EXPECT_STREQ("EBUSY", kreg_error_name(EBUSY));
	EXPECT_STREQ("E?", kreg_error_name(12345));
	EXPECT_STREQ("the key is not in the table", kreg_strerror(-ENODATA));
	EXPECT_LT(0, strlen(kreg_strerror(12345)));
	EXPECT_STREQ("nothing is wrong", kreg_strerror(0));
}

/* Another thread has failures of its own. */
static void *nothing_failed(void *arg)
{
	*(bool *)arg = !strcmp(kreg_errmsg(), "no call has failed in this thread");
	return NULL;
}

TEST_F(lib, errmsg)
{
	char buf[2000] = "", want[256];
	struct kreg_table *t;
	static const char huge[10000];
	bool nothing = false;
	void *value = NULL;
	pthread_t thread;
	size_t len;

	EXPECT_STREQ("no call has failed in this thread", kreg_errmsg());
	EXPECT_EQ(-EEXIST, kreg_table_create(self->client, self->name, &t));
	snprintf(want, sizeof(want),
		 "table '%s' exists already; open it, destroy it, or choose another name",
		 self->name);
	EXPECT_STREQ(want, kreg_errmsg());
	/* Calls that succeed do not change it, even if the library has tried twice. */
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "value", 5));
	EXPECT_STREQ(want, kreg_errmsg());
	ASSERT_EQ(0, kreg_put(self->table, "long", 4, huge, sizeof(huge)));
	ASSERT_EQ(0, kreg_get_alloc(self->table, "long", 4, &value, NULL));
	free(value);
	ASSERT_EQ(0, kreg_table_own(self->client, self->name, 0, NULL, &t));
	kreg_table_close(t);
	EXPECT_STREQ(want, kreg_errmsg());
	ASSERT_EQ(0, pthread_create(&thread, NULL, nothing_failed, &nothing));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(nothing);

	EXPECT_EQ(-ENODATA, kreg_member(self->table, "l", 1));
	snprintf(want, sizeof(want), "the key is not in table '%s'", self->name);
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(-EMSGSIZE, kreg_get(self->table, "k", 1, buf, 2, &len));
	EXPECT_STREQ("the value has 5 bytes, and there is room for 2", kreg_errmsg());
	EXPECT_EQ(-ENAMETOOLONG, kreg_put(self->table, buf, 1025, "", 0));
	EXPECT_STREQ("the key has 1025 bytes; the most is 1024", kreg_errmsg());
	EXPECT_EQ(-EFBIG, kreg_put(self->table, "k", 1, buf, (1 << 20) + 1));
	EXPECT_STREQ("the value has 1048577 bytes; the most is 1048576; split it", kreg_errmsg());
	EXPECT_EQ(-EFBIG, kreg_table_set_heir(self->table, NULL, buf, 1025, false));
	EXPECT_STREQ("the data of the event has 1025 bytes; the most is 1024", kreg_errmsg());
	memset(buf, 'x', 129);
	EXPECT_EQ(-ENAMETOOLONG, kreg_table_open(self->client, buf, NULL, &t));
	EXPECT_STREQ("the name has 129 bytes; the most is 128", kreg_errmsg());
	/* An error without a sentence of its own. */
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_new(self->table, 1u << 31, (struct kreg_batch **)&t));
	EXPECT_STREQ("the loaded module does not have this (EOPNOTSUPP)", kreg_errmsg());
}

/* kreg_errmsg() is called when the client is closed already. */
TEST(errmsg_without_client)
{
	struct kreg_client *client;
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	EXPECT_EQ(-ENOENT, kreg_table_open(client, "there is none", NULL, &t));
	kreg_client_close(client);
	EXPECT_STREQ("there is no table 'there is none' here; create it, or look which there are with 'kreg ls'",
		     kreg_errmsg());
}

TEST_HARNESS_MAIN

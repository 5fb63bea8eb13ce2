/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all fixtures share: one client, and a check that the test leaves nothing behind
 * in the module. The tear-down runs after the test's process has died.
 */
#ifndef KREG_KIT_FIXTURE_H
#define KREG_KIT_FIXTURE_H

#include <sys/stat.h>

#include "kit/file.h"
#include "kit/op.h"

/* Read-only counters of the module. */
static const char * const test_counters[] = {
	"tables", "clients", "procs", "objects", "memory", "users",
};

#define TEST_TABLES	0
#define TEST_CLIENTS	1
#define TEST_COUNTERS	ARRAY_SIZE(test_counters)

struct test_base {
	pid_t pid;
	mode_t mode;
	long long counts[TEST_COUNTERS];
};

static inline long long test_param(const char *name)
{
	char path[128], text[32];
	int len;

	snprintf(path, sizeof(path), KREG_PARAMS "%s", name);
	len = test_read_file(path, text, sizeof(text));
	return len > 0 ? atoll(text) : len ?: -EIO;
}

static inline int test_set_param(const char *name, long long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), KREG_PARAMS "%s", name);
	snprintf(text, sizeof(text), "%lld\n", value);
	return test_write_file(path, text);
}

static inline bool test_counts_are(const long long *counts)
{
	unsigned int i;

	for (i = 0; i < TEST_COUNTERS; i++)
		if (test_param(test_counters[i]) != counts[i])
			return false;
	return true;
}

/*
 * Read the counters when they are at rest: what the last test has left is perhaps still
 * being freed. Without a client and a table all become zero; if others use the module as
 * well, two readings that agree are taken.
 */
static inline bool test_counts_rest(long long *counts)
{
	static const long long zero[TEST_COUNTERS];
	unsigned int i;

	for (i = 0; i < TEST_COUNTERS; i++)
		counts[i] = test_param(test_counters[i]);
	if (!counts[TEST_TABLES] && !counts[TEST_CLIENTS])
		return !memcmp(counts, zero, sizeof(zero));
	test_pause_ms(50);
	return test_counts_are(counts);
}

static inline int test_setup(struct __test_metadata *_metadata,
			     struct test_base *base)
{
	struct stat st;
	unsigned int i;
	int fd;

	base->pid = getpid();
	ASSERT_EQ(0, stat(KREG_DEV, &st));
	base->mode = st.st_mode & 07777;
	/* Some tests have children that run as other users. */
	ASSERT_EQ(0, chmod(KREG_DEV, 0666));
	EXPECT_TRUE(test_wait_for(test_counts_rest(base->counts)));
	for (i = 0; i < TEST_COUNTERS; i++) {
		ASSERT_LE(0, base->counts[i]) {
			TH_LOG("no counter %s", test_counters[i]);
		}
	}
	fd = test_client();
	ASSERT_LE(0, fd);
	return fd;
}

/* Tests may leave parked tables, but none that is still owned by the dead process. */
static inline void test_sweep(struct __test_metadata *_metadata,
			      struct test_base *base, int fd)
{
	struct kreg_info info;
	__u64 after = 0;
	__u32 more;

	while (_test_list_flags(fd, KREG_ANY_NAMESPACE, after, &info, 1,
				&more) == 1) {
		EXPECT_NE(base->pid, info.owner.pid) {
			TH_LOG("table %llu belongs to the dead test",
			       (unsigned long long)info.id);
		}
		_test_destroy_flags(fd, info.id, KREG_ANY_NAMESPACE);
		after = info.id;
	}
}

static inline void test_teardown(struct __test_metadata *_metadata,
				 struct test_base *base)
{
	unsigned int i;
	int fd;

	EXPECT_EQ(0, chmod(KREG_DEV, base->mode));
	fd = test_client();
	EXPECT_LE(0, fd);
	test_sweep(_metadata, base, fd);
	EXPECT_EQ(0, _test_sync(fd));
	close(fd);

	if (test_wait_for(test_counts_are(base->counts)))
		return;
	for (i = 0; i < TEST_COUNTERS; i++) {
		long long count = test_param(test_counters[i]);

		EXPECT_EQ(base->counts[i], count) {
			TH_LOG("left behind: %s", test_counters[i]);
		}
	}
}

#endif /* KREG_KIT_FIXTURE_H */

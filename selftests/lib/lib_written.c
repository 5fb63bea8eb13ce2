// SPDX-License-Identifier: GPL-2.0
/*
 * What calls bring, of which valgrind and MemorySanitizer have to know: all that the kernel has
 * written, and nothing else. memcheck.sh runs this under both; without them the calls are the same.
 */
#include "lib/lib.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define MSAN
#include <sanitizer/msan_interface.h>
#endif
#endif

#if !defined(MSAN) && __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define MEMCHECK
#endif

#define ROOM	64

/* How many bytes from @p on the tool takes as written; @all if there is no tool. */
static size_t known(const void *p, size_t all)
{
#if defined(MSAN)
	ssize_t first = __msan_test_shadow(p, ROOM);

	return first < 0 ? ROOM : (size_t)first;
#elif defined(MEMCHECK)
	unsigned char bits[ROOM];
	size_t n = 0;

	if (!RUNNING_ON_VALGRIND)
		return all;
	if (VALGRIND_GET_VBITS(p, bits, ROOM) != 1)
		return -1;
	while (n < ROOM && !bits[n])
		n++;
	return n;
#else
	return all;
#endif
}

/* A decision for each byte, which a tool reports if nobody has written it. */
static unsigned int count_v(const void *p, size_t len)
{
	const char *s = p;
	unsigned int n = 0;

	while (len--)
		if (*s++ == 'v') {
			n++;
			/* Not without a branch, however the compiler optimises. */
			__asm__ volatile("" : "+r"(n));
		}
	return n;
}

static char *new_room(void)
{
	return malloc(ROOM);
}

TEST_F(lib, value)
{
	char *buf = new_room(), *taken = new_room();
	struct kreg_op_args args = KREG_OP_ARGS_INIT;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	EXPECT_EQ(-EMSGSIZE, kreg_get(self->table, "k", 1, buf, 2, &len));
	EXPECT_EQ(0, known(buf, 0));
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, buf, ROOM, &len));
	EXPECT_EQ(2, count_v(buf, len));
	EXPECT_EQ(3, known(buf, 3));
	free(buf);
	buf = new_room();
	args.code = KREG_OP_MEMBER;
	args.key = "k";
	args.key_len = 1;
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	ASSERT_EQ(0, kreg_take(self->table, "k", 1, taken, ROOM, &len));
	EXPECT_EQ(2, count_v(taken, len));
	EXPECT_EQ(3, known(taken, 3));
	free(buf);
	free(taken);
}

TEST_F(lib, value_alloc)
{
	struct kreg_object *object;
	const void *p;
	void *value;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	ASSERT_EQ(0, kreg_get_alloc(self->table, "k", 1, &value, &len));
	/* With the byte behind it, which the library adds. */
	EXPECT_EQ(2, count_v(value, len + 1));
	free(value);
	ASSERT_EQ(0, kreg_get_object(self->table, "k", 1, &object));
	p = kreg_object_value(object, &len);
	EXPECT_EQ(2, count_v(p, len));
	kreg_object_free(object);
	ASSERT_EQ(0, kreg_take_alloc(self->table, "k", 1, &value, &len));
	EXPECT_EQ(2, count_v(value, len + 1));
	free(value);
}

TEST_F(lib, many)
{
	struct kreg_item items[] = {
		{ .key = "k", .key_len = 1, .value = new_room(), .room = ROOM },
		{ .key = "none", .key_len = 4, .value = new_room(), .room = ROOM },
		{ .key = "k", .key_len = 1, .value = new_room(), .room = 2 },
	};
	int i;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	ASSERT_EQ(1, kreg_get_many(self->table, items, 3, sizeof(items[0])));
	EXPECT_EQ(2, count_v(items[0].value, items[0].len));
	EXPECT_EQ(3, known(items[0].value, 3));
	EXPECT_EQ(0, known(items[1].value, 0));
	EXPECT_EQ(0, known(items[2].value, 0));
	for (i = 0; i < 3; i++)
		free(items[i].value);
}

TEST_F(lib, batch)
{
	struct kreg_batch *batch;
	const void *p;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &batch));
	ASSERT_EQ(0, kreg_batch_get(batch, "k", 1, ROOM));
	ASSERT_EQ(1, kreg_batch_member(batch, "k", 1));
	ASSERT_EQ(2, kreg_batch_run(batch));
	p = kreg_object_value(kreg_batch_object(batch, 0), &len);
	EXPECT_EQ(2, count_v(p, len));
	EXPECT_EQ(3, known(p, 3));
	EXPECT_NE(0, kreg_object_version(kreg_batch_object(batch, 1)));
	kreg_batch_free(batch);
}

TEST_F(lib, scan)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	unsigned int v = 0;
	const void *p;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "v1", 2, "vav", 3));
	ASSERT_EQ(0, kreg_put(self->table, "v2", 2, "v", 1));
	options.flags = KREG_SCAN_PROCESSES;
	ASSERT_EQ(0, kreg_scan_open(self->table, &options, &scan));
	while (kreg_scan_next(scan, &object) == 1) {
		p = kreg_object_key(object, &len);
		v += count_v(p, len);
		p = kreg_object_value(object, &len);
		v += count_v(p, len);
		EXPECT_EQ(0, kreg_object_process(object).pid);
	}
	EXPECT_EQ(5, v);
	kreg_scan_close(scan);
}

TEST_F(lib, lease)
{
	size_t len;
	void *value;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	ASSERT_EQ(0, kreg_lease(self->table, "k", 1, 0, &value, &len, NULL));
	EXPECT_EQ(2, count_v(value, len + 1));
	EXPECT_EQ(4, known(value, 4));
	free(value);
	ASSERT_EQ(0, kreg_lease_return(self->table, "k", 1, NULL));
}

/* The library looks at the key of a job that it has got. */
TEST_F(lib, queue)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_queue *queue;
	struct kreg_table *jobs;
	struct kreg_job *job;
	size_t len;

	options.flags = KREG_OPEN_CREATE;
	options.type = KREG_TYPE_ORDERED_SET;
	ASSERT_EQ(0, kreg_table_open(self->client, NULL, &options, &jobs));
	ASSERT_EQ(0, kreg_queue_open(jobs, NULL, &queue));
	ASSERT_EQ(0, kreg_queue_push(queue, "vav", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(queue, 0, &job));
	EXPECT_EQ(1, kreg_job_deliveries(job));
	EXPECT_EQ(2, count_v(kreg_job_value(job, &len), 3));
	EXPECT_EQ(0, kreg_job_done(job));
	kreg_queue_close(queue);
	kreg_table_destroy(jobs);
	kreg_table_close(jobs);
}

TEST_F(lib, state)
{
	const struct kreg_stat *each;
	struct kreg_process self_;
	struct kreg_list *list;
	struct kreg_stat *stat;
	uint64_t objects;
	int found = 0;

	ASSERT_EQ(0, kreg_table_stat(self->table, &stat));
	EXPECT_EQ(0, strcmp(self->name, kreg_stat_name(stat)));
	EXPECT_EQ(0, kreg_stat_objects(stat));
	EXPECT_EQ(0, kreg_stat_events(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_count(self->table, &objects));
	EXPECT_EQ(0, objects);
	ASSERT_EQ(0, kreg_list_open(self->client, &list));
	while (kreg_list_next(list, &each) == 1)
		found += !strcmp(self->name, kreg_stat_name(each));
	EXPECT_EQ(1, found);
	kreg_list_close(list);
	ASSERT_EQ(0, kreg_client_self(self->client, &self_));
	EXPECT_EQ(getpid(), self_.pid);
}

TEST_F(lib, event)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	const void *p;
	size_t len;

	ASSERT_EQ(0, kreg_subscribe(self->table, KREG_SUBSCRIBE_KINDS, 0, 0, NULL, NULL,
				    &ref));
	ASSERT_EQ(0, kreg_put(self->table, "v", 1, "vav", 3));
	ASSERT_EQ(0, kreg_event_next(self->client, 1000, &event));
	p = kreg_event_key(event, &len);
	EXPECT_EQ(1, count_v(p, len));
	p = kreg_event_value(event, &len);
	EXPECT_EQ(2, count_v(p, len));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

/* What nobody has written is reported: memcheck.sh asks for it, to see that the tool looks. */
TEST_F(lib, unwritten)
{
	char *buf = new_room();

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "vav", 3));
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, buf, ROOM, NULL));
	if (getenv("KREG_TEST_UNWRITTEN"))
		printf("# %u\n", count_v(buf, 4));
	free(buf);
}

TEST_HARNESS_MAIN

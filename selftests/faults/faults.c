// SPDX-License-Identifier: GPL-2.0
/*
 * Every command with injected failures: its n-th allocation and its n-th user copy, for
 * all n until none is reached, and memory of the caller that becomes inaccessible at any
 * place of what the call reads or writes. A call that fails returns ENOMEM or EFAULT and
 * leaves everything as it was.
 *
 * Each command runs both in a lent turn and in the writer's thread (parameter lend).
 */
#include <pthread.h>
#include <sys/fsuid.h>

#include "kit/fixture.h"
#include "kit/kid.h"
#include "kit/bound.h"
#include "kit/fault.h"
#include "kit/lease.h"
#include "kit/line.h"
#include "kit/stall.h"
#include "kit/stream.h"
#include "kit/watch.h"
#include "faults/world.h"

#define NAME		"faults"
#define MOST		2000		/* failures in a call: more are a mistake */
#define USER		1000		/* whose quota is full */

struct object {
	char letter;			/* of which the key consists */
	__u32 key_len;
	__u32 value_len;
};

/* Objects that are in the table; below, others of the same sizes that are not. */
static const struct object small = { 's', 5, 9 }, page = { 'p', 200, 3000 },
			   blob = { 'b', 9, 12000 };
static const struct object small2 = { 'S', 5, 9 }, page2 = { 'P', 200, 3000 },
			   blob2 = { 'B', 9, 12000 };

/* Calls that allocate and copy nothing, so that no failure can be injected. */
enum quiet { NOT_QUIET, QUIET_IF_LENT, QUIET };

struct test_case {
	void (*make)(struct __test_metadata *_metadata, struct world *w,
		     struct call *c, const struct test_case *test);
	long (*call)(struct world *w, struct call *c);
	bool kid;
	bool empty;			/* begin with an empty table */
	__u32 type;			/* of the table; 0: as of those that do not say */
	enum quiet quiet;
	/* For the function @make: */
	__u16 code;
	__u16 op_flags;
	bool tail;
	__u32 flags;
	__u32 option;
	__u64 value;
	const struct object *object;
	/* A parameter, and its value while the call is made, which is to fail with EDQUOT. */
	const char *full;
	long long at;
};

static char bytes[AREA_HALF];

static const char *key_of(const struct object *o, char *room)
{
	return memset(room, o->letter, o->key_len);
}

static long call_ioctl(struct world *w, struct call *c)
{
	return ioctl(w->caller, c->cmd, c->address) < 0 ? -errno : 0;
}

static long call_read(struct world *w, struct call *c)
{
	ssize_t len = read(w->fd, (void *)(uintptr_t)c->address,
			   c->span[PART_VALUE].len);

	return len < 0 ? -errno : len == c->span[PART_VALUE].len ? 0 : -EBADMSG;
}

static long job_drain(struct job *job)
{
	while (!_test_event_now(job->fd, &job->event))
		;
	return 0;
}

/* The kid makes a table and gives it to job->process. */
static long job_gift(struct job *job)
{
	int err = _test_create(job->fd, "gift", KREG_ACCESS_PUBLIC, &job->table);

	return err ? err : _test_give(job->fd, job->table, job->process, "data", 4);
}

static void clean(struct __test_metadata *_metadata, struct world *w)
{
	struct test_event event;
	struct kreg_info info;
	__u32 more;

	while (_test_list(w->fd, 0, &info, 1, &more) == 1)
		test_destroy(w->fd, info.id);
	while (!_test_event_now(w->fd, &event))
		;
	if (w->kid)
		ASSERT_EQ(0, kid_do(w->kid, job_drain));
	test_sync(w->fd);
}

static void put_object(struct __test_metadata *_metadata, struct world *w,
		       const struct object *o)
{
	char key[KREG_MAX_KEY];

	test_put(w->fd, w->table, key_of(o, key), o->key_len, bytes, o->value_len);
}

/* Bring everything into the state in which each call begins, and make the call's argument. */
static void build(struct __test_metadata *_metadata, struct world *w,
		  const struct test_case *test, struct call *c)
{
	clean(_metadata, w);
	if (test->full)
		ASSERT_EQ(0, test_set_param(test->full, w->limit));
	ASSERT_EQ(0, _test_create_type(w->fd, NAME, test->type ? test->type : test_type(),
				       KREG_ACCESS_PUBLIC, &w->table));
	if (!test->empty) {
		put_object(_metadata, w, &small);
		put_object(_metadata, w, &page);
		put_object(_metadata, w, &blob);
	}
	test->make(_metadata, w, c, test);
	if (test->full)
		ASSERT_EQ(0, test_set_param(test->full, test->at));
	take_dump(_metadata, w, &before);
}

static long call_now(struct world *w, const struct test_case *test, struct call *c)
{
	return test->call ? test->call(w, c) : call_ioctl(w, c);
}

/* Limits do not bind root, so the client is opened as a user if one is to be reached. */
static int new_client(const struct test_case *test)
{
	int fd;

	setfsuid(test->full ? USER : 0);
	fd = test_client();
	setfsuid(0);
	return fd;
}

/*
 * Make the call with the n-th failure; returns whether that was reached. A new client
 * each time, since a used one keeps buffers of earlier calls.
 */
static bool call_hurt(struct __test_metadata *_metadata, struct world *w,
		      const struct test_case *test, struct call *c, unsigned int n,
		      long *ret)
{
	bool hit;

	w->caller = new_client(test);
	ASSERT_LE(0, w->caller);
	ASSERT_TRUE(fault_arm(w->nth, n));
	*ret = call_now(w, test, c);
	hit = fault_disarm(w->nth);
	close(w->caller);
	w->caller = w->fd;
	return hit;
}

/* Returns how many failures could be injected; not all of them fail the call. */
static unsigned int inject(struct __test_metadata *_metadata, struct world *w,
			   const struct test_case *test)
{
	long ret, expected = test->full ? -EDQUOT : 0;
	unsigned int n, failed = 0;
	struct call c;
	bool hit;

	build(_metadata, w, test, &c);
	for (n = 1; n < MOST; n++) {
		call_place(&w->areas, &c, NO_CUT);
		hit = call_hurt(_metadata, w, test, &c, n, &ret);
		if (!hit)
			break;
		if (!ret) {
			build(_metadata, w, test, &c);
			continue;
		}
		failed++;
		EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT || ret == expected) {
			TH_LOG("failure %u: %s", n, strerror(-ret));
		}
		expect_unchanged(_metadata, w);
	}
	EXPECT_FALSE(hit);
	EXPECT_EQ(expected, ret);
	if (ret)
		expect_unchanged(_metadata, w);
	printf("# %s: %u injected, %u of them failed the call\n",
	       _metadata->name, n - 1, failed);
	return n - 1;
}

/* Returns how often the memory ended too early. */
static unsigned int cut_span(struct __test_metadata *_metadata, struct world *w,
			     const struct test_case *test, struct call *c,
			     struct cut cut)
{
	__u32 len = c->span[cut.part].len;
	unsigned int cuts = 0;
	long ret;

	for (cut.keep = 0; cut.keep < len; cut.keep = cut_next(cut.keep, len)) {
		call_place(&w->areas, c, cut);
		ret = call_now(w, test, c);
		EXPECT_EQ(-EFAULT, ret) {
			TH_LOG("part %d ends at byte %u, with access %d", cut.part,
			       cut.keep, cut.prot);
		}
		expect_unchanged(_metadata, w);
		if (!ret)
			build(_metadata, w, test, c);
		cuts++;
	}
	return cuts;
}

static void cut_all(struct __test_metadata *_metadata, struct world *w,
		    const struct test_case *test)
{
	unsigned int cuts = 0, part;
	struct call c;

	build(_metadata, w, test, &c);
	for (part = 0; part < PARTS; part++) {
		if (!c.span[part].holder)
			continue;
		cuts += cut_span(_metadata, w, test, &c,
				 (struct cut) { part, 0, PROT_NONE });
		if (c.span[part].out)
			cuts += cut_span(_metadata, w, test, &c,
					 (struct cut) { part, 0, PROT_READ });
	}
	EXPECT_LT(0, cuts);
	printf("# %s: memory ended at %u places\n", _metadata->name, cuts);
}

static void sweep(struct __test_metadata *_metadata, struct world *w,
		  const struct test_case *test, bool lent)
{
	unsigned int hits;

	if (test->full) {
		w->limit = test_param(test->full);
		close(w->fd);
		w->fd = new_client(test);
		ASSERT_LE(0, w->fd);
		w->caller = w->fd;
	}
	if (test->kid)
		w->kid = kid_start_as(_metadata, test->full ? USER : 0);
	test_sync(w->fd);
	EXPECT_TRUE(test_wait_for(!test_param("objects") && !test_param("tables")));
	test_counts_rest(w->counts);

	hits = inject(_metadata, w, test);
	EXPECT_TRUE(hits || test->quiet == QUIET ||
		    (lent && test->quiet == QUIET_IF_LENT)) {
		TH_LOG("nothing was injected");
	}
	/* The caller's memory is read before it matters who writes, so once is enough. */
	if (lent && !test->full)
		cut_all(_metadata, w, test);
	fflush(stdout);

	clean(_metadata, w);
	if (test->full)
		EXPECT_EQ(0, test_set_param(test->full, w->limit));
	EXPECT_TRUE(test_wait_for(test_counts_are(w->counts)));
	if (w->kid)
		kid_kill(w->kid);
}

FIXTURE(faults) {
	struct test_base base;
	bool lend;
	struct world w;
};

FIXTURE_VARIANT(faults) {
	bool lent;
};

FIXTURE_VARIANT_ADD(faults, lent) {
	.lent = true,
};

FIXTURE_VARIANT_ADD(faults, queued) {
	.lent = false,
};

static bool is_lending(void)
{
	char text[4];

	test_read_file(KREG_PARAMS "lend", text, sizeof(text));
	return text[0] == 'Y';
}

FIXTURE_SETUP(faults)
{
	size_t i;

	self->lend = is_lending();
	self->w.fd = test_setup(_metadata, &self->base);
	self->w.caller = self->w.fd;
	self->w.nth = fault_open();
	ASSERT_LE(0, self->w.nth) {
		TH_LOG("this kernel injects no failures: %s", strerror(-self->w.nth));
	}
	ASSERT_TRUE(areas_map(&self->w.areas));
	ASSERT_EQ(0, test_set_param("lend", variant->lent));
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7 + i / 256;
}

FIXTURE_TEARDOWN_PARENT(faults)
{
	EXPECT_EQ(0, test_set_param("lend", self->lend));
	test_teardown(_metadata, &self->base);
}

#define SWEEP(_name, ...)						\
static const struct test_case case_##_name = { __VA_ARGS__ };		\
TEST_F(faults, _name)							\
{									\
	sweep(_metadata, &self->w, &case_##_name, variant->lent);	\
}

/* The cases, in the order of the commands, each after the function that makes the call. */
#include "faults/table.h"
#include "faults/op.h"
#include "faults/edit.h"
#include "faults/range.h"
#include "faults/filter.h"
#include "faults/bag.h"
#include "faults/full.h"
#include "faults/death.h"

/* Put key @i with the n-th failure, and again without if that failed it; was it reached? */
static bool put_with_failure(struct __test_metadata *_metadata, struct world *w,
			     __u32 i, unsigned int n, unsigned int *failed)
{
	__u32 missing;
	bool hit;
	int err;

	ASSERT_TRUE(fault_arm(w->nth, n));
	err = _test_put(w->fd, w->table, &i, sizeof(i), &i, sizeof(i));
	hit = fault_disarm(w->nth);
	if (!err)
		return hit;
	EXPECT_TRUE(hit);
	EXPECT_EQ(-ENOMEM, err);
	test_err_get(ENODATA, w->fd, w->table, &i, sizeof(i), &missing, 4);
	test_put(w->fd, w->table, &i, sizeof(i), &i, sizeof(i));
	++*failed;
	return hit;
}

/* Failures in each put of a growing table: it grows all the same, perhaps later. */
TEST_F(faults, growth)
{
	unsigned int hits = 0, failed = 0, size = 2000;
	struct world *w = &self->w;
	struct kreg_info info;
	__u32 i, value;

	test_create(w->fd, NAME, KREG_ACCESS_PUBLIC, &w->table);
	for (i = 0; i < size; i++)
		hits += put_with_failure(_metadata, w, i, i % 5 + 1, &failed);
	for (i = 0; i < size; i++) {
		ASSERT_EQ(4, _test_get(w->fd, w->table, &i, 4, &value, 4));
		ASSERT_EQ(i, value);
	}
	EXPECT_LT(0, failed);
	EXPECT_LT(failed, hits);
	test_info(w->fd, w->table, &info);
	EXPECT_EQ(size, info.objects);
	EXPECT_LE(size / 16, info.buckets);
	test_destroy(w->fd, w->table);
	printf("# %s: %u injected, %u of them failed the call, %llu buckets\n",
	       _metadata->name, hits, failed, (unsigned long long)info.buckets);
	fflush(stdout);
}

/* open(2) of the first client of all: nothing that it needs has been allocated before. */
TEST_F(faults, device)
{
	static const long long none[TEST_COUNTERS];
	unsigned int n;
	bool hit;
	int fd;

	close(self->w.fd);
	for (n = 1; n < MOST; n++) {
		ASSERT_TRUE(test_wait_for(test_counts_are(none)));
		ASSERT_TRUE(fault_arm(self->w.nth, n));
		fd = test_client();
		hit = fault_disarm(self->w.nth);
		if (fd >= 0)
			close(fd);
		if (!hit)
			break;
		EXPECT_TRUE(fd >= 0 || fd == -ENOMEM || fd == -EFAULT) {
			TH_LOG("failure %u: %s", n, strerror(-fd));
		}
	}
	EXPECT_LE(0, fd);
	EXPECT_LT(1, n);
	printf("# %s: %u injected\n", _metadata->name, n - 1);
	fflush(stdout);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * In which order a death shows: processes are killed at any moment, and each sign of that, once
 * it has been seen, by whomever, stands for all that comes before it.
 *
 * KREG_TEST_ROUNDS multiplies the number of deaths, and KREG_TEST_SCALE the time they may take.
 */
#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/stream.h"
#include "kit/watch.h"

#define KEYS	6
#define HEIRS	"order-heirs"		/* a table that the parent inherits */
#define FREED	"order-freed"		/* one that goes with its owner */

/* What one who looks on knows. */
struct onlooker {
	struct test_reader *reader;
	__u64 registry;
	struct kreg_process heir;
	struct kreg_process victim;
	__u64 *killed;
	bool is_heir;
	bool there[KEYS];
	bool inherited;
	bool down;
	char wrong[120];
};

FIXTURE(order) {
	struct test_base base;
	struct onlooker *looker;
	struct kid *other;
	__u64 *killed;
	__u64 registry;
	int fd;
};

__attribute__((format(printf, 2, 3)))
static void complain(struct onlooker *o, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!o->wrong[0])
		vsnprintf(o->wrong, sizeof(o->wrong), format, args);
	va_end(args);
}

static void key_name(unsigned int i, char *key)
{
	snprintf(key, 8, "k%u", i);
}

/* Nobody finds the object of a victim who is dead. */
static void check_gone(struct onlooker *o, unsigned int i, const char *when)
{
	struct kreg_process whose;
	char key[8];

	key_name(i, key);
	if (_test_whose(o->reader->fd, o->registry, key, &whose) != -ENODATA)
		complain(o, "%s: %s is there", when, key);
}

/* Its tables have gone on, and what is not there gives its name back. */
static void check_tables(struct onlooker *o, const char *when)
{
	struct kreg_info info;
	int err = _test_info_name(o->reader->fd, HEIRS, &info);

	if (err != -ENOENT && (err || !test_same(info.owner, o->heir)))
		complain(o, "%s: the heir's table: %d, of %u", when, err, info.owner.pid);
	err = _test_info_name(o->reader->fd, FREED, &info);
	if (err != -ENOENT)
		complain(o, "%s: the other table: %d", when, err);
}

static void check_all(struct onlooker *o, const char *when)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++)
		check_gone(o, i, when);
	check_tables(o, when);
}

/* What is created is found, unless its process is being killed. */
static void take_create(struct onlooker *o, unsigned int i)
{
	struct kreg_process whose;
	char key[8];
	int err;

	key_name(i, key);
	err = _test_whose(o->reader->fd, o->registry, key, &whose);
	if (err ? err != -ENODATA || !__atomic_load_n(o->killed, __ATOMIC_SEQ_CST) :
		  !test_same(whose, o->victim))
		complain(o, "CREATE: %s: %d, of %u", key, err, whose.pid);
	if (o->there[i])
		complain(o, "CREATE: %s for the second time", key);
	o->there[i] = true;
}

static void take_exit(struct onlooker *o, unsigned int i, const struct kreg_event *e)
{
	if (!o->there[i] || !test_same(e->process, o->victim))
		complain(o, "EXIT: k%u of %u", i, e->process.pid);
	o->there[i] = false;
	check_gone(o, i, "EXIT");
	check_tables(o, "EXIT");
}

static void take_down(struct onlooker *o)
{
	struct kreg_info info;

	if (o->down)
		complain(o, "DOWN for the second time");
	o->down = true;
	check_all(o, "DOWN");
	if (o->is_heir && !_test_info_name(o->reader->fd, HEIRS, &info) && !o->inherited)
		complain(o, "DOWN before TRANSFER");
}

static void take(struct onlooker *o, const struct kreg_event *e)
{
	unsigned int i = 0;

	if (e->kind == KREG_EVENT_CREATE || e->kind == KREG_EVENT_EXIT) {
		i = test_key(e)[1] - '0';
		if (e->key_len != 2 || i >= KEYS)
			return complain(o, "an event of another key");
	}
	switch (e->kind) {
	case KREG_EVENT_CREATE:
		return take_create(o, i);
	case KREG_EVENT_EXIT:
		return take_exit(o, i, e);
	case KREG_EVENT_TRANSFER:
		o->inherited = true;
		return;
	case KREG_EVENT_DOWN:
		return take_down(o);
	default:
		complain(o, "an event of kind %u", e->kind);
	}
}

static void take_what_is_there(struct onlooker *o)
{
	const struct kreg_event *e;

	while ((e = test_next_now(o->reader)))
		take(o, e);
}

/* With DOWN, or when @seen already, nothing is missing. */
static void look_on(struct onlooker *o, bool seen)
{
	const struct kreg_event *e;
	unsigned int i;

	while (!seen && !o->down && (e = test_next(o->reader)))
		take(o, e);
	take_what_is_there(o);
	if (!o->down)
		complain(o, "no DOWN");
	for (i = 0; i < KEYS; i++)
		if (o->there[i])
			complain(o, "no EXIT of k%u", i);
}

static int begin(struct onlooker *o, struct kreg_process victim)
{
	__u64 watch;

	o->victim = victim;
	o->down = false;
	o->inherited = false;
	return _test_watch(o->reader->fd, victim, &watch);
}

static struct onlooker *onlooker(int fd, __u64 registry, struct kreg_process heir,
				 __u64 *killed)
{
	struct onlooker *o = calloc(1, sizeof(*o));

	o->reader = test_reader(fd);
	o->registry = registry;
	o->heir = heir;
	o->killed = killed;
	return _test_subscribe(fd, registry, KIND(CREATE) | KIND(EXIT)) ? NULL : o;
}

/* The other process that looks on. */
static struct onlooker *other;

static long job_prepare(struct job *job)
{
	other = onlooker(job->fd, job->table, job->process, (__u64 *)job->arg);
	return other ? 0 : -ENOMEM;
}

static long job_begin(struct job *job)
{
	return begin(other, job->process);
}

static long job_look_on(struct job *job)
{
	look_on(other, false);
	test_set(job->value, other->wrong);
	return other->wrong[0] ? -EINVAL : 0;
}

/* The victim. */
static long job_live(struct job *job)
{
	char key[8];
	unsigned int i;
	__u64 id;

	if (job->arg & 1) {
		if (_test_create(job->fd, HEIRS, 0, &id) ||
		    _test_heir(job->fd, id, job->process, NULL, 0, 0))
			return -EINVAL;
		if (_test_create(job->fd, FREED, 0, &id))
			return -EINVAL;
	}
	for (i = 0;; i = (i + 1) % KEYS) {
		key_name(i, key);
		if (_test_bind(job->fd, job->table, key, "v"))
			return -EINVAL;
	}
}

FIXTURE_SETUP(order)
{
	self->fd = test_setup(_metadata, &self->base);
	self->killed = test_shared(sizeof(*self->killed));
	ASSERT_NE(NULL, self->killed);
	test_create(self->fd, NULL, KREG_ACCESS_REGISTRY, &self->registry);
	self->looker = onlooker(self->fd, self->registry, test_self(self->fd), self->killed);
	ASSERT_NE(NULL, self->looker);
	self->looker->is_heir = true;
	self->other = kid_start(_metadata);
	self->other->job->table = self->registry;
	self->other->job->process = self->looker->heir;
	self->other->job->arg = (uintptr_t)self->killed;
	ASSERT_EQ(0, kid_do(self->other, job_prepare));
}

FIXTURE_TEARDOWN_PARENT(order)
{
	test_teardown(_metadata, &self->base);
}

static struct kid *start_victim(struct __test_metadata *_metadata, struct onlooker *o,
				struct kid *onlooker, unsigned int n)
{
	struct kid *victim = kid_start(_metadata);

	__atomic_store_n(o->killed, 0, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, begin(o, victim->self));
	onlooker->job->process = victim->self;
	ASSERT_EQ(0, kid_do(onlooker, job_begin));
	kid_ask(onlooker, job_look_on);
	victim->job->table = o->registry;
	victim->job->process = o->heir;
	victim->job->arg = n;
	kid_ask(victim, job_live);
	return victim;
}

/* It lives for up to 2 ms, in every second case looked on. */
static void let_live(struct onlooker *o, unsigned int random)
{
	__u64 end = test_now_ns() + random % 2000 * 1000;

	while (test_now_ns() < end)
		if (random & 0x10000)
			take_what_is_there(o);
}

/* By what the parent learns of the death first. */
static void see_death(struct onlooker *o, struct kid *victim, unsigned int by)
{
	switch (by) {
	case 0:
		return look_on(o, false);
	case 1:
		kid_dead(victim);
		check_all(o, "pidfd");
		return look_on(o, true);
	default:
		waitpid(victim->pid, NULL, 0);
		check_all(o, "waitpid");
		return look_on(o, true);
	}
}

TEST_F_TIMEOUT(order, deaths, test_scale(180))
{
	unsigned int rounds = test_size(700) * test_factor("KREG_TEST_ROUNDS"), n;
	unsigned int random = 1;
	struct kreg_info info;
	struct kid *victim;

	for (n = 0; n < rounds; n++) {
		random = random * 1103515245 + 12345;
		victim = start_victim(_metadata, self->looker, self->other, n);
		let_live(self->looker, random >> 8);
		__atomic_store_n(self->killed, 1, __ATOMIC_SEQ_CST);
		kill(victim->pid, SIGKILL);
		see_death(self->looker, victim, n % 3);
		ASSERT_STREQ("", self->looker->wrong) TH_LOG("death %u", n);
		ASSERT_EQ(0, kid_answer(self->other))
			TH_LOG("death %u: %s", n, self->other->job->value);
		kid_reap(victim);
		if (!_test_info_name(self->fd, HEIRS, &info))
			test_destroy(self->fd, info.id);
	}
	EXPECT_EQ(0, test_bound(self->fd, self->registry));
}

static long job_come_and_go(struct job *job)
{
	__u64 id;

	while (!__atomic_load_n((__u64 *)job->arg, __ATOMIC_RELAXED))
		if (_test_create(job->fd, FREED, 0, &id) || _test_destroy(job->fd, id))
			return -EINVAL;
	return 0;
}

/*
 * Until both were seen: a name is there or not; that a table goes while it is looked up does not
 * show.
 */
TEST_F_TIMEOUT(order, names, test_scale(180))
{
	struct kid *owner = kid_start(_metadata);
	unsigned int n, seen[2] = {};
	struct kreg_info info;
	__u64 id;
	int err;

	owner->job->arg = (uintptr_t)self->killed;
	kid_ask(owner, job_come_and_go);
	for (n = 0; n < test_size(20000) || !seen[0] || !seen[1]; n++) {
		err = n & 1 ? _test_info_name(self->fd, FREED, &info) :
			      _test_open(self->fd, FREED, 0, &id);
		if (err)
			ASSERT_EQ(-ENOENT, err) TH_LOG("look %u", n);
		seen[!err]++;
	}
	__atomic_store_n(self->killed, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, kid_answer(owner));
}

TEST_HARNESS_MAIN

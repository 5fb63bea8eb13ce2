// SPDX-License-Identifier: GPL-2.0
/*
 * Commands with arguments at random, of which most are meant for them and some are wrong, by
 * threads that change the arguments of each other, and by processes of several users and
 * namespaces that are killed meanwhile. Whatever they ask for, each call ends, as a call may end
 * that is documented; and when all of them are gone nothing is left of what they did. Where the
 * kernel injects failures, some calls have one, of an allocation or a copy.
 *
 * KREG_TEST_SEED: what the choices follow from; it is told, so that they can be made again.
 * KREG_TEST_CALLS: how many there are of each test.
 */
#include <pthread.h>
#include <signal.h>

#include "abi/random_args.h"
#include "kit/fault.h"

#define CALLERS		4
#define OTHERS		2		/* threads beside the first of a process that is killed */
#define CALLS		24000U
#define NOBODY		65534

#define COMMAND(name, type)	{ KREG_IOC_##name, #type, sizeof(struct type) }

static const struct command {
	unsigned int nr;
	const char *type;
	__u32 size;
} commands[] = {
	COMMAND(QUERY, kreg_ioc_query), COMMAND(WHOIS, kreg_ioc_whois),
	COMMAND(OPEN, kreg_ioc_open), COMMAND(DESTROY, kreg_ioc_table),
	COMMAND(GIVE, kreg_ioc_give), COMMAND(SETOPT, kreg_ioc_setopt),
	COMMAND(OP, kreg_ioc_op), COMMAND(BATCH, kreg_ioc_batch), COMMAND(SYNC, kreg_ioc_sync),
	COMMAND(SCAN, kreg_ioc_scan), COMMAND(INFO, kreg_ioc_info), COMMAND(LIST, kreg_ioc_list),
	COMMAND(WATCH, kreg_ioc_watch), COMMAND(CANCEL, kreg_ioc_cancel),
	COMMAND(REGISTER, kreg_ioc_register), COMMAND(SUBSCRIBE, kreg_ioc_subscribe),
	COMMAND(ACK, kreg_ioc_ack), COMMAND(LEASE, kreg_ioc_lease), COMMAND(PIN, kreg_ioc_pin),
	COMMAND(RENAME, kreg_ioc_rename), COMMAND(CHANGE, kreg_ioc_change),
	COMMAND(GROUP, kreg_ioc_group),
};

/* All that the header knows. */
static const int errnos[] = {
	EPERM, ENOENT, ESRCH, EINTR, ENXIO, E2BIG, EAGAIN, ENOMEM, EACCES, EFAULT, EBUSY, EEXIST,
	EXDEV, EINVAL, ENOTTY, EFBIG, ENOSPC, EROFS, ERANGE, ENAMETOOLONG, ENODATA, EOVERFLOW,
	EMSGSIZE, EPROTOTYPE, EOPNOTSUPP, ENOTCONN, ETIMEDOUT, EALREADY, ESTALE, EDQUOT, ECANCELED,
	EOWNERDEAD,
};

/* Who calls; in memory that all processes of the test share. */
struct caller {
	struct random random;
	int fd, fault;			/* of the client, and as fault_open(), or negative */
	unsigned int calls;
	unsigned int passed[ARRAY_SIZE(commands)];
	unsigned int failed;		/* in a way that is not documented: the command, */
	int error;			/* and how; 0: none has */
	bool done;
};

FIXTURE(random_calls) {
	struct test_base base;
	int fd;
	struct caller *callers;
	__u64 seed;
};

FIXTURE_SETUP(random_calls)
{
	const char *seed = getenv("KREG_TEST_SEED");

	self->fd = test_setup(_metadata, &self->base);
	self->seed = seed ? strtoull(seed, NULL, 0) : test_now_ns();
	TH_LOG("KREG_TEST_SEED=%llu", (unsigned long long)self->seed);
	self->callers = test_shared(CALLERS * sizeof(*self->callers));
	ASSERT_NE(NULL, self->callers);
}

FIXTURE_TEARDOWN_PARENT(random_calls)
{
	test_teardown(_metadata, &self->base);
}

static unsigned int calls_of_all(void)
{
	const char *calls = getenv("KREG_TEST_CALLS");

	return calls ? (unsigned int)atoi(calls) : test_size(CALLS);
}

static bool is_documented(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++)
		if (err == -errnos[i])
			return true;
	return !err;
}

/* One more record may be there, or none; what does not fit is told of. */
static int read_some(struct caller *c)
{
	struct random *r = &c->random;
	void *to = (void *)(uintptr_t)random_bytes(r);
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	if (poll(&p, 1, 0) != 1)
		return 0;
	return read(c->fd, to, random_below(r, 2) ? PAGE : random_below(r, 200)) < 0 ? -errno : 0;
}

/* It may sleep until a signal ends it. */
static bool may_wait(unsigned int nr, const union any *a)
{
	switch (nr) {
	case KREG_IOC_OPEN:
		return a->open.flags & KREG_OPEN_WAIT;
	case KREG_IOC_OP:
		return a->op.flags & KREG_WRITE_ACKED;
	case KREG_IOC_WATCH:
		return a->watch.flags & KREG_WATCH_SLEEP;
	case KREG_IOC_REGISTER:
		return a->reg.flags & KREG_REGISTER_WAIT;
	}
	return false;
}

/* Signals come later, since what they put on the stack could not be copied either. */
static int call_failing(struct caller *c, unsigned int nr, void *arg)
{
	sigset_t alarm;
	int err;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	fault_arm(c->fault, 1 + random_below(&c->random, 16));
	err = test_ioctl(c->fd, nr, arg);
	fault_disarm(c->fault);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	return err;
}

static int call(struct caller *c, unsigned int which)
{
	const struct command *command = &commands[which];
	struct random *r = &c->random;
	union any a;
	int err;

	memset(&a, 0, command->size);
	random_struct(r, command->type, &a);
	if (random_below(r, 20))
		fill_nested(r, command->nr, &a);
	a.query.size = random_once_in(r, 60) ? random_number(r) : command->size;
	if (random_once_in(r, 60)) {
		memcpy(r->memory->last + PAGE - 64, &a, 64);
		return test_ioctl(c->fd, command->nr, r->memory->last + PAGE - 64);
	}
	if (c->fault >= 0 && random_once_in(r, 5) && !may_wait(command->nr, &a))
		err = call_failing(c, command->nr, &a);
	else
		err = test_ioctl(c->fd, command->nr, &a);
	if (err)
		return err;
	c->passed[which]++;
	learn(r, command->nr, &a);
	return 0;
}

/* Objects are what most calls are about, and few tables are destroyed. */
static unsigned int choose(struct random *r)
{
	unsigned int which = random_below(r, ARRAY_SIZE(commands) + 12);

	if (which >= ARRAY_SIZE(commands))
		which = random_below(r, 2) ? 6 : 7;
	return which == 3 && random_below(r, 8) ? 2 : which;
}

static void call_many(struct caller *c, unsigned int calls)
{
	unsigned int i, which;
	int err;

	c->fault = fault_open();
	for (i = 0; i < calls && !c->error; i++) {
		which = choose(&c->random);
		err = random_once_in(&c->random, 12) ? read_some(c) : call(c, which);
		c->calls++;
		if (is_documented(err))
			continue;
		c->failed = which;
		c->error = err;
	}
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
}

static bool begin(struct caller *c, struct random_memory *memory, __u64 seed)
{
	unsigned int i;

	c->random = (struct random) { .state = seed, .memory = memory };
	c->fd = test_client_flags(O_NONBLOCK);
	for (i = 0; i < RANDOM_POOL; i += 2)
		c->random.processes[i] = test_self(c->fd);
	for (i = 0; i < RANDOM_POOL; i++)
		_test_create_type(c->fd, NULL, 1 + i % KREG_TYPE_DUPLICATE_BAG, KREG_ACCESS_PUBLIC,
				  &c->random.tables[i]);
	return c->fd >= 0;
}

/* Calls that wait go on. */
static void wake(int sig)
{
}

static void catch_alarm(void)
{
	struct sigaction act = { .sa_handler = wake };

	sigaction(SIGALRM, &act, NULL);
}

static void *thread_main(void *arg)
{
	call_many(arg, calls_of_all() / CALLERS);
	return NULL;
}

#define expect_well(c) _expect_well(_metadata, c)
static void _expect_well(struct __test_metadata *_metadata, const struct caller *c)
{
	EXPECT_EQ(0, c->error) TH_LOG("command %s", commands[c->failed].type);
}

/* Nearly all commands have passed, or little was tested; each by itself is up to chance. */
static void expect_most_passed(struct __test_metadata *_metadata, const struct caller *callers)
{
	unsigned int i, n, passed, never = 0;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		for (n = passed = 0; n < CALLERS; n++)
			passed += callers[n].passed[i];
		TH_LOG("%-20s %u passed", commands[i].type, passed);
		never += !passed;
	}
	if (calls_of_all() >= CALLS)
		EXPECT_GE(ARRAY_SIZE(commands) / 4, never);
}

TEST_F_TIMEOUT(random_calls, threads, test_scale(300))
{
	struct random_memory *memory = random_memory();
	struct caller *c = self->callers;
	pthread_t threads[CALLERS];
	unsigned int i, done;

	ASSERT_NE(NULL, memory);
	catch_alarm();
	for (i = 0; i < CALLERS; i++) {
		ASSERT_TRUE(begin(&c[i], memory, self->seed + i));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_main, &c[i]));
	}
	do {
		test_pause_ms(2);
		for (i = done = 0; i < CALLERS; i++) {
			done += __atomic_load_n(&c[i].done, __ATOMIC_ACQUIRE);
			pthread_kill(threads[i], SIGALRM);
		}
	} while (done < CALLERS);
	for (i = 0; i < CALLERS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		expect_well(&c[i]);
	}
	expect_most_passed(_metadata, c);
}

/* Threads that go with the process, whose clients are their own. */
static bool start_others(const struct caller *c, __u64 seed)
{
	struct caller *others = calloc(OTHERS, sizeof(*others));
	pthread_t thread;
	unsigned int i;

	for (i = 0; others && i < OTHERS; i++)
		if (!begin(&others[i], c->random.memory, seed + i + 1) ||
		    pthread_create(&thread, NULL, thread_main, &others[i]))
			return false;
	return others;
}

static pid_t start_process(struct caller *c, unsigned int number, __u64 seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (number % 4 == 2 && unshare(CLONE_NEWUSER))
		_exit(KID_ERROR);
	if (number % 2 && (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(KID_ERROR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!begin(c, random_memory(), seed) || !start_others(c, seed))
		_exit(KID_ERROR);
	call_many(c, calls_of_all() / CALLERS);
	_exit(0);
}

/* They are killed in the midst of it, and others begin. */
TEST_F_TIMEOUT(random_calls, processes, test_scale(300))
{
	unsigned int i, number = CALLERS, done = 0;
	struct random r = { .state = self->seed };
	struct caller *c = self->callers;
	pid_t pids[CALLERS];
	int status;

	catch_alarm();
	for (i = 0; i < CALLERS; i++)
		pids[i] = start_process(&c[i], i, self->seed + i);
	while (done < CALLERS) {
		test_pause_ms(2);
		i = random_below(&r, CALLERS);
		if (!pids[i])
			continue;
		kill(pids[i], random_once_in(&r, 50) && number < 100 ? SIGKILL : SIGALRM);
		if (waitpid(pids[i], &status, WNOHANG) != pids[i])
			continue;
		ASSERT_TRUE(WIFEXITED(status) ? !WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL);
		if (WIFEXITED(status)) {
			pids[i] = 0;
			done++;
		} else {
			pids[i] = start_process(&c[i], number, self->seed + number);
			number++;
		}
	}
	for (i = 0; i < CALLERS; i++)
		expect_well(&c[i]);
	expect_most_passed(_metadata, c);
}

TEST_HARNESS_MAIN

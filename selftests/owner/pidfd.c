// SPDX-License-Identifier: GPL-2.0
/*
 * A process is dead when a pidfd of it says so: not before, however few of its threads are
 * left, and not without having let go of all that is not a table.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kit/fixture.h"
#include "kit/job.h"

FIXTURE(pidfd) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(pidfd)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(pidfd)
{
	test_teardown(_metadata, &self->base);
}

static void *paused(void *arg)
{
	struct job *job = arg;

	job->pid = syscall(SYS_gettid);
	while (1)
		pause();
	return NULL;
}

static long job_paused_thread(struct job *job)
{
	pthread_t thread;

	job->pid = 0;
	if (pthread_create(&thread, NULL, paused, job))
		return -EAGAIN;
	return test_wait_for(__atomic_load_n(&job->pid, __ATOMIC_RELAXED)) ?
		0 : -ETIME;
}

/*
 * All threads are dead, but one that is not the first is the zombie of a tracer: as long
 * as a pidfd says that the process lives, it owns what it has.
 */
TEST_F(pidfd, traced_thread)
{
	struct kid *victim = kid_start(_metadata);
	struct pollfd pidfd = { .fd = victim->pidfd, .events = POLLIN };
	struct test_event event;
	struct kreg_info info;
	__u64 left, lost;
	pid_t tid;
	int status;

	ASSERT_EQ(0, kid_create_heir(victim, "left", test_self(self->fd), "", &left));
	ASSERT_EQ(0, kid_create(victim, "lost", KREG_ACCESS_PUBLIC, &lost));
	ASSERT_EQ(0, kid_do(victim, job_paused_thread));
	tid = victim->job->pid;
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, tid, NULL, NULL));
	kill(victim->pid, SIGKILL);
	usleep(100000);
	EXPECT_EQ(0, poll(&pidfd, 1, 0));
	EXPECT_EQ(0, _test_info(self->fd, lost, &info));
	test_no_event(self->fd);

	EXPECT_EQ(tid, waitpid(tid, &status, __WALL));
	EXPECT_EQ(1, poll(&pidfd, 1, -1));
	EXPECT_EQ(0, _test_event_now(self->fd, &event));
	EXPECT_EQ(left, event.e.table);
	EXPECT_EQ(KREG_CAUSE_DEATH, event.e.cause);
	test_err_info(ESTALE, self->fd, lost, &info);
	EXPECT_EQ(SIGKILL, kid_reap(victim));
	test_no_event(self->fd);
}

/* Own a table, an abstract socket address, a file lock and much memory. */
static long job_lead(struct job *job)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	int file = open(job->data, O_RDWR | O_CREAT, 0600);
	size_t size = test_size(32 << 20);
	char *memory = malloc(size);

	if (!memory)
		return -ENOMEM;
	memset(memory, 1, size);
	memcpy(address.sun_path + 1, "kreg-leader", sizeof("kreg-leader"));
	if (bind(s, (void *)&address, sizeof(address)) || listen(s, 5))
		return -errno;
	return flock(file, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static long job_claim_and_lead(struct job *job)
{
	__u64 id;
	int err = _test_open(job->fd, "led", KREG_OPEN_CLAIM | KREG_OPEN_WAIT, &id);

	return err ?: job_lead(job);
}

static long job_look(struct job *job)
{
	struct kreg_info info;

	while (!_test_info_name(job->fd, "led", &info))
		;
	return 0;
}

static struct kid *start_leader(struct __test_metadata *_metadata, const char *file)
{
	struct kid *kid = kid_start(_metadata);

	test_set(kid->job->data, file);
	return kid;
}

/*
 * When its table has changed hands, the dead process has let go of everything, whoever
 * looks at the table meanwhile.
 */
TEST_F(pidfd, lets_go_first)
{
	char file[] = "/tmp/kreg-leader-XXXXXX";
	struct kid *leader, *next, *onlooker = kid_start(_metadata);
	__u64 id;
	int i, round;

	close(mkstemp(file));
	test_create(self->fd, "led", 0, &id);
	test_orphan(self->fd, id, KREG_ORPHAN_PARK, 0);
	test_park(self->fd, id);
	leader = start_leader(_metadata, file);
	ASSERT_EQ(0, kid_do(leader, job_claim_and_lead));
	kid_ask(onlooker, job_look);
	for (round = 0; round < 20; round++) {
		struct kreg_info info = {};

		next = start_leader(_metadata, file);
		kid_ask(next, job_claim_and_lead);
		ASSERT_TRUE(test_wait_for(!_test_info(self->fd, id, &info) && info.waiters));
		kill(leader->pid, SIGKILL);
		EXPECT_EQ(0, kid_answer(next));
		EXPECT_EQ(SIGKILL, kid_reap(leader));
		leader = next;
	}
	for (i = 0; i < 2; i++)
		kid_kill(i ? leader : onlooker);
	test_destroy(self->fd, id);
	unlink(file);
}

TEST_HARNESS_MAIN

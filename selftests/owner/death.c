// SPDX-License-Identifier: GPL-2.0
/*
 * Deaths of all kinds: when a death can be seen, no call tells of the dead process any
 * more, the heir owns its table, and its record can be read.
 */
#include <poll.h>
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/job.h"

struct death {
	int fd;
	struct kreg_process me;
	struct kid *kid;
	__u64 left;		/* to the test */
	__u64 lost;
};

FIXTURE(death) {
	struct test_base base;
	struct death d;
};

static void start_victim(struct __test_metadata *_metadata, struct death *d)
{
	d->me = test_self(d->fd);
	d->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_create_heir(d->kid, "left", d->me, "last words",
				     &d->left));
	ASSERT_EQ(0, kid_puts(d->kid, d->left, "k", "v"));
	ASSERT_EQ(0, kid_create(d->kid, "lost", KREG_ACCESS_PUBLIC,
				&d->lost));
	ASSERT_EQ(0, kid_puts(d->kid, d->lost, "k", "v"));
}

FIXTURE_SETUP(death)
{
	self->d.fd = test_setup(_metadata, &self->base);
	start_victim(_metadata, &self->d);
}

FIXTURE_TEARDOWN_PARENT(death)
{
	test_teardown(_metadata, &self->base);
}

/* No call may tell of the dead process, whichever is the first after its death. */
static void expect_gone(struct __test_metadata *_metadata,
			struct death *d, struct kreg_process dead)
{
	struct kreg_process process;
	struct kreg_info info;
	char room[8];
	__u64 id;

	test_err_open(ENOENT, d->fd, "lost", 0, &id);
	test_err_get(ESTALE, d->fd, d->lost, "k", 1, room, 8);
	test_err_info(ESTALE, d->fd, d->lost, &info);
	test_err_info_name(ENOENT, d->fd, "lost", &info);
	test_err_puts(ESTALE, d->fd, d->lost, "k", "w");
	test_err_destroy(ESTALE, d->fd, d->lost);
	EXPECT_EQ(0, test_listed(d->fd, d->lost));
	test_err_whois(ESRCH, d->fd, dead.pid, &process);
	/* The name can be used again. */
	test_create(d->fd, "lost", 0, &id);
	test_destroy(d->fd, id);
}

static void expect_heir(struct __test_metadata *_metadata,
			struct death *d, struct kreg_process dead,
			int status)
{
	struct test_event event;
	struct kreg_info info;

	test_event_now(d->fd, &event);
	test_transfer(&event, d->left, dead, KREG_CAUSE_DEATH);
	EXPECT_EQ(KREG_EVENT_STATUS, event.e.flags);
	EXPECT_EQ(status, event.e.status);
	EXPECT_STREQ("left", event.name);
	EXPECT_STREQ("last words", event.data);
	test_no_event(d->fd);

	test_info(d->fd, d->left, &info);
	EXPECT_TRUE(test_same(d->me, info.owner));
	EXPECT_TRUE(test_same(d->me, info.heir));
	EXPECT_EQ(1, info.transfers);
	test_gets(d->fd, d->left, "k", "v");
	test_puts(d->fd, d->left, "k", "mine");
}

/* Check when the kid's death can be seen, and again when the kid has been reaped. */
static void expect_death(struct __test_metadata *_metadata,
			 struct death *d, int status)
{
	struct kreg_process dead = d->kid->self;

	ASSERT_TRUE(kid_dead(d->kid));
	expect_heir(_metadata, d, dead, status);
	expect_gone(_metadata, d, dead);
	EXPECT_EQ(status, kid_reap(d->kid));
	expect_gone(_metadata, d, dead);
}

static long job_segv(struct job *job)
{
	signal(SIGSEGV, SIG_DFL);
	/* In place of a bad pointer. */
	raise(SIGSEGV);
	return 0;
}

static long job_abort(struct job *job)
{
	abort();
}

static void *exit_thread(void *arg)
{
	_exit(5);
}

static long job_exit_by_thread(struct job *job)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exit_thread, NULL))
		return -EAGAIN;
	return pause();
}

TEST_F(death, exit)
{
	self->d.kid->job->arg = 0;
	kid_ask(self->d.kid, job_exit);
	expect_death(_metadata, &self->d, 0);
}

TEST_F(death, exit_code)
{
	self->d.kid->job->arg = 37;
	kid_ask(self->d.kid, job_exit);
	expect_death(_metadata, &self->d, 37 << 8);
}

TEST_F(death, sigkill)
{
	kill(self->d.kid->pid, SIGKILL);
	expect_death(_metadata, &self->d, SIGKILL);
}

TEST_F(death, sigterm)
{
	kill(self->d.kid->pid, SIGTERM);
	expect_death(_metadata, &self->d, SIGTERM);
}

TEST_F(death, sigkill_while_stopped)
{
	kill(self->d.kid->pid, SIGSTOP);
	kill(self->d.kid->pid, SIGKILL);
	expect_death(_metadata, &self->d, SIGKILL);
}

TEST_F(death, sigsegv)
{
	kid_ask(self->d.kid, job_segv);
	expect_death(_metadata, &self->d, SIGSEGV);
}

TEST_F(death, abort)
{
	kid_ask(self->d.kid, job_abort);
	expect_death(_metadata, &self->d, SIGABRT);
}

TEST_F(death, exit_by_a_thread)
{
	kid_ask(self->d.kid, job_exit_by_thread);
	expect_death(_metadata, &self->d, 5 << 8);
}

/* The death is seen by waitpid(2) alone, without a pidfd. */
TEST_F(death, waitpid)
{
	struct kreg_process dead = self->d.kid->self;
	int status;

	kill(self->d.kid->pid, SIGKILL);
	ASSERT_EQ(self->d.kid->pid, waitpid(self->d.kid->pid, &status, 0));
	expect_heir(_metadata, &self->d, dead, SIGKILL);
	expect_gone(_metadata, &self->d, dead);
}

/* With SIGCHLD ignored the kernel reaps the child: the pid is free when the death is seen. */
TEST_F(death, ignored_child)
{
	struct kreg_process dead = self->d.kid->self;

	signal(SIGCHLD, SIG_IGN);
	kill(self->d.kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->d.kid));
	expect_heir(_metadata, &self->d, dead, SIGKILL);
	expect_gone(_metadata, &self->d, dead);
}

/* As expect_death(), but the heir is asked after the others. */
TEST_F(death, first_look_is_gone)
{
	struct kreg_process dead = self->d.kid->self;

	kill(self->d.kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->d.kid));
	expect_gone(_metadata, &self->d, dead);
	expect_heir(_metadata, &self->d, dead, SIGKILL);
}

TEST_F(death, first_look_is_poll)
{
	struct pollfd pfd = { .fd = self->d.fd, .events = POLLIN };

	kill(self->d.kid->pid, SIGKILL);
	/* Nothing but poll(2) is asked until it reports the record. */
	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_MS));
	EXPECT_EQ(POLLIN, pfd.revents);
	expect_heir(_metadata, &self->d, self->d.kid->self, SIGKILL);
	kid_reap(self->d.kid);
}

static long job_fork_holder(struct job *job)
{
	pid_t pid = fork();

	if (pid) {
		job->pid = pid;
		return pid < 0 ? -errno : 0;
	}
	/* It has inherited the client's file and keeps it open. */
	while (1)
		pause();
}

/* A child holds the file open: that does not keep the owner alive. */
TEST_F(death, file_open_elsewhere)
{
	int pidfd;

	ASSERT_EQ(0, kid_do(self->d.kid, job_fork_holder));
	pidfd = test_pidfd(self->d.kid->job->pid);
	ASSERT_LE(0, pidfd);
	kill(self->d.kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->d.kid));
	expect_heir(_metadata, &self->d, self->d.kid->self, SIGKILL);
	expect_gone(_metadata, &self->d, self->d.kid->self);
	/* The child that holds the file open is still alive. */
	EXPECT_EQ(0, kill(self->d.kid->job->pid, 0));
	kill(self->d.kid->job->pid, SIGKILL);
	EXPECT_TRUE(test_pidfd_dead(pidfd));
	kid_reap(self->d.kid);
}

/* The child of a vfork(2) is another process and takes nothing with it. */
static long job_vfork(struct job *job)
{
	int status;
	pid_t pid = vfork();

	if (!pid)
		_exit(_test_sync(job->fd) == -ENXIO ? 0 : 1);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status;
}

TEST_F(death, vfork)
{
	struct kreg_info info;

	ASSERT_EQ(0, kid_do(self->d.kid, job_vfork));
	test_info(self->d.fd, self->d.left, &info);
	EXPECT_TRUE(test_same(self->d.kid->self, info.owner));
	test_no_event(self->d.fd);
	EXPECT_EQ(0, kid_puts(self->d.kid, self->d.left, "k", "v"));
	kill(self->d.kid->pid, SIGKILL);
	expect_death(_metadata, &self->d, SIGKILL);
}

static void *survivor(void *arg)
{
	struct job *job = arg;
	char c;

	/* Exit when the test writes a byte into the kid's pipe. */
	if (read(job->fd2, &c, 1) == 1)
		_exit(7);
	return NULL;
}

static long job_leader_exits(struct job *job)
{
	pthread_t thread;
	int fd;

	/* Find kid_main()'s pipe, which the first thread will not read any more. */
	for (fd = 3; fd == job->fd || fcntl(fd, F_GETFD) < 0; fd++)
		;
	job->fd2 = fd;
	if (pthread_create(&thread, NULL, survivor, job))
		return -EAGAIN;
	syscall(SYS_exit, 0);
	return -EINVAL;
}

/* The first thread has ended, another runs: the process lives. */
TEST_F(death, leader_ends_first)
{
	struct pollfd pfd = { .fd = self->d.kid->pidfd, .events = POLLIN };
	struct kreg_info info;
	char path[64];

	kid_ask(self->d.kid, job_leader_exits);
	snprintf(path, sizeof(path), "/proc/%d/stat", self->d.kid->pid);
	EXPECT_TRUE(test_wait_for(test_task_state(path) == 'Z'));
	test_sync(self->d.fd);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	test_info(self->d.fd, self->d.left, &info);
	EXPECT_TRUE(test_same(self->d.kid->self, info.owner));
	test_info(self->d.fd, self->d.lost, &info);
	test_no_event(self->d.fd);

	ASSERT_EQ(1, write(self->d.kid->ask, "", 1));
	expect_death(_metadata, &self->d, 7 << 8);
}

TEST_HARNESS_MAIN

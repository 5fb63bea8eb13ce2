/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children that do what the test tells them: kid_do() runs a function in the
 * child and returns what it returned. The struct job is shared memory at the
 * same address in both. A kid dies with the test.
 */
#ifndef KREG_KIT_KID_H
#define KREG_KIT_KID_H

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kit/event.h"
#include "kit/file.h"
#include "kit/op.h"

#define KID_GONE	(-EPIPE)	/* the kid died before it answered */
#define KID_ERROR	99		/* exit code of a kid that cannot start */

struct job {
	long (*fn)(struct job *job);
	long ret;
	int fd;				/* the kid's own client */
	int fd2;
	pid_t pid;
	struct kreg_process self;
	struct kreg_process process;
	__u64 table;
	__u64 arg;
	__u64 arg2;
	__u32 flags;
	__u32 len;
	char name[KREG_MAX_NAME + 1];
	char key[64];
	char value[256];
	char data[KREG_MAX_DATA];
	struct kreg_ioc_open open;
	struct kreg_info info;
	struct test_event event;
};

struct kid {
	pid_t pid;
	int pidfd;
	int ask;
	int answer;
	struct job *job;
	struct kreg_process self;
};

/* How a kid differs from its parent. */
struct kid_how {
	uid_t uid;
	bool bare;			/* it opens no client */
	int flags;			/* of clone(2) */
};

static inline void *test_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static inline int test_pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* fork(2) with flags of clone(2), for new namespaces. */
static inline pid_t test_clone(int flags)
{
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static inline long job_client(struct job *job)
{
	job->fd = test_client();
	if (job->fd < 0)
		return job->fd;
	job->self = test_self(job->fd);
	return 0;
}

static inline long job_exit(struct job *job)
{
	_exit(job->arg);
}

static inline void kid_close_others(int a, int b)
{
	int fd;

	for (fd = 3; fd < 1024; fd++)
		if (fd != a && fd != b)
			close(fd);
}

static inline void kid_main(struct job *job, const struct kid_how *how,
			    pid_t parent, int ask, int answer)
{
	char c;

	kid_close_others(ask, answer);
	if (how->uid && setresgid(how->uid, how->uid, how->uid))
		_exit(KID_ERROR);
	if (how->uid && setresuid(how->uid, how->uid, how->uid))
		_exit(KID_ERROR);
	/* Only here, since the change of uid resets it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!(how->flags & CLONE_NEWPID) && getppid() != parent)
		_exit(KID_ERROR);

	while (read(ask, &c, 1) == 1) {
		job->ret = job->fn(job);
		if (write(answer, &c, 1) != 1)
			break;
	}
	_exit(KID_ERROR);
}

static inline void kid_ask(struct kid *kid, long (*fn)(struct job *job))
{
	char c = 0;

	kid->job->fn = fn;
	/* If the kid is dead this fails, or kid_answer() notices it. */
	if (write(kid->ask, &c, 1) != 1)
		kid->job->ret = KID_GONE;
}

static inline long kid_answer(struct kid *kid)
{
	struct pollfd pfd = { .fd = kid->answer, .events = POLLIN };
	char c;

	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		return -ETIME;
	return read(kid->answer, &c, 1) == 1 ? kid->job->ret : KID_GONE;
}

static inline long kid_do(struct kid *kid, long (*fn)(struct job *job))
{
	kid_ask(kid, fn);
	return kid_answer(kid);
}

static inline struct kid *kid_start_how(struct __test_metadata *_metadata,
					const struct kid_how *how)
{
	struct kid *kid = calloc(1, sizeof(*kid));
	int ask[2], answer[2];
	pid_t parent = getpid();

	ASSERT_NE(NULL, kid);
	kid->job = test_shared(sizeof(*kid->job));
	ASSERT_NE(NULL, kid->job);
	ASSERT_EQ(0, pipe2(ask, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(answer, O_CLOEXEC));
	signal(SIGPIPE, SIG_IGN);
	kid->pid = test_clone(how->flags);
	ASSERT_LE(0, kid->pid);
	if (!kid->pid)
		kid_main(kid->job, how, parent, ask[0], answer[1]);
	close(ask[0]);
	close(answer[1]);
	kid->ask = ask[1];
	kid->answer = answer[0];
	kid->pidfd = test_pidfd(kid->pid);
	ASSERT_LE(0, kid->pidfd);
	if (!how->bare) {
		ASSERT_EQ(0, kid_do(kid, job_client));
		kid->self = kid->job->self;
	}
	return kid;
}

static inline struct kid *kid_start(struct __test_metadata *_metadata)
{
	return kid_start_how(_metadata, &(struct kid_how) {});
}

static inline struct kid *kid_start_as(struct __test_metadata *_metadata,
				       uid_t uid)
{
	return kid_start_how(_metadata, &(struct kid_how) { .uid = uid });
}

static inline struct kid *kid_start_bare(struct __test_metadata *_metadata)
{
	return kid_start_how(_metadata, &(struct kid_how) { .bare = true });
}

/* Wait until the death can be seen; does not reap the process. */
static inline bool test_pidfd_dead(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, PATIENCE_MS) == 1;
}

static inline bool kid_dead(struct kid *kid)
{
	return test_pidfd_dead(kid->pidfd);
}

/* Wait for the death of the kid and free it; returns its wait status. */
static inline int kid_reap(struct kid *kid)
{
	int status = -1;

	if (kid_dead(kid))
		waitpid(kid->pid, &status, 0);
	close(kid->ask);
	close(kid->answer);
	close(kid->pidfd);
	munmap(kid->job, sizeof(*kid->job));
	free(kid);
	return status;
}

static inline int kid_kill(struct kid *kid)
{
	kill(kid->pid, SIGKILL);
	return kid_reap(kid);
}

static inline int kid_exit(struct kid *kid, int code)
{
	kid->job->arg = code;
	kid_ask(kid, job_exit);
	return kid_reap(kid);
}

/* The kid sleeps in system call @nr on @fd. */
static inline bool kid_sleeps(struct kid *kid, long nr, int fd)
{
	char path[64], text[64], want[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", kid->pid);
	snprintf(want, sizeof(want), "%ld 0x%x ", nr, fd);
	test_read_file(path, text, sizeof(text));
	return !strncmp(text, want, strlen(want));
}

#endif /* KREG_KIT_KID_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kids that execute a program: this one anew, or a copy of it. The kid goes on to do
 * what it is asked.
 */
#ifndef KREG_KIT_PROGRAM_H
#define KREG_KIT_PROGRAM_H

#include <sys/stat.h>

#include "kit/job.h"

/* The program may be loaded elsewhere: functions are found by their distance from this one. */
static inline void *program_anchor(void)
{
	return (void *)program_anchor;
}

static inline long job_execute(struct job *job)
{
	char ask[16], answer[16], anchor[24];

	snprintf(ask, sizeof(ask), "%llu", (unsigned long long)job->arg);
	snprintf(answer, sizeof(answer), "%llu", (unsigned long long)job->arg2);
	snprintf(anchor, sizeof(anchor), "%p", program_anchor());
	fcntl(job->arg, F_SETFD, 0);
	fcntl(job->arg2, F_SETFD, 0);
	execl(job->value, job->value, "--program", job->data, ask, answer, anchor, NULL);
	return -errno;
}

static inline bool program_is(int argc, char **argv)
{
	return argc == 6 && !strcmp(argv[1], "--program");
}

/* The program's kid_main(): its struct job lies in a file. */
static inline int program_main(char **argv)
{
	int ask = atoi(argv[3]), answer = atoi(argv[4]);
	long distance = (char *)program_anchor() - (char *)strtoul(argv[5], NULL, 0);
	int fd = open(argv[2], O_RDWR | O_CLOEXEC);
	struct job *job;
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (job == MAP_FAILED)
		return KID_ERROR;
	close(fd);
	job->ret = geteuid();
	while (write(answer, &c, 1) == 1 && read(ask, &c, 1) == 1) {
		job->fn = (void *)((char *)job->fn + distance);
		job->ret = job->fn(job);
	}
	return KID_ERROR;
}

/* Find the pipes of the kid, which kid_main() has as arguments. */
static inline long job_find_pipes(struct job *job)
{
	int fd, found = 0;
	struct stat st;

	for (fd = 3; fd < 64; fd++) {
		if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
			continue;
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
			job->arg = fd;
		else
			job->arg2 = fd;
		found++;
	}
	return found == 2 ? 0 : -EMFILE;
}

/*
 * The kid executes @program, and its clients are closed unless they are kept. Returns the
 * user as whom the program runs, or what execve(2) failed with.
 */
static inline long kid_execute(struct __test_metadata *_metadata, struct kid *kid,
			       const char *program)
{
	char path[] = "/tmp/job.XXXXXX";
	struct job *job;
	int fd = mkstemp(path);
	long ret;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchmod(fd, 0666));
	ASSERT_EQ(0, ftruncate(fd, sizeof(*job)));
	job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, job);
	close(fd);
	ASSERT_EQ(0, kid_do(kid, job_find_pipes));
	test_set(kid->job->data, path);
	test_set(kid->job->value, program);
	*job = *kid->job;
	kid_ask(kid, job_execute);
	munmap(kid->job, sizeof(*kid->job));
	kid->job = job;
	ret = kid_answer(kid);
	unlink(path);
	return ret;
}

#endif /* KREG_KIT_PROGRAM_H */

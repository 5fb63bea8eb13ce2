// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors whose program forks while a child is being started. */
#include <dirent.h>
#include <sys/socket.h>

#include "lib/supervisor.h"

/* What the test and the processes that are forked share: how many of the sockets they have. */
static struct {
	_Atomic int of_child, of_fork;
} *counts;

static bool forks_now;
static pid_t holder;

/*
 * The library calls it when a child has its socket and is not forked yet. A process is forked
 * then, as another thread might do it, that lives on.
 */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (forks_now) {
		forks_now = false;
		holder = fork();
		while (!holder)
			pause();
	}
	return sigprocmask(how, set, old) ? errno : 0;
}

TEST_F(sup, fork_before_a_child)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT);

	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	forks_now = true;
	EXPECT_EQ(0, kreg_supervisor_start(self->sup)) {
		TH_LOG("%s", kreg_errmsg());
	}
	ASSERT_LT(0, holder);
	EXPECT_EQ(0, kill(holder, 0));
	EXPECT_STREQ("+a", self->record.text);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

/* Such as connect a child with its supervisor; that of the notifications has datagrams. */
static int count_streams(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	socklen_t len;
	int n = 0, type;

	while (dir && (entry = readdir(dir))) {
		len = sizeof(type);
		if (!getsockopt(atoi(entry->d_name), SOL_SOCKET, SO_TYPE, &type, &len))
			n += type == SOCK_STREAM;
	}
	if (!dir)
		return -1;
	closedir(dir);
	return n;
}

static int tells_streams(void *arg)
{
	counts->of_child = count_streams();
	return obey(arg);
}

/* Of another supervisor of this process. */
static struct kreg_supervisor *second;
static int second_ret;

static void start_others(const struct kreg_supervisor_log *log, void *arg)
{
	struct kreg_child b = obedient("b", KREG_TEMPORARY);
	pid_t pid;

	record_log(log, arg);
	if (log->what != KREG_CHILD_STARTS)
		return;
	pid = fork();
	if (!pid) {
		counts->of_fork = count_streams();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	b.main = tells_streams;
	second_ret = kreg_supervisor_start_child(second, &b, NULL);
}

/* Neither a fork of the program nor another supervisor's function keeps the socket of a child. */
TEST_F(sup, forks_beside_a_child)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT);
	struct record record = { .status = 0 };
	char name[40];

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, counts);
	counts->of_child = -1;
	counts->of_fork = -1;
	snprintf(name, sizeof(name), "%s-2", self->name);
	ASSERT_EQ(0, make(&second, self->client, name, KREG_ONE_FOR_ONE, 3, &record));
	ASSERT_EQ(0, kreg_supervisor_start(second));
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	kreg_supervisor_set_log(self->sup, start_others, &self->record);
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_EQ(0, second_ret);
	EXPECT_STREQ("+a", self->record.text);
	EXPECT_STREQ("+b", record.text);
	EXPECT_EQ(0, counts->of_fork);
	EXPECT_EQ(0, counts->of_child);
	kreg_supervisor_free(second);
}

TEST_HARNESS_MAIN

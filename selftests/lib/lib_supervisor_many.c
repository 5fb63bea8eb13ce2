// SPDX-License-Identifier: GPL-2.0
/* libkreg: a supervisor of many children is killed, and the next one goes on with all of them. */
#include <sys/resource.h>

#include "kit/util.h"
#include "lib/again.h"

#define PATIENCE	(1000 * test_scale(300))

/* More descriptors than usual: one for each child. */
static int allow_descriptors(void)
{
	struct rlimit limit = { 4096, 4096 };

	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

static unsigned int children(void)
{
	unsigned int n = test_size(1000);

	return n < 50 ? 50 : n;
}

static int count_run(void *arg)
{
	shared->runs[0]++;
	for (;;)
		pause();
	return 0;
}

static int add_children(struct kreg_supervisor *sup)
{
	unsigned int i;
	int ret = 0;
	char id[16];

	for (i = 0; i < children() && !ret; i++) {
		struct kreg_child child = {
			.size = sizeof(child), .id = id, .main = count_run, .start_ms = PATIENCE,
			.stop_ms = KREG_AT_ONCE,
		};

		snprintf(id, sizeof(id), "c%u", i);
		ret = kreg_supervisor_add(sup, &child);
	}
	return ret;
}

/* Found and ready, each by its line of the log. */
static void count_found(const struct kreg_supervisor_log *log, void *arg)
{
	shared->runs[1] += log->what == KREG_CHILD_FOUND;
	shared->runs[2] += log->what == KREG_CHILD_DEAD;
}

static int supervise_many(const char *name)
{
	struct kreg_client *client;
	int ret = kreg_client_open(NULL, &client);

	if (!ret)
		ret = kreg_supervisor_new(client, name, KREG_ONE_FOR_ONE, 0, 5000, &running);
	if (!ret)
		ret = add_children(running);
	if (ret)
		return ret;
	kreg_supervisor_set_log(running, count_found, NULL);
	signal(SIGTERM, end_children);
	ret = kreg_supervisor_start(running);
	if (ret)
		note_failure(ret);
	shared->started = ret;
	if (!ret)
		ret = kreg_supervisor_run(running);
	kreg_supervisor_free(running);
	return ret;
}

static pid_t start_many(const char *name)
{
	uint64_t deadline = kreg_deadline(PATIENCE);
	pid_t pid;

	shared->started = 1;
	pid = fork();
	if (!pid)
		_exit(supervise_many(name) ? 1 : 0);
	while (shared->started == 1 && kreg_deadline(0) < deadline)
		usleep(200);
	return pid;
}

TEST_F_TIMEOUT(again, many, 900)
{
	unsigned int n = children();
	uint64_t begin;

	ASSERT_EQ(0, allow_descriptors());
	begin = kreg_deadline(0);
	self->pid = start_many(self->name);
	ASSERT_EQ(0, shared->started) TH_LOG("%s", shared->failure);
	TH_LOG("%u children started in %llu ms", n,
	       (unsigned long long)(kreg_deadline(0) - begin) / 1000000);
	end_process(self->pid, SIGKILL);
	begin = kreg_deadline(0);
	self->pid = start_many(self->name);
	ASSERT_EQ(0, shared->started) TH_LOG("%s", shared->failure);
	TH_LOG("%u children found in %llu ms", n,
	       (unsigned long long)(kreg_deadline(0) - begin) / 1000000);
	EXPECT_EQ(n, shared->runs[1]);
	EXPECT_EQ(0, shared->runs[2]);
	/* Who was started as the last one may only begin now. */
	begin = kreg_deadline(PATIENCE);
	while (shared->runs[0] < n && kreg_deadline(0) < begin)
		usleep(1000);
	EXPECT_EQ(n, shared->runs[0]);
	EXPECT_EQ(0, end_process(self->pid, SIGTERM));
	self->pid = 0;
	EXPECT_EQ(n, shared->runs[2]);
	EXPECT_EQ(n, shared->runs[0]);
}

TEST_HARNESS_MAIN

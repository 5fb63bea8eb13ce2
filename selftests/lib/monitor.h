/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes to be monitored, and what the events about them say.
 */
#ifndef KREG_LIB_MONITOR_H
#define KREG_LIB_MONITOR_H

#include "lib/lib.h"

FIXTURE(monitor)
{
	struct kreg_client *client;
	pid_t pid;		/* of a process without a client, which waits to be killed */
};

/* Fewer on a slow guest. */
static inline int test_rounds(int n)
{
	const char *shrink = getenv("KREG_TEST_SHRINK");

	return shrink && atoi(shrink) > 0 ? n / atoi(shrink) : n;
}

/* A process that has nothing to do with kreg. */
static inline pid_t bystander(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* Return: the wait status. */
static inline int end(pid_t *pid)
{
	int status = -1;

	kill(*pid, SIGKILL);
	waitpid(*pid, &status, 0);
	*pid = 0;
	return status;
}

FIXTURE_SETUP(monitor)
{
	self->pid = bystander();
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
}

FIXTURE_TEARDOWN(monitor)
{
	if (self->pid)
		end(&self->pid);
	kreg_client_close(self->client);
}

static inline void expect_down(struct __test_metadata *_metadata, const struct kreg_event *event,
			       struct kreg_process process, unsigned int cause)
{
	size_t len = 1;

	EXPECT_EQ(KREG_EVENT_DOWN, kreg_event_kind(event));
	EXPECT_EQ(cause, kreg_event_cause(event));
	EXPECT_EQ(process.pid, kreg_event_process(event).pid);
	EXPECT_EQ(process.cookie, kreg_event_process(event).cookie);
	EXPECT_GE(kreg_deadline(0), kreg_event_time_ns(event));
	EXPECT_NE(NULL, kreg_event_data(event, &len));
	EXPECT_EQ(0, len);
}

static inline void expect_status(struct __test_metadata *_metadata, const struct kreg_event *event,
				 int want)
{
	int status = -1;

	EXPECT_TRUE(kreg_event_status(event, &status));
	EXPECT_EQ(want, status);
}

#define test_down(...)		expect_down(_metadata, __VA_ARGS__)
#define test_status(...)	expect_status(_metadata, __VA_ARGS__)

#endif /* KREG_LIB_MONITOR_H */

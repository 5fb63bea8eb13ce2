/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subscriptions of libkreg, and what their events say.
 */
#ifndef KREG_LIB_EVENT_H
#define KREG_LIB_EVENT_H

#include "lib/lib.h"

#define KIND(name)	KREG_SUBSCRIBE_KIND(KREG_EVENT_##name)
#define ALL		KREG_SUBSCRIBE_KINDS

/* The next event is of this kind, and about this key. */
static inline const struct kreg_event *expect_next(struct __test_metadata *_metadata,
						   struct kreg_client *client, unsigned int kind,
						   const char *key)
{
	const struct kreg_event *event = NULL;
	const char *found;
	size_t len;

	EXPECT_EQ(0, kreg_event_next(client, PATIENCE_MS, &event)) {
		TH_LOG("no event of kind %u for '%s'", kind, key);
	}
	if (!event)
		exit(KSFT_FAIL);
	found = kreg_event_key(event, &len);
	EXPECT_EQ(kind, kreg_event_kind(event));
	EXPECT_TRUE(len == strlen(key) && !memcmp(found, key, len)) {
		TH_LOG("'%.*s' and not '%s'", (int)len, found, key);
	}
	return event;
}

static inline void expect_value(struct __test_metadata *_metadata,
				const struct kreg_event *event, const char *value)
{
	size_t len;
	const char *found = kreg_event_value(event, &len);

	EXPECT_TRUE(found && len == strlen(value) && !memcmp(found, value, len)) {
		TH_LOG("not '%s'", value);
	}
}

static inline void expect_none(struct __test_metadata *_metadata, struct kreg_client *client)
{
	const struct kreg_event *event;

	EXPECT_EQ(-EAGAIN, kreg_event_next(client, 0, &event));
}

#define test_next(...)	expect_next(_metadata, __VA_ARGS__)
#define test_value(...)	expect_value(_metadata, __VA_ARGS__)
#define test_none(...)	expect_none(_metadata, __VA_ARGS__)

static inline int put(struct kreg_table *table, const char *key, const char *value)
{
	return kreg_put(table, key, strlen(key), value, strlen(value));
}

static inline int del(struct kreg_table *table, const char *key)
{
	return kreg_del(table, key, strlen(key));
}

/*
 * A process that has registered @key in the table, which becomes a registry, and waits to be
 * killed.
 */
static inline pid_t registered(struct kreg_table *table, const char *key)
{
	int fds[2];
	pid_t pid;
	char c = 0;

	if (kreg_table_set_access(table, KREG_ACCESS_REGISTRY) || pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		c = kreg_register(table, key, strlen(key), "his", 3) ? 'n' : 'y';
		if (write(fds[1], &c, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1 || c != 'y')
		pid = -1;
	close(fds[0]);
	return pid;
}

static inline int end_process(pid_t pid)
{
	int status = -1;

	if (pid > 0 && !kill(pid, SIGKILL))
		waitpid(pid, &status, 0);
	return status;
}

#endif /* KREG_LIB_EVENT_H */

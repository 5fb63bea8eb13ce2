/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the mailbox, one record at a time.
 */
#ifndef KREG_KIT_EVENT_H
#define KREG_KIT_EVENT_H

#include "kit/util.h"

#define TEST_EVENT_MAX \
	(sizeof(struct kreg_event) + KREG_MAX_KEY + KREG_MAX_DATA)

struct test_event {
	struct kreg_event e;
	char name[KREG_MAX_KEY + 1];
	char data[KREG_MAX_DATA + 1];
};

static inline int test_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) ? -errno : 0;
}

/* Returns the length of the record, or -EBADMSG if it is not well-formed. */
static inline int test_event_parse(const void *buf, int len,
				   struct test_event *event)
{
	const struct kreg_event *e = buf;
	const char *tail = (const char *)(e + 1);
	unsigned int used, i;

	memset(event, 0, sizeof(*event));
	if (len < (int)sizeof(*e) || e->size > (unsigned int)len)
		return -EBADMSG;
	used = e->key_len + e->value_len;
	if (e->key_len > KREG_MAX_KEY || e->value_len > KREG_MAX_DATA ||
	    e->size != ((sizeof(*e) + used + 7) & ~7U))
		return -EBADMSG;
	for (i = used; i < e->size - sizeof(*e); i++)
		if (tail[i])
			return -EBADMSG;

	event->e = *e;
	memcpy(event->name, tail, e->key_len);
	memcpy(event->data, tail + e->key_len, e->value_len);
	return e->size;
}

/*
 * The next record alone: the buffer grows in steps of the smallest record, so
 * that a second one never fits.
 */
static inline int test_event_read(int fd, struct test_event *event)
{
	__u64 buf[TEST_EVENT_MAX / 8 + 8];
	size_t room = 0;
	ssize_t len;

	do {
		room += sizeof(struct kreg_event);
		len = read(fd, buf, room);
	} while (len < 0 && errno == EMSGSIZE && room < TEST_EVENT_MAX);
	if (len < 0)
		return -errno;

	len = test_event_parse(buf, len, event);
	return len < 0 ? len : 0;
}

/* Does not wait: the record must be there already. */
static inline int _test_event_now(int fd, struct test_event *event)
{
	int err = test_nonblock(fd, true);

	if (!err)
		err = test_event_read(fd, event);
	test_nonblock(fd, false);
	return err;
}

/* Waits for the record. */
static inline int _test_event(int fd, struct test_event *event)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		return -ETIMEDOUT;
	return _test_event_now(fd, event);
}

static inline int _test_no_event(int fd)
{
	struct test_event event;
	int err = _test_event_now(fd, &event);

	return err == -EAGAIN ? 0 : err ? err : -EEXIST;
}

#define test_event(...)		ASSERT_EQ(0, _test_event(__VA_ARGS__))
#define test_event_now(...)	ASSERT_EQ(0, _test_event_now(__VA_ARGS__))
#define test_no_event(...)	EXPECT_EQ(0, _test_no_event(__VA_ARGS__))

/* It is the TRANSFER record of a table that @from gave or left. */
static inline void expect_transfer(struct __test_metadata *_metadata,
				   const struct test_event *event,
				   __u64 table, struct kreg_process from,
				   __u32 cause)
{
	EXPECT_EQ(KREG_EVENT_TRANSFER, event->e.kind);
	EXPECT_EQ(table, event->e.table);
	EXPECT_EQ(from.pid, event->e.process.pid);
	EXPECT_EQ(from.cookie, event->e.process.cookie);
	EXPECT_EQ(cause, event->e.cause);
}

#define test_transfer(...)	expect_transfer(_metadata, __VA_ARGS__)

#endif /* KREG_KIT_EVENT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subscriptions, and reading what they bring: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_STREAM_H
#define KREG_KIT_STREAM_H

#include "kit/event.h"
#include "kit/op.h"

#define KIND(name)	KREG_SUBSCRIBE_KIND(KREG_EVENT_##name)
#define ALL_KINDS	KREG_SUBSCRIBE_KINDS
#define CHANGES		(KIND(CREATE) | KIND(UPDATE) | KIND(DELETE) | KIND(CLEAR))

static inline struct kreg_ioc_subscribe test_subscribe_cmd(__u64 id, __u32 mask)
{
	return (struct kreg_ioc_subscribe) {
		.size = sizeof(struct kreg_ioc_subscribe),
		.table = id,
		.mask = mask,
	};
}

static inline int _test_subscribe_cmd(int fd, struct kreg_ioc_subscribe *cmd)
{
	return test_ioctl(fd, KREG_IOC_SUBSCRIBE, cmd);
}

static inline int _test_subscribe(int fd, __u64 id, __u32 mask)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(id, mask);

	return _test_subscribe_cmd(fd, &cmd);
}

static inline int _test_replay(int fd, __u64 id, __u32 mask, __u64 after)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(id, mask);

	cmd.flags = KREG_SUBSCRIBE_REPLAY;
	cmd.after_seq = after;
	return _test_subscribe_cmd(fd, &cmd);
}

/* Reads many events in a call, and hands them out one by one. */
struct test_reader {
	int fd;
	ssize_t len;
	ssize_t at;
	__u64 buf[8192];
};

static inline struct test_reader *test_reader(int fd)
{
	struct test_reader *r = calloc(1, sizeof(*r));

	if (r)
		r->fd = fd;
	return r;
}

static inline const char *test_key(const struct kreg_event *e)
{
	return (const char *)(e + 1);
}

static inline const char *test_value(const struct kreg_event *e)
{
	return test_key(e) + e->key_len;
}

static inline bool test_event_is_whole(const struct kreg_event *e, ssize_t len)
{
	unsigned int used = e->key_len, i;

	if (len < (ssize_t)sizeof(*e) || e->size > len)
		return false;
	if (!(e->flags & KREG_EVENT_CUT))
		used += e->value_len;
	if (e->size != ((sizeof(*e) + used + 7) & ~7U))
		return false;
	for (i = used; i < e->size - sizeof(*e); i++)
		if (test_key(e)[i])
			return false;
	return true;
}

/* The next event, or NULL if there is none now, or none that is whole. */
static inline const struct kreg_event *test_next_now(struct test_reader *r)
{
	const struct kreg_event *e;

	if (r->at >= r->len) {
		test_nonblock(r->fd, true);
		r->len = read(r->fd, r->buf, sizeof(r->buf));
		test_nonblock(r->fd, false);
		r->at = 0;
	}
	e = (void *)((char *)r->buf + r->at);
	if (r->len <= 0 || !test_event_is_whole(e, r->len - r->at))
		return NULL;
	r->at += e->size;
	return e;
}

/* Waits for it. */
static inline const struct kreg_event *test_next(struct test_reader *r)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };

	if (r->at >= r->len && poll(&pfd, 1, PATIENCE_MS) != 1)
		return NULL;
	return test_next_now(r);
}

static inline bool test_is(const struct kreg_event *e, __u16 kind, const char *key)
{
	return e && e->kind == kind && e->key_len == strlen(key) &&
	       !memcmp(test_key(e), key, e->key_len);
}

static inline bool test_has_value(const struct kreg_event *e, const char *value)
{
	return e && e->value_len == strlen(value) && !(e->flags & KREG_EVENT_CUT) &&
	       !memcmp(test_value(e), value, e->value_len);
}

#define test_subscribe(...)	ASSERT_EQ(0, _test_subscribe(__VA_ARGS__))
#define test_subscribe_(...)	ASSERT_EQ(0, _test_subscribe_cmd(__VA_ARGS__))
#define test_replay(...)	ASSERT_EQ(0, _test_replay(__VA_ARGS__))
#define test_err_subscribe(err, ...) EXPECT_EQ(-(err), _test_subscribe(__VA_ARGS__))
#define test_err_subscribe_(err, ...) \
	EXPECT_EQ(-(err), _test_subscribe_cmd(__VA_ARGS__))
#define test_err_replay(err, ...) EXPECT_EQ(-(err), _test_replay(__VA_ARGS__))

/* The next event is of this kind and has this key. */
static inline const struct kreg_event *expect_event(struct __test_metadata *_metadata,
						    struct test_reader *r, __u16 kind,
						    const char *key)
{
	static const struct kreg_event none;
	const struct kreg_event *e = test_next(r);

	EXPECT_NE(NULL, e);
	e = e ? e : &none;
	EXPECT_EQ(kind, e->kind);
	EXPECT_TRUE(test_is(e, kind, key)) {
		TH_LOG("not '%s'", key);
	}
	return e;
}

#define test_expect(...)	expect_event(_metadata, __VA_ARGS__)
#define test_nothing(r)		EXPECT_EQ(NULL, test_next_now(r))

#endif /* KREG_KIT_STREAM_H */

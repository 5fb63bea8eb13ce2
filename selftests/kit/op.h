/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on objects: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_OP_H
#define KREG_KIT_OP_H

#include "kit/util.h"

#define PAGE		4096

/* The argument of any command, and the memory behind it. */
union any {
	__u32 size;
	struct kreg_ioc_query query;
	struct kreg_ioc_whois whois;
	struct kreg_ioc_open open;
	struct kreg_ioc_table table;
	struct kreg_ioc_give give;
	struct kreg_ioc_setopt setopt;
	struct kreg_ioc_op op;
	struct kreg_ioc_batch batch;
	struct kreg_ioc_sync sync;
	struct kreg_ioc_scan scan;
	struct kreg_ioc_info info;
	struct kreg_ioc_list list;
	struct kreg_ioc_register reg;
	struct kreg_ioc_watch watch;
	struct kreg_ioc_cancel cancel;
	struct kreg_ioc_subscribe subscribe;
	struct kreg_ioc_ack ack;
	struct kreg_ioc_lease lease;
	struct kreg_ioc_pin pin;
	struct kreg_ioc_rename rename;
	struct kreg_ioc_group group;
	struct kreg_ioc_change change;
	__u8 bytes[2 * PAGE];
};

static inline struct kreg_op test_op(__u16 code, const void *key, __u32 len)
{
	return (struct kreg_op) {
		.code = code,
		.key = test_ptr(key),
		.key_len = len,
	};
}

static inline struct kreg_op test_op_value(__u16 code, const void *key,
					   __u32 key_len, const void *value,
					   __u32 value_len)
{
	struct kreg_op op = test_op(code, key, key_len);

	op.value = test_ptr(value);
	op.value_len = value_len;
	return op;
}

/* An operation on a key that is a string. */
static inline struct kreg_op test_ops(__u16 code, const char *key)
{
	return test_op(code, key, strlen(key));
}

static inline struct kreg_op test_op_puts(const char *key, const char *value)
{
	return test_op_value(KREG_OP_PUT, key, strlen(key), value,
			     strlen(value));
}

static inline int _test_op(int fd, __u64 id, __u32 flags, struct kreg_op *op)
{
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.flags = flags,
		.table = id,
		.op = *op,
	};
	int err = test_ioctl(fd, KREG_IOC_OP, &cmd);

	*op = cmd.op;
	return err;
}

static inline int _test_put(int fd, __u64 id, const void *key, __u32 key_len,
			    const void *value, __u32 value_len)
{
	struct kreg_op op = test_op_value(KREG_OP_PUT, key, key_len, value,
					  value_len);

	return _test_op(fd, id, 0, &op);
}

static inline int _test_puts(int fd, __u64 id, const char *key,
			     const char *value)
{
	return _test_put(fd, id, key, strlen(key), value, strlen(value));
}

static inline int _test_put_new(int fd, __u64 id, const char *key,
				const char *value)
{
	struct kreg_op op = test_op_puts(key, value);

	op.flags = KREG_OP_NEW;
	return _test_op(fd, id, 0, &op);
}

static inline int _test_put_async(int fd, __u64 id, const char *key,
				  const char *value)
{
	struct kreg_op op = test_op_puts(key, value);

	return _test_op(fd, id, KREG_WRITE_ASYNC, &op);
}

/* Of the youngest object of @key, of several; else as _test_get(). */
static inline int _test_get_last(int fd, __u64 id, const void *key, __u32 key_len, void *value,
				 __u32 room)
{
	static __u64 run[(2 << 20) / sizeof(__u64)];
	const struct kreg_object *o = (void *)run;
	struct kreg_op op = test_op_value(KREG_OP_GET, key, key_len, run, sizeof(run));
	int err = _test_op(fd, id, 0, &op);

	if (err)
		return err;
	while ((char *)o + o->size < (char *)run + op.out_len)
		o = (void *)((char *)o + o->size);
	if (room < o->value_len)
		return -EMSGSIZE;
	memcpy(value, (char *)(o + 1) + o->key_len, o->value_len);
	return o->value_len;
}

/*
 * Returns the length of the value, or -errno. Where tables that do not say are bags, the table is
 * one.
 */
static inline int _test_get(int fd, __u64 id, const void *key, __u32 key_len,
			    void *value, __u32 room)
{
	struct kreg_op op = test_op_value(KREG_OP_GET, key, key_len, value,
					  room);
	int err;

	if (test_type() >= KREG_TYPE_BAG)
		return _test_get_last(fd, id, key, key_len, value, room);
	err = _test_op(fd, id, 0, &op);
	return err ? err : (int)op.out_len;
}

/* The value as a string, with a NUL byte within @room. */
static inline int _test_gets(int fd, __u64 id, const char *key, char *value,
			     __u32 room)
{
	int len = _test_get(fd, id, key, strlen(key), value, room - 1);

	value[len < 0 ? 0 : len] = 0;
	return len < 0 ? len : 0;
}

static inline int test_op_code(int fd, __u64 id, __u16 code, const char *key)
{
	struct kreg_op op = test_ops(code, key);

	return _test_op(fd, id, 0, &op);
}

static inline int _test_member(int fd, __u64 id, const char *key)
{
	return test_op_code(fd, id, KREG_OP_MEMBER, key);
}

static inline int _test_delete(int fd, __u64 id, const char *key)
{
	return test_op_code(fd, id, KREG_OP_DELETE, key);
}

static inline int _test_clear(int fd, __u64 id)
{
	struct kreg_op op = test_op(KREG_OP_CLEAR, NULL, 0);

	return _test_op(fd, id, 0, &op);
}

static inline int _test_batch_cmd(int fd, struct kreg_ioc_batch *cmd)
{
	return test_ioctl(fd, KREG_IOC_BATCH, cmd);
}

static inline struct kreg_ioc_batch test_batch_cmd(__u64 id, __u32 flags,
						   struct kreg_op *ops,
						   __u32 count)
{
	return (struct kreg_ioc_batch) {
		.size = sizeof(struct kreg_ioc_batch),
		.flags = flags,
		.table = id,
		.ops = test_ptr(ops),
		.count = count,
		.op_size = sizeof(*ops),
	};
}

static inline int _test_batch(int fd, __u64 id, __u32 flags,
			      struct kreg_op *ops, __u32 count, __u32 *done)
{
	struct kreg_ioc_batch cmd = test_batch_cmd(id, flags, ops, count);
	int err;

	cmd.out_done = ~0U;
	err = _test_batch_cmd(fd, &cmd);
	if (done)
		*done = cmd.out_done;
	return err;
}

static inline struct kreg_ioc_group test_group_cmd(struct kreg_ioc_batch *batches,
						   __u32 count)
{
	return (struct kreg_ioc_group) {
		.size = sizeof(struct kreg_ioc_group),
		.batches = test_ptr(batches),
		.count = count,
		.batch_size = sizeof(*batches),
		.out_failed = ~0U,
		.out_limit = ~0U,
	};
}

/* When the object expires: 0: never, or -errno. */
static inline long long test_expires(int fd, __u64 id, const char *key)
{
	struct kreg_more more = { .size = sizeof(more) };
	struct kreg_op op = test_ops(KREG_OP_MEMBER, key);
	int err;

	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	err = _test_op(fd, id, 0, &op);
	return err ? err : (long long)more.out_expires_ns;
}

static inline int _test_scan(int fd, struct kreg_ioc_scan *cmd)
{
	cmd->size = sizeof(*cmd);
	return test_ioctl(fd, KREG_IOC_SCAN, cmd);
}

/* Objects that a scan from the start finds, or -errno. */
static inline long test_count(int fd, __u64 id)
{
	__u64 buf[1024] = { 0 }, key[KREG_MAX_KEY / 8];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_KEYS,
		.table = id,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	struct kreg_object *object;
	long total = 0;
	__u32 i, at;
	int err;

	do {
		err = _test_scan(fd, &cmd);
		if (err)
			return err;
		object = NULL;
		for (i = 0, at = 0; i < cmd.out_count; i++) {
			object = (void *)((char *)buf + at);
			at += object->size;
		}
		total += cmd.out_count;
		if (object) {
			memcpy(key, object + 1, object->key_len);
			cmd.range.after = test_ptr(key);
			cmd.range.after_len = object->key_len;
		}
	} while (cmd.out_more);
	return total;
}

static inline long long test_objects(int fd, __u64 id)
{
	struct kreg_info info;
	int err = _test_info(fd, id, &info);

	return err ? err : (long long)info.objects;
}

/* Of the object, or 0. */
static inline __u64 test_version(int fd, __u64 id, const char *key)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, key);

	return _test_op(fd, id, 0, &op) ? 0 : op.out_version;
}

#define test_op_(...)		ASSERT_EQ(0, _test_op(__VA_ARGS__))
#define test_put(...)		ASSERT_EQ(0, _test_put(__VA_ARGS__))
#define test_puts(...)		ASSERT_EQ(0, _test_puts(__VA_ARGS__))
#define test_put_new(...)	ASSERT_EQ(0, _test_put_new(__VA_ARGS__))
#define test_put_async(...)	ASSERT_EQ(0, _test_put_async(__VA_ARGS__))
#define test_member(...)	ASSERT_EQ(0, _test_member(__VA_ARGS__))
#define test_delete(...)	ASSERT_EQ(0, _test_delete(__VA_ARGS__))
#define test_clear(...)		ASSERT_EQ(0, _test_clear(__VA_ARGS__))
#define test_batch(...)		ASSERT_EQ(0, _test_batch(__VA_ARGS__))
#define test_scan(...)		ASSERT_EQ(0, _test_scan(__VA_ARGS__))

/* The key has this value. */
#define test_gets(fd, id, key, value)					\
do {									\
	char __got[256];						\
									\
	EXPECT_EQ(0, _test_gets(fd, id, key, __got, sizeof(__got)));	\
	EXPECT_STREQ(value, __got);					\
} while (0)

#define test_err_op(err, ...)	EXPECT_EQ(-(err), _test_op(__VA_ARGS__))
#define test_err_put(err, ...)	EXPECT_EQ(-(err), _test_put(__VA_ARGS__))
#define test_err_puts(err, ...)	EXPECT_EQ(-(err), _test_puts(__VA_ARGS__))
#define test_err_put_new(err, ...) EXPECT_EQ(-(err), _test_put_new(__VA_ARGS__))
#define test_err_put_async(err, ...) \
	EXPECT_EQ(-(err), _test_put_async(__VA_ARGS__))
#define test_err_get(err, ...)	EXPECT_EQ(-(err), _test_get(__VA_ARGS__))
#define test_err_member(err, ...) EXPECT_EQ(-(err), _test_member(__VA_ARGS__))
#define test_err_delete(err, ...) EXPECT_EQ(-(err), _test_delete(__VA_ARGS__))
#define test_err_clear(err, ...) EXPECT_EQ(-(err), _test_clear(__VA_ARGS__))
#define test_err_batch(err, ...) EXPECT_EQ(-(err), _test_batch(__VA_ARGS__))
#define test_err_scan(err, ...)	EXPECT_EQ(-(err), _test_scan(__VA_ARGS__))

#endif /* KREG_KIT_OP_H */

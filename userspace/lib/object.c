/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects, one by one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

_Static_assert((int)KREG_GET == (int)KREG_OP_GET && (int)KREG_MEMBER == (int)KREG_OP_MEMBER &&
	       (int)KREG_PUT == (int)KREG_OP_PUT && (int)KREG_DEL == (int)KREG_OP_DELETE &&
	       (int)KREG_TAKE == (int)KREG_OP_TAKE && (int)KREG_CLEAR == (int)KREG_OP_CLEAR,
	       "verbs are codes");
_Static_assert(KREG_ASYNC == KREG_WRITE_ASYNC, "the flag goes through as it is");

/* Room that most values fit into, for those who do not know the length. */
#define GUESS	4096

int kreg_op_fill(struct kreg_op *op, unsigned int verb, const void *key, size_t key_len,
		 const void *value, size_t value_len)
{
	/* Lengths beyond 32 bits must not be cut; the kernel knows the real limits. */
	if (key_len > UINT32_MAX)
		return -ENAMETOOLONG;
	if (value_len > UINT32_MAX) {
		if (verb == KREG_PUT || verb == KREG_PUT_NEW)
			return -EFBIG;
		value_len = UINT32_MAX;
	}
	memset(op, 0, sizeof(*op));
	op->code = verb;
	if (verb == KREG_PUT_NEW) {
		op->code = KREG_OP_PUT;
		op->flags = KREG_OP_NEW;
	}
	op->key = key_len ? kreg_ptr(key) : 0;
	op->key_len = key_len;
	op->value = value_len ? kreg_ptr(value) : 0;
	op->value_len = value_len;
	return 0;
}

int kreg_run(struct kreg_table *table, struct kreg_request *request)
{
	struct kreg_request rq;
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	int ret;

	if (request->size < sizeof(rq))
		return -EINVAL;
	ret = kreg_options_copy(&rq, sizeof(rq), request);
	if (ret)
		return ret;
	if (rq.flags & ~KREG_ASYNC || rq.verb > KREG_PUT_NEW)
		return -EOPNOTSUPP;
	io.flags = rq.flags;
	ret = kreg_op_fill(&io.op, rq.verb, rq.key, rq.key_len, rq.value, rq.value_len);
	if (ret)
		return ret;
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (ret == -EMSGSIZE)
		request->out_len = io.op.out_len;
	if (ret)
		return ret;
	request->out_len = io.op.out_len;
	request->out_count = io.op.out_count;
	request->out_version = io.op.out_version;
	return 0;
}

static int run(struct kreg_table *table, unsigned int verb, unsigned int flags, const void *key,
	       size_t key_len, const void *value, size_t value_len, struct kreg_op *out)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .flags = flags, .table = table->id };
	int ret;

	ret = kreg_op_fill(&io.op, verb, key, key_len, value, value_len);
	if (ret)
		return ret;
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (out)
		*out = io.op;
	return ret;
}

int kreg_put(struct kreg_table *table, const void *key, size_t key_len,
	     const void *value, size_t value_len)
{
	return run(table, KREG_PUT, 0, key, key_len, value, value_len, NULL);
}

int kreg_put_new(struct kreg_table *table, const void *key, size_t key_len,
		 const void *value, size_t value_len)
{
	return run(table, KREG_PUT_NEW, 0, key, key_len, value, value_len, NULL);
}

/* GET and TAKE. */
static int fetch(struct kreg_table *table, unsigned int verb, const void *key, size_t key_len,
		 void *buf, size_t room, size_t *len)
{
	struct kreg_op op = { 0 };
	int ret = run(table, verb, 0, key, key_len, buf, room, &op);

	if (len && (!ret || ret == -EMSGSIZE))
		*len = op.out_len;
	return ret;
}

/* The value may grow between two tries. */
static int fetch_alloc(struct kreg_table *table, unsigned int verb, const void *key,
		       size_t key_len, void **value, size_t *len)
{
	size_t room = GUESS, got = 0;
	char *buf = NULL, *more;
	int ret;

	do {
		more = realloc(buf, room + 1);
		if (!more) {
			free(buf);
			return -ENOMEM;
		}
		buf = more;
		ret = fetch(table, verb, key, key_len, buf, room, &got);
		room = got;
	} while (ret == -EMSGSIZE);
	if (ret) {
		free(buf);
		return ret;
	}
	more = realloc(buf, got + 1);
	if (more)
		buf = more;
	buf[got] = '\0';
	*value = buf;
	if (len)
		*len = got;
	return 0;
}

int kreg_get(struct kreg_table *table, const void *key, size_t key_len,
	     void *buf, size_t room, size_t *len)
{
	return fetch(table, KREG_GET, key, key_len, buf, room, len);
}

int kreg_get_alloc(struct kreg_table *table, const void *key, size_t key_len,
		   void **value, size_t *len)
{
	return fetch_alloc(table, KREG_GET, key, key_len, value, len);
}

int kreg_take(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len)
{
	return fetch(table, KREG_TAKE, key, key_len, buf, room, len);
}

int kreg_take_alloc(struct kreg_table *table, const void *key, size_t key_len,
		    void **value, size_t *len)
{
	return fetch_alloc(table, KREG_TAKE, key, key_len, value, len);
}

int kreg_member(struct kreg_table *table, const void *key, size_t key_len)
{
	return run(table, KREG_MEMBER, 0, key, key_len, NULL, 0, NULL);
}

int kreg_del(struct kreg_table *table, const void *key, size_t key_len)
{
	struct kreg_op op = { 0 };
	int ret = run(table, KREG_DEL, 0, key, key_len, NULL, 0, &op);

	return ret ? ret : !!op.out_count;
}

int kreg_clear(struct kreg_table *table, uint64_t *removed)
{
	struct kreg_op op = { 0 };
	int ret = run(table, KREG_CLEAR, 0, NULL, 0, NULL, 0, &op);

	if (!ret && removed)
		*removed = op.out_count;
	return ret;
}

int kreg_put_async(struct kreg_table *table, const void *key, size_t key_len,
		   const void *value, size_t value_len)
{
	return run(table, KREG_PUT, KREG_ASYNC, key, key_len, value, value_len, NULL);
}

int kreg_del_async(struct kreg_table *table, const void *key, size_t key_len)
{
	return run(table, KREG_DEL, KREG_ASYNC, key, key_len, NULL, 0, NULL);
}

int kreg_clear_async(struct kreg_table *table)
{
	return run(table, KREG_CLEAR, KREG_ASYNC, NULL, 0, NULL, 0, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects, one by one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The first room for a value of unknown length; most values fit. */
#define GUESS	4096

int kreg_op_fill(struct kreg_op *op, unsigned int code, const void *key, size_t key_len,
		 const void *value, size_t value_len)
{
	/* Lengths must not lose bits on the way into 32; the kernel knows the real limits. */
	if (key_len > UINT32_MAX)
		return -ENAMETOOLONG;
	if (value_len > UINT32_MAX) {
		if (code == KREG_OP_PUT)
			return -EFBIG;
		value_len = UINT32_MAX;
	}
	memset(op, 0, sizeof(*op));
	op->code = code;
	op->key = key_len ? kreg_ptr(key) : 0;
	op->key_len = key_len;
	op->value = value_len ? kreg_ptr(value) : 0;
	op->value_len = value_len;
	return 0;
}

static bool is_read(unsigned int code)
{
	return code == KREG_OP_GET || code == KREG_OP_MEMBER;
}

/* Keep the failure and its sizes for kreg_errmsg(). */
static int op_failed(int ret, const struct kreg_table *table, unsigned int code,
		     size_t key_len, size_t value_len, size_t out_len)
{
	kreg_fail_table(ret, is_read(code) ? TRY_READ : TRY_WRITE, table);
	/* It has no key, and needs none. */
	if (code == KREG_OP_CLEAR)
		return ret;
	return kreg_fail_sizes(ret, key_len, value_len, out_len);
}

/* What does not fit the kernel's members must not lose bits on the way into them. */
static int set_condition(struct kreg_op *op, const struct kreg_op_args *a)
{
	bool by_value = a->flags & KREG_OP_VALUE, in_part = a->flags & KREG_OP_PART;

	if ((a->expected && !by_value) || (a->expected_len && !by_value) ||
	    (a->offset && !in_part) || (a->more && !(a->flags & KREG_OP_MORE)) ||
	    (a->version && !(a->flags & KREG_OP_VERSION)))
		return -EOPNOTSUPP;
	if (a->offset > UINT32_MAX)
		return -ERANGE;
	if (a->expected_len > UINT32_MAX)
		return -EFBIG;
	op->arg = a->version;
	op->offset = in_part ? a->offset : a->expected_len;
	if (by_value)
		op->arg = a->expected_len ? kreg_ptr(a->expected) : 0;
	if (a->flags & KREG_OP_MORE)
		op->arg = kreg_ptr(a->more);
	return 0;
}

/* What @arg is, and what only an object that is there has. */
#define ARG_FLAGS	(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MORE)
#define OLD_FLAGS	(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MINE | KREG_OP_PRESENT)

/* What the kernel calls invalid. */
static const char *op_fault(const struct kreg_op_args *a)
{
	unsigned int args = a->flags & ARG_FLAGS;

	if (a->code != KREG_OP_CLEAR && a->code != KREG_OP_PUBLISH && !a->key_len)
		return "the key is empty";
	if (a->code == KREG_OP_CLEAR && (a->key_len || a->value_len))
		return "all objects are removed by no key and no value";
	if (args & (args - 1))
		return "of a version, a value and struct kreg_more only one may be given";
	if (a->flags & KREG_OP_VERSION && !a->version)
		return "no object has version 0";
	if (a->flags & KREG_OP_NEW && a->flags & OLD_FLAGS)
		return "KREG_OP_NEW does not go with what only an object has that is there";
	if (a->call_flags)
		return "the operation does not go with KREG_WRITE_ASYNC or KREG_WRITE_ACKED";
	if (a->flags & KREG_OP_MORE)
		return "the members of struct kreg_more contradict each other";
	return "a flag, or a value, does not go with this operation";
}

/* Once more if the short form does not say at which limit an asynchronous write was refused. */
static int op_ioctl(struct kreg_client *client, struct kreg_ioc_op *io)
{
	int ret = kreg_ioctl(client, KREG_IOC_OP, io);

	if (ret != -EAGAIN || io->size != KREG_OP_SIZE)
		return ret;
	io->size = sizeof(*io);
	return kreg_ioctl(client, KREG_IOC_OP, io);
}

static int run_args(struct kreg_table *table, struct kreg_op_args *args)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	struct kreg_op_args a;
	int ret;

	ret = kreg_options_copy_from(&a, sizeof(a), offsetof(struct kreg_op_args, version), args);
	if (ret)
		return ret;
	if (a.reserved || a.flags > UINT16_MAX || a.code > UINT16_MAX)
		return -EOPNOTSUPP;
	io.flags = a.call_flags;
	ret = kreg_op_fill(&io.op, a.code, a.key, a.key_len, a.value, a.value_len);
	if (ret)
		return ret;
	io.op.flags = a.flags;
	/* One that binds may reach another limit than that of bytes. */
	if (a.flags & KREG_OP_BOUND)
		io.size = sizeof(io);
	ret = set_condition(&io.op, &a);
	if (ret)
		return ret;
	ret = op_ioctl(table->client, &io);
	if (!ret || ret == -EMSGSIZE)
		args->out_len = io.op.out_len;
	if (ret == -EINVAL)
		ret = kreg_cause(ret, op_fault(&a));
	if (ret)
		return ret;
	args->out_count = io.op.out_count;
	args->out_version = io.op.out_version;
	return 0;
}

int kreg_op_run(struct kreg_table *table, struct kreg_op_args *args)
{
	int ret = run_args(table, args);

	if (!ret)
		return 0;
	op_failed(ret, table, args->code, args->key_len, args->value_len,
		  ret == -EMSGSIZE ? args->out_len : 0);
	if (ret == -ENODATA && args->flags & KREG_OP_MINE)
		kreg_fail_table(ret, TRY_MINE, table);
	return ret == -EPERM && args->flags & KREG_OP_MORE ?
	       kreg_fail_process(ret, args->more->process.pid) : ret;
}

/* Does not keep a failure for kreg_errmsg(): the caller may try again. */
static int try_op(struct kreg_table *table, unsigned int code, unsigned int call_flags,
		  const void *key, size_t key_len, const void *value, size_t value_len,
		  struct kreg_op *out)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .flags = call_flags, .table = table->id };
	int ret;

	ret = kreg_op_fill(&io.op, code, key, key_len, value, value_len);
	if (!ret)
		ret = op_ioctl(table->client, &io);
	*out = io.op;
	return ret;
}

static int run(struct kreg_table *table, unsigned int code, unsigned int call_flags,
	       const void *key, size_t key_len, const void *value, size_t value_len,
	       struct kreg_op *out)
{
	struct kreg_op op;
	int ret;

	ret = try_op(table, code, call_flags, key, key_len, value, value_len, &op);
	if (ret)
		op_failed(ret, table, code, key_len, value_len, op.out_len);
	if (out)
		*out = op;
	return ret;
}

int kreg_put(struct kreg_table *table, const void *key, size_t key_len,
	     const void *value, size_t value_len)
{
	return run(table, KREG_OP_PUT, 0, key, key_len, value, value_len, NULL);
}

int kreg_put_new(struct kreg_table *table, const void *key, size_t key_len,
		 const void *value, size_t value_len)
{
	struct kreg_op_args args = {
		.size = sizeof(args),
		.code = KREG_OP_PUT,
		.flags = KREG_OP_NEW,
		.key = key,
		.key_len = key_len,
		.value = (void *)value,
		.value_len = value_len,
	};

	return kreg_op_run(table, &args);
}

/* GET and TAKE. */
static int fetch(struct kreg_table *table, unsigned int code, const void *key, size_t key_len,
		 void *buf, size_t room, size_t *len)
{
	struct kreg_op op;
	int ret = kreg_refuse_bag(table);

	if (ret)
		return ret;
	ret = run(table, code, 0, key, key_len, buf, room, &op);

	if (len && (!ret || ret == -EMSGSIZE))
		*len = op.out_len;
	return ret;
}

/* A loop, since the value may grow between two tries. */
static int fetch_alloc(struct kreg_table *table, unsigned int code, const void *key,
		       size_t key_len, void **value, size_t *len)
{
	char *buf = NULL, *more;
	size_t room = GUESS;
	struct kreg_op op;
	int ret = kreg_refuse_bag(table);

	if (ret)
		return ret;
	do {
		more = realloc(buf, room + 1);
		if (!more) {
			free(buf);
			return op_failed(-ENOMEM, table, code, key_len, room, 0);
		}
		buf = more;
		ret = try_op(table, code, 0, key, key_len, buf, room, &op);
		room = op.out_len;
	} while (ret == -EMSGSIZE);
	if (ret) {
		free(buf);
		return op_failed(ret, table, code, key_len, 0, 0);
	}
	more = realloc(buf, op.out_len + 1);
	if (more)
		buf = more;
	buf[op.out_len] = '\0';
	*value = buf;
	if (len)
		*len = op.out_len;
	return 0;
}

int kreg_get(struct kreg_table *table, const void *key, size_t key_len,
	     void *buf, size_t room, size_t *len)
{
	return fetch(table, KREG_OP_GET, key, key_len, buf, room, len);
}

int kreg_get_alloc(struct kreg_table *table, const void *key, size_t key_len,
		   void **value, size_t *len)
{
	return fetch_alloc(table, KREG_OP_GET, key, key_len, value, len);
}

/* The value lands behind the key, where it is in the object. */
int kreg_get_object(struct kreg_table *table, const void *key, size_t key_len,
		    struct kreg_object **object)
{
	struct kreg_object *obj = NULL, *more;
	size_t room = GUESS;
	struct kreg_op op;
	int ret = kreg_refuse_bag(table);

	if (ret)
		return ret;
	if (key_len > KREG_MAX_KEY)
		return op_failed(-ENAMETOOLONG, table, KREG_OP_GET, key_len, 0, 0);
	do {
		more = realloc(obj, sizeof(*obj) + key_len + room);
		if (!more) {
			free(obj);
			return op_failed(-ENOMEM, table, KREG_OP_GET, key_len, room, 0);
		}
		obj = more;
		ret = try_op(table, KREG_OP_GET, 0, key, key_len, (char *)(obj + 1) + key_len,
			     room, &op);
		room = op.out_len;
	} while (ret == -EMSGSIZE);
	if (ret) {
		free(obj);
		return op_failed(ret, table, KREG_OP_GET, key_len, 0, 0);
	}
	*obj = (struct kreg_object){
		.size = sizeof(*obj) + key_len + op.out_len,
		.key_len = key_len,
		.value_len = op.out_len,
		.version = op.out_version,
	};
	memcpy(obj + 1, key, key_len);
	*object = obj;
	return 0;
}

void kreg_object_free(struct kreg_object *object)
{
	free(object);
}

const void *kreg_object_key(const struct kreg_object *object, size_t *len)
{
	if (len)
		*len = object->key_len;
	return object + 1;
}

const void *kreg_object_value(const struct kreg_object *object, size_t *len)
{
	if (len)
		*len = object->value_len;
	if (object->sub & OBJECT_NO_VALUE)
		return NULL;
	return (const char *)(object + 1) + object->key_len;
}

uint64_t kreg_object_version(const struct kreg_object *object)
{
	return object->version;
}

int kreg_take(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len)
{
	return fetch(table, KREG_OP_TAKE, key, key_len, buf, room, len);
}

int kreg_take_alloc(struct kreg_table *table, const void *key, size_t key_len,
		    void **value, size_t *len)
{
	return fetch_alloc(table, KREG_OP_TAKE, key, key_len, value, len);
}

int kreg_member(struct kreg_table *table, const void *key, size_t key_len)
{
	return run(table, KREG_OP_MEMBER, 0, key, key_len, NULL, 0, NULL);
}

int kreg_del(struct kreg_table *table, const void *key, size_t key_len)
{
	struct kreg_op op;
	int ret = run(table, KREG_OP_DELETE, 0, key, key_len, NULL, 0, &op);

	return ret ? ret : !!op.out_count;
}

int kreg_clear(struct kreg_table *table, uint64_t *removed)
{
	struct kreg_op op;
	int ret = run(table, KREG_OP_CLEAR, 0, NULL, 0, NULL, 0, &op);

	if (!ret && removed)
		*removed = op.out_count;
	return ret;
}

int kreg_put_async(struct kreg_table *table, const void *key, size_t key_len,
		   const void *value, size_t value_len)
{
	return run(table, KREG_OP_PUT, KREG_WRITE_ASYNC, key, key_len, value, value_len, NULL);
}

int kreg_del_async(struct kreg_table *table, const void *key, size_t key_len)
{
	return run(table, KREG_OP_DELETE, KREG_WRITE_ASYNC, key, key_len, NULL, 0, NULL);
}

int kreg_clear_async(struct kreg_table *table)
{
	return run(table, KREG_OP_CLEAR, KREG_WRITE_ASYNC, NULL, 0, NULL, 0, NULL);
}

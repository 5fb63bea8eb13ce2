/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys with several objects. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The first room for objects of unknown length. */
#define GUESS	4096

struct kreg_objects {
	size_t count;
	size_t len;
	size_t at;		/* of the next one */
	struct kreg_object first[];
};

/* What a set gives is a value without a head: there is room for that and the key before it. */
static size_t head_of(const struct kreg_table *table, size_t key_len)
{
	return kreg_table_is_bag(table) ? 0 : sizeof(struct kreg_object) + key_len;
}

static int try_fetch(struct kreg_table *table, unsigned int code, const void *key, size_t key_len,
		     struct kreg_objects *o, size_t room, struct kreg_op *op)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	char *at = (char *)o->first + head_of(table, key_len);
	int ret = kreg_op_fill(&io.op, code, key, key_len, at, room);

	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	*op = io.op;
	return ret;
}

static void make_head(struct kreg_objects *o, const void *key, size_t key_len,
		      const struct kreg_op *op)
{
	o->len = sizeof(*o->first) + key_len + op->out_len;
	*o->first = (struct kreg_object){
		.size = o->len,
		.key_len = key_len,
		.value_len = op->out_len,
		.version = op->out_version,
	};
	memcpy(o->first + 1, key, key_len);
}

static int bag_failed(int ret, struct kreg_table *table, unsigned int code, size_t key_len)
{
	kreg_fail_table(ret, code == KREG_OP_GET ? TRY_READ : TRY_WRITE, table);
	return kreg_fail_sizes(ret, key_len, 0, 0);
}

/* A loop, since there may be more of them between two tries. */
static int fetch_all(struct kreg_table *table, unsigned int code, const void *key, size_t key_len,
		     struct kreg_objects **objects)
{
	struct kreg_objects *o = NULL, *more;
	size_t room = GUESS;
	struct kreg_op op;
	int ret;

	if (key_len > KREG_MAX_KEY)
		return bag_failed(-ENAMETOOLONG, table, code, key_len);
	do {
		more = realloc(o, sizeof(*o) + head_of(table, key_len) + room);
		if (!more) {
			ret = -ENOMEM;
			break;
		}
		o = more;
		ret = try_fetch(table, code, key, key_len, o, room, &op);
		room = op.out_len;
	} while (ret == -EMSGSIZE);
	if (ret) {
		free(o);
		return bag_failed(ret, table, code, key_len);
	}
	o->count = op.out_count;
	o->len = op.out_len;
	o->at = 0;
	if (!kreg_table_is_bag(table))
		make_head(o, key, key_len, &op);
	*objects = o;
	return 0;
}

int kreg_get_all(struct kreg_table *table, const void *key, size_t key_len,
		 struct kreg_objects **objects)
{
	return fetch_all(table, KREG_OP_GET, key, key_len, objects);
}

int kreg_take_all(struct kreg_table *table, const void *key, size_t key_len,
		  struct kreg_objects **objects)
{
	return fetch_all(table, KREG_OP_TAKE, key, key_len, objects);
}

size_t kreg_objects_count(const struct kreg_objects *objects)
{
	return objects->count;
}

const struct kreg_object *kreg_objects_next(struct kreg_objects *objects)
{
	const struct kreg_object *object = (const void *)((char *)objects->first + objects->at);

	if (objects->at == objects->len) {
		objects->at = 0;
		return NULL;
	}
	objects->at += object->size;
	return object;
}

void kreg_objects_free(struct kreg_objects *objects)
{
	free(objects);
}

unsigned int kreg_object_number(const struct kreg_object *object)
{
	return object->sub & ~(OBJECT_NO_VALUE | OBJECT_PROCESS | OBJECT_EXPIRY);
}

int kreg_count_of(struct kreg_table *table, const void *key, size_t key_len, uint64_t *objects)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	int ret = kreg_op_fill(&io.op, KREG_OP_MEMBER, key, key_len, NULL, 0);

	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (ret && ret != -ENODATA)
		return bag_failed(ret, table, KREG_OP_GET, key_len);
	*objects = ret ? 0 : io.op.out_count;
	return 0;
}

int kreg_del_object(struct kreg_table *table, const struct kreg_object *object)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = table->id };
	int ret;

	kreg_op_fill(&io.op, KREG_OP_DELETE, object + 1, object->key_len, NULL, 0);
	io.op.flags = KREG_OP_VERSION;
	io.op.arg = object->version;
	io.op.offset = kreg_object_number(object);
	ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (ret == -ECANCELED)
		return 0;
	return ret ? bag_failed(ret, table, KREG_OP_DELETE, object->key_len) :
		     (int)io.op.out_count;
}

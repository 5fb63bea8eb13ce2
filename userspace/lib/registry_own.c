/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process does with the keys that it has. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "internal.h"

/* Room for a new value at first; most fit. */
#define GUESS	4096

/* What the process has on loan is no key of its own, and stays so. Return: how many. */
static int unregister_own(struct kreg_table *table, const void *key, size_t len)
{
	int64_t loans = kreg_loans(table, key, len);

	if (loans == -ENODATA || loans > 0)
		return 0;
	return loans ? (int)loans : kreg_unregister(table, key, len);
}

static int unregister_each(struct kreg_table *table, struct kreg_scan *scan)
{
	const struct kreg_object *object;
	const void *key;
	size_t len;
	int ret, n = 0;

	while ((ret = kreg_scan_next(scan, &object)) == 1) {
		key = kreg_object_key(object, &len);
		ret = unregister_own(table, key, len);
		if (ret < 0)
			return ret;
		if (n < INT_MAX)
			n += ret;
	}
	return ret ? ret : n;
}

int kreg_unregister_all(struct kreg_table *table)
{
	struct kreg_process self;
	struct kreg_scan_options options = {
		.size = sizeof(options),
		.flags = KREG_SCAN_KEYS,
		.process = &self,
	};
	struct kreg_scan *scan;
	int ret;

	ret = kreg_client_self(table->client, &self);
	if (!ret)
		ret = kreg_scan_open(table, &options, &scan);
	if (ret)
		return ret;
	ret = unregister_each(table, scan);
	kreg_scan_close(scan);
	return ret;
}

/* The new value, and the room for it. */
struct update {
	kreg_update_fn fn;
	void *arg;
	char *buf;
	size_t room;
	size_t len;
	bool again;
	bool refused;		/* the error is what @fn has returned */
};

static int make_room(struct update *u, size_t room)
{
	char *buf;

	if (room <= u->room)
		return 0;
	buf = realloc(u->buf, room);
	if (!buf)
		return -ENOMEM;
	u->buf = buf;
	u->room = room;
	return 0;
}

static int make_value(struct update *u, const struct kreg_object *object)
{
	const void *old;
	size_t old_len;
	int ret;

	old = kreg_object_value(object, &old_len);
	ret = make_room(u, old_len > GUESS ? old_len : GUESS);
	while (!ret) {
		u->len = 0;
		ret = u->fn(old, old_len, u->buf, u->room, &u->len, u->arg);
		u->refused = ret && (ret != -EMSGSIZE || u->len <= u->room);
		if (!ret || u->refused)
			return ret;
		ret = u->len > KREG_MAX_VALUE ? -EFBIG : make_room(u, u->len);
	}
	return ret;
}

static int put_value(struct kreg_table *table, const void *key, size_t key_len,
		     const struct update *u, uint64_t version)
{
	struct kreg_ioc_op io = { .size = sizeof(io), .table = table->id };
	int ret = kreg_op_fill(&io.op, KREG_OP_PUT, key, key_len, u->buf, u->len);

	io.op.flags = KREG_OP_MINE | KREG_OP_VERSION;
	io.op.arg = version;
	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	return ret;
}

static int update_failed(int ret, struct kreg_table *table, size_t key_len,
			 const struct update *u)
{
	kreg_fail_table(ret, u->refused ? TRY_START : TRY_WRITE, table);
	return kreg_fail_sizes(ret, key_len, u->len, 0);
}

static int update_once(struct kreg_table *table, const void *key, size_t key_len,
		       struct update *u)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_object *object;
	struct kreg_process self;
	int ret;

	/* Before @fn is called for what is another's. */
	ret = kreg_client_self(table->client, &self);
	if (!ret)
		ret = kreg_whereis(table, key, key_len, &holder);
	if (!ret && holder.process.cookie != self.cookie)
		return kreg_fail_table(-ENODATA, TRY_MINE, table);
	if (!ret)
		ret = kreg_get_object(table, key, key_len, &object);
	if (ret)
		return update_failed(ret, table, key_len, u);
	ret = make_value(u, object);
	if (!ret) {
		ret = put_value(table, key, key_len, u, kreg_object_version(object));
		/* Another thread was faster, or the key is lost, as the next time will tell. */
		u->again = ret == -ECANCELED || ret == -ENODATA;
	}
	kreg_object_free(object);
	return ret ? update_failed(ret, table, key_len, u) : 0;
}

int kreg_registry_update(struct kreg_table *table, const void *key, size_t key_len,
			 kreg_update_fn fn, void *arg)
{
	struct update u = { .fn = fn, .arg = arg };
	int ret;

	/* Each time another write has been done, so this ends. */
	do {
		u.again = false;
		ret = update_once(table, key, key_len, &u);
	} while (u.again);
	free(u.buf);
	return ret;
}

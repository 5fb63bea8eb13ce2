/* SPDX-License-Identifier: GPL-2.0 */
/* Dumps in memory, and whether two tables are the same. */
#ifndef KREG_LIB_DUMP_H
#define KREG_LIB_DUMP_H

#include <sys/mman.h>

#include "lib/lib.h"

/* A dump of a table in a file without a name, at its start; or the error. */
static inline int dump_table(struct kreg_table *table, unsigned int flags)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	int fd = memfd_create("dump", MFD_CLOEXEC);
	int ret;

	o.flags = flags;
	ret = fd < 0 ? -errno : kreg_dump(table, fd, &o, NULL);
	if (ret) {
		close(fd);
		return ret;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* The same of bytes. */
static inline int dump_bytes(const void *data, size_t len)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	if (write(fd, data, len) != (ssize_t)len)
		return -EIO;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static inline int dump_restore(struct kreg_client *client, int fd, const char *name,
			       struct kreg_table **table)
{
	struct kreg_restore_options o = KREG_RESTORE_OPTIONS_INIT;

	o.name = name;
	lseek(fd, 0, SEEK_SET);
	return kreg_restore(client, fd, &o, table);
}

static inline struct kreg_table *dump_new_table(struct kreg_client *client, const char *name,
						unsigned int type)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table;

	o.flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL;
	o.type = type;
	return kreg_table_open(client, name, &o, &table) ? NULL : table;
}

static inline void dump_drop_table(struct kreg_table *table)
{
	kreg_table_destroy(table);
	kreg_table_close(table);
}

/* There is no table of this name. */
static inline bool dump_none(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;
	int ret = kreg_table_open(client, name, NULL, &table);

	if (!ret)
		kreg_table_close(table);
	return ret == -ENOENT;
}

static inline bool dump_same_object(const struct kreg_object *a, const struct kreg_object *b)
{
	size_t key_a, key_b, value_a, value_b;
	const void *key = kreg_object_key(a, &key_a), *value = kreg_object_value(a, &value_a);

	return !memcmp(key, kreg_object_key(b, &key_b), key_a) && key_a == key_b &&
	       !memcmp(value, kreg_object_value(b, &value_b), value_a) && value_a == value_b;
}

/* Whether @b, a set, which has an order of its own, has this object of another one. */
static inline bool dump_has(struct kreg_table *b, const struct kreg_object *x)
{
	struct kreg_object *y;
	size_t len;
	const void *key = kreg_object_key(x, &len);
	bool same;

	if (kreg_get_object(b, key, len, &y))
		return false;
	same = dump_same_object(x, y);
	kreg_object_free(y);
	return same;
}

/* How many objects both have, in the same order if they have one; or -1. */
static inline int dump_compare(struct kreg_table *a, struct kreg_table *b)
{
	bool set = kreg_table_type(b) == KREG_TYPE_SET;
	const struct kreg_object *x, *y;
	struct kreg_scan *scan[2];
	int n = 0, ret;

	if (kreg_scan_open(a, NULL, &scan[0]) || kreg_scan_open(b, NULL, &scan[1]))
		return -1;
	do {
		ret = kreg_scan_next(scan[0], &x);
		if (kreg_scan_next(scan[1], &y) != ret || ret < 0 ||
		    (ret && !(set ? dump_has(b, x) : dump_same_object(x, y))))
			n = -1;
		n += n >= 0 && ret;
	} while (n >= 0 && ret);
	kreg_scan_close(scan[0]);
	kreg_scan_close(scan[1]);
	return n;
}

#endif /* KREG_LIB_DUMP_H */

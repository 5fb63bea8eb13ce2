/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of kreg with objects in it, by raw ioctl.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <fcntl.h>
#include <sys/ioctl.h>

#include <linux/kreg.h>

#include "bench.h"

#define BATCH_MAX	1024

struct table {
	int fd;
	__u64 id;
	long objects;
	struct keys keys;		/* of the objects that are there */
	struct keys fresh;		/* of others */
	size_t value_len;
	char *value;
	char *room;
	struct kreg_op *ops;		/* BATCH_MAX of them */
};

static inline __u64 address(const void *p)
{
	return (uintptr_t)p;
}

/* A call that must not fail. */
static inline void call(int fd, unsigned int cmd, void *arg, const char *what)
{
	if (ioctl(fd, cmd, arg) < 0)
		bench_die(what);
}

int client_open(void);
struct kreg_process client_self(int fd);
__u64 table_create(int fd, const char *name, const struct kreg_ioc_open *how);
__u64 table_find(int fd, const char *name);
void table_destroy(int fd, __u64 id);
void table_give(int fd, __u64 id, const struct kreg_process *to); /* NULL: park */
void table_claim(int fd, const char *name);
void table_heir(int fd, __u64 id, const struct kreg_process *heir);
void table_clear(int fd, __u64 id);
void transfer_wait(int fd);	/* until a table has come to this client */
void table_info(int fd, __u64 id, struct kreg_info *info);
void kreg_sync(int fd);
void kreg_lend(bool lend);	/* the module's parameter */

/* A public table with so many objects, and keys of @fresh others. */
void table_make(struct table *table, const char *name, long objects,
		size_t value_len, long fresh);
void table_make_type(struct table *table, __u32 type, const char *name, long objects,
		     size_t value_len, long fresh);
void table_fill(struct table *table);
void table_free(struct table *table);
/* A result: what the table takes, by the object. */
void table_memory(struct table *table, const char *op);
void table_batch(struct table *table, __u16 code, __u32 flags,
		 struct keys *keys, long count, int size);

#endif /* BENCH_TABLE_H */

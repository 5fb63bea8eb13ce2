/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share. */
#ifndef KREG_LIB_INTERNAL_H
#define KREG_LIB_INTERNAL_H

#include <stdatomic.h>

/* What the public header declares is exported; everything else is hidden. */
#pragma GCC visibility push(default)
#include <kreg.h>
#pragma GCC visibility pop

/* Records that were read(2) but not yet handed out, and whose they are. */
struct mail {
	char *buf;
	size_t room;
	size_t len;
	size_t next;
	pid_t pid;
};

struct kreg_client {
	int fd;
	_Atomic pid_t pid;	/* whose the file is; negative: it is being opened for -pid */
	char *path;
	struct mail mail;
};

struct kreg_table {
	struct kreg_client *client;
	uint64_t id;
	unsigned int type;
	unsigned int opened;
	char name[];
};

struct kreg_stat {
	struct kreg_info info;
	char name[KREG_MAX_NAME + 1];
};

/* ioctl.c: 0 or a negative errno; opens the device again in a child of fork(2). */
int kreg_ioctl(struct kreg_client *client, unsigned int cmd, void *arg);

/* client.c: the calling process is not the one that opened the file. */
int kreg_client_reopen(struct kreg_client *client);

/* table.c: NULL without memory. @name need not be terminated. */
struct kreg_table *kreg_table_new(struct kreg_client *client, uint64_t id, const void *name,
				  size_t name_len);

/* options.c: copy a struct that may be longer or shorter than ours. */
int kreg_options_copy(void *ours, size_t size, const void *theirs);

/*
 * An object is handed out as it lies in the buffer of a scan; other calls lay theirs out
 * in the same way. The kernel leaves @reserved zero, where this says that no value
 * follows the key.
 */
#define OBJECT_NO_VALUE	1u

/* object.c: one checked operation in the form of the ABI. */
int kreg_op_fill(struct kreg_op *op, unsigned int code, const void *key, size_t key_len,
		 const void *value, size_t value_len);

/* stat.c: by id, or by name if @name is not NULL. */
int kreg_info_read(struct kreg_client *client, uint64_t id, const char *name,
		   struct kreg_info *info);
void kreg_stat_set(struct kreg_stat *stat, const struct kreg_info *info);

static inline uint64_t kreg_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

#endif /* KREG_LIB_INTERNAL_H */

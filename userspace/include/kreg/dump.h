/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: tables in files. */
#ifndef KREG_DUMP_H
#define KREG_DUMP_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A dump is a table as it was at one moment, as a file or as what goes through a pipe; kreg-dump(5)
 * describes the bytes. It has the name of the table, its type, access rule, mode, orphan rule,
 * schema, and its objects, those of a key in their order.
 *
 * What is bound to a process, or on loan to one, is not in it: it means nothing when that process
 * is gone. Nor are owner, heir, role, user, namespaces, limits, and the versions of objects.
 *
 * Each function returns when all is done, calls @progress in between, and may be called in any
 * thread; of one descriptor in one thread at a time.
 */

/* What a function is at. */
enum kreg_dump_stage {
	KREG_DUMP_WRITING = 1,
	KREG_DUMP_VERIFYING = 2,
	KREG_DUMP_LOADING = 3
};

/**
 * kreg_dump_fn - is told now and then how far it is
 * @stage: enum kreg_dump_stage
 * @objects: objects that this stage is through with
 * @total: about how many there are; it may be exceeded
 * @arg: what was given with it
 *
 * Return: 0; else the call that is under way fails with -ECANCELED.
 */
typedef int (*kreg_dump_fn)(unsigned int stage, uint64_t objects, uint64_t total, void *arg);

/**
 * struct kreg_dump_options - how to write a dump
 * @size: sizeof(struct kreg_dump_options)
 * @flags: KREG_DUMP_COMPRESS: by zstd
 * @level: with it, the level of zstd, from 1 to 22; 0: the usual one, 3
 * @progress: is called now and then; may be NULL
 * @arg: for @progress
 */
struct kreg_dump_options {
	size_t size;
	unsigned int flags;
	int level;
	kreg_dump_fn progress;
	void *arg;
};

/* Of kreg_dump(); in struct kreg_dump_info, that something has got shorter by that. */
#define KREG_DUMP_COMPRESS	(1U << 0)
/* Of struct kreg_dump_info: whoever might write the table might claim it. */
#define KREG_DUMP_CLAIMABLE	(1U << 1)
/* Of it, too: the table was sealed. */
#define KREG_DUMP_SEALED	(1U << 2)
/* And: whoever might write to it might destroy it, see KREG_OPEN_SHARED. */
#define KREG_DUMP_SHARED	(1U << 3)

#define KREG_DUMP_OPTIONS_INIT	{ sizeof(struct kreg_dump_options), 0, 0, 0, 0 }

/**
 * struct kreg_dump_info - what a dump has
 * @size: sizeof(struct kreg_dump_info), set by the caller; the rest is written
 * @format: version of the format, 1
 * @flags: KREG_DUMP_COMPRESS, KREG_DUMP_CLAIMABLE, KREG_DUMP_SEALED, KREG_DUMP_SHARED
 * @type: enum kreg_type
 * @access: enum kreg_access
 * @mode: permission bits
 * @orphan: enum kreg_orphan
 * @orphan_ms: how long the table was to be parked; 0: as long as allowed
 * @objects: how many objects the dump has
 * @bytes: of their keys and values
 * @file_bytes: of the dump
 * @version: of the table, see kreg_pin_version()
 * @time_ns: when it was written, since 1970
 * @name: of the table; "" for one without a name
 * @schema: of the table, see kreg_table_set_schema(); 0: none
 * @schema_version: its version
 * @reserved: 0
 */
struct kreg_dump_info {
	size_t size;
	uint32_t format;
	uint32_t flags;
	uint32_t type;
	uint32_t access;
	uint32_t mode;
	uint32_t orphan;
	uint64_t orphan_ms;
	uint64_t objects;
	uint64_t bytes;
	uint64_t file_bytes;
	uint64_t version;
	uint64_t time_ns;
	char name[KREG_MAX_NAME + 8];
	uint64_t schema;
	uint32_t schema_version;
	uint32_t reserved;
};

#define KREG_DUMP_INFO_INIT \
	{ sizeof(struct kreg_dump_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0 }, \
	  0, 0, 0 }

/**
 * kreg_dump() - write a table as it is now
 * @table: a table that the caller may read
 * @fd: a file, pipe or socket, which is written from where it stands
 * @options: NULL: not compressed
 * @info: what was written; may be NULL. After an error it has nothing but @file_bytes: 0 if @fd was
 *	not written to, else at least as many as it got
 *
 * It sets a pin, so writers do not wait for it, and what it writes is of one moment, however long
 * it takes; see kreg_pin_set() for how long that may be. What was written before an error is no
 * dump: whoever reads it is told so.
 *
 * Errors: those of kreg_pin_set(); -ESTALE: the pin has ended before all was written;
 * -EOPNOTSUPP: COMPRESS, and the library was built without zstd; -EINVAL: the level;
 * -ECANCELED: by @progress; those of write(2).
 */
int kreg_dump(struct kreg_table *table, int fd, const struct kreg_dump_options *options,
	      struct kreg_dump_info *info) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_dump_info() - what a dump has
 * @fd: the dump, which is read and verified from where it stands to its end
 * @info: @size is set by the caller
 *
 * Needs no client, and no module.
 *
 * Errors: -EBADMSG: it is no dump, or a byte of it was changed, is missing, or is too many;
 * -EOPNOTSUPP: it is of a later version of the format, has what this library does not know, or
 * is compressed and the library was built without zstd; -EINVAL: the size; those of read(2).
 */
int kreg_dump_info(int fd, struct kreg_dump_info *info) KREG_MUST_CHECK;

/**
 * struct kreg_restore_options - how to restore a table
 * @size: sizeof(struct kreg_restore_options)
 * @flags: must be zero
 * @reserved: must be zero
 * @name: of the new table; NULL: that of the dump
 * @progress: is called now and then; may be NULL
 * @arg: for @progress
 */
struct kreg_restore_options {
	size_t size;
	unsigned int flags;
	unsigned int reserved;
	const char *name;
	kreg_dump_fn progress;
	void *arg;
};

#define KREG_RESTORE_OPTIONS_INIT	{ sizeof(struct kreg_restore_options), 0, 0, 0, 0, 0 }

/**
 * kreg_restore() - make a table of a dump
 * @client: the client
 * @fd: the dump, which is read from where it stands to its end
 * @options: NULL: under its own name
 * @table: the new table, which the caller owns
 *
 * The whole dump is verified first; one that comes through a pipe goes into a file without a name
 * in TMPDIR, or /tmp, for that. Then the table is created, private and to be destroyed if the
 * caller dies, and filled, for which the dump is verified again. It is sealed, if it was, and gets
 * its mode, access rule and orphan rule at the end, in this order: nobody reads a part of it, and
 * none is left if there is an error or the caller is killed. It is to be parked no longer than this
 * user may, whatever the dump says.
 *
 * Errors: those of kreg_dump_info() and kreg_table_open(), of these -EEXIST: the name is taken;
 * -ENOTUNIQ: the dump has a key twice that may be there once; -EDQUOT, -ENOSPC: a limit;
 * -ECANCELED: by @progress; those of read(2), and of write(2) for that file.
 */
int kreg_restore(struct kreg_client *client, int fd, const struct kreg_restore_options *options,
		 struct kreg_table **table) KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_DUMP_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: objects, one by one. */
#ifndef KREG_OBJECT_H
#define KREG_OBJECT_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Errors of all of them: -ESTALE: the table is gone; -EACCES: its mode or its
 * access rule; -EINVAL: an empty key; -ENAMETOOLONG: the key is too long; -EFBIG:
 * the value is; -EDQUOT, -ENOSPC: a limit of the user or of the table.
 */

/** kreg_put() - insert an object or replace it. */
int kreg_put(struct kreg_table *table, const void *key, size_t key_len,
	     const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_put_new() - insert an object; -EEXIST if the key is there. */
int kreg_put_new(struct kreg_table *table, const void *key, size_t key_len,
		 const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_get() - copy a value
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @buf: room for the value; may be NULL if @room is 0
 * @room: its size
 * @len: length of the value, written also with -EMSGSIZE; may be NULL
 *
 * Never waits for a writer.
 *
 * Errors: -ENODATA: the key is not there; -EMSGSIZE: too little room.
 */
int kreg_get(struct kreg_table *table, const void *key, size_t key_len,
	     void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST;

/**
 * kreg_get_alloc() - copy a value into memory of the right size
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: to be freed with free(3); a NUL byte follows the value
 * @len: length of the value without that; may be NULL
 */
int kreg_get_alloc(struct kreg_table *table, const void *key, size_t key_len,
		   void **value, size_t *len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_get_object() - copy an object with all that is known of it
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @object: to be freed with kreg_object_free()
 *
 * Errors: as kreg_get_alloc().
 */
int kreg_get_object(struct kreg_table *table, const void *key, size_t key_len,
		    struct kreg_object **object) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_object_free() - free what kreg_get_object() has made; NULL is allowed. */
void kreg_object_free(struct kreg_object *object);

/*
 * Key, value and version of an object from a scan, a batch or kreg_get_object(). @len
 * may be NULL. Use these functions: the layout of the struct belongs to the kernel's ABI.
 */
const void *kreg_object_key(const struct kreg_object *object, size_t *len) KREG_NONNULL_FIRST;
/* NULL: the value was not asked for, or there was no room; @len is its length even then. */
const void *kreg_object_value(const struct kreg_object *object, size_t *len) KREG_NONNULL_FIRST;
uint64_t kreg_object_version(const struct kreg_object *object) KREG_NONNULL_FIRST;

/** kreg_member() - 0 if the key is there, -ENODATA if not. */
int kreg_member(struct kreg_table *table, const void *key, size_t key_len) KREG_NONNULL_FIRST;

/** kreg_del() - remove an object. Return: 1, or 0 if there was none. */
int kreg_del(struct kreg_table *table, const void *key, size_t key_len) KREG_NONNULL_FIRST;

/**
 * kreg_take() - copy a value and remove the object, in one
 *
 * As kreg_get(). With -EMSGSIZE nothing is removed. If several take it at once, one gets it.
 */
int kreg_take(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_take_alloc() - as kreg_take() and kreg_get_alloc(). */
int kreg_take_alloc(struct kreg_table *table, const void *key, size_t key_len,
		    void **value, size_t *len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_clear() - remove all objects, in one
 * @table: the table
 * @removed: how many there were, at most 2^32 - 1; may be NULL
 */
int kreg_clear(struct kreg_table *table, uint64_t *removed) KREG_NONNULL_FIRST;

/** kreg_count() - number of objects. Needs the right to read, like kreg_table_stat(). */
int kreg_count(struct kreg_table *table, uint64_t *objects) KREG_NONNULL_FIRST;

/**
 * struct kreg_op_args - any operation on an object, for kreg_op_run()
 * @size: sizeof(struct kreg_op_args)
 * @code: enum kreg_op_code
 * @flags: KREG_OP_NEW, KREG_OP_VERSION and so on
 * @call_flags: 0, or for writes KREG_WRITE_ASYNC
 * @reserved: must be zero
 * @key: the key; NULL with KREG_OP_CLEAR
 * @key_len: its length
 * @value: value of PUT, room for that of GET and TAKE, else NULL
 * @value_len: its length
 * @out_len: GET, MEMBER, TAKE: length of the value, written also with -EMSGSIZE
 * @out_count: objects that were found, replaced or removed
 * @out_version: GET, MEMBER, TAKE: version of the object; others: of this write.
 *	Versions of a table only grow
 * @version: with KREG_OP_VERSION, the one that the object has to have, else -ECANCELED
 * @expected: with KREG_OP_VALUE, the value that the object has to have, else -ECANCELED
 * @expected_len: its length
 * @offset: with KREG_OP_PART, where in the value to begin
 * @more: with KREG_OP_MORE, what else is to be said; or NULL
 */
struct kreg_op_args {
	size_t size;
	unsigned int code;
	unsigned int flags;
	unsigned int call_flags;
	unsigned int reserved;
	const void *key;
	size_t key_len;
	void *value;
	size_t value_len;
	size_t out_len;
	uint64_t out_count;
	uint64_t out_version;
	uint64_t version;
	const void *expected;
	size_t expected_len;
	size_t offset;
	struct kreg_more *more;
};

#define KREG_OP_ARGS_INIT \
	{ sizeof(struct kreg_op_args), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** kreg_op_run() - any operation on an object; tells the version as well. */
int kreg_op_run(struct kreg_table *table, struct kreg_op_args *args)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/*
 * Asynchronous writes return when they are queued or done, see kreg_client_sync(). The
 * writes of one client to one table are applied in the order of the calls, and are
 * applied even if the process dies at once. -EAGAIN: 4096 of them or 4 MiB wait
 * already, or 65536 or 64 MiB of the user; synchronise or try later. Only
 * kreg_client_sync() tells whether one has failed.
 */

/** kreg_put_async() - queue an insertion. */
int kreg_put_async(struct kreg_table *table, const void *key, size_t key_len,
		   const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_del_async() - queue a removal. */
int kreg_del_async(struct kreg_table *table, const void *key, size_t key_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_clear_async() - queue the removal of all objects. */
int kreg_clear_async(struct kreg_table *table) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * struct kreg_item - one look-up of kreg_get_many()
 * @key: the key
 * @key_len: its length
 * @value: room for the value
 * @room: its size
 * @len: written: length of the value, also with -EMSGSIZE
 * @version: written: version of the object
 * @error: written: 0, -ENODATA, -EMSGSIZE or another error of this key
 */
struct kreg_item {
	const void *key;
	size_t key_len;
	void *value;
	size_t room;
	size_t len;
	uint64_t version;
	int error;
};

/**
 * kreg_get_many() - many look-ups in few calls
 * @table: the table
 * @items: what to look up
 * @count: how many; any number
 * @item_size: sizeof(struct kreg_item), so that it can grow
 *
 * The look-ups are not made at one moment: writes may come in between.
 *
 * Return: how many were found, at most INT_MAX; or an error, and then some @items may
 * have been written already.
 */
int kreg_get_many(struct kreg_table *table, struct kreg_item *items, size_t count,
		  size_t item_size) KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_OBJECT_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: many operations in one call. */
#ifndef KREG_BATCH_H
#define KREG_BATCH_H

#include <kreg/edit.h>
#include <kreg/expiry.h>
#include <kreg/object.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_batch_new() - start a batch
 * @table: the table
 * @flags: 0, KREG_BATCH_ATOMIC, KREG_WRITE_ASYNC
 * @batch: an empty batch
 *
 * A batch holds only reads or only writes, at most 4096, with at most 4 MiB of
 * keys and values (or room for them). Writes are applied in order and become
 * visible all at once. With KREG_BATCH_ATOMIC all writes succeed, or none is done; and all
 * reads are of one moment, where else each is of its own. Keys and values are copied into the
 * batch.
 *
 * It waits for no subscriber to acknowledge it: -EOPNOTSUPP with KREG_WRITE_ACKED. A
 * kreg_sync_notify() after it waits for those who are told of that, and who comes to it has
 * been told of the batch before.
 */
int kreg_batch_new(struct kreg_table *table, unsigned int flags, struct kreg_batch **batch)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_batch_free() - free a batch, or NULL, whether it was run or not. */
void kreg_batch_free(struct kreg_batch *batch);

/** kreg_batch_reset() - make it empty, to be filled again. */
void kreg_batch_reset(struct kreg_batch *batch) KREG_NONNULL_FIRST;

/*
 * Add an operation. Return: its index, from 0; -ENOBUFS: the batch is full, run it
 * first; -EINVAL: an empty key, or a read among writes; -ENAMETOOLONG; -EFBIG.
 */
int kreg_batch_put(struct kreg_batch *batch, const void *key, size_t key_len,
		   const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;
int kreg_batch_put_new(struct kreg_batch *batch, const void *key, size_t key_len,
		       const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;
int kreg_batch_del(struct kreg_batch *batch, const void *key, size_t key_len) KREG_NONNULL_FIRST;
int kreg_batch_clear(struct kreg_batch *batch) KREG_NONNULL_FIRST;
/*
 * @room: bytes for the value. In a bag or duplicate_bag for all objects of the key, each of which
 * takes its key, its value, and at most 32 bytes with them; that may be more than a value has.
 */
int kreg_batch_get(struct kreg_batch *batch, const void *key, size_t key_len, size_t room)
	KREG_NONNULL_FIRST;
int kreg_batch_member(struct kreg_batch *batch, const void *key, size_t key_len) KREG_NONNULL_FIRST;

/*
 * Operations that look at what is there, as those of <kreg/edit.h> and <kreg/expiry.h> do, which
 * have their errors when the batch is run. In an atomic batch all conditions, such as the value
 * that an object has to have, are about what was there before the batch; but what is edited is what
 * the operations before it in the batch leave. So counters of one key add up. A removal of the key
 * before it leaves nothing.
 *
 * Values that are edited or compared have some 16 KiB at most with their keys (-EFBIG). Beside the
 * errors above, -EOPNOTSUPP: the batch is asynchronous.
 */

/**
 * kreg_batch_put_with() - an insertion with options, see kreg_put_with()
 *
 * @out_version of the options is not written; a filter of them is kept.
 */
int kreg_batch_put_with(struct kreg_batch *batch, const void *key, size_t key_len,
			const void *value, size_t value_len,
			const struct kreg_put_options *options) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_batch_swap_value() - replace an object if it has the value @old, see kreg_swap_value() */
int kreg_batch_swap_value(struct kreg_batch *batch, const void *key, size_t key_len,
			  const void *old, size_t old_len, const void *value, size_t value_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_batch_del_value() - remove an object if it has this value
 *
 * In a set its error is -ECANCELED if it has another, or is not there.
 */
int kreg_batch_del_value(struct kreg_batch *batch, const void *key, size_t key_len,
			 const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_batch_edit() - change fields of a value, see kreg_edit()
 * @batch: the batch
 * @key: the key
 * @key_len: its length
 * @fields: are copied, with the bytes that they copy; see kreg_batch_number() for what comes out
 * @count: how many, at most KREG_MAX_FIELDS
 * @options: or NULL; nothing is written to it, and a filter of it is kept
 */
int kreg_batch_edit(struct kreg_batch *batch, const void *key, size_t key_len,
		    const struct kreg_field *fields, size_t count,
		    const struct kreg_edit_options *options) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_batch_counter_add() - add to a counter, see kreg_counter_add() */
int kreg_batch_counter_add(struct kreg_batch *batch, const void *key, size_t key_len, int64_t by)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_batch_counter_add_from() - the same; what is not there begins with @start + @by */
int kreg_batch_counter_add_from(struct kreg_batch *batch, const void *key, size_t key_len,
				int64_t by, int64_t start) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_batch_run() - do it
 * @batch: the batch; it may be run again, unchanged or after a reset
 *
 * Return: how many operations succeeded, each by itself: see kreg_batch_error().
 * An atomic batch fails as a whole with the error of kreg_batch_failed_index(). An
 * asynchronous one may fail with -EAGAIN. An empty one does nothing.
 */
int kreg_batch_run(struct kreg_batch *batch) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_batch_run_all() - do several batches, each of another table, all or nothing
 * @batches: batches of writes to tables of one client; each is taken as an atomic one
 * @count: how many, at most 8, with at most 16 operations and 64 KiB together
 * @failed: index of the batch that is to blame, or -1; may be NULL
 *
 * So an object is moved from one table to another, and is never in both or in none. Each may be run
 * again. What is empty is left out.
 *
 * Errors: those of an atomic batch; -EXDEV: the tables have different writers of the module, see
 * @beside of &struct kreg_open_options; -EINVAL: a table twice; -EFBIG: too much.
 */
int kreg_batch_run_all(struct kreg_batch *const *batches, unsigned int count, int *failed)
	KREG_MUST_CHECK;

/** kreg_batch_count() - operations in it. */
unsigned int kreg_batch_count(const struct kreg_batch *batch) KREG_NONNULL_FIRST;

/** kreg_batch_failed_index() - index of what failed an atomic batch; -1: nothing. */
int kreg_batch_failed_index(const struct kreg_batch *batch) KREG_NONNULL_FIRST;

/** kreg_batch_error() - 0 or the negative errno of an operation that was run. */
int kreg_batch_error(const struct kreg_batch *batch, unsigned int index) KREG_NONNULL_FIRST;

/** kreg_batch_version() - version that a read found or a write made. */
uint64_t kreg_batch_version(const struct kreg_batch *batch, unsigned int index) KREG_NONNULL_FIRST;

/** kreg_batch_count_of() - objects that a write replaced or removed, or that a read found. */
uint64_t kreg_batch_count_of(const struct kreg_batch *batch, unsigned int index) KREG_NONNULL_FIRST;

/**
 * kreg_batch_number() - what a counter or a field has become
 * @batch: the batch, which was run
 * @index: of the operation, an edit
 * @field: which of its fields, from 0; a counter has one
 * @now: the number as it is then, or of a field that was copied the length of the value
 *
 * Return: 0, or the error of the operation; -EINVAL: it is no edit, or has no such field.
 */
int kreg_batch_number(const struct kreg_batch *batch, unsigned int index, unsigned int field,
		      int64_t *now) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_batch_object() - object that a read found
 * @batch: the batch
 * @index: of the read
 *
 * It has no value if the read was kreg_batch_member() or had too little room, but
 * the length of one. In a bag or duplicate_bag kreg_batch_get() finds the oldest of the key, or,
 * with too little room for all, none.
 *
 * Return: the object, until the batch is changed; NULL: see kreg_batch_error().
 */
const struct kreg_object *kreg_batch_object(const struct kreg_batch *batch, unsigned int index)
	KREG_NONNULL_FIRST;

/**
 * kreg_batch_object_next() - the object of the same key that comes after another one
 * @batch: the batch
 * @index: of the read, a kreg_batch_get()
 * @object: what this, or kreg_batch_object(), has returned for it; NULL: the first
 *
 * Return: as of kreg_batch_object(); NULL also after the last.
 */
const struct kreg_object *kreg_batch_object_next(const struct kreg_batch *batch,
						 unsigned int index,
						 const struct kreg_object *object)
	KREG_NONNULL_FIRST;

/**
 * kreg_batch_room_of() - the room that a read needs
 * @batch: the batch
 * @index: of the read
 *
 * Return: the length of the value, or in a bag or duplicate_bag what all objects of the key need as
 * of the moment at which they were looked at; known also with -EMSGSIZE and to
 * kreg_batch_member(). 0: see kreg_batch_error().
 */
size_t kreg_batch_room_of(const struct kreg_batch *batch, unsigned int index) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_BATCH_H */

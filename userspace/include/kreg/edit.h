/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: counters, parts of values, and writes on condition of what is there. */
#ifndef KREG_EDIT_H
#define KREG_EDIT_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kreg_filter;

/*
 * All of them are atomic: nobody sees a value that is half changed, and no change is lost. What
 * an object is bound to stays. Each needs the right to read and to write the table.
 *
 * Any thread at any time. On error nothing has happened. Errors of all of them: -ESTALE: the table
 * is gone; -EACCES: its mode or its access rule; -EINVAL: an empty key; -ENAMETOOLONG: the key is
 * too long; -EFBIG: the value is; -EBUSY: the object is on loan; -EDQUOT, -ENOSPC: a limit of the
 * user or of the table.
 *
 * A counter is a signed number of 64 bits, in the byte order of the machine, at the begin of a
 * value.
 */

/**
 * kreg_counter_add() - add to a counter
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @by: how much; may be negative
 * @now: the number as it is afterwards; may be NULL
 *
 * Errors: -ENODATA: the key is not there; -ERANGE: the value is shorter than 8 bytes; -EOVERFLOW.
 */
int kreg_counter_add(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
		     int64_t *now) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_counter_add_from() - the same; a counter that is not there begins with @start + @by
 *
 * Errors: -ERANGE, -EOVERFLOW as in kreg_counter_add().
 */
int kreg_counter_add_from(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
			  int64_t start, int64_t *now) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * struct kreg_counter_options - what few counters need
 * @size: sizeof(struct kreg_counter_options)
 * @flags: KREG_FIELD_WRAP, KREG_FIELD_SATURATE or KREG_FIELD_THRESHOLD: what becomes of a
 *	number that gets too large; KREG_FIELD_EXTEND: a value that is too short gets longer;
 *	KREG_FIELD_BIG_ENDIAN: the number is stored so that it sorts as bytes
 * @offset: where in the value the number is
 * @starts: a counter that is not there begins with @start; it has no other bytes then, so that
 *	@offset is 0 or KREG_FIELD_EXTEND is set
 * @start: see @starts
 * @threshold: with KREG_FIELD_THRESHOLD, what it may be at most, or at least if @by is negative
 * @set: with KREG_FIELD_THRESHOLD, what it becomes beyond that
 */
struct kreg_counter_options {
	size_t size;
	unsigned int flags;
	uint32_t offset;
	uint64_t starts;
	int64_t start;
	int64_t threshold;
	int64_t set;
};

#define KREG_COUNTER_OPTIONS_INIT	{ sizeof(struct kreg_counter_options), 0, 0, 0, 0, 0, 0 }

/**
 * kreg_counter_add_with() - the same, as the options say; NULL: as kreg_counter_add()
 *
 * Errors: also -EINVAL: flags that contradict each other; -EOPNOTSUPP: unknown ones; -E2BIG.
 */
int kreg_counter_add_with(struct kreg_table *table, const void *key, size_t key_len, int64_t by,
			  const struct kreg_counter_options *options, int64_t *now)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_counter_get() - read a counter; it needs the right to read
 *
 * Errors: -ENODATA; -ERANGE: the value is shorter than 8 bytes.
 */
int kreg_counter_get(struct kreg_table *table, const void *key, size_t key_len, int64_t *now)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_field_number() - a field that changes a number
 * @field: is filled in
 * @code: KREG_FIELD_ADD, KREG_FIELD_MIN, KREG_FIELD_MAX, KREG_FIELD_AND, KREG_FIELD_OR or
 *	KREG_FIELD_XOR
 * @flags: KREG_FIELD_WRAP and so on; with KREG_FIELD_THRESHOLD set @threshold and @set of @field
 * @offset: where in the value
 * @operand: the number to go by
 */
void kreg_field_number(struct kreg_field *field, unsigned int code, unsigned int flags,
		       uint32_t offset, int64_t operand) KREG_NONNULL_FIRST;

/**
 * kreg_field_copy() - a field that is replaced by other bytes
 * @field: is filled in; refers to @bytes
 * @flags: KREG_FIELD_EXTEND: the value may get longer; KREG_FIELD_TRUNCATE: it ends behind them
 * @offset: where in the value
 * @bytes: the bytes
 * @len: how many
 */
void kreg_field_copy(struct kreg_field *field, unsigned int flags, uint32_t offset,
		     const void *bytes, size_t len) KREG_NONNULL_FIRST;

/**
 * struct kreg_edit_options - what few edits need
 * @size: sizeof(struct kreg_edit_options)
 * @start: the value that is edited where there is none; NULL: that is -ENODATA
 * @start_len: its length
 * @if_version: -ECANCELED unless the object has this version; 0: any
 * @out_version: version of this write
 * @out_len: length of the value afterwards
 * @expires_ns: with @start, when an object that was not there expires: CLOCK_MONOTONIC, see
 *	kreg_deadline(); 0: never. One that is there expires as before
 * @idle_ms: likewise, when it was not looked up for so many milliseconds; 0: it does not
 * @filter: -ECANCELED unless the object matches, see kreg_filter_compile(); NULL: any
 */
struct kreg_edit_options {
	size_t size;
	const void *start;
	size_t start_len;
	uint64_t if_version;
	uint64_t out_version;
	size_t out_len;
	uint64_t expires_ns;
	int64_t idle_ms;
	const struct kreg_filter *filter;
};

#define KREG_EDIT_OPTIONS_INIT	{ sizeof(struct kreg_edit_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/**
 * kreg_edit() - change several fields of a value in one
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @fields: done one after the other, each sees what those before have done; in each @out is set
 *	to the number, or the length of the value, as it is then
 * @count: how many, at most KREG_MAX_FIELDS
 * @options: or NULL; is written to
 *
 * See struct kreg_field in <linux/kreg.h>. The members of @options that are out are written if
 * @options has them.
 *
 * Errors: -ENODATA; -ECANCELED; -ERANGE: a field is beyond the end of the value; -EOVERFLOW;
 * -EINVAL: no field, or one that contradicts itself; -EOPNOTSUPP: an unknown code or flag; -E2BIG.
 */
int kreg_edit(struct kreg_table *table, const void *key, size_t key_len,
	      struct kreg_field *fields, size_t count, struct kreg_edit_options *options)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_patch() - replace a part of a value
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @offset: where in the value
 * @bytes: what is to be there
 * @len: how many
 * @flags: 0, KREG_FIELD_EXTEND, KREG_FIELD_TRUNCATE, or both
 *
 * Errors: -ENODATA; -ERANGE: it is beyond the end of the value.
 */
int kreg_patch(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
	       const void *bytes, size_t len, unsigned int flags)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_get_range() - copy a part of a value
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @offset: where in the value
 * @buf: room for it
 * @room: how much to copy at most
 * @len: how much was copied: less at the end of the value, at last 0
 * @value_len: length of the whole value; may be NULL
 *
 * Errors: -ENODATA; -ERANGE: the value ends before @offset.
 */
int kreg_get_range(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
		   void *buf, size_t room, size_t *len, size_t *value_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_get_range_alloc() - copy a part of a value to memory of its own
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @offset: where in the value
 * @most: how much to copy at most; SIZE_MAX: up to the end
 * @bytes: to be freed with free(3); behind them there is a NUL byte
 * @len: how much was copied; may be NULL
 * @value_len: length of the whole value; may be NULL
 *
 * Errors: those of kreg_get_range(), and -ENOMEM.
 */
int kreg_get_range_alloc(struct kreg_table *table, const void *key, size_t key_len, size_t offset,
			 size_t most, void **bytes, size_t *len, size_t *value_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_put_present() - replace an object; -ENODATA if the key is not there
 *
 * In a bag or duplicate_bag it adds one to those that the key has.
 */
int kreg_put_present(struct kreg_table *table, const void *key, size_t key_len,
		     const void *value, size_t value_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_swap() - replace an object if it has a certain version
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @version: of kreg_object_version() or @now; not 0
 * @value: the new value
 * @value_len: its length
 * @now: the version that it has then; may be NULL
 *
 * Needs no right to read. Errors: -ECANCELED: it has another version, or is not there.
 */
int kreg_swap(struct kreg_table *table, const void *key, size_t key_len, uint64_t version,
	      const void *value, size_t value_len, uint64_t *now)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_swap_value() - the same if it has a certain value
 *
 * Dearer than kreg_swap(), and it does not notice a value that has changed and is back.
 */
int kreg_swap_value(struct kreg_table *table, const void *key, size_t key_len,
		    const void *old, size_t old_len, const void *value, size_t value_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_del_version() - remove an object if it has this version; needs no right to read. */
int kreg_del_version(struct kreg_table *table, const void *key, size_t key_len,
		     uint64_t version) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_del_value() - remove an object if it has a certain value
 *
 * Return: 1, or in a duplicate_bag how many were removed; or 0: the key is not there, or has no
 * such value.
 */
int kreg_del_value(struct kreg_table *table, const void *key, size_t key_len,
		   const void *value, size_t value_len) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_EDIT_H */

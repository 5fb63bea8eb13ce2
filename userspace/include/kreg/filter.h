/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: which objects are meant, by what they hold. */
#ifndef KREG_FILTER_H
#define KREG_FILTER_H

#include <kreg/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A filter does not change, and any thread may use it at any time. What it is used in keeps it,
 * so that it may be freed at once.
 */

/**
 * kreg_filter_compile() - make a filter of its text
 * @text: what an object has to be; see kreg-filter(7)
 * @filter: the filter
 * @column: where in @text an error is, from 1 on; 0: the error is not about a place; may be NULL
 *
 * For example ``u32@8 > 100 && prefix "a"``: the number of 32 bits at offset 8 of the value is more
 * than 100, and the value begins with an "a".
 *
 * Errors: -EINVAL: the text is wrong, kreg_errmsg() says where and what was expected; -EFBIG: more
 * than KREG_MAX_TERMS questions, or KREG_MAX_TERM_BYTES bytes of strings.
 */
int kreg_filter_compile(const char *text, struct kreg_filter **filter, size_t *column)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_filter_new() - make a filter of terms
 * @terms: an array of them; bytes that they lead to are copied
 * @count: how many
 * @filter: the filter
 *
 * Whether they are right is told when the filter is used.
 *
 * Errors: -EINVAL: no terms; -EFBIG: more than KREG_MAX_TERMS, or KREG_MAX_TERM_BYTES bytes.
 */
int kreg_filter_new(const struct kreg_term *terms, size_t count, struct kreg_filter **filter)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_filter_terms() - the terms of a filter
 * @filter: the filter
 * @count: how many
 *
 * Return: the terms, good as long as the filter.
 */
const struct kreg_term *kreg_filter_terms(const struct kreg_filter *filter, size_t *count)
	KREG_NONNULL_FIRST;

/** kreg_filter_free() - free a filter; NULL is allowed. */
void kreg_filter_free(struct kreg_filter *filter);

/**
 * kreg_delete_matching() - remove all objects that match
 * @table: the table
 * @options: which: range, @after and @filter of it; NULL: all of them
 * @deleted: how many were removed, also by a call that fails; may be NULL
 *
 * Each is removed by a write of its own, if it matches when the turn of that has come; not all at
 * once, as kreg_clear() does. Every object that is there and matches from the begin of the call to
 * its end is removed.
 *
 * Errors: -EACCES: the access rule or the mode, or an object of another's in a registry; -ESTALE;
 * those of kreg_scan_open(); -EOPNOTSUPP: @flags, @process or @pin of the options.
 */
int kreg_delete_matching(struct kreg_table *table, const struct kreg_scan_options *options,
			 uint64_t *deleted) KREG_NONNULL_FIRST;

/**
 * kreg_edit_matching() - edit all objects that match
 * @table: the table; not a bag
 * @options: as of kreg_delete_matching()
 * @fields: as of kreg_edit(); what becomes of them is not told
 * @count: how many fields
 * @edited: how many objects were edited, also by a call that fails; may be NULL
 *
 * As kreg_delete_matching(); an object that still matches is not edited again. With a range of one
 * key it is a compare and swap.
 *
 * Errors: also those of kreg_edit(), of which the first ends the call; what was edited stays so.
 */
int kreg_edit_matching(struct kreg_table *table, const struct kreg_scan_options *options,
		       const struct kreg_field *fields, size_t count, uint64_t *edited)
	KREG_NONNULL_FIRST;

/**
 * struct kreg_change - a change of all objects that match, in portions
 * @size: sizeof(struct kreg_change)
 * @max_count: objects to be changed by one call at most; 0: all
 * @out_count: objects that the call has changed, also one that fails
 * @out_version: version of the last of these; 0: there was none
 * @version: with @key: of the object, where a key may have several
 * @number: and its kreg_object_number()
 * @out_more: 1: there may be more objects; 0: the end was reached
 * @key_len: length of @key; 0: from the start
 * @key: where the next call goes on: after the object with this key
 *
 * @version, @number, @key_len and @key are a position, which the calls read and write; they may go
 * into a later struct, and into the options of a scan, too. At the end there is none.
 */
struct kreg_change {
	size_t size;
	uint64_t max_count;
	uint64_t out_count;
	uint64_t out_version;
	uint64_t version;
	unsigned int number;
	unsigned int out_more;
	size_t key_len;
	unsigned char key[KREG_MAX_KEY];
};

#define KREG_CHANGE_INIT	{ sizeof(struct kreg_change), 0, 0, 0, 0, 0, 0, 0, { 0 } }

/**
 * kreg_change_matching() - remove or edit some of the objects that match, and tell how far that is
 * @table: the table
 * @options: as of kreg_delete_matching(); @after of it is where the first call begins
 * @fields: as of kreg_edit(); NULL with a @count of 0: the objects are removed
 * @count: how many fields
 * @change: how many objects, and from where
 *
 * As kreg_delete_matching() and kreg_edit_matching(), which are one call of it. Calls that go on
 * until @out_more is 0 change every object once that is there and matches all the time.
 *
 * When a call fails at an object, the position is that of this object: a call that goes on leaves
 * it as it is. One that is refused before that leaves the position as it was, with an @out_count
 * of 0.
 *
 * Errors: those of kreg_delete_matching() and kreg_edit_matching(); -EINVAL: a @size that is too
 * small, or a position that cannot be one; -E2BIG.
 */
int kreg_change_matching(struct kreg_table *table, const struct kreg_scan_options *options,
			 const struct kreg_field *fields, size_t count, struct kreg_change *change)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_FILTER_H */

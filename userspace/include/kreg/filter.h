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

#ifdef __cplusplus
}
#endif

#endif /* KREG_FILTER_H */

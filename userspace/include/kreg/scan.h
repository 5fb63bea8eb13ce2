/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: walks over the objects of a table. */
#ifndef KREG_SCAN_H
#define KREG_SCAN_H

#include <kreg/object.h>
#include <kreg/pin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kreg_filter;

/**
 * struct kreg_scan_options - what to scan, and how
 * @size: sizeof(struct kreg_scan_options)
 * @flags: KREG_SCAN_KEYS: no values; KREG_SCAN_PROCESSES: see kreg_object_process();
 *	KREG_SCAN_EXPIRES: see kreg_object_expires();
 *	KREG_SCAN_REVERSE: kreg_scan_next() goes backwards, and kreg_scan_prev() forwards
 * @batch: objects to fetch in one call; 0: as many as fit
 * @room: bytes to fetch in one call; 0: 64 KiB
 * @after: go on after this key, backwards before it; NULL: from the start, or the end
 * @after_len: its length
 * @process: only what is bound to this process; NULL: everything
 * @low: the lowest key; NULL: there is none
 * @low_len: its length
 * @high: the highest key; NULL: there is none
 * @high_len: its length
 * @range: 0, or KREG_RANGE_LOW_OPEN: not @low itself; KREG_RANGE_HIGH_OPEN: not @high itself;
 *	KREG_RANGE_PREFIX: only keys that begin with @low; KREG_RANGE_EXACT: only the key @low
 * @reserved: must be zero
 * @pin: as the table was when this was set, see kreg_pin_set(); NULL: as it is
 * @filter: only objects that match, see kreg_filter_compile(); NULL: all
 * @after_version: with @after, where a key may have several objects: go on after the one with this
 *	version, which need not be there any more; 0: after all of the key. Else of no account
 * @after_number: and this kreg_object_number()
 * @reserved2: must be zero
 *
 * Keys are compared by their bytes, as by memcmp(3), and a key comes before those that it is the
 * beginning of; <kreg/key.h> makes keys of numbers and strings that are in the right order. In an
 * ordered table a scan goes from one end of the range to the other and costs what it finds; in a
 * set, which has no order, the whole table is looked through unless the range is EXACT.
 *
 * The key, the version and the number of an object are a position: a scan that begins after it goes
 * on where another one has stopped, also in another process, whatever was written meanwhile and
 * however the table is called by then.
 */
struct kreg_scan_options {
	size_t size;
	unsigned int flags;
	unsigned int batch;
	size_t room;
	const void *after;
	size_t after_len;
	const struct kreg_process *process;
	const void *low;
	size_t low_len;
	const void *high;
	size_t high_len;
	unsigned int range;
	unsigned int reserved;
	const struct kreg_pin *pin;
	const struct kreg_filter *filter;
	uint64_t after_version;
	unsigned int after_number;
	unsigned int reserved2;
};

#define KREG_SCAN_OPTIONS_INIT	{ sizeof(struct kreg_scan_options), 0, 0, 0, 0, 0, 0, \
				  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/**
 * kreg_scan_open() - start a scan
 * @table: the table
 * @options: NULL: keys and values from the start
 * @scan: the scan
 *
 * The pin has to last until the scan is closed.
 *
 * Errors: -EINVAL: options that contradict each other, a pin of another table; -ENAMETOOLONG: one
 * of its keys; -ESTALE: the pin is that of the parent of this process. That a table has no order
 * is told by kreg_scan_next().
 */
int kreg_scan_open(struct kreg_table *table, const struct kreg_scan_options *options,
		   struct kreg_scan **scan) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_scan_next() - the next object
 * @scan: the scan
 * @object: the object, good until the next call; without a value with KREG_SCAN_KEYS
 *
 * Every object that exists from the first call to the last is met exactly once,
 * whatever is written meanwhile, and no key twice. Only with a pin they are those of one
 * moment. After an error the call may be tried again.
 *
 * Errors: -EOPNOTSUPP: backwards, and the table is a set; -ESTALE: the pin has ended, or the table
 * is gone.
 *
 * Return: 1; 0 at the end; or an error.
 */
int kreg_scan_next(struct kreg_scan *scan, const struct kreg_object **object) KREG_NONNULL_FIRST;

/**
 * kreg_scan_prev() - the object before the one that was returned last
 * @scan: the scan, of an ordered table
 * @object: as of kreg_scan_next()
 *
 * Both can be called in any order. When one has returned 0, the other begins at that end of the
 * range; so does kreg_scan_prev() as the first call.
 *
 * Errors: -EOPNOTSUPP: the table is a set.
 *
 * Return: 1; 0 at the start; or an error.
 */
int kreg_scan_prev(struct kreg_scan *scan, const struct kreg_object **object) KREG_NONNULL_FIRST;

/**
 * kreg_scan_count() - how many objects a scan would find
 * @table: the table
 * @options: as of kreg_scan_open(), without KREG_SCAN_KEYS and KREG_SCAN_PROCESSES, and with a
 *	@batch and a @room of 0; NULL: all
 * @objects: how many, at most 2^32 - 1
 *
 * Unlike kreg_count() it looks at all of them, and leaves out what is hidden from the caller.
 */
int kreg_scan_count(struct kreg_table *table, const struct kreg_scan_options *options,
		    uint64_t *objects) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_scan_close() - end a scan; NULL is allowed. */
void kreg_scan_close(struct kreg_scan *scan);

/**
 * kreg_fold_fn - is given an object by kreg_fold()
 * @object: the object, good until the function returns
 * @arg: what was given with it
 *
 * Return: 0; else no other object is looked at, and kreg_fold() returns this.
 */
typedef int (*kreg_fold_fn)(const struct kreg_object *object, void *arg);

/**
 * kreg_fold() - call a function for one object after the other
 * @table: the table
 * @options: as of kreg_scan_open(): a range, a filter, a pin, KREG_SCAN_REVERSE; NULL: all
 * @fn: may do anything with the table, also remove its objects and put others
 * @arg: for @fn
 *
 * The objects are those that a scan returns, in its order, each once.
 *
 * Errors: those of kreg_scan_open() and kreg_scan_next(), of these -ESTALE also if @fn has
 * destroyed the table.
 *
 * Return: 0; what @fn has returned, if that is another number; or an error.
 */
int kreg_fold(struct kreg_table *table, const struct kreg_scan_options *options, kreg_fold_fn fn,
	      void *arg) KREG_NONNULL_FIRST;

/**
 * kreg_first() - the first key of a table
 * @table: the table
 * @buf: room for the key; may be NULL if @room is 0
 * @room: its size; KREG_MAX_KEY is always enough
 * @len: length of the key, written also with -EMSGSIZE; may be NULL
 *
 * In a set the order is the table's own, and never changes.
 *
 * Errors: -ENODATA: the table is empty; -EMSGSIZE: too little room.
 */
int kreg_first(struct kreg_table *table, void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST;

/**
 * kreg_next() - the key that comes after another one
 * @table: the table
 * @key: a key, which need not be in the table
 * @key_len: its length
 * @buf: room for the next; may be @key
 * @room: its size
 * @len: length of the next, written also with -EMSGSIZE; may be NULL
 *
 * Errors: -ENODATA: there is none; -EMSGSIZE: too little room.
 */
int kreg_next(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST;

/** kreg_last() - the last key; as kreg_first(). Errors: also -EOPNOTSUPP: the table is a set. */
int kreg_last(struct kreg_table *table, void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST;

/** kreg_prev() - the key before; as kreg_next(). Errors: also -EOPNOTSUPP: the table is a set. */
int kreg_prev(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_SCAN_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: objects that expire. */
#ifndef KREG_EXPIRY_H
#define KREG_EXPIRY_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kreg_filter;

/**
 * struct kreg_put_options - what few insertions need
 * @size: sizeof(struct kreg_put_options)
 * @flags: KREG_OP_NEW, KREG_OP_PRESENT; KREG_OP_KEEP: what is there already expires as before
 * @reserved: 0
 * @ttl_ms: the object expires after so many milliseconds; 0: it does not
 * @idle_ms: it expires when it was not looked up for so many milliseconds; 0: it does not
 * @expires_ns: instead of @ttl_ms, when it expires: CLOCK_MONOTONIC, see kreg_deadline()
 * @if_version: -ECANCELED unless the object has this version; 0: any
 * @out_version: version of this write
 * @filter: -ECANCELED unless an object is there that matches, see kreg_filter_compile(); NULL: any
 */
struct kreg_put_options {
	size_t size;
	unsigned int flags;
	unsigned int reserved;
	int64_t ttl_ms;
	int64_t idle_ms;
	uint64_t expires_ns;
	uint64_t if_version;
	uint64_t out_version;
	const struct kreg_filter *filter;
};

#define KREG_PUT_OPTIONS_INIT	{ sizeof(struct kreg_put_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/**
 * kreg_put_with() - insert an object or replace it, as the options say
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @options: NULL: as kreg_put(); is written to
 *
 * From the moment at which it has expired, nobody finds the object, and who subscribes is told
 * KREG_EVENT_EXPIRED. With both @ttl_ms and @idle_ms it expires with what comes first. A put that
 * says nothing of that makes an object that does not expire, whatever it replaces. In a bag it
 * replaces the same object, if that is there and one of the two expires; then this becomes the
 * youngest of its key. KREG_OP_KEEP, @if_version and @filter are not for keys with several objects.
 *
 * Errors: -EEXIST, -ENODATA, -ECANCELED: NEW, PRESENT, @if_version, @filter; -EBUSY: the object is
 * on loan to another process; -EOPNOTSUPP: the object that is there is bound to a process, and such
 * an object does not expire; an unknown flag, or what is not for a bag; -EINVAL: a time below 0,
 * both @ttl_ms and @expires_ns, or flags that contradict each other; -E2BIG.
 */
int kreg_put_with(struct kreg_table *table, const void *key, size_t key_len, const void *value,
		  size_t value_len, struct kreg_put_options *options)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_put_ttl() - insert an object or replace it; it expires after @ttl_ms milliseconds
 *
 * As kreg_put_with() with @ttl_ms alone; with -1 or INT64_MAX the object does not expire.
 */
int kreg_put_ttl(struct kreg_table *table, const void *key, size_t key_len, const void *value,
		 size_t value_len, int64_t ttl_ms) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_expires() - when an object expires, if nobody looks it up until then
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @expires_ns: CLOCK_MONOTONIC, of several objects the first; 0: it does not
 *
 * To ask is to look it up. Errors: -ENODATA.
 */
int kreg_expires(struct kreg_table *table, const void *key, size_t key_len, uint64_t *expires_ns)
	KREG_NONNULL_FIRST;

/**
 * kreg_object_expires() - the same of an object of a scan with KREG_SCAN_EXPIRES; else 0
 *
 * A scan does not count as a look-up.
 */
uint64_t kreg_object_expires(const struct kreg_object *object) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_EXPIRY_H */

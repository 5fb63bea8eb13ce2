/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: tables as they were at one moment. */
#ifndef KREG_PIN_H
#define KREG_PIN_H

#include <kreg/object.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_pin_set() - keep a table readable as it is now
 * @table: the table, which the caller may read
 * @ms: milliseconds it is to last at most; 0: as long as it may, 10 minutes if the administrator
 *	has not changed the module's parameter max_pin_ms
 * @pin: to be ended with kreg_pin_end()
 *
 * All that was written before is in it, a batch as a whole or not at all, and nothing that is
 * written later. It is in nobody's way, and costs nothing that grows with the table: what others
 * replace or remove stays in memory until it ends, of each object one version.
 *
 * It is read by kreg_scan_open(), kreg_scan_count() and kreg_pin_get(), in any number of threads,
 * and is the process's: a forked child has none. It ends by itself after @ms, with the table, and
 * when what it keeps is more than may be had: the limit of this user's memory, if the table is
 * another's, and that of the table's user, whose writes go first. Who reads by it then is told
 * -ESTALE.
 *
 * Errors: -EDQUOT: the table has KREG_MAX_PINS already, or there may be none; -EACCES; -ESTALE.
 */
int kreg_pin_set(struct kreg_table *table, uint32_t ms, struct kreg_pin **pin)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_pin_end() - end it, and free what it keeps; NULL is allowed. No scan may use it. */
void kreg_pin_end(struct kreg_pin *pin);

/** kreg_pin_version() - version of the last write that it shows; see kreg_stat_version(). */
uint64_t kreg_pin_version(const struct kreg_pin *pin) KREG_NONNULL_FIRST;

/** kreg_pin_ms() - for how many milliseconds from kreg_pin_set() on it was granted. */
uint32_t kreg_pin_ms(const struct kreg_pin *pin) KREG_NONNULL_FIRST;

/**
 * kreg_pin_get() - an object as it was
 * @pin: the pin
 * @key: the key
 * @key_len: its length
 * @object: the object, the first one where keys may have several; to be freed with free()
 *
 * Gets with one pin are those of one moment, however many they are.
 *
 * Errors: -ENODATA: it was not there; -ESTALE: the pin has ended, or the table is gone.
 */
int kreg_pin_get(const struct kreg_pin *pin, const void *key, size_t key_len,
		 struct kreg_object **object) KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_PIN_H */

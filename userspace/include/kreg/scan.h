/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: walks over the objects of a table. */
#ifndef KREG_SCAN_H
#define KREG_SCAN_H

#include <kreg/object.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct kreg_scan_options - how to scan
 * @size: sizeof(struct kreg_scan_options)
 * @flags: KREG_SCAN_KEYS: no values; KREG_SCAN_PROCESSES: see kreg_object_process()
 * @batch: objects to fetch in one call; 0: as many as fit
 * @room: bytes to fetch in one call; 0: 64 KiB
 * @after: go on after this key; NULL: from the start
 * @after_len: its length
 * @process: only what is bound to this process; NULL: everything
 */
struct kreg_scan_options {
	size_t size;
	unsigned int flags;
	unsigned int batch;
	size_t room;
	const void *after;
	size_t after_len;
	const struct kreg_process *process;
};

#define KREG_SCAN_OPTIONS_INIT	{ sizeof(struct kreg_scan_options), 0, 0, 0, 0, 0, 0 }

/**
 * kreg_scan_open() - start a scan
 * @table: the table
 * @options: NULL: keys and values from the start
 * @scan: the scan
 */
int kreg_scan_open(struct kreg_table *table, const struct kreg_scan_options *options,
		   struct kreg_scan **scan) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_scan_next() - the next object
 * @scan: the scan
 * @object: the object, good until the next call; without a value with KREG_SCAN_KEYS
 *
 * Every object that exists from the first call to the last is met exactly once,
 * whatever is written meanwhile, and no key twice. It is not a snapshot. After an
 * error the call may be tried again.
 *
 * Return: 1; 0 at the end; or an error.
 */
int kreg_scan_next(struct kreg_scan *scan, const struct kreg_object **object) KREG_NONNULL_FIRST;

/** kreg_scan_close() - end a scan; NULL is allowed. */
void kreg_scan_close(struct kreg_scan *scan);

#ifdef __cplusplus
}
#endif

#endif /* KREG_SCAN_H */

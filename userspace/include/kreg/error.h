/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: errors in words. */
#ifndef KREG_ERROR_H
#define KREG_ERROR_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_error_name() - "EBUSY" for EBUSY
 * @err: an errno, positive or negative
 *
 * Return: a constant string; "E?" for numbers that are no errno.
 */
const char *kreg_error_name(int err);

/**
 * kreg_strerror() - what an errno means in kreg
 * @err: an errno, positive or negative
 *
 * Unlike strerror(3), which speaks of files. Prefer kreg_errmsg().
 *
 * Return: a constant string without a full stop.
 */
const char *kreg_strerror(int err);

/**
 * kreg_errmsg() - what has gone wrong
 *
 * The sentence about the last call that failed in this thread, with the names, limits,
 * figures and owner that it concerns. For example "table 'phones' belongs to process
 * 4711 (server); wait for it or ask it to give the table away". The first call may
 * look at the table to say who owns it, so call it soon.
 *
 * Return: a sentence without a full stop, good until the next call that fails in this
 * thread.
 */
const char *kreg_errmsg(void);

#ifdef __cplusplus
}
#endif

#endif /* KREG_ERROR_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: the types that all parts share. */
#ifndef KREG_TYPES_H
#define KREG_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Names, numbers and limits that the library and the kernel share. */
#include <linux/kreg.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KREG_VERSION_MAJOR	0
#define KREG_VERSION_MINOR	1
#define KREG_VERSION_PATCH	0

#if defined(__GNUC__) || defined(__clang__)
#define KREG_NONNULL_FIRST	__attribute__((__nonnull__(1)))
#define KREG_MUST_CHECK		__attribute__((__warn_unused_result__))
#else
#define KREG_NONNULL_FIRST
#define KREG_MUST_CHECK
#endif

/*
 * Handles. Any thread may use a client and a table at any time, but only one thread at
 * a time the events of a client, a batch, a scan, a list and what they hand out. Closing
 * or freeing a handle is its last use; NULL is allowed, and so is any order.
 */

/* One open device; one mailbox. Any thread at any time; its events: one at a time. */
struct kreg_client;
/* A table that this client has found. Costs the kernel nothing. Any thread at any time. */
struct kreg_table;
/* The state of a table at one moment; never changes. */
struct kreg_stat;
/* Many operations on a table. One thread at a time. */
struct kreg_batch;
/* A walk over the objects of a table. One thread at a time. */
struct kreg_pin;
struct kreg_scan;
/* A walk over the tables. One thread at a time. */
struct kreg_list;
/* What has been asked for and comes as an event. Any thread at any time. */
struct kreg_ref;

/**
 * kreg_version() - version of the library that runs
 *
 * Return: a string like "0.1.0". Compare it with KREG_VERSION_*, which tell the
 * version that the program was compiled with.
 */
const char *kreg_version(void);

#ifdef __cplusplus
}
#endif

#endif /* KREG_TYPES_H */

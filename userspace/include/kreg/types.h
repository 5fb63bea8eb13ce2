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

/* One open device; one mailbox. */
struct kreg_client;
/* A table that this client has found. Costs the kernel nothing. */
struct kreg_table;
/* What is to be known about a table at one moment. */
struct kreg_stat;
struct kreg_batch;
struct kreg_scan;
struct kreg_list;

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

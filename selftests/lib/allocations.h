/* SPDX-License-Identifier: GPL-2.0 */
/* What the functions of the C library call that a test replaces, in order to count their calls. */
#ifndef KREG_LIB_ALLOCATIONS_H
#define KREG_LIB_ALLOCATIONS_H

#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *block);

#endif /* KREG_LIB_ALLOCATIONS_H */

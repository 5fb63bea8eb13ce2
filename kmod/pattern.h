/* SPDX-License-Identifier: GPL-2.0 */
/*
 * With KREG_DEBUG=y, before the headers of the module: variables that are left uninitialised for
 * speed get the pattern of -ftrivial-auto-var-init as all others do, so that it is seen when one
 * of them is read before it is written.
 */
#ifndef KREG_PATTERN_H
#define KREG_PATTERN_H

#undef __uninitialized
#define __uninitialized

#endif /* KREG_PATTERN_H */

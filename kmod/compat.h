/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the supported kernels, 6.1 and 6.12; nothing else may ask
 * for the version.
 */
#ifndef KREG_COMPAT_H
#define KREG_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "kreg needs Linux 6.1 or later"
#endif

#endif /* KREG_COMPAT_H */

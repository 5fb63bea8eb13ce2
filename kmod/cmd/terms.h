/* SPDX-License-Identifier: GPL-2.0 */
/* The caller's filter, from his memory. */
#ifndef KREG_CMD_TERMS_H
#define KREG_CMD_TERMS_H

#include <linux/types.h>

#include "filter/filter.h"

/* Any. Whether there is a pointer without terms. */
static inline bool kreg_terms_are_wrong(u64 filter, u32 count)
{
	return filter && !count;
}

/*
 * Sleeps. The filter that is there, with a reference; NULL if there are no terms. ERR_PTR():
 * -EFBIG, -ENOMEM, -EFAULT, -EOPNOTSUPP, -EINVAL.
 */
struct kreg_filter *kreg_terms_get(u64 filter, u32 count);

#endif /* KREG_CMD_TERMS_H */

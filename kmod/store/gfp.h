/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How memory is asked for on a user's word: accounted to the memory cgroup of the caller,
 * and as hard as can be without the OOM killer. In a full cgroup, and in a full machine,
 * the call fails with ENOMEM, and no process is killed for it.
 */
#ifndef KREG_STORE_GFP_H
#define KREG_STORE_GFP_H

#include <linux/gfp.h>

#define KREG_GFP_USER	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
/* For what there is something smaller to fall back to: give up soon. */
#define KREG_GFP_TRY	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/*
 * For the little that it takes to give memory back, once a call: it may take the cgroup over
 * its limit.
 */
#define KREG_GFP_RELEASE	(KREG_GFP_USER | __GFP_HIGH)

#endif /* KREG_STORE_GFP_H */

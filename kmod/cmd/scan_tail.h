/* SPDX-License-Identifier: GPL-2.0 */
/* What stands behind an object that a scan has taken. */
#ifndef KREG_CMD_SCAN_TAIL_H
#define KREG_CMD_SCAN_TAIL_H

#include <linux/compiler.h>

struct kreg_hit;
struct kreg_ioc_scan;

/* RCU, page faults off. Put there what the flags ask for. -EFAULT: the page is not there, too. */
int kreg_scan_put_tail(const struct kreg_ioc_scan *arg, void __user *to,
		       const struct kreg_hit *hit);

#endif /* KREG_CMD_SCAN_TAIL_H */

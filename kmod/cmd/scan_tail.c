// SPDX-License-Identifier: GPL-2.0
#include <linux/kreg.h>
#include <linux/uaccess.h>

#include "client/proc.h"
#include "cmd/op.h"
#include "cmd/scan_tail.h"
#include "cmd/usercopy.h"
#include "store/expiry.h"
#include "store/store.h"
#include "table/bond.h"

/* To whom the object is bound, as the caller names it. */
static int put_process(struct kreg_process __user *to, const struct kreg_hit *hit)
{
	const struct kreg_proc *p = hit->holder ? kreg_bond_whose(hit->holder) : NULL;
	struct kreg_process whom = {};

	if (p)
		kreg_op_tell_process(p, &whom);
	return kreg_put_nofault(to, &whom, sizeof(whom));
}

/* And when it expires, in his time. */
static int put_expiry(struct kreg_object_expiry __user *to, const struct kreg_hit *hit)
{
	struct kreg_object_expiry tell = { .until_ns = kreg_op_tell_moment(kreg_hit_expires(hit)) };
	struct kreg_expiry said;

	kreg_hit_expiry(hit, &said);
	tell.expires_ns = kreg_op_tell_moment(said.expires);
	tell.idle_ms = said.idle_ms;
	return kreg_put_nofault(to, &tell, sizeof(tell));
}

int kreg_scan_put_tail(const struct kreg_ioc_scan *arg, void __user *to,
		       const struct kreg_hit *hit)
{
	int err = 0;

	if (arg->flags & KREG_SCAN_PROCESSES) {
		err = put_process(to, hit);
		to += sizeof(struct kreg_process);
	}
	return err ?: arg->flags & KREG_SCAN_EXPIRES ? put_expiry(to, hit) : 0;
}

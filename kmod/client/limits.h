/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits of calls, clients and mailboxes: the defaults are in the UAPI header, the
 * module's parameters change them. Those of users are in user.h.
 */
#ifndef KREG_CLIENT_LIMITS_H
#define KREG_CLIENT_LIMITS_H

#include <linux/kreg.h>

struct kreg_limits {
	unsigned int batch_ops;
	unsigned int batch_bytes;
	unsigned int clients;		/* of a process */
	unsigned int events;		/* records of a process, queued or promised */
	unsigned int event_bytes;
	unsigned int subscriptions;	/* of a client */
	unsigned int table_subscriptions;
	unsigned int table_awaited;	/* keys that are waited for */
	unsigned long park_ms;
	unsigned int pin_ms;
};

extern struct kreg_limits kreg_limits;

/*
 * Errors of the module's own that say which limit was reached. Where a call ends they
 * become EDQUOT or EAGAIN: see kreg_cmd_errno(). They fit into an ERR_PTR().
 */
#define KREG_OVER_LIMIT		4000

static inline int kreg_over_limit(enum kreg_limit limit)
{
	return -(KREG_OVER_LIMIT + (int)limit);
}

/* Likewise, of which the caller is told EPERM. */
static inline int kreg_denied(enum kreg_denial why)
{
	return -(KREG_OVER_LIMIT + (int)why);
}

#endif /* KREG_CLIENT_LIMITS_H */

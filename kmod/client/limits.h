/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits of calls, clients and mailboxes: the defaults are in the UAPI header, the
 * module's parameters change them. Those of users are in user.h.
 */
#ifndef KREG_CLIENT_LIMITS_H
#define KREG_CLIENT_LIMITS_H

struct kreg_limits {
	unsigned int batch_ops;
	unsigned int batch_bytes;
	unsigned int clients;		/* of a process */
	unsigned int events;		/* records of a process, queued or promised */
	unsigned int event_bytes;
	unsigned long park_ms;
};

extern struct kreg_limits kreg_limits;

#endif /* KREG_CLIENT_LIMITS_H */

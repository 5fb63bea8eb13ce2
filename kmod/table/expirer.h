/* SPDX-License-Identifier: GPL-2.0 */
/* What removes the objects of a table that have expired: see expire.c. */
#ifndef KREG_TABLE_EXPIRER_H
#define KREG_TABLE_EXPIRER_H

#include <linux/timer.h>
#include <linux/types.h>

#include "store/write.h"
#include "writer/lane.h"

struct kreg_table;

/*
 * It comes with the first object of its table that expires, and stays. The timer goes off when
 * something may be due, and posts the request into the lane of the table, with a reference on
 * that. The request removes some objects in each step, in one commit, and its end sets the timer
 * anew.
 */
struct kreg_expirer {
	struct kreg_table *table;
	struct timer_list timer;
	struct kreg_req req;
	/* Turn. */
	bool set;			/* the timer is, or the request is under way */
	u64 when;			/* that is for then, on the coarse clock */
	/* Of a removal that takes several holds: */
	bool unlinking;
	struct kreg_txn txn;
};

#endif /* KREG_TABLE_EXPIRER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Parking: what it costs, for how long it is, and after which deaths. */
#ifndef KREG_TABLE_PARK_H
#define KREG_TABLE_PARK_H

#include <linux/types.h>

struct kreg_proc;
struct kreg_table;

/* Turn. What it takes to park it. kreg_over_limit(): its user has too many parked tables. */
int kreg_table_charge_park(struct kreg_table *t);
/* Turn. Charge nothing for parking it; or only while nothing says that it may be parked. */
void kreg_table_uncharge_park(struct kreg_table *t);
void kreg_table_settle_park(struct kreg_table *t);
/* Turn. Change the orphan setting, and what is charged for it. kreg_over_limit(). */
int kreg_table_set_orphan(struct kreg_table *t, u8 orphan, u64 ms);

/* Turn. It is parked from now on, for @ms milliseconds, 0: without a limit; or no more. */
void kreg_park_start(struct kreg_table *t, u64 ms);
void kreg_park_stop(struct kreg_table *t);

/* Turn. Whether it is parked if there is nobody else to have it after @dead. */
bool kreg_table_parks_after(const struct kreg_table *t, const struct kreg_proc *dead);

#endif /* KREG_TABLE_PARK_H */

// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "client/proc.h"
#include "client/user.h"
#include "table/park.h"
#include "table/table.h"

/* For ever, as far as ktime goes. */
#define MAX_PARK_MS	(KTIME_MAX / NSEC_PER_MSEC / 2)

void kreg_park_stop(struct kreg_table *t)
{
	kreg_table_assert(t);
	t->parked_until = 0;
	if (cancel_delayed_work(&t->park_timer))
		kreg_table_put(t);
}

void kreg_park_start(struct kreg_table *t, u64 ms)
{
	kreg_table_assert(t);
	if (!ms)
		return;
	t->parked_until = ktime_add_ms(ktime_get(), min_t(u64, ms, MAX_PARK_MS));
	kreg_table_park_timer(t);
}

/* Charged while the table is parked, and while something says that it may be. */
int kreg_table_charge_park(struct kreg_table *t)
{
	int err;

	kreg_table_assert(t);
	if (t->park_charged)
		return 0;
	err = kreg_user_charge(t->user, KREG_QUOTA_PARKED, 1);
	t->park_charged = !err;
	return err;
}

void kreg_table_uncharge_park(struct kreg_table *t)
{
	if (t->park_charged)
		kreg_user_uncharge(t->user, KREG_QUOTA_PARKED, 1);
	t->park_charged = false;
}

/* Whether it may be parked by anything but its owner's hand. */
static bool may_be_parked(const struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	return t->orphan != KREG_ORPHAN_DESTROY || (p && (p->role || p->limit));
}

void kreg_table_settle_park(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (!may_be_parked(t))
		kreg_table_uncharge_park(t);
}

int kreg_table_set_orphan(struct kreg_table *t, u8 orphan, u64 ms)
{
	int err = 0;

	kreg_table_assert(t);
	if (orphan != KREG_ORPHAN_DESTROY)
		err = kreg_table_charge_park(t);
	if (err)
		return err;
	t->orphan = orphan;
	t->orphan_ms = ms;
	kreg_table_settle_park(t);
	return 0;
}

bool kreg_table_parks_after(const struct kreg_table *t, const struct kreg_proc *dead)
{
	kreg_table_assert(t);
	return t->orphan == KREG_ORPHAN_PARK ||
	       (t->orphan == KREG_ORPHAN_PARK_ON_CRASH && kreg_proc_crashed(dead));
}

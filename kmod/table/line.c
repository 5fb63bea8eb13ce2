// SPDX-License-Identifier: GPL-2.0
#include "client/client.h"
#include "client/exit.h"
#include "client/limits.h"
#include "client/proc.h"
#include "table/access.h"
#include "table/line.h"
#include "table/table.h"

/* The file of a dead process may stay open for long, if another has it as well. */
static void weed_out_exiting(struct kreg_table *t)
{
	struct kreg_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &t->waiters, node)
		if (kreg_proc_exiting(waiter->client->proc))
			kreg_line_end(waiter, -EINTR, NULL);
}

/* The first is woken by the exit of the owner, if no heir is. */
int kreg_line_enter(struct kreg_table *t, struct kreg_waiter *waiter)
{
	kreg_table_assert(t);
	if (t->nr_waiters >= KREG_MAX_WAITERS)
		weed_out_exiting(t);
	if (t->nr_waiters >= KREG_MAX_WAITERS)
		return kreg_over_limit(KREG_LIMIT_WAITERS);
	/* One that is quarantined has no owner. */
	if (!t->heir && list_empty(&t->waiters) && kreg_table_owner(t))
		kreg_proc_set_successor(kreg_table_owner(t), waiter->client->proc);
	waiter->table = t;
	t->nr_waiters++;
	list_add_tail(&waiter->node, &t->waiters);
	return 0;
}

void kreg_line_end(struct kreg_waiter *waiter, int result, const struct kreg_proc *from)
{
	kreg_table_assert(waiter->table);
	list_del_init(&waiter->node);
	waiter->table->nr_waiters--;
	waiter->result = result;
	waiter->over(waiter, from);
}

bool kreg_line_leave(struct kreg_waiter *waiter, struct kreg_writer *w, int result)
{
	bool waits;

	spin_lock(&w->turn);
	waits = !list_empty(&waiter->node);
	if (waits)
		kreg_line_end(waiter, result, NULL);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	return waits;
}

void kreg_line_end_all(struct kreg_table *t, int result)
{
	struct kreg_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &t->waiters, node)
		kreg_line_end(waiter, result, NULL);
}

struct kreg_waiter *kreg_line_next(struct kreg_table *t)
{
	struct kreg_waiter *waiter, *next;
	int err;

	kreg_table_assert(t);
	list_for_each_entry_safe(waiter, next, &t->waiters, node) {
		err = kreg_proc_exiting(waiter->client->proc) ? -EINTR :
		      kreg_table_may_claim(t, waiter->client) ?:
		      kreg_schema_check(&t->schema, &waiter->schema);
		if (!err)
			return waiter;
		kreg_line_end(waiter, err, NULL);
	}
	return NULL;
}

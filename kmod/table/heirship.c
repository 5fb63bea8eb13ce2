// SPDX-License-Identifier: GPL-2.0
/* Heirships that end because the heir has closed its client. */
#include <linux/sched.h>

#include "client/client.h"
#include "client/proc.h"
#include "table/owner.h"
#include "table/table.h"

/* Looked at in one hold of the turn. */
#define HEIRSHIPS_A_TURN	8

/* Heirships of one user of a process that has no client of his any more. */
struct ending {
	struct kreg_holdings *held;
	kuid_t uid;
	unsigned int left;		/* heirships not looked at yet */
};

/* End some; other users' go to the end of the list. */
static void end_some_heirships(struct kreg_writer *w, struct ending *e)
{
	struct list_head *heired = &e->held->heired;
	struct kreg_table *t;
	int n;

	spin_lock(&w->turn);
	if (kreg_client_receives(e->held->proc, e->uid))
		e->left = 0;
	for (n = 0; n < HEIRSHIPS_A_TURN && e->left; n++, e->left--) {
		t = list_first_entry_or_null(heired, struct kreg_table, heired);
		if (t && uid_eq(t->heir_uid, e->uid))
			kreg_table_set_heir(t, NULL, INVALID_UID);
		else if (t)
			list_move_tail(&t->heired, heired);
	}
	spin_unlock(&w->turn);
	cond_resched();
}

void kreg_table_end_heirships(struct kreg_proc *p, kuid_t uid)
{
	unsigned int i;

	/* Nobody else changes the order of the lists meanwhile. */
	mutex_lock(&p->settling);
	for (i = 0; i < kreg_writers; i++) {
		struct kreg_writer *w = kreg_writer_nr(i);
		struct ending e = { .held = &p->holdings[i], .uid = uid };

		/* Who has named the process before its client was closed has done so by now. */
		spin_lock(&w->turn);
		e.left = e.held->nr_heired;
		spin_unlock(&w->turn);
		while (e.left)
			end_some_heirships(w, &e);
	}
	mutex_unlock(&p->settling);
}

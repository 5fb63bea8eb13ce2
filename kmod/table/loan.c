// SPDX-License-Identifier: GPL-2.0
#include "client/user.h"
#include "store/write.h"
#include "table/bond.h"
#include "table/loan.h"
#include "table/publish.h"
#include "table/table.h"

u32 kreg_loan_number(struct kreg_bond *b)
{
	return b->is_lease ? READ_ONCE(kreg_linger_of(b)->loans) : 0;
}

u32 kreg_loan_count(struct kreg_bond *b, struct kreg_bond *old)
{
	struct kreg_linger *l = kreg_linger_of(b);
	u32 before = old ? kreg_loan_number(old) : 0;

	kreg_table_assert(b->table);
	WRITE_ONCE(l->loans, before == U32_MAX ? before : before + 1);
	return l->loans;
}

void kreg_loan_end(struct kreg_bond *b)
{
	struct kreg_table *t = b->table;
	const struct kreg_rec *r;

	kreg_table_assert(t);
	if (b->returned)
		return;
	WRITE_ONCE(b->returned, true);
	kreg_bond_end(b, t->writer);
	kreg_holder_uncount(&t->store, &b->holder);
	/* Also for what a clear has taken since, of which nothing is given back later. */
	kreg_user_uncharge(b->user, KREG_QUOTA_BOUND, b->holder.live);
	kreg_bond_stop_timer(b);
	r = kreg_holder_first(&t->store, &b->holder);
	if (r)
		kreg_table_publish_return(t, r);
}

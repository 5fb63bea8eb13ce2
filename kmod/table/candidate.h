/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Candidates: who stands in the line of a key, to register it when its turn comes.
 *
 * DOC: The line of a key
 *
 * A key that is held may have a line (awaited.h). When its object has been deleted, or its process
 * is dead, the first who lives and may write gets the key: his registration is applied as a write
 * of its own. Those before him are told that they may not; who has died is passed over. It is found
 * out under the turn whether the key is free, whoever thought it might be, so nothing depends on
 * what has been noted since.
 *
 * A candidate brings all that its write needs: the slot with the object in it, the bond, which
 * does not end as long as somebody is to get an object of it, and their charges. So serving a line
 * neither allocates nor fails for want of memory. It is done by whoever has made the key free,
 * a few at once, and then by a request in the lane of the table.
 */
#ifndef KREG_TABLE_CANDIDATE_H
#define KREG_TABLE_CANDIDATE_H

#include "store/write.h"
#include "table/awaited.h"
#include "table/bound.h"
#include "table/table.h"

struct kreg_bond;

/* What an object and a bond take at most beside the value, if there are no slots. */
#define KREG_CANDIDATE_ROOM	(2 * KREG_SLOT_MAX)

struct kreg_candidate {
	/* Invariant: */
	struct kreg_table *table;	/* a reference */
	/* Turn. What is given back if it is not used: */
	struct kreg_change change;	/* the write, with its slot and the charge for the object */
	struct kreg_bind bind;		/* @change leads to it */
	struct kreg_bond *bond;		/* of which it will be an object; NULL: it is, or not yet */
	/* A write that takes several holds: */
	bool begun;
	struct kreg_txn txn;
	struct kreg_place place;
};

/*
 * Sleeps. For the line of a key in @t, by @cl, which stays as long, to bind its object to @p.
 * ERR_PTR(): -ENOMEM, kreg_over_limit().
 */
struct kreg_candidate *kreg_candidate_alloc(struct kreg_client *cl, struct kreg_table *t,
					    struct kreg_proc *p, u32 linger_ms, u32 key_len,
					    u32 value_len);
/*
 * Sleeps. Set aside what its write needs; then @c->change has a slot, for key and value to be
 * filled in. -ESTALE, -ESRCH, -ENOMEM, -ENOSPC, kreg_over_limit().
 */
int kreg_candidate_reserve(struct kreg_candidate *c);
/* Any, without the turn. It stands in no line any more, or never did. NULL is allowed. */
void kreg_candidate_free(struct kreg_candidate *c);

/*
 * Turn. Let @wait, of @c, stand in the line of @a. kreg_over_limit(): it is full. Behind it, the
 * line is to be served.
 */
int kreg_candidate_enter(struct kreg_awaited *a, struct kreg_candidate *c, struct kreg_wait *wait);

/*
 * Turn. Give those keys to who comes first; *@n counts down, to 0 at most. A write of the table may
 * be under way. False: there are more of them, or it can only be done, with @in_lane, by a request
 * in the lane of the table.
 */
bool kreg_candidates_serve(struct kreg_table *t, unsigned int *n, bool in_lane);

#endif /* KREG_TABLE_CANDIDATE_H */

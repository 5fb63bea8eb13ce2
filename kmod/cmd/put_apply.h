/* SPDX-License-Identifier: GPL-2.0 */
/* One write: between what the caller says (put.c) and what happens (put_apply.c). */
#ifndef KREG_CMD_PUT_APPLY_H
#define KREG_CMD_PUT_APPLY_H

#include <linux/errno.h>

#include "event/acks.h"
#include "store/write.h"
#include "table/bound.h"

struct kreg_client;

struct kreg_write_result {
	u64 version;
	u64 count;
	struct kreg_acks acks;		/* if that is asked for */
};

/* One change of a table, and what came of it. */
struct kreg_write {
	u64 table;
	bool acked;			/* @result.acks is asked for */
	struct kreg_change change;
	struct kreg_write_result result;
	union {				/* @change leads to it if that matters */
		struct kreg_bind bind;
		struct kreg_timed_bind timed;
	};
};

/* Any. */
static inline void kreg_write_init(struct kreg_write *w, u64 table, u64 only)
{
	w->table = table;
	w->acked = false;
	kreg_change_init(&w->change);
	w->change.only = only;
}

/*
 * Sleeps. Apply the change; it is visible when this returns. With @change.only, only if
 * the object with the key has this version, else -ECANCELED and nothing has happened.
 * With @change.must_be_new, -EEXIST if there is one. Consumes the blob, the root and what
 * @change.bind leads to.
 */
int kreg_put_apply(struct kreg_client *cl, struct kreg_write *w);
/* The turn could not be borrowed; never the error of a call. */
#define KREG_PUT_NOT_LENT	(-ERESTARTNOINTR)

/* Sleeps. The same without a blob or root, if the turn can be lent; else KREG_PUT_NOT_LENT. */
int kreg_put_apply_now(struct kreg_client *cl, struct kreg_write *w);
/* Any. Whether kreg_put_apply_now() is worth trying. */
bool kreg_put_lends(void);
/* Sleeps. Free what a change brings that will not be applied, and its charge. */
void kreg_put_drop(struct kreg_change *c);

#endif /* KREG_CMD_PUT_APPLY_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of a table: it is handed on, inherited, parked, claimed, destroyed.
 *
 * DOC: A death
 *
 * For each table of the dead process, in the order in which it became owner: if that was one
 * death too many it is quarantined; else the heir gets it, if it lives, is not exiting and may
 * still have it (kreg_client_may_inherit()); else the first in line for it (line.h); else it is
 * parked or destroyed, as its orphan setting says. What follows it moves with it. What is sent
 * was set aside before, so nothing here allocates or fails. All of it happens under the turn, in
 * pieces.
 *
 * A table for which something is queued is passed on when that has been applied, by a
 * request of its own in its lane; the death waits for it, and for no other table's.
 */
#ifndef KREG_TABLE_OWNER_H
#define KREG_TABLE_OWNER_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include "writer/writer.h"

struct kreg_client;
struct kreg_mail;
struct kreg_proc;
struct kreg_table;

extern const struct kreg_death_ops kreg_table_death_ops;

/* Turn. The name is free and the id dead; who waits for it is told -ESTALE. */
void kreg_table_destroy(struct kreg_table *t);
/* Turn. Make @to the owner under @uid, and send it @mail, if that is not NULL. */
void kreg_table_give(struct kreg_table *t, struct kreg_proc *to, kuid_t uid,
		     struct kreg_mail *mail);
/* Turn. Park it, once that is charged, for @ms milliseconds; 0: without a limit. */
void kreg_table_park(struct kreg_table *t, u64 ms);
/* Turn. Make @cl the owner of a parked table. */
void kreg_table_claim(struct kreg_table *t, const struct kreg_client *cl);

/*
 * Turn. A write of @t is done: give the keys that it has made free to who stands in line for
 * them, a few at once, the rest in the lane of the table.
 */
void kreg_table_serve_lines(struct kreg_table *t);

/* Sleeps. The park timer of @t has run out; drops the timer's reference. */
void kreg_table_park_expired(struct kreg_table *t);

/* Sleeps. @p has no client under that user any more: end its heirships there. */
void kreg_table_end_heirships(struct kreg_proc *p, kuid_t uid);

#endif /* KREG_TABLE_OWNER_H */

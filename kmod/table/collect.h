/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process has in a table, by its bonds, for who would else look at the whole table.
 */
#ifndef KREG_TABLE_COLLECT_H
#define KREG_TABLE_COLLECT_H

#include <linux/types.h>

#include "store/store.h"

struct kreg_proc;
struct kreg_table;

/* A hold of the turn goes over so many objects and bonds at most. */
#define KREG_COLLECT_OBJECTS	1024U
#define KREG_COLLECT_BONDS	256U

struct kreg_collected {
	unsigned int n;
	struct kreg_key keys[KREG_COLLECT_OBJECTS];	/* their bytes as long as the section */
};

/*
 * RCU. The keys of all objects of @t that are bound to @p at one moment, without those up to
 * @after, which is hashed, or of length 0; in the order of the table. The turn is only tried, so
 * nobody is waited for. False: it is another's, or they are many, or not to be had by bonds; then
 * a walk finds them.
 */
bool kreg_collect_of(const struct kreg_table *t, struct kreg_proc *p,
		     const struct kreg_key *after, struct kreg_collected *c);

#endif /* KREG_TABLE_COLLECT_H */

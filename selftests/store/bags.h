/* SPDX-License-Identifier: GPL-2.0 */
/* The model of a store where keys have runs: an array for each key, in the order of keys. */
#ifndef BAGS_H
#define BAGS_H

#include "model.h"

struct entry {
	u32 seed;
	u32 sub;
	u64 born;
	u64 died;
	struct kreg_holder *holder;
	struct object object;		/* when it expires; not all of it */
};

struct run {
	u32 k;
	u32 count, room;
	struct entry *entries;
};

extern struct run *runs;

/* bags_walk.c: a reader that goes on with its walk while the store changes, or not. */
void bags_meanwhile(void);
void bags_finish_walk(void);
/* Entries that no walk asks for any more. */
void bags_forget(void);

#endif /* BAGS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Upkeep: what the thread of a writer does for a store when nothing is more urgent.
 */
#ifndef KREG_WRITER_UPKEEP_H
#define KREG_WRITER_UPKEEP_H

#include <linux/list.h>

struct kreg_writer;

/* Upkeep that a store wants now and then. @work does a bounded part of it. */
enum kreg_upkeep_state { KREG_UPKEEP_DONE, KREG_UPKEEP_LATER, KREG_UPKEEP_NOW };

struct kreg_upkeep {
	struct list_head node;		/* turn; empty: not listed */
	enum kreg_upkeep_state (*work)(struct kreg_upkeep *upkeep);
};

/* Turn. Have @t looked after until it says that it is done; or no more. */
void kreg_writer_add_upkeep(struct kreg_writer *w, struct kreg_upkeep *t);
void kreg_writer_del_upkeep(struct kreg_writer *w, struct kreg_upkeep *t);

#endif /* KREG_WRITER_UPKEEP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory: names and ids of tables. Looked up under RCU; changed under
 * names_lock, inside the turn of the table.
 */
#ifndef KREG_TABLE_NAMES_H
#define KREG_TABLE_NAMES_H

#include <linux/rculist.h>
#include <linux/types.h>

#include "table/table.h"

#define KREG_ID_BITS	12

struct kreg_ns;

/*
 * Tables by id, beside ns->ids, which is in order: every operation looks one up.
 * Ids are given out in a row, so they spread by themselves.
 */
extern struct hlist_head kreg_names_ids[1 << KREG_ID_BITS];

static inline struct hlist_head *kreg_names_bucket(u64 id)
{
	return &kreg_names_ids[id & ((1 << KREG_ID_BITS) - 1)];
}

void kreg_names_init(void);

/* A number that no table ever had, with room for it in the directory. */
int kreg_names_reserve(struct kreg_ns *ns, u64 *id);
void kreg_names_release(struct kreg_ns *ns, u64 id);

/* Turn. -EEXIST if the name is taken; else @t can be found from now on. */
int kreg_names_add(struct kreg_table *t);
/* Turn. Its name is free and its id dead. */
void kreg_names_remove(struct kreg_table *t);

/* Under rcu_read_lock(), borrowed. -ENOENT. */
struct kreg_table *kreg_names_find(const struct kreg_ns *ns, const u8 *name, u32 len);

/* Likewise; NULL, of which kreg_names_why_not() tells more. */
static inline struct kreg_table *kreg_names_id(const struct kreg_ns *ns, u64 id)
{
	struct kreg_table *t;

	hlist_for_each_entry_rcu(t, kreg_names_bucket(id), id_node)
		if (likely(t->id == id && t->ns == ns))
			return t;
	return NULL;
}

/* -EINVAL: no such id was ever given out; -ESTALE: the table is gone. */
int kreg_names_why_not(u64 id);

/* Likewise. The table with the lowest id above @after, or NULL. */
struct kreg_table *kreg_names_next(struct kreg_ns *ns, u64 after);

/* Objects in all tables; may sleep. */
unsigned long kreg_names_objects(void);

#endif /* KREG_TABLE_NAMES_H */

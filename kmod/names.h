/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory: names and ids of tables. Looked up under RCU; changed under
 * names_lock, inside the turn of the table.
 */
#ifndef KREG_NAMES_H
#define KREG_NAMES_H

#include <linux/types.h>

struct kreg_ns;
struct kreg_table;
struct kreg_writer;

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
/* Likewise. -EINVAL: no such id was ever given out; -ESTALE: the table is gone. */
struct kreg_table *kreg_names_id(struct kreg_ns *ns, u64 id);
/* Likewise. The table with the lowest id above @after, or NULL. */
struct kreg_table *kreg_names_next(struct kreg_ns *ns, u64 after);

/* Objects in all tables; may sleep. */
unsigned long kreg_names_objects(void);

#endif /* KREG_NAMES_H */

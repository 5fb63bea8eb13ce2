/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory: names and ids of tables. Looked up under RCU; changed under
 * names_lock, inside the turn of the table.
 *
 * DOC: Ids
 *
 * An id is a serial number, which is never used again, above the number of a slot,
 * which is. The serial numbers are the order of creation. A slot is found with two
 * loads, however many tables there are; the whole id tells whether the table in it is
 * the one that was meant.
 */
#ifndef KREG_TABLE_NAMES_H
#define KREG_TABLE_NAMES_H

#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "table/table.h"

#define KREG_SLOT_BITS	20	/* tables that there can be at a time */
#define KREG_CHUNK_BITS	8	/* slots of a chunk */
#define KREG_CHUNKS	(1 << (KREG_SLOT_BITS - KREG_CHUNK_BITS))

struct kreg_ns;

/* Slots. A chunk is there from the first need of it until the module is unloaded. */
struct kreg_slots {
	struct kreg_table __rcu *table[1 << KREG_CHUNK_BITS];
	u64 last[1 << KREG_CHUNK_BITS];		/* the id of the latest table */
	u32 next_free[1 << KREG_CHUNK_BITS];	/* names_lock: of a free slot */
};

extern struct kreg_slots *kreg_names_chunks[KREG_CHUNKS];

/* Any. */
static inline struct kreg_slots *kreg_names_chunk(u64 id)
{
	return READ_ONCE(kreg_names_chunks[(id >> KREG_CHUNK_BITS) & (KREG_CHUNKS - 1)]);
}

static inline unsigned int kreg_names_slot(u64 id)
{
	return id & ((1 << KREG_CHUNK_BITS) - 1);
}

/* Of the slot among all. */
static inline u32 kreg_names_number(u64 id)
{
	return id & ((1 << KREG_SLOT_BITS) - 1);
}

static inline u64 kreg_names_serial(u64 id)
{
	return id >> KREG_SLOT_BITS;
}

/* Sleeps. -ENOMEM. */
int kreg_names_init(void);
/* Sleeps. No table is left, nor anybody who waits for one. */
void kreg_names_exit(void);

/*
 * Sleeps. An id that no table ever had, with room for it in the directory. -ENOMEM;
 * -ENOSPC: there are as many tables as there are slots, or no serial numbers are left.
 */
int kreg_names_reserve(struct kreg_ns *ns, u64 *id);
/* Any. No table will have the id that was reserved. */
void kreg_names_release(struct kreg_ns *ns, u64 id);

/* Turn. -EEXIST if the name is taken; else @t can be found from now on. */
int kreg_names_add(struct kreg_table *t);
/* Turn. Its name is free and its id dead. */
void kreg_names_remove(struct kreg_table *t);

/*
 * Turn. @t has *@name from now on, and *@name is that which it had, or NULL. -EEXIST: a table has
 * it, perhaps @t.
 */
int kreg_names_rename(struct kreg_table *t, struct kreg_name **name);
/* Turn, of both tables: each has the name of the other, or none. -EINVAL: neither has one. */
int kreg_names_exchange(struct kreg_table *a, struct kreg_table *b);

/* RCU. -ENOENT. */
struct kreg_table *kreg_names_find(const struct kreg_ns *ns, const u8 *name, u32 len);

/*
 * Any. Let @wait, which is under this lock, wait until there is a table of that name in the
 * namespace of its client, or none. Not 0: so it is already. *@brought is for the name, and
 * becomes NULL if it is used.
 */
int kreg_names_wait(struct kreg_wait *wait, enum kreg_awaited_list list, const u8 *name, u32 len,
		    struct kreg_awaited **brought);
/* Any. The lock of those who wait for a name. */
spinlock_t *kreg_names_wait_lock(void);

/* RCU. NULL, of which kreg_names_why_not() tells more. */
static inline struct kreg_table *kreg_names_id(const struct kreg_ns *ns, u64 id)
{
	struct kreg_slots *chunk = kreg_names_chunk(id);
	struct kreg_table *t;

	if (unlikely(!chunk))
		return NULL;
	t = rcu_dereference(chunk->table[kreg_names_slot(id)]);
	return likely(t && t->id == id && t->ns == ns) ? t : NULL;
}

/*
 * Any. -EINVAL: no table ever had this id; -ESTALE: the table is gone. An id that was
 * made up of an old serial number and a slot that has had a later table counts as gone.
 */
int kreg_names_why_not(u64 id);

/* RCU. The table with the lowest id above @after, or NULL. */
struct kreg_table *kreg_names_next(struct kreg_ns *ns, u64 after);

/* RCU. The table with this id in whatever namespace, or NULL. */
struct kreg_table *kreg_names_id_anywhere(u64 id);
/*
 * RCU. The first table in the slots from *@slot on, or NULL if the rest of the chunk has
 * none, so that the section stays short. *@slot becomes the slot to go on with. False:
 * there are no more slots.
 */
bool kreg_names_walk(u32 *slot, struct kreg_table **found);

/* Sleeps. Objects in all tables. */
unsigned long kreg_names_objects(void);

#endif /* KREG_TABLE_NAMES_H */

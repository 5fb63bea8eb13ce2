/* SPDX-License-Identifier: GPL-2.0 */
/* Waits for keys of a table: between what changes it and who waits. */
#ifndef KREG_TABLE_WAITS_H
#define KREG_TABLE_WAITS_H

#include "table/awaited.h"
#include "table/table.h"

struct kreg_change;
struct kreg_holder;
struct kreg_key;

/*
 * Sleeps. What a table needs before anybody can wait for its keys, for @t; NULL. To be freed
 * with kfree() if it is not used.
 */
struct kreg_awaited_set *kreg_waits_alloc(struct kreg_table *t);
/* Turn. @t has it from now on, and the user of the table pays. */
void kreg_waits_set(struct kreg_table *t, struct kreg_awaited_set *set);

/* Turn. What there is at the key: an object of @version, bound to @h or to nobody. */
struct kreg_outcome kreg_waits_found(const struct kreg_table *t, u64 version,
				     const struct kreg_holder *h);

/*
 * Turn. @t has keys that are awaited, or had. @c was applied within the write @version; or the
 * object with @key was removed, which was bound to a dead process.
 */
void kreg_waits_note(struct kreg_table *t, const struct kreg_change *c, u64 version);
void kreg_waits_note_exit(struct kreg_table *t, const struct kreg_key *key);
/*
 * Turn. That is committed: tell those who wait for what it has come to, a few at once. False:
 * there are more than @n keys, and the rest is for another hold, before the store is changed
 * again.
 */
bool kreg_waits_show(struct kreg_table *t, unsigned int n);
/* Turn, and no write is under way. The object @version with @key is on loan no more: tell them. */
void kreg_waits_tell_returned(struct kreg_table *t, const struct kreg_key *key, u64 version);

/* Turn. Whether keys of @t may have come free that have a line. */
static inline bool kreg_waits_has_freed(const struct kreg_table *t)
{
	kreg_table_assert(t);
	return unlikely(t->awaited) && !t->dead && !list_empty(&t->awaited->freed);
}

/* Turn. As the functions of the same names for events: less may read; it is destroyed. */
void kreg_waits_narrow(struct kreg_table *t);
void kreg_waits_gone(struct kreg_table *t, enum kreg_cause cause);

#endif /* KREG_TABLE_WAITS_H */

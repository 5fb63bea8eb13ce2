/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to a table, for its stream: between what changes it and who asks for that.
 */
#ifndef KREG_TABLE_PUBLISH_H
#define KREG_TABLE_PUBLISH_H

#include "event/stream.h"
#include "table/table.h"
#include "table/waits.h"

struct kreg_change;
struct kreg_holder;
struct kreg_key;
struct kreg_ns;

/*
 * Turn. @e has happened, and can be seen; the kinds and what they say are in the ABI header.
 * Whoever has asked for it is woken when the turn has been returned: kreg_wake_queued(). A
 * table without a stream has nobody to tell.
 */
static inline void kreg_table_publish(struct kreg_table *t, const struct kreg_stream_event *e)
{
	kreg_table_assert(t);
	if (unlikely(t->stream))
		kreg_stream_append(t->stream, t->writer, e);
}

/*
 * Turn. @c was applied within the write @version, which is committed; there are listeners. Returns
 * the kind of the event in the stream, or 0.
 */
u16 kreg_table_publish_change(struct kreg_table *t, struct kreg_change *c, u64 version);
/* Turn. The same before the commit; and behind it, for all that was noted. */
void kreg_table_note_for_listeners(struct kreg_table *t, struct kreg_change *c, u64 version);
void kreg_table_publish_noted(struct kreg_table *t);
/*
 * Turn. And then, as long as the store is not changed again, for who waits for one of @n keys.
 * False: there are more of them.
 */
static inline bool kreg_table_publish_keys(struct kreg_table *t, unsigned int n)
{
	return likely(!t->awaited) || kreg_waits_show(t, n);
}

static inline void kreg_table_note_change(struct kreg_table *t, struct kreg_change *c,
					  u64 version)
{
	if (unlikely(t->listeners))
		kreg_table_note_for_listeners(t, c, version);
}

/*
 * Turn. The object with @key was removed by the write @version, which is committed, because the
 * process is dead that it was bound to by @h, or has been for as long as it was to linger; there
 * are listeners.
 */
void kreg_table_publish_exit(struct kreg_table *t, struct kreg_holder *h,
			     const struct kreg_key *key, u64 version, enum kreg_cause cause);

/* Turn. The same of @r, which had expired. */
void kreg_table_publish_expired(struct kreg_table *t, const struct kreg_rec *r, u64 version);

/* Turn. @from was the owner before, and has lost it for this reason. NULL: nobody. */
void kreg_table_publish_owner(struct kreg_table *t, const struct kreg_proc *from,
			      enum kreg_cause cause);
/*
 * Turn. Others may read than before: @less, some may not any more; @more, some may who might
 * not.
 */
void kreg_table_publish_rights(struct kreg_table *t, bool less, bool more);
/* Turn, and no write is under way. The object @r, which was on loan, is there again. */
void kreg_table_publish_return(struct kreg_table *t, const struct kreg_rec *r);
/* Turn. It is about to be destroyed, for the first reason that is given; 0: by hand. */
void kreg_table_publish_gone(struct kreg_table *t, enum kreg_cause cause);

/* Turn. Somebody listens, or nobody does any more, who did. */
void kreg_table_note_listeners(struct kreg_table *t);
/* Turn. Make @s the stream of @t, which has none; takes the reference over. */
void kreg_table_set_stream(struct kreg_table *t, struct kreg_stream *s);
/* Turn. Take it away again; the reference is the caller's. t->events is not changed. */
struct kreg_stream *kreg_table_unset_stream(struct kreg_table *t);
/*
 * Turn. The same, in place of the one there is, and whether or not anybody subscribes. NULL:
 * none. -EBUSY: somebody subscribes to the one there is.
 */
int kreg_table_replace_stream(struct kreg_table *t, struct kreg_stream *s);
/* Any. If nobody subscribes any more to the table of @s, which is in @ns, it goes. */
void kreg_table_drop_stream(const struct kreg_ns *ns, struct kreg_stream *s);

#endif /* KREG_TABLE_PUBLISH_H */

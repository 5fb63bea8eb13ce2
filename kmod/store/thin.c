// SPDX-License-Identifier: GPL-2.0
/*
 * Sparse chunks are emptied, so that they can be freed.
 *
 * DOC: Thin
 *
 * Objects that are deleted at random leave a few in each chunk, and all chunks stay. When a store
 * has much more memory than its records need, upkeep goes through the chunks once, a round: those
 * of which less than half is used give no slot any more, and what is in them is moved, a few
 * records a hold, to the fullest ones. When the old slots have left limbo, the chunk is empty, and
 * goes as any other.
 *
 * To move a record is to put a copy in its place in the list, with one store. The copy has the same
 * key, value, commit and number, so to nobody has anything happened: there is no commit, and nobody
 * is told. README.md says why a reader finds the object exactly once. Marks of an ordered list and
 * nodes of its tree are moved likewise.
 *
 * What stays where it is: records that died and are kept for a pin, which are in a chain that leads
 * one way, slots that are set aside, marks within long buckets, and records that expire when they
 * are idle, unless they were used a moment ago, since a reader might store that into the old slot.
 * Chunks with such a thing give slots again when the round ends.
 */
#include "store/arena.h"
#include "store/expiry.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_find.h"
#include "store/order_write.h"
#include "store/thin.h"
#include "store/tree.h"

/* A round begins when there are more bytes than so many percent of the live ones, by so many. */
#define WASTE		220
#define LEAST		(64U << 10)
/* Then chunks that are not fuller than this, in percent, are picked. */
#define SPARSE		50

/* What a record takes beside key and value: header, a word of the index, half a step of a class. */
#define RECORD		(sizeof(struct kreg_rec) + 12)

/* Steps that it costs to look at a chunk, or at so many slots, and to move a record. */
#define LOOK_COST	1
#define MOVE_COST	4
#define SLOTS		8

/* Links that may be walked over to a record. */
#define FAR		64

/* Of the idle time, so many parts; a record that was used within one is moved. */
#define USED_SHIFT	5
/* A reader's section is far shorter than such a part. */
#define LEAST_IDLE_MS	1000

/* The bytes that are too many. */
static u64 count_waste(const struct kreg_store *s)
{
	u64 live = s->bytes + s->objects * RECORD, memory = s->memory;

	if (s->extra)
		live += s->extra->kept_bytes;
	live = live / 100 * WASTE + s->limbo.bytes + LEAST;
	return memory > live ? memory - live : 0;
}

void kreg_thin_begin(struct kreg_store *s, unsigned int most)
{
	struct kreg_thin *t = &s->thin;

	kreg_store_assert(s);
	t->most = most;
	t->waste = count_waste(s);
	t->class = 0;
	t->ends = false;
	/* 0 is that of a new chunk. */
	t->round = t->round % 255 + 1;
}

/*
 * Whether there is waste, and an eighth more or less than when the last round began. So rounds
 * are repeated as long as they bring something, or more objects are deleted.
 */
static bool is_wasteful(struct kreg_store *s)
{
	u64 waste = count_waste(s), before = s->thin.waste;

	if (!waste)
		s->thin.waste = 0;
	return waste && (waste > before + (before >> 3) || waste < before - (before >> 3)) &&
	       !s->ending && !kreg_store_has_cleared(s);
}

/* One that could not be emptied gives slots again. False: there is none, and the round is over. */
static bool undrain_one(struct kreg_store *s)
{
	struct kreg_thin *t = &s->thin;
	struct kreg_chunk *chunk = list_first_entry_or_null(&t->drained, struct kreg_chunk, list);

	t->ends = chunk;
	if (chunk)
		kreg_arena_undrain(s, chunk);
	else
		t->most = 0;
	return chunk;
}

static bool is_sparse(const struct kreg_thin *t, const struct kreg_chunk *chunk)
{
	u32 units = kreg_arena_size(chunk->class) >> KREG_UNIT_SHIFT;

	return chunk->used && !chunk->reserved &&
	       chunk->used * units * 100 < chunk->end * t->most;
}

/* The last chunk of the class that has a used slot, unless all were looked at; or NULL. */
static struct kreg_chunk *last_unseen(struct kreg_store *s)
{
	struct kreg_class *class = &s->classes[s->thin.class];
	struct kreg_chunk *chunk;

	list_for_each_entry_reverse(chunk, &class->partial, list)
		if (chunk->used)
			return chunk->round == s->thin.round ? NULL : chunk;
	return NULL;
}

/* Whether what is in @chunk can go elsewhere: to one that is used, or is smaller. */
static bool has_room_beside(struct list_head *partial, const struct kreg_chunk *chunk)
{
	const struct kreg_chunk *other = list_first_entry(partial, struct kreg_chunk, list);

	if (other == chunk && !list_is_singular(partial))
		other = list_next_entry(other, list);
	return other != chunk && (other->used || other->order < chunk->order);
}

/*
 * Look at a chunk, and empty it if it is sparse, and another has room. Chunks that are not come
 * first, so that they become full. False: the round has ended.
 */
static bool pick_chunk(struct kreg_store *s)
{
	struct kreg_thin *t = &s->thin;
	struct list_head *partial;
	struct kreg_chunk *chunk;

	while (!(chunk = last_unseen(s)))
		if (++t->class == KREG_CLASSES)
			return false;
	partial = &s->classes[t->class].partial;
	chunk->round = t->round;
	if (!is_sparse(t, chunk) || !has_room_beside(partial, chunk)) {
		list_move(&chunk->list, partial);
		return true;
	}
	kreg_arena_drain(s, chunk);
	t->chunk = chunk;
	t->at = 0;
	return true;
}

/* The link to the live record @ref, @r, or NULL: it is too far. */
static u32 *link_to_record(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 hash = r->hash, left = FAR, *from;
	struct kreg_tree_way way;
	struct kreg_key key;

	if (s->ordered) {
		const struct kreg_order_goal goal = kreg_order_goal_of(s, r, &key);

		from = kreg_order_link_behind(s, kreg_tree_descend(s, &goal, &way));
	} else {
		from = kreg_index_head(root, kreg_read_bucket(hash, root->front->n));
	}
	for (; *from != ref; left--) {
		if (!*from || *from & KREG_LINK_BUCKET || !left)
			return NULL;
		r = kreg_arena_rec(s, *from);
		from = s->ordered ? &r->link : kreg_marks_link(s, r, hash);
	}
	return from;
}

/* Whether no reader is about to store that @r was used. */
static bool is_steady(const struct kreg_rec *r)
{
	const struct kreg_rec_expiry *e;

	if (!(r->lens & KREG_REC_IDLE))
		return true;
	e = kreg_rec_expiry(r);
	return e->idle_ms >= LEAST_IDLE_MS &&
	       kreg_expiry_now() - READ_ONCE(e->used) < (u64)e->idle_ms * 1000000 >> USED_SHIFT;
}

/* A copy of what is in the slot @r of the chunk that is emptied, or NULL: there is no room. */
static struct kreg_rec *copy_slot(struct kreg_store *s, const struct kreg_rec *r, u32 *ref)
{
	unsigned int class = s->thin.chunk->class;
	struct kreg_rec *copy;

	/* Else the chunk itself would give one. */
	if (list_empty(&s->classes[class].partial))
		return NULL;
	copy = kreg_arena_take(s, class, false, ref);
	memcpy(copy, r, kreg_arena_size(class));
	copy->limbo = 0;
	return copy;
}

/* False: there is no room. */
static bool move_record(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	u32 *from = is_steady(r) ? link_to_record(s, ref, r) : NULL, to;
	struct kreg_rec *copy;

	if (!from)
		return true;
	copy = copy_slot(s, r, &to);
	if (!copy)
		return false;
	if (kreg_rec_is_bound(copy))
		kreg_holder_replace(s, copy, to);
	if (kreg_rec_is_timed(copy))
		kreg_wheel_replace(s, copy, to);
	/* Pair 1: whoever loads the link finds the copy written. */
	smp_store_release(from, to);
	/* For a reader who is there, or comes there, it is alive: nothing has died since his C. */
	WRITE_ONCE(r->died, KREG_MOVED);
	kreg_limbo_add_moved(s, ref, r);
	return true;
}

/* The link to the mark @ref, @m, if the tree leads to that by @way; or NULL. */
static u32 *link_to_mark_at(struct kreg_store *s, u32 ref, const struct kreg_rec *m,
			    struct kreg_tree_way *way)
{
	struct kreg_key key;
	struct kreg_order_goal goal = kreg_order_goal_of(s, m, &key);
	struct kreg_tree_way before;
	unsigned int left = FAR;
	u32 *from;

	if (kreg_tree_descend(s, &goal, way) != ref)
		return NULL;
	goal.before = true;
	from = kreg_order_link_behind(s, kreg_tree_descend(s, &goal, &before));
	while (*from != ref && left--)
		from = &kreg_arena_rec(s, *from)->link;
	return *from == ref ? from : NULL;
}

static bool move_mark(struct kreg_store *s, u32 ref, struct kreg_rec *m)
{
	struct kreg_tree_way way;
	struct kreg_rec *copy;
	u32 *from, to;

	/* In the chain of those that upkeep is to look at. */
	if (kreg_order_is_noted(m->limbo))
		return true;
	from = link_to_mark_at(s, ref, m, &way);
	if (!from)
		return true;
	copy = copy_slot(s, m, &to);
	if (!copy)
		return false;
	copy->limbo = m->limbo;
	/* Pair 1, and pair 4: both before any commit that comes. */
	smp_store_release(from, to);
	kreg_tree_replace_mark(s, &way, to);
	kreg_limbo_add(s, ref, m);
	return true;
}

static bool move_node(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	struct kreg_tree_way way;
	u32 to;

	if (!kreg_tree_find_node(s, ref, &way))
		return true;
	if (!copy_slot(s, r, &to))
		return false;
	kreg_tree_replace_node(s, &way, kreg_tree_node(s, to)->level, to);
	return true;
}

/* Header words of a slot, which may be free. */
#ifndef kreg_slot_peek
#define kreg_slot_peek(word)	READ_ONCE(word)
#endif

/* Whatever is in the slot @ref. False: there is no room. */
static bool move_slot(struct kreg_store *s, u32 ref, unsigned int *cost)
{
	struct kreg_rec *r = kreg_chunk_rec(s->thin.chunk, ref);
	u64 died = kreg_slot_peek(r->died);
	u32 lens = kreg_slot_peek(r->lens);

	if (died != KREG_ALIVE && (died || !s->ordered || !(lens & KREG_REC_MARK)))
		return true;
	*cost += MOVE_COST + (kreg_arena_size(s->thin.chunk->class) >> KREG_STEP_SHIFT);
	if (died == KREG_ALIVE)
		return move_record(s, ref, r);
	return lens & KREG_REC_NODE ? move_node(s, ref, r) : move_mark(s, ref, r);
}

/* The next few slots of the chunk, up to one that is moved. Returns steps. */
static unsigned int move_some(struct kreg_store *s)
{
	struct kreg_thin *t = &s->thin;
	struct kreg_chunk *chunk = t->chunk;
	unsigned int i, cost = LOOK_COST;

	for (i = 0; i < SLOTS && cost == LOOK_COST && t->at < chunk->fresh; i++) {
		if (!move_slot(s, chunk->number << KREG_CHUNK_SHIFT | t->at, &cost)) {
			kreg_arena_undrain(s, chunk);
			return cost;
		}
		t->at += kreg_arena_size(chunk->class) >> KREG_UNIT_SHIFT;
	}
	if (t->at >= chunk->fresh)
		t->chunk = NULL;
	return cost;
}

bool kreg_thin_step(struct kreg_store *s, unsigned int budget)
{
	struct kreg_thin *t = &s->thin;
	unsigned int done = 0;

	kreg_store_assert(s);
	if (likely(!t->most)) {
		if (!is_wasteful(s))
			return false;
		kreg_thin_begin(s, SPARSE);
	}
	/* Writers wait when there is too much in limbo, so this does not fill it. */
	while (done < budget && s->limbo.bytes < KREG_LIMBO_BYTES / 2) {
		if (t->chunk)
			done += move_some(s);
		else if ((!t->ends && pick_chunk(s)) || undrain_one(s))
			done += LOOK_COST;
		else
			break;
	}
	kreg_limbo_close(s);
	return done;
}

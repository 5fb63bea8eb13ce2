// SPDX-License-Identifier: GPL-2.0
/*
 * Shortcuts within long buckets.
 *
 * DOC: Marks
 *
 * The seed of a hash is secret, but the list is in the order of the hash, and so is a
 * scan. Who may write can put many keys, scan, and keep those that come first: they are
 * of one bucket as long as the index does not grow. The order of a scan is promised to
 * stay, so the seed cannot change under the objects. Instead a part of the list that is
 * long gets places in between at which a walk can begin:
 *
 *	head -> node -> r -> .. -> mark -> r -> .. -> mark -> r -> .. -> 0
 *	         | |                ^                  ^
 *	         | +----------------+                  |
 *	         +-------------------------------------+
 *
 * A mark is a record with the hash of the record behind it and a key of length 0, so it
 * stands before all keys of that hash and is never the one that is looked for; born and
 * died are 0, so a scan passes by. A node is a mark, too. It has a sorted table of the
 * marks behind it. Whoever comes to it on the way to a hash goes on at the last mark that
 * stands before that, or, if there is none, behind the node. A stretch between two marks
 * that has become long in its turn gets a node of its own.
 *
 * Both are slots like those of records, brought like those, and go through limbo like
 * those. Keys of one hash cannot be parted, and behind a run of more than 64 of them no
 * mark is put in that bucket. A hash has 32 bits: to find 16 such keys takes some 2^36
 * writes.
 *
 * The writer notes where a part has become long: when more than KREG_STRETCH records are
 * passed on the way to a key, or stand behind one that is new. Upkeep looks at what was
 * noted, and puts in a mark a step. When most of the records have gone, nodes and their
 * marks go, too, the last node first.
 */
#include "store/arena.h"
#include "store/limbo.h"
#include "store/marks.h"

/* A mark is a slot of the smallest class. */
#define MARK_BYTES	(48 - sizeof(struct kreg_rec))

/* What a mark and a look at a stretch cost, in steps of upkeep. */
#define MARK_COST	4
#define LOOK_COST	1

u32 *kreg_marks_link(const struct kreg_store *s, struct kreg_rec *r, u32 hash)
{
	u32 ref = r->lens & KREG_REC_NODE ? kreg_read_mark(r, hash) : 0;

	return ref ? &kreg_arena_rec(s, ref)->link : &r->link;
}

static struct kreg_rec_node *node_of(struct kreg_rec *r)
{
	return (struct kreg_rec_node *)r->bytes;
}

static u32 bucket_of(const struct kreg_store *s, u32 hash)
{
	return kreg_read_bucket(hash, kreg_store_root(s)->front->n);
}

/* The record that @from leads to, or NULL at the end of the bucket. */
static struct kreg_rec *rec_at(const struct kreg_store *s, const u32 *from)
{
	return !*from || *from & KREG_LINK_BUCKET ? NULL : kreg_arena_rec(s, *from);
}

void kreg_marks_note(struct kreg_store *s, u32 hash)
{
	struct kreg_crowd *c = &s->crowd;
	unsigned int i;

	kreg_store_assert(s);
	c->wanted = true;
	for (i = 0; i < c->hashes && i < KREG_CROWDED; i++)
		if (bucket_of(s, c->hash[i]) == bucket_of(s, hash))
			return;
	if (c->hashes < KREG_CROWDED)
		c->hash[c->hashes] = hash;
	if (c->hashes <= KREG_CROWDED)
		c->hashes++;
}

void kreg_marks_look(struct kreg_store *s, const u32 *from, u32 hash, unsigned int left)
{
	const struct kreg_rec *r;

	kreg_store_assert(s);
	do {
		r = rec_at(s, from);
		if (!r || r->lens & KREG_REC_MARK)
			return;
		from = &r->link;
	} while (left--);
	kreg_marks_note(s, hash);
}

void kreg_marks_count_links(struct kreg_store *s)
{
	unsigned int walked = KREG_HOLD_LINKS - s->links;

	kreg_store_assert(s);
	if (walked > s->most_links)
		WRITE_ONCE(s->most_links, walked);
}

/* A slot for a mark with @bytes behind its header, or NULL: @f says what to bring. */
static struct kreg_rec *take_mark(struct kreg_store *s, u32 bytes, u32 *ref,
				  struct kreg_prealloc *f)
{
	unsigned int class = kreg_arena_class(sizeof(struct kreg_rec) + bytes);
	struct kreg_rec *r = kreg_arena_take(s, class, false, ref);

	if (!r) {
		kreg_prealloc_want_chunk(s, f, class);
		return NULL;
	}
	r->lens = KREG_REC_MARK | bytes;
	s->crowd.marks++;
	return r;
}

/* Begin a node for the stretch that is looked at. */
static unsigned int begin_node(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_crowd *c = &s->crowd;
	struct kreg_rec *r = take_mark(s, sizeof(struct kreg_rec_node), &c->node, f);

	if (!r) {
		c->node = 0;
		return 0;
	}
	r->hash = c->at ? kreg_arena_rec(s, c->at)->hash : c->bucket;
	r->lens |= KREG_REC_NODE;
	return MARK_COST;
}

static void leave_bucket(struct kreg_crowd *c)
{
	c->busy = false;
	c->at = 0;
}

/* Where the stretch that is looked at begins. */
static u32 *stretch_head(struct kreg_store *s)
{
	struct kreg_crowd *c = &s->crowd;

	return c->at ? &kreg_arena_rec(s, c->at)->link :
		       kreg_index_head(kreg_store_root(s), c->bucket);
}

static unsigned int look_at_stretch(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_crowd *c = &s->crowd;
	u32 *from = stretch_head(s);
	struct kreg_rec *r;
	unsigned int n;

	for (n = 0; (r = rec_at(s, from)); n++) {
		if (r->lens & KREG_REC_MARK) {
			c->at = *from;
			return LOOK_COST;
		}
		if (n == KREG_STRETCH)
			return begin_node(s, f);
		from = &r->link;
	}
	leave_bucket(c);
	return LOOK_COST;
}

/*
 * The stretch, which ends at @from, could not be parted. The node is not linked: it goes
 * back at once.
 */
static unsigned int drop_node(struct kreg_store *s, const u32 *from)
{
	struct kreg_crowd *c = &s->crowd;
	struct kreg_chunk *chunk = kreg_arena_chunk(s, c->node);
	struct kreg_rec *r = rec_at(s, from);

	c->marks--;
	kreg_arena_give(s, chunk, kreg_chunk_rec(chunk, c->node), c->node);
	c->node = 0;
	if (r && r->lens & KREG_REC_MARK)
		c->at = *from;
	else
		leave_bucket(c);
	return MARK_COST;
}

/* Pair 1: whoever comes to the node finds its table, and all that this leads to, written. */
static unsigned int link_node(struct kreg_store *s)
{
	struct kreg_crowd *c = &s->crowd;
	struct kreg_rec *r = kreg_arena_rec(s, c->node);
	struct kreg_rec_node *node = node_of(r);
	u32 *from = stretch_head(s);

	node->next = c->nodes;
	r->link = *from;
	/* Pair 1. */
	smp_store_release(from, c->node);
	c->nodes = c->node;
	c->at = node->marks[node->count - 1].ref;
	c->node = 0;
	return MARK_COST;
}

/* Pair 1, as for a record. */
static unsigned int link_mark(struct kreg_store *s, u32 *from, struct kreg_prealloc *f)
{
	struct kreg_rec_node *node = node_of(kreg_arena_rec(s, s->crowd.node));
	struct kreg_rec *r, *next = kreg_arena_rec(s, *from);
	u32 ref;

	r = take_mark(s, MARK_BYTES, &ref, f);
	if (!r)
		return 0;
	r->hash = next->hash;
	r->link = *from;
	/* Pair 1. */
	smp_store_release(from, ref);
	node->marks[node->count].hash = r->hash;
	node->marks[node->count++].ref = ref;
	return node->count == KREG_NODE_MARKS ? link_node(s) : MARK_COST;
}

/* Put the next mark in. */
static unsigned int fill_node(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_rec_node *node = node_of(kreg_arena_rec(s, s->crowd.node));
	struct kreg_rec *r, *before = NULL;
	u32 *from = stretch_head(s);
	unsigned int n;

	if (node->count)
		from = &kreg_arena_rec(s, node->marks[node->count - 1].ref)->link;
	for (n = 0; n < 4 * KREG_STRETCH; n++) {
		r = rec_at(s, from);
		if (!r || r->lens & KREG_REC_MARK)
			break;
		if (n >= KREG_MARK_EVERY && r->hash != before->hash)
			return link_mark(s, from, f);
		before = r;
		from = &r->link;
	}
	return node->count ? link_node(s) : drop_node(s, from);
}

/* The next bucket to look at, if any. */
static void pick_bucket(struct kreg_store *s)
{
	struct kreg_crowd *c = &s->crowd;

	if (c->sweep && ++c->bucket >= kreg_store_root(s)->front->n)
		c->sweep = false;
	c->busy = c->sweep || c->hashes;
	if (c->sweep || !c->hashes)
		return;
	if (c->hashes > KREG_CROWDED) {
		c->hashes = 0;
		c->sweep = true;
		c->bucket = 0;
	} else {
		c->bucket = bucket_of(s, c->hash[--c->hashes]);
	}
}

/* The link to @r, which is @ref. NULL: not in this hold of the turn. */
static u32 *link_to_mark(struct kreg_store *s, u32 ref, const struct kreg_rec *r)
{
	u32 *from = kreg_index_head(kreg_store_root(s), bucket_of(s, r->hash));

	for (; *from != ref && s->links; s->links--)
		from = kreg_marks_link(s, kreg_arena_rec(s, *from), r->hash);
	return *from == ref ? from : NULL;
}

/* As a record: it keeps its link for those who stand on it. */
static unsigned int unlink_mark(struct kreg_store *s, u32 ref, struct kreg_rec *r, u32 *from)
{
	WRITE_ONCE(*from, r->link);
	kreg_limbo_add(s, ref, r);
	kreg_limbo_close(s);
	s->crowd.marks--;
	return MARK_COST;
}

/* Take the last mark of the last node off, or that node, if it has none. */
static unsigned int prune_marks(struct kreg_store *s)
{
	struct kreg_crowd *c = &s->crowd;
	u32 ref = c->nodes, last, *from;
	struct kreg_rec *r = kreg_arena_rec(s, ref);
	struct kreg_rec_node *node = node_of(r);

	last = node->count ? node->marks[node->count - 1].ref : ref;
	from = link_to_mark(s, last, kreg_arena_rec(s, last));
	if (!from)
		return 0;
	if (last == ref) {
		c->nodes = node->next;
		c->prune = c->nodes;
	} else {
		WRITE_ONCE(node->count, node->count - 1);
		/* Pair 4, as if the mark were a bucket. */
		smp_wmb();
	}
	return unlink_mark(s, last, kreg_arena_rec(s, last), from);
}

/* Where records have gone: all marks go, and come back where they are wanted. */
static bool too_many_marks(struct kreg_store *s)
{
	struct kreg_crowd *c = &s->crowd;

	if (c->busy || c->hashes || !c->nodes || c->marks <= kreg_store_linked(s) / 4)
		return false;
	c->wanted = true;
	c->prune = true;
	c->hashes = KREG_CROWDED + 1;
	return true;
}

/* Returns how many steps of upkeep it was, 0 if there is nothing to do. */
static unsigned int do_piece(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_crowd *c = &s->crowd;

	if (c->node)
		return fill_node(s, f);
	if (c->prune || too_many_marks(s))
		return prune_marks(s);
	if (!c->busy)
		pick_bucket(s);
	if (c->busy)
		return look_at_stretch(s, f);
	c->wanted = false;
	return 0;
}

unsigned int kreg_marks_step(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f)
{
	unsigned int done = 0, cost;

	kreg_store_assert(s);
	do {
		cost = do_piece(s, f);
		done += cost;
	} while (cost && done < budget);
	return done;
}

void kreg_marks_forget(struct kreg_store *s)
{
	kreg_store_assert(s);
	s->crowd = (struct kreg_crowd) {};
	s->most_links = 0;
}

// SPDX-License-Identifier: GPL-2.0
/* The store as a whole: its life, its readers, its upkeep. */
#include <linux/slab.h>

#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_write.h"
#include "store/pin.h"
#include "store/thin.h"

/* What it costs to unlink a record that was kept for a pin, in steps of upkeep. */
#define KEPT_COST	2

#define CHUNK_SEGS	17	/* pairs: 2^19 chunk numbers */

int kreg_store_init(struct kreg_store *s, spinlock_t *turn, enum kreg_store_order order)
{
	struct kreg_root *root = kreg_root_alloc(KREG_GFP_USER);
	unsigned int i;

	if (!root)
		return -ENOMEM;
	memset(s, 0, sizeof(*s));
	kreg_seed_init(&s->seed);
	/* Chunk 0 would give a reference 0, which is none; and G is never 0. */
	kreg_array_init(&s->chunks, 2, 2, CHUNK_SEGS);
	s->reuse = 1;
	s->turn = turn;
	s->ordered = order != KREG_STORE_HASHED;
	s->runs = order == KREG_STORE_RUNS;
	root->front->n = !s->ordered;
	for (i = 0; i < KREG_CLASSES; i++)
		INIT_LIST_HEAD(&s->classes[i].partial);
	INIT_LIST_HEAD(&s->full);
	INIT_LIST_HEAD(&s->thin.drained);
	INIT_LIST_HEAD(&s->orphans);
	INIT_LIST_HEAD(&s->cleared);
	INIT_WORK(&s->reaper, kreg_root_reap);
	s->memory = sizeof(*s) + sizeof(*root);
	RCU_INIT_POINTER(s->root, root);
	return 0;
}

void kreg_store_exit(struct kreg_store *s)
{
	flush_work(&s->reaper);
	kreg_root_exit(s);
	kreg_array_free(&s->chunks);
	kreg_extra_free(s->extra);
	kreg_pages_free(s->spare, s->spare_order);
}

unsigned long kreg_store_memory(void)
{
	return atomic_long_read(&kreg_arena_pieces) << KREG_PIECE_SHIFT;
}

void kreg_store_stat(const struct kreg_store *s, struct kreg_stat *st)
{
	const struct kreg_extra *extra;
	const struct kreg_root *root;

	st->objects = READ_ONCE(s->objects);
	st->bytes = READ_ONCE(s->bytes);
	st->memory = READ_ONCE(s->memory);
	st->limbo = READ_ONCE(s->limbo.bytes);
	st->version = READ_ONCE(s->version);
	st->walked = READ_ONCE(s->most_links);
	st->marks = READ_ONCE(s->crowd.marks);
	rcu_read_lock();
	root = rcu_dereference(s->root);
	st->buckets = s->ordered ? READ_ONCE(root->order.cuts) + 1 : READ_ONCE(root->front->n);
	rcu_read_unlock();
	extra = READ_ONCE(s->extra);
	st->bound = extra ? READ_ONCE(extra->bound) : 0;
	st->timed = extra ? READ_ONCE(extra->timed) : 0;
	st->kept = READ_ONCE(s->kept);
	st->kept_bytes = extra ? READ_ONCE(extra->kept_bytes) : 0;
}

void kreg_reader_hit_rare(const struct kreg_store *s, const struct kreg_rec *r,
			  struct kreg_hit *hit, bool uses)
{
	if (kreg_rec_has_blob(r)) {
		hit->value = NULL;
		hit->value_len = kreg_rec_blob(r, kreg_rec_key_len(r))->len;
		hit->blob = kreg_blob_of(s, r);
	}
	if (kreg_rec_is_bound(r))
		hit->holder = kreg_holder_of(s, r);
	if (kreg_rec_is_timed(r) && kreg_expiry_meet(r, uses))
		hit->holder = &kreg_holder_expired;
}

static noinline int get_marked(const struct kreg_store *s, const struct kreg_key *key,
			       struct kreg_hit *hit)
{
	struct kreg_reader v;

	if (s->runs)
		return KREG_STORE_RUN;
	kreg_reader_enter(&v, s);
	return kreg_reader_get_marked(&v, key, hit);
}

int kreg_store_get(const struct kreg_store *s, struct kreg_key *key, struct kreg_hit *hit)
{
	struct kreg_reader v;
	int err = KREG_READER_MARKED;

	kreg_reader_enter(&v, s);
	if (likely(v.n)) {
		kreg_store_hash(s, key);
		err = kreg_reader_find(&v, key, hit, false);
	}
	return unlikely(err == KREG_READER_MARKED) ? get_marked(s, key, hit) : err;
}

int kreg_reader_get_marked(struct kreg_reader *v, const struct kreg_key *key,
			   struct kreg_hit *hit)
{
	return kreg_reader_find(v, key, hit, true);
}

/* What only few stores want. */
static noinline unsigned int do_rare_upkeep(struct kreg_store *s)
{
	unsigned int cost = 0;

	if (s->due & KREG_DUE_HOLDERS && kreg_holder_step(s))
		cost += KREG_CHUNK_COST;
	if (s->due & KREG_DUE_KEPT && kreg_pin_step(s))
		cost += KEPT_COST;
	return cost;
}

static bool do_upkeep(struct kreg_store *s, unsigned int budget, bool free, struct kreg_prealloc *f)
{
	bool more = true, index = true, wanted = s->crowd.wanted;
	unsigned int marks = 0;

	if (unlikely((wanted && !s->ordered) || s->crowd.nodes)) {
		marks = kreg_marks_step(s, budget / 2 + 1, f);
		budget -= min(budget, marks);
	}
	while (more && budget) {
		unsigned int cost = 0;

		/* Once it has nothing to do, slots that are freed do not change that. */
		index = index && (s->ordered ? kreg_order_step(s, f) : kreg_index_step(s));
		more = index;
		if (free && s->limbo.waiting)
			cost = kreg_limbo_free(s, index ? 1 : budget);
		if ((s->ending || !list_empty(&s->cleared)) && kreg_root_step(s))
			cost += KREG_CHUNK_COST;
		if (unlikely(s->due))
			cost += do_rare_upkeep(s);
		more |= cost;
		budget -= min(budget, max(cost, 1U));
	}
	kreg_index_want(s, f);
	/* The index, too, may have found a long part. */
	return more || marks || (!wanted && s->crowd.wanted);
}

bool kreg_store_upkeep(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f)
{
	u32 done = min(budget - 1, s->recycled);

	kreg_store_assert(s);
	if (WARN_ON_ONCE(s->writing || !budget))
		return false;
	s->recycled = 0;
	return do_upkeep(s, budget - done, true, f);
}

bool kreg_store_upkeep_idle(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f)
{
	kreg_store_begin_hold(s);
	if (WARN_ON_ONCE(s->writing))
		return false;
	return do_upkeep(s, budget, !kreg_limbo_keep(s), f) || kreg_thin_step(s, budget);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* The model: an array. What the store must look like, now and as committed. */
#ifndef MODEL_H
#define MODEL_H

#include "store/arena.h"
#include "store/edit.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/pin.h"
#include "store/thin.h"
#include "tap.h"

#define SECTIONS	3
#define KEY_ROOM	1024

/* What a value is follows from key and seed. */
struct object {
	bool present;
	u32 seed;
	u64 version;
	struct kreg_holder *holder;
	bool timed;
	u64 expires;			/* then */
	u64 idle;			/* and so long after @used; 0: not */
	u64 used;
};

struct mode {
	const char *name;
	u32 keys;
	u32 hash_mask;
	u32 ops;
	u32 verify_every;	/* operations; 1: after every step of each, too; 0: at the end */
	u32 big;		/* one in so many values is a blob; 0: none */
	u32 clear;		/* one in so many changes; 0: none */
	u32 segs;		/* of the chunk directory, so that it runs full; 0: no limit */
	u32 bound;		/* one in so many objects has room for a bond; 0: none */
	bool ordered;		/* by keys */
	u32 prefix;		/* bytes that all keys begin with */
	bool runs;		/* likewise, and keys have several objects: see bags.c */
	u32 pins;		/* one in so many times a pin is set, or ends; 0: none */
	u32 timed;		/* one in so many puts makes an object that expires; 0: none */
	u32 edits;		/* one in so many puts edits what is there; 0: none */
};

#define CASE_MODE(what, number) \
	{ .name = (what), .keys = (number), .hash_mask = ~0u, .verify_every = 1 }

extern struct kreg_store store;
extern spinlock_t turn;
extern const struct mode *mode;
extern struct object *now, *committed;

static inline u32 rnd(u32 n)
{
	return shim_random() % n;
}

/* Keys that are near each other, in the order of the list. */
#define CROWD		2500
extern struct kreg_key crowd[CROWD];
void crowd_make(void);

u32 key_make(u32 k, u8 *bytes);
struct kreg_key key_of(u32 k, u8 *bytes);
u32 key_number(const void *bytes);
u32 value_len(u32 seed);
void value_make(u32 k, u32 seed, u8 *bytes);
void value_check(u32 k, u32 seed, const u8 *bytes, u32 len);
void value_check_any(u32 k, const u8 *bytes, u32 len);

/* Where @key is, in as many holds of the turn as that takes. */
static inline void find_place(const struct kreg_key *key, struct kreg_place *place)
{
	bool found = kreg_store_find(&store, key, place);

	while (!found) {
		kreg_store_begin_hold(&store);
		found = kreg_store_find_on(&store, key, place);
	}
}

/* model.c: one mode, from start to end. */
void model_start(void);
void model_churn(u32 op);		/* one batch of writes, and what comes with it */
void model_let_go(void);		/* of all that is held or set aside */
void model_drain(void);			/* to an empty store */
void model_end(void);

void model_fill(struct kreg_prealloc *f);
/* What a write of another kind has done to the model: @k has gone; and the rest of it. */
void model_gone(u32 k);
void model_finish(struct kreg_txn *t);

/* memory.c */
void memory_bring(struct kreg_prealloc *f);	/* gives up the turn */
void memory_drain(void);		/* upkeep until there is nothing left for it */

/* bags_walk.c. How often walks have paused so far, and others gone on in their place. */
unsigned long bags_pauses(void);

/* bags.c: the same where keys have runs. */
void bags_start(void);
void bags_churn(u32 op);
void bags_drain(void);
void bags_end(void);
void bags_remove_bound(struct kreg_holder *h, u32 n);
void bags_remove_expired(u32 n);
void bags_check_gone(void);

/* probe.c */
void probe(u32 k);
void probe_keep(struct kreg_blob *b, u32 k, u32 seed);

/* edits.c: what makes @value of any other, or NULL; how it does, under the turn. */
struct kreg_edit *edit_begin(struct kreg_change *c, const u8 *value);
void edit_end(struct kreg_edit *e);
int edit_make(struct kreg_change *c, u32 k, const struct kreg_rec *old, const u8 *value, u32 seed,
	      struct kreg_prealloc *f);

/* expiring.c: objects that expire, and a clock that is moved. */
void expiry_choose(struct kreg_change *c, struct kreg_expiry *e);
void expiry_note(struct object *o, const struct kreg_change *c, const struct kreg_expiry *e);
bool expiry_is_over(const struct object *o);
bool expiry_stays(const struct object *o);	/* also once all that is due was looked at */
void expiry_used(u32 k, const struct kreg_hit *hit);
void expiry_use(struct object *o, const struct kreg_hit *hit);	/* what a walk has met */
void expiry_check(const struct object *o, const struct kreg_hit *hit, bool exactly);
void expiry_move_clock(void);
void expiry_check_all_gone(void);

/* holders.c: to whom objects are bound. */
void holder_check(const struct kreg_holder *h);
struct kreg_holder *holder_pick(void);
void holder_took(struct kreg_holder *h);
void holder_remove(void);
void holders_retire(void);
u32 holders_allocated(void);
void holders_exit(void);

/* modes.c */
void model_run(unsigned int permille);

/* plant.c */
bool plant_run(const char *what);

/* cases.c: cases that chance would take long to find, and what they are made of. */
void case_begin(const struct mode *m);
void case_end(void);
void case_fill(struct kreg_prealloc *f);	/* with what it wants, for the store */
void case_apply(struct kreg_change *c);		/* as a write of its own, with all that it wants */
void case_clear(void);
void full_run(void);
void numbers_run(void);
void stale_run(void);
void spans_run(void);
void recycled_run(void);
void several_run(void);
void small_run(void);
void crowded_run(void);

/* clears.c */
void cleared_run(void);
void between_run(void);

/* thinned.c */
void thinned_run(void);

/* stretches.c */
void stretches_run(void);

/* sections.c: readers that stay in their section while the store changes. */
void sections_start(void);
void sections_step(void);
void sections_gone(u32 k);
void sections_finish(void);

/* pinned.c: pins, and who reads by them. */
void pinned_meanwhile(void);
void pinned_finish_walk(void);
void pinned_finish(void);

#endif /* MODEL_H */

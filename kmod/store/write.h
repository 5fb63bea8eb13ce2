/* SPDX-License-Identifier: GPL-2.0 */
/* What it takes to change a store: changes, what they bring along, the steps of a write. */
#ifndef KREG_STORE_WRITE_H
#define KREG_STORE_WRITE_H

#include <linux/bug.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include "store/expiry.h"
#include "store/gfp.h"
#include "store/layout.h"
#include "store/store.h"

struct kreg_bind;
struct kreg_chunk;
struct kreg_edit;

enum kreg_change_kind {
	KREG_CHANGE_PUT,
	KREG_CHANGE_DELETE,
	KREG_CHANGE_CLEAR,
	KREG_CHANGE_EVENT,		/* of no object: key and value are only to be told */
};

#define KREG_TIMED		1
#define KREG_TIMED_IDLE		2

/*
 * One change on its way through the turn. A PUT carries its record in one of two
 * ways: reserved beforehand (@rec, filled by the caller outside the turn), or as
 * bytes (@value) that kreg_store_apply() copies into a slot it finds free.
 */
struct kreg_change {
	enum kreg_change_kind kind;
	u32 value_len;
	struct kreg_key key;
	const void *value;
	struct kreg_rec *rec;		/* the reserved slot */
	union {				/* NULL, or consumed by apply, freed by cancel */
		struct kreg_blob *blob;	/* PUT whose value needs one */
		void *root;		/* CLEAR: empty root, from kreg_root_alloc() */
	};
	union {
		struct kreg_holder *holder;	/* PUT with @bound: to which, or NULL */
		const struct kreg_expiry *expiry;	/* PUT with @timed, until it is applied */
		/* Where keys have runs, see table/run.c. */
		struct {
			u32 sub;	/* DELETE with @only: the number of that object; with */
			u32 number;	/* @takes, of the youngest, and how many there are */
		};
		struct {
			u32 compared;	/* else bytes of a value, in the look at one object; and */
			u32 twin;	/* PUT: the same object, which gives way to it; or 0 */
		};
	};
	union {
		u32 ref;		/* PUT: of the reserved slot, or 0 */
		u32 met;		/* DELETE with @takes: objects that were looked at */
	};
	bool bound;			/* PUT: room for a bond; fixed with its slot */
	/* Not looked at here: */
	bool must_be_new;		/* PUT: only if there is none */
	bool must_be_there;		/* PUT, with @special: only if there is one */
	bool over;			/* PUT: only if memory comes back for what it takes */
	bool special;			/* it matters to whom objects are bound */
	bool binds;			/* PUT: bound to whom @bind says */
	bool lends;			/* PUT with @binds: lent to him, with its value as it is */
	bool mine;			/* only if it is bound to the process of @bind's client */
	bool returns;			/* DELETE with @mine: not removed, but its loan ends */
	bool paid;			/* PUT: charged as a bound object */
	/*
	 * With @special, of PUT and DELETE: others were told that the object which was found is on
	 * loan, and not yet that it is there again; @gone: of one that is found and gives way.
	 */
	bool untold;
	bool checked : 1;		/* its condition was met when the batch began */
	/* Where keys have runs: */
	bool takes : 1;			/* DELETE: only if it is this run */
	bool seen : 1;			/* an object was, by a look through the run */
	u8 stage : 2;			/* how far it is, since it may take several holds */
	/* PUT: the object expires, with KREG_TIMED_IDLE also when it is idle: @expiry. */
	u8 timed : 2;
	struct kreg_holder *gone;
	struct kreg_bind *bind;		/* what is said about that, or NULL */
	struct kreg_edit *edit;		/* with @special and @bind: see edit.h; or NULL */
	union {				/* a condition, until it is applied */
		u64 only;		/* version the object must have, or 0 */
		u64 count;		/* out: objects replaced or removed */
	};
};

/* Any. All but @kind, and @value_len, which goes with @value. */
static inline void kreg_change_init(struct kreg_change *c)
{
	c->key = (struct kreg_key) {};
	c->value = NULL;
	c->ref = 0;
	c->rec = NULL;
	c->blob = NULL;
	c->bound = false;
	c->must_be_new = false;
	c->must_be_there = false;
	c->over = false;
	c->special = false;
	c->binds = false;
	c->mine = false;
	c->lends = false;
	c->returns = false;
	c->checked = false;
	c->paid = false;
	c->takes = false;
	c->timed = 0;
	c->bind = NULL;
	c->edit = NULL;
	c->only = 0;
}

/* Sleeps. An empty root, or NULL. */
void *kreg_root_alloc(gfp_t gfp);
/* Any: one that was not used. */
void kreg_root_free(void *root);

/* Where in the list a key is, or would be. Valid until the next change of the store. */
struct kreg_place {
	u32 *link;			/* the link that leads, or would lead, to the key */
	struct kreg_rec *old;		/* the live record with the key, or NULL */
	u32 old_ref;
	u32 old_bytes;			/* bytes of its key and value */
	union {
		u32 *behind;		/* the link of the record that @link leads to, or NULL */
		struct {
			/* If the list is ordered: the last mark before, live records between. */
			u32 mark;
			u32 steps;
		};
	};
};

/*
 * Turn. As seen by the write under way: its own uncommitted changes included. False: this
 * hold of the turn has walked over as many links as it may. Then, in another one, as long
 * as the same write is under way, kreg_store_find_on() goes on with the same @place.
 */
bool kreg_store_find(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place);
bool kreg_store_find_on(struct kreg_store *s, const struct kreg_key *key,
			struct kreg_place *place);
/*
 * Turn. Where keys have runs kreg_store_find() tells where a new object would be, behind those
 * of its key. These tell of the first one of @key, and of the next behind place->old, which may
 * have died since; without one place->old is NULL. False: as above, and kreg_run_find_on() goes on.
 */
bool kreg_run_find_first(struct kreg_store *s, const struct kreg_key *key,
			 struct kreg_place *place);
bool kreg_run_find_next(struct kreg_store *s, const struct kreg_key *key,
			struct kreg_place *place);
bool kreg_run_find_on(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place);
/* Turn. The object of @key that came with commit @born as number @sub, or none. */
bool kreg_run_find(struct kreg_store *s, const struct kreg_key *key, u64 born, u32 sub,
		   struct kreg_place *place, bool on);

/* Links that are walked over in one hold of the turn, but for short walks. */
#define KREG_HOLD_LINKS		256

/* Turn. A hold of it begins. */
static inline void kreg_store_begin_hold(struct kreg_store *s)
{
	kreg_store_assert(s);
	s->links = KREG_HOLD_LINKS;
}

/* Turn. What this hold may still walk over; and that as long as it takes for @n was spent. */
static inline u32 kreg_store_links_left(const struct kreg_store *s)
{
	kreg_store_assert(s);
	return s->links;
}

static inline void kreg_store_spend_links(struct kreg_store *s, u32 n)
{
	kreg_store_assert(s);
	s->links -= n < s->links ? n : s->links;
}

/* Turn. Whether walks may be long: then what cannot be done in pieces is not begun. */
static inline bool kreg_store_is_crowded(const struct kreg_store *s)
{
	kreg_store_assert(s);
	return s->crowd.wanted;
}

/*
 * What the store lacks: noted under the turn, brought outside it, and handed in under
 * the turn again. kreg_prealloc_fill() returns -ENOMEM if anything that is marked as
 * must could not be had; what only makes things faster is left out silently. It starts
 * with kreg_prealloc_init(), may go round any number of times, and ends with
 * kreg_prealloc_free().
 */
enum kreg_prealloc_array {
	KREG_PREALLOC_CHUNKS,
	KREG_PREALLOC_BLOBS,
	KREG_PREALLOC_HOLDERS,
	KREG_PREALLOC_PAGES,
	KREG_PREALLOC_ARRAYS,
};

/* Chunks that are brought in one go. */
#define KREG_PREALLOC_CLASSES	3

struct kreg_prealloc {
	u8 must_chunks;			/* how many of @chunk are valid */
	struct {
		u8 class;		/* size class that is out of slots */
		u8 order;		/* pages that its next chunk should have, log2, */
		bool whole;		/* or has to */
	} chunk[KREG_PREALLOC_CLASSES];
	u8 index_order;			/* likewise those of the index that come next */
	bool must_handle;		/* no handle for a blob, or for a holder, is left */
	bool must_extra;		/* then, too: there is no struct kreg_extra */
	bool must_wheel;		/* then, too: none for what expires, or that has no wheel */
	bool want_index;
	bool want_pages;		/* not only a segment for the array of them */
	bool filled;			/* @brought is valid */
	u8 want_seg[KREG_PREALLOC_ARRAYS];	/* number of the segment, plus 1 */
	/* what kreg_prealloc_fill() brought; opaque, and undefined before */
	struct {
		struct kreg_chunk *chunk[KREG_PREALLOC_CLASSES];
		struct kreg_extra *extra;
		u32 *pages;
		void **seg[KREG_PREALLOC_ARRAYS];
		u8 seg_no[KREG_PREALLOC_ARRAYS];
		u8 order;		/* how many pages, log2 */
		u8 asked;		/* how many were asked for */
	} brought;
};

/* Any. Not what is in @brought, since most writes want nothing. */
static inline void kreg_prealloc_init(struct kreg_prealloc *f)
{
	memset(f, 0, offsetof(struct kreg_prealloc, brought));
}

static inline bool kreg_prealloc_wanted(const struct kreg_prealloc *f)
{
	return f->must_chunks || f->must_handle || f->want_index;
}

/*
 * Any. Who brings memory pays for it first: what kreg_prealloc_fill() will bring at most of
 * what is a must, and for the index. To shrink is to ask for no more than must be; false
 * if that is so already.
 */
size_t kreg_prealloc_must_bytes(const struct kreg_prealloc *f);
size_t kreg_prealloc_index_bytes(const struct kreg_prealloc *f);
bool kreg_prealloc_shrink(struct kreg_prealloc *f);

/* Sleeps. */
int kreg_prealloc_fill(struct kreg_prealloc *f, struct kreg_store *s);
/* Turn. */
void kreg_store_add_prealloc(struct kreg_store *s, struct kreg_prealloc *f);
/* Sleeps. */
void kreg_prealloc_empty(struct kreg_prealloc *f);

static inline void kreg_prealloc_free(struct kreg_prealloc *f)
{
	if (unlikely(f->filled))
		kreg_prealloc_empty(f);
}

/*
 * Turn. Set a slot for @c aside, so that kreg_store_apply() cannot fail for want
 * of memory. -EAGAIN: the store is short; @f says of what. -ENOSPC: it cannot
 * grow any more. @c->blob, if the value needs one, comes with it.
 */
int kreg_store_reserve(struct kreg_store *s, struct kreg_change *c,
		       struct kreg_prealloc *f);
/* Turn. After -EAGAIN for another change: ask for a chunk also if @c lacks one. */
void kreg_store_want_slot(const struct kreg_store *s, const struct kreg_change *c,
			  struct kreg_prealloc *f);
/* Turn. Ask for what the store will want for all that is set aside. */
void kreg_store_want_prealloc(const struct kreg_store *s, struct kreg_prealloc *f);
/*
 * Any, once @c has its slot: where its key and its value are to be put, and what makes a
 * record of them, when @c->key.hash is known.
 */
static inline void *kreg_change_key(const struct kreg_change *c)
{
	return c->rec->bytes;
}

static inline void *kreg_change_value(const struct kreg_change *c)
{
	return unlikely(c->blob) ? kreg_blob_bytes(c->blob) : c->rec->bytes + c->key.len;
}

static inline void kreg_change_finish(const struct kreg_change *c)
{
	struct kreg_rec *r = c->rec;
	u32 lens = c->key.len << KREG_KEY_LEN_SHIFT |
		   (unlikely(c->blob) ? KREG_REC_BLOB : c->value_len) |
		   (unlikely(c->bound) ? KREG_REC_BOUND : 0);

	if (unlikely(c->timed))
		lens |= KREG_REC_TIMED | (c->timed == KREG_TIMED_IDLE ? KREG_REC_IDLE : 0);

	r->hash = c->key.hash;
	r->lens = lens;
}

/* Any. The object that @c puts, which is bound to nobody, is to expire so; or NULL. */
static inline void kreg_change_expire(struct kreg_change *c, const struct kreg_expiry *expiry)
{
	c->timed = !expiry ? 0 : expiry->idle_ms ? KREG_TIMED_IDLE : KREG_TIMED;
	if (expiry)
		c->expiry = expiry;
}

/*
 * Any. Bytes of memory: of the record and blob of a PUT; what the store grows by for them
 * if it has nothing free; and those of the record that @place has found.
 */
size_t kreg_change_memory(const struct kreg_change *c);
size_t kreg_change_room(const struct kreg_change *c);
/* Turn. The same of the record @ref. */
size_t kreg_store_memory_of(const struct kreg_store *s, u32 ref);

/* Turn. @c will not be applied: give its slot, blob and root back. */
void kreg_store_cancel(struct kreg_store *s, struct kreg_change *c);

/*
 * Turn. Holders, which the layers above bring. kreg_store_want_holder(): 0, or as
 * kreg_store_reserve() if there is no handle for one more. To retire is to have it freed when
 * nobody leads to it any more; it has no live records. To remove is for one to which nothing was
 * ever bound. kreg_holder_take(): any, when the store is about to go, or NULL.
 */
int kreg_store_want_holder(const struct kreg_store *s, struct kreg_prealloc *f);
void kreg_holder_add(struct kreg_store *s, struct kreg_holder *h);
void kreg_holder_remove(struct kreg_store *s, struct kreg_holder *h);
void kreg_holder_retire(struct kreg_store *s, struct kreg_holder *h);
struct kreg_holder *kreg_holder_take(struct kreg_store *s);
/* Turn. From now on its records are not among those that kreg_store_stat() counts as bound. */
void kreg_holder_uncount(struct kreg_store *s, struct kreg_holder *h);
/* Turn. The live records of @h. */
u32 kreg_holder_live(const struct kreg_store *s, const struct kreg_holder *h);
/* Turn. The oldest of them, or NULL. */
const struct kreg_rec *kreg_holder_first(const struct kreg_store *s, const struct kreg_holder *h);
/*
 * Turn. The keys of all of them, for which there is room; how many. Their bytes stay as long as
 * an RCU section that began before.
 */
unsigned int kreg_holder_keys(const struct kreg_store *s, const struct kreg_holder *h,
			      struct kreg_key *keys);

/*
 * Any; exact under the turn. Whether the store has, or has had, a holder: then a PUT may have
 * to keep a bond.
 */
static inline bool kreg_store_binds(const struct kreg_store *s)
{
	const struct kreg_extra *extra = READ_ONCE(s->extra);

	return extra && READ_ONCE(extra->holders.segs);
}

/*
 * Turn. The steps of a write. Between two of them the turn may be given up, as long as
 * nobody else begins a write of this store or does its upkeep (reserve, cancel and
 * preallocation are allowed):
 *
 *	kreg_txn_begin()
 *	kreg_store_find(), kreg_store_apply()	for each change
 *	kreg_txn_commit()			now all of it is visible
 *	kreg_txn_unlink() until it returns true	unlinks what has died
 *	kreg_store_upkeep()			growth and reclaim, a bounded piece
 */
struct kreg_txn {
	u64 version;
	u32 dead;			/* chain of records that die with this write */
	u32 sub;			/* of the next record, where keys have runs */
	struct kreg_rec *last;		/* the one that died last, until it is unlinked */
	u32 *last_link;			/* the link that led to it; then where the walk to the */
					/* next one has stopped, or NULL */
	struct kreg_store *store;
};

static inline void kreg_txn_begin(struct kreg_txn *t, struct kreg_store *s)
{
	kreg_store_begin_hold(s);
	WARN_ON_ONCE(s->writing);
	s->writing = true;
	t->store = s;
	t->version = s->version + 1;
	t->dead = 0;
	t->last = NULL;
	t->sub = 0;
}

/*
 * Turn. -EAGAIN, -ENOSPC (only for a PUT that is not reserved): as for
 * kreg_store_reserve(), nothing has happened. Else 0, and f->want_index may be
 * set: a big batch does well to preallocate for the index on its way. @place is that of
 * kreg_store_find() for this very key.
 */
int kreg_store_apply(struct kreg_txn *t, struct kreg_change *c,
		     struct kreg_place *place, struct kreg_prealloc *f);
/*
 * Turn. Remove up to @n records of @h, the oldest first, without a look for their keys. Returns
 * how many; in @removed, if that is not NULL, they stay readable in this hold of the turn.
 */
unsigned int kreg_txn_remove_bound(struct kreg_txn *t, struct kreg_holder *h, unsigned int n,
				   const struct kreg_rec **removed);
/*
 * Turn. Look at up to @n records that may have expired, and remove those that have, as above. What
 * is left has been put where it is looked at when its time has come.
 */
unsigned int kreg_txn_remove_expired(struct kreg_txn *t, unsigned int n,
				     const struct kreg_rec **removed);
/* Turn. Remove the live record @ref, as above. */
void kreg_txn_remove(struct kreg_txn *t, u32 ref);
/* Turn. */
void kreg_txn_commit(struct kreg_txn *t);
/* Turn. */
static inline bool kreg_store_is_writing(const struct kreg_store *s)
{
	return s->writing;
}

/* Turn. Instead of commit and unlink, when nothing has been applied. */
void kreg_txn_abort(struct kreg_txn *t);
/* Turn. Unlink up to @budget records, in this hold of the turn. Returns true when done. */
bool kreg_txn_unlink(struct kreg_txn *t, unsigned int budget);

/*
 * Turn. About @budget steps of growing, shrinking and freeing slots whose grace
 * period is over. Returns true if there is more to do now. Sets f->want_index
 * when growth waits for a page. For writers: slots that went from one record to
 * another since the last time count as freed.
 */
bool kreg_store_upkeep(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f);
/* Turn. The same for a look now and then: slots that may go are left to writers, once. */
bool kreg_store_upkeep_idle(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f);

#endif /* KREG_STORE_WRITE_H */

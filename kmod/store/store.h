/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storage engine: what the layers above may call.
 *
 * DOC: One list, one index, one commit number
 *
 * A store keeps immutable records in one ordered list. The order is that of the
 * bit-reversed hash, then of the key. Index entry b is the link of the sentinel
 * of bucket b (a split-ordered list, Shalev and Shavit 2006, whose sentinels are
 * the index entries themselves), so growing or shrinking the index by a bucket
 * moves no record.
 *
 * Records become visible by one store-release of the commit number C; see
 * struct kreg_txn for the steps of a write, and layout.h for what a reader does.
 *
 * Nothing here allocates but kreg_prealloc_fill(), which the caller of a write runs
 * without the turn. Functions that change a store want the turn of its writer;
 * "turn" in a comment says so, kreg_store_assert() holds it.
 */
#ifndef KREG_STORE_STORE_H
#define KREG_STORE_STORE_H

#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/types.h>

#include "store/types.h"

struct kreg_blob;

/* What a reader has found. Valid inside its RCU section. */
struct kreg_hit {
	const void *key;
	const void *value;	/* right behind the key; NULL if @blob holds it */
	u32 key_len;
	u32 value_len;
	u64 version;
	struct kreg_blob *blob;	/* kreg_blob_get(), to use it after the section */
};

/* What a store holds. All but @version are exact under the turn only. */
struct kreg_stat {
	u64 objects;
	u64 bytes;		/* keys and values of live records */
	u64 memory;		/* everything allocated */
	u64 limbo;		/* bytes of records that wait for a grace period */
	u64 version;
	u64 buckets;
};

/* Life. @turn is what kreg_store_assert() looks at. */
int kreg_store_init(struct kreg_store *s, spinlock_t *turn);
/* No reader, no reservation and no writer is left. May sleep. */
void kreg_store_exit(struct kreg_store *s);
/* Bytes of all slots and blobs of all stores. */
unsigned long kreg_store_memory(void);
void kreg_store_stat(const struct kreg_store *s, struct kreg_stat *st);
#define kreg_store_assert(s) lockdep_assert_held((s)->turn)
#ifdef KREG_DEBUG
/* Turn. Walks everything, WARNs and returns false if an invariant is broken. */
bool kreg_store_verify(struct kreg_store *s);
#else
static inline bool kreg_store_verify(struct kreg_store *s)
{
	return true;
}
#endif

/*
 * SipHash-1-3, cut to 32 bits. The key never leaves the kernel and hashes are
 * not shown to anyone, so all that a caller could go by is the time that lookups
 * take; against that the short form is made. The order of a scan tells a little
 * of the hash, but not the key, nor which keys collide.
 */
static __always_inline void kreg_store_hash(const struct kreg_store *s, struct kreg_key *key)
{
	key->hash = kreg_hash(key->bytes, key->len, &s->seed);
}

/*
 * Readers, under rcu_read_lock(). kreg_store_get() hashes @key and returns 0 or
 * -ENODATA.
 */
int kreg_store_get(const struct kreg_store *s, struct kreg_key *key, struct kreg_hit *hit);

/*
 * A walk over the list inside one RCU section. It starts behind @after, or at the
 * start with NULL. kreg_walk_next() returns false at the end. What was there from
 * start to end it finds exactly once, whatever is written meanwhile.
 */
struct kreg_walk {
	const struct kreg_store *store;
	const void *root;
	u64 version;
	u32 next;
};

void kreg_walk_start(struct kreg_walk *w, const struct kreg_store *s,
		     const struct kreg_key *after);
bool kreg_walk_next(struct kreg_walk *w, struct kreg_hit *hit);

/*
 * Values that do not fit a slot together with their key. kreg_blob_put() may
 * sleep.
 */
struct kreg_blob *kreg_blob_alloc(u32 len);	/* caller fills kreg_blob_bytes() */
void *kreg_blob_bytes(struct kreg_blob *b);
void kreg_blob_get(struct kreg_blob *b);
void kreg_blob_put(struct kreg_blob *b);
static inline bool kreg_store_needs_blob(u32 key_len, u32 value_len)
{
	return sizeof(struct kreg_rec) + key_len + value_len > KREG_SLOT_MAX;
}

enum kreg_change_kind { KREG_CHANGE_PUT, KREG_CHANGE_DELETE, KREG_CHANGE_CLEAR };

/*
 * One change on its way through the turn. A PUT carries its record in one of two
 * ways: reserved beforehand (@rec, filled by the caller outside the turn), or as
 * bytes (@value) that kreg_store_apply() copies into a slot it finds free.
 */
struct kreg_change {
	enum kreg_change_kind kind;
	struct kreg_key key;
	const void *value;
	u32 value_len;
	u32 ref;			/* of the reserved slot, or 0 */
	struct kreg_rec *rec;		/* the reserved slot */
	struct kreg_blob *blob;		/* consumed by apply, freed by cancel */
	void *root;			/* CLEAR: empty root, from kreg_root_alloc() */
	bool must_be_new;		/* PUT: only if there is none; for those above */
	u64 only;			/* version the object must have, or 0; likewise */
	s64 paid;			/* bytes charged for it beforehand; likewise */
	u64 count;			/* out: objects replaced or removed */
};

/* But for @kind, and @value_len, which goes with @value. */
static inline void kreg_change_init(struct kreg_change *c)
{
	c->key = (struct kreg_key) {};
	c->value = NULL;
	c->ref = 0;
	c->rec = NULL;
	c->blob = NULL;
	c->root = NULL;
	c->must_be_new = false;
	c->only = 0;
	c->paid = 0;
}

void *kreg_root_alloc(void);
void kreg_root_free(void *root);

/* Where the turn's holder stands: valid until the next change of the store. */
struct kreg_place {
	u32 *link;			/* the link that leads, or would lead, to the key */
	struct kreg_rec *old;		/* the live record with the key, or NULL */
	u32 old_ref;
	u32 old_bytes;			/* bytes of its key and value */
};

/* Turn. As seen by the write under way: its own uncommitted changes included. */
void kreg_store_find(struct kreg_store *s, const struct kreg_key *key,
		     struct kreg_place *place);

/*
 * What the store lacks; filled in under the turn, satisfied outside it, handed
 * in under the turn again. kreg_prealloc_fill() returns -ENOMEM if anything marked
 * as must could not be had; what only speeds things up is left out silently.
 * Starts with kreg_prealloc_init(), may go round any number of times, ends with
 * kreg_prealloc_free().
 */
enum kreg_prealloc_array {
	KREG_PREALLOC_CHUNKS,
	KREG_PREALLOC_BLOBS,
	KREG_PREALLOC_PAGES,
	KREG_PREALLOC_ARRAYS,
};

struct kreg_prealloc {
	u8 class;			/* size class that is out of slots */
	u8 order;			/* pages that its next chunk should have, log2 */
	u8 index_order;			/* likewise those of the index that come next */
	bool must_chunk;
	bool must_handle;		/* no handle for a blob is left */
	bool must_extra;		/* then, too: there is no struct kreg_extra */
	bool want_index;
	bool want_pages;		/* not only a segment for the directory */
	bool filled;			/* @brought is valid */
	u8 want_seg[KREG_PREALLOC_ARRAYS];	/* number of the segment, plus 1 */
	/* what kreg_prealloc_fill() brought; opaque, and undefined before */
	struct {
		struct kreg_chunk *chunk;
		struct kreg_extra *extra;
		u32 *pages;
		unsigned int order;	/* how many, log2 */
		unsigned int asked;	/* how many were asked for */
		void **seg[KREG_PREALLOC_ARRAYS];
		u8 seg_no[KREG_PREALLOC_ARRAYS];
	} brought;
};

/* Less than all of it, since most writes want nothing. */
static inline void kreg_prealloc_init(struct kreg_prealloc *f)
{
	memset(f, 0, offsetof(struct kreg_prealloc, brought));
}

static inline bool kreg_prealloc_wanted(const struct kreg_prealloc *f)
{
	return f->must_chunk || f->must_handle || f->want_index;
}

int kreg_prealloc_fill(struct kreg_prealloc *f, struct kreg_store *s);
void kreg_store_add_prealloc(struct kreg_store *s, struct kreg_prealloc *f);	/* turn */
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
/* Turn. Ask for what the store will want for all that is set aside. */
void kreg_store_want_prealloc(const struct kreg_store *s, struct kreg_prealloc *f);
/*
 * Outside the turn, once @c has its slot: where its key and its value are to be put,
 * and what makes a record of them, when @c->key.hash is known.
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
		   (unlikely(c->blob) ? KREG_REC_BLOB : c->value_len);

	r->hash = c->key.hash;
	r->lens = lens;
}

/* Turn. Give slot, blob and root of a change that will not be applied back. */
void kreg_store_cancel(struct kreg_store *s, struct kreg_change *c);

/*
 * The steps of a write, all under the turn, which may be given up between two
 * calls as long as nobody else begins a write of this store or does its upkeep
 * (reserve, cancel and preallocation are allowed):
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
	struct kreg_rec *last;		/* the one that died last, until it is unlinked */
	u32 *last_link;			/* led to it when it died */
	struct kreg_store *store;
};

static inline void kreg_txn_begin(struct kreg_txn *t, struct kreg_store *s)
{
	kreg_store_assert(s);
	WARN_ON_ONCE(s->writing);
	s->writing = true;
	t->store = s;
	t->version = s->version + 1;
	t->dead = 0;
	t->last = NULL;
}

/*
 * -EAGAIN, -ENOSPC (only for a PUT that is not reserved): as for
 * kreg_store_reserve(), nothing has happened. Else 0, and f->want_index may be
 * set: a big batch does well to preallocate for the index on its way. @place is that of
 * kreg_store_find() for this very key.
 */
int kreg_store_apply(struct kreg_txn *t, struct kreg_change *c,
		     struct kreg_place *place, struct kreg_prealloc *f);
void kreg_txn_commit(struct kreg_txn *t);
static inline bool kreg_store_is_writing(const struct kreg_store *s)	/* turn */
{
	return s->writing;
}

/* Instead of commit and settle, when nothing has been applied. */
void kreg_txn_abort(struct kreg_txn *t);
/* Up to @budget records. Returns true when done. */
bool kreg_txn_unlink(struct kreg_txn *t, unsigned int budget);

/*
 * Turn. About @budget steps of growing, shrinking and freeing slots whose grace
 * period is over. Returns true if there is more to do now. Sets f->want_index
 * when growth waits for a page. For writers: slots that went from one record to
 * another since the last time count as freed.
 */
bool kreg_store_upkeep(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f);
/* The same for who looks now and then: slots that may go he leaves to writers, once. */
bool kreg_store_upkeep_idle(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f);

/* Something waits for a grace period: call kreg_store_upkeep() again in some 10 ms. */
static inline bool kreg_store_has_limbo(const struct kreg_store *s)
{
	return s->limbo.waiting || s->ending || !list_empty(&s->cleared) ||
	       s->retiring;
}

/*
 * Limbo is over its cap: whoever wants to write waits for a grace period first. One
 * clear alone, of whatever size, makes nobody wait. Asked without the turn: figures
 * that are a moment old will do.
 */
static inline bool kreg_store_limbo_full(const struct kreg_store *s)
{
	u64 limbo = data_race(s->limbo.bytes);		/* a moment old */
	u64 bytes = data_race(s->bytes);		/* likewise */
	u64 cleared = data_race(s->cleared_bytes);	/* likewise */
	u32 roots = data_race(s->cleared_count);		/* likewise */

	return (limbo > KREG_LIMBO_BYTES && limbo > bytes >> 2) ||
	       (roots > 1 && (roots > KREG_LIMBO_ROOTS || cleared > KREG_LIMBO_CLEARED));
}

#endif /* KREG_STORE_STORE_H */

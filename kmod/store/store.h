/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storage engine: what the layers above may call to read, and its life. write.h has
 * what it takes to change a store.
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
 * without the turn. Functions that change a store want the turn of its writer, which
 * kreg_store_assert() checks. README.md has the protocol and its proof.
 */
#ifndef KREG_STORE_STORE_H
#define KREG_STORE_STORE_H

#include <linux/compiler.h>
#include <linux/errno.h>
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
	struct kreg_holder *holder;	/* to which it is bound, or kreg_holder_expired, or NULL */
};

/*
 * What is past its time is told of as bound to this, which is nobody, so that a reader who passes
 * over what is hidden need not ask for the time; and so that no section is longer for it.
 */
extern struct kreg_holder kreg_holder_expired;

/* What a store holds. All but @version are exact under the turn only. */
struct kreg_stat {
	u64 objects;
	u64 bytes;		/* keys and values of live records */
	u64 memory;		/* everything allocated */
	u64 limbo;		/* bytes of records that wait for a grace period */
	u64 kept;		/* records that died and are there for pins, and their bytes */
	u64 kept_bytes;
	u64 version;
	u64 buckets;
	u64 bound;		/* records bound to a holder */
	u64 timed;		/* records that expire */
	u32 walked;		/* links, at most, in one hold of the turn */
	u32 marks;
};

enum kreg_store_order {
	KREG_STORE_HASHED,
	KREG_STORE_ORDERED,		/* by keys */
	KREG_STORE_RUNS,		/* likewise, and a key may have several objects */
};

/* Sleeps. @turn is what kreg_store_assert() looks at. */
int kreg_store_init(struct kreg_store *s, spinlock_t *turn, enum kreg_store_order order);
/* Sleeps. No reader, no reservation and no writer is left. */
void kreg_store_exit(struct kreg_store *s);
/* RCU. The last commit: reads before it saw no later one, and those behind it see no older one. */
static inline u64 kreg_store_last_commit(const struct kreg_store *s)
{
	/* Pair 3, of what was read before. */
	smp_rmb();
	/* Pair 2, of what is read now. */
	return smp_load_acquire(&s->version);
}

/* Any. Whether the list is in the order of the keys. */
static inline bool kreg_store_is_ordered(const struct kreg_store *s)
{
	return s->ordered;
}

/* Any. Whether a key may have several objects, in the order in which they came. */
static inline bool kreg_store_has_runs(const struct kreg_store *s)
{
	return s->runs;
}

/* Any. Bytes of all slots and blobs of all stores. */
unsigned long kreg_store_memory(void);
/* Any. */
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
 * Any. SipHash-1-3, cut to 32 bits. The key never leaves the kernel and hashes are
 * not shown to anyone, so a caller could go only by the time that lookups take;
 * against that the short form is made. The order of a scan tells which hashes are near
 * each other: see marks.c.
 */
static __always_inline void kreg_store_hash(const struct kreg_store *s, struct kreg_key *key)
{
	key->hash = kreg_hash(key->bytes, key->len, &s->seed);
}

/* A key may have several objects, which only a walk finds; never the error of a call. */
#define KREG_STORE_RUN		(-ERESTARTNOHAND)

/*
 * RCU. Hashes @key and returns 0 or -ENODATA; or KREG_STORE_RUN.
 */
int kreg_store_get(const struct kreg_store *s, struct kreg_key *key, struct kreg_hit *hit);

/* RCU. When the object that was found expires, on the coarse clock; KREG_NEVER: it does not. */
u64 kreg_hit_expires(const struct kreg_hit *hit);
/* RCU. The same, of one that was found by a walk: it was looked up, and is not idle now. */
u64 kreg_hit_use(const struct kreg_hit *hit);

/* RCU. As of the commit of @pin, which is not broken, of a store where keys have no runs. */
int kreg_store_get_at(const struct kreg_store *s, const struct kreg_pin *pin, struct kreg_key *key,
		      struct kreg_hit *hit);

/* Records that a walk backwards looks up together. */
#define KREG_WALK_BACK		16U

/*
 * A walk over the list inside one RCU section, in one direction. An object that was there
 * from start to end is found exactly once, whatever is written meanwhile.
 */
struct kreg_walk {
	const struct kreg_store *store;
	const struct kreg_pin *pin;	/* what was there at its commit is found, or NULL */
	const void *root;
	u64 version;
	u32 next;
	u32 left;			/* records that it may pass over, see kreg_walk_limit() */
	bool paused;
	/* Backwards: what comes next lies before @bound, or with @with is that. */
	u32 found;			/* those that come next, the last of them first */
	u32 found_end;
	bool with;
	bool ended;			/* nothing comes behind them */
	bool at_mark;			/* @bound is that of a mark */
	const void *bound;
	u32 bound_len;
	u32 bound_sub;			/* of a run; with @bound_born */
	u64 bound_born;
	u32 refs[KREG_WALK_BACK];
};

/*
 * RCU. The walk is to be one of @s, and, unless that is NULL, as of the commit of @pin, whatever
 * was written since: see pin.h.
 */
static inline void kreg_walk_init(struct kreg_walk *w, const struct kreg_store *s,
				  const struct kreg_pin *pin)
{
	w->store = s;
	w->pin = pin;
	w->left = ~0U;
	w->paused = false;
}

/*
 * RCU. What died is kept for pins, so between two objects there may be any number of records that
 * a walk passes over. Behind so many, or a few more, it ends early: then kreg_walk_next() and
 * kreg_walk_prev() return false with @paused set, and with a key in *hit, and a version and number
 * as those of an object, behind which, or backwards before which, another walk goes on.
 */
static inline void kreg_walk_limit(struct kreg_walk *w, u32 records)
{
	w->left = records;
}

/*
 * RCU. It starts behind @key, which with @with need not be passed, or at the start with
 * NULL. kreg_walk_next() returns false at the end.
 */
void kreg_walk_seek(struct kreg_walk *w, const struct kreg_key *key, bool with);
bool kreg_walk_next(struct kreg_walk *w, struct kreg_hit *hit);

/* RCU. The same behind the object of @key that came with commit @born as number @sub. */
void kreg_walk_seek_behind(struct kreg_walk *w, const struct kreg_key *key, u64 born, u32 sub);

/* RCU. The newest of @s, behind @after. */
static inline void kreg_walk_start(struct kreg_walk *w, const struct kreg_store *s,
				   const struct kreg_key *after)
{
	kreg_walk_init(w, s, NULL);
	kreg_walk_seek(w, after, false);
}

/*
 * RCU. Where keys have runs: the number that the object which a walk has found has within its
 * commit.
 */
u32 kreg_hit_sub(const struct kreg_hit *hit);
/*
 * RCU. Where keys have runs, right after a seek: what the walk finds is as of commit @version,
 * which is not younger; false: that cannot be. When it has come to its end, or to where another is
 * to go on as of the same commit: whether it has found all that there was then.
 */
bool kreg_walk_as_of(struct kreg_walk *w, u64 version);
bool kreg_walk_is_whole(const struct kreg_walk *w);

/*
 * RCU. The same backwards, of an ordered store: it starts before @key, or with @with at it, or at
 * the end with NULL. @key stays as it is.
 */
void kreg_walk_seek_back(struct kreg_walk *w, const struct kreg_key *key, bool with);
/* RCU. The same before the object of @key that came with commit @born as number @sub. */
void kreg_walk_seek_before(struct kreg_walk *w, const struct kreg_key *key, u64 born, u32 sub);
bool kreg_walk_prev(struct kreg_walk *w, struct kreg_hit *hit);

/*
 * Sleeps. Values that do not fit a slot together with their key. The caller fills
 * kreg_blob_bytes().
 */
struct kreg_blob *kreg_blob_alloc(u32 len);
void kreg_blob_put(struct kreg_blob *b);
/* Any, with a reference; RCU, with a record that leads to @b. */
void *kreg_blob_bytes(struct kreg_blob *b);
void kreg_blob_get(struct kreg_blob *b);
/* Any. The bytes of memory that it takes. */
size_t kreg_blob_memory(const struct kreg_blob *b);
/* Room for the bond or the expiry of a record, padding included. */
#define KREG_TAIL_ROOM		40

/*
 * Any. Whether such a value needs one. There is room for a bond and for an expiry in any slot,
 * since whether the record gets one may be decided later.
 */
static inline bool kreg_store_needs_blob(u32 key_len, u32 value_len)
{
	return sizeof(struct kreg_rec) + key_len + value_len > KREG_SLOT_MAX - KREG_TAIL_ROOM;
}

/* Turn. Something waits for a grace period: call kreg_store_upkeep() again in some 10 ms. */
static inline bool kreg_store_has_limbo(const struct kreg_store *s)
{
	return s->limbo.waiting || s->ending || !list_empty(&s->cleared) ||
	       s->retiring || s->due;
}

/*
 * Any. Limbo is over its cap: whoever wants to write waits for a grace period first. One
 * clear alone, of whatever size, makes nobody wait.
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

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a reader looks up keys, inline, for callers with many of them: all of it under one
 * rcu_read_lock(), and with one struct kreg_reader. README.md says why it is right.
 */
#ifndef KREG_STORE_READER_H
#define KREG_STORE_READER_H

#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include "store/store.h"

#ifdef KREG_DEBUG
#define kreg_debug_warn(cond) WARN_ON(cond)
#else
#define kreg_debug_warn(cond) BUILD_BUG_ON_INVALID(cond)
#endif

/* Each byte of a free slot in a debug build; as lens it means a longer key than there is. */
#define KREG_SLOT_POISON	0xd5

#define KREG_ARRAY_FIRST_SHIFT	3

static inline unsigned int kreg_array_seg_entries(unsigned int no)
{
	return 1u << (no + KREG_ARRAY_FIRST_SHIFT);
}

/*
 * Entry @i. Segments do not move, and whoever published @i had published segment and
 * entry before. So a reader needs no more than two loads, of which each depends on the
 * one before it and the first on that of @i.
 */
static inline void **kreg_array_at(const struct kreg_array *d, u32 i)
{
	u32 j = i + kreg_array_seg_entries(0);
	unsigned int top = __builtin_clz(j) ^ 31;	/* fls() would test for 0 */
	void **seg = READ_ONCE(d->seg[top - KREG_ARRAY_FIRST_SHIFT]);

	return seg + (j ^ (1u << top));
}

static inline struct kreg_rec *kreg_arena_rec(const struct kreg_store *s, u32 ref)
{
	void *base = READ_ONCE(*kreg_array_at(&s->chunks,
					    ref >> KREG_CHUNK_SHIFT << 1));

	return base + ((ref & KREG_CHUNK_MASK) << KREG_UNIT_SHIFT);
}

static inline u32 *kreg_index_head(const struct kreg_root *root, u32 b)
{
	u32 *page;

	if (b < KREG_HEADS_INLINE)
		return &root->front->heads[b];
	page = *kreg_array_at(&root->dir, b >> KREG_PAGE_SHIFT);
	return page + (b & (KREG_PAGE_HEADS - 1));
}

/* Of a record with KREG_REC_BLOB, whose key has @key_len bytes. */
static inline struct kreg_rec_blob *kreg_rec_blob(const struct kreg_rec *r, u32 key_len)
{
	return (struct kreg_rec_blob *)(r->bytes + ALIGN(key_len, 4));
}

/* Of a record with KREG_REC_BOUND. */
static inline struct kreg_rec_bond *kreg_rec_bond(const struct kreg_rec *r)
{
	u32 key_len = kreg_rec_key_len(r);
	u32 end = kreg_rec_has_blob(r) ? ALIGN(key_len, 4) + sizeof(struct kreg_rec_blob) :
					 key_len + kreg_rec_inline_len(r);

	return (struct kreg_rec_bond *)(r->bytes + ALIGN(end, 4));
}

/* Of a record with KREG_REC_TIMED. */
static inline struct kreg_rec_expiry *kreg_rec_expiry(const struct kreg_rec *r)
{
	u32 key_len = kreg_rec_key_len(r);
	u32 end = kreg_rec_has_blob(r) ? ALIGN(key_len, 4) + sizeof(struct kreg_rec_blob) :
					 key_len + kreg_rec_inline_len(r);

	return (struct kreg_rec_expiry *)(r->bytes + ALIGN(end, 8));
}

/* The bytes of the value, wherever they are. */
static inline u32 kreg_rec_value_len(const struct kreg_rec *r)
{
	if (unlikely(kreg_rec_has_blob(r)))
		return kreg_rec_blob(r, kreg_rec_key_len(r))->len;
	return kreg_rec_inline_len(r);
}

/*
 * Of a record with KREG_REC_BLOB that is valid at a C that was loaded (pair 2): @extra was
 * there before that commit.
 */
static inline struct kreg_blob *kreg_blob_of(const struct kreg_store *s,
					     const struct kreg_rec *r)
{
	u32 handle = kreg_rec_blob(r, kreg_rec_key_len(r))->handle;

	return READ_ONCE(*kreg_array_at(&READ_ONCE(s->extra)->blobs, handle));
}

/* Likewise of a record with KREG_REC_BOUND; NULL: it is bound to nobody. */
static inline struct kreg_holder *kreg_holder_of(const struct kreg_store *s,
						 const struct kreg_rec *r)
{
	u32 handle = kreg_rec_bond(r)->holder;

	return handle ? READ_ONCE(*kreg_array_at(&READ_ONCE(s->extra)->holders, handle)) : NULL;
}

/* The same of any record, or of none. */
static inline struct kreg_holder *kreg_holder_at(const struct kreg_store *s,
						 const struct kreg_rec *r)
{
	return r && kreg_rec_is_bound(r) ? kreg_holder_of(s, r) : NULL;
}

/**
 * struct kreg_reader - store as it was at one moment
 * @store: the store
 * @root: list and index
 * @version: C
 * @n: buckets; 0: the list is ordered by keys
 * @mask: the bits of a hash by which they differ
 */
struct kreg_reader {
	const struct kreg_store *store;
	const struct kreg_root *root;
	u64 version;
	u32 n;
	u32 mask;
};

static inline const struct kreg_rec *kreg_reader_rec(const struct kreg_reader *v,
						     u32 ref)
{
	const struct kreg_rec *r = kreg_arena_rec(v->store, ref);

	kreg_debug_warn(!r->lens || r->lens == KREG_SLOT_POISON * 0x01010101u);
	return r;
}

static inline const u32 *kreg_reader_head(const struct kreg_reader *v, u32 b)
{
	return kreg_index_head(v->root, b);
}

static inline u32 kreg_reader_bucket(const struct kreg_reader *v, u32 hash)
{
	return kreg_read_bucket_masked(hash, v->n, v->mask);
}

#include "store/lookup.h"
#include "store/order.h"

/*
 * Where a lookup starts: C, then the root that was in force at C, then n. A root
 * younger than c was put in by a clear that c does not see; its previous is there
 * as long as a reader may have such a c.
 */
static __always_inline void kreg_reader_enter(struct kreg_reader *v, const struct kreg_store *s)
{
	/*
	 * Pair 2, with the release in kreg_txn_commit(): links, died, root and n
	 * are at least as new as c.
	 */
	u64 c = smp_load_acquire(&s->version);
	const struct kreg_root *root = rcu_dereference(s->root);

	while (root->born > c)
		root = READ_ONCE(root->previous);
	v->store = s;
	v->root = root;
	v->version = c;
	/* Pair 4, with the release in kreg_index_grow(). */
	v->n = smp_load_acquire(&root->front->n);
	v->mask = kreg_read_mask(v->n - 1);
}

/* The same at the commit of @pin, which is not broken, or at the last if that is NULL. */
static inline void kreg_reader_enter_at(struct kreg_reader *v, const struct kreg_store *s,
					const struct kreg_pin *pin)
{
	const struct kreg_root *root;

	kreg_reader_enter(v, s);
	if (!pin)
		return;
	root = v->root;
	while (root->born > pin->version)
		root = READ_ONCE(root->previous);
	v->root = root;
	v->version = pin->version;
	/* Pair 4, as above. */
	v->n = smp_load_acquire(&root->front->n);
	v->mask = kreg_read_mask(v->n - 1);
}

/* RCU. What only few records have. */
void kreg_reader_hit_rare(const struct kreg_store *s, const struct kreg_rec *r,
			  struct kreg_hit *hit, bool uses);

/*
 * RCU, or the turn. Tell of @r, which has been found and has a key of @key_len bytes. @uses: it was
 * looked up, so it has not been idle.
 */
static __always_inline void kreg_store_tell(const struct kreg_store *s, const struct kreg_rec *r,
					    u32 key_len, struct kreg_hit *hit, bool uses)
{
	hit->key = r->bytes;
	hit->key_len = key_len;
	hit->value_len = kreg_rec_inline_len(r);
	hit->version = r->born;
	hit->value = r->bytes + key_len;
	hit->blob = NULL;
	hit->holder = NULL;
	if (unlikely(r->lens & KREG_REC_RARE))
		kreg_reader_hit_rare(s, r, hit, uses);
}

/* RCU. The same of one that @v has found. */
static __always_inline void kreg_reader_hit(const struct kreg_reader *v, const struct kreg_rec *r,
					    u32 key_len, struct kreg_hit *hit, bool uses)
{
	kreg_store_tell(v->store, r, key_len, hit, uses);
}

/* There are marks on the way, or the list is ordered; never the error of a call. */
#define KREG_READER_MARKED	(-ERESTART)

/* As kreg_reader_get() by the hash; without @marked also KREG_READER_MARKED. */
static __always_inline int kreg_reader_find(struct kreg_reader *v, const struct kreg_key *key,
					    struct kreg_hit *hit, bool marked)
{
	const struct kreg_rec *r;

	for (;;) {
		u64 c = v->version;

		r = marked && !v->n ? kreg_order_lookup(v, key, c) :
				      kreg_lookup(v, key, c, marked);
		/*
		 * Pair 3: if a link has led past what was valid at c, that was
		 * after a commit, and the load below sees it. Also, the caller's
		 * next lookup is not older than this one.
		 */
		smp_rmb();
		if (likely(r > KREG_LOOKUP_MARKED))
			break;
		if (!r)
			return -ENODATA;
		if (unlikely(r == KREG_LOOKUP_MARKED))
			return KREG_READER_MARKED;
		kreg_reader_enter(v, v->store);
		if (v->version == c)
			return -ENODATA;
	}
	kreg_reader_hit(v, r, key->len, hit, true);
	return 0;
}

/* RCU. As kreg_reader_get(), by the hash if the list is not ordered; there may be marks. */
int kreg_reader_get_marked(struct kreg_reader *v, const struct kreg_key *key,
			   struct kreg_hit *hit);

/*
 * RCU. The object with @key, which is hashed, at the moment of @v or a later one: if what
 * was valid then is not there any more, @v moves on. 0 or -ENODATA. @ordered: whether the
 * list is.
 */
static __always_inline int kreg_reader_get(struct kreg_reader *v, struct kreg_key *key,
					   struct kreg_hit *hit, bool ordered)
{
	int err = KREG_READER_MARKED;

	if (!ordered) {
		kreg_store_hash(v->store, key);
		err = kreg_reader_find(v, key, hit, false);
	}
	if (unlikely(err == KREG_READER_MARKED)) {
		/* Else what is the caller's would have to be in memory. */
		struct kreg_hit marked;
		struct kreg_reader reader = *v;
		struct kreg_key copy = *key;

		err = kreg_reader_get_marked(&reader, &copy, &marked);
		*v = reader;
		if (!err)
			*hit = marked;
	}
	return err;
}

#endif /* KREG_STORE_READER_H */

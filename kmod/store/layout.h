/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later */
/*
 * The reader's side of list and index: layout and order. lookup.h has the lookup;
 * README.md has the protocol, and the proof that readers may go by it.
 *
 * DOC: What a reader may rely on
 *
 * Records form one list, sorted by bit-reversed hash, then key length, then key;
 * of several records with one key the younger comes first. A link is
 *
 *	0			the end of the list
 *	a reference		the next record
 *	KREG_LINK_BUCKET | b	the next record is the first of bucket b, and
 *				heads[b] has the link to it
 *
 * Bucket b begins where the hash b would stand. There are no sentinel nodes: the
 * index entry heads[b] is the sentinel's link, so a bucket costs four bytes and
 * a reader that starts at the right one meets records at once.
 *
 * Where many records stand in one bucket, marks are put between them: records that are
 * never valid and have a key of length 0, so that a lookup passes by. A node, which is
 * one, too, knows the marks behind it. marks.c tells more.
 *
 * With n buckets a hash is looked for in bucket (hash mod 2^k), with 2^k >= n the
 * smallest such power, or, if that bucket does not exist yet, in the one without
 * its top bit, its parent, whose part of the list it will be cut from.
 *
 * A bucket is added by filling heads[n], then putting the tagged link into the
 * chain of its parent, then n + 1. It is removed by n - 1, then taking the tagged
 * link out; heads[n - 1] stays as it was. What a reader with another n finds:
 *
 * - It has an n that is too small: it starts at an ancestor, whose first link
 *   stands earlier in the list, and walks further, through as many tagged links
 *   as were put in since. Each tells by its number whether the hash can be behind
 *   it: kreg_read_before().
 * - It has an n that is too big: it starts at heads[b] of a removed bucket, which
 *   leads to what was the first record of b at the removal. n was loaded after
 *   C, so all that has been committed since is younger than the reader's c and
 *   does not count for it; what was there at c is reachable from that record,
 *   because unlinked records keep their links. Neither it nor the index page is
 *   reused before the reader's section ends: its slot was unlinked, and the page
 *   given up, after n was stored, and both wait for a grace period from then.
 *   For the same reason a bucket that comes back in the meantime does no harm:
 *   old and new heads[b] are both right for it.
 */
#ifndef KREG_STORE_LAYOUT_H
#define KREG_STORE_LAYOUT_H

#define KREG_LINK_BUCKET	0x80000000u
#define KREG_ALIVE		(~(u64)0)
/* It lives, in another slot: whoever still comes to this one has a commit from before. */
#define KREG_MOVED		(KREG_ALIVE - 1)

/* A reference counts units of 16 bytes: chunk number, offset in the chunk. */
#define KREG_UNIT_SHIFT		4
#define KREG_CHUNK_SHIFT	12
#define KREG_CHUNK_MASK		((1u << KREG_CHUNK_SHIFT) - 1)
#define KREG_CHUNK_COUNT	(1u << (31 - KREG_CHUNK_SHIFT))

/* Buckets in the root itself, and in a page of the index. */
#define KREG_HEADS_INLINE	32
#define KREG_PAGE_SHIFT		10
#define KREG_PAGE_HEADS		(1u << KREG_PAGE_SHIFT)

/* In kreg_rec.lens: the length of the value, seven bits for flags, that of the key. */
#define KREG_VALUE_LEN_BITS	14
#define KREG_VALUE_LEN_MASK	((1u << KREG_VALUE_LEN_BITS) - 1)
#define KREG_KEY_LEN_SHIFT	21

/* A blob has the value: @lens says 0 for its length, the true one is with the handle. */
#define KREG_REC_BLOB		(1u << KREG_VALUE_LEN_BITS)

/*
 * No object, but a place where a walk can begin; its key has the length 0, or in an ordered
 * list is above all keys before it and not above those behind it.
 */
#define KREG_REC_MARK		(1u << 15)
/* A mark whose value is a struct kreg_rec_node; of an ordered list, a struct kreg_rec_tree. */
#define KREG_REC_NODE		(1u << 16)

/* Behind the value there is a struct kreg_rec_bond. */
#define KREG_REC_BOUND		(1u << 17)

/*
 * Behind the value there is a struct kreg_rec_expiry, with IDLE all of it, else what is before
 * @used. Never together with BOUND.
 */
#define KREG_REC_TIMED		(1u << 18)
#define KREG_REC_IDLE		(1u << 19)

/* All flags that have a meaning. */
#define KREG_REC_FLAGS		(KREG_REC_BLOB | KREG_REC_MARK | KREG_REC_NODE | KREG_REC_BOUND | \
				 KREG_REC_TIMED | KREG_REC_IDLE)
/* With one of these a record has more than its key and value. */
#define KREG_REC_RARE		(KREG_REC_BLOB | KREG_REC_BOUND | KREG_REC_TIMED)

/**
 * struct kreg_rec - record
 * @link: see above; changes as neighbours come and go
 * @limbo: next of those that died with it, then next in limbo, then next free; of a mark of an
 *	ordered list, how many records may be behind it, or the next one that upkeep looks at
 * @hash: of the key, under the seed of the store; where keys have runs, the number of the record
 *	within its commit
 * @lens: length of the key (11 bits), flags (7 bits), length of the value (14 bits)
 * @born: commit that made it
 * @died: commit that replaced or removed it, or KREG_ALIVE, or KREG_MOVED
 * @bytes: the key and the value; or the key, padding to 4 bytes and a struct
 *	kreg_rec_blob, if KREG_REC_BLOB is set. If KREG_REC_BOUND is set, padding to
 *	4 bytes and a struct kreg_rec_bond follow; if KREG_REC_TIMED is, padding to 8 bytes
 *	and a struct kreg_rec_expiry
 *
 * Only link, limbo, died, the links of the bond and of the wheel, and @used of the latter change
 * once a link leads here.
 */
struct kreg_rec {
	u32 link;
	u32 limbo;
	u32 hash;
	u32 lens;
	u64 born;
	u64 died;
	u8 bytes[];
};

/**
 * struct kreg_rec_blob - where a record with KREG_REC_BLOB has its value
 * @handle: of the blob
 * @len: bytes of the value
 */
struct kreg_rec_blob {
	u32 handle;
	u32 len;
};

/**
 * struct kreg_rec_bond - to whom a record with KREG_REC_BOUND is bound
 * @holder: handle of the holder; 0: to nobody, there was just room for it
 * @next: the next record of the holder, or 0
 * @prev: the one before it, or 0
 */
struct kreg_rec_bond {
	u32 holder;
	u32 next;
	u32 prev;
};

/* In @expires: never, but for @used. */
#define KREG_NEVER		(~(u64)0)

/**
 * struct kreg_rec_expiry - when a record with KREG_REC_TIMED is past its time
 * @expires: on the coarse clock, in nanoseconds; or KREG_NEVER
 * @next: the next record in its slot of the wheel, or 0
 * @prev: the one before it, or of the first KREG_LINK_BUCKET and the number of the slot
 * @used: with KREG_REC_IDLE, about when it was looked up last; readers store it
 * @idle_ms: and so long after that it is past its time, too
 * @pad: 0
 */
struct kreg_rec_expiry {
	u64 expires;
	u32 next;
	u32 prev;
	u64 used;
	u32 idle_ms;
	u32 pad;
};

/* So that a node fills a slot of 1 KiB. */
#define KREG_NODE_MARKS		123

/**
 * struct kreg_rec_node - shortcuts into the part of the list that follows
 * @count: marks; only goes down once the node is linked
 * @next: the node that was linked before this one; the writer's
 * @marks: where they are, in the order of the list, and their hashes
 */
struct kreg_rec_node {
	u32 count;
	u32 next;
	struct {
		u32 hash;
		u32 ref;
	} marks[KREG_NODE_MARKS];
};

/* So that a node fills a slot of 512 bytes. */
#define KREG_TREE_FAN		38

/**
 * struct kreg_rec_tree - node of the tree over the marks of an ordered list
 * @count: entries
 * @level: 0: they lead to marks, of which 0 is the begin of the list; else to nodes
 * @skip: bytes that the keys of the first marks of all entries but the first have in common
 * @probe: the first mark of the second entry, which has these bytes; or 0
 * @pad: 0
 * @words: of each entry but the first, the eight bytes of the key of its first mark that
 *	follow @skip, the first of them highest; zeroes stand for those behind its end
 * @refs: where the entries lead
 *
 * Only @refs and @probe change once something leads here, to a node that replaces the one before
 * or a mark that is a copy of it.
 */
struct kreg_rec_tree {
	u16 count;
	u16 level;
	u16 skip;
	u16 pad;
	u32 probe;
	u32 pad2;
	u64 words[KREG_TREE_FAN];
	u32 refs[KREG_TREE_FAN];
};

/* A key with its hash under the store's seed. */
struct kreg_key {
	const void *bytes;
	u32 len;
	u32 hash;
};

static inline u32 kreg_rec_key_len(const struct kreg_rec *r)
{
	return r->lens >> KREG_KEY_LEN_SHIFT;
}

/* The bytes of the value that are in the record itself. */
static inline u32 kreg_rec_inline_len(const struct kreg_rec *r)
{
	return r->lens & KREG_VALUE_LEN_MASK;
}

static inline bool kreg_rec_has_blob(const struct kreg_rec *r)
{
	return r->lens & KREG_REC_BLOB;
}

static inline bool kreg_rec_is_bound(const struct kreg_rec *r)
{
	return r->lens & KREG_REC_BOUND;
}

static inline bool kreg_rec_is_timed(const struct kreg_rec *r)
{
	return r->lens & KREG_REC_TIMED;
}

/* Whether whoever meets it has to look at more than its key and version. */
static inline bool kreg_rec_is_special(const struct kreg_rec *r)
{
	return r->lens & (KREG_REC_BOUND | KREG_REC_TIMED);
}

/* The smallest 2^k - 1 that is not below @x. */
static inline u32 kreg_read_mask(u32 x)
{
	return x ? ~0u >> __builtin_clz(x) : 0;
}

/* The bucket for @hash among @n, with their kreg_read_mask(@n - 1). */
static inline u32 kreg_read_bucket_masked(u32 hash, u32 n, u32 mask)
{
	u32 b = hash & mask;

	return b < n ? b : b & (mask >> 1);
}

static inline u32 kreg_read_bucket(u32 hash, u32 n)
{
	return kreg_read_bucket_masked(hash, n, kreg_read_mask(n - 1));
}

/*
 * Does @a come before @b when bits are read from the lowest to the highest? The
 * lowest bit in which they differ decides, so nothing need be reversed.
 */
static inline bool kreg_read_before(u32 a, u32 b)
{
	u32 x = a ^ b;

	return b & x & -x;
}

/*
 * From @node, the mark that is nearest before all keys of @hash; 0: there is none. One
 * that was taken off since is as good: it was unlinked after c was loaded, if at all.
 */
static inline u32 kreg_read_mark(const struct kreg_rec *node, u32 hash)
{
	const struct kreg_rec_node *n = (const void *)node->bytes;
	u32 low = 0, high = READ_ONCE(n->count);

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (kreg_read_before(n->marks[mid].hash, hash))
			low = mid + 1;
		else
			high = mid;
	}
	return low ? n->marks[low - 1].ref : 0;
}

static inline u64 kreg_read_word(const void *p)
{
	u64 word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * Some order of keys of one hash, which most often are the same: by words, then by
 * bytes. Without a call, so that a lookup needs little of the stack.
 */
static inline int kreg_read_compare(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;
	size_t i, words = len & ~(size_t)7;

	for (i = 0; i != words; i += 8)
		if (kreg_read_word(x + i) != kreg_read_word(y + i))
			return kreg_read_word(x + i) < kreg_read_word(y + i) ? -1 : 1;
	for (; i != len; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* Below 0: @r stands before @key; 0: it has this key; above 0: behind. */
static inline int kreg_read_order(const struct kreg_rec *r,
				  const struct kreg_key *key)
{
	u32 len = kreg_rec_key_len(r);

	if (r->hash != key->hash)
		return kreg_read_before(r->hash, key->hash) ? -1 : 1;
	if (len != key->len)
		return len < key->len ? -1 : 1;
	return kreg_read_compare(r->bytes, key->bytes, len);
}

#endif /* KREG_STORE_LAYOUT_H */

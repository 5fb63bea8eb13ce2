/* SPDX-License-Identifier: GPL-2.0 */
/* What a store is made of, for structs that embed one. Only the engine looks inside. */
#ifndef KREG_STORE_TYPES_H
#define KREG_STORE_TYPES_H

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "store/hash.h"

/* Versions are loaded and stored whole. */
static_assert(sizeof(long) == 8);

#define KREG_ARRAY_SEGS		20
#define KREG_SLOT_MAX		16384
#define KREG_CLASSES		34
/* Bytes, and roots, that may wait for a grace period before writers have to wait for it. */
#define KREG_LIMBO_BYTES	(4ULL << 20)
#define KREG_LIMBO_ROOTS	64
#define KREG_LIMBO_CLEARED	(64ULL << 20)

/**
 * struct kreg_array - growable array of pointers that never moves
 * @seg: segment k has 8 << k entries
 * @used: where the entries begin that were never handed out
 * @free: first of the entries that came back, plus 1; or 0
 * @segs: segments there are
 * @limit: segments there may be
 * @stride: pointers that are handed out together
 */
struct kreg_array {
	void **seg[KREG_ARRAY_SEGS];
	u32 used;
	u32 free;
	u8 segs;
	u8 limit;
	u8 stride;
};

/**
 * struct kreg_front - where readers of a root start
 * @n: buckets; 0: the list is ordered by keys
 * @tree: then, the root of the tree over its marks, or 0
 * @heads: first links of the first buckets; of an ordered list, the first link
 */
struct kreg_front {
	u32 n;
	u32 tree;
	u32 heads[KREG_HEADS_INLINE];
};

/**
 * struct kreg_order - what the writer knows about an ordered list
 * @spare_nodes: slots reserved for nodes of the tree, linked through limbo; or 0
 * @spare_marks: likewise slots for marks
 * @nodes: how many @spare_nodes are
 * @marks: how many @spare_marks are
 * @noted: marks whose bucket upkeep is to look at, as it has become short or long, linked through
 *	limbo; see order_write.c
 * @begin: what the limbo of a mark is, for the bucket in front of the first one
 * @cuts: marks in the list
 * @mark_class: size class of the slots that are to be @spare_marks
 * @levels: of the tree
 */
struct kreg_order {
	u32 spare_nodes;
	u32 spare_marks;
	u32 nodes;
	u32 marks;
	u32 noted;
	u32 begin;
	u32 cuts;
	u8 mark_class;
	u8 levels;
};

/**
 * struct kreg_root - list and index, from one clear to the next
 * @born: commit of the clear that made it
 * @previous: what readers before @born use; cut once there are none
 * @front: words that a reader needs first; they may lie in a page of their own
 * @own_front: where they lie else
 * @dir: pages of the index
 * @order: of an ordered list
 * @epoch: clears before it
 * @weight: bytes of the records that went with it
 * @cookie: taken after the commit that replaced it
 * @spans: groups of sixteen pages that came together, behind the first KREG_INDEX_SINGLES
 * @has_cookie: that commit is done
 * @cleared: in the store's list of that name
 * @chunks: chunks that go with it
 * @blobs: blobs that go with it
 * @free_node: in the reaper's list
 */
struct kreg_root {
	u64 born;
	struct kreg_root *previous;
	struct kreg_front *front;
	struct kreg_front own_front;
	struct kreg_array dir;
	struct kreg_order order;

	u64 epoch;
	u64 weight;
	unsigned long cookie;
	u32 spans;
	bool has_cookie;
	struct list_head cleared;
	struct list_head chunks;
	struct list_head blobs;
	struct llist_node free_node;
};

/**
 * struct kreg_class - chunks of one slot size
 * @partial: chunks with a slot to give
 * @pieces: memory of all of its chunks, in KiB
 * @idle: chunks without a used slot
 */
struct kreg_class {
	struct list_head partial;
	u32 pieces;
	u32 idle;
};

/**
 * struct kreg_limbo - records that were unlinked
 * @open: those since the last grace period began
 * @waiting: those that wait for @cookie
 * @cookie: taken after the last of @waiting was unlinked
 * @ripe: @cookie has expired and the reuse generation says so
 * @spared: upkeep has left them to writers once; the next time it frees them
 * @bytes: of slots and blobs in both
 */
struct kreg_limbo {
	u32 open;
	u32 waiting;
	unsigned long cookie;
	bool ripe;
	bool spared;
	u64 bytes;
};

struct kreg_chunk;

/**
 * struct kreg_thin - how far it is that sparse chunks are emptied: see thin.c
 * @drained: chunks that were picked for that, which give no slot
 * @chunk: the one of them whose records are being moved, or NULL
 * @at: its next slot, in units
 * @class: the size class whose chunks are looked at
 * @round: number of the round; a chunk that was looked at has it
 * @most: how full a chunk may be that is picked, in percent; 0: no round is under way
 * @ends: all were looked at, and those that could not be emptied are to give slots again
 * @waste: bytes that were too many when the last round began; 0: there were none since
 */
struct kreg_thin {
	struct list_head drained;
	struct kreg_chunk *chunk;
	u16 at;
	u8 class;
	u8 round;
	u8 most;
	bool ends;
	u64 waste;
};

#define KREG_CROWDED		5

/**
 * struct kreg_crowd - parts of the list that have become long, and the marks in them
 * @wanted: there may be such a part
 * @hashes: it may be where these are; more than there is room for: anywhere
 * @hash: see @hashes
 * @busy: @bucket is being looked at, from the mark @at on, or from its head
 * @sweep: and then the next bucket
 * @prune: the marks are taken off
 * @bucket: see @busy
 * @at: see @busy
 * @node: the node that is being filled, not linked yet; or 0
 * @nodes: the node that was linked last
 * @marks: marks and nodes there are
 */
struct kreg_crowd {
	bool wanted;
	u8 hashes;
	bool busy;
	bool sweep;
	bool prune;
	u32 hash[KREG_CROWDED];
	u32 bucket;
	u32 at;
	u32 node;
	u32 nodes;
	u32 marks;
};

struct kreg_holder;

struct kreg_holder_ops {
	/* Turn. So many live records of @h are none any more. */
	void (*left)(struct kreg_holder *h, u32 records);
	/* Turn. It has no record any more, for all were cleared away. */
	void (*cleared)(struct kreg_holder *h);
	/* Turn. No reader and no record leads to @h any more. */
	void (*release)(struct kreg_holder *h);
};

/**
 * struct kreg_holder - that to which records are bound, in an object of the layers above
 * @ops: what these do; invariant
 * @size: bytes of memory of that object; invariant
 * @uncounted: its records do not count as bound, and it gets no more
 * @handle: entry in holders of the store's extra; 0: not in a store
 * @first: its oldest record, or 0; the others follow by their bonds
 * @last: its youngest record, or 0
 * @live: records it has
 * @refs: records with its handle that a reader may still come to, those in limbo included
 * @epoch: clears before these; if there are more by now, there are none
 * @list: in a list of the store's extra
 * @seen: kreg_store_verify() has found so many records linked or in limbo
 */
struct kreg_holder {
	const struct kreg_holder_ops *ops;
	u16 size;
	bool uncounted;
	u32 handle;
	u32 first;
	u32 last;
	u32 live;
	u32 refs;
	u64 epoch;
	struct list_head list;
#ifdef KREG_DEBUG
	u32 seen;
#endif
};

struct kreg_wheel;

/**
 * struct kreg_extra - what most stores do without
 * @blobs: handle: &struct kreg_blob
 * @blob_list: blobs of records
 * @held_blobs: blobs of reserved slots
 * @holders: handle: &struct kreg_holder
 * @holder_list: holders that may get records
 * @stale_holders: those that have not been told of a clear yet
 * @retired: those that get no more records
 * @bound: live records that are bound to a holder which counts
 * @pins: those that are set, oldest first
 * @nr_pins: how many these are
 * @pinned: roots that a clear replaced and that a pin needs, oldest first; behind those
 *	in the store's list of cleared ones
 * @kept_bytes: weight of records that died and are linked for the sake of pins
 * @wheel: live records that are timed, by when they expire; or NULL
 * @timed: how many these are
 *
 * The caller whose write is the first to need it brings it. It stays until the store
 * goes, so a record that needs it is never without.
 */
struct kreg_extra {
	struct kreg_array blobs;
	struct list_head blob_list;
	struct list_head held_blobs;
	struct kreg_array holders;
	struct list_head holder_list;
	struct list_head stale_holders;
	struct list_head retired;
	u64 bound;
	struct list_head pins;
	u32 nr_pins;
	struct list_head pinned;
	u64 kept_bytes;
	struct kreg_wheel *wheel;
	u64 timed;
};

/**
 * struct kreg_pin - keeps a store readable as of one commit; in an object of the layers above
 * @node: in pins of the store's extra; turn
 * @version: that commit; invariant once it is set
 * @kept: records that died and are linked for its sake, through their limbo words; or 0
 * @last: the last of them
 * @bytes: weight of all that was kept for it so far, cleared roots included; only grows
 * @allowed: what @bytes may come to before the layers above are asked
 * @broken: it has ended, and what it kept may be gone
 */
struct kreg_pin {
	struct list_head node;
	u64 version;
	u32 kept;
	u32 last;
	u64 bytes;
	u64 allowed;
	bool broken;
};

/* What upkeep is to see to, beside growth and limbo: kreg_store.due. */
#define KREG_DUE_HOLDERS	1	/* there is something to be done about holders */
#define KREG_DUE_KEPT		2	/* records were kept for pins that have ended */
#define KREG_DUE_PINS		4	/* a pin keeps more than is allowed */

/**
 * struct kreg_store - the storage of one table
 * @version: C, the number of the last commit
 * @reuse: G, goes up before slots that came out of limbo are touched
 * @crowd: long parts of the list; here, because there is room
 * @root: list and index
 * @seed: of the hash
 * @chunks: chunk number * 2: base address; + 1: &struct kreg_chunk
 * @extra: what most stores do without, or NULL
 * @turn: the lock that whoever changes the store holds
 * @ending: the root whose grace period is over
 * @classes: chunks with free slots, by size
 * @full: chunks of all classes without free slots
 * @thin: sparse chunks are emptied
 * @orphans: chunks older than the last clear that hold records younger than it
 * @cleared: roots that a clear replaced and that wait for a grace period, oldest first
 * @limbo: unlinked records
 * @spare: pages for the index, or NULL; a span stays until the next clear
 * @spare_order: how many, log2
 * @retiring: index pages from @retire on go once @retire_cookie has expired
 * @retire: see @retiring
 * @retire_cookie: see @retiring
 * @epoch: clears so far
 * @objects: live records
 * @bytes: of their keys and values
 * @memory: everything allocated
 * @reserved: slots set aside
 * @recycled: slots that went from limbo to a new record since the last upkeep
 * @cleared_count: length of @cleared
 * @cleared_bytes: weight of those
 * @ordered: by keys, instead of hashed; invariant
 * @runs: then, a key may have several objects, a run of them; invariant
 * @killed: and this is the last commit with which a record died that is unlinked by itself
 * @pinned: one more than the commit of the youngest pin, or 0: no older record may be needed
 * @kept: records that died and are linked for the sake of pins
 * @unkept: those of them whose pin has ended, through their limbo words; or 0
 * @unkept_last: the last of those
 * @writing: between kreg_txn_begin() and the end of kreg_txn_unlink()
 * @due: KREG_DUE_HOLDERS and the like
 * @links: that may still be walked over in this hold of the turn
 * @most_links: the most that were walked over in one, since the last clear
 * @reaper: frees what may not be freed under the turn
 * @dead_blobs: for @reaper
 * @dead_chunks: for @reaper
 * @dead_roots: for @reaper
 *
 * It begins a cache line, and so do what readers have of it, @root and on, and what is the writer's
 * alone, @classes and on. An attribute would round the size up.
 */
struct kreg_store {
	u64 version;
	u64 reuse;
	struct kreg_crowd crowd;

	struct kreg_root __rcu *root;
	struct kreg_seed seed;
	struct kreg_array chunks;
	struct kreg_extra *extra;
	spinlock_t *turn;	/* that of the writer */
	struct kreg_root *ending;

	struct kreg_class classes[KREG_CLASSES];
	struct list_head full;
	struct list_head orphans;
	struct list_head cleared;
	struct kreg_limbo limbo;
	u32 *spare;
	u8 spare_order;
	bool retiring;
	u32 retire;
	unsigned long retire_cookie;
	u64 epoch;
	u64 objects;
	u64 bytes;
	u64 memory;
	u64 killed;
	u64 pinned;
	u64 kept;
	u32 unkept;
	u32 unkept_last;
	u32 reserved;
	u32 recycled;
	u32 cleared_count;
	u64 cleared_bytes;
	bool ordered;
	bool runs;
	bool writing;
	u8 due;
	u16 links;
	u16 most_links;
	struct kreg_thin thin;
	struct work_struct reaper;
	struct llist_head dead_blobs;
	struct llist_head dead_chunks;
	struct llist_head dead_roots;
};

static_assert(offsetof(struct kreg_store, root) == 64);
static_assert(offsetof(struct kreg_store, classes) % 64 == 0);

#endif /* KREG_STORE_TYPES_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The invariants of a store, walked. For debug builds: takes time in proportion
 * to all that is there, and keeps its counts in chunk->seen.
 */
#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/verify.h"

#ifndef kreg_slot_poison
void kreg_slot_poison(void *slot, size_t size)
{
	memset(slot + KREG_SLOT_OPEN, KREG_SLOT_POISON, size - KREG_SLOT_OPEN);
}

void kreg_slot_unpoison(void *slot, size_t size)
{
	/* Else somebody has written to it while it was free. */
	WARN_ON(memchr_inv(slot + KREG_SLOT_OPEN, KREG_SLOT_POISON, size - KREG_SLOT_OPEN));
	memset(slot + KREG_SLOT_OPEN, 0, size - KREG_SLOT_OPEN);
}

void kreg_slots_poison(void *base, size_t size, size_t bytes)
{
	for (; bytes >= size; bytes -= size, base += size)
		kreg_slot_poison(base, size);
}
#endif

struct tally {
	struct kreg_store *store;
	u64 memory;
	u32 reserved;
};

typedef bool (*visit_t)(struct kreg_chunk *chunk, struct tally *t);

static bool each_in(struct list_head *list, visit_t visit, struct tally *t)
{
	struct kreg_chunk *chunk;

	list_for_each_entry(chunk, list, list)
		if (!visit(chunk, t))
			return false;
	return true;
}

static bool each_chunk(struct tally *t, visit_t visit)
{
	struct kreg_store *s = t->store;
	struct kreg_root *root;
	unsigned int i;

	for (i = 0; i < KREG_CLASSES; i++)
		if (!each_in(&s->classes[i].partial, visit, t))
			return false;
	list_for_each_entry(root, &s->cleared, cleared)
		if (!each_in(&root->chunks, visit, t))
			return false;
	if (s->extra)
		list_for_each_entry(root, &s->extra->pinned, cleared)
			if (!each_in(&root->chunks, visit, t))
				return false;
	if (s->ending && !each_in(&s->ending->chunks, visit, t))
		return false;
	return each_in(&s->full, visit, t) && each_in(&s->thin.drained, visit, t) &&
	       each_in(&s->orphans, visit, t);
}

static bool clear_seen(struct kreg_chunk *chunk, struct tally *t)
{
	chunk->seen = 0;
	return true;
}

/* Invariant 3: every slot is in exactly one place, free ones are zero. */
static bool verify_slots(struct kreg_chunk *chunk, struct tally *t)
{
	struct kreg_store *s = t->store;
	unsigned int size = kreg_arena_size(chunk->class);
	unsigned int units = size >> KREG_UNIT_SHIFT, free = 0;
	u32 ref;

	if (WARN_ON(kreg_arena_chunk(s, chunk->number << KREG_CHUNK_SHIFT) != chunk))
		return false;
	if (chunk->epoch != s->epoch) {
		u16 here = chunk->touched == s->epoch ? chunk->survivors : 0;

		return !WARN_ON(chunk->seen != here);
	}
	for (ref = chunk->free; ref; free++) {
		struct kreg_rec *r = kreg_arena_rec(s, ref);
		u32 next;

		kreg_slot_unpoison(r, size);
		next = r->limbo;
		r->limbo = 0;
		if (WARN_ON(memchr_inv(r, 0, size)))
			return false;
		r->limbo = next;
		kreg_slot_poison(r, size);
		ref = next;
	}
	if (WARN_ON(chunk->seen + chunk->reserved != chunk->used))
		return false;
	return !WARN_ON((chunk->used + free) * units != chunk->fresh);
}

static bool weigh_chunk(struct kreg_chunk *chunk, struct tally *t)
{
	t->memory += sizeof(*chunk) + kreg_chunk_bytes(chunk->order);
	t->reserved += chunk->reserved;
	return true;
}

/* In a hashed list. */
static bool in_order(const struct kreg_rec *before, const struct kreg_rec *r)
{
	struct kreg_key key = {
		.bytes = r->bytes,
		.len = kreg_rec_key_len(r),
		.hash = r->hash,
	};
	int order = before ? kreg_read_order(before, &key) : -1;

	return order < 0 || (!order && before->born >= r->born);
}

/* Between the value, or the place of a blob, and the bond or the expiry. */
static bool tail_pad_is_zero(const struct kreg_rec *r)
{
	const u8 *end = r->bytes + kreg_rec_key_len(r) + kreg_rec_inline_len(r), *tail;

	if (kreg_rec_has_blob(r))
		end = (const u8 *)(kreg_rec_blob(r, kreg_rec_key_len(r)) + 1);
	tail = kreg_rec_is_timed(r) ? (const u8 *)kreg_rec_expiry(r) :
	       kreg_rec_is_bound(r) ? (const u8 *)kreg_rec_bond(r) : end;
	return !memchr_inv(end, 0, tail - end);
}

/* What a record leaves of its slot is zero, whatever was there before. */
static bool rest_is_zero(const struct kreg_rec *r, size_t bytes, size_t size)
{
	u32 key_len = kreg_rec_key_len(r);

	return !memchr_inv((void *)r + bytes, 0, size - bytes) && tail_pad_is_zero(r) &&
	       (!kreg_rec_has_blob(r) ||
		!memchr_inv(r->bytes + key_len, 0, ALIGN(key_len, 4) - key_len));
}

/* A value is in a blob if and only if its record does not fit a slot. */
static bool verify_place_of_value(struct kreg_store *s, const struct kreg_rec *r)
{
	u32 key_len = kreg_rec_key_len(r), len = kreg_rec_value_len(r);
	const struct kreg_blob *b;

	if (WARN_ON(kreg_rec_has_blob(r) != kreg_store_needs_blob(key_len, len)))
		return false;
	/* The blob of one that was moved may have gone with the copy. */
	if (!kreg_rec_has_blob(r) || r->died == KREG_MOVED)
		return true;
	if (WARN_ON(!s->extra))
		return false;
	b = kreg_blob_of(s, r);
	return !WARN_ON(kreg_rec_inline_len(r) || b->len != len ||
			b->handle != kreg_rec_blob(r, key_len)->handle);
}

/* In an ordered list a mark has a key, and may have a slot that is longer than it needs. */
static bool verify_mark(const struct kreg_store *s, const struct kreg_rec *r, unsigned int class)
{
	unsigned int needed = kreg_arena_class(kreg_rec_weight(r));

	if (WARN_ON((r->born && !s->runs) ||
		    (r->died && (r->died != KREG_MOVED || !(r->lens & KREG_REC_NODE)))))
		return false;
	if (!s->ordered || r->lens & KREG_REC_NODE)
		return !WARN_ON(kreg_rec_key_len(r) || needed != class);
	return !WARN_ON(!kreg_rec_key_len(r) || kreg_rec_inline_len(r) || needed > class);
}

bool kreg_verify_record(struct kreg_store *s, u32 ref, const struct kreg_rec *r)
{
	unsigned int class = kreg_arena_chunk(s, ref)->class;
	u32 known = KREG_REC_FLAGS | KREG_VALUE_LEN_MASK;
	size_t bytes = kreg_rec_weight(r);

	if (r->lens & KREG_REC_MARK)
		return verify_mark(s, r, class);
	if (WARN_ON((kreg_rec_is_timed(r) && kreg_rec_is_bound(r)) ||
		    (r->lens & KREG_REC_IDLE && !kreg_rec_is_timed(r))))
		return false;
	if (WARN_ON(!kreg_rec_key_len(r) ||
		    r->lens & KREG_REC_NODE || r->lens & ~known & ((1u << KREG_KEY_LEN_SHIFT) - 1)))
		return false;
	return verify_place_of_value(s, r) && !WARN_ON(kreg_arena_class(bytes) != class) &&
	       !WARN_ON(!rest_is_zero(r, bytes, kreg_arena_size(class)));
}

/* A reader may come to @r. True: it is bound to a holder which counts. */
static bool count_bound(struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_holder *h = kreg_holder_at(s, r);

	if (h)
		h->seen++;
	return h && !h->uncounted;
}

bool kreg_verify_versions(struct kreg_store *s, const struct kreg_rec *r,
			  struct kreg_verify *found)
{
	bool bound;

	if (r->lens & KREG_REC_MARK) {
		found->marks++;
		return true;
	}
	if (WARN_ON(r->born < kreg_store_root(s)->born || r->born > s->version + s->writing ||
		    r->died < r->born))
		return false;
	bound = count_bound(s, r);
	if (r->died != KREG_ALIVE) {
		found->dead++;
		return !WARN_ON(r->died > s->version + s->writing);
	}
	found->bound += bound;
	found->timed += kreg_rec_is_timed(r);
	found->objects++;
	found->bytes += kreg_rec_key_len(r) + kreg_rec_value_len(r);
	return true;
}

/* Invariants 1, 2, 6 and 7: one pass from end to end, as a reader goes. */
static bool verify_hashed(struct kreg_store *s, struct kreg_verify *found)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 link = root->front->heads[0], bucket = 0, buckets = 1;
	const struct kreg_rec *before = NULL;

	while (link) {
		struct kreg_rec *r;

		if (link & KREG_LINK_BUCKET) {
			u32 next = link & ~KREG_LINK_BUCKET;

			if (WARN_ON(next >= root->front->n ||
				    !kreg_read_before(bucket, next)))
				return false;
			bucket = next;
			buckets++;
			link = *kreg_index_head(root, bucket);
			continue;
		}
		r = kreg_arena_rec(s, link);
		if (!kreg_verify_record(s, link, r))
			return false;
		if (WARN_ON(!in_order(before, r) ||
			    kreg_read_bucket(r->hash, root->front->n) != bucket))
			return false;
		if (!kreg_verify_versions(s, r, found))
			return false;
		kreg_arena_chunk(s, link)->seen++;
		before = r;
		link = r->link;
	}
	return !WARN_ON(buckets != root->front->n);
}

/* Invariant 4: what a pass over the list finds is what was counted. */
static bool verify_list(struct kreg_store *s)
{
	struct kreg_verify found = {};

	if (!(s->ordered ? kreg_verify_ordered(s, &found) : verify_hashed(s, &found)))
		return false;
	/* What died is linked for a pin, or for the write that is under way. */
	if (WARN_ON(found.dead < s->kept || (found.dead > s->kept && !s->writing)))
		return false;
	if (!kreg_verify_wheel(s, found.timed))
		return false;
	return !WARN_ON(found.objects != s->objects || found.bytes != s->bytes ||
			found.bound != (s->extra ? s->extra->bound : 0) ||
			found.marks + !!s->crowd.node !=
			(s->ordered ? kreg_store_root(s)->order.cuts : s->crowd.marks));
}

/* Invariant 8: the marks of a node are in order, and each is linked. */
static bool verify_node(struct kreg_store *s, const struct kreg_rec_node *node)
{
	const struct kreg_rec *before = NULL, *r;
	u32 i, *from;

	for (i = 0; i < node->count; i++, before = r) {
		r = kreg_arena_rec(s, node->marks[i].ref);
		if (WARN_ON(r->lens != (KREG_REC_MARK | kreg_rec_inline_len(r)) ||
			    r->hash != node->marks[i].hash) ||
		    WARN_ON(before && !kreg_read_before(before->hash, r->hash)))
			return false;
		from = kreg_index_head(kreg_store_root(s),
				       kreg_read_bucket(r->hash, kreg_store_root(s)->front->n));
		while (*from && !(*from & KREG_LINK_BUCKET) && *from != node->marks[i].ref)
			from = &kreg_arena_rec(s, *from)->link;
		if (WARN_ON(*from != node->marks[i].ref))
			return false;
	}
	return true;
}

static bool verify_nodes(struct kreg_store *s)
{
	const struct kreg_rec *r;
	u32 ref;

	for (ref = s->crowd.nodes; ref; ref = ((struct kreg_rec_node *)r->bytes)->next) {
		r = kreg_arena_rec(s, ref);
		if (WARN_ON(!(r->lens & KREG_REC_NODE)) ||
		    !verify_node(s, (const void *)r->bytes))
			return false;
	}
	if (!s->crowd.node)
		return true;
	kreg_arena_chunk(s, s->crowd.node)->seen++;
	return verify_node(s, (const void *)kreg_arena_rec(s, s->crowd.node)->bytes);
}

/* Spans are behind the single pages, and each of them is in one piece. */
static bool verify_spans(struct kreg_root *root)
{
	u32 end = kreg_index_spanned(root), i;

	if (!root->spans)
		return true;
	if (WARN_ON(end > root->dir.used))
		return false;
	for (i = KREG_INDEX_SINGLES; i < end; i++) {
		u32 first = i - (i - KREG_INDEX_SINGLES) % (1u << KREG_SPAN_ORDER);
		u32 *span = *kreg_array_at(&root->dir, first);
		u32 *page = *kreg_array_at(&root->dir, i);

		if (WARN_ON(page != span + ((i - first) << KREG_PAGE_SHIFT)))
			return false;
	}
	return true;
}

static bool verify_limbo(struct kreg_store *s, u32 ref)
{
	while (ref) {
		struct kreg_rec *r = kreg_arena_rec(s, ref);

		if (!kreg_verify_record(s, ref, r) || WARN_ON(r->died == KREG_ALIVE))
			return false;
		count_bound(s, r);
		kreg_arena_chunk(s, ref)->seen++;
		ref = r->limbo;
	}
	return true;
}

static size_t blob_memory(struct list_head *blobs)
{
	struct kreg_blob *b;
	size_t sum = 0;

	list_for_each_entry(b, blobs, list)
		sum += kreg_blob_memory(b);
	return sum;
}

static size_t extra_memory(struct kreg_extra *extra)
{
	if (!extra)
		return 0;
	return kreg_extra_memory(extra) + blob_memory(&extra->blob_list) +
	       blob_memory(&extra->held_blobs) + kreg_verify_holder_memory(extra);
}

static size_t root_memory(struct kreg_root *root)
{
	return sizeof(*root) + root->dir.used * PAGE_SIZE +
	       kreg_array_memory(&root->dir) + blob_memory(&root->blobs);
}

static bool verify_memory(struct tally *t)
{
	struct kreg_store *s = t->store;
	struct kreg_root *root;

	t->memory = sizeof(*s) + kreg_array_memory(&s->chunks) +
		    extra_memory(s->extra) + (s->spare ? PAGE_SIZE << s->spare_order : 0) +
		    root_memory(kreg_store_root(s));
	each_chunk(t, weigh_chunk);
	list_for_each_entry(root, &s->cleared, cleared)
		t->memory += root_memory(root);
	if (s->extra)
		list_for_each_entry(root, &s->extra->pinned, cleared)
			t->memory += root_memory(root);
	if (s->ending)
		t->memory += root_memory(s->ending);
	return !WARN_ON(t->memory != s->memory || t->reserved != s->reserved);
}

bool kreg_store_verify(struct kreg_store *s)
{
	struct tally t = { .store = s };

	kreg_store_assert(s);
	kreg_verify_clear_holders(s);
	return each_chunk(&t, clear_seen) && verify_spans(kreg_store_root(s)) && verify_list(s) &&
	       verify_nodes(s) &&
	       verify_limbo(s, s->limbo.open) && verify_limbo(s, s->limbo.waiting) &&
	       kreg_verify_holders(s) && kreg_verify_pins(s) &&
	       each_chunk(&t, verify_slots) && verify_memory(&t);
}

// SPDX-License-Identifier: GPL-2.0
/* What is set aside for a write: slots, blobs, roots. */
#include <linux/slab.h>

#include "store/arena.h"
#include "store/copy.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/order_spare.h"

/* Another record was in @r, @size bytes. Wipe what the new one, @bytes, does not cover. */
static __always_inline void wipe_rest(struct kreg_rec *r, size_t size, size_t bytes)
{
	u64 *end = (void *)r + size;

	if (unlikely(size - bytes >= 2 * sizeof(*end))) {
		memset((void *)r + bytes, 0, size - bytes);
	} else {
		end[-2] = 0;
		end[-1] = 0;
	}
}

static size_t change_size(const struct kreg_change *c)
{
	if (c->timed)
		return kreg_rec_size_timed(c->key.len, c->value_len, c->blob,
					   c->timed == KREG_TIMED_IDLE);
	return c->bound ? kreg_rec_size_bound(c->key.len, c->value_len, c->blob) :
			  kreg_rec_size(c->key.len, c->value_len, c->blob);
}

/* Apart: most have neither bond nor expiry. */
static noinline unsigned int change_class(const struct kreg_change *c)
{
	return kreg_arena_class(change_size(c));
}

/* A slot for @c, and in it where its blob is, if the value needs one. */
static __always_inline int take_slot(struct kreg_store *s, struct kreg_change *c,
				     bool reserve, struct kreg_prealloc *f)
{
	bool blob = c->blob;
	size_t bytes = kreg_rec_size(c->key.len, c->value_len, blob);
	unsigned int class = unlikely(c->bound || c->timed) ? change_class(c) :
							       kreg_arena_class(bytes);
	struct kreg_rec *r;

	kreg_debug_warn(blob != kreg_store_needs_blob(c->key.len, c->value_len));
	if (blob && kreg_blob_wants(s))
		return kreg_prealloc_want(s, f, class, true);
	r = kreg_limbo_take(s, class, reserve, &c->ref);
	if (r) {
		/* Also what is between its key and the handle. */
		if (unlikely(blob))
			bytes = sizeof(*r) + c->key.len;
		wipe_rest(r, kreg_arena_size(class), bytes);
	} else {
		r = kreg_arena_take(s, class, reserve, &c->ref);
	}
	c->rec = r;
	if (unlikely(!r))
		return kreg_prealloc_want(s, f, class, false);
	if (unlikely(blob))
		*kreg_rec_blob(r, c->key.len) = (struct kreg_rec_blob) {
			.handle = kreg_blob_attach(s, c->blob),
			.len = c->value_len,
		};
	return 0;
}

/* What a record may take beside its slot; of the index not one that replaces another. */
static __always_inline int prepare_index(struct kreg_store *s, const struct kreg_change *c,
					 struct kreg_prealloc *f)
{
	if (unlikely(c->timed) && kreg_wheel_want(s, f))
		return -EAGAIN;
	return unlikely(s->ordered) && !c->over ? kreg_order_prepare(s, c->key.len, f) : 0;
}

int kreg_store_reserve(struct kreg_store *s, struct kreg_change *c,
		       struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	return prepare_index(s, c, f) ?: take_slot(s, c, true, f);
}

void kreg_store_want_slot(const struct kreg_store *s, const struct kreg_change *c,
			  struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	kreg_prealloc_want_chunk(s, f, change_class(c));
}

void kreg_store_want_prealloc(const struct kreg_store *s, struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	kreg_index_want(s, f);
}

/* Turn. A slot with all that @c brings as bytes. */
int kreg_change_record(struct kreg_store *s, struct kreg_change *c, struct kreg_prealloc *f)
{
	int err = prepare_index(s, c, f) ?: take_slot(s, c, false, f);

	kreg_store_assert(s);
	if (err)
		return err;
	kreg_change_finish(c);
	kreg_copy(kreg_change_key(c), c->key.bytes, c->key.len);
	if (c->value)
		kreg_copy(kreg_change_value(c), c->value, c->value_len);
	return 0;
}

size_t kreg_change_memory(const struct kreg_change *c)
{
	return kreg_arena_size(change_class(c)) + (c->blob ? kreg_blob_memory(c->blob) : 0);
}

size_t kreg_change_room(const struct kreg_change *c)
{
	return kreg_arena_chunk_memory(kreg_arena_least_order(change_class(c))) +
	       (c->blob ? kreg_blob_memory(c->blob) : 0);
}

void kreg_store_cancel(struct kreg_store *s, struct kreg_change *c)
{
	kreg_store_assert(s);
	if (c->kind == KREG_CHANGE_CLEAR)
		kreg_root_free(c->root);
	else if (c->rec && c->blob)
		kreg_blob_detach(s, c->blob);
	else if (c->blob)
		kreg_blob_put_later(s, c->blob);
	if (c->rec)
		kreg_arena_unreserve(s, c->ref);
	c->rec = NULL;
	c->ref = 0;
	c->blob = NULL;
}

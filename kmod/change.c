// SPDX-License-Identifier: GPL-2.0
/* What a write brings along: slots, blobs, roots. */
#include <linux/slab.h>

#include "engine.h"

/* Above, memcpy() is faster. */
#define SHORT		128

/* Turn. A slot for @c, and a handle for its blob in it. */
int kreg_change_slot(struct kreg_store *s, struct kreg_change *c,
		     struct kreg_feed *f)
{
	bool blob = c->blob;
	unsigned int class = kreg_arena_class(kreg_rec_size(c->key.len,
							    c->value_len, blob));

	if (WARN_ON_ONCE(blob != kreg_store_needs_blob(c->key.len, c->value_len)))
		return -EINVAL;
	if (blob && kreg_dir_wants(&s->blobs))
		return kreg_feed_want(s, f, class, true);
	c->rec = kreg_arena_take(s, class, &c->ref);
	if (!c->rec)
		return kreg_feed_want(s, f, class, false);
	if (blob)
		*kreg_rec_handle(c->rec, c->key.len) = kreg_blob_hold(s, c->blob);
	return 0;
}

int kreg_store_reserve(struct kreg_store *s, struct kreg_change *c,
		       struct kreg_feed *f)
{
	int err;

	kreg_store_assert(s);
	err = kreg_change_slot(s, c, f);
	if (err)
		return err;
	kreg_arena_reserve(s, c->ref);
	return 0;
}

void kreg_store_want(const struct kreg_store *s, struct kreg_feed *f)
{
	kreg_store_assert(s);
	kreg_index_want(s, f);
}

void *kreg_change_value(struct kreg_change *c)
{
	return c->blob ? c->blob->bytes : c->rec->bytes + c->key.len;
}

/* Inline for what is short. */
static __always_inline void copy(void *to, const void *from, u32 len)
{
	const void *end = from + (len & ~7u);

	if (len > SHORT) {
		memcpy(to, from, len);
		return;
	}
	for (; from != end; from += sizeof(u64), to += sizeof(u64))
		__builtin_memcpy(to, from, sizeof(u64));
	for (end += len & 7; from != end; from++, to++)
		*(u8 *)to = *(const u8 *)from;
}

void kreg_change_fill(struct kreg_change *c, const void *key, const void *value)
{
	struct kreg_rec *r = c->rec;

	r->hash = c->key.hash;
	r->lens = c->key.len << KREG_LEN_SHIFT | c->value_len;
	copy(r->bytes, key, c->key.len);
	if (value)
		copy(kreg_change_value(c), value, c->value_len);
}

void kreg_store_cancel(struct kreg_store *s, struct kreg_change *c)
{
	kreg_store_assert(s);
	if (c->rec && c->blob)
		kreg_blob_drop(s, c->blob);
	else if (c->blob)
		kreg_blob_junk(s, c->blob);
	if (c->rec)
		kreg_arena_unreserve(s, c->ref);
	kreg_root_free(c->root);
	c->rec = NULL;
	c->ref = 0;
	c->blob = NULL;
	c->root = NULL;
}

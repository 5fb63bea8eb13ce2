// SPDX-License-Identifier: GPL-2.0
#include <linux/overflow.h>
#include <linux/string.h>

#include "store/copy.h"
#include "store/edit.h"
#include "store/internal.h"

static u32 field_bytes(const struct kreg_field *f)
{
	return f->code == KREG_FIELD_COPY ? f->set : KREG_FIELD_NUMBER;
}

static __always_inline int measure_edit(struct kreg_edit *e, u32 len, u32 *most)
{
	const struct kreg_field *f = kreg_edit_fields(e), *end = f + e->count;
	u32 touched = 0;

	do {
		u64 to = (u64)f->offset + field_bytes(f);

		touched = max_t(u32, touched, to);
		if (likely(to <= len && !(f->flags & KREG_FIELD_TRUNCATE)))
			continue;
		if (!(f->flags & KREG_FIELD_EXTEND) &&
		    (f->flags & KREG_FIELD_TRUNCATE ? f->offset : to) > len)
			return -ERANGE;
		len = to;
	} while (++f != end);
	*most = max(touched, len);
	e->len = len;
	return 0;
}

int kreg_edit_measure(struct kreg_edit *e, u32 len, u32 *most)
{
	return measure_edit(e, len, most);
}

/* From the order of the machine to that of the field, or back. */
static u64 swap_number(const struct kreg_field *f, u64 x)
{
	return f->flags & KREG_FIELD_BIG_ENDIAN ? (__force u64)cpu_to_be64(x) : x;
}

/* What goes over a threshold does so also where it overflows, which is in the same direction. */
static int add_number(const struct kreg_field *f, s64 x, s64 *sum)
{
	s64 by = f->operand, limit = f->threshold;
	bool over = check_add_overflow(x, by, sum);

	if (f->flags & KREG_FIELD_THRESHOLD) {
		if (over || (by < 0 ? *sum < limit : *sum > limit))
			*sum = f->set;
		return 0;
	}
	if (likely(!over))
		return 0;
	if (f->flags & KREG_FIELD_SATURATE)
		*sum = by < 0 ? S64_MIN : S64_MAX;
	return f->flags & (KREG_FIELD_SATURATE | KREG_FIELD_WRAP) ? 0 : -EOVERFLOW;
}

static __always_inline int run_number(struct kreg_field *f, void *at)
{
	s64 x = swap_number(f, kreg_read_word(at)), by = f->operand;
	u64 word;
	int err = 0;

	switch (f->code) {
	case KREG_FIELD_ADD:
		err = add_number(f, x, &x);
		break;
	case KREG_FIELD_MIN:
		x = min(x, by);
		break;
	case KREG_FIELD_MAX:
		x = max(x, by);
		break;
	case KREG_FIELD_AND:
		x &= by;
		break;
	case KREG_FIELD_OR:
		x |= by;
		break;
	default:
		x ^= by;
		break;
	}
	word = swap_number(f, x);
	memcpy(at, &word, sizeof(word));
	f->out = x;
	return err;
}

static __always_inline int run_edit(struct kreg_edit *e, void *value, u32 len)
{
	struct kreg_field *f = kreg_edit_fields(e), *end = f + e->count;
	int err = 0;

	for (; f != end && !err; f++) {
		u32 to = f->offset + field_bytes(f);
		void *at = value + f->offset;

		if (unlikely(to > len)) {
			memset(value + len, 0, to - len);
			len = to;
		}
		if (f->code != KREG_FIELD_COPY) {
			err = run_number(f, at);
			continue;
		}
		kreg_copy(at, e->bytes + f->operand, f->set);
		if (f->flags & KREG_FIELD_TRUNCATE)
			len = to;
		f->out = len;
	}
	return err;
}

int kreg_edit_run(struct kreg_edit *e, void *value, u32 len)
{
	return run_edit(e, value, len);
}

bool kreg_edit_matches(const struct kreg_edit *e, const void *value, u32 len)
{
	return len == e->expected_len && !kreg_read_compare(value, e->bytes + e->expected, len);
}

const void *kreg_edit_base(const struct kreg_edit *e)
{
	if (!e->version)
		return e->bytes + e->start;
	if (e->base)
		return kreg_blob_bytes(e->base);
	return e->room ? e->bytes + e->room : NULL;
}

/* Turn. @old, or NULL, is to be looked at without it. */
static int hand_out(struct kreg_store *s, struct kreg_edit *e, const struct kreg_rec *old)
{
	kreg_store_assert(s);
	e->version = old ? old->born : 0;
	e->base_len = old ? kreg_rec_value_len(old) : e->start_len;
	if (old && kreg_rec_has_blob(old)) {
		e->base = kreg_blob_of(s, old);
		kreg_blob_get(e->base);
	} else if (old && e->room) {
		memcpy(e->bytes + e->room, old->bytes + kreg_rec_key_len(old), e->base_len);
	}
	return KREG_EDIT_LONG;
}

int kreg_store_compare(struct kreg_store *s, struct kreg_edit *e, const struct kreg_rec *old)
{
	u32 len;

	kreg_store_assert(s);
	if (!e->compares)
		return 0;
	if (!old)
		return -ECANCELED;
	len = kreg_rec_value_len(old);
	if (len != e->expected_len)
		return -ECANCELED;
	if (kreg_rec_has_blob(old))
		return hand_out(s, e, old);
	return kreg_edit_matches(e, old->bytes + kreg_rec_key_len(old), len) ? 0 : -ECANCELED;
}

/* The value that is edited. */
static const void *edited_value(const struct kreg_edit *e, const struct kreg_rec *old, u32 *len)
{
	*len = old ? kreg_rec_value_len(old) : e->start_len;
	return old ? old->bytes + kreg_rec_key_len(old) : e->bytes + e->start;
}

int kreg_store_edit(struct kreg_store *s, struct kreg_change *c, const struct kreg_rec *old)
{
	struct kreg_edit *e = c->edit;
	const void *from;
	u32 len, most;
	int err;

	kreg_store_assert(s);
	if (!old && !e->starts)
		return -ENODATA;
	from = edited_value(e, old, &len);
	err = measure_edit(e, len, &most);
	if (err)
		return err;
	c->value_len = e->len;
	if (likely(len <= sizeof(e->scratch) && most <= sizeof(e->scratch))) {
		kreg_copy(e->scratch, from, len);
		c->value = e->scratch;
		return run_edit(e, e->scratch, len);
	}
	c->value = NULL;
	/* The slot has room for the new value, and not for what is cut off again. */
	if (most > e->len || kreg_store_needs_blob(c->key.len, e->len) ||
	    e->copied > KREG_SLOT_MAX || (old && kreg_rec_has_blob(old)))
		return hand_out(s, e, old);
	return 0;
}

int kreg_store_make(struct kreg_store *s, struct kreg_change *c, const struct kreg_rec *old,
		    struct kreg_prealloc *f)
{
	struct kreg_edit *e = c->edit;
	const void *from;
	void *to;
	u32 len;
	int err = kreg_store_reserve(s, c, f);

	kreg_store_assert(s);
	if (err)
		return err;
	from = edited_value(e, old, &len);
	to = kreg_change_value(c);
	kreg_copy(kreg_change_key(c), c->key.bytes, c->key.len);
	kreg_copy(to, from, min(len, e->len));
	err = run_edit(e, to, len);
	if (err) {
		kreg_store_cancel(s, c);
		return err;
	}
	kreg_change_finish(c);
	e->made = to;
	return 0;
}

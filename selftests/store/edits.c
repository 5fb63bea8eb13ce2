// SPDX-License-Identifier: GPL-2.0
/*
 * Edits: fields that make of any value the one that is to be there, piece by piece.
 */
#include "model.h"

#define FIELDS		9

static struct kreg_field *add_field(struct kreg_edit *e, u16 code, u16 flags, u32 offset,
				    u64 operand, u64 set)
{
	struct kreg_field *f = kreg_edit_fields(e) + e->count++;

	*f = (struct kreg_field) {
		.code = code,
		.flags = flags,
		.offset = offset,
		.operand = operand,
		.set = set,
	};
	return f;
}

/* Pieces of the value, the last first or the first, so that some are put behind a gap. */
static void add_pieces(struct kreg_edit *e, u32 at, u32 len)
{
	u32 count = 1 + rnd(4), from[5] = { 0, rnd(len + 1), rnd(len + 1), len, len }, i;
	bool back = rnd(2);

	if (from[2] < from[1])
		swap(from[1], from[2]);
	if (count < 3) {
		from[1] = len;
		from[2] = len;
	}
	for (i = 0; i < 4; i++) {
		u32 p = back ? 3 - i : i;

		add_field(e, KREG_FIELD_COPY, KREG_FIELD_EXTEND, from[p], at + from[p],
			  from[p + 1] - from[p]);
		e->copied += from[p + 1] - from[p];
	}
}

/* A number that is changed, and then changed back. */
static void add_numbers(struct kreg_edit *e, u32 len)
{
	u16 order = rnd(2) ? KREG_FIELD_BIG_ENDIAN : 0;
	u32 offset;
	u64 x = rnd(~0u);

	if (len < KREG_FIELD_NUMBER || rnd(2))
		return;
	offset = rnd(len - KREG_FIELD_NUMBER + 1);
	if (rnd(2)) {
		add_field(e, KREG_FIELD_ADD, order | KREG_FIELD_WRAP, offset, x << 32, 0);
		add_field(e, KREG_FIELD_ADD, order | KREG_FIELD_WRAP, offset, -(x << 32), 0);
	} else {
		add_field(e, KREG_FIELD_XOR, order, offset, x << 16, 0);
		add_field(e, KREG_FIELD_XOR, order, offset, x << 16, 0);
	}
}

static struct kreg_edit *new_edit(const u8 *value, u32 len)
{
	const u32 at = FIELDS * sizeof(struct kreg_field), room = ALIGN(at + len, 8);
	struct kreg_edit *e = malloc(sizeof(*e));

	kreg_edit_init(e);
	e->bytes = malloc(room + KREG_SLOT_MAX);
	e->size = room + KREG_SLOT_MAX;
	memcpy(e->bytes + at, value, len);
	e->starts = true;
	e->start = at;
	e->start_len = rnd(2) ? 0 : len;
	/* What is long only on the way does not fit a slot. */
	if (!rnd(8))
		add_field(e, KREG_FIELD_COPY, KREG_FIELD_EXTEND, len + rnd(9000), at, 0);
	add_pieces(e, at, len);
	add_numbers(e, len);
	add_field(e, KREG_FIELD_COPY, KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE, len, at, 0);
	return e;
}

/* The value comes about in another way. */
struct kreg_edit *edit_begin(struct kreg_change *c, const u8 *value)
{
	if (c->kind != KREG_CHANGE_PUT || c->blob || !mode->edits || rnd(mode->edits))
		return NULL;
	c->edit = new_edit(value, c->value_len);
	c->value = NULL;
	c->value_len = 0;
	return c->edit;
}

void edit_end(struct kreg_edit *e)
{
	if (!e)
		return;
	tap_check(!e->base);
	free(e->bytes);
	free(e);
}

/* The caller's half: edit what was handed out. False: it was not, for want of room. */
static bool edit_long(struct kreg_change *c, u32 k, const u8 *value, u32 len)
{
	struct kreg_edit *e = c->edit;
	const void *base = kreg_edit_base(e);
	u32 most;
	u8 *work;

	tap_check(e->version == (now[k].present ? now[k].version : 0));
	if (!base) {
		tap_check(!e->room);
		e->room = e->size - KREG_SLOT_MAX;
		return false;
	}
	if (e->version)
		value_check(k, now[k].seed, base, e->base_len);
	tap_check(!kreg_edit_measure(e, e->base_len, &most) && e->len == len);
	work = malloc(most + 1);
	memcpy(work, base, min(most, e->base_len));
	tap_check(!kreg_edit_run(e, work, e->base_len));
	tap_check(!memcmp(work, value, len));
	free(work);
	if (e->base)
		kreg_blob_put(e->base);
	e->base = NULL;
	return true;
}

/* It becomes a PUT as others are. */
static void put_instead(struct kreg_change *c, const u8 *value, u32 len)
{
	c->edit = NULL;
	c->value_len = len;
	c->value = value;
	if (!kreg_store_needs_blob(c->key.len, len))
		return;
	c->blob = kreg_blob_alloc(len);
	memcpy(kreg_blob_bytes(c->blob), value, len);
}

int edit_make(struct kreg_change *c, u32 k, const struct kreg_rec *old, const u8 *value, u32 seed,
	      struct kreg_prealloc *f)
{
	struct kreg_edit *e = c->edit;
	u32 len = value_len(seed);
	int err;

	if (!e)
		return 0;
	while ((err = kreg_store_edit(&store, c, old)) == KREG_EDIT_LONG) {
		if (!edit_long(c, k, value, len))
			continue;
		put_instead(c, value, len);
		return 0;
	}
	tap_check(!err && c->value_len == len && e->len == len);
	if (!c->value) {
		err = kreg_store_make(&store, c, old, f);
		if (err)
			return err;
	}
	tap_check(!memcmp(c->value ?: e->made, value, len));
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes that depend on the value that is there: it is compared, or edited.
 *
 * An edit is a PUT whose value is made under the turn, of the value that it replaces; one that is
 * not short, in the slot that will be linked. Never in place: a reader may be copying that, and
 * version and value change together. What does not fit a slot is handed out instead, with its
 * version, for the caller to do the same without the turn.
 */
#ifndef KREG_STORE_EDIT_H
#define KREG_STORE_EDIT_H

#include <linux/kreg.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include "store/copy.h"
#include "store/write.h"

struct kreg_filter;

/**
 * struct kreg_edit - what a change has to do with the value that is there
 * @bytes: all that the caller has brought: fields, what they copy, the values below, the room
 * @size: of @bytes
 * @count: fields, with which @bytes begins; 0: the value is only compared. In a
 *	KREG_FIELD_COPY, @operand is where in @bytes its bytes are
 * @copied: bytes of all KREG_FIELD_COPY together
 * @start: where in @bytes the value begins to start from, if there is none
 * @start_len: its length
 * @expected: where in @bytes the value begins that has to be there
 * @expected_len: its length
 * @room: where in @bytes there are KREG_SLOT_MAX bytes for what is handed out; or 0
 * @starts: there is a value to start from
 * @compares: there is a value that has to be there
 * @filter: which object has to be there, not looked at here; NULL: none
 * @len: out: length of the new value
 * @made: out: where it is, under the turn
 * @scratch: where a short one is made
 * @version: out, of what is handed out: its version, or 0 if there is nothing
 * @base: out: where it is, with a reference; NULL: in @room, if there is one
 * @base_len: out: its length
 */
struct kreg_edit {
	void *bytes;
	u32 size;
	u32 count;
	u32 copied;
	u32 start;
	u32 start_len;
	u32 expected;
	u32 expected_len;
	u32 room;
	bool starts;
	bool compares;
	struct kreg_filter *filter;
	u32 len;
	const void *made;
	u64 version;
	struct kreg_blob *base;
	u32 base_len;
	u8 scratch[KREG_COPY_SHORT] __aligned(8);
};

/* Any. All but @bytes, and what is out. */
static inline void kreg_edit_init(struct kreg_edit *e)
{
	memset(e, 0, offsetof(struct kreg_edit, len));
	e->base = NULL;
}

/* Any. Whether what is there is a condition. */
static inline bool kreg_edit_asks(const struct kreg_edit *e)
{
	return e->compares || e->filter;
}

/* What has to be looked at was handed out, since it is too long; never the error of a call. */
#define KREG_EDIT_LONG		(-ERESTARTNOHAND)

/* Any. */
static inline struct kreg_field *kreg_edit_fields(const struct kreg_edit *e)
{
	return e->bytes;
}

/*
 * Any. @e->len is set to what a value of @len bytes gets, and @most to the bytes that it needs
 * on the way. -ERANGE.
 */
int kreg_edit_measure(struct kreg_edit *e, u32 len, u32 *most);
/*
 * Any. Edit a value of @len bytes at @value, where there is room for @most, and more than these of
 * it do not matter. -EOVERFLOW.
 */
int kreg_edit_run(struct kreg_edit *e, void *value, u32 len);
/* Any. Whether @value is what has to be there. */
bool kreg_edit_matches(const struct kreg_edit *e, const void *value, u32 len);
/*
 * Any. The value that was handed out; NULL: there was no room for it, and it is to be asked for
 * once more.
 */
const void *kreg_edit_base(const struct kreg_edit *e);

/* Turn. Whether the value of @old, or NULL, has to be there and is. -ECANCELED, KREG_EDIT_LONG. */
int kreg_store_compare(struct kreg_store *s, struct kreg_edit *e, const struct kreg_rec *old);
/*
 * Turn. What @c->edit makes of the value of @old, or NULL: @c->value if it is short, else
 * @c->value_len is set. -ENODATA: of nothing; -ERANGE, -EOVERFLOW; KREG_EDIT_LONG.
 */
int kreg_store_edit(struct kreg_store *s, struct kreg_change *c, const struct kreg_rec *old);
/*
 * Turn. Then, if it is not short, reserve a slot for @c and make its value there. -EOVERFLOW;
 * -EAGAIN, -ENOSPC as kreg_store_reserve().
 */
int kreg_store_make(struct kreg_store *s, struct kreg_change *c, const struct kreg_rec *old,
		    struct kreg_prealloc *f);

#endif /* KREG_STORE_EDIT_H */

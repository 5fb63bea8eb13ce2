/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which objects are meant, by what their keys and values are.
 *
 * A filter is a list of questions, each of which leads to one that stands behind it, or to the
 * end: an object is decided on in one pass, and a filter cannot loop. The caller's terms are
 * checked and brought into the form that is quickest to ask once, when the call begins.
 *
 * Classic BPF was measured for this: its loads are those of a fixed struct of aligned words, so
 * that keys and values would have to be copied into one, and to make a program takes longer than to
 * ask some hundred objects.
 */
#ifndef KREG_FILTER_FILTER_H
#define KREG_FILTER_FILTER_H

#include <linux/kreg.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct kreg_hit;

/*
 * A question. A number is looked at with its highest bit on top, and those below it are cut off by
 * @mask. All that there is to ask of it is whether it is one of @span + 1 numbers from @first on,
 * behind the highest of which comes 0, or whether it is none of them.
 */
struct kreg_question {
	u16 yes;		/* how many questions further on the next one is */
	u16 no;
	u8 of;
	u8 shift;
	bool swaps;
	bool negates;
	bool is_bytes;
	u16 size;		/* of a field */
	u32 offset;
	u32 bytes;		/* where they begin, behind the questions */
	u64 word_end;		/* a field so long has all of the word that is loaded for it */
	u64 mask;
	u64 first;
	u64 span;
};

struct kreg_filter {
	refcount_t refs;
	u32 weight;		/* what it costs to ask it, in objects that are only passed over */
	const struct kreg_question *end;
	u8 *bytes;		/* of all BYTES, */
	u32 size;		/* and how many these are */
	struct kreg_question questions[];
};

/*
 * Any. Whether the terms are a filter; how many bytes all of them compare with is in *bytes then.
 * -EFBIG, -EOPNOTSUPP, -EINVAL.
 */
int kreg_filter_check(const struct kreg_term *terms, u32 count, u32 *bytes);
/*
 * Sleeps. The filter of terms that have been checked; the caller has to fill in its bytes, those
 * of each term behind those of the one before. NULL: no memory.
 */
struct kreg_filter *kreg_filter_alloc(const struct kreg_term *terms, u32 count, u32 bytes);

/* Sleeps. Nobody has a reference. */
void kreg_filter_free(struct kreg_filter *f);

/* Any. */
static inline struct kreg_filter *kreg_filter_get(struct kreg_filter *f)
{
	if (f)
		refcount_inc(&f->refs);
	return f;
}

/* Sleeps. NULL is allowed. */
static inline void kreg_filter_put(struct kreg_filter *f)
{
	if (f && refcount_dec_and_test(&f->refs))
		kreg_filter_free(f);
}

/* Any. Bytes that its caller has brought, of one or NULL. */
size_t kreg_filter_size(const struct kreg_filter *f);

/* RCU, or the turn, in which @hit was found. */
bool kreg_filter_matches(const struct kreg_filter *f, const struct kreg_hit *hit);

#endif /* KREG_FILTER_FILTER_H */

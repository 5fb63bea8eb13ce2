// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "filter/filter.h"
#include "store/gfp.h"
#include "store/store.h"

/* Of a term with BYTES, so many cost as much as to pass over an object. */
#define WEIGHT_BYTES	64
/* Likewise terms. */
#define WEIGHT_TERMS	4

static bool is_field(const struct kreg_term *t)
{
	return t->of == KREG_TERM_VALUE || t->of == KREG_TERM_KEY;
}

static bool is_unknown_term(const struct kreg_term *t)
{
	return !t->op || t->op > KREG_TERM_BYTES || !t->of || t->of > KREG_TERM_VERSION ||
	       t->flags & ~KREG_TERM_ALL || t->reserved;
}

/* The bits that the number has. */
static u64 number_bits(const struct kreg_term *t)
{
	return is_field(t) ? GENMASK_ULL(t->size * 8 - 1, 0) : U64_MAX;
}

/* Whether it can be that, with its size and sign. */
static bool is_possible(const struct kreg_term *t)
{
	u64 bits = number_bits(t), rest = t->value & ~bits;

	if (!(t->flags & KREG_TERM_SIGNED))
		return !rest;
	/* The bits above the number are as its sign. */
	return rest == (t->value & (bits ^ bits >> 1) ? ~bits : 0);
}

static bool is_wrong_number(const struct kreg_term *t)
{
	u64 bits = number_bits(t);

	if (!(t->mask & bits) || (t->mask != U64_MAX && t->mask & ~bits))
		return true;
	if (t->flags & KREG_TERM_SIGNED && (t->mask & bits) != bits)
		return true;
	if (t->op == KREG_TERM_BITS)
		return t->value || t->flags & KREG_TERM_SIGNED;
	return !is_possible(t) || (t->value & bits & ~t->mask);
}

static bool is_wrong(const struct kreg_term *t)
{
	if (t->op == KREG_TERM_BYTES)
		return !is_field(t) || !t->size || t->flags || t->mask;
	if (!is_field(t))
		return t->size || t->flags || t->offset || is_wrong_number(t);
	if (!t->size || t->size > sizeof(u64) || !is_power_of_2(t->size))
		return true;
	return is_wrong_number(t);
}

/* With @left terms behind it. */
static bool leads_out(u8 pass, u32 left)
{
	return pass > left && pass != KREG_TERM_REJECT;
}

static int check_terms(const struct kreg_term *terms, u32 count, u32 *bytes)
{
	u32 i;

	*bytes = 0;
	for (i = 0; i < count; i++) {
		const struct kreg_term *t = &terms[i];
		u32 left = count - 1 - i;

		if (is_wrong(t) || leads_out(t->yes, left) || leads_out(t->no, left))
			return -EINVAL;
		if (t->op == KREG_TERM_BYTES)
			*bytes += t->size;
	}
	return *bytes > KREG_MAX_TERM_BYTES ? -EFBIG : 0;
}

int kreg_filter_check(const struct kreg_term *terms, u32 count, u32 *bytes)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (is_unknown_term(&terms[i]))
			return -EOPNOTSUPP;
	return check_terms(terms, count, bytes);
}

/*
 * A number that is loaded as a word has its highest bit on top if the machine or the number is
 * big-endian, once the word is swapped where they differ; else after a shift.
 */
static void set_number(struct kreg_question *q, const struct kreg_term *t)
{
	u64 bits = number_bits(t);
	u32 up = is_field(t) ? 64 - t->size * 8 : 0;

	if (!IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && is_field(t)) {
		q->swaps = t->flags & KREG_TERM_BIG_ENDIAN;
		q->shift = q->swaps ? 0 : up;
	}
	q->mask = (t->mask & bits) << up;
	q->flip = t->flags & KREG_TERM_SIGNED ? BIT_ULL(63) : 0;
	q->value = (t->value & bits) << up ^ q->flip;
}

struct kreg_filter *kreg_filter_alloc(const struct kreg_term *terms, u32 count, u32 bytes)
{
	struct kreg_filter *f;
	u32 i, at = 0;

	f = kvzalloc(struct_size(f, questions, count) + bytes, KREG_GFP_USER);
	if (!f)
		return NULL;
	refcount_set(&f->refs, 1);
	f->count = count;
	f->weight = 1 + count / WEIGHT_TERMS + bytes / WEIGHT_BYTES;
	f->bytes = (u8 *)&f->questions[count];
	for (i = 0; i < count; i++) {
		const struct kreg_term *t = &terms[i];
		struct kreg_question *q = &f->questions[i];

		q->op = t->op;
		q->of = t->of;
		q->yes = t->yes;
		q->no = t->no;
		q->size = t->size;
		q->offset = t->offset;
		if (t->op != KREG_TERM_BYTES) {
			set_number(q, t);
			continue;
		}
		q->bytes = at;
		at += t->size;
	}
	return f;
}

void kreg_filter_free(struct kreg_filter *f)
{
	kvfree(f);
}

/* A word of which no more than @len bytes are there. */
static noinline u64 load_end(const u8 *from, u32 len)
{
	u64 word = 0;

	memcpy(&word, from, len);
	return word;
}

static __always_inline bool compare_number(const struct kreg_question *q, u64 number)
{
	number = (number & q->mask) ^ q->flip;
	switch (q->op) {
	case KREG_TERM_EQ:
		return number == q->value;
	case KREG_TERM_NE:
		return number != q->value;
	case KREG_TERM_LT:
		return number < q->value;
	case KREG_TERM_LE:
		return number <= q->value;
	case KREG_TERM_GT:
		return number > q->value;
	case KREG_TERM_GE:
		return number >= q->value;
	default:
		return number;
	}
}

static __always_inline bool ask_field(const struct kreg_filter *f, const struct kreg_question *q,
				      const u8 *bytes, u32 len)
{
	u32 left = len - q->offset;
	u64 word;

	if (unlikely(q->offset > len || q->size > left))
		return false;
	bytes += q->offset;
	if (q->op == KREG_TERM_BYTES)
		return !memcmp(bytes, f->bytes + q->bytes, q->size);
	word = likely(left >= sizeof(word)) ? kreg_read_word(bytes) : load_end(bytes, left);
	return compare_number(q, q->swaps ? swab64(word) : word << q->shift);
}

static __always_inline bool ask_question(const struct kreg_filter *f,
					 const struct kreg_question *q,
					 const struct kreg_hit *hit, const u8 *value)
{
	switch (q->of) {
	case KREG_TERM_VALUE:
		return ask_field(f, q, value, hit->value_len);
	case KREG_TERM_KEY:
		return ask_field(f, q, hit->key, hit->key_len);
	case KREG_TERM_VALUE_LEN:
		return compare_number(q, hit->value_len);
	case KREG_TERM_KEY_LEN:
		return compare_number(q, hit->key_len);
	default:
		return compare_number(q, hit->version);
	}
}

bool kreg_filter_matches(const struct kreg_filter *f, const struct kreg_hit *hit)
{
	const u8 *value = likely(!hit->blob) ? hit->value : kreg_blob_bytes(hit->blob);
	u32 i = 0;

	while (i < f->count) {
		const struct kreg_question *q = &f->questions[i];

		i += 1 + (ask_question(f, q, hit, value) ? q->yes : q->no);
	}
	return i == f->count;
}

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

/* Which numbers are asked for by a term with @value, in the order of those without a sign. */
static void set_span(struct kreg_question *q, u8 op, u64 value)
{
	q->negates = op == KREG_TERM_NE || op == KREG_TERM_BITS || op == KREG_TERM_LT ||
		     op == KREG_TERM_GT;
	switch (op) {
	case KREG_TERM_LT:
	case KREG_TERM_GE:
		q->first = value;
		q->span = U64_MAX - value;
		break;
	case KREG_TERM_GT:
	case KREG_TERM_LE:
		q->span = value;
		break;
	default:
		q->first = value;
	}
}

/*
 * A number that is loaded as a word has its highest bit on top if the machine or the number is
 * big-endian, once the word is swapped where they differ; else after a shift. With a sign, those
 * below 0 come first: all are half of all numbers further on in that order.
 */
static void set_number(struct kreg_question *q, const struct kreg_term *t)
{
	u64 half = t->flags & KREG_TERM_SIGNED ? BIT_ULL(63) : 0;
	u32 up = is_field(t) ? 64 - t->size * 8 : 0;
	u64 bits = number_bits(t);

	if (!IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && is_field(t)) {
		q->swaps = t->flags & KREG_TERM_BIG_ENDIAN;
		q->shift = q->swaps ? 0 : up;
	}
	if (is_field(t))
		q->word_end = (u64)t->offset + sizeof(u64);
	q->mask = (t->mask & bits) << up;
	set_span(q, t->op, ((t->value & bits) << up) + half);
	q->first -= half;
}

static void set_question(struct kreg_question *q, const struct kreg_term *t, u32 *bytes)
{
	q->of = t->of;
	q->yes = t->yes + 1;
	q->no = t->no + 1;
	q->size = t->size;
	q->offset = t->offset;
	q->word_end = U64_MAX;
	if (t->op != KREG_TERM_BYTES) {
		set_number(q, t);
		return;
	}
	q->is_bytes = true;
	q->bytes = *bytes;
	*bytes += t->size;
}

struct kreg_filter *kreg_filter_alloc(const struct kreg_term *terms, u32 count, u32 bytes)
{
	struct kreg_filter *f;
	u32 i, at = 0;

	f = kvzalloc(struct_size(f, questions, count) + bytes, KREG_GFP_USER);
	if (!f)
		return NULL;
	refcount_set(&f->refs, 1);
	f->end = f->questions + count;
	f->weight = 1 + count / WEIGHT_TERMS + bytes / WEIGHT_BYTES;
	f->bytes = (u8 *)f->end;
	f->size = bytes;
	for (i = 0; i < count; i++)
		set_question(&f->questions[i], &terms[i], &at);
	return f;
}

size_t kreg_filter_size(const struct kreg_filter *f)
{
	return f ? (f->end - f->questions) * sizeof(*f->end) + f->size : 0;
}

void kreg_filter_free(struct kreg_filter *f)
{
	kvfree(f);
}

/* A word of which no more than @len bytes are there. */
static u64 load_end(const u8 *from, u32 len)
{
	u64 word = 0;

	memcpy(&word, from, min_t(u32, len, sizeof(word)));
	return word;
}

static bool ask_number(const struct kreg_question *q, u64 number)
{
	return ((number & q->mask) - q->first <= q->span) != q->negates;
}

static bool ask_word(const struct kreg_question *q, u64 word)
{
	return ask_number(q, q->swaps ? swab64(word) : word << q->shift);
}

static bool ask_field(const struct kreg_filter *f, const struct kreg_question *q,
		      const u8 *bytes, u32 len)
{
	if (q->offset > len || q->size > len - q->offset)
		return false;
	bytes += q->offset;
	return q->is_bytes ? !memcmp(bytes, f->bytes + q->bytes, q->size) :
			     ask_word(q, load_end(bytes, len - q->offset));
}

/* What is no number, or has no whole word that it can be loaded as. */
static noinline bool ask_rare(const struct kreg_filter *f, const struct kreg_question *q,
			      const struct kreg_hit *hit, const u8 *value)
{
	switch (q->of) {
	case KREG_TERM_VALUE:
		return ask_field(f, q, value, hit->value_len);
	case KREG_TERM_KEY:
		return ask_field(f, q, hit->key, hit->key_len);
	case KREG_TERM_VALUE_LEN:
		return ask_number(q, hit->value_len);
	case KREG_TERM_KEY_LEN:
		return ask_number(q, hit->key_len);
	default:
		return ask_number(q, hit->version);
	}
}

static __always_inline bool ask_question(const struct kreg_filter *f,
					 const struct kreg_question *q,
					 const struct kreg_hit *hit, const u8 *value)
{
	bool of_value = q->of == KREG_TERM_VALUE;

	if (unlikely(q->word_end > (of_value ? hit->value_len : hit->key_len)))
		return ask_rare(f, q, hit, value);
	return ask_word(q, kreg_read_word((of_value ? value : hit->key) + q->offset));
}

bool kreg_filter_matches(const struct kreg_filter *f, const struct kreg_hit *hit)
{
	const struct kreg_question *q = f->questions, *end = f->end;
	const u8 *value = likely(!hit->blob) ? hit->value : kreg_blob_bytes(hit->blob);

	while (q < end)
		q += ask_question(f, q, hit, value) ? q->yes : q->no;
	return q == end;
}

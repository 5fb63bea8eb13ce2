/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions about the objects of a kept table: a filter and a prefix of the keys, both at
 * random, and the answer that follows from whose key it is, which one, and the version.
 */
#ifndef KREG_STRESS_QUESTION_H
#define KREG_STRESS_QUESTION_H

#include <stddef.h>

#include "kit/filter.h"
#include "stress/lane.h"

#define TERMS	5		/* of a filter, at most */
#define PREFIX	8		/* bytes of a key that tell whose it is, and which one */

struct question {
	struct kreg_term terms[TERMS];
	__u32 count;
	__u8 prefix[PREFIX];
	__u32 prefix_len;	/* 0: all keys */
	__u32 bytes;		/* those of a term */
};

/* What a filter can know of an object. */
struct facts {
	__u8 key[PREFIX];
	__u32 key_len;
	struct value value;
};

static inline void get_facts(struct facts *f, __u32 table, __u32 lane, __u32 index,
			     __u32 version)
{
	__u64 tag = value_tag(table, lane, index, version);

	memcpy(f->key, &lane, 4);
	memcpy(f->key + 4, &index, 4);
	f->key_len = key_len(index);
	f->value = (struct value) {
		.tag = tag,
		.table = table,
		.lane = lane,
		.index = index,
		.version = version,
		.len = value_len(tag, lane, index),
	};
}

static inline __u64 number_of(const struct kreg_term *t, const struct facts *f)
{
	__u64 n = 0;

	if (t->of == KREG_TERM_VALUE_LEN)
		return f->value.len;
	if (t->of == KREG_TERM_KEY_LEN)
		return f->key_len;
	memcpy(&n, (t->of == KREG_TERM_KEY ? f->key : (const __u8 *)&f->value) + t->offset,
	       t->size);
	return n;
}

static inline bool answer(const struct question *q, const struct kreg_term *t,
			  const struct facts *f)
{
	__u64 n;

	if (t->op == KREG_TERM_BYTES)
		return !memcmp(f->key + t->offset, (char *)&q->bytes, t->size);
	n = number_of(t, f) & t->mask;
	switch (t->op) {
	case KREG_TERM_EQ:
		return n == t->value;
	case KREG_TERM_NE:
		return n != t->value;
	case KREG_TERM_LT:
		return n < t->value;
	case KREG_TERM_LE:
		return n <= t->value;
	case KREG_TERM_GT:
		return n > t->value;
	case KREG_TERM_GE:
		return n >= t->value;
	}
	return n;
}

/* Is it asked for, with this version? */
static inline bool matches(const struct question *q, __u32 table, __u32 lane, __u32 index,
			   __u32 version)
{
	const struct kreg_term *t;
	__u32 at = 0, pass;
	struct facts f;

	get_facts(&f, table, lane, index, version);
	if (memcmp(f.key, q->prefix, q->prefix_len))
		return false;
	while (at < q->count) {
		t = &q->terms[at];
		pass = answer(q, t, &f) ? t->yes : t->no;
		if (pass == KREG_TERM_REJECT)
			return false;
		at += 1 + pass;
	}
	return true;
}

/* A comparison of a member of the value with one that an object has. */
static inline struct kreg_term ask_member(struct data *d, const struct facts *f)
{
	static const __u32 members[] = {
		offsetof(struct value, lane), offsetof(struct value, index),
		offsetof(struct value, version), offsetof(struct value, len),
	};
	__u32 at = members[pick(d, 4)], like;

	memcpy(&like, (const __u8 *)&f->value + at, sizeof(like));
	return test_u32(KREG_TERM_EQ + pick(d, 6), at, like);
}

static inline struct kreg_term random_term(struct data *d, struct question *q,
					   const struct facts *f)
{
	struct kreg_term t;

	switch (pick(d, 8)) {
	case 0:
		return test_term(KREG_TERM_EQ + pick(d, 6), KREG_TERM_VALUE_LEN, 0, 0,
				 f->value.len);
	case 1:
		return test_term(KREG_TERM_EQ + pick(d, 6), KREG_TERM_KEY_LEN, 0, 0, f->key_len);
	case 2:
		return test_term(KREG_TERM_EQ + pick(d, 6), KREG_TERM_KEY, 4, 4, f->value.index);
	case 3:
		memcpy(&q->bytes, f->key, sizeof(q->bytes));
		t = test_term(KREG_TERM_BYTES, KREG_TERM_KEY, sizeof(q->bytes), 0,
			      test_ptr(&q->bytes));
		t.mask = 0;
		return t;
	case 4:
		t = test_term(KREG_TERM_BITS, KREG_TERM_VALUE, 1, pick(d, 8), 0);
		t.mask = 1U << pick(d, 8);
		return t;
	}
	return ask_member(d, f);
}

/* Where to go on, if there are so many terms behind it. */
static inline __u8 random_way(struct data *d, __u32 left)
{
	return pick(d, 3) ? pick(d, left + 1) : KREG_TERM_REJECT;
}

/* @from: so many terms are there already, to which these are added. */
static inline void add_terms(struct data *d, struct question *q, __u32 table, __u32 from)
{
	__u32 lane = pick(d, world->players * LANES), index = pick(d, KEYS), i;
	bool all = pick(d, 2);
	struct facts f;

	get_facts(&f, table, lane, index, load(&world->lanes[lane].cells[table][index].lo));
	q->count = from + 1 + pick(d, TERMS - from);
	for (i = from; i < q->count; i++) {
		q->terms[i] = random_term(d, q, &f);
		if (all)
			continue;
		q->terms[i].yes = random_way(d, q->count - 1 - i);
		q->terms[i].no = random_way(d, q->count - 1 - i);
	}
	q->prefix_len = pick(d, 3) ? 0 : 1 + pick(d, PREFIX);
	memcpy(q->prefix, f.key, PREFIX);
}

static inline void set_question(struct kreg_range *r, const struct question *q)
{
	test_set_filter(r, q->terms, q->count);
	if (!q->prefix_len)
		return;
	r->low = test_ptr(q->prefix);
	r->low_len = q->prefix_len;
	r->flags = KREG_RANGE_PREFIX;
}

#endif /* KREG_STRESS_QUESTION_H */

/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later */
/*
 * The reader's side of an ordered list: order, and the way down its tree. README.md has the
 * proof that readers may go by it.
 *
 * DOC: An ordered list
 *
 * Records are sorted by their keys, compared as bytes, the shorter of two first of which one
 * begins with the other; of several records with one key the younger comes first. Marks stand
 * between records of different keys. Each has a key that is above all keys before it and not
 * above those behind it, most often the first few bytes of the key behind it. What stands
 * between two marks is a bucket of a few records.
 *
 * Where a key may have several objects, a run of them, these stand in the order in which they
 * came, by commit and by their number in that commit (sub), and each has its own place in the
 * order. There a mark has such a place, too: inside a run that of the record behind it, else the
 * commit 0, which is in front of all objects of the mark's key.
 *
 * A tree leads to the marks. Its nodes do not change, but for references to nodes that were
 * replaced. A reader goes down to the last mark that is not above its key, and walks from there.
 * With nodes or marks that were replaced since, it comes to one that stands further to the left,
 * or is unlinked and keeps its link: that makes the walk longer and nothing else.
 *
 * The file that includes this one tells how references are followed, as in lookup.h.
 */
#ifndef KREG_STORE_ORDER_H
#define KREG_STORE_ORDER_H

#include "store/layout.h"

/* Eight bytes, the first of which is the highest. */
static inline u64 kreg_order_word(const u8 *bytes)
{
	u64 word = kreg_read_word(bytes);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* Those from @skip on of a key, with zeroes behind its end. */
static inline u64 kreg_order_word_at(const u8 *bytes, u32 len, u32 skip)
{
	u32 shift = 64;
	u64 word = 0;

	if (len >= skip + sizeof(word))
		return kreg_order_word(bytes + skip);
	for (; skip < len; skip++)
		word |= (u64)bytes[skip] << (shift -= 8);
	return word;
}

/* How many bytes the beginnings of two keys have in common. */
static inline u32 kreg_order_common(const u8 *a, u32 a_len, const u8 *b, u32 b_len)
{
	u32 len = a_len < b_len ? a_len : b_len, i;

	for (i = 0; i != len && a[i] == b[i]; i++)
		;
	return i;
}

/* Below 0: @a comes before @b; 0: they are the same. */
static inline int kreg_order_compare(const u8 *a, u32 a_len, const u8 *b, u32 b_len)
{
	u32 len = a_len < b_len ? a_len : b_len, i;

	for (i = 0; i + 8 <= len; i += 8) {
		u64 x = kreg_order_word(a + i), y = kreg_order_word(b + i);

		if (x != y)
			return x < y ? -1 : 1;
	}
	for (; i < len; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return a_len < b_len ? -1 : a_len > b_len;
}

/* Below 0: @r stands before @key; 0: it has this key; above 0: behind. */
static inline int kreg_order_read(const struct kreg_rec *r, const struct kreg_key *key)
{
	return kreg_order_compare(r->bytes, kreg_rec_key_len(r), key->bytes, key->len);
}

/* The same of two objects of one run; @r may be a mark. */
static inline int kreg_order_in_run(const struct kreg_rec *r, u64 born, u32 sub)
{
	if (r->born != born)
		return r->born < born ? -1 : 1;
	return r->hash < sub ? -1 : r->hash > sub;
}

static inline const struct kreg_rec_tree *kreg_order_node(const struct kreg_reader *v, u32 ref)
{
	return (const void *)kreg_reader_rec(v, ref)->bytes;
}

/* The first mark behind entry @i, which is not the first of its level. */
static inline const struct kreg_rec *kreg_order_first(const struct kreg_reader *v,
						      const struct kreg_rec_tree *n, u32 i)
{
	u32 ref = READ_ONCE(n->refs[i]);
	u32 level;

	for (level = n->level; level; level--)
		ref = READ_ONCE(kreg_order_node(v, ref)->refs[0]);
	return kreg_reader_rec(v, ref);
}

/*
 * Where to look for a key: at its place, or, with @before, at what stands before it. With @run,
 * at the place of @born and @sub among the objects of the key.
 */
struct kreg_order_goal {
	const struct kreg_key *key;
	bool before;
	bool run;
	u32 sub;
	u64 born;
};

/* Below 0: @r stands before the goal; 0: it is there; above 0: behind. */
static inline int kreg_order_read_at(const struct kreg_rec *r, const struct kreg_order_goal *goal)
{
	int order = kreg_order_read(r, goal->key);

	return order || !goal->run ? order : kreg_order_in_run(r, goal->born, goal->sub);
}

/* Whether the goal is in front of entry @i, whose word is that of the goal. */
static inline bool kreg_order_is_ahead(const struct kreg_reader *v, const struct kreg_rec_tree *n,
				       u32 i, const struct kreg_order_goal *goal)
{
	int order = kreg_order_read_at(kreg_order_first(v, n, i), goal);

	return goal->before ? order >= 0 : order > 0;
}

/* Below 0: the goal is in front of all entries but the first; above 0: behind them all. */
static inline int kreg_order_probe(const struct kreg_reader *v, const struct kreg_rec_tree *n,
				   const struct kreg_key *key)
{
	const struct kreg_rec *first = kreg_reader_rec(v, READ_ONCE(n->probe));
	u32 len = key->len < n->skip ? key->len : n->skip;

	return kreg_order_compare(key->bytes, len, first->bytes, n->skip);
}

/* The last entry that is not behind the goal. */
static inline u32 kreg_order_entry(const struct kreg_reader *v, const struct kreg_rec_tree *n,
				   const struct kreg_order_goal *goal)
{
	const struct kreg_key *key = goal->key;
	u32 low = 1, len = n->count - 1;
	u64 word;

	if (n->skip) {
		int order = kreg_order_probe(v, n, key);

		if (order)
			return order < 0 ? 0 : len;
	}
	word = kreg_order_word_at(key->bytes, key->len, n->skip);
	while (len) {
		u32 half = len / 2, i = low + half;

		if (n->words[i] < word ||
		    (n->words[i] == word && !kreg_order_is_ahead(v, n, i, goal))) {
			low = i + 1;
			len -= half + 1;
		} else {
			len = half;
		}
	}
	return low - 1;
}

/*
 * The last mark that is not behind the goal; 0: the begin of the list. Each load of a reference
 * pairs with the store-release that put it there, since what is loaded through it is dependent
 * on it.
 */
static inline u32 kreg_order_mark(const struct kreg_reader *v, const struct kreg_order_goal *goal)
{
	u32 ref = READ_ONCE(v->root->front->tree);

	while (ref) {
		const struct kreg_rec_tree *n = kreg_order_node(v, ref);

		ref = READ_ONCE(n->refs[kreg_order_entry(v, n, goal)]);
		if (!n->level)
			break;
	}
	return ref;
}

/* The link behind a mark. */
static inline const u32 *kreg_order_link(const struct kreg_reader *v, u32 mark)
{
	return mark ? &kreg_reader_rec(v, mark)->link : kreg_reader_head(v, 0);
}

/* As kreg_lookup(), in an ordered list without runs. A mark is never valid, nor younger. */
static inline const struct kreg_rec *
kreg_order_lookup(const struct kreg_reader *v, const struct kreg_key *key, u64 c)
{
	const struct kreg_order_goal goal = { .key = key };
	const u32 *from = kreg_order_link(v, kreg_order_mark(v, &goal));
	bool newer = false;
	u32 link;

	while ((link = READ_ONCE(*from))) {
		const struct kreg_rec *r = kreg_reader_rec(v, link);
		int order = kreg_order_read(r, key);

		if (order > 0)
			break;
		if (!order && r->born > c)
			newer = true;
		else if (!order && c < READ_ONCE(r->died))
			return r;
		from = &r->link;
	}
	return newer ? KREG_LOOKUP_NEWER : NULL;
}

#endif /* KREG_STORE_ORDER_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of the list that have become long.
 *
 * The seed of a hash is secret, but the list is in the order of the hash, and so is a
 * scan. Who may write can put many keys, scan, and keep those that come first: they are
 * of one bucket as long as the index does not grow. The writer notes that a part has become
 * long: when more than KREG_STRETCH records are passed on the way to a key, or stand behind
 * one that is new. Then what would have to be done in one hold of the turn is not.
 */
#include "store/marks.h"

void kreg_marks_note(struct kreg_store *s, u32 hash)
{
	kreg_store_assert(s);
	s->crowd.wanted = true;
}

void kreg_marks_look(struct kreg_store *s, const u32 *from, u32 hash, unsigned int left)
{
	kreg_store_assert(s);
	do {
		if (!*from || *from & KREG_LINK_BUCKET)
			return;
		from = &kreg_arena_rec(s, *from)->link;
	} while (left--);
	kreg_marks_note(s, hash);
}

void kreg_marks_count_links(struct kreg_store *s)
{
	unsigned int walked = KREG_HOLD_LINKS - s->links;

	kreg_store_assert(s);
	if (walked > s->most_links)
		WRITE_ONCE(s->most_links, walked);
}

void kreg_marks_forget(struct kreg_store *s)
{
	kreg_store_assert(s);
	s->crowd = (struct kreg_crowd) {};
	s->most_links = 0;
}

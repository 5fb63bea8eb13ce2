// SPDX-License-Identifier: GPL-2.0
/*
 * Where in an ordered list a key is, or would be, for the holder of the turn; and, where a key may
 * have several objects, where each of them is.
 */
#include "store/marks.h"
#include "store/order_find.h"
#include "store/tree.h"

static void note_found(struct kreg_place *place, struct kreg_rec *r)
{
	place->old = r;
	place->old_ref = *place->link;
	place->old_bytes = kreg_rec_key_len(r) + kreg_rec_value_len(r);
}

/* From place->link on, over @left records at most. False: they were not enough. */
static bool walk_ordered(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place,
			 u32 *left)
{
	struct kreg_rec *r;

	while ((r = kreg_order_rec(s, place->link))) {
		int order = kreg_order_read(r, key);

		if (order > 0)
			return true;
		/* Without runs the youngest of a key comes first; if it is dead, all are. */
		if (!order && !kreg_order_is_mark(r) && !s->runs) {
			if (r->died == KREG_ALIVE)
				note_found(place, r);
			return true;
		}
		if (!*left)
			return false;
		--*left;
		place->link = &r->link;
		place->steps += kreg_rec_stays(s, r);
	}
	return true;
}

bool kreg_order_find_on(struct kreg_store *s, const struct kreg_key *key,
			struct kreg_place *place)
{
	u32 left = s->links;
	bool found = walk_ordered(s, key, place, &left);

	kreg_store_assert(s);
	s->links = left;
	kreg_marks_count_links(s);
	return found;
}

/* To the last mark before @goal. */
static __always_inline void start_walk(struct kreg_store *s, const struct kreg_order_goal *goal,
				       struct kreg_place *place)
{
	struct kreg_tree_way way;

	place->mark = kreg_tree_descend(s, goal, &way);
	place->link = kreg_order_link_behind(s, place->mark);
	place->old = NULL;
	place->steps = 0;
}

bool kreg_order_find(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place)
{
	/* A new object comes at the end of its run. */
	const struct kreg_order_goal goal = {
		.key = key,
		.run = s->runs,
		.born = KREG_ALIVE,
		.sub = ~0u,
	};
	u32 left = KREG_ORDER_FAR;

	kreg_store_assert(s);
	start_walk(s, &goal, place);
	if (likely(walk_ordered(s, key, place, &left)))
		return true;
	/* Until it is cut what is lent the turn may not hold it long enough. */
	s->crowd.wanted = true;
	return kreg_order_find_on(s, key, place);
}

static void pass_by(const struct kreg_store *s, struct kreg_place *place, struct kreg_rec *r)
{
	if (kreg_order_is_mark(r)) {
		place->mark = *place->link;
		place->steps = 0;
	} else {
		place->steps += kreg_rec_stays(s, r);
	}
	place->link = &r->link;
}

/* From place->link on to the next live object of @key; without one place->old is NULL. */
bool kreg_run_find_on(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place)
{
	struct kreg_rec *r;
	bool found = true;

	kreg_store_assert(s);
	place->old = NULL;
	while ((r = kreg_order_rec(s, place->link))) {
		int order = kreg_order_read(r, key);

		if (order > 0)
			break;
		if (!order && !kreg_order_is_mark(r) && r->died == KREG_ALIVE) {
			note_found(place, r);
			break;
		}
		found = s->links;
		if (!found)
			break;
		s->links--;
		pass_by(s, place, r);
	}
	kreg_marks_count_links(s);
	return found;
}

bool kreg_run_find_first(struct kreg_store *s, const struct kreg_key *key,
			 struct kreg_place *place)
{
	const struct kreg_order_goal goal = { .key = key, .run = true };

	kreg_store_assert(s);
	start_walk(s, &goal, place);
	return kreg_run_find_on(s, key, place);
}

bool kreg_run_find_next(struct kreg_store *s, const struct kreg_key *key,
			struct kreg_place *place)
{
	kreg_store_assert(s);
	pass_by(s, place, place->old);
	place->old = NULL;
	if (!s->links)
		return false;
	/* To look at an object takes as long as to walk over a link. */
	s->links--;
	return kreg_run_find_on(s, key, place);
}

bool kreg_run_find(struct kreg_store *s, const struct kreg_key *key, u64 born, u32 sub,
		   struct kreg_place *place, bool on)
{
	const struct kreg_order_goal goal = { .key = key, .run = true, .born = born, .sub = sub };
	struct kreg_rec *r;
	bool found = true;
	int order;

	kreg_store_assert(s);
	if (!on)
		start_walk(s, &goal, place);
	while ((r = kreg_order_rec(s, place->link))) {
		order = kreg_order_read_at(r, &goal);
		if (!order && !kreg_order_is_mark(r) && r->died == KREG_ALIVE)
			note_found(place, r);
		if (order > 0 || place->old)
			break;
		found = s->links;
		if (!found)
			break;
		s->links--;
		pass_by(s, place, r);
	}
	kreg_marks_count_links(s);
	return found;
}

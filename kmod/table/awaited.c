// SPDX-License-Identifier: GPL-2.0
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "store/gfp.h"
#include "store/layout.h"
#include "table/awaited.h"

static const struct kreg_outcome nothing_there;
static const struct kreg_outcome denied = {
	.result = -EACCES,
	.cause = KREG_CAUSE_ACCESS,
};

void kreg_awaited_set_init(struct kreg_awaited_set *set, unsigned int buckets, spinlock_t *lock,
			   void *owner)
{
	unsigned int i;

	set->lock = lock;
	set->owner = owner;
	set->mask = buckets - 1;
	INIT_LIST_HEAD(&set->all);
	INIT_LIST_HEAD(&set->touched);
	INIT_LIST_HEAD(&set->voided);
	INIT_LIST_HEAD(&set->due);
	INIT_LIST_HEAD(&set->lined);
	INIT_LIST_HEAD(&set->freed);
	for (i = 0; i < buckets; i++)
		INIT_HLIST_HEAD(&set->buckets[i]);
}

struct kreg_awaited *kreg_awaited_alloc(const void *key, u32 key_len)
{
	struct kreg_awaited *a;
	unsigned int i;

	a = kzalloc(struct_size(a, key, key_len), KREG_GFP_USER);
	if (!a)
		return NULL;
	for (i = 0; i < KREG_AWAITED_LISTS; i++) {
		INIT_LIST_HEAD(&a->waits[i].waiting);
		INIT_LIST_HEAD(&a->waits[i].due);
	}
	INIT_LIST_HEAD(&a->touched);
	INIT_LIST_HEAD(&a->due);
	INIT_LIST_HEAD(&a->line);
	INIT_LIST_HEAD(&a->lined);
	a->key_len = key_len;
	memcpy(a->key, key, key_len);
	return a;
}

/* Those of one list are due, and told that @outcome is why. */
static void make_due(struct kreg_awaited *a, enum kreg_awaited_list list,
		     const struct kreg_outcome *outcome)
{
	struct kreg_waits *waits = &a->waits[list];

	if (list_empty(&waits->waiting))
		return;
	list_splice_tail_init(&waits->waiting, &waits->due);
	waits->outcome = *outcome;
	if (list_empty(&a->due))
		list_add_tail(&a->due, &a->set->due);
}

/* Its object went with a clear that it was not told of yet. */
static void catch_up(struct kreg_awaited *a)
{
	if (likely(a->clears == a->set->clears))
		return;
	a->clears = a->set->clears;
	a->was_hidden = false;
	make_due(a, KREG_AWAITED_ABSENT, &nothing_there);
	make_due(a, KREG_AWAITED_CHANGED, &nothing_there);
}

struct kreg_awaited *kreg_awaited_find(struct kreg_awaited_set *set, const struct kreg_key *key,
				       const void *scope)
{
	struct kreg_awaited *a;

	lockdep_assert_held(set->lock);
	hlist_for_each_entry(a, &set->buckets[key->hash & set->mask], node) {
		if (a->hash == key->hash && a->scope == scope && a->key_len == key->len &&
		    !memcmp(a->key, key->bytes, key->len)) {
			catch_up(a);
			return a;
		}
	}
	return NULL;
}

struct kreg_awaited *kreg_awaited_enter(struct kreg_awaited_set *set, const struct kreg_key *key,
					const void *scope, unsigned int most,
					struct kreg_awaited **brought)
{
	struct kreg_awaited *a = kreg_awaited_find(set, key, scope);

	if (a || set->count >= most)
		return a;
	a = *brought;
	*brought = NULL;
	a->set = set;
	a->scope = scope;
	a->hash = key->hash;
	a->clears = set->clears;
	hlist_add_head(&a->node, &set->buckets[key->hash & set->mask]);
	list_add_tail(&a->all, &set->all);
	set->count++;
	return a;
}

/* Whether nobody waits there or stands in line, and nobody is due. */
static bool is_idle(const struct kreg_awaited *a)
{
	unsigned int i;

	if (!list_empty(&a->line))
		return false;
	for (i = 0; i < KREG_AWAITED_LISTS; i++)
		if (!list_empty(&a->waits[i].waiting) || !list_empty(&a->waits[i].due))
			return false;
	return true;
}

static void free_if_idle(struct kreg_awaited *a)
{
	if (!is_idle(a))
		return;
	hlist_del(&a->node);
	list_del(&a->all);
	list_del(&a->touched);
	list_del(&a->due);
	list_del(&a->lined);
	a->set->count--;
	kfree(a);
}

void kreg_awaited_wait(struct kreg_awaited *a, struct kreg_wait *wait,
		       enum kreg_awaited_list list)
{
	lockdep_assert_held(a->set->lock);
	wait->at = a;
	wait->narrowings = a->set->narrowings;
	list_add_tail(&wait->node, &a->waits[list].waiting);
}

/* It is in no list any more. */
static void unlist_wait(struct kreg_wait *wait)
{
	struct kreg_awaited *a = wait->at;

	list_del_init(&wait->node);
	if (!wait->candidate)
		return;
	wait->leave(wait->candidate);
	a->nr_line--;
	if (list_empty(&a->line))
		list_del_init(&a->lined);
}

bool kreg_wait_cancel(struct kreg_wait *wait)
{
	bool pending;

	spin_lock(wait->lock);
	pending = !list_empty(&wait->node);
	if (pending) {
		unlist_wait(wait);
		free_if_idle(wait->at);
	}
	spin_unlock(wait->lock);
	return pending;
}

void kreg_awaited_line_up(struct kreg_awaited *a, struct kreg_wait *wait)
{
	lockdep_assert_held(a->set->lock);
	wait->at = a;
	list_add_tail(&wait->node, &a->line);
	a->nr_line++;
	if (list_empty(&a->lined))
		list_add_tail(&a->lined, &a->set->lined);
}

void kreg_awaited_look_at_line(struct kreg_awaited *a)
{
	lockdep_assert_held(a->set->lock);
	if (!list_empty(&a->lined))
		list_move_tail(&a->lined, &a->set->freed);
}

void kreg_awaited_look_at_lines(struct kreg_awaited_set *set)
{
	lockdep_assert_held(set->lock);
	list_splice_tail_init(&set->lined, &set->freed);
}

void kreg_awaited_keep_line(struct kreg_awaited *a)
{
	lockdep_assert_held(a->set->lock);
	list_move_tail(&a->lined, &a->set->lined);
}

/* It may be among those whose note is void: these stay in their list until another is made. */
void kreg_awaited_note(struct kreg_awaited *a, const struct kreg_outcome *now, bool was_hidden)
{
	lockdep_assert_held(a->set->lock);
	a->now = *now;
	a->was_hidden |= was_hidden;
	list_move_tail(&a->touched, &a->set->touched);
}

/* What the write has noted before of keys is void; what it notes after this is not. */
void kreg_awaited_note_clear(struct kreg_awaited_set *set)
{
	lockdep_assert_held(set->lock);
	set->clearing = true;
	list_splice_init(&set->touched, &set->voided);
}

static void show_key(struct kreg_awaited *a)
{
	list_del_init(&a->touched);
	/* If there was a clear, what the write has made of the key since is all that counts. */
	a->clears = a->set->clears;
	if (a->was_hidden || !a->now.present)
		make_due(a, KREG_AWAITED_ABSENT, &nothing_there);
	if (a->now.present)
		make_due(a, KREG_AWAITED_PRESENT, &a->now);
	else
		kreg_awaited_look_at_line(a);
	make_due(a, KREG_AWAITED_CHANGED, &a->now);
	a->was_hidden = false;
}

void kreg_awaited_tell_present(struct kreg_awaited *a, const struct kreg_outcome *now)
{
	lockdep_assert_held(a->set->lock);
	make_due(a, KREG_AWAITED_PRESENT, now);
}

bool kreg_awaited_show(struct kreg_awaited_set *set, unsigned int n)
{
	struct kreg_awaited *a;

	lockdep_assert_held(set->lock);
	if (set->clearing) {
		set->clearing = false;
		set->clears++;
		set->left = set->count;
		kreg_awaited_look_at_lines(set);
	}
	while (n-- && (a = list_first_entry_or_null(&set->touched, struct kreg_awaited, touched)))
		show_key(a);
	return list_empty(&set->touched);
}

void kreg_awaited_narrow(struct kreg_awaited_set *set)
{
	lockdep_assert_held(set->lock);
	set->narrowings++;
	set->left = set->count;
}

void kreg_awaited_end(struct kreg_awaited_set *set, u32 cause)
{
	lockdep_assert_held(set->lock);
	if (set->gone)
		return;
	set->gone = true;
	set->cause = cause;
}

static bool may_wait(const struct kreg_awaited_set *set, const struct kreg_wait *wait)
{
	return !set->may_read || !set->may_read(set->owner, wait->client);
}

static void end_wait(struct kreg_wait *wait, const struct kreg_outcome *outcome,
		     struct kreg_writer *w)
{
	unlist_wait(wait);
	wait->over(wait, outcome, w);
}

static struct kreg_wait *first_wait(struct list_head *waits)
{
	return list_first_entry_or_null(waits, struct kreg_wait, node);
}

struct kreg_wait *kreg_awaited_first_in_line(struct kreg_awaited *a)
{
	lockdep_assert_held(a->set->lock);
	return list_first_entry_or_null(&a->line, struct kreg_wait, node);
}

void kreg_awaited_end_candidate(struct kreg_wait *wait, const struct kreg_outcome *outcome,
				struct kreg_writer *w)
{
	struct kreg_awaited *a = wait->at;

	lockdep_assert_held(a->set->lock);
	end_wait(wait, outcome, w);
	free_if_idle(a);
}

/*
 * Tell one who is due at @a, which may go with him; who may not read any more is told just
 * that.
 */
static void tell_one(struct kreg_awaited *a, struct kreg_writer *w)
{
	struct kreg_wait *wait = NULL;
	unsigned int i;

	for (i = 0; i < KREG_AWAITED_LISTS && !wait; i++) {
		wait = first_wait(&a->waits[i].due);
		if (wait)
			end_wait(wait, may_wait(a->set, wait) ? &a->waits[i].outcome : &denied,
				 w);
	}
	/* All were told, or have cancelled. */
	if (!wait)
		list_del_init(&a->due);
	free_if_idle(a);
}

/* Look once more at the rights of those in one list, as far as @n goes. False: it does not. */
static bool check_rights(struct kreg_awaited *a, struct kreg_waits *waits, unsigned int *n,
			 struct kreg_writer *w)
{
	struct kreg_awaited_set *set = a->set;
	struct kreg_wait *wait;

	while ((wait = first_wait(&waits->waiting)) && wait->narrowings != set->narrowings) {
		if (!*n)
			return false;
		--*n;
		wait->narrowings = set->narrowings;
		/* Those who were looked at come last, and so do those who have come since. */
		if (may_wait(set, wait))
			list_move_tail(&wait->node, &waits->waiting);
		else
			end_wait(wait, &denied, w);
	}
	return true;
}

/* Look at the key that was not looked at for the longest time. */
static void look_at_first(struct kreg_awaited_set *set, unsigned int *n, struct kreg_writer *w)
{
	struct kreg_awaited *a = list_first_entry_or_null(&set->all, struct kreg_awaited, all);
	unsigned int i;

	if (!a) {
		set->left = 0;
		return;
	}
	catch_up(a);
	for (i = 0; i < KREG_AWAITED_LISTS; i++)
		if (!check_rights(a, &a->waits[i], n, w))
			return;
	list_move_tail(&a->all, &set->all);
	set->left--;
	free_if_idle(a);
}

/* The table is gone, and so is whatever anybody waits for. */
static void end_first(struct kreg_awaited_set *set, struct kreg_writer *w)
{
	struct kreg_awaited *a = list_first_entry(&set->all, struct kreg_awaited, all);
	struct kreg_outcome gone = { .result = -ESTALE, .cause = set->cause };
	struct kreg_wait *wait = NULL;
	unsigned int i;

	for (i = 0; i < KREG_AWAITED_LISTS && !wait; i++)
		wait = first_wait(&a->waits[i].due) ?: first_wait(&a->waits[i].waiting);
	wait = wait ?: kreg_awaited_first_in_line(a);
	if (wait)
		end_wait(wait, &gone, w);
	free_if_idle(a);
}

/* Whether nobody is due, and no key to be looked at. */
static bool is_done(const struct kreg_awaited_set *set)
{
	return set->gone ? !set->count : list_empty(&set->due) && !set->left;
}

bool kreg_awaited_advance(struct kreg_awaited_set *set, struct kreg_writer *w, unsigned int n)
{
	lockdep_assert_held(set->lock);
	while (n && !is_done(set)) {
		n--;
		if (set->gone)
			end_first(set, w);
		else if (!list_empty(&set->due))
			tell_one(list_first_entry(&set->due, struct kreg_awaited, due), w);
		else
			look_at_first(set, &n, w);
	}
	return is_done(set);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching other players: a record for each watch whose player has died, none for another,
 * and it is there when the referee has reaped him.
 */
#ifndef KREG_STRESS_WATCH_H
#define KREG_STRESS_WATCH_H

#include "kit/watch.h"
#include "stress/owner.h"

__attribute__((format(printf, 3, 4)))
static inline void complain_of_watch(struct actor *a, const struct watched *w,
				     const char *format, ...)
{
	char what[120];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	complain("%u.%u watches %u.%u: %s", a->me.slot, a->me.life, w->who.slot, w->who.life,
		 what);
}

static inline void watch(struct actor *a, struct who who)
{
	struct watched *w = &a->watched[roll(a, WATCHED)];
	int err;

	if (w->id || nobody(who))
		return;
	w->box = roll(a, BOXES);
	w->who = who;
	w->overdue = false;
	err = _test_watch(a->fd[w->box], who.process, &w->id);
	if (!err) {
		tally(WATCHES);
		return;
	}
	w->id = 0;
	if (!out_of_memory(a->slot, err))
		complain_of_watch(a, w, "%s", strerror(-err));
}

/* Too late, it may only be for one who has died. With FLUSH there is no record then. */
static inline void cancel(struct actor *a)
{
	struct watched *w = &a->watched[roll(a, WATCHED)];
	__u32 flags = roll(a, 2) ? KREG_CANCEL_FLUSH : 0;
	int err;

	if (!w->id)
		return;
	err = _test_cancel(a->fd[w->box], w->id, flags);
	if (err && (err != -ENOENT || !may_be_dead(w->who)))
		complain_of_watch(a, w, "CANCEL: %s", strerror(-err));
	if (err == -ENOENT && flags)
		a->flushed[w->box]++;
	if (!err || flags)
		w->id = 0;
	tally(CANCELS);
}

/* Whose records have to be there, if the mailbox is looked at from now on. */
static inline void note_overdue(struct actor *a, unsigned int box)
{
	struct watched *w;

	for (w = a->watched; w < a->watched + WATCHED; w++)
		w->overdue = w->id && w->box == box &&
			     load(&world->slots[w->who.slot].life) != w->who.life;
}

/* The mailbox is empty. */
static inline void check_overdue(struct actor *a, unsigned int box)
{
	struct watched *w;

	for (w = a->watched; w < a->watched + WATCHED; w++) {
		if (!w->id || w->box != box || !w->overdue)
			continue;
		complain_of_watch(a, w, "no record of his death");
		w->id = 0;
	}
}

static inline void forget_watches(struct actor *a, unsigned int box)
{
	struct watched *w;

	for (w = a->watched; w < a->watched + WATCHED; w++)
		if (w->box == box)
			w->id = 0;
}

static inline void take_down(struct actor *a, unsigned int box, const struct test_event *event)
{
	struct watched *w = a->watched;

	while (w < a->watched + WATCHED && (w->id != event->e.id || w->box != box))
		w++;
	if (!event->e.id || w == a->watched + WATCHED) {
		complain("%u.%u: a record of watch %llu, of which nothing is known", a->me.slot,
			 a->me.life, (unsigned long long)event->e.id);
		return;
	}
	if (!test_same(event->e.process, w->who.process))
		complain_of_watch(a, w, "but %u has died", event->e.process.pid);
	if (!may_be_dead(w->who))
		complain_of_watch(a, w, "who lives, but a record has come");
	if (event->e.cause == KREG_CAUSE_DEATH && event->e.flags != KREG_EVENT_STATUS)
		complain_of_watch(a, w, "no status");
	w->id = 0;
	tally(DOWNS);
}

#endif /* KREG_STRESS_WATCH_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Find out what has changed about a table. The death of the owner wakes the command
 * through a pidfd; gifts and claims are found by looking from time to time.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "watch.h"

static void forget_owner(struct watched *t)
{
	if (t->pidfd >= 0)
		close(t->pidfd);
	t->pidfd = -1;
}

/* Without a pidfd (the owner is in another pid namespace, or dead) deaths are found late. */
static void follow_owner(struct watch *w, struct watched *t)
{
	struct kreg_table *table;
	struct kreg_process owner;

	forget_owner(t);
	if (t->parked || !t->owner.pid || kreg_table_by_id(w->client, t->id, &table))
		return;
	t->pidfd = kreg_table_owner_pidfd(table, &owner);
	kreg_table_close(table);
	if (t->pidfd >= 0 && owner.cookie != t->owner.cookie)
		forget_owner(t);
}

/*
 * The kernel hands the tables of a dead process over a moment before its pidfd becomes
 * readable, so a look in between asks kreg whether the process lives.
 */
static bool owner_died(const struct watch *w, const struct watched *t)
{
	struct pollfd owner = { .fd = t->pidfd, .events = POLLIN };
	struct kreg_process now;

	if (t->pidfd < 0)
		return false;
	return poll(&owner, 1, 0) == 1 ||
	       kreg_process_find(w->client, t->owner.pid, &now) == -ESRCH;
}

static void gone(struct watch *w, struct watched *t, bool died)
{
	struct kreg_process before = t->owner;

	if (t->exists || !t->seen)
		watch_say(w, !t->seen ? "missing" : died ? "died, destroyed" : "destroyed", t,
			  &before);
	forget_owner(t);
	t->exists = false;
	t->owner = (struct kreg_process){ 0 };
}

static const char *what_happened(const struct watched *old, const struct watched *new, bool died)
{
	bool same_owner = new->owner.cookie == old->owner.cookie && new->parked == old->parked;

	if (!old->seen)
		return new->parked ? "is parked" : "is owned";
	if (!old->exists || new->id != old->id)
		return new->parked ? "created, parked" : "created";
	if (same_owner)
		return new->transfers != old->transfers ? "came back" : NULL;
	if (new->parked)
		return died ? "died, parked" : "parked";
	if (old->parked)
		return "claimed";
	return died ? "died, inherited" : "given";
}

int watch_look(struct watch *w, struct watched *t, bool died)
{
	struct watched new = *t;
	struct kreg_stat *stat;
	const char *event;
	int ret;

	ret = kreg_stat_by_name(w->client, t->name, &stat);
	if (ret && ret != -ENOENT && ret != -ESTALE)
		return fail(ret);
	died = died || owner_died(w, t);
	if (ret == -ENOENT || ret == -ESTALE) {
		gone(w, t, died);
		t->seen = true;
		return 0;
	}
	new.seen = true;
	new.exists = true;
	new.id = kreg_stat_id(stat);
	new.parked = kreg_stat_parked(stat);
	new.owner = kreg_stat_owner(stat);
	new.transfers = kreg_stat_transfers(stat);
	kreg_stat_free(stat);
	event = what_happened(t, &new, died);
	if (event)
		watch_say(w, event, &new, &t->owner);
	*t = new;
	if (event)
		follow_owner(w, t);
	return 0;
}

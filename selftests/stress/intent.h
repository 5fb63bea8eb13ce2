/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may have become of a table, by what its last owner has noted of it before each
 * change (struct intent) and by who has died.
 *
 * Between two such notes the table may have been owned by processes that were killed
 * before they could write one: it was given to them, or they had just claimed it. In all
 * other cases there is one answer.
 */
#ifndef KREG_STRESS_INTENT_H
#define KREG_STRESS_INTENT_H

#include "stress/world.h"

/* How somebody became an owner. */
enum way { BY_GIFT, BY_DEATH, SILENTLY, BY_CLAIM, BY_CREATION };

static const char * const way_names[] = {
	"gift", "death", "silent death", "claim", "creation",
};

/* Somebody who was claiming the table has died since. */
static inline bool claimant_died(unsigned int table, const struct intent *d)
{
	struct slot *slot;
	__u32 i;

	if (load(&world->dead_claimants[table]) != d->dead_claimants)
		return true;
	for (i = 0; i < world->players; i++) {
		slot = &world->slots[i];
		if (load(&slot->claiming) == table + 1 &&
		    (slot->limited || load(&slot->ending) == load(&slot->life)))
			return true;
	}
	return false;
}

static inline bool heir_may_fail(const struct intent *d)
{
	return nobody(d->heir) || may_be_dead(d->heir) ||
	       (d->pending == HEIR && (nobody(d->to) || may_be_dead(d->to)));
}

static inline bool orphan_may_be(const struct intent *d, __u32 orphan)
{
	return d->orphan == orphan ||
	       (d->pending == ORPHAN && d->new_orphan == orphan);
}

static inline bool may_have_parked_by_hand(const struct intent *d)
{
	return d->pending == PARK;
}

static inline bool owner_may_be_dead(unsigned int table, const struct intent *d)
{
	if (may_be_dead(d->owner) || (d->pending == GIVE && may_be_dead(d->to)))
		return true;
	return may_have_parked_by_hand(d) && claimant_died(table, d);
}

static inline bool may_be_parked(unsigned int table, const struct intent *d)
{
	return may_have_parked_by_hand(d) ||
	       (owner_may_be_dead(table, d) && heir_may_fail(d) &&
		orphan_may_be(d, KREG_ORPHAN_PARK));
}

/* Who waits for it gets it before its orphan setting counts. */
static inline bool may_be_claimed(unsigned int table, const struct intent *d)
{
	return may_have_parked_by_hand(d) ||
	       (owner_may_be_dead(table, d) && heir_may_fail(d));
}

static inline bool late(const struct intent *d, __u32 orphan, __u64 ms)
{
	return orphan == KREG_ORPHAN_PARK && ms &&
	       test_now_ns() >= d->when + ms * 1000000;
}

/* It was parked for a time, and that is over. */
static inline bool may_have_expired(unsigned int table, const struct intent *d)
{
	return may_be_parked(table, d) &&
	       (late(d, d->orphan, d->orphan_ms) ||
		(d->pending == ORPHAN &&
		 late(d, d->new_orphan, d->new_orphan_ms)));
}

static inline bool may_be_gone(unsigned int table, const struct intent *d)
{
	if (!d->id || d->pending == DESTROY || may_have_expired(table, d))
		return true;
	return owner_may_be_dead(table, d) && heir_may_fail(d) &&
	       orphan_may_be(d, KREG_ORPHAN_DESTROY);
}

static inline bool may_inherit(unsigned int table, const struct intent *d,
			       struct who heir, bool silent)
{
	if (!owner_may_be_dead(table, d))
		return false;
	return (same_life(d->heir, heir) && d->silent == silent) ||
	       (d->pending == HEIR && same_life(d->to, heir) &&
		d->new_silent == silent);
}

static inline bool heir_token_fits(const struct intent *d, __u64 token)
{
	return d->heir_token == token || d->other_token == token ||
	       (d->pending == HEIR && d->token == token);
}

/* Can @me have become the owner in this way, after what was noted? */
static inline bool explained(unsigned int table, const struct intent *d,
			     struct who me, enum way by, __u64 token)
{
	switch (by) {
	case BY_GIFT:
		return d->pending == GIVE && same_life(d->to, me) &&
		       d->token == token;
	case BY_DEATH:
		return may_inherit(table, d, me, false) &&
		       heir_token_fits(d, token);
	case SILENTLY:
		return may_inherit(table, d, me, true);
	case BY_CLAIM:
		return may_be_claimed(table, d);
	case BY_CREATION:
		return may_be_gone(table, d);
	}
	return false;
}

/* The process that @info names is this one; none: it may have died. */
static inline bool is_heir(const struct kreg_info *info, struct who who)
{
	if (test_none(info->heir))
		return nobody(who) || may_be_dead(who);
	return !nobody(who) && info->heir.cookie == who.process.cookie;
}

/* Of what was pending, see what has happened; false: neither. */
static inline bool settle_intent(struct intent *d, const struct kreg_info *info)
{
	bool silent = info->flags & KREG_INFO_HEIR_SILENT, old;

	old = is_heir(info, d->heir) &&
	      (nobody(d->heir) || silent == d->silent || test_none(info->heir));
	if (!old && d->pending == HEIR && is_heir(info, d->to)) {
		d->heir = d->to;
		d->silent = d->new_silent;
		d->heir_token = d->token;
	} else if (!old) {
		return false;
	} else if (d->pending == HEIR && is_heir(info, d->to)) {
		d->other_token = d->token;
	}
	old = info->orphan == d->orphan && info->orphan_ms == d->orphan_ms;
	if (!old && d->pending == ORPHAN && info->orphan == d->new_orphan &&
	    info->orphan_ms == d->new_orphan_ms) {
		d->orphan = d->new_orphan;
		d->orphan_ms = d->new_orphan_ms;
	} else if (!old) {
		return false;
	}
	return true;
}

static inline void describe_intent(unsigned int table, char *text, size_t room)
{
	static const char * const pendings[] = {
		"", " giving", " naming", " orphan", " parking", " destroying",
		" mutating",
	};
	struct intent *d = intent_of(table);

	snprintf(text, room,
		 "id %llu owner %u.%u%s heir %u.%u%s%s orphan %u/%llu gen %u%s to %u.%u%s%s",
		 (unsigned long long)d->id, d->owner.slot, d->owner.life,
		 may_be_dead(d->owner) ? "(ending)" : "", d->heir.slot, d->heir.life,
		 d->silent ? " silent" : "", may_be_dead(d->heir) ? "(ending)" : "",
		 d->orphan, (unsigned long long)d->orphan_ms, d->generation,
		 pendings[d->pending], d->to.slot, d->to.life,
		 may_be_dead(d->to) ? "(ending)" : "",
		 claimant_died(table, d) ? " a claimant died" : "");
}

#endif /* KREG_STRESS_INTENT_H */

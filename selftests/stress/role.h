/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roles: who owns the first kept table may write to another one, and what follows the second
 * kept table has the owner that it has.
 */
#ifndef KREG_STRESS_ROLE_H
#define KREG_STRESS_ROLE_H

#include "stress/mail.h"

/* Ours without knowing it: look_up() finds out, or there is no explanation. */
static inline void write_by_role(struct actor *a)
{
	bool ours = a->slot->owned[WRITER_ROLE];
	int err = _test_puts(client(a), world->fenced, "key", "by role");

	if (out_of_memory(a->slot, err))
		return;
	tally(err ? FENCED : BY_ROLE);
	if (!err && !ours)
		look_up(a, WRITER_ROLE);
	if (err ? err != -EACCES || ours : !a->slot->owned[WRITER_ROLE])
		complain_of(a, WRITER_ROLE, "is the writer's role, its table: %s", strerror(-err));
}

static inline void look_at_follower(struct actor *a)
{
	struct kreg_info info;
	int err = _test_info(client(a), world->follower, &info);

	if (expect(a, FOLLOWED, "INFO of its follower", err, 0, 0))
		return;
	if (!test_same(info.owner, a->me.process))
		complain_of(a, FOLLOWED, "is ours, but what follows it is that of %u",
			    info.owner.pid);
	tally(FOLLOWED_BY);
}

static inline void use_roles(struct actor *a)
{
	if (!roll(a, 3) && a->slot->owned[FOLLOWED])
		look_at_follower(a);
	else
		write_by_role(a);
}

#endif /* KREG_STRESS_ROLE_H */

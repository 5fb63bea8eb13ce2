/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: roles, who follows them and who writes by them, and limits of deaths. */
#ifndef KREG_ROLE_H
#define KREG_ROLE_H

#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A role is a table, usually without objects, whose owner plays the role. It is claimed,
 * waited for, inherited and given as any table is. One process at a time plays it; when it is
 * dead, its heir does, or who has waited longest.
 */

/**
 * kreg_role_open() - find or create a role
 * @client: the client
 * @name: its name
 * @mode: of a new one: permission bits of 0666; 0: 0600
 * @role: handle of the table
 *
 * A new one is parked: nobody plays it. It is protected, and parked again when its player dies
 * without an heir. One that is there has to be of the caller's own user.
 *
 * Errors: as kreg_table_open(); -EPERM: another user's.
 */
int kreg_role_open(struct kreg_client *client, const char *name, unsigned int mode,
		   struct kreg_table **role) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_role_claim() - play a role
 * @role: the role
 * @timeout_ms: how long to wait until nobody else plays it; 0: not at all; -1, INT64_MAX: for
 *	ever
 *
 * Whoever plays a role owns the tables that follow it, and may write to those that have named
 * it as their writer. It is no error if the caller plays it already. kreg_table_park() ends it.
 *
 * Errors: -EBUSY: another process plays it; -ETIMEDOUT; -EINTR; -EPERM: another user's;
 * -EOWNERDEAD: it is quarantined, see kreg_table_set_limit(); -ESTALE: it is gone; -EDQUOT: too
 * many wait.
 */
int kreg_role_claim(struct kreg_table *role, int64_t timeout_ms) KREG_NONNULL_FIRST;

/**
 * kreg_table_follow() - have a table follow a role
 * @table: a table of the caller's, without an heir
 * @role: a role that the caller plays; NULL: it follows none any more
 *
 * From now on the table always has the owner of the role as its owner, and is parked while
 * that is. No event tells of it. Until it follows no more, giving, claiming and parking it, and
 * setting its heir, orphan rule and limit, are -EBUSY. When the role is destroyed it is on
 * its own again.
 *
 * Errors: -EBUSY: it has an heir; -EINVAL: the role follows another, or others follow the table;
 * -EPERM, -EACCES: the caller does not own both, or may have nothing parked; -EXDEV: the module
 * has several writers, and they are not in the same; -EDQUOT: 64 follow it already; -ESTALE.
 */
int kreg_table_follow(struct kreg_table *table, const struct kreg_table *role)
	KREG_NONNULL_FIRST;

/**
 * kreg_table_set_writer() - have a role write to a table
 * @table: a table of the caller's
 * @role: any role; NULL: none any more
 *
 * Whoever plays the role may open the table and write to it as its owner may, whatever its mode
 * and access rule are, but controls nothing. Whether it may read depends on these.
 *
 * Errors: -EPERM, -EACCES: not the owner; -ESTALE.
 */
int kreg_table_set_writer(struct kreg_table *table, const struct kreg_table *role)
	KREG_NONNULL_FIRST;

/**
 * kreg_table_set_limit() - how many owners a table may lose
 * @table: a table or role of the caller's
 * @deaths: 1 to 64; 0: no limit
 * @ms: within so many milliseconds; 0 with no limit
 *
 * With one death more the table is quarantined: parked, and given to nobody, neither to its
 * heir nor to those who wait, until it is claimed with KREG_OPEN_QUARANTINED. So a fault
 * that kills one owner after the other comes to an end.
 *
 * Errors: -EINVAL; -EBUSY: it follows a role; -EPERM, -EACCES: not the owner, or this user may
 * have nothing parked; -EDQUOT: too many parked tables of this user.
 */
int kreg_table_set_limit(struct kreg_table *table, unsigned int deaths, uint64_t ms)
	KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_ROLE_H */

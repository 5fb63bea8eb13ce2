/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: the state of tables. */
#ifndef KREG_STAT_H
#define KREG_STAT_H

#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_table_stat() - look at a table
 * @table: the table
 * @stat: to be freed with kreg_stat_free()
 *
 * For the owner and those whom the mode lets read, whatever the access rule.
 * Errors: -ESTALE, -EACCES.
 */
int kreg_table_stat(const struct kreg_table *table, struct kreg_stat **stat)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_stat_by_name() - likewise; -ENOENT: no such table. */
int kreg_stat_by_name(struct kreg_client *client, const char *name, struct kreg_stat **stat)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_stat_by_id() - likewise by its id, in whatever namespace the table is
 * @client: the client
 * @id: its id
 * @stat: to be freed with kreg_stat_free()
 *
 * In another namespace it takes CAP_SYS_ADMIN over the table's user namespace.
 *
 * Errors: -ESTALE: the table is gone, or out of the caller's reach; -EACCES;
 * -EINVAL: no table ever had this id.
 */
int kreg_stat_by_id(struct kreg_client *client, uint64_t id, struct kreg_stat **stat)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_stat_free() - free it; NULL is allowed. */
void kreg_stat_free(struct kreg_stat *stat);

/**
 * kreg_list_open() - list the tables of which the caller may know
 * @client: the client
 * @list: the list
 */
int kreg_list_open(struct kreg_client *client, struct kreg_list **list)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_list_open_all() - list those of all namespaces
 * @client: the client
 * @list: the list
 *
 * Beside the tables of kreg_list_open() those over whose user namespace the caller has
 * CAP_SYS_ADMIN, in no particular order. For root of the initial user namespace these
 * are all tables that there are.
 */
int kreg_list_open_all(struct kreg_client *client, struct kreg_list **list)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_list_next() - the next table, in the order of their creation
 * @list: the list
 * @stat: good until the next call; not to be freed
 *
 * Return: 1; 0 at the end; or an error.
 */
int kreg_list_next(struct kreg_list *list, const struct kreg_stat **stat) KREG_NONNULL_FIRST;

/** kreg_list_close() - end a list; NULL is allowed. */
void kreg_list_close(struct kreg_list *list);

/* What a kreg_stat tells. Members that the kernel does not know are 0. */
uint64_t kreg_stat_id(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
const char *kreg_stat_name(const struct kreg_stat *stat) KREG_NONNULL_FIRST;	/* "": no name */
enum kreg_type kreg_stat_type(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
enum kreg_access kreg_stat_access(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
unsigned int kreg_stat_mode(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* as numbers of the caller's user namespace */
uid_t kreg_stat_uid(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
gid_t kreg_stat_gid(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
enum kreg_orphan kreg_stat_orphan(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_orphan_ms(const struct kreg_stat *stat) KREG_NONNULL_FIRST;	/* 0: no limit */
bool kreg_stat_parked(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* 0: no limit */
uint64_t kreg_stat_parked_until_ns(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* whoever may write may claim it */
bool kreg_stat_claimable(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* no event for the heir */
bool kreg_stat_heir_silent(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* the heir gets it only if the owner crashes */
bool kreg_stat_heir_on_crash(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* parked because too many owners have died */
bool kreg_stat_quarantined(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* pid 0: parked, or not visible */
struct kreg_process kreg_stat_owner(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* pid 0: none, or not visible */
struct kreg_process kreg_stat_heir(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* the users under whom owner and heir have it; 0: no owner, no heir */
uid_t kreg_stat_owner_uid(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uid_t kreg_stat_heir_uid(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_objects(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* bytes of keys and values */
uint64_t kreg_stat_bytes(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* bytes of memory, everything included */
uint64_t kreg_stat_memory(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* bytes of that memory that are about to be freed */
uint64_t kreg_stat_limbo(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* version of the last write */
uint64_t kreg_stat_version(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* changes of owner */
uint64_t kreg_stat_transfers(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* size of the index */
uint64_t kreg_stat_buckets(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* most links that a write has walked over while others waited, but for the first dozen */
unsigned int kreg_stat_walked(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* places within long buckets of the index at which a walk can begin */
unsigned int kreg_stat_marks(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* processes that wait to claim it */
unsigned int kreg_stat_waiters(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* its namespaces: the inode numbers of /proc/PID/ns/user and pid */
uint64_t kreg_stat_user_ns(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_pid_ns(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* ids of the role that it follows, and of the role that may write; 0: none */
uint64_t kreg_stat_role(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_writer_role(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* it is quarantined after more deaths than these in so many milliseconds; 0: no limit */
unsigned int kreg_stat_limit(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_limit_ms(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* pins that keep it as it was */
unsigned int kreg_stat_pins(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* since when the oldest of them does, CLOCK_MONOTONIC, and whose it is; 0: there is none */
uint64_t kreg_stat_pinned_since_ns(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
struct kreg_process kreg_stat_pinner(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* the objects that they keep, and the bytes of memory of these */
uint64_t kreg_stat_kept(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_kept_bytes(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* objects that are bound to processes, or on loan; also of the dead until they are removed */
uint64_t kreg_stat_bound(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* objects that expire, those included that have and are not removed yet */
uint64_t kreg_stat_timed(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* nobody changes what is in it any more */
bool kreg_stat_sealed(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* while it is public, whoever may write to it may destroy and rename it */
bool kreg_stat_shared(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* what is in it, as kreg_table_set_schema() has it; 0: it has no schema */
uint64_t kreg_stat_schema(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
unsigned int kreg_stat_schema_version(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
/* subscriptions to its events, and the number of the last of these */
unsigned int kreg_stat_subscriptions(const struct kreg_stat *stat) KREG_NONNULL_FIRST;
uint64_t kreg_stat_events(const struct kreg_stat *stat) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_STAT_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: tables and who owns them. */
#ifndef KREG_TABLE_H
#define KREG_TABLE_H

#include <kreg/types.h>
#include <kreg/event.h>
#include <kreg/ref.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct kreg_open_options - how to open or create a table
 * @size: sizeof(struct kreg_open_options)
 * @flags: KREG_OPEN_CREATE, EXCL, CLAIM, WAIT, QUARANTINED, CLAIMABLE, HEIR_SILENT, OWN_USER,
 *	ANY_USER; SEALED: a new table has no objects for ever, see kreg_table_seal(); SHARED: while
 *	the new table is public, whoever may write to it may destroy and rename it, as in ETS
 * @type: enum kreg_type; 0: KREG_TYPE_SET with CREATE, else any
 * @access: new table: enum kreg_access; 0: KREG_ACCESS_PROTECTED
 * @mode: new table: permission bits of 0666; 0: 0600
 * @orphan: new table: enum kreg_orphan
 * @orphan_ms: new table, if it may be parked: keep it so long; 0: as long as allowed
 * @heir: new table: who inherits; pid 0: nobody
 * @data: new table, with @heir: bytes for its event
 * @data_len: their number, at most 1024
 * @deadline_ns: with WAIT: when to give up, see kreg_deadline(); 0: never
 * @schema: a number that the program has chosen for what it keeps in the table: a new table gets
 *	it, and one that exists has to have it; 0: none, and whatever the table has is fine
 * @schema_version: its version, which has to be just this; 0, without CREATE: any
 * @reserved2: must be zero
 * @beside: new table: one with which it may be in a kreg_batch_run_all(), however many writers the
 *	module has; NULL: any may do
 *
 * Members for a new table must be zero without KREG_OPEN_CREATE, and do not matter
 * when the table exists.
 *
 * A name can be taken by anyone. With CREATE, a table that exists must be of the caller's
 * own user, as with OWN_USER, else the call fails with -EPERM. ANY_USER allows a table of
 * any user.
 */
struct kreg_open_options {
	size_t size;
	unsigned int flags;
	unsigned int type;
	unsigned int access;
	unsigned int mode;
	unsigned int orphan;
	unsigned int reserved;
	uint64_t orphan_ms;
	struct kreg_process heir;
	const void *data;
	size_t data_len;
	uint64_t deadline_ns;
	uint64_t schema;
	unsigned int schema_version;
	unsigned int reserved2;
	const struct kreg_table *beside;
};

/* The kernel has no such flag: with CREATE, the table may be another user's. */
#define KREG_OPEN_ANY_USER	(1U << 31)

#define KREG_OPEN_OPTIONS_INIT	{ sizeof(struct kreg_open_options), 0, 0, 0, 0, 0, 0, 0, \
				  { 0, 0, 0 }, 0, 0, 0, 0, 0, 0, 0 }

/**
 * kreg_deadline() - the moment at which a time-out ends
 * @timeout_ms: milliseconds from now; -1, INT64_MAX: never
 *
 * Return: nanoseconds of CLOCK_MONOTONIC; 0 for never.
 */
uint64_t kreg_deadline(int64_t timeout_ms);

/**
 * kreg_table_open() - find, create or claim a table
 * @client: the client
 * @name: its name; NULL with KREG_OPEN_CREATE alone: a table without a name
 * @options: NULL: find it
 * @table: handle of the table
 *
 * With CREATE | CLAIM | WAIT the table is the caller's own when the call returns,
 * whether it was there before or not; see also kreg_table_own().
 *
 * Errors: -ENOENT: no such table; -EEXIST: with EXCL; or it is of another type; -EPROTOTYPE: it has
 * another schema than @schema, or another version of it, or none: kreg_errmsg() tells which;
 * -EBUSY: another process owns it, or it follows a role; -EOWNERDEAD: it is quarantined, see
 * kreg_table_set_limit(), and QUARANTINED is not given; -EALREADY: the caller owns it already, open
 * it without CLAIM; -ETIMEDOUT; -EINTR: a handler without SA_RESTART has run while
 * waiting; -ESTALE: destroyed while waiting; -EACCES: its mode; -EPERM: only its user
 * may claim it, or it is another user's, or @orphan_ms is longer than allowed; -EDQUOT:
 * too many tables or too much memory of this user, or too many processes that wait for it;
 * -ENOSPC: too many tables of all; -ESRCH, -ENOTCONN, -EPERM, -EDQUOT: for the heir as in
 * kreg_table_set_heir().
 */
int kreg_table_open(struct kreg_client *client, const char *name,
		    const struct kreg_open_options *options, struct kreg_table **table)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_create() - create a table that must not exist
 * @client: the client
 * @name: its name
 * @table: handle of the table
 *
 * Protected, mode 0600, destroyed when the caller dies. kreg_table_open() has
 * other choices. Errors: as there.
 */
int kreg_table_create(struct kreg_client *client, const char *name, struct kreg_table **table)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_claim() - become the owner of a parked table
 * @client: the client
 * @name: its name
 * @timeout_ms: how long to wait for it to be parked; 0: not at all; -1, INT64_MAX: for
 *	ever
 * @table: handle of the table
 *
 * Processes that wait are served in the order of their calls; whether one may claim the
 * table is checked when its turn comes. The table must exist. Errors: as in
 * kreg_table_open().
 */
int kreg_table_claim(struct kreg_client *client, const char *name, int64_t timeout_ms,
		     struct kreg_table **table) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_own() - own a table: create it, claim it, or find that it is owned already
 * @client: the client
 * @name: its name
 * @timeout_ms: how long to wait for another owner to go; 0: not at all; -1, INT64_MAX: for
 *	ever
 * @options: for a table that is not there yet; NULL: protected, mode 0600, parked
 *	when its owner dies without an heir. Of @flags only KREG_OPEN_CLAIMABLE,
 *	HEIR_SILENT, OWN_USER, ANY_USER and SHARED are allowed; @deadline_ns must be 0
 * @table: handle of the table
 *
 * The usual call of a server at its start: creates the table, or claims it, or finds
 * that the caller owns it already, for example because a keeper has given it. See
 * kreg_table_opened(): 0 in the last case. It must be a table of the caller's own user, else
 * -EPERM, unless KREG_OPEN_ANY_USER is given. Errors: as in kreg_table_open().
 */
int kreg_table_own(struct kreg_client *client, const char *name, int64_t timeout_ms,
		   const struct kreg_open_options *options, struct kreg_table **table)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_standby() - own a table now, or when its owner is gone
 * @client: the client
 * @name: its name
 * @options: as of kreg_table_own(), for a table that is not there yet; NULL: it must exist
 * @fn: is called for the event; NULL: it comes out of kreg_event_next(), or goes to the
 *	handler of the client
 * @arg: for @fn
 * @table: handle of the table
 * @ref: the place in line, written before @fn can be called, to be freed with
 *	kreg_ref_cancel(), before or after the event; or NULL: the table is the caller's already
 *
 * As kreg_table_own(), but where that waits for another owner, this takes a place in line and
 * returns. Nothing of it depends on that owner: a keeper that was killed and is started again
 * calls it again. Whoever owns the table meanwhile, exactly one event comes for the ref:
 * KREG_EVENT_TRANSFER with cause KREG_CAUSE_CLAIM, and the table is the process'; or
 * KREG_EVENT_GONE: it is destroyed, or with cause KREG_CAUSE_ACCESS, the caller may not claim it
 * any more, or with KREG_CAUSE_SCHEMA, it has another schema by now. It comes when the owner has
 * parked the table, or is dead and has no heir. When waitpid(2) or a pidfd tells of that death, the
 * event can be read.
 *
 * kreg_ref_cancel() returns 0 if the event was there already: then the table may be the process'
 * own. The place ends with the client, and with execve(2).
 *
 * Errors: as in kreg_table_own(); -EDQUOT: the line is full, or the user has too many monitors
 * and places; -EBADF: the client may not read and write.
 */
int kreg_table_standby(struct kreg_client *client, const char *name,
		       const struct kreg_open_options *options, kreg_event_fn fn, void *arg,
		       struct kreg_table **table, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_by_id() - handle of a table whose id is known
 * @client: the client
 * @id: from an event, a kreg_stat or kreg_table_id()
 * @table: handle of the table
 *
 * Needs the right to read the table or to own it. Errors: -ESTALE: it is gone;
 * -EINVAL: there never was one; -EACCES.
 */
int kreg_table_by_id(struct kreg_client *client, uint64_t id, struct kreg_table **table)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_table_close() - free a handle
 * @table: a handle or NULL
 *
 * Changes nothing about the table or who owns it.
 */
void kreg_table_close(struct kreg_table *table);

/** kreg_table_id() - the table's number, never used again for another. */
uint64_t kreg_table_id(const struct kreg_table *table) KREG_NONNULL_FIRST;

/** kreg_table_name() - the name with which it was opened; "" for a table without one. */
const char *kreg_table_name(const struct kreg_table *table) KREG_NONNULL_FIRST;

/** kreg_table_type() - enum kreg_type. */
enum kreg_type kreg_table_type(const struct kreg_table *table) KREG_NONNULL_FIRST;

/** kreg_table_opened() - KREG_OPENED_CREATED and KREG_OPENED_CLAIMED as the open found it. */
unsigned int kreg_table_opened(const struct kreg_table *table) KREG_NONNULL_FIRST;

/** kreg_table_client() - the client that it was opened with. */
struct kreg_client *kreg_table_client(const struct kreg_table *table) KREG_NONNULL_FIRST;

/**
 * kreg_table_rename() - give a table another name, or a first one
 * @table: the table
 * @name: the name
 *
 * Its number stays, and so does all that goes by it: handles that others have, heirs, monitors,
 * subscriptions. Who looks for either name meanwhile finds the table by the one or the other;
 * kreg_table_name() of handles that are open goes on to tell the former. For the owner, and while
 * it is parked for whoever may claim it.
 *
 * Errors: -EEXIST: a table has the name, be it this one; -ENAMETOOLONG; -EINVAL: it is empty;
 * -EPERM, -EACCES: not the owner; -EDQUOT: the mailbox of the heir, whose record is made anew, is
 * full; -ESTALE.
 */
int kreg_table_rename(struct kreg_table *table, const char *name) KREG_NONNULL_FIRST;

/**
 * kreg_table_exchange() - exchange the names of two tables
 * @table: one
 * @other: the other, opened with the same client
 *
 * At no moment is a name without a table: who looks for it finds the one or the other. If one has
 * no name, it gets that of the other, which has none then: so a table that was filled without a
 * name takes the place of another at once. As kreg_table_rename(), for the owner of both.
 *
 * Errors: -EINVAL: it is the same table, or of another client, or neither has a name; -EPERM,
 * -EACCES, -EDQUOT, -ESTALE.
 */
int kreg_table_exchange(struct kreg_table *table, struct kreg_table *other) KREG_NONNULL_FIRST;

/**
 * kreg_table_destroy() - destroy a table and what is in it
 * @table: the table; its handle remains to be closed
 *
 * The name is free when the call returns. For the owner, for CAP_SYS_ADMIN, and
 * while it is parked for whoever may claim it.
 *
 * Errors: -EPERM, -EACCES: not the owner; -ESTALE: it is gone already.
 */
int kreg_table_destroy(struct kreg_table *table) KREG_NONNULL_FIRST;

/**
 * kreg_destroy_by_id() - destroy a table in whatever namespace it is
 * @client: the client
 * @id: its id, for example from kreg_list_open_all()
 *
 * As kreg_table_destroy(); in another namespace it takes CAP_SYS_ADMIN over the
 * table's user namespace.
 *
 * Errors: -ESTALE: it is gone already, or out of the caller's reach; -EPERM, -EACCES:
 * not the owner; -EINVAL: no table ever had this id.
 */
int kreg_destroy_by_id(struct kreg_client *client, uint64_t id) KREG_NONNULL_FIRST;

/**
 * kreg_table_give() - make another process the owner
 * @table: a table of the caller's
 * @to: the new owner, which must have a client that was opened for reading and writing
 * @data: bytes for its event; may be NULL
 * @data_len: their number, at most 1024
 *
 * The heir stays as it is. The receiver can read its event when the call
 * returns.
 *
 * Errors: -EPERM: not the owner, or a process of another user that has not called
 * kreg_client_set_accept(), or one in other namespaces; -EACCES: neither the owner nor
 * someone who may write; -ESRCH: it is dead; -ENOTCONN: it has no such client;
 * -EALREADY: it is the caller; -EFBIG: the data; -EDQUOT: its mailbox has no room, or none
 * for this user.
 */
int kreg_table_give(struct kreg_table *table, const struct kreg_process *to,
		    const void *data, size_t data_len) KREG_NONNULL_FIRST;

/**
 * kreg_table_park() - give a table to nobody: the kernel keeps it
 * @table: a table of the caller's
 *
 * If processes wait for the table, the first of them owns it when the call returns.
 *
 * Errors: -EPERM, -EACCES: not the owner; -EPERM: it would be kept for longer than this
 * user may have it; -EDQUOT: too many parked tables of this user.
 */
int kreg_table_park(struct kreg_table *table) KREG_NONNULL_FIRST;

/**
 * kreg_table_set_heir() - who becomes the owner when the owner dies
 * @table: a table of the caller's
 * @heir: a process that has a client; NULL: nobody. The owner itself may be
 *	named: it inherits the table again from those it gives it to
 * @data: bytes for its event; may be NULL
 * @data_len: their number, at most 1024
 * @flags: KREG_HEIR_SILENT: no event; KREG_HEIR_ON_CRASH: only if the owner is killed by a
 *	signal or exits with a status other than 0
 *
 * Errors: as kreg_table_give(), without -EALREADY.
 */
int kreg_table_set_heir(struct kreg_table *table, const struct kreg_process *heir,
			const void *data, size_t data_len, unsigned int flags) KREG_NONNULL_FIRST;

/**
 * kreg_table_set_access() - change who may read and write
 * @table: a table of the caller's
 * @access: enum kreg_access
 *
 * Who loses the right to read sees nothing that is written after this has returned,
 * not even by a call that was under way. For that it may wait for such calls.
 */
int kreg_table_set_access(struct kreg_table *table, enum kreg_access access) KREG_NONNULL_FIRST;

/**
 * kreg_table_set_mode() - change the permission bits
 * @table: a table of the caller's
 * @mode: of 0666
 *
 * As kreg_table_set_access().
 */
int kreg_table_set_mode(struct kreg_table *table, unsigned int mode) KREG_NONNULL_FIRST;

/**
 * kreg_table_set_orphan() - what becomes of it without a living heir
 * @table: a table of the caller's
 * @orphan: enum kreg_orphan
 * @ms: with KREG_ORPHAN_PARK and PARK_ON_CRASH: how long it is kept; 0: as long as allowed
 *
 * Errors: -EPERM, -EACCES: not the owner; -EPERM: longer than this user may; -EDQUOT: with
 * KREG_ORPHAN_PARK: too many parked tables of this user.
 */
int kreg_table_set_orphan(struct kreg_table *table, enum kreg_orphan orphan, uint64_t ms)
	KREG_NONNULL_FIRST;

/**
 * kreg_table_set_schema() - say what is in a table from now on
 * @table: a table of the caller's
 * @schema: the number that its programs have chosen for that; 0: none
 * @version: its version, at least 1; without a schema 0
 * @from: the version that the table has to have so far; 0: whatever it has
 *
 * A release whose values have another form opens the table of the one before with that one's
 * @schema_version, or without any, as its owner; brings all values into its own form; and says so
 * by this at the end. From then on the former release gets -EPROTOTYPE. Who has the table open is
 * not asked again.
 *
 * Errors: -ECANCELED: it has another version than @from; -EINVAL: a schema without a version, or
 * the other way round; -EROFS: it is sealed; -EPERM, -EACCES: not the owner; -ESTALE.
 */
int kreg_table_set_schema(struct kreg_table *table, uint64_t schema, unsigned int version,
			  unsigned int from) KREG_NONNULL_FIRST;

/**
 * kreg_table_set_stream() - keep events of a table, and how many
 * @table: a table of the caller's
 * @bytes: of the ring that keeps them, a power of two from 16384 to 1048576; 0: as at first
 *
 * At first a table keeps events only as long as somebody subscribes to them, see <kreg/stream.h>.
 * From now on it keeps the last ones in any case, so that who subscribes later, or again, reads on
 * where he wants to. The caller's user is charged for the ring.
 *
 * Errors: -EBUSY: somebody subscribes; -EINVAL: another number; -EDQUOT: memory; -EPERM, -EACCES:
 * not the owner; -ESTALE.
 */
int kreg_table_set_stream(struct kreg_table *table, size_t bytes) KREG_NONNULL_FIRST;

/**
 * kreg_table_seal() - let nobody change what is in a table any more
 * @table: a table of the caller's
 *
 * The objects of the table stay as they are, for good: whoever tries to put, change, remove, take,
 * lend or bind one, or to publish, gets -EROFS. What this client has written before, also without
 * waiting for it, counts. Reads and all that becomes of the table itself go on. Nothing undoes it;
 * for a table that is to be changed again, make another and exchange their names.
 *
 * Errors: -EBUSY: an object is bound to a process, on loan, or expires, or somebody stands in line
 * for a key; -EPERM, -EACCES: not the owner; -ESTALE.
 */
int kreg_table_seal(struct kreg_table *table) KREG_NONNULL_FIRST;

/**
 * kreg_table_owner_pidfd() - a pidfd of the owner
 * @table: the table
 * @owner: its name, or NULL
 *
 * It polls readable when the owner dies, and then the table has been inherited, is
 * parked or is gone.
 *
 * Return: a new descriptor (close-on-exec), or -ENOENT: the table is parked;
 * -ESRCH: the owner is not visible in this pid namespace; as kreg_table_stat().
 */
int kreg_table_owner_pidfd(struct kreg_table *table, struct kreg_process *owner) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_TABLE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: processes that keep a table while nobody uses it. */
#ifndef KREG_KEEPER_H
#define KREG_KEEPER_H

#include <kreg/server.h>
#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A keeper owns a table whenever nobody else does. It gives the table to a consumer, whose heir it
 * is: when the consumer dies, however that may be, the table comes back with all that is in it,
 * and is given to the next one. In Erlang these are the table managers of Immortal
 * (ETSTableManager), which give it to who registers under a name, and data masters, which give it
 * to who asks.
 *
 * The keeper may die as well. While it had the table the kernel keeps that; while a consumer has it
 * the next keeper stands by, and has it when the consumer is dead. So there is one table, however
 * often who is killed.
 *
 * A program that is its table's only user needs no keeper: kreg_table_own() at its start claims
 * what it has left.
 */

/* Keeps one table. For the thread of its server. */
struct kreg_keeper;

/* What a keeper could not do. */
enum kreg_keeper_failure {
	KREG_KEEPER_GIVE = 1,		/* give the table to a consumer */
	KREG_KEEPER_CONSUMERS = 2,	/* wait for consumers */
	KREG_KEEPER_STANDBY = 3		/* stand by for the table, or be its heir */
};

/**
 * kreg_keeper_failed_fn - what is called when the keeper could not do its work
 * @what: KREG_KEEPER_GIVE: the keeper goes on, and this consumer gets the table when it registers
 *	again or changes its entry; KREG_KEEPER_CONSUMERS: it gives the table to nobody any more,
 *	which stays whose it is; KREG_KEEPER_STANDBY: it does nothing more until somebody calls
 *	kreg_keeper_get(). With the latter two a program frees the keeper, and makes another one
 *	or ends
 * @err: a negative errno: of kreg_table_give(); of kreg_when(), and -ESTALE if the table of
 *	consumers is destroyed, -EACCES if it may not be read any more; of kreg_table_standby(),
 *	kreg_table_set_heir() or kreg_table_set_orphan()
 * @arg: as given in the options
 *
 * kreg_errmsg() has the sentence. It may not free the keeper, nor the server. It is not called
 * before kreg_keeper_new() has returned.
 */
typedef void (*kreg_keeper_failed_fn)(enum kreg_keeper_failure what, int err, void *arg);

/**
 * struct kreg_keeper_options - what is to be kept, and for whom
 * @size: sizeof(struct kreg_keeper_options)
 * @table: as of kreg_table_own(), for a table that is not there yet, without an heir; @orphan
 *	KREG_ORPHAN_DESTROY (zero) means KREG_ORPHAN_PARK. NULL: protected, mode 0600
 * @consumers: a registry, opened with the client of the server: the table is given to who
 *	registers there under @key; NULL: to who calls kreg_keeper_get()
 * @key: the key
 * @key_len: its length
 * @destroy_foreign: destroy other tables that come to the process by gift or heirship from now on;
 *	not those that are kept
 * @failed: is called when something fails later; NULL: nothing is
 * @arg: for @failed
 */
struct kreg_keeper_options {
	size_t size;
	const struct kreg_open_options *table;
	struct kreg_table *consumers;
	const void *key;
	size_t key_len;
	bool destroy_foreign;
	kreg_keeper_failed_fn failed;
	void *arg;
};

#define KREG_KEEPER_OPTIONS_INIT	{ sizeof(struct kreg_keeper_options), 0, 0, 0, 0, \
				  false, 0, 0 }

/**
 * kreg_keeper_new() - keep a table
 * @server: answers kreg_keeper_get(), and hands out the events of its client, by which the keeper
 *	works: in kreg_server_run() or kreg_server_dispatch()
 * @name: the table's name
 * @options: NULL: all defaults, for who asks
 * @keeper: the new keeper
 *
 * Creates the table, or claims it if it is parked; the keeper is its heir from then on, and it is
 * parked when both are dead. If another process owns it, stands by for it, as
 * kreg_table_standby() does. Never waits: if a consumer is registered, it has the table when this
 * returns; else it gets it when it registers, for which the kernel waits. If the consumer dies
 * before that, or at that moment, the keeper still has the table.
 *
 * A consumer learns of its table by KREG_EVENT_TRANSFER with the cause KREG_CAUSE_GIFT. It may park
 * it or give it back: then it gets it again when it has registered anew, or changed its entry,
 * after that. If it destroys it, the keeper makes a new one.
 *
 * The server's client becomes the receiver of the process; see kreg_client_set_receiver(). So all
 * keepers of a process are made with servers of one client.
 *
 * Errors: those of kreg_table_standby(), kreg_table_set_heir() and kreg_table_set_orphan();
 * -EEXIST: the server keeps this table already; -EBUSY: there is a keeper of another client of
 * the process, or the table follows a role; -EINVAL: an heir or KREG_OPEN_HEIR_SILENT in
 * @table, @consumers of another client, a @key without @consumers or none with them; -ESTALE:
 * the server is the parent's of this process.
 */
int kreg_keeper_new(struct kreg_server *server, const char *name,
		    const struct kreg_keeper_options *options, struct kreg_keeper **keeper)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_keeper_holds() - whether the table is this process' own at this moment
 * @keeper: the keeper
 *
 * Asks the kernel: a consumer that is dead has it no more, whether its event was handed out or not.
 */
bool kreg_keeper_holds(const struct kreg_keeper *keeper) KREG_NONNULL_FIRST;

/**
 * kreg_keeper_table() - the table that is kept
 * @keeper: the keeper
 *
 * Return: a handle that is the keeper's, good until events are handed out.
 */
struct kreg_table *kreg_keeper_table(const struct kreg_keeper *keeper) KREG_NONNULL_FIRST;

/**
 * kreg_keeper_get() - ask a keeper for its table
 * @keeper: the keeper's server
 * @client: whose table it becomes: a client of the calling process
 * @name: the table's name
 * @timeout_ms: how long to wait for the answer; 0: not at all; -1, INT64_MAX: for ever
 * @table: handle of the table; kreg_table_opened() is KREG_OPENED_CLAIMED, or 0 if the caller had
 *	it already
 *
 * So it may be called again when it is not known whether the keeper has heard. Before the table is
 * the caller's, no other call for it succeeds. KREG_EVENT_TRANSFER comes for it as well.
 * kreg_table_give() to the keeper, or kreg_table_park(), gives it back.
 *
 * It does not wait for another consumer: kreg_monitor_owner_name() tells when that is dead, and
 * the keeper has the table then.
 *
 * Errors: those of kreg_call() for the server, and of kreg_table_give() to the caller; -EBUSY:
 * another process has the table; -ENOMSG: the server does not keep such a table; -EOPNOTSUPP: it
 * gives it to who registers; -ESRCH: also if the keeper cannot see the caller; -EBADMSG: also if
 * the table that it names is another one, or not the caller's.
 */
int kreg_keeper_get(struct kreg_peer *keeper, struct kreg_client *client, const char *name,
		    int64_t timeout_ms, struct kreg_table **table)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_keeper_free() - keep it no longer
 * @keeper: a keeper or NULL
 *
 * The table stays whose it is, and the process its heir. Before or after kreg_server_free().
 */
void kreg_keeper_free(struct kreg_keeper *keeper);

#ifdef __cplusplus
}
#endif

#endif /* KREG_KEEPER_H */

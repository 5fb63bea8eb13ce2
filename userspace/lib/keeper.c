/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keepers of tables. Whose the table is, the kernel is asked each time: events say only when to
 * ask again. A keeper either owns its table, and waits for a consumer's entry, or stands in line
 * for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"

static void drop_ref(struct kreg_ref **ref)
{
	struct kreg_ref *old = *ref;

	*ref = NULL;
	kreg_ref_cancel(old);
}

bool kreg_keeper_is_of(const struct kreg_keeper *k, const struct kreg_process *process)
{
	struct kreg_info info;

	return !kreg_info_read(k->client, k->table->id, NULL, &info) &&
	       info.owner.cookie == process->cookie;
}

bool kreg_keeper_holds(const struct kreg_keeper *keeper)
{
	return kreg_keeper_is_own(keeper) && kreg_keeper_is_of(keeper, &keeper->self);
}

struct kreg_table *kreg_keeper_table(const struct kreg_keeper *keeper)
{
	return keeper->table;
}

static void tell_failure(struct kreg_keeper *k, enum kreg_keeper_failure what, int err)
{
	if (k->failed)
		k->failed(what, err, k->arg);
}

static void on_line(const struct kreg_event *event, void *arg)
{
	struct kreg_keeper *k = arg;
	bool denied = event->kind == KREG_EVENT_GONE && event->cause == KREG_CAUSE_ACCESS;

	drop_ref(&k->line);
	if (denied)
		tell_failure(k, KREG_KEEPER_STANDBY,
			     kreg_fail_table(-EACCES, TRY_CLAIM, k->table));
	else
		kreg_keeper_continue(k);
}

int kreg_keeper_secure(struct kreg_keeper *k)
{
	int ret;

	drop_ref(&k->line);
	ret = kreg_table_set_heir(k->table, &k->self, NULL, 0, 0);
	return ret ? ret : kreg_table_set_orphan(k->table, k->how.orphan, k->how.orphan_ms);
}

/* If it is not there any more there is nothing to stand by for. */
static bool is_in_line(const struct kreg_keeper *k)
{
	struct kreg_info info;

	return k->line && !kreg_info_read(k->client, k->table->id, NULL, &info) &&
	       info.owner.cookie != k->self.cookie;
}

/* With k->line it is another process', else our own. A place is kept: a new one is the last. */
static int take_table(struct kreg_keeper *k)
{
	struct kreg_table *table;
	int ret;

	if (is_in_line(k))
		return 0;
	drop_ref(&k->line);
	ret = kreg_table_standby(k->client, k->name, &k->how, on_line, k, &table, &k->line);
	if (ret)
		return ret;
	kreg_table_close(k->table);
	k->table = table;
	return k->line ? 0 : kreg_keeper_secure(k);
}

static void on_entry(const struct kreg_event *event, void *arg)
{
	struct kreg_keeper *k = arg;
	int err = event->cause == KREG_CAUSE_ACCESS ? -EACCES : -ESTALE;
	bool gone = event->kind == KREG_EVENT_GONE;

	drop_ref(&k->entry);
	/* The consumer has changed it while it had the table. */
	if (k->line && k->given.cookie && event->process.cookie == k->given.cookie)
		k->seen = event->version;
	if (gone)
		tell_failure(k, KREG_KEEPER_CONSUMERS,
			     kreg_fail_table(err, TRY_WAIT, k->consumers));
	else
		kreg_keeper_continue(k);
}

static int wait_for_entry(struct kreg_keeper *k, enum kreg_watch_kind what, uint64_t version)
{
	drop_ref(&k->entry);
	return kreg_when(k->consumers, k->key, k->key_len, what, version, on_entry, k, &k->entry);
}

/*
 * As long as another process has the table: what the entry is then is no wish to have it again.
 * The owner last, since a consumer that has given it back may have registered anew.
 */
static int follow_entry(struct kreg_keeper *k)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret = kreg_whereis(k->consumers, k->key, k->key_len, &holder);

	if (ret && ret != -ENODATA)
		return ret;
	if (holder.process.cookie && kreg_keeper_is_of(k, &holder.process)) {
		k->seen = holder.version;
		k->given = holder.process;
	}
	return wait_for_entry(k, KREG_WATCH_CHANGED, holder.version);
}

/*
 * A consumer that has died meanwhile gets nothing, and its entry goes. One that lingers has no
 * pid.
 */
static int give_to(struct kreg_keeper *k, const struct kreg_process *consumer)
{
	int ret;

	if (!consumer->pid && consumer->cookie)
		return 0;
	ret = kreg_table_give(k->table, consumer, NULL, 0);
	return ret == -ESRCH && consumer->pid ? 0 : ret;
}

/*
 * 1: it was offered to who has registered, so see whose it is; 0: wait. Nobody is offered it
 * twice for one entry: a gift that fails would fail again, and who gives it back does not want it.
 * Only while the keeper is made, when the program cannot be told, a second attempt comes later.
 */
static int offer_table(struct kreg_keeper *k)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret = kreg_whereis(k->consumers, k->key, k->key_len, &holder);

	if (ret == -ENODATA)
		return wait_for_entry(k, KREG_WATCH_PRESENT, 0);
	if (ret)
		return ret;
	if (holder.version == k->seen)
		return wait_for_entry(k, KREG_WATCH_CHANGED, k->seen);
	ret = give_to(k, &holder.process);
	if (ret && !k->made)
		return wait_for_entry(k, KREG_WATCH_PRESENT, 0);
	k->seen = holder.version;
	if (ret)
		tell_failure(k, KREG_KEEPER_GIVE, ret);
	return 1;
}

int kreg_keeper_advance(struct kreg_keeper *k)
{
	int ret;

	do {
		k->tried = KREG_KEEPER_STANDBY;
		ret = take_table(k);
		if (ret || !k->consumers)
			return ret;
		k->tried = KREG_KEEPER_CONSUMERS;
		ret = k->line ? follow_entry(k) : offer_table(k);
	} while (ret > 0);
	return ret;
}

void kreg_keeper_continue(struct kreg_keeper *k)
{
	int ret = kreg_keeper_advance(k);

	if (ret)
		tell_failure(k, k->tried, ret);
}

static int check_options(const struct kreg_client *client, const struct kreg_keeper_options *o,
			 struct kreg_open_options *how)
{
	int ret = 0;

	*how = (struct kreg_open_options){ .size = sizeof(*how), .orphan = KREG_ORPHAN_PARK };
	if (!o->consumers != !o->key_len)
		return kreg_cause(-EINVAL, o->consumers ?
				  "there is a table of consumers, and no key in it" :
				  "there is a key of consumers, and no table that it is in");
	if (o->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	/* Else its events would not be handed out. */
	if (o->consumers && o->consumers->client != client)
		return kreg_cause(-EINVAL,
				  "the table of consumers is of another client than the server's");
	if (o->table)
		ret = kreg_options_copy(how, sizeof(*how), o->table);
	if (ret)
		return ret;
	how->size = sizeof(*how);
	if (how->heir.pid || how->data_len || (how->flags & KREG_OPEN_HEIR_SILENT))
		return kreg_cause(-EINVAL, "the options name an heir, which the keeper is itself");
	if (how->orphan == KREG_ORPHAN_DESTROY)
		how->orphan = KREG_ORPHAN_PARK;
	return 0;
}

static bool is_kept(const struct kreg_client *client, const struct kreg_keeper *keeper)
{
	const struct kreg_keeper *k;

	for (k = client->keepers; k; k = k->next)
		if (kreg_keeper_is_own(k) && !strcmp(k->name, keeper->name))
			return true;
	return false;
}

static int make_keeper(struct kreg_server *server, const char *name,
		       const struct kreg_keeper_options *o, struct kreg_keeper **keeper)
{
	struct kreg_open_options how;
	struct kreg_keeper *k;
	int ret = check_options(server->client, o, &how);

	if (ret)
		return ret;
	k = calloc(1, sizeof(*k) + o->key_len);
	if (!k)
		return -ENOMEM;
	k->name = strdup(name);
	if (!k->name) {
		free(k);
		return -ENOMEM;
	}
	k->service.serve = kreg_keeper_serve;
	k->server = server;
	k->client = kreg_client_get(server->client);
	k->how = how;
	/* The program may close that one; its id is needed whenever the table is made anew. */
	if (how.beside)
		kreg_table_get((struct kreg_table *)how.beside);
	k->consumers = o->consumers ? kreg_table_get(o->consumers) : NULL;
	k->destroy_foreign = o->destroy_foreign;
	k->failed = o->failed;
	k->arg = o->arg;
	k->key_len = o->key_len;
	if (o->key_len)
		memcpy(k->key, o->key, o->key_len);
	*keeper = k;
	return 0;
}

static void free_keeper(struct kreg_keeper *k)
{
	drop_ref(&k->line);
	drop_ref(&k->entry);
	kreg_table_close(k->table);
	kreg_table_close(k->consumers);
	kreg_table_close((struct kreg_table *)k->how.beside);
	kreg_client_put(k->client);
	free(k->name);
	free(k);
}

static int begin_keeping(struct kreg_keeper *k)
{
	int ret = kreg_client_self(k->client, &k->self);

	if (!ret)
		ret = kreg_client_set_receiver(k->client);
	k->since = kreg_deadline(0);
	return ret ? ret : kreg_keeper_advance(k);
}

/* Before it may be given its table: what comes back at once is to be seen. */
static int add_keeper(struct kreg_keeper *k)
{
	int ret = is_kept(k->client, k) ? -EEXIST : kreg_keeper_join(k->client);

	if (ret)
		return ret;
	ret = kreg_server_add(k->server, &k->service);
	if (ret) {
		kreg_keeper_leave();
		return ret;
	}
	k->next = k->client->keepers;
	k->client->keepers = k;
	return 0;
}

static void remove_keeper(struct kreg_keeper *keeper)
{
	struct kreg_keeper **k = &keeper->client->keepers;

	if (kreg_keeper_is_own(keeper))
		kreg_keeper_leave();
	while (*k != keeper)
		k = &(*k)->next;
	*k = keeper->next;
	kreg_server_remove(keeper->server, &keeper->service);
}

int kreg_keeper_new(struct kreg_server *server, const char *name,
		    const struct kreg_keeper_options *options, struct kreg_keeper **keeper)
{
	struct kreg_keeper_options o = { .size = sizeof(o) };
	struct kreg_client *client = server->client;
	struct kreg_keeper *k = NULL;
	int ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;

	if (!ret)
		ret = name ? make_keeper(server, name, &o, &k) :
			     kreg_cause(-EINVAL, "the table has no name");
	if (ret)
		return kreg_fail_name(ret, TRY_KEEP, client, name);
	ret = add_keeper(k);
	if (ret) {
		free_keeper(k);
		return kreg_fail_name(ret, TRY_KEEP, client, name);
	}
	ret = begin_keeping(k);
	if (ret) {
		remove_keeper(k);
		free_keeper(k);
		return ret;
	}
	k->made = true;
	*keeper = k;
	return 0;
}

void kreg_keeper_free(struct kreg_keeper *keeper)
{
	if (!keeper)
		return;
	remove_keeper(keeper);
	free_keeper(keeper);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: the tables of a child. They follow a role that the child plays while it runs. The
 * supervisor stands by for it, so that the tables are its own again before it is told of the
 * death.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervise.h"

static bool needs_role(const struct child *c)
{
	return c->how.tables || c->how.writes;
}

/* The role is the supervisor's again. */
static void role_came(const struct kreg_event *event, void *arg)
{
	struct child *c = arg;

	if (kreg_event_kind(event) == KREG_EVENT_TRANSFER)
		c->has_role = true;
}

int kreg_sup_role_stand_by(struct child *c)
{
	struct kreg_table *same;
	struct kreg_ref *ref;
	int ret;

	if (!c->role)
		return 0;
	kreg_ref_cancel(c->standby);
	c->standby = NULL;
	ret = kreg_table_standby(c->sup->client, kreg_table_name(c->role), NULL, role_came, c,
				 &same, &ref);
	if (ret)
		return ret;
	kreg_table_close(same);
	c->standby = ref;
	c->has_role = !ref;
	return 0;
}

/* There is no such role, or it is another user's table, which anybody could make. */
static bool is_none(int ret)
{
	return ret == -ENOENT || ret == -EACCES || ret == -EPERM;
}

int kreg_sup_role_find(struct child *c)
{
	char name[KREG_MAX_NAME + 1];
	bool needed = needs_role(c);
	int ret;

	if (c->role)
		return 0;
	snprintf(name, sizeof(name), "supervisor.%s/%s", c->sup->name, c->how.id);
	/* It may have had tables that it is not to have any more: until it is started again. */
	ret = needed ? kreg_role_open(c->sup->client, name, 0, &c->role) :
		       kreg_table_open(c->sup->client, name, NULL, &c->role);
	if (!ret)
		ret = kreg_sup_role_stand_by(c);
	c->changed = !needed && !ret;
	if (needed || !is_none(ret))
		return ret;
	kreg_table_close(c->role);
	c->role = NULL;
	return 0;
}

/* Which role a table follows, and which one may write to it. */
static int roles_of(struct kreg_table *table, uint64_t *role, uint64_t *writer)
{
	struct kreg_stat *stat;
	int ret = kreg_table_stat(table, &stat);

	if (ret)
		return ret;
	*role = kreg_stat_role(stat);
	*writer = kreg_stat_writer_role(stat);
	kreg_stat_free(stat);
	return 0;
}

/* Have it belong to the supervisor itself. */
static int own_table(struct child *c, const char *name, struct kreg_table **table)
{
	uint64_t role, writer;
	int ret = kreg_table_open(c->sup->client, name, NULL, table);

	/* Of a child that had it before; it cannot be claimed then. */
	if (!ret) {
		ret = roles_of(*table, &role, &writer);
		if (!ret && role)
			ret = kreg_table_follow(*table, NULL);
		kreg_table_close(*table);
	}
	return ret && ret != -ENOENT ? ret : kreg_table_own(c->sup->client, name, 0, NULL, table);
}

/* Whether the table is as it is to be, as it is at most starts. */
static int is_prepared(struct child *c, const char *name, bool own)
{
	uint64_t role, writer;
	struct kreg_table *table;
	int ret = kreg_table_open(c->sup->client, name, NULL, &table);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = roles_of(table, &role, &writer);
	/* Whom it belongs to is not the supervisor's alone to say. */
	if (!ret && !own && role)
		ret = kreg_fail_table(-EBUSY, TRY_CLAIM, table);
	if (!ret)
		ret = (own ? role : writer) == kreg_table_id(c->role);
	kreg_table_close(table);
	return ret;
}

static int prepare_table(struct child *c, const char *name, bool own)
{
	struct kreg_table *table;
	int ret = is_prepared(c, name, own);

	if (ret)
		return ret < 0 ? ret : 0;
	ret = own_table(c, name, &table);
	if (ret)
		return ret;
	ret = own ? kreg_table_follow(table, c->role) : kreg_table_set_writer(table, c->role);
	kreg_table_close(table);
	return ret;
}

bool kreg_sup_role_is_quarantined(struct child *c)
{
	struct kreg_stat *stat;
	bool is;

	if (!c->role || c->has_role || kreg_table_stat(c->role, &stat))
		return false;
	is = kreg_stat_quarantined(stat);
	kreg_stat_free(stat);
	if (is)
		kreg_fail_table(-EOWNERDEAD, TRY_CLAIM, c->role);
	return is;
}

/*
 * The kernel counts all deaths of owners, and how many are left cannot be given back: so the count
 * begins anew, and what the last death may have led to is undone.
 */
void kreg_sup_role_forgive(struct child *c)
{
	struct kreg_open_options o = {
		.size = sizeof(o), .flags = KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED,
	};
	struct kreg_table *same;

	c->forgiven = true;
	if (!kreg_sup_role_is_quarantined(c) ||
	    kreg_table_open(c->sup->client, kreg_table_name(c->role), &o, &same))
		return;
	kreg_table_close(same);
	/* That it is the owner already is seen by standing by. */
	kreg_sup_role_stand_by(c);
}

/* The limit of the tables is that of the role that they follow. */
static int prepare_limit(struct child *c)
{
	struct kreg_stat *stat;
	bool same;
	int ret = kreg_table_stat(c->role, &stat);

	if (ret)
		return ret;
	same = kreg_stat_limit(stat) == c->how.max_deaths &&
	       kreg_stat_limit_ms(stat) == c->how.deaths_ms;
	kreg_stat_free(stat);
	if (!same || (c->forgiven && c->how.max_deaths))
		ret = kreg_table_set_limit(c->role, c->how.max_deaths, c->how.deaths_ms);
	c->forgiven = false;
	return ret;
}

int kreg_sup_role_prepare(struct child *c)
{
	const char *const *name;
	int ret = needs_role(c) ? kreg_sup_role_find(c) : 0;

	if (!ret && kreg_sup_role_is_quarantined(c))
		ret = -EOWNERDEAD;
	/* It may have been claimed by somebody else while it was parked. */
	else if (!ret && c->role && !c->has_role)
		ret = kreg_fail_table(-EBUSY, TRY_CLAIM, c->role);
	if (!ret && c->role)
		ret = prepare_limit(c);
	for (name = c->how.tables; !ret && name && *name; name++)
		ret = prepare_table(c, *name, true);
	for (name = c->how.writes; !ret && name && *name; name++)
		ret = prepare_table(c, *name, false);
	return ret;
}

/* Its event tells how often the child was started again. */
int kreg_sup_role_give(struct child *c, const struct kreg_process *process)
{
	char text[24];
	int ret;

	if (!c->role)
		return 0;
	ret = kreg_table_give(c->role, process, text,
			      snprintf(text, sizeof(text), "%llu",
				       (unsigned long long)c->restarts));
	if (ret)
		return ret;
	c->has_role = false;
	return kreg_sup_role_stand_by(c);
}

/* Its tables are on their own again, and the supervisor's. */
void kreg_sup_role_end(struct child *c)
{
	if (!c->role)
		return;
	kreg_ref_cancel(c->standby);
	c->standby = NULL;
	if (c->has_role)
		kreg_table_destroy(c->role);
	kreg_table_close(c->role);
	c->role = NULL;
}

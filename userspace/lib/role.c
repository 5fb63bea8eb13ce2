/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles, and limits of deaths. */
#include <errno.h>

#include "internal.h"

int kreg_role_open(struct kreg_client *client, const char *name, unsigned int mode,
		   struct kreg_table **role)
{
	struct kreg_open_options o = {
		.size = sizeof(o),
		.flags = KREG_OPEN_CREATE,
		.mode = mode,
		.orphan = KREG_ORPHAN_PARK,
	};
	struct kreg_table *t;
	int ret;

	/* Nobody could find it again, nor claim it. */
	if (!name)
		return kreg_fail(kreg_cause(-EINVAL, "a role has to have a name"), TRY_CREATE,
				 client);
	ret = kreg_table_open(client, name, &o, &t);
	if (ret)
		return ret;
	ret = kreg_table_opened(t) & KREG_OPENED_CREATED ? kreg_table_park(t) : 0;
	if (ret) {
		kreg_table_close(t);
		return ret;
	}
	*role = t;
	return 0;
}

int kreg_role_claim(struct kreg_table *role, int64_t timeout_ms)
{
	struct kreg_table *mine;
	int ret = kreg_table_claim(role->client, role->name, timeout_ms, &mine);

	if (ret == -EALREADY)
		ret = kreg_table_open(role->client, role->name, NULL, &mine);
	if (ret)
		return ret;
	/* Another table may have taken the name meanwhile. */
	if (mine->id != role->id) {
		if (mine->opened & KREG_OPENED_CLAIMED)
			kreg_table_park(mine);
		ret = kreg_fail_table(-ESTALE, TRY_CLAIM, role);
	}
	kreg_table_close(mine);
	return ret;
}

static int set_policy(struct kreg_table *table, unsigned int option, uint64_t value,
		      uint64_t value2)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.table = table->id,
		.option = option,
		.value = value,
		.value2 = value2,
	};

	return kreg_ioctl(table->client, KREG_IOC_SETOPT, &opt);
}

/* Which of the two is to blame. */
static int role_failed(int ret, struct kreg_table *table, const struct kreg_table *role)
{
	struct kreg_info info;
	int found = role ? kreg_info_read(table->client, role->id, NULL, &info) : 0;

	if (ret == -ESTALE && found == -ESTALE)
		return kreg_cause(ret, "the role has been destroyed");
	if (ret != -EINVAL)
		return ret;
	if (role && role->id == table->id)
		return kreg_cause(ret, "%t is to be its own role: name another table");
	if (!found && info.flags & KREG_INFO_FOLLOWS)
		return kreg_cause(ret, "the role follows another one: name that");
	return kreg_cause(ret, "other tables follow %t, which cannot follow one at the same time");
}

static int set_role(struct kreg_table *table, unsigned int option, const struct kreg_table *role,
		    enum attempt attempt)
{
	int ret = set_policy(table, option, role ? role->id : 0, 0);

	return kreg_fail_table(ret ? role_failed(ret, table, role) : 0, attempt, table);
}

int kreg_table_follow(struct kreg_table *table, const struct kreg_table *role)
{
	return set_role(table, KREG_OPT_ROLE, role, TRY_FOLLOW);
}

int kreg_table_set_writer(struct kreg_table *table, const struct kreg_table *role)
{
	return set_role(table, KREG_OPT_WRITER, role, TRY_OPTION);
}

int kreg_table_set_limit(struct kreg_table *table, unsigned int deaths, uint64_t ms)
{
	int ret;

	if (deaths > KREG_MAX_DEATHS)
		ret = kreg_cause(-EINVAL, "a limit is of 64 deaths at most");
	else if (!deaths != !ms)
		ret = kreg_cause(-EINVAL, "a limit has a number of deaths and a time, or neither");
	else
		ret = set_policy(table, KREG_OPT_LIMIT, deaths, ms);
	return kreg_fail_table(ret, TRY_OPTION, table);
}

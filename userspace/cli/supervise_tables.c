/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that the file of kreg supervise declares. */
#include <errno.h>
#include <string.h>

#include "supervise.h"

static bool child_has(const struct plan *plan, const char *name)
{
	const char *const *table;
	size_t i;

	for (i = 0; i < plan->child_count; i++)
		for (table = plan->children[i].tables; table && *table; table++)
			if (!strcmp(*table, name))
				return true;
	return false;
}

static int make_table(struct kreg_client *client, const struct plan *plan,
		      const struct plan_table *t)
{
	struct kreg_table *table;
	int ret = kreg_table_own(client, t->name, 0, &t->options, &table);

	/* A child has it since before this supervisor was started. */
	if (ret == -EBUSY && child_has(plan, t->name))
		return 0;
	if (ret)
		return fail(ret);
	if (t->deaths && (kreg_table_opened(table) & KREG_OPENED_CREATED) &&
	    !child_has(plan, t->name))
		ret = kreg_table_set_limit(table, t->deaths, t->deaths_ms);
	if (ret)
		ret = fail(ret);
	kreg_table_close(table);
	return ret;
}

int tables_make(struct kreg_client *client, const struct plan *plan)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < plan->table_count && !ret; i++)
		ret = make_table(client, plan, &plan->tables[i]);
	return ret;
}

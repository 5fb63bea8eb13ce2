/* SPDX-License-Identifier: GPL-2.0 */
/* What a test of supervisors has left parked goes: nobody else has tables in the guest. */
#ifndef KREG_LIB_LEAVE_H
#define KREG_LIB_LEAVE_H

#include <stdbool.h>

#include <kreg.h>

/* Whether no table was left any more. */
static inline bool leave_nothing(struct kreg_client *client)
{
	const struct kreg_stat *stat;
	struct kreg_table *table;
	struct kreg_list *list;
	bool left = false;

	if (kreg_list_open(client, &list))
		return false;
	while (kreg_list_next(list, &stat) == 1) {
		left = true;
		if (kreg_table_open(client, kreg_stat_name(stat), NULL, &table))
			continue;
		kreg_table_destroy(table);
		kreg_table_close(table);
	}
	kreg_list_close(list);
	return !left;
}

#endif /* KREG_LIB_LEAVE_H */

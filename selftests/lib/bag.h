/* SPDX-License-Identifier: GPL-2.0 */
/* A client, and a table "bag" of a type that a test says. */
#ifndef KREG_LIB_BAG_H
#define KREG_LIB_BAG_H

#include "lib/lib.h"

static inline int open_bag(enum kreg_type type, struct kreg_client **client,
			   struct kreg_table **table)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	int ret = kreg_client_open(NULL, client);

	options.flags = KREG_OPEN_CREATE;
	options.type = type;
	return ret ? ret : kreg_table_open(*client, "bag", &options, table);
}

static inline void close_bag(struct kreg_client *client, struct kreg_table *table)
{
	kreg_table_destroy(table);
	kreg_table_close(table);
	kreg_client_close(client);
}

#endif /* KREG_LIB_BAG_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Schemas: what the programs of a table have agreed about what is in it; see KREG_IOC_OPEN. */
#ifndef KREG_TABLE_SCHEMA_H
#define KREG_TABLE_SCHEMA_H

#include <linux/types.h>

/* What a table has, or has to have. */
struct kreg_schema {
	u64 id;				/* 0: none */
	u32 version;			/* with an id, of what a table has to have: 0: any */
};

/* Any. Whether a table that has @has is what @wanted asks for. -EPROTOTYPE. */
int kreg_schema_check(const struct kreg_schema *has, const struct kreg_schema *wanted);

#endif /* KREG_TABLE_SCHEMA_H */

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "table/schema.h"

int kreg_schema_check(const struct kreg_schema *has, const struct kreg_schema *wanted)
{
	bool fits = !wanted->id || (has->id == wanted->id &&
				    (!wanted->version || has->version == wanted->version));

	return fits ? 0 : -EPROTOTYPE;
}

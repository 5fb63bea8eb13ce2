/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A function for each object of a table. */
#include "internal.h"

int kreg_fold(struct kreg_table *table, const struct kreg_scan_options *options, kreg_fold_fn fn,
	      void *arg)
{
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(table, options, &scan);

	if (ret)
		return ret;
	do {
		ret = kreg_scan_next(scan, &object);
		if (ret <= 0)
			break;
		ret = fn(object, arg);
	} while (!ret);
	kreg_scan_close(scan);
	return ret;
}

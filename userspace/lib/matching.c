/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to all objects that match a filter. */
#include <errno.h>

#include "internal.h"

static int run_change(struct kreg_table *table, struct kreg_ioc_change *io,
		      const struct kreg_scan_options *options, struct kreg_scan_options *o)
{
	int ret = kreg_scan_read_options(o, options);

	if (ret)
		return ret;
	if (o->flags || o->process || o->pin)
		return kreg_cause(-EOPNOTSUPP,
				  "flags, a process and a pin are for scans that only look");
	if (o->batch || o->room)
		return kreg_cause(-EINVAL, "a change goes with no batch and no room");
	io->size = sizeof(*io);
	io->table = table->id;
	kreg_scan_set_range(&io->range, o);
	return kreg_ioctl(table->client, KREG_IOC_CHANGE, io);
}

int kreg_delete_matching(struct kreg_table *table, const struct kreg_scan_options *options,
			 uint64_t *deleted)
{
	struct kreg_ioc_change io = { .code = KREG_OP_DELETE };
	struct kreg_scan_options o;
	int ret = run_change(table, &io, options, &o);

	if (deleted)
		*deleted = io.out_count;
	return ret ? kreg_scan_range_failed(ret, TRY_WRITE, table, &o) : 0;
}

int kreg_edit_matching(struct kreg_table *table, const struct kreg_scan_options *options,
		       const struct kreg_field *fields, size_t count, uint64_t *edited)
{
	struct kreg_ioc_change io = { .code = KREG_OP_EDIT, .fields = kreg_ptr(fields) };
	struct kreg_scan_options o;
	int ret = 0;

	if (count > KREG_MAX_FIELDS)
		ret = kreg_cause(-EFBIG, "there are more than %F fields");
	else if (!count)
		ret = kreg_cause(-EINVAL, "there is no field");
	io.field_count = count;
	if (ret)
		o = (struct kreg_scan_options){ .size = sizeof(o) };
	else
		ret = run_change(table, &io, options, &o);
	if (edited)
		*edited = io.out_count;
	return ret ? kreg_scan_range_failed(ret, TRY_EDIT, table, &o) : 0;
}

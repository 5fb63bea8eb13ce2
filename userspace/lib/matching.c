/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to all objects that match a filter. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* One call: which objects, how far it has come, and what the kernel is told. */
struct change {
	struct kreg_scan_options o;
	struct kreg_change c;
	struct kreg_ioc_change io;
};

static int read_options(struct kreg_scan_options *o, const struct kreg_scan_options *options)
{
	int ret = kreg_scan_read_options(o, options);

	if (ret)
		return ret;
	if (o->flags || o->process || o->pin)
		return kreg_cause(-EOPNOTSUPP,
				  "flags, a process and a pin are for scans that only look");
	if (o->batch || o->room)
		return kreg_cause(-EINVAL, "a change goes with no batch and no room");
	return 0;
}

static int set_fields(struct kreg_ioc_change *io, const struct kreg_field *fields, size_t count)
{
	if (io->code == KREG_OP_DELETE)
		return 0;
	if (count > KREG_MAX_FIELDS)
		return kreg_cause(-EFBIG, "there are more than %F fields");
	if (!count)
		return kreg_cause(-EINVAL, "there is no field");
	io->fields = kreg_ptr(fields);
	io->field_count = count;
	return 0;
}

static int set_position(struct change *x)
{
	if (!x->c.key_len)
		return 0;
	if (x->c.key_len > KREG_MAX_KEY)
		return kreg_cause(-EINVAL, "the position is none that a change has told");
	x->o.after = x->c.key;
	x->o.after_len = x->c.key_len;
	x->o.after_version = x->c.version;
	x->o.after_number = x->c.number;
	return 0;
}

/* A call that was refused has come to no object, and leaves the position as it was. */
static void tell_position(struct change *x, const char *key, int ret)
{
	x->c.out_count = x->io.out_count;
	x->c.out_version = x->io.out_version;
	x->c.out_more = ret || x->io.out_more;
	if (x->c.out_more && !x->io.out_position_len)
		return;
	x->c.key_len = x->c.out_more ? x->io.out_position_len : 0;
	x->c.version = x->c.out_more ? x->io.out_position_version : 0;
	x->c.number = x->c.out_more ? x->io.out_position_sub : 0;
	memcpy(x->c.key, key, x->c.key_len);
}

static int run_change(struct kreg_table *table, struct change *x)
{
	char key[KREG_MAX_KEY];
	int ret;

	x->io.size = sizeof(x->io);
	x->io.table = table->id;
	x->io.max_count = x->c.max_count;
	x->io.position = kreg_ptr(key);
	kreg_scan_set_range(&x->io.range, &x->o);
	ret = kreg_ioctl(table->client, KREG_IOC_CHANGE, &x->io);
	tell_position(x, key, ret);
	return ret;
}

static int change_some(struct kreg_table *table, const struct kreg_scan_options *options,
		       unsigned int code, const struct kreg_field *fields, size_t count,
		       struct change *x)
{
	int ret;

	x->o = (struct kreg_scan_options){ .size = sizeof(x->o) };
	x->io.code = code;
	ret = set_fields(&x->io, fields, count);
	if (!ret)
		ret = read_options(&x->o, options);
	if (!ret)
		ret = set_position(x);
	if (!ret)
		ret = run_change(table, x);
	if (!ret)
		return 0;
	return kreg_scan_range_failed(ret, code == KREG_OP_EDIT ? TRY_EDIT : TRY_WRITE, table,
				      &x->o);
}

int kreg_delete_matching(struct kreg_table *table, const struct kreg_scan_options *options,
			 uint64_t *deleted)
{
	struct change x = { 0 };
	int ret = change_some(table, options, KREG_OP_DELETE, NULL, 0, &x);

	if (deleted)
		*deleted = x.c.out_count;
	return ret;
}

int kreg_edit_matching(struct kreg_table *table, const struct kreg_scan_options *options,
		       const struct kreg_field *fields, size_t count, uint64_t *edited)
{
	struct change x = { 0 };
	int ret = change_some(table, options, KREG_OP_EDIT, fields, count, &x);

	if (edited)
		*edited = x.c.out_count;
	return ret;
}

int kreg_change_matching(struct kreg_table *table, const struct kreg_scan_options *options,
			 const struct kreg_field *fields, size_t count, struct kreg_change *change)
{
	unsigned int code = fields || count ? KREG_OP_EDIT : KREG_OP_DELETE;
	struct change x = { 0 };
	int ret = kreg_options_copy_from(&x.c, sizeof(x.c), sizeof(x.c), change);

	if (ret)
		return kreg_fail_table(ret, TRY_WRITE, table);
	x.c.out_count = 0;
	x.c.out_version = 0;
	x.c.out_more = 1;
	ret = change_some(table, options, code, fields, count, &x);
	*change = x.c;
	return ret;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many look-ups in few calls. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "internal.h"

/* Enough to make the cost of a call small, little enough for the stack. */
#define CHUNK	64

/*
 * How many of the items go into one call: room counts against the limit of a batch. A
 * value cannot be longer than the longest value, so more room is not told of.
 */
static unsigned int take_items(struct kreg_op *ops, struct kreg_item *items, size_t count,
			       int *error)
{
	size_t bytes = 0, room;
	unsigned int n;

	*error = 0;
	for (n = 0; n < count && n < CHUNK; n++) {
		room = items[n].room < KREG_MAX_VALUE ? items[n].room : KREG_MAX_VALUE;
		bytes += items[n].key_len + room;
		if (n && bytes > KREG_MAX_BATCH_BYTES)
			break;
		*error = kreg_op_fill(&ops[n], KREG_OP_GET, items[n].key, items[n].key_len,
				      items[n].value, room);
		if (*error)
			break;
	}
	return n;
}

static int run_items(struct kreg_table *table, struct kreg_op *ops, struct kreg_item *items,
		     unsigned int n)
{
	struct kreg_ioc_batch io = {
		.size = sizeof(io),
		.table = table->id,
		.ops = kreg_ptr(ops),
		.count = n,
		.op_size = sizeof(*ops),
	};
	unsigned int i;
	int ret;

	ret = kreg_ioctl(table->client, KREG_IOC_BATCH, &io);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		items[i].len = ops[i].out_len;
		items[i].version = ops[i].out_version;
		items[i].error = -(int)ops[i].out_error;
	}
	return io.out_done;
}

int kreg_get_many(struct kreg_table *table, struct kreg_item *items, size_t count)
{
	struct kreg_op ops[CHUNK];
	unsigned int found = 0, n;
	int ret, error;

	while (count) {
		n = take_items(ops, items, count, &error);
		if (!n)
			return error;
		ret = run_items(table, ops, items, n);
		if (ret < 0)
			return ret;
		found = found > (unsigned int)(INT_MAX - ret) ? INT_MAX : found + ret;
		items += n;
		count -= n;
	}
	return found;
}

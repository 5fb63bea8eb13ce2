/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many look-ups in few calls. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "internal.h"

/* Many enough to make up for the cost of a system call, few enough for the stack. */
#define CHUNK	64

/* The program's struct kreg_item may be longer than this library's: @size tells. */
struct items {
	char *at;
	size_t count;
	size_t size;
};

static struct kreg_item *nth(struct items items, size_t n)
{
	return (void *)(items.at + n * items.size);
}

static int check_items(struct items items)
{
	size_t n, i;

	if (items.size < sizeof(struct kreg_item))
		return kreg_cause(-EINVAL, "the items do not tell their size: give that of one");
	for (n = 0; n < items.count; n++)
		for (i = sizeof(struct kreg_item); i < items.size; i++)
			if (items.at[n * items.size + i])
				return -E2BIG;
	return 0;
}

/* What may go into one call. */
struct portion {
	unsigned int items;
	size_t bytes;
};

/*
 * How many of the items go into one call, one at least: room counts against the limit of a batch.
 * Room beyond the longest value is never used, so the kernel is not told of it.
 */
static unsigned int take_items(struct kreg_op *ops, struct items items,
			       const struct portion *most, int *error)
{
	size_t bytes = 0, room;
	struct kreg_item *item;
	unsigned int n;

	*error = 0;
	for (n = 0; n < items.count && (!n || n < most->items); n++) {
		item = nth(items, n);
		room = item->room < KREG_MAX_VALUE ? item->room : KREG_MAX_VALUE;
		bytes += item->key_len + room;
		if (n && bytes > most->bytes)
			break;
		*error = kreg_op_fill(&ops[n], KREG_OP_GET, item->key, item->key_len,
				      item->value, room);
		if (*error)
			break;
	}
	return n;
}

static int run_items(struct kreg_table *table, struct kreg_op *ops, struct items items,
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
		nth(items, i)->len = ops[i].out_len;
		nth(items, i)->version = ops[i].out_version;
		nth(items, i)->error = -(int)ops[i].out_error;
	}
	return io.out_done;
}

/* The limits are asked for when they are found to be lower than usual, and once. */
static int get_all(struct kreg_table *table, struct items left)
{
	struct portion most = { CHUNK, KREG_MAX_BATCH_BYTES };
	unsigned int found = 0, n;
	struct kreg_op ops[CHUNK];
	bool asked = false;
	int ret, error;

	ret = check_items(left);
	if (ret)
		return ret;
	while (left.count) {
		n = take_items(ops, left, &most, &error);
		if (!n)
			return error;
		ret = run_items(table, ops, left, n);
		if (ret == -EFBIG && !asked) {
			asked = true;
			ret = kreg_batch_limits(table->client, &most.items, &most.bytes);
			if (!ret)
				continue;
		}
		if (ret < 0)
			return ret;
		found = found > (unsigned int)(INT_MAX - ret) ? INT_MAX : found + ret;
		left.at += n * left.size;
		left.count -= n;
	}
	return found;
}

int kreg_get_many(struct kreg_table *table, struct kreg_item *items, size_t count,
		  size_t item_size)
{
	struct items all = { .at = (void *)items, .count = count, .size = item_size };
	int ret = kreg_refuse_bag(table);

	if (ret)
		return ret;
	ret = get_all(table, all);
	return kreg_fail_table(ret, ret == -EFBIG ? TRY_BATCH : TRY_READ, table);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the subscribers of a table something. */
#include <errno.h>
#include <limits.h>

#include "internal.h"

static int publish(struct kreg_table *table, struct kreg_ioc_op *io, const void *key,
		   size_t key_len, const void *data, size_t len)
{
	int ret = len > UINT32_MAX ? -EFBIG : kreg_op_fill(&io->op, KREG_OP_PUBLISH, key, key_len,
							    data, len);

	io->table = table->id;
	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, io);
	kreg_fail_table(ret, ret == -EFBIG ? TRY_PUBLISH : TRY_WRITE, table);
	return kreg_fail_sizes(ret, key_len, len, 0);
}

int kreg_notify(struct kreg_table *table, const void *key, size_t key_len,
		const void *data, size_t len)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .flags = KREG_WRITE_ASYNC };

	return publish(table, &io, key, key_len, data, len);
}

int kreg_ack_notify(struct kreg_table *table, const void *key, size_t key_len,
		    const void *data, size_t len)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE };

	return publish(table, &io, key, key_len, data, len);
}

int kreg_sync_notify(struct kreg_table *table, const void *key, size_t key_len,
		     const void *data, size_t len, int64_t timeout_ms)
{
	struct kreg_ioc_op io = {
		.size = sizeof(io),
		.flags = KREG_WRITE_ACKED,
		.deadline_ns = kreg_deadline(timeout_ms),
	};
	int ret = publish(table, &io, key, key_len, data, len);

	if (ret)
		return ret;
	return io.out_missing > INT_MAX ? INT_MAX : (int)io.out_missing;
}

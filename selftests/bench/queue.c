// SPDX-License-Identifier: GPL-2.0
/*
 * A work queue: the first job is taken on loan and, done, removed, again and again.
 */
#include "groups.h"
#include "table.h"

#define OBJECTS	100000
#define COUNT	4096

struct queue {
	struct table table;
	char done[COUNT][KEY_LEN];	/* keys of the jobs that are to be put back */
};

static void put_back(void *arg, long count)
{
	struct queue *q = arg;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = q->table.id,
		.op = {
			.code = KREG_OP_PUT,
			.key_len = KEY_LEN,
			.value = address(q->table.value),
			.value_len = VALUE_LEN,
		},
	};

	while (count--) {
		cmd.op.key = address(q->done[count]);
		call(q->table.fd, KREG_IOC_OP, &cmd, "put");
	}
}

static void take_first(void *arg, long count)
{
	struct queue *q = arg;
	struct kreg_ioc_lease lease;
	struct kreg_ioc_op done = {
		.size = KREG_OP_SIZE,
		.table = q->table.id,
		.op = {
			.code = KREG_OP_DELETE,
			.flags = KREG_OP_MINE | KREG_OP_VERSION,
			.key_len = KEY_LEN,
		},
	};

	while (count--) {
		lease = (struct kreg_ioc_lease) {
			.size = sizeof(lease),
			.flags = KREG_LEASE_FIRST,
			.table = q->table.id,
			.key = address(q->done[count]),
			.key_len = KEY_LEN,
			.value = address(q->table.room),
			.value_len = VALUE_LEN,
		};
		call(q->table.fd, KREG_IOC_LEASE, &lease, "lease of the first");
		done.op.key = lease.key;
		done.op.arg = lease.out_version;
		call(q->table.fd, KREG_IOC_OP, &done, "delete of what is on loan");
	}
}

void group_queue(void)
{
	struct queue *q = calloc(1, sizeof(*q));
	struct bench bench = {
		.system = "kreg",
		.op = "lease-first-and-done",
		.objects = OBJECTS,
		.count = COUNT,
		.prepare = put_back,
		.run = take_first,
		.arg = q,
	};

	bench_pin(0);
	table_make_type(&q->table, KREG_TYPE_ORDERED_SET, NULL, OBJECTS, VALUE_LEN, 1);
	take_first(q, COUNT);
	bench_run(&bench);
	table_free(&q->table);
	free(q);
}

// SPDX-License-Identifier: GPL-2.0
/* Pins: what it takes to set and to end one, and what they cost those who write. */
#include "groups.h"
#include "table.h"

#define OBJECTS	100000
#define MANY	1000

static __u64 set_pin(const struct table *table)
{
	struct kreg_ioc_pin cmd = { .size = sizeof(cmd), .table = table->id };

	call(table->fd, KREG_IOC_PIN, &cmd, "pin");
	return cmd.out_id;
}

static void end_pin(const struct table *table, __u64 id)
{
	struct kreg_ioc_cancel cmd = { .size = sizeof(cmd), .id = id };

	call(table->fd, KREG_IOC_CANCEL, &cmd, "cancel");
}

static void pin_and_unpin(void *arg, long count)
{
	while (count--)
		end_pin(arg, set_pin(arg));
}

/* Each replaces an object that the pin keeps. */
static void put_all(void *arg, long count)
{
	struct table *table = arg;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = table->id,
		.op = {
			.code = KREG_OP_PUT,
			.key_len = KEY_LEN,
			.value = address(table->value),
			.value_len = table->value_len,
		},
	};

	while (count--) {
		cmd.op.key = address(keys_next(&table->keys));
		call(table->fd, KREG_IOC_OP, &cmd, "put");
	}
}

void group_pin(void)
{
	struct table table;
	struct bench bench = {
		.system = "kreg",
		.op = "pin-and-unpin",
		.objects = OBJECTS,
		.count = MANY,
		.run = pin_and_unpin,
		.arg = &table,
	};
	__u64 pin;

	table_make(&table, NULL, OBJECTS, VALUE_LEN, 1);
	bench_run(&bench);
	pin = set_pin(&table);
	bench.op = "put-pinned";
	bench.run = put_all;
	bench_run(&bench);
	end_pin(&table, pin);
	table_free(&table);
}

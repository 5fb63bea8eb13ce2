// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that depend on the value that is there: counters, patches, compare-and-swap.
 */
#include "groups.h"
#include "table.h"

#define COUNT	4096
#define BATCH	64

struct edit {
	const char *name;
	__u16 code;
	__u16 flags;
	__u16 field;			/* code of the only field, or 0 */
	__u16 field_flags;
	bool times;			/* or what MORE says is where it starts */
	bool batch;			/* BATCH of them at once */
};

static const struct edit edits[] = {
	{ "counter",	KREG_OP_EDIT, 0, KREG_FIELD_ADD, KREG_FIELD_WRAP },
	{ "counter-start", KREG_OP_EDIT, KREG_OP_MORE, KREG_FIELD_ADD, KREG_FIELD_WRAP },
	{ "counter-batch-64", KREG_OP_EDIT, 0, KREG_FIELD_ADD, KREG_FIELD_WRAP, .batch = true },
	{ "patch",	KREG_OP_EDIT, 0, KREG_FIELD_COPY },
	{ "cas",	KREG_OP_PUT, KREG_OP_VERSION },
	{ "cas-value",	KREG_OP_PUT, KREG_OP_VALUE },
	{ "get-part",	KREG_OP_GET, KREG_OP_PART },
	{ "put-timed",	KREG_OP_PUT, KREG_OP_MORE, .times = true },
};

struct run {
	const struct edit *edit;
	struct table *table;
	__u64 *version;			/* of each of the next keys */
};

/* What the versions are, before any of them is swapped. */
static void learn_versions(void *arg, long count)
{
	const struct run *run = arg;
	struct keys *keys = &run->table->keys;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = run->table->id,
		.op.code = KREG_OP_MEMBER,
		.op.key_len = KEY_LEN,
	};
	long i;

	if (keys->at + count > keys->count)
		keys->at = 0;
	for (i = 0; i < count; i++) {
		cmd.op.key = address(keys->key[keys->at + i]);
		call(run->table->fd, KREG_IOC_OP, &cmd, "member");
		run->version[i] = cmd.op.out_version;
	}
}

static void run_batches(struct table *table, const struct kreg_op *op, long count)
{
	struct kreg_op ops[BATCH];
	struct kreg_ioc_batch cmd = {
		.size = sizeof(cmd),
		.table = table->id,
		.ops = address(ops),
		.count = BATCH,
		.op_size = sizeof(ops[0]),
	};
	long i, j;

	for (i = 0; i < count; i += BATCH) {
		for (j = 0; j < BATCH; j++) {
			ops[j] = *op;
			ops[j].key = address(keys_next(&table->keys));
		}
		call(table->fd, KREG_IOC_BATCH, &cmd, "batch");
	}
}

static void run_edit(void *arg, long count)
{
	const struct run *run = arg;
	const struct edit *edit = run->edit;
	struct table *table = run->table;
	struct kreg_field field = {
		.code = edit->field,
		.flags = edit->field_flags,
		.operand = edit->field == KREG_FIELD_COPY ? address(table->value) : 1,
		.set = edit->field == KREG_FIELD_COPY ? VALUE_LEN : 0,
	};
	struct kreg_more more = {
		.size = sizeof(more),
		.flags = KREG_MORE_START,
		.start = address(table->value),
		.start_len = VALUE_LEN,
	};
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = table->id,
		.op = {
			.code = edit->code,
			.flags = edit->flags,
			.key_len = KEY_LEN,
			.value = address(edit->code == KREG_OP_GET ? table->room : table->value),
			.value_len = VALUE_LEN,
		},
	};
	long i;

	if (edit->times)
		more = (struct kreg_more) { .size = sizeof(more), .expires_ns = 1ULL << 62 };
	if (edit->field) {
		cmd.op.value = address(&field);
		cmd.op.value_len = sizeof(field);
	}
	if (edit->flags & KREG_OP_MORE)
		cmd.op.arg = address(&more);
	if (edit->flags & KREG_OP_VALUE) {
		cmd.op.arg = address(table->value);
		cmd.op.offset = VALUE_LEN;
	}
	if (edit->batch) {
		run_batches(table, &cmd.op, count);
		return;
	}
	for (i = 0; i < count; i++) {
		cmd.op.key = address(keys_next(&table->keys));
		if (edit->flags & KREG_OP_VERSION)
			cmd.op.arg = run->version[i];
		call(table->fd, KREG_IOC_OP, &cmd, edit->name);
	}
}

void group_edits(void)
{
	static const long sizes[] = { 1000, 100000, 1000000 };
	struct table table;
	struct run run = { .table = &table, .version = malloc(COUNT * sizeof(*run.version)) };
	struct bench bench = {
		.system = "kreg",
		.run = run_edit,
		.prepare = learn_versions,
		.arg = &run,
	};
	unsigned int i, j;

	bench_pin(0);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (bench_quick && sizes[i] != 100000)
			continue;
		table_make(&table, NULL, sizes[i], VALUE_LEN, 0);
		for (j = 0; j < sizeof(edits) / sizeof(*edits); j++) {
			if (edits[j].flags & KREG_OP_VALUE)
				table_fill(&table);
			run.edit = &edits[j];
			bench.op = edits[j].name;
			bench.objects = sizes[i];
			bench.count = sizes[i] < COUNT ? sizes[i] / BATCH * BATCH : COUNT;
			bench_run(&bench);
		}
		table_free(&table);
	}
	free(run.version);
}

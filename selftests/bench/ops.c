// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of kreg on objects: alone, in batches, asynchronous, scans.
 */
#include "groups.h"
#include "table.h"

#define COUNT	4096
#define ROOM	(64 << 10)

/* How an operation is run. */
struct how {
	const char *name;
	__u16 code;
	__u16 flags;			/* of the operation */
	__u32 call_flags;		/* of the call */
	int size;			/* of a batch; 0: none */
	enum { THERE, FRESH, GONE } keys; /* GONE: fresh ones that were put before */
	bool miss;			/* ENODATA is right */
	bool both;			/* with and without the lent turn */
	bool ordered;			/* in a table with an order, too */
};

static const struct how hows[] = {
	{ "get",	KREG_OP_GET, .ordered = true },
	{ "get-miss",	KREG_OP_GET,	.keys = FRESH, .miss = true },
	{ "member",	KREG_OP_MEMBER },
	{ "multi-get-64", KREG_OP_GET,	.size = 64, .ordered = true },
	{ "multi-get-64-atomic", KREG_OP_GET, 0, KREG_BATCH_ATOMIC, .size = 64 },
	{ "put",	KREG_OP_PUT,	.both = true, .ordered = true },
	{ "put-new",	KREG_OP_PUT,	.keys = FRESH, .both = true, .ordered = true },
	{ "put-if-absent", KREG_OP_PUT,	KREG_OP_NEW, .keys = FRESH, .both = true },
	{ "delete",	KREG_OP_DELETE,	.keys = GONE, .both = true, .ordered = true },
	{ "take",	KREG_OP_TAKE,	.keys = GONE, .both = true },
	{ "put-async",	KREG_OP_PUT,	0, KREG_WRITE_ASYNC, .both = true },
	{ "delete-async", KREG_OP_DELETE, 0, KREG_WRITE_ASYNC, .keys = GONE },
	{ "put-batch-16", KREG_OP_PUT,	.size = 16, .both = true },
	{ "put-batch-256", KREG_OP_PUT,	.size = 256 },
	{ "put-new-batch-256", KREG_OP_PUT, .size = 256, .keys = FRESH, .ordered = true },
	{ "put-batch-256-atomic", KREG_OP_PUT, 0, KREG_BATCH_ATOMIC, .size = 256 },
	{ "put-batch-256-async", KREG_OP_PUT, 0, KREG_WRITE_ASYNC, .size = 256 },
	{ "delete-batch-256", KREG_OP_DELETE, .size = 256, .keys = GONE, .ordered = true },
};

struct run {
	const struct how *how;
	struct table *table;
	struct keys *keys;
};

static void run_lone(void *arg, long count)
{
	const struct run *run = arg;
	const struct how *how = run->how;
	struct table *table = run->table;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.flags = how->call_flags,
		.table = table->id,
		.op = {
			.code = how->code,
			.flags = how->flags,
			.key_len = KEY_LEN,
		},
	};

	if (how->code == KREG_OP_PUT)
		cmd.op.value = address(table->value);
	else if (how->code == KREG_OP_GET || how->code == KREG_OP_TAKE)
		cmd.op.value = address(table->room);
	if (cmd.op.value)
		cmd.op.value_len = table->value_len;
	for (; count; count--) {
		cmd.op.key = address(keys_next(run->keys));
		while (ioctl(table->fd, KREG_IOC_OP, &cmd) < 0) {
			if (errno == ENODATA && how->miss)
				break;
			if (errno != EAGAIN)
				bench_die(how->name);
			kreg_sync(table->fd);
		}
	}
	if (how->call_flags & KREG_WRITE_ASYNC)
		kreg_sync(table->fd);
}

static void run_batch(void *arg, long count)
{
	const struct run *run = arg;

	table_batch(run->table, run->how->code, run->how->call_flags, run->keys,
		    count, run->how->size);
	if (run->how->call_flags & KREG_WRITE_ASYNC)
		kreg_sync(run->table->fd);
}

/* Bring the keys to where the operation wants them. */
static void prepare(void *arg, long count)
{
	const struct run *run = arg;
	struct table *table = run->table;

	if (run->how->keys == THERE)
		return;
	table->fresh.at = 0;
	table_batch(table, run->how->keys == GONE ? KREG_OP_PUT : KREG_OP_DELETE,
		    0, &table->fresh, count, 256);
	table->fresh.at = 0;
	bench_settle();
}

static void measure(struct table *table, const struct how *how, const char *end)
{
	struct run run = {
		.how = how,
		.table = table,
		.keys = how->keys == THERE ? &table->keys : &table->fresh,
	};
	char name[64];
	struct bench bench = {
		.system = "kreg",
		.op = name,
		.objects = table->objects,
		.count = COUNT,
		.run = how->size ? run_batch : run_lone,
		.prepare = prepare,
		.arg = &run,
	};

	snprintf(name, sizeof(name), "%s%s", how->name, end);
	bench_run(&bench);
}

/* All of the table, so many bytes in a call; counted by the object. */
struct scan {
	struct table *table;
	__u32 flags;
	char *room;
};

static void run_scan(void *arg, long count)
{
	const struct scan *scan = arg;
	struct kreg_ioc_scan cmd = {
		.size = sizeof(cmd),
		.flags = scan->flags,
		.table = scan->table->id,
		.buf = address(scan->room),
		.buf_len = ROOM,
	};
	char key[KEY_LEN];
	char *at;
	__u32 i;

	do {
		call(scan->table->fd, KREG_IOC_SCAN, &cmd, "scan");
		at = scan->room;
		for (i = 0; i + 1 < cmd.out_count; i++)
			at += ((struct kreg_object *)at)->size;
		memcpy(key, at + sizeof(struct kreg_object), KEY_LEN);
		cmd.range.after = address(key);
		cmd.range.after_len = KEY_LEN;
		count -= cmd.out_count;
	} while (cmd.out_more);
	if (count)
		bench_die("a scan did not find all objects");
}

static void measure_scan(struct table *table, const char *op, __u32 flags)
{
	struct scan scan = {
		.table = table,
		.flags = flags,
		.room = aligned_alloc(8, ROOM),
	};
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = table->objects,
		.count = table->objects,
		.run = run_scan,
		.arg = &scan,
	};

	bench_run(&bench);
	free(scan.room);
}

static void measure_all(struct table *table)
{
	const struct how *how;

	for (how = hows; how < hows + sizeof(hows) / sizeof(*hows); how++)
		measure(table, how, "");
	table->fresh.at = 0;
	table_batch(table, KREG_OP_DELETE, 0, &table->fresh, COUNT, 256);
	measure_scan(table, "scan", 0);
	measure_scan(table, "scan-keys", KREG_SCAN_KEYS);
	kreg_lend(false);
	for (how = hows; how < hows + sizeof(hows) / sizeof(*hows); how++)
		if (how->both)
			measure(table, how, "-thread");
	kreg_lend(true);
}

static void measure_ordered(long objects)
{
	const struct how *how;
	struct table table;

	table_make_type(&table, KREG_TYPE_ORDERED_SET, NULL, objects, VALUE_LEN, COUNT);
	for (how = hows; how < hows + sizeof(hows) / sizeof(*hows); how++)
		if (how->ordered)
			measure(&table, how, "-ordered");
	table.fresh.at = 0;
	table_batch(&table, KREG_OP_DELETE, 0, &table.fresh, COUNT, 256);
	measure_scan(&table, "scan-ordered", 0);
	measure_scan(&table, "scan-back-ordered", KREG_SCAN_REVERSE);
	table_free(&table);
}

#define CHURN	250

/* All objects go, at random, while others come between them; and back again. */
static void churn(struct table *table)
{
	struct keys *from = &table->keys, *to = &table->fresh, *swap;
	int round;
	long done;

	for (round = 0; round < 8; round++) {
		from->at = 0;
		to->at = 0;
		for (done = 0; done < table->objects; done += CHURN) {
			table_batch(table, KREG_OP_PUT, 0, to, CHURN, CHURN);
			table_batch(table, KREG_OP_DELETE, 0, from, CHURN, CHURN);
		}
		swap = from;
		from = to;
		to = swap;
	}
}

/* Keys whose first bytes differ, and what the objects take, also after many have come and gone. */
static void measure_spread(long objects)
{
	static const struct how get = { "get", KREG_OP_GET }, put = { "put", KREG_OP_PUT };
	struct table table;

	table_make_type(&table, KREG_TYPE_ORDERED_SET, NULL, objects, VALUE_LEN, objects);
	table_clear(table.fd, table.id);
	keys_reverse(&table.keys);
	keys_reverse(&table.fresh);
	table_fill(&table);
	table_memory(&table, "memory-ordered");
	measure(&table, &get, "-spread-ordered");
	measure(&table, &put, "-spread-ordered");
	churn(&table);
	table_memory(&table, "memory-churned-ordered");
	table_free(&table);
}

/* Objects that a key has. */
#define RUN	10

static void run_get_all(void *arg, long count)
{
	static __u64 room[ROOM / 8];
	struct table *table = arg;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = table->id,
		.op = {
			.code = KREG_OP_GET,
			.key_len = KEY_LEN,
			.value = address(room),
			.value_len = sizeof(room),
		},
	};

	for (; count; count--) {
		cmd.op.key = address(keys_next(&table->keys));
		call(table->fd, KREG_IOC_OP, &cmd, "get-10");
		if (cmd.op.out_count != RUN)
			bench_die("a key has not so many objects");
	}
}

static void measure_get_all(long objects)
{
	struct table table;
	struct bench bench = {
		.system = "kreg",
		.op = "get-10-bag",
		.objects = objects,
		.count = COUNT,
		.run = run_get_all,
		.arg = &table,
	};
	int i;

	table_make_type(&table, KREG_TYPE_DUPLICATE_BAG, NULL, objects / RUN, VALUE_LEN, 1);
	for (i = 1; i < RUN; i++) {
		table.keys.at = 0;
		table_batch(&table, KREG_OP_PUT, 0, &table.keys, objects / RUN, 256);
	}
	bench_run(&bench);
	table_free(&table);
}

static void measure_bags(long objects)
{
	static const struct how put = { "put", KREG_OP_PUT, .keys = FRESH };
	struct table table;

	table_make_type(&table, KREG_TYPE_BAG, NULL, objects, VALUE_LEN, COUNT);
	measure(&table, &put, "-bag");
	table_free(&table);
	measure_get_all(objects);
}

void group_ops(void)
{
	static const long sizes[] = { 1000, 100000, 1000000 };
	struct table table;
	unsigned int i;

	bench_pin(0);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (bench_quick && sizes[i] != 100000)
			continue;
		table_make(&table, NULL, sizes[i], VALUE_LEN, COUNT);
		measure_all(&table);
		table_free(&table);
		measure_ordered(sizes[i]);
		if (sizes[i] == 100000)
			measure_spread(sizes[i]);
		measure_bags(sizes[i]);
	}
}

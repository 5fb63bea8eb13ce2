// SPDX-License-Identifier: GPL-2.0
/*
 * What depends on the size: values from 8 bytes to 64 KiB, ten million objects,
 * growth; and what does when two CPUs are at it.
 */
#include "groups.h"
#include "table.h"

struct job {
	struct table *table;
	struct keys keys;
	__u16 code;
	char value[VALUE_LEN];
};

static void lone(void *arg, long count)
{
	struct job *job = arg;
	struct table *table = job->table;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = table->id,
		.op = {
			.code = job->code,
			.key_len = KEY_LEN,
			.value_len = table->value_len,
			.value = address(job->code == KREG_OP_PUT ?
					 table->value : table->room),
		},
	};

	if (table->value_len <= VALUE_LEN)
		cmd.op.value = address(job->value);
	while (count--) {
		cmd.op.key = address(keys_next(&job->keys));
		call(table->fd, KREG_IOC_OP, &cmd, "operation");
	}
}

static void measure(struct table *table, __u16 code, const char *op, long count)
{
	struct job job = { .table = table, .keys = table->keys, .code = code };
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = table->objects,
		.count = count,
		.run = lone,
		.arg = &job,
	};

	bench_run(&bench);
}

void group_values(void)
{
	static const struct {
		size_t len;
		const char *get;
		const char *put;
	} row[] = {
		{ 8, "get-8B", "put-8B" },
		{ 64, "get-64B", "put-64B" },
		{ 4096, "get-4KiB", "put-4KiB" },
		{ 65536, "get-64KiB", "put-64KiB" },
	};
	struct table table;
	unsigned int i;

	bench_pin(0);
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		table_make(&table, NULL, 1000, row[i].len, 0);
		measure(&table, KREG_OP_GET, row[i].get, 1000);
		measure(&table, KREG_OP_PUT, row[i].put, 1000);
		table_free(&table);
	}
}

/* From nothing, by single puts: the mean, and the longest of them. */
static void growth(long objects)
{
	uint64_t start, time, sum = 0, longest = 0;
	struct job job = { .code = KREG_OP_PUT };
	double null = bench_null();
	struct table table;
	long i;

	table_make(&table, NULL, 1, VALUE_LEN, 0);
	job.table = &table;
	keys_make(&job.keys, 1, objects);
	for (i = 0; i < objects; i++) {
		start = bench_now();
		lone(&job, 1);
		time = bench_now() - start;
		sum += time;
		if (time > longest)
			longest = time;
	}
	bench_result("kreg", "grow", objects, bench_unit(), sum / objects, null);
	bench_result("kreg", "grow-longest-put", objects, bench_unit(), longest,
		     null);
	keys_free(&job.keys);
	table_free(&table);
}

void group_sizes(void)
{
	struct table table;

	bench_pin(0);
	growth(1000000);
	table_make(&table, NULL, 10000000, VALUE_LEN, 0);
	measure(&table, KREG_OP_GET, "get", 20000);
	measure(&table, KREG_OP_PUT, "put", 20000);
	table_free(&table);
}

/* Two threads on one table, each with keys and a buffer of its own. */
static void two(struct table *table, __u16 code, const char *op)
{
	struct job one = { .table = table, .keys = table->keys, .code = code };
	struct job other = one;
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = table->objects,
		.count = 10000,
		.run = lone,
		.arg = &one,
	};

	other.keys.at = other.keys.count / 2;
	bench_both(&bench, &other);
}

static void latency(struct table *table, __u16 code, const char *op)
{
	struct job job = { .table = table, .keys = table->keys, .code = code };
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = table->objects,
		.count = 50000,
		.run = lone,
		.arg = &job,
	};

	bench_latency(&bench);
}

void group_cpus(void)
{
	struct table table;

	table_make(&table, NULL, 100000, VALUE_LEN, 0);
	bench_pin(0);
	latency(&table, KREG_OP_GET, "get");
	latency(&table, KREG_OP_PUT, "put");
	kreg_lend(false);
	latency(&table, KREG_OP_PUT, "put-thread");
	kreg_lend(true);
	if (bench_cpus() > 1) {
		two(&table, KREG_OP_GET, "get-2cpu");
		two(&table, KREG_OP_PUT, "put-2cpu");
	}
	table_free(&table);
}

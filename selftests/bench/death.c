// SPDX-License-Identifier: GPL-2.0
/*
 * From SIGKILL of a table's owner until its heir has the message, beside a bare
 * pidfd of a process that has nothing to do with kreg, by turns.
 */
#include "groups.h"
#include "table.h"
#include "victim.h"

#define OBJECTS	1000

static double bare(long kib)
{
	struct victim victim;
	uint64_t start;

	victim_start(&victim, kib, false);
	start = bench_now();
	victim_kill(&victim);
	victim_seen(&victim);
	start = bench_now() - start;
	victim_reap(&victim);
	return start;
}

/* The heir has given the table to the victim, and gets it back. */
static double heir(struct table *table, long kib)
{
	struct victim victim;
	uint64_t start;

	victim_start(&victim, kib, true);
	table_give(table->fd, table->id, &victim.self);
	start = bench_now();
	victim_kill(&victim);
	transfer_wait(table->fd);
	start = bench_now() - start;
	victim_reap(&victim);
	return start;
}

static void by_turns(struct table *table, long kib, const char *bare_op,
		     const char *heir_op)
{
	double null = bench_null();
	int round;

	for (round = -2; round < 5 * bench_rounds; round++) {
		double a = bare(kib), b = heir(table, kib);

		if (round < 0)
			continue;
		bench_result("floor", bare_op, 0, bench_unit(), a, null);
		bench_result("kreg", heir_op, table->objects, bench_unit(), b,
			     null);
	}
}

void group_death(void)
{
	struct kreg_process self;
	struct table table;

	bench_pin(0);
	table_make(&table, NULL, OBJECTS, VALUE_LEN, 0);
	self = client_self(table.fd);
	table_heir(table.fd, table.id, &self);
	by_turns(&table, 0, "sigkill-to-pidfd-1MiB", "sigkill-to-heir-1MiB");
	by_turns(&table, 63 << 10, "sigkill-to-pidfd-64MiB",
		 "sigkill-to-heir-64MiB");
	table_free(&table);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are bound to processes: what it takes to look one up, to put, to register and
 * to unregister one, the same as a lock that nobody else wants, those of one process, and what
 * each costs when their process has died.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bound.h"
#include "groups.h"

#define OBJECTS		100000
#define COUNT		4096
#define FEW		64

/* One operation, again and again, on the keys of a table in which each object is bound. */
struct run {
	struct table *table;
	struct keys *keys;
	__u16 code;
	__u16 flags;
	int size;		/* of a batch; 0: none */
};

static void run_ops(void *arg, long count)
{
	const struct run *run = arg;
	struct table *table = run->table;
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = table->id,
		.op = { .code = run->code, .flags = run->flags, .key_len = KEY_LEN },
	};

	if (run->size)
		return table_batch(table, run->code, 0, run->keys, count, run->size);
	if (run->code != KREG_OP_DELETE) {
		cmd.op.value = address(run->code == KREG_OP_GET ? table->room : table->value);
		cmd.op.value_len = table->value_len;
	}
	while (count--) {
		cmd.op.key = address(keys_next(run->keys));
		call(table->fd, KREG_IOC_OP, &cmd, "an operation on a bound object");
	}
}

static void measure(struct run *run, const char *op)
{
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = run->table->objects,
		.count = COUNT,
		.run = run_ops,
		.arg = run,
	};

	bench_run(&bench);
}

static void register_as(void *arg, long count, __u32 flags)
{
	struct table *table = arg;
	struct kreg_ioc_register cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.table = table->id,
		.key_len = KEY_LEN,
		.value = address(table->value),
		.value_len = table->value_len,
	};

	table->fresh.at = 0;
	while (count--) {
		cmd.key = address(keys_next(&table->fresh));
		call(table->fd, KREG_IOC_REGISTER, &cmd, "register");
	}
}

static void register_some(void *arg, long count)
{
	register_as(arg, count, 0);
}

static void lock_some(void *arg, long count)
{
	register_as(arg, count, KREG_REGISTER_WAIT);
}

/* Only of this process, which is said. */
static void unregister_some(void *arg, long count)
{
	struct table *table = arg;
	struct run run = {
		.table = table,
		.keys = &table->fresh,
		.code = KREG_OP_DELETE,
		.flags = KREG_OP_MINE,
	};

	table->fresh.at = 0;
	run_ops(&run, count);
}

static void measure_registering(struct table *table)
{
	struct bench bench = {
		.system = "kreg",
		.op = "register",
		.objects = table->objects,
		.count = COUNT,
		.run = register_some,
		.prepare = unregister_some,
		.arg = table,
	};

	register_some(table, COUNT);
	bench_run(&bench);
	bench.op = "unregister";
	bench.prepare = register_some;
	bench.run = unregister_some;
	unregister_some(table, COUNT);
	bench_run(&bench);
	lock_some(table, COUNT);
	bench.op = "lock";
	bench.prepare = unregister_some;
	bench.run = lock_some;
	bench_run(&bench);
	bench.op = "unlock";
	bench.prepare = lock_some;
	bench.run = unregister_some;
	unregister_some(table, COUNT);
	bench_run(&bench);
}

void table_bind(struct table *table, long count)
{
	struct kreg_ioc_batch cmd = {
		.size = sizeof(cmd),
		.table = table->id,
		.ops = address(table->ops),
		.op_size = sizeof(*table->ops),
	};
	__u32 i;

	memset(table->ops, 0, BATCH_MAX * sizeof(*table->ops));
	for (i = 0; i < BATCH_MAX; i++)
		table->ops[i] = (struct kreg_op) {
			.code = KREG_OP_PUT,
			.flags = KREG_OP_BOUND,
			.key_len = KEY_LEN,
			.value = address(table->value),
			.value_len = table->value_len,
		};
	for (; count > 0; count -= cmd.count) {
		cmd.count = count < BATCH_MAX ? count : BATCH_MAX;
		for (i = 0; i < cmd.count; i++)
			table->ops[i].key = address(keys_next(&table->keys));
		call(table->fd, KREG_IOC_BATCH, &cmd, "bind");
		if (cmd.out_done != cmd.count)
			bench_die("an operation that binds");
	}
}

/* The table is the parent's; what a child does with it goes through a client of its own. */
pid_t bound_start(struct table *table, long count)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		bench_die("pipe");
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		table->fd = client_open();
		table->keys.at = 0;
		table_bind(table, count);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		bench_die("a process that binds did not start");
	close(ready[0]);
	return pid;
}

/* From SIGKILL until all that was bound has gone. */
static double end_holder(struct table *table, long count)
{
	pid_t pid = bound_start(table, count);
	struct kreg_info info;
	uint64_t start;

	bench_settle();
	start = bench_now();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	kreg_sync(table->fd);
	start = bench_now() - start;
	table_info(table->fd, table->id, &info);
	if (info.bound)
		bench_die("an object of a dead process");
	bench_settle();
	return start;
}

/* What the death of one who has bound hardly anything takes is not counted. */
static void measure_deaths(struct table *table)
{
	double null = bench_null(), few;
	int round;

	for (round = -1; round < bench_rounds; round++) {
		few = end_holder(table, 1);
		few = (end_holder(table, OBJECTS) - few) / (OBJECTS - 1);
		if (round >= 0)
			bench_result("kreg", "unbind", OBJECTS, bench_unit(), few, null);
	}
}

/* A process that has little in the table. */
struct few {
	struct table *table;
	struct kreg_process whose;
};

static void list_keys(void *arg, long count)
{
	const struct few *few = arg;
	static __u64 buf[FEW * 16];
	struct kreg_ioc_scan cmd = {
		.size = sizeof(cmd),
		.flags = KREG_SCAN_OF | KREG_SCAN_KEYS,
		.table = few->table->id,
		.buf = address(buf),
		.buf_len = sizeof(buf),
		.process = few->whose,
	};

	while (count--) {
		call(few->table->fd, KREG_IOC_SCAN, &cmd, "a scan of one process");
		if (cmd.out_count != FEW)
			bench_die("the keys of a process");
	}
}

/* All keys of one process, in one call, while others have very many. */
static void measure_keys(struct table *table)
{
	struct few few = { .table = table };
	struct kreg_ioc_whois whois = { .size = sizeof(whois) };
	struct bench bench = {
		.system = "kreg",
		.op = "keys-of-process",
		.objects = table->objects,
		.count = 16,
		.run = list_keys,
		.arg = &few,
	};

	whois.pid = bound_start(table, FEW);
	call(table->fd, KREG_IOC_WHOIS, &whois, "whois");
	few.whose = whois.out_process;
	bench_run(&bench);
	kill(whois.pid, SIGKILL);
	waitpid(whois.pid, NULL, 0);
}

void group_bound(void)
{
	struct table table;
	struct run get = { &table, &table.keys, KREG_OP_GET };
	struct run put = { &table, &table.keys, KREG_OP_PUT, KREG_OP_BOUND };
	struct run keep = { &table, &table.keys, KREG_OP_PUT };
	struct run keep_16 = { &table, &table.keys, KREG_OP_PUT, 0, 16 };

	bench_pin(0);
	table_make(&table, NULL, OBJECTS, VALUE_LEN, COUNT);
	table.keys.at = 0;
	table_bind(&table, OBJECTS);
	bench_settle();
	measure(&get, "get-bound");
	measure(&put, "put-bound");
	measure(&keep, "put-keeping-bond");
	measure(&keep_16, "put-batch-16-keeping-bond");
	measure_registering(&table);
	kreg_lend(false);
	measure(&put, "put-bound-thread");
	measure(&keep_16, "put-batch-16-keeping-bond-thread");
	kreg_lend(true);
	measure_keys(&table);
	table_clear(table.fd, table.id);
	measure_deaths(&table);
	table_free(&table);
}

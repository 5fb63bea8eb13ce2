// SPDX-License-Identifier: GPL-2.0
/*
 * Tables as a whole: create, open, ask, hand over, clear, destroy, and what does
 * or does not depend on how much is in them.
 */
#include <signal.h>
#include <sys/wait.h>

#include "groups.h"
#include "table.h"
#include "victim.h"

#define MANY	512
#define NAME	"bench"
#define OTHER	"bench.other"
#define TABLES	100000
#define IDLE	10000

struct life {
	int fd;
	__u64 ids[MANY];
	long at;
};

static void create(void *arg, long count)
{
	struct life *life = arg;
	char name[32];

	while (count--) {
		snprintf(name, sizeof(name), "bench-%ld", life->at);
		life->ids[life->at++] = table_create(life->fd, name, NULL);
	}
}

static void destroy(void *arg, long count)
{
	struct life *life = arg;

	while (count--)
		table_destroy(life->fd, life->ids[--life->at]);
}

static void open_name(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_ioc_open cmd = {
		.size = sizeof(cmd),
		.name = address(NAME),
		.name_len = strlen(NAME),
	};

	while (count--)
		call(life->fd, KREG_IOC_OPEN, &cmd, "open");
}

static void query(void *arg, long count)
{
	struct life *life = arg;

	while (count--)
		client_self(life->fd);
}

static void whois(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_ioc_whois cmd = { .size = sizeof(cmd), .pid = getpid() };

	while (count--)
		call(life->fd, KREG_IOC_WHOIS, &cmd, "whois");
}

static void info(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_info room;

	while (count--)
		table_info(life->fd, life->ids[0], &room);
}

/* Counted by the table. */
static void list(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_info *room = calloc(64, sizeof(*room));
	struct kreg_ioc_list cmd = {
		.size = sizeof(cmd),
		.infos = address(room),
		.info_len = sizeof(*room),
		.max_count = 64,
	};

	while (count > 0) {
		call(life->fd, KREG_IOC_LIST, &cmd, "list");
		count -= cmd.out_count;
		cmd.after = cmd.out_more ? room[cmd.out_count - 1].id : 0;
	}
	free(room);
}

static void set_mode(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = life->ids[0],
		.option = KREG_OPT_MODE,
		.value = 0600,
	};

	while (count--)
		call(life->fd, KREG_IOC_SETOPT, &cmd, "mode");
}

static void set_heir(void *arg, long count)
{
	struct life *life = arg;
	struct kreg_process self = client_self(life->fd);

	while (count--)
		table_heir(life->fd, life->ids[0], &self);
}

static void sync_empty(void *arg, long count)
{
	struct life *life = arg;

	while (count--)
		kreg_sync(life->fd);
}

static void empty_tables(void)
{
	struct life life = { .fd = client_open() };
	struct bench bench = { .system = "kreg", .arg = &life };
	static const struct {
		const char *op;
		long count;
		void (*run)(void *arg, long count);
		void (*prepare)(void *arg, long count);
	} row[] = {
		{ "query", 1000, query },
		{ "whois", 1000, whois },
		{ "open", 1000, open_name },
		{ "info", 1000, info },
		{ "set-mode", 1000, set_mode },
		{ "set-heir", 1000, set_heir },
		{ "sync", 1000, sync_empty },
		{ "create", MANY / 16, create },
		{ "list-of-64", 1024, list },
		{ "destroy", MANY / 16, destroy, create },
	};
	unsigned int i;

	life.ids[life.at++] = table_create(life.fd, NAME, NULL);
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		bench.op = row[i].op;
		bench.count = row[i].count;
		bench.run = row[i].run;
		bench.prepare = row[i].prepare;
		bench_run(&bench);
	}
	while (life.at)
		destroy(&life, 1);
	close(life.fd);
	bench_settle();
}

/* One of many tables. */
struct one {
	int fd;
	__u64 id;
};

static void get_from(void *arg, long count)
{
	struct one *one = arg;
	char value[8];
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = one->id,
		.op = {
			.code = KREG_OP_GET,
			.key = address("k"),
			.key_len = 1,
			.value = address(value),
			.value_len = sizeof(value),
		},
	};

	while (count--)
		call(one->fd, KREG_IOC_OP, &cmd, "get");
}

static void put_one(int fd, __u64 id)
{
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = id,
		.op = {
			.code = KREG_OP_PUT,
			.key = address("k"),
			.key_len = 1,
			.value = address("v"),
			.value_len = 1,
		},
	};

	call(fd, KREG_IOC_OP, &cmd, "put");
}

static void measure_one(struct one *one, const char *op)
{
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = TABLES,
		.count = 1000,
		.run = get_from,
		.arg = one,
	};

	put_one(one->fd, one->id);
	bench_run(&bench);
}

static void many_tables(void)
{
	__u64 *ids = calloc(TABLES, sizeof(*ids));
	struct one one = { .fd = client_open() };
	long i;

	for (i = 0; i < TABLES; i++)
		ids[i] = table_create(one.fd, NULL, NULL);
	one.id = ids[0];
	measure_one(&one, "get-oldest-table");
	one.id = ids[TABLES - 1];
	measure_one(&one, "get-newest-table");
	while (i--)
		table_destroy(one.fd, ids[i]);
	free(ids);
	close(one.fd);
	bench_settle();
}

/* A process that has a client and sleeps. */
static pid_t idle_start(int ready)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork");
	if (pid)
		return pid;
	client_open();
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void idle_processes(void)
{
	pid_t *pids = calloc(IDLE, sizeof(*pids));
	struct life life = { .fd = client_open() };
	struct bench bench = {
		.system = "kreg",
		.op = "sync-idle-processes",
		.objects = IDLE,
		.count = 100,
		.run = sync_empty,
		.arg = &life,
	};
	int ready[2];
	char byte;
	long i;

	if (pipe(ready))
		bench_die("pipe");
	for (i = 0; i < IDLE; i++) {
		pids[i] = idle_start(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			bench_die("an idle process did not start");
	}
	bench_run(&bench);
	while (i--) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
	free(pids);
	close(life.fd);
	bench_settle();
}

/* One step of handing a table round, and what it took. */
static void step(const struct table *table, const char *op, uint64_t start,
		 int round, double null)
{
	if (round >= 0)
		bench_result("kreg", op, table->objects, bench_unit(),
			     bench_now() - start, null);
}

static void hand_over(struct table *table)
{
	struct kreg_process self = client_self(table->fd);
	double null = bench_null();
	struct victim victim;
	uint64_t start;
	int round;

	table_heir(table->fd, table->id, &self);
	for (round = -2; round < 3 * bench_rounds; round++) {
		victim_start(&victim, 0, true);
		start = bench_now();
		table_give(table->fd, table->id, &victim.self);
		step(table, "give", start, round, null);

		start = bench_now();
		victim_kill(&victim);
		transfer_wait(table->fd);
		step(table, "inherit", start, round, null);
		victim_reap(&victim);

		start = bench_now();
		table_give(table->fd, table->id, NULL);
		step(table, "park", start, round, null);

		start = bench_now();
		table_claim(table->fd, NAME);
		step(table, "claim", start, round, null);
	}
}

/*
 * Until the call returns; the memory follows in the background. A grace period has begun: else
 * it were left to chance whether the clear begins one, which takes 560 instructions.
 */
static void remove_all(struct table *table)
{
	int round, rounds = table->objects > 10 ? 3 : bench_rounds;
	double null = bench_null();
	struct table other;
	uint64_t start;

	table_make(&other, OTHER, 1, 1, 0);
	for (round = -1; round < rounds; round++) {
		table_fill(&other);
		table_clear(other.fd, other.id);
		start = bench_now();
		table_clear(table->fd, table->id);
		step(table, "clear", start, round, null);
		bench_settle();
		table_fill(table);
		bench_settle();

		start = bench_now();
		table_destroy(table->fd, table->id);
		step(table, "destroy", start, round, null);
		bench_settle();
		table->id = table_create(table->fd, NAME, NULL);
		table_fill(table);
		bench_settle();
	}
	table_free(&other);
}

void group_life(void)
{
	static const long sizes[] = { 10, 1000000 };
	struct table table;
	unsigned int i;

	bench_pin(0);
	empty_tables();
	table_make(&table, NAME, 100000, VALUE_LEN, 0);
	table_memory(&table, "memory");
	table_free(&table);
	many_tables();
	idle_processes();
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (bench_quick && sizes[i] > 10)
			continue;
		table_make(&table, NAME, sizes[i], VALUE_LEN, 0);
		if (sizes[i] > 10)
			table_memory(&table, "memory");
		hand_over(&table);
		remove_all(&table);
		table_free(&table);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * How long can the others keep somebody waiting? A thread that goes before all
 * others wakes by a timer and puts one object into a table of its own, again and
 * again, while a big table elsewhere grows, is cleared, destroyed or inherited, while a
 * process dies to which many objects are bound, or while somebody does what takes longest:
 * see hostile.c.
 * The longest time from the timer to the end of a put is printed. It has the
 * interrupt, the wake-up and the put in it ("idle"), and the longest turn of
 * somebody else; what is not under a turn can be interrupted, so the kernel is
 * told to do so wherever that is possible.
 *
 * What the kernel itself does with as much memory is measured beside it: a process
 * unmaps single pages.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bound.h"
#include "flood.h"
#include "groups.h"
#include "hostile.h"
#include "table.h"
#include "victim.h"

#define PERIOD_NS	40000
#define OBJECTS		1000000
#define BOUND		100000
#define FLOOD_US	2000000
#define UNMAPPED	(128UL << 20)	/* about what those take */
#define PREEMPT		"/sys/kernel/debug/sched/preempt"

struct watch {
	pthread_t thread;
	atomic_bool stop;
	uint64_t longest;
};

/* The kernel's clock, in both modes: it is what the timer goes by. */
static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void *watch_run(void *arg)
{
	struct sched_param first = { .sched_priority = 50 };
	struct watch *watch = arg;
	struct table table;
	struct timespec at;
	uint64_t due, late;

	bench_pin(0);
	table_make(&table, NULL, 100, VALUE_LEN, 0);
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &first))
		bench_die("SCHED_FIFO");
	while (!atomic_load(&watch->stop)) {
		due = clock_ns() + PERIOD_NS;
		at.tv_sec = due / 1000000000;
		at.tv_nsec = due % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		table_batch(&table, KREG_OP_PUT, 0, &table.keys, 1, 1);
		late = clock_ns() - due;
		if (late > watch->longest)
			watch->longest = late;
	}
	table_free(&table);
	return NULL;
}

static void watch_start(struct watch *watch)
{
	memset(watch, 0, sizeof(*watch));
	pthread_create(&watch->thread, NULL, watch_run, watch);
	usleep(20000);
	watch->longest = 0;
}

/* What goes on in the background is part of it. */
static void watch_stop(struct watch *watch, const char *system, const char *op,
		       long objects)
{
	usleep(200000);
	atomic_store(&watch->stop, true);
	pthread_join(watch->thread, NULL);
	bench_result(system, op, objects, bench_unit(), watch->longest, 0);
	bench_settle();
}

static void inherit(struct table *table)
{
	struct kreg_process self = client_self(table->fd);
	struct victim victim;
	struct watch watch;

	table_heir(table->fd, table->id, &self);
	victim_start(&victim, 0, true);
	table_give(table->fd, table->id, &victim.self);
	watch_start(&watch);
	victim_kill(&victim);
	transfer_wait(table->fd);
	watch_stop(&watch, "kreg", "longest-turn-inherit", table->objects);
	victim_reap(&victim);
}

static void longest_idle(void)
{
	struct watch watch;

	watch_start(&watch);
	watch_stop(&watch, "kreg", "longest-turn-idle", 0);
}

static void longest_turns(void)
{
	struct watch watch;
	struct table table;

	table_make(&table, NULL, 1, VALUE_LEN, 0);
	keys_free(&table.keys);
	keys_make(&table.keys, 0, OBJECTS);
	table.objects = OBJECTS;
	watch_start(&watch);
	table_batch(&table, KREG_OP_PUT, 0, &table.keys, OBJECTS, 1);
	watch_stop(&watch, "kreg", "longest-turn-grow", OBJECTS);

	inherit(&table);

	watch_start(&watch);
	table_clear(table.fd, table.id);
	watch_stop(&watch, "kreg", "longest-turn-clear", OBJECTS);

	watch_start(&watch);
	table_fill(&table);
	watch_stop(&watch, "kreg", "longest-turn-grow-batch-1024", OBJECTS);

	watch_start(&watch);
	table_destroy(table.fd, table.id);
	watch_stop(&watch, "kreg", "longest-turn-destroy", OBJECTS);

	table.id = table_create(table.fd, NULL, NULL);
	table_free(&table);
}

/* A process dies to which as many objects were bound; they go one by one. */
static void longest_unbind(void)
{
	struct watch watch;
	struct table table;
	pid_t pid;

	table_make(&table, NULL, BOUND, VALUE_LEN, 0);
	table_clear(table.fd, table.id);
	pid = bound_start(&table, BOUND);
	bench_settle();
	watch_start(&watch);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	kreg_sync(table.fd);
	watch_stop(&watch, "kreg", "longest-turn-unbind", BOUND);
	table_free(&table);
}

static void longest_hostile(void)
{
	struct watch watch;
	struct table table;
	struct keys keys;

	hostile_choose(&table);
	watch_start(&watch);
	hostile_keys(&table);
	watch_stop(&watch, "kreg", "longest-turn-hostile-keys", 0);
	watch_start(&watch);
	hostile_sizes(&table);
	watch_stop(&watch, "kreg", "longest-turn-hostile-sizes", 0);
	/* To unmap so many keys takes the kernel longer than a turn: see longest_unmap(). */
	keys_make(&keys, 0, HOSTILE_SHORT);
	watch_start(&watch);
	hostile_chunks(&table, &keys);
	watch_stop(&watch, "kreg", "longest-turn-hostile-chunks", 0);
	keys_free(&keys);
	table_free(&table);
}

#define GROUP_VALUE	2000	/* bytes, so that all are nearly as many as a group may have */
#define GROUP_OPS	(KREG_MAX_GROUP_OPS / KREG_MAX_GROUP)
#define GROUPS		2000

/* As much as one group may do: so many puts in each table, into any place of its order. */
struct group {
	__u64 ids[KREG_MAX_GROUP];
	struct kreg_ioc_batch batches[KREG_MAX_GROUP];
	struct kreg_op ops[KREG_MAX_GROUP_OPS];
	char value[GROUP_VALUE];
};

static void group_make(struct group *g, int fd)
{
	struct kreg_ioc_open how = {
		.type = KREG_TYPE_ORDERED_SET,
		.access = KREG_ACCESS_PUBLIC,
	};
	unsigned int i;

	for (i = 0; i < KREG_MAX_GROUP; i++) {
		g->ids[i] = table_create(fd, NULL, &how);
		how.flags = KREG_OPEN_BESIDE;
		how.beside = g->ids[0];
		g->batches[i] = (struct kreg_ioc_batch){
			.size = sizeof(g->batches[i]),
			.flags = KREG_BATCH_ATOMIC,
			.table = g->ids[i],
			.ops = address(&g->ops[i * GROUP_OPS]),
			.count = GROUP_OPS,
			.op_size = sizeof(g->ops[0]),
		};
	}
}

static void group_put(struct group *g, int fd, struct keys *keys)
{
	struct kreg_ioc_group cmd = {
		.size = sizeof(cmd),
		.batches = address(g->batches),
		.count = KREG_MAX_GROUP,
		.batch_size = sizeof(g->batches[0]),
	};
	unsigned int i;

	for (i = 0; i < KREG_MAX_GROUP_OPS; i++)
		g->ops[i] = (struct kreg_op){
			.code = KREG_OP_PUT,
			.key = address(keys_next(keys)),
			.key_len = KEY_LEN,
			.value = address(g->value),
			.value_len = GROUP_VALUE,
		};
	call(fd, KREG_IOC_GROUP, &cmd, "group");
}

static void longest_group(void)
{
	struct group *g = calloc(1, sizeof(*g));
	int fd = client_open(), i;
	struct watch watch;
	struct keys keys;

	if (!g)
		bench_die("no memory");
	group_make(g, fd);
	keys_make(&keys, 0, GROUPS * KREG_MAX_GROUP_OPS / 2);
	watch_start(&watch);
	for (i = 0; i < GROUPS; i++)
		group_put(g, fd, &keys);
	watch_stop(&watch, "kreg", "longest-turn-group", 0);
	for (i = 0; i < KREG_MAX_GROUP; i++)
		table_destroy(fd, g->ids[i]);
	keys_free(&keys);
	close(fd);
	free(g);
}

/* Another user queues what he may, and lets processes die, all the time. */
static void longest_flooded(void)
{
	struct watch watch;

	device_share(true);
	flood_start(FLOOD_CALLS);
	watch_start(&watch);
	usleep(FLOOD_US);
	watch_stop(&watch, "kreg", "longest-turn-stranger", 0);
	flood_stop();
	device_share(false);
}

static void longest_unmap(void)
{
	struct watch watch;
	void *mem = mmap(NULL, UNMAPPED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		bench_die("mmap");
	madvise(mem, UNMAPPED, MADV_NOHUGEPAGE);
	memset(mem, 1, UNMAPPED);
	watch_start(&watch);
	munmap(mem, UNMAPPED);
	watch_stop(&watch, "floor", "longest-turn-munmap", 0);
}

static void preempt(const char *model)
{
	int fd = open(PREEMPT, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, model, strlen(model)) < 0)
		bench_die(PREEMPT);
	close(fd);
}

void group_turn(void)
{
	preempt("full");
	bench_pin(0);
	longest_idle();
	if (!bench_quick)
		longest_turns();
	longest_unbind();
	longest_hostile();
	longest_group();
	if (!bench_quick) {
		longest_flooded();
		longest_unmap();
	}
	preempt("voluntary");
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A stranger's processes. What they do takes system calls that queue work in kreg. How much
 * of the processors they get is up to the scheduler, and not measured here: as many
 * processes that only spin are there to compare with.
 */
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "flood.h"
#include "table.h"

#define CLIENTS		30	/* of a process; each may have 4,096 operations queued */
#define BATCH		1024
#define POLLED		256	/* as often the client is named in a poll() */
#define LEFT		4096	/* objects that a process leaves when it dies */
#define PROCESSES	4

static atomic_bool *stop;
static pid_t pids[PROCESSES];

static bool flooding(void)
{
	return !atomic_load(stop);
}

void device_share(bool share)
{
	if (chmod("/dev/kreg", share ? 0666 : 0600))
		bench_die("chmod of /dev/kreg");
}

void become(unsigned int user)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || setgroups(0, NULL) ||
	    setresgid(user, user, user) || setresuid(user, user, user))
		bench_die("change of user");
}

static void spin(void)
{
	while (flooding())
		;
}

/* Queue a batch in the table. False: no more may be queued at the moment. */
static bool post(const struct table *table)
{
	struct kreg_ioc_batch cmd = {
		.size = sizeof(cmd),
		.flags = KREG_WRITE_ASYNC,
		.table = table->id,
		.ops = address(table->ops),
		.op_size = sizeof(*table->ops),
		.count = BATCH,
	};

	if (!ioctl(table->fd, KREG_IOC_BATCH, &cmd))
		return true;
	if (errno != EAGAIN && errno != EDQUOT)
		bench_die("asynchronous batch");
	return false;
}

static void queue(bool shared)
{
	struct table tables[CLIENTS];
	int i, posted;

	for (i = 0; i < CLIENTS; i++) {
		table_make(&tables[i], NULL, BATCH, VALUE_LEN, 0);
		/* Fills in the operations, which stay. */
		table_batch(&tables[i], KREG_OP_PUT, 0, &tables[i].keys, BATCH, BATCH);
		if (shared && i % 2)
			tables[i].id = table_find(tables[i].fd, FLOOD_SHARED);
	}
	while (flooding()) {
		for (i = 0, posted = 0; i < CLIENTS; i++)
			posted += post(&tables[i]);
		if (!posted)
			usleep(1000);
	}
}

static void queue_own(void)
{
	queue(false);
}

static void queue_shared(void)
{
	queue(true);
}

static void open_and_close(void)
{
	struct pollfd polled[POLLED];
	__u64 id;
	int fd, i;

	while (flooding()) {
		fd = client_open();
		id = table_create(fd, NULL, NULL);
		for (i = 0; i < POLLED; i++)
			polled[i] = (struct pollfd) { .fd = fd, .events = POLLIN };
		poll(polled, POLLED, 0);
		table_destroy(fd, id);
		close(fd);
	}
}

static void let_die(void)
{
	struct table table;
	pid_t pid;

	while (flooding()) {
		pid = fork();
		if (!pid) {
			table_make(&table, NULL, LEFT, VALUE_LEN, 0);
			raise(SIGKILL);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			bench_die("fork");
	}
}

void flood_start(enum flood what)
{
	static void (*const ways[][PROCESSES])(void) = {
		[FLOOD_SPIN] = { spin, spin, spin, spin },
		[FLOOD_CALLS] = { queue_own, queue_own, open_and_close, let_die },
		[FLOOD_SHARE] = { queue_own, queue_shared, open_and_close, let_die },
	};
	int i;

	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (stop == MAP_FAILED)
		bench_die("mmap");
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			bench_die("fork");
		if (pids[i])
			continue;
		become(FLOOD_USER);
		ways[what][i]();
		_exit(0);
	}
	/* Until the queues are full. */
	usleep(bench_counted ? 200000 : 3000000);
}

void flood_stop(void)
{
	int i, status;

	atomic_store(stop, true);
	for (i = 0; i < PROCESSES; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			bench_die("a process of the flood");
	munmap(stop, sizeof(*stop));
	bench_settle();
}

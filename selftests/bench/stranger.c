// SPDX-License-Identifier: GPL-2.0
/*
 * What single calls and a death take while another user floods: alone, beside as many
 * processes that only spin, and beside those that flood; and the longest of each.
 */
#include <sys/wait.h>

#include "flood.h"
#include "groups.h"
#include "table.h"
#include "victim.h"

#define USER		1000
#define NAME		"stranger"
#define LONE		200	/* of each call */
#define PAUSE_US	3000

struct user {
	const char *phase;
	int fd;
	__u64 id;
	int other;		/* a client to be closed */
	struct victim victim;
};

static void one_op(struct user *user, __u16 code)
{
	char room[VALUE_LEN] = "";
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = user->id,
		.op = {
			.code = code,
			.key = address("k"),
			.key_len = 1,
			.value = address(room),
			.value_len = sizeof(room),
		},
	};

	call(user->fd, KREG_IOC_OP, &cmd, "operation");
}

static void put(struct user *user)
{
	one_op(user, KREG_OP_PUT);
}

static void get(struct user *user)
{
	one_op(user, KREG_OP_GET);
}

static void open_other(struct user *user)
{
	user->other = client_open();
}

static void close_other(struct user *user)
{
	close(user->other);
}

static void park(struct user *user)
{
	table_give(user->fd, user->id, NULL);
}

static void claim(struct user *user)
{
	table_claim(user->fd, NAME);
}

static void give_away(struct user *user)
{
	victim_start(&user->victim, 0, true);
	table_give(user->fd, user->id, &user->victim.self);
}

/* From the signal until the heir has read the record. */
static void inherit(struct user *user)
{
	victim_kill(&user->victim);
	transfer_wait(user->fd);
}

static void reap(struct user *user)
{
	victim_reap(&user->victim);
}

static const struct lone {
	const char *op;
	void (*prepare)(struct user *user);
	void (*run)(struct user *user);
	void (*after)(struct user *user);
	int share;		/* of LONE */
} lone[] = {
	{ "put", NULL, put, NULL, 1 },
	{ "get", NULL, get, NULL, 1 },
	{ "close", open_other, close_other, NULL, 1 },
	{ "claim", park, claim, NULL, 1 },
	{ "death", give_away, inherit, reap, 4 },
};

static void measure_lone(struct user *user, const struct lone *l)
{
	uint64_t start, time, longest = 0;
	char name[64];
	int i;

	snprintf(name, sizeof(name), "stranger-%s-%s", l->op, user->phase);
	for (i = -5; i < LONE / l->share; i++) {
		usleep(PAUSE_US);
		if (l->prepare)
			l->prepare(user);
		start = bench_now();
		l->run(user);
		time = bench_now() - start;
		if (l->after)
			l->after(user);
		if (i < 0)
			continue;
		bench_result("kreg", name, 0, bench_unit(), time, 0);
		if (time > longest)
			longest = time;
	}
	snprintf(name, sizeof(name), "stranger-%s-%s-longest", l->op, user->phase);
	bench_result("kreg", name, 0, bench_unit(), longest, 0);
}

/* Calls on a table of the user's own, or one on a table that the other writes to as well. */
static void measure_as_user(const char *phase, bool shared)
{
	struct user user = { .phase = phase };
	struct kreg_process self;
	unsigned int i;

	become(USER);
	bench_pin(0);
	user.fd = client_open();
	if (shared) {
		user.id = table_find(user.fd, FLOOD_SHARED);
		return measure_lone(&user, &lone[0]);
	}
	user.id = table_create(user.fd, NAME, NULL);
	put(&user);
	self = client_self(user.fd);
	table_heir(user.fd, user.id, &self);
	for (i = 0; i < sizeof(lone) / sizeof(*lone); i++)
		measure_lone(&user, &lone[i]);
}

static void measure(const char *phase, bool shared)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork");
	if (!pid) {
		measure_as_user(phase, shared);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		bench_die("the user who measures");
}

static void measure_beside(enum flood what, const char *phase)
{
	flood_start(what);
	measure(phase, what == FLOOD_SHARE);
	flood_stop();
}

static void make_shared(int fd)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.option = KREG_OPT_MODE,
		.value = 0666,
	};

	cmd.table = table_create(fd, FLOOD_SHARED, NULL);
	call(fd, KREG_IOC_SETOPT, &cmd, "mode");
}

void group_stranger(void)
{
	int fd = client_open();

	device_share(true);
	make_shared(fd);
	measure("alone", false);
	measure_beside(FLOOD_SPIN, "spun");
	measure_beside(FLOOD_CALLS, "flooded");
	measure_beside(FLOOD_SHARE, "shared");
	table_destroy(fd, table_find(fd, FLOOD_SHARED));
	device_share(false);
	close(fd);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The director's part: kill, wait for the new owner, measure. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define TIMEOUT_MS	60000	/* for a new owner */

static pid_t server;		/* owns the table */
static pid_t standby;		/* waits for it */

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

uint64_t count_lookups(const struct demo *d, uint64_t *failures)
{
	uint64_t n = 0;
	unsigned int i;

	*failures = 0;
	for (i = 0; i < d->opt.readers; i++) {
		n += atomic_load(&d->shared->reader[i].lookups);
		*failures += atomic_load(&d->shared->reader[i].failures);
	}
	return n;
}

/* Read reports until one of this kind comes; handle the others. */
static int expect(struct demo *d, enum word word, struct report *r,
		  struct takeover_result *result, uint64_t killed_ns)
{
	while (!interrupted && report_read(d, r, TIMEOUT_MS)) {
		if (r->word == word)
			return 0;
		if (r->word == WORD_FAILED) {
			tell_trouble(d, r->text);
			return -1;
		}
		if (r->word == WORD_FILLING)
			tell_filling(d, r->number);
		if (r->word == WORD_INHERITED && result && r->pid == result->killed) {
			result->heir_ns = r->time_ns - killed_ns;
			result->status = r->number;
		}
	}
	tell_trouble(d, interrupted ? "interrupted" : "there was no new owner for a minute");
	return -1;
}

static int expect_owner(struct demo *d)
{
	struct report r;

	if (expect(d, WORD_OWNS, &r, NULL, 0))
		return -1;
	server = r.pid;
	return 0;
}

/* By a pidfd, since the process need not be a child of this one. */
static uint64_t kill_and_wait(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { fd, POLLIN, 0 };

	kill(pid, SIGKILL);
	if (fd >= 0) {
		poll(&p, 1, TIMEOUT_MS);
		close(fd);
	}
	return now_ns();
}

/*
 * The process is a child of the director, or becomes one when the keeper dies: the
 * director is a subreaper.
 */
static void end_process(pid_t *pid, int *status)
{
	if (*pid > 0) {
		kill_and_wait(*pid);
		waitpid(*pid, status, 0);
	}
	*pid = 0;
}

/* Wait until the kernel counts the waiter: an earlier kill would measure its start as well. */
static int start_standby(struct demo *d)
{
	struct kreg_client *client;
	struct kreg_stat *stat;
	struct report r;
	unsigned int waiters = 0;
	int ret, tries;

	standby = server_start(d, TAKE_WAIT, -1);
	if (standby < 0 || expect(d, WORD_STANDBY, &r, NULL, 0))
		return -1;
	if (kreg_client_open(NULL, &client))
		return -1;
	for (tries = 0; tries < 1000 && !waiters; tries++) {
		sleep_ms(1);
		ret = kreg_stat_by_name(client, d->opt.table, &stat);
		if (ret)
			break;
		waiters = kreg_stat_waiters(stat);
		kreg_stat_free(stat);
	}
	kreg_client_close(client);
	return waiters ? 0 : -1;
}

static int prepare_round(struct demo *d, enum round round, bool first)
{
	uint64_t started = now_ns();

	if (first) {
		server = server_start(d, TAKE_CLAIM, -1);
		if (server < 0 || expect_owner(d))
			return -1;
		tell_filled(d, started);
	}
	if (round == ROUND_KEEPER) {
		end_process(&server, NULL);
		d->keeper = keeper_start(d);
		return d->keeper < 0 ? -1 : expect_owner(d);
	}
	if (d->keeper) {
		/* Without the keeper the table is parked when its server dies. */
		end_process(&d->keeper, NULL);
		end_process(&server, NULL);
		server = server_start(d, TAKE_CLAIM, -1);
		if (server < 0 || expect_owner(d))
			return -1;
	}
	return round == ROUND_STANDBY ? start_standby(d) : 0;
}

/* Start the next server, unless the keeper does or a standby waits already. */
static int restart(struct demo *d, enum round round, struct takeover_result *r)
{
	if (round == ROUND_KEEPER)
		return 0;
	waitpid(r->killed, &r->status, 0);
	if (round == ROUND_PARK)
		return server_start(d, TAKE_CLAIM, -1) < 0 ? -1 : 0;
	standby = 0;
	return 0;
}

static int takeover(struct demo *d, enum round round, struct takeover_result *r)
{
	uint64_t lookups, failures, killed_ns, f;
	struct report owns;

	r->killed = server;
	lookups = count_lookups(d, &failures);
	killed_ns = now_ns();
	r->dead_ns = kill_and_wait(server) - killed_ns;
	server = 0;
	if (restart(d, round, r) || expect(d, WORD_OWNS, &owns, r, killed_ns))
		return -1;
	r->lookups = count_lookups(d, &f) - lookups;
	r->failures = f - failures;
	server = owns.pid;
	r->owner = server;
	r->owner_ns = owns.time_ns - killed_ns;
	r->objects = owns.number;
	return 0;
}

static int kills(struct demo *d, enum round round, struct tally *tally)
{
	struct takeover_result r;
	unsigned int n;

	for (n = 1; n <= d->opt.kills; n++) {
		sleep_ms(d->opt.pause_ms);
		memset(&r, 0, sizeof(r));
		if (interrupted || takeover(d, round, &r))
			return -1;
		tell_takeover(d, round, n, &r);
		tally->kills++;
		if (r.owner_ns > tally->worst_ns)
			tally->worst_ns = r.owner_ns;
		if (r.objects < d->opt.objects)
			tally->lost = d->opt.objects - r.objects;
		if (round == ROUND_STANDBY && n < d->opt.kills && start_standby(d))
			return -1;
	}
	return 0;
}

static int start_readers(struct demo *d)
{
	unsigned int i;

	for (i = 0; i < d->opt.readers; i++) {
		d->reader[i] = reader_start(d, i);
		if (d->reader[i] < 0)
			return -1;
	}
	return 0;
}

int round_run(struct demo *d, enum round round, bool first, struct tally *tally)
{
	if (prepare_round(d, round, first))
		return -1;
	/* The table must be full first, else look-ups would fail. */
	if (first && start_readers(d))
		return -1;
	tell_round(d, round);
	return kills(d, round, tally);
}

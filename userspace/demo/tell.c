/* SPDX-License-Identifier: GPL-2.0-only */
/* The output, for people or in JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cli/signal_name.h"
#include "demo.h"

static const char *const round_names[ROUNDS] = { "keeper", "park", "standby" };

static double ms(uint64_t ns)
{
	return ns / 1e6;
}

void tell_start(const struct demo *d)
{
	const struct options *o = &d->opt;

	if (o->json)
		printf("{\"event\":\"start\",\"table\":\"%s\",\"objects\":%" PRIu64
		       ",\"value_size\":%u,\"readers\":%u,\"kills\":%u}\n",
		       o->table, o->objects, o->value_size, o->readers, o->kills);
	else
		printf("A server owns table '%s' with %" PRIu64 " objects of %d + %u bytes.\n"
		       "%u reader%s look%s them up all the time. The server is killed, again and again.\n\n",
		       o->table, o->objects, KEY_SIZE, o->value_size, o->readers,
		       o->readers == 1 ? "" : "s", o->readers == 1 ? "s" : "");
	fflush(stdout);
}

/* On a terminal one line that changes; elsewhere a line for each tenth. */
static void progress(const struct demo *d, const char *what, uint64_t n)
{
	static unsigned int last;
	unsigned int percent = n * 100 / d->opt.objects;

	if (d->opt.json)
		return;
	if (isatty(STDOUT_FILENO))
		printf("\r%s: %3u %%", what, percent);
	else if (percent / 10 != last)
		printf("%s: %3u %%\n", what, percent);
	last = percent / 10;
	fflush(stdout);
}

void tell_filling(const struct demo *d, uint64_t objects)
{
	progress(d, "Filling", objects);
}

void tell_filled(const struct demo *d, uint64_t started_ns)
{
	double s = (now_ns() - started_ns) / 1e9;

	if (d->opt.json)
		printf("{\"event\":\"filled\",\"seconds\":%.3f}\n", s);
	else
		printf("%sFilled in %.1f s: %.0f objects a second.\n",
		       isatty(STDOUT_FILENO) ? "\r" : "", s, d->opt.objects / s);
	fflush(stdout);
}

void tell_round(const struct demo *d, enum round round)
{
	static const char *const descriptions[ROUNDS] = {
		"a keeper process is the heir; it gives the table to the next server",
		"nobody is the heir; the kernel parks the table, the next server claims it",
		"nobody is the heir; the next server waits already",
	};

	if (!d->opt.json)
		printf("\nRound '%s': %s\n", round_names[round], descriptions[round]);
	fflush(stdout);
}

static void how(int status, char *buf, size_t room)
{
	const char *name = WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : NULL;

	if (name)
		snprintf(buf, room, "killed by SIG%s", name);
	else if (WIFSIGNALED(status))
		snprintf(buf, room, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(buf, room, "exited with %d", WEXITSTATUS(status));
}

static void takeover_json(enum round round, unsigned int n, const struct takeover_result *r)
{
	printf("{\"event\":\"takeover\",\"round\":\"%s\",\"kill\":%u,\"died\":%d,\"status\":%d,"
	       "\"dead_ms\":%.3f,", round_names[round], n, r->killed, r->status, ms(r->dead_ns));
	if (r->heir_ns)
		printf("\"heir_ms\":%.3f,", ms(r->heir_ns));
	printf("\"owner\":%d,\"owner_ms\":%.3f,\"lookups\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"objects\":%" PRIu64 "}\n", r->owner, ms(r->owner_ns), r->lookups,
	       r->failures, r->objects);
	fflush(stdout);
}

void tell_takeover(const struct demo *d, enum round round, unsigned int n,
		   const struct takeover_result *r)
{
	char end[64];

	if (d->opt.json) {
		takeover_json(round, n, r);
		return;
	}
	how(r->status, end, sizeof(end));
	printf("%3u. server %d %s", n, r->killed, end);
	if (r->heir_ns)
		printf("; keeper owns after %.3f ms", ms(r->heir_ns));
	printf("; server %d owns after %.3f ms\n"
	       "     %" PRIu64 " look-ups meanwhile, %" PRIu64 " failed; %" PRIu64 " objects\n",
	       r->owner, ms(r->owner_ns), r->lookups, r->failures, r->objects);
	fflush(stdout);
}

void tell_checking(const struct demo *d, uint64_t objects)
{
	if (!objects && !d->opt.json)
		printf("\n");
	progress(d, "Checking every object", objects);
}

void tell_end(const struct demo *d, uint64_t lookups, uint64_t failures, uint64_t lost,
	      unsigned int kills, uint64_t worst_ns)
{
	if (d->opt.json)
		printf("{\"event\":\"end\",\"kills\":%u,\"lookups\":%" PRIu64 ",\"failed\":%" PRIu64
		       ",\"lost\":%" PRIu64 ",\"longest_ms\":%.3f}\n", kills, lookups, failures,
		       lost, ms(worst_ns));
	else
		printf("%s%u times killed: %" PRIu64 " of %" PRIu64 " look-ups failed, %" PRIu64
		       " of %" PRIu64 " objects lost.\nLongest from kill to new owner: %.3f ms.\n",
		       isatty(STDOUT_FILENO) ? "\r\033[K" : "", kills, failures, lookups, lost,
		       d->opt.objects, ms(worst_ns));
	fflush(stdout);
}

void tell_trouble(const struct demo *d, const char *text)
{
	fflush(stdout);
	if (d->opt.json)
		fprintf(stderr, "{\"event\":\"error\",\"message\":\"%s\"}\n", text);
	else
		fprintf(stderr, "\nkreg-demo: %s\n", text);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg-demo: the command line, the rounds, the final check. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static const char help[] =
"Usage: kreg-demo [OPTION]...\n\n"
"A server owns a table full of objects and is killed again and again, while readers\n"
"look the objects up. Tells how long the hand-over took, how many look-ups failed and\n"
"how many objects were lost; the exit status is 0 only if both are none.\n\n"
"  -n, --objects N    objects in the table (1000000)\n"
"  -s, --size BYTES   size of a value (64)\n"
"  -k, --kills N      kills in a round (5)\n"
"  -r, --readers N    reading processes (2)\n"
"  -p, --pause MS     between a hand-over and the next kill (200)\n"
"  -R, --round NAME   only this round: keeper, park, standby; may be repeated\n"
"  -j, --json         one JSON object a line\n"
"  -h, --help         this text\n"
"  -V, --version      the version\n";

static const struct option options[] = {
	{ "objects", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "kills", required_argument, NULL, 'k' },
	{ "readers", required_argument, NULL, 'r' },
	{ "pause", required_argument, NULL, 'p' },
	{ "round", required_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || *end || n < min || n > max) {
		fprintf(stderr, "kreg-demo: '%s' is no number from %lu to %lu\n", text, min, max);
		exit(2);
	}
	return n;
}

static unsigned int round_bit(const char *name)
{
	static const char *const names[ROUNDS] = { "keeper", "park", "standby" };
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (!strcmp(name, names[i]))
			return 1u << i;
	fprintf(stderr, "kreg-demo: there is no round '%s'; there are keeper, park, standby\n",
		name);
	exit(2);
}

static void one_option(struct options *o, int c)
{
	switch (c) {
	case 'n':
		o->objects = number(optarg, 1, 1000000000);
		break;
	case 's':
		o->value_size = number(optarg, 0, VALUE_ROOM);
		break;
	case 'k':
		o->kills = number(optarg, 1, 1000000);
		break;
	case 'r':
		o->readers = number(optarg, 0, MAX_READERS);
		break;
	case 'p':
		o->pause_ms = number(optarg, 0, 3600000);
		break;
	case 'R':
		o->rounds |= round_bit(optarg);
		break;
	case 'j':
		o->json = true;
		break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	case 'V':
		printf("kreg-demo %s, libkreg %s\n", KREG_CLI_VERSION, kreg_version());
		exit(0);
	default:
		fputs("kreg-demo: 'kreg-demo --help' tells the options\n", stderr);
		exit(2);
	}
}

static void parse(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "n:s:k:r:p:R:jhV", options, NULL)) != -1)
		one_option(o, c);
	if (optind < argc) {
		fprintf(stderr, "kreg-demo: takes no argument '%s'; see 'kreg-demo --help'\n",
			argv[optind]);
		exit(2);
	}
	if (!o->rounds)
		o->rounds = (1u << ROUNDS) - 1;
	snprintf(o->table, sizeof(o->table), "kreg-demo-%d", getpid());
}

/* Readers exit with 0 when told to stop: any other status means that one has failed. */
static int stop_readers(struct demo *d)
{
	int status, ret = 0;
	unsigned int i;

	atomic_store(&d->shared->stop, true);
	for (i = 0; i < d->opt.readers; i++) {
		if (d->reader[i] <= 0)
			continue;
		waitpid(d->reader[i], &status, 0);
		if (status) {
			tell_trouble(d, "a reader has died");
			ret = -1;
		}
	}
	return ret;
}

/* Count the objects that have the value which belongs to their key. */
static int check_table(const struct demo *d, struct kreg_table *table, uint64_t *good)
{
	char text[KEY_SIZE + 1] = "";
	const struct kreg_object *object;
	const void *key, *value;
	size_t key_len, value_len;
	struct kreg_scan *s;
	int ret;

	*good = 0;
	ret = kreg_scan_open(table, NULL, &s);
	if (ret)
		return ret;
	while ((ret = kreg_scan_next(s, &object)) > 0) {
		key = kreg_object_key(object, &key_len);
		value = kreg_object_value(object, &value_len);
		if (key_len != KEY_SIZE)
			continue;
		memcpy(text, key, KEY_SIZE);
		*good += object_check(strtoull(text, NULL, 16), value, value_len,
				      d->opt.value_size);
		if (*good % 65536 == 0)
			tell_checking(d, *good);
	}
	kreg_scan_close(s);
	return ret;
}

static int check_all(const struct demo *d, uint64_t *lost)
{
	struct kreg_client *client;
	struct kreg_table *table;
	uint64_t good = 0;
	int ret;

	tell_checking(d, 0);
	ret = kreg_client_open(NULL, &client);
	if (ret)
		return ret;
	ret = kreg_table_open(client, d->opt.table, NULL, &table);
	if (!ret) {
		ret = check_table(d, table, &good);
		kreg_table_close(table);
	}
	kreg_client_close(client);
	if (!ret && good < d->opt.objects && d->opt.objects - good > *lost)
		*lost = d->opt.objects - good;
	return ret;
}

/* Kill the keeper and the owner of the table, then claim and destroy the table. */
static void clean_up(struct demo *d)
{
	struct kreg_client *client;
	struct kreg_table *table;

	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (d->keeper > 0)
		kill(d->keeper, SIGKILL);
	if (kreg_client_open(NULL, &client))
		return;
	if (!kreg_table_open(client, d->opt.table, NULL, &table)) {
		struct kreg_process owner;
		int fd = kreg_table_owner_pidfd(table, &owner);

		if (fd >= 0) {
			kill(owner.pid, SIGKILL);
			close(fd);
		}
		kreg_table_close(table);
	}
	if (!kreg_table_claim(client, d->opt.table, 10000, &table)) {
		kreg_table_destroy(table);
		kreg_table_close(table);
	}
	kreg_client_close(client);
}

static int run_rounds(struct demo *d, struct tally *tally)
{
	bool first = true;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		if (!(d->opt.rounds & 1u << round))
			continue;
		if (round_run(d, round, first, tally))
			return -1;
		first = false;
	}
	return 0;
}

static int run(struct demo *d)
{
	struct tally tally = { 0 };
	uint64_t lookups, failures;
	int ret, err;

	tell_start(d);
	ret = run_rounds(d, &tally);
	if (stop_readers(d))
		ret = -1;
	if (!ret) {
		err = check_all(d, &tally.lost);
		if (err) {
			tell_trouble(d, kreg_errmsg());
			ret = -1;
		}
	}
	lookups = count_lookups(d, &failures);
	if (!ret)
		tell_end(d, lookups, failures, tally.lost, tally.kills, tally.worst_ns);
	clean_up(d);
	return ret || failures || tally.lost ? 1 : 0;
}

/* Without the device there is nothing to show. */
static int probe(void)
{
	struct kreg_client *client;
	int ret;

	ret = kreg_client_open(NULL, &client);
	if (ret) {
		fprintf(stderr, "kreg-demo: %s\n", kreg_errmsg());
		return ret;
	}
	kreg_client_close(client);
	return 0;
}

int main(int argc, char **argv)
{
	struct demo d = {
		.opt = {
			.objects = 1000000,
			.value_size = 64,
			.kills = 5,
			.readers = 2,
			.pause_ms = 200,
		},
	};
	struct sigaction sa = { .sa_handler = on_signal };

	parse(argc, argv, &d.opt);
	if (probe())
		return 1;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	d.shared = mmap(NULL, sizeof(*d.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d.shared == MAP_FAILED || pipe(d.pipe)) {
		perror("kreg-demo");
		return 1;
	}
	return run(&d);
}

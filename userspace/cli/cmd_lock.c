/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg lock: run a command while no other has the lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "nonblock", no_argument, NULL, 'n' },
	{ "timeout", required_argument, NULL, 't' },
	{ "conflict-exit-code", required_argument, NULL, 'E' },
	COMMON_LONG_OPTIONS
};

struct locking {
	int64_t timeout_ms;
	int conflict;		/* exit status then; -1: the usual one */
	char **argv;		/* of the command */
	struct bytes key;
	struct bytes value;
};

static void parse_option(struct locking *l, int c)
{
	uint64_t number;

	if (c == 'n')
		l->timeout_ms = 0;
	if (c == 't') {
		if (parse_time_ms(optarg, &number))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
		l->timeout_ms = number;
	}
	if (c == 'E') {
		if (parse_number(optarg, 255, &number))
			usage("'%s' is no exit status: 0 to 255", optarg);
		l->conflict = number;
	}
}

/* Why the key is locked, if that is not said: the command. */
static struct bytes command_line(char **argv)
{
	struct bytes text = { NULL, 0 };
	size_t len;

	for (; *argv; argv++) {
		len = strlen(*argv);
		text.data = realloc(text.data, text.len + len + 1);
		if (!text.data || text.len + len + 1 > KREG_MAX_VALUE)
			usage("the command is too long");
		memcpy(text.data + text.len, *argv, len);
		text.len += len;
		text.data[text.len++] = ' ';
	}
	text.len--;
	return text;
}

static void parse(int argc, char **argv, struct locking *l)
{
	int c, rest;

	while ((c = next_option(argc, argv, "+nt:E:", options)) != -1)
		parse_option(l, c);
	need_args(argc, 3, -1);
	if (!*argv[optind + 1])
		usage("the key is empty");
	rest = optind + 2;
	if (strcmp(argv[rest], "--"))
		l->value = bytes_arg(argv[rest++]);
	if (!argv[rest] || strcmp(argv[rest], "--") || !argv[rest + 1])
		usage("there is no command behind --");
	l->argv = argv + rest + 1;
	l->key = bytes_arg(argv[optind + 1]);
	if (!l->value.data)
		l->value = command_line(l->argv);
}

/* The command is the same process: it loses the client, and keeps the lock. */
static int become_command(const struct locking *l, const struct kreg_lock *lock, const char *table)
{
	char token[24];
	int err;

	snprintf(token, sizeof(token), "%llu", (unsigned long long)kreg_lock_token(lock));
	err = setenv("KREG_TOKEN", token, 1) ? errno : run_exec(l->argv, table);
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s", l->argv[0],
			 strerror(err));
}

static int run(int argc, char **argv)
{
	struct locking l = { .timeout_ms = -1, .conflict = -1 };
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;
	struct kreg_table *table;
	struct kreg_lock *lock;
	int ret;

	parse(argc, argv, &l);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	o.timeout_ms = l.timeout_ms;
	o.value = l.value.data;
	o.value_len = l.value.len;
	ret = kreg_lock_with(table, l.key.data, l.key.len, &o, &lock);
	if (!ret)
		return become_command(&l, lock, argv[optind]);
	if (ret != -ETIMEDOUT || l.conflict < 0)
		return fail(ret);
	fail(ret);
	return l.conflict;
}

const struct command cmd_lock = {
	.name = "lock",
	.args = "[OPTION]... NAME KEY [VALUE] -- COMMAND [ARGUMENT]...",
	.summary = "run a command while no other has a lock",
	.help = "Lock a key of the table, then become COMMAND: the lock is free when that ends,\n"
		"however it does. Who waits gets it in the order of coming. VALUE can be read in\n"
		"the table meanwhile; it is the command if it is not given. KREG_TOKEN is a\n"
		"number that only grows from one holder to the next.\n\n"
		"  -n, --nonblock       do not wait\n"
		"  -t, --timeout TIME   wait at most so long: 500ms, 30s, 10m; then exit with 6\n"
		"  -E, --conflict-exit-code STATUS\n"
		"                       exit with this instead of 6",
	.run = run,
};

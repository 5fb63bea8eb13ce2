/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: its command line. */
#include <stdlib.h>
#include <string.h>

#include "hold.h"

static const struct option options[] = {
	{ "access", required_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },
	{ "restart", required_argument, NULL, 'r' },
	{ "max", required_argument, NULL, 'M' },
	{ "wait", no_argument, NULL, 'w' },
	{ "destroy", no_argument, NULL, 'd' },
	{ "any-user", no_argument, NULL, 'u' },
	{ "group", no_argument, NULL, 'g' },
	{ "patience", required_argument, NULL, 'p' },
	COMMON_LONG_OPTIONS
};

static void parse_restart(struct hold *h, const char *text)
{
	static const char *const words[] = { "on-failure", "always", "never" };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (!strcmp(text, words[i])) {
			h->restart = i;
			return;
		}
	}
	usage("'%s' is no rule: on-failure, always or never", text);
}

/* N or N/TIME */
static void parse_max(struct hold *h, const char *text)
{
	char *copy = strdup(text), *slash;
	uint64_t n;

	if (!copy)
		usage("no memory");
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (parse_number(copy, MAX_RESTARTS - 1, &n) ||
	    (slash && (parse_time_ms(slash, &h->window_ms) || !h->window_ms)))
		usage("'%s' is no limit: a number below %d, or like 3/5s", text, MAX_RESTARTS);
	h->max = n;
	free(copy);
}

static void parse(int argc, char **argv, struct hold *h)
{
	int c;

	while ((c = next_option(argc, argv, "+a:m:r:M:wdugp:", options)) != -1) {
		if (c == 'a' && parse_access(optarg, &h->options.access))
			usage("'%s' is no access rule: private, protected, public or registry",
			      optarg);
		if (c == 'm' && (parse_mode(optarg, &h->options.mode) || !h->options.mode))
			usage("'%s' is no mode: octal digits of 0666", optarg);
		if (c == 'r')
			parse_restart(h, optarg);
		if (c == 'M')
			parse_max(h, optarg);
		if (c == 'w')
			h->wait = true;
		if (c == 'd')
			h->destroy = true;
		if (c == 'g')
			h->group = true;
		if (c == 'p' && parse_time_ms(optarg, &h->patience_ms))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
		if (c == 'u')
			h->options.flags |= KREG_OPEN_ANY_USER;
	}
	need_args(argc, 2, -1);
	h->name = argv[optind++];
	if (!*h->name)
		usage("the name is empty");
	if (!strcmp(argv[optind], "--"))
		optind++;
	if (optind == argc)
		usage("the command is missing");
	h->argv = argv + optind;
}

static int run(int argc, char **argv)
{
	struct hold *h = calloc(1, sizeof(*h));
	int ret;

	if (!h)
		return fail_text(EXIT_ERROR, "no memory");
	h->options.size = sizeof(h->options);
	h->options.orphan = KREG_ORPHAN_PARK;
	h->max = 3;
	h->window_ms = 5000;
	h->patience_ms = 10000;
	parse(argc, argv, h);
	ret = hold_run(h);
	free(h);
	return ret;
}

const struct command cmd_hold = {
	.name = "hold",
	.args = "[OPTION]... NAME [--] COMMAND...",
	.summary = "run a command as owner, and keep its table over restarts",
	.help = "Create or claim a table, and run COMMAND as its owner, with the name in\n"
		"KREG_TABLE. When the command dies the table comes back, and goes to the next\n"
		"instance. Signals are passed on. The exit status is that of the last instance,\n"
		"or 128 and the signal that killed it, or 125: it died too often. The table is\n"
		"parked in the end, and also if this command itself is killed. Then COMMAND goes\n"
		"on; with --wait a new instance of this command stands by for the table, and\n"
		"runs COMMAND when it has got it.\n\n"
		"  -r, --restart WHEN  on-failure (default), always, never\n"
		"  -M, --max N[/TIME]  at most N restarts in TIME, else give up: 3/5s\n"
		"  -w, --wait          stand by for the table if it has another owner\n"
		"  -d, --destroy       destroy the table in the end\n"
		"  -g, --group         with COMMAND, all processes end that it has started\n"
		"  -p, --patience TIME between SIGTERM and SIGKILL for these: 10s\n"
		"  -u, --any-user      own it also if another user has created it\n"
		"  -a, --access RULE   of a new table: protected (default), private, public\n"
		"  -m, --mode MODE     of a new table: 0600 (default) to 0666",
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg role: run a program that plays a role. */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "timeout", required_argument, NULL, 't' },
	{ "mode", required_argument, NULL, 'm' },
	{ "quarantined", no_argument, NULL, 'q' },
	COMMON_LONG_OPTIONS
};

struct wish {
	int64_t timeout_ms;
	unsigned int mode;
	bool quarantined;
};

static void parse(int argc, char **argv, struct wish *w)
{
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "+t:m:q", options)) != -1) {
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			w->timeout_ms = ms;
		}
		if (c == 'm' && (parse_mode(optarg, &w->mode) || !w->mode))
			usage("'%s' is no mode: octal digits of 0666", optarg);
		if (c == 'q')
			w->quarantined = true;
	}
	need_args(argc, 1, -1);
	if (!*argv[optind])
		usage("the name is empty");
	if (!argv[optind + 1] || strcmp(argv[optind + 1], "--") || !argv[optind + 2])
		usage("a command follows the name and '--'");
}

/* Its quarantine is lifted by who claims it knowingly. */
static int claim(struct kreg_table *role, const struct wish *w)
{
	struct kreg_open_options o = {
		.size = sizeof(o),
		.flags = KREG_OPEN_CLAIM | KREG_OPEN_WAIT | KREG_OPEN_QUARANTINED,
		.deadline_ns = kreg_deadline(w->timeout_ms),
	};
	struct kreg_table *mine;
	int ret;

	if (!w->quarantined)
		return kreg_role_claim(role, w->timeout_ms);
	ret = kreg_table_open(kreg_table_client(role), kreg_table_name(role), &o, &mine);
	if (!ret)
		kreg_table_close(mine);
	return ret;
}

static int run(int argc, char **argv)
{
	struct wish w = { .timeout_ms = -1 };
	struct kreg_client *client;
	struct kreg_table *role;
	int ret;

	parse(argc, argv, &w);
	ret = open_client(&client);
	if (ret)
		return ret;
	ret = kreg_role_open(client, argv[optind], w.mode, &role);
	if (ret) {
		ret = fail(ret);
		kreg_client_close(client);
		return ret;
	}
	ret = claim(role, &w);
	ret = ret ? fail(ret) : become_owner(role, argv + optind + 2);
	close_table(role);
	return ret;
}

const struct command cmd_role = {
	.name = "role",
	.args = "[--timeout TIME] [--mode MODE] [--quarantined] NAME -- COMMAND...",
	.summary = "run a program that plays a role",
	.help = "Wait until nobody plays the role, play it, and become that program, which plays\n"
		"it until it ends and finds the name in KREG_TABLE. It owns the tables that\n"
		"follow the role. The role is created if it is not there.\n\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m\n"
		"  -m, --mode MODE     permission bits of a new one: 0600 (default) to 0666\n"
		"  -q, --quarantined   also if too many who played it have died",
	.run = run,
};

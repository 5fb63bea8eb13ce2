/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg wait: until a key, or a table, is there, is not, or has changed. */
#include <errno.h>

#include "cmd.h"

static const struct option options[] = {
	{ "present", no_argument, NULL, 'p' },
	{ "absent", no_argument, NULL, 'a' },
	{ "changed", no_argument, NULL, 'c' },
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

struct wait {
	enum kreg_watch_kind what;	/* 0: not said yet */
	int64_t timeout_ms;
};

static void choose_kind(struct wait *wait, enum kreg_watch_kind what)
{
	if (wait->what && wait->what != what)
		usage("only one of --present, --absent and --changed");
	wait->what = what;
}

static void parse(int argc, char **argv, struct wait *wait)
{
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "pact:", options)) != -1) {
		if (c == 'p')
			choose_kind(wait, KREG_WATCH_PRESENT);
		if (c == 'a')
			choose_kind(wait, KREG_WATCH_ABSENT);
		if (c == 'c')
			choose_kind(wait, KREG_WATCH_CHANGED);
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			wait->timeout_ms = ms;
		}
	}
	need_args(argc, 1, 2);
	if (!wait->what)
		usage("--present, --absent or --changed is missing");
	if (argc - optind == 1 && wait->what == KREG_WATCH_CHANGED)
		usage("--changed is for a key");
}

/* What there is now is what is to change. */
static int known_version(struct kreg_table *table, const struct bytes *key, uint64_t *version)
{
	struct kreg_op_args args = {
		.size = sizeof(args),
		.code = KREG_OP_MEMBER,
		.key = key->data,
		.key_len = key->len,
	};
	int ret = kreg_op_run(table, &args);

	*version = ret ? 0 : args.out_version;
	return ret == -ENODATA ? 0 : ret;
}

static int wait_for_key(struct kreg_table *table, const struct bytes *key,
			const struct wait *wait)
{
	uint64_t version = 0;
	int ret = 0;

	if (wait->what == KREG_WATCH_CHANGED)
		ret = known_version(table, key, &version);
	return ret ? ret : kreg_wait(table, key->data, key->len, wait->what, version,
				     wait->timeout_ms);
}

static int run_key(const char *name, const char *arg, const struct wait *wait)
{
	struct kreg_table *table;
	struct bytes key;
	int ret = open_table(name, &table);

	if (ret)
		return ret;
	key = bytes_arg(arg);
	ret = wait_for_key(table, &key, wait);
	if (ret)
		ret = fail(ret);
	bytes_free(&key);
	close_table(table);
	return ret;
}

static int run_name(const char *name, const struct wait *wait)
{
	struct kreg_client *client;
	int ret = open_client(&client);

	if (ret)
		return ret;
	ret = kreg_wait_name(client, name, wait->what, wait->timeout_ms);
	if (ret)
		ret = fail(ret);
	kreg_client_close(client);
	return ret;
}

static int run(int argc, char **argv)
{
	struct wait wait = { .timeout_ms = -1 };

	parse(argc, argv, &wait);
	if (argc - optind == 1)
		return run_name(argv[optind], &wait);
	return run_key(argv[optind], argv[optind + 1], &wait);
}

const struct command cmd_wait = {
	.name = "wait",
	.args = "--present|--absent|--changed [OPTION]... NAME [KEY]",
	.summary = "wait until a key or a table is there, or gone",
	.help = "Wait until the key is in the table, is not in it, or has been written or\n"
		"removed. Without a key, until there is a table of this name, or none. At once\n"
		"if it is so. In a bag only --present.\n\n"
		"  -p, --present       it is there\n"
		"  -a, --absent        it is not there, or bound to a process that is exiting\n"
		"  -c, --changed       the key is not as it was when the command was started\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m; then exit with 6",
	.run = run,
};

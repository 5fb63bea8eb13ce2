/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg publish: tell the subscribers of a table something. */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "sync", no_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

struct message {
	struct bytes key;
	struct bytes data;
	bool sync;
	int64_t timeout_ms;
	int missing;		/* subscribers that have not acknowledged it */
};

static int act_publish(struct kreg_table *table, void *arg)
{
	struct message *m = arg;

	if (!m->sync)
		return kreg_ack_notify(table, m->key.data, m->key.len, m->data.data, m->data.len);
	m->missing = kreg_sync_notify(table, m->key.data, m->key.len, m->data.data, m->data.len,
				      m->timeout_ms);
	return m->missing < 0 ? m->missing : 0;
}

static int report(const struct message *m)
{
	if (json && m->sync) {
		json_begin(stdout);
		json_number("missing", m->missing);
		json_end();
	}
	if (m->missing)
		return fail_text(EXIT_BUSY, "published; %d subscriber%s not acknowledged it in time",
				 m->missing, m->missing == 1 ? " has" : "s have");
	return finish_output();
}

static int publish(const char *name, struct message *m)
{
	struct kreg_table *table;
	int ret = open_table(name, &table);

	if (ret)
		return ret;
	ret = as_owner(table, act_publish, m);
	ret = ret ? fail(ret) : report(m);
	close_table(table);
	return ret;
}

static int read_data(const char *arg, struct bytes *data)
{
	int ret;

	if (strcmp(arg, "-")) {
		*data = bytes_arg(arg);
		return 0;
	}
	ret = bytes_read(arg, data);
	return ret ? fail_text(EXIT_ERROR, "standard input: %s", strerror(-ret)) : 0;
}

static void parse(int argc, char **argv, struct message *m)
{
	bool timed = false;
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "st:", options)) != -1) {
		m->sync |= c == 's';
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			m->timeout_ms = ms;
			timed = true;
		}
	}
	if (timed && !m->sync)
		usage("--timeout goes with --sync");
	need_args(argc, 2, 3);
}

static int run(int argc, char **argv)
{
	struct message m = { .timeout_ms = -1 };
	int ret;

	parse(argc, argv, &m);
	if (argc - optind == 3)
		m.key = bytes_arg(argv[optind + 1]);
	ret = read_data(argv[argc - 1], &m.data);
	if (!ret)
		ret = publish(argv[optind], &m);
	bytes_free(&m.key);
	bytes_free(&m.data);
	return ret;
}

const struct command cmd_publish = {
	.name = "publish",
	.args = "[--sync [--timeout TIME]] NAME [KEY] DATA|-",
	.summary = "tell the subscribers of a table something",
	.help = "Tell all who subscribe to a table something; nothing in it is changed. '-'\n"
		"reads the data, up to 4096 bytes, from standard input.\n\n"
		"  -s, --sync          wait until those have acknowledged it who do that\n"
		"  -t, --timeout TIME  at most so long; then the exit status is 6",
	.run = run,
};

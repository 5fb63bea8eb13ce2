/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg claim, kreg give: change who owns a table. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option claim_options[] = {
	{ "wait", no_argument, NULL, 'w' },
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

static void claimed(struct kreg_table *table, const char *next)
{
	struct kreg_stat *stat;

	if (kreg_table_stat(table, &stat))
		return;
	if (json) {
		json_begin(stdout);
		json_text("claimed", kreg_stat_name(stat));
		show_json(stat);
		json_end();
	} else {
		note("process %d owns table '%s' (%" PRIu64 " object%s)%s", getpid(),
		     kreg_stat_name(stat), kreg_stat_objects(stat),
		     kreg_stat_objects(stat) == 1 ? "" : "s", next);
	}
	kreg_stat_free(stat);
}

/* Own the table until a signal comes; then park it, whatever its orphan setting is. */
static int keep(struct kreg_table *table, const sigset_t *ending)
{
	int sig, ret;

	claimed(table, "; it is parked when this command is ended (Ctrl-C)");
	sigwait(ending, &sig);
	ret = kreg_table_park(table);
	return ret ? fail(ret) : EXIT_OK;
}

/* The process stays the owner over execve(2). */
int become_owner(struct kreg_table *table, char **argv)
{
	int err;

	claimed(table, "");
	err = run_exec(argv, kreg_table_name(table));
	kreg_table_park(table);
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s", argv[0],
			 strerror(err));
}

static int64_t parse_claim(int argc, char **argv)
{
	int64_t timeout = 0;
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "+wt:", claim_options)) != -1) {
		if (c == 'w')
			timeout = timeout ? timeout : -1;
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			timeout = ms;
		}
	}
	need_args(argc, 1, -1);
	return timeout;
}

static int claim_run(int argc, char **argv)
{
	int64_t timeout = parse_claim(argc, argv);
	const char *name = argv[optind];
	struct kreg_client *client;
	struct kreg_table *table;
	sigset_t ending, old;
	char **run = argv + optind + 1;
	int ret;

	if (*run && !strcmp(*run, "--"))
		run++;
	else if (*run)
		usage("'%s' after the name; a command follows '--'", *run);
	ret = open_client(&client);
	if (ret)
		return ret;
	ret = kreg_table_claim(client, name, timeout, &table);
	if (ret) {
		ret = fail(ret);
		kreg_client_close(client);
		return ret;
	}
	ending_signals(&ending);
	sigprocmask(SIG_BLOCK, &ending, &old);
	if (*run) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		ret = become_owner(table, run);
	} else {
		ret = keep(table, &ending);
	}
	close_table(table);
	return ret;
}

const struct command cmd_claim = {
	.name = "claim",
	.args = "[--wait] [--timeout TIME] NAME [-- COMMAND...]",
	.summary = "own a parked table",
	.help = "Become the owner of a parked table, and keep it until the command is ended;\n"
		"then it is parked again. With COMMAND, become that program, which then is the\n"
		"owner and finds the name in KREG_TABLE.\n\n"
		"  -w, --wait          wait until the table is parked\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m",
	.run = claim_run,
};

static const struct option give_options[] = {
	{ "data", required_argument, NULL, 'd' },
	COMMON_LONG_OPTIONS
};

/* The error is printed before the table is parked again: its text depends on the owner. */
static int give(struct kreg_table *table, const struct kreg_process *to,
		const struct bytes *data)
{
	struct kreg_table *mine;
	int ret;

	/* It cannot be claimed, so the kernel refuses this, and the error says why. */
	if (own_parked(table, &mine)) {
		ret = kreg_table_give(table, to, data->data, data->len);
		return ret ? fail(ret) : EXIT_OK;
	}
	ret = kreg_table_give(mine, to, data->data, data->len);
	if (ret) {
		ret = fail(ret);
		kreg_table_park(mine);
	}
	kreg_table_close(mine);
	return ret;
}

static int give_run(int argc, char **argv)
{
	struct bytes data = { 0 };
	struct kreg_table *table;
	struct kreg_process to;
	uint64_t pid;
	int c, ret;

	while ((c = next_option(argc, argv, "d:", give_options)) != -1) {
		bytes_free(&data);
		data = bytes_arg(optarg);
	}
	need_args(argc, 2, 2);
	if (parse_number(argv[optind + 1], INT32_MAX, &pid) || !pid)
		usage("'%s' is no process id", argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = kreg_process_find(kreg_table_client(table), pid, &to);
		if (ret)
			ret = fail(ret);
		else
			ret = give(table, &to, &data);
		close_table(table);
	}
	bytes_free(&data);
	return ret;
}

const struct command cmd_give = {
	.name = "give",
	.args = "[--data TEXT] NAME PID",
	.summary = "give a parked table to a process",
	.help = "Make a process the owner of a parked table. The process must have opened the\n"
		"device; it finds an event in its mailbox. A table that has an owner can only be\n"
		"given away by that owner.\n\n"
		"  -d, --data TEXT  bytes for the event, at most 1024",
	.run = give_run,
};

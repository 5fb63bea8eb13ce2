/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg register, kreg whereis, kreg keys: which process has which key. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	COMMON_LONG_OPTIONS
};

static const struct option register_options[] = {
	{ "linger", required_argument, NULL, 'l' },
	COMMON_LONG_OPTIONS
};

static void parse_register(int argc, char **argv, struct kreg_register_options *o)
{
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "+l:", register_options)) != -1) {
		if (c != 'l')
			continue;
		if (parse_time_ms(optarg, &ms) || ms > UINT32_MAX)
			usage("'%s' is no time: a number with ms, s, m, h or d, 49d at most",
			      optarg);
		o->linger_ms = ms;
	}
	need_args(argc, 3, -1);
}

/* The command is the same process: it loses the client, and keeps the key. */
static int register_run(int argc, char **argv)
{
	struct kreg_register_options o = KREG_REGISTER_OPTIONS_INIT;
	struct bytes key, value = { NULL, 0 };
	struct kreg_table *table;
	int ret, err, rest;

	parse_register(argc, argv, &o);
	if (!*argv[optind + 1])
		usage("the key is empty");
	rest = optind + 2;
	if (strcmp(argv[rest], "--"))
		value = bytes_arg(argv[rest++]);
	if (!argv[rest] || strcmp(argv[rest], "--") || !argv[rest + 1])
		usage("there is no command behind --");
	key = bytes_arg(argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = kreg_register_with(table, key.data, key.len, value.data, value.len, &o, NULL);
	if (ret)
		return fail(ret);
	err = run_exec(argv + rest + 1, argv[optind]);
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s",
			 argv[rest + 1], strerror(err));
}

const struct command cmd_register = {
	.name = "register",
	.args = "[-l TIME] NAME KEY [VALUE] -- COMMAND [ARGUMENT]...",
	.summary = "run a command, registered under a key",
	.help = "Bind a key to this process, then become COMMAND: nobody finds the key any more\n"
		"when that ends. It fails if another process has the key.\n\n"
		"  -l, --linger TIME  the key is found for so long after the end, with the pid 0,\n"
		"                     unless another process takes it\n",
	.run = register_run,
};

static void show_holder(const struct kreg_holder *holder)
{
	if (json) {
		json_begin(stdout);
		json_number("pid", holder->process.pid);
		json_number("cookie", holder->process.cookie);
		json_number("version", holder->version);
		json_end();
	} else {
		printf("%u\n", holder->process.pid);
	}
}

static int whereis(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret = kreg_whereis(table, key->data, key->len, &holder);

	(void)arg;
	if (ret)
		return fail(ret);
	show_holder(&holder);
	return finish_output();
}

static int whereis_run(int argc, char **argv)
{
	while (next_option(argc, argv, "", options) != -1)
		;
	return with_key(argc, argv, whereis, NULL);
}

const struct command cmd_whereis = {
	.name = "whereis",
	.args = "NAME KEY",
	.summary = "print the pid of the process that has a key",
	.help = "Print the pid of the process that a key is bound to; 0: it is bound to none, or\n"
		"to one that is dead or in another pid namespace.",
	.run = whereis_run,
};

static void show_key(const struct kreg_object *object)
{
	size_t len;
	const void *key = kreg_object_key(object, &len);

	if (json) {
		json_begin(stdout);
		json_bytes("key", key, len);
		json_end();
	} else {
		bytes_print(key, len, stdout);
		putchar('\n');
	}
}

/* By the pid that the objects tell, since a process without a client cannot be looked up. */
static int show_keys(struct kreg_table *table, uint64_t pid)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	unsigned int n = 0;
	int ret;

	o.flags = KREG_SCAN_KEYS | KREG_SCAN_PROCESSES;
	ret = kreg_scan_open(table, &o, &scan);
	if (ret)
		return fail(ret);
	while ((ret = kreg_scan_next(scan, &object)) == 1) {
		if (kreg_object_process(object).pid != pid)
			continue;
		show_key(object);
		n++;
	}
	if (ret)
		ret = fail(ret);
	else if (!n)
		ret = fail_text(EXIT_MISSING, "process %u has no key there", (unsigned int)pid);
	kreg_scan_close(scan);
	return ret;
}

static int keys_run(int argc, char **argv)
{
	struct kreg_table *table;
	uint64_t pid;
	int ret;

	while (next_option(argc, argv, "", options) != -1)
		;
	need_args(argc, 2, 2);
	if (parse_number(argv[optind + 1], INT32_MAX, &pid) || !pid)
		usage("'%s' is not a pid", argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = show_keys(table, pid);
	close_table(table);
	return ret ? ret : finish_output();
}

const struct command cmd_keys = {
	.name = "keys",
	.args = "NAME PID",
	.summary = "print the keys that are bound to a process",
	.help = "Print the keys of a table that are bound to a process, one a line.",
	.run = keys_run,
};

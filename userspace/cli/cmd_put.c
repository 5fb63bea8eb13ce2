/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg put, kreg del: change objects. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

static const struct option put_options[] = {
	{ "new", no_argument, NULL, 'n' },
	{ "present", no_argument, NULL, 'p' },
	{ "if-version", required_argument, NULL, 'v' },
	{ "if-value", required_argument, NULL, 'V' },
	{ "file", required_argument, NULL, 'f' },
	{ "ttl", required_argument, NULL, 't' },
	{ "idle", required_argument, NULL, 'i' },
	{ "keep", no_argument, NULL, 'k' },
	COMMON_LONG_OPTIONS
};

struct change {
	struct bytes key;
	struct bytes value;
	struct bytes expected;
	struct kreg_op_args op;		/* its condition, and what came of it */
	uint64_t count;
	struct kreg_more more;		/* when the object expires, if that is said */
};

/* An option that says when the write is meant. */
static void add_condition(struct change *c, int option)
{
	static const struct {
		int option;
		unsigned int flag;
	} flags[] = {
		{ 'n', KREG_OP_NEW }, { 'p', KREG_OP_PRESENT }, { 'v', KREG_OP_VERSION },
		{ 'V', KREG_OP_VALUE },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].option != option)
			continue;
		if (c->op.flags & ~KREG_OP_KEEP)
			usage("there is more than one condition");
		c->op.flags |= flags[i].flag;
	}
	if (option == 'v' && (parse_number(optarg, UINT64_MAX, &c->op.version) || !c->op.version))
		usage("'%s' is no version", optarg);
	if (option == 'V')
		c->expected.data = optarg;
}

static uint64_t time_arg(void)
{
	uint64_t ms;

	if (parse_time_ms(optarg, &ms) || !ms)
		usage("'%s' is no time: try 90, 5m or 2h", optarg);
	return ms;
}

/* An option that says when the object is to expire; false: another one. */
static bool add_expiry(struct change *c, int option)
{
	uint64_t ms;

	switch (option) {
	case 't':
		c->more.expires_ns = kreg_deadline(time_arg());
		return true;
	case 'i':
		ms = time_arg();
		if (ms > UINT32_MAX)
			usage("'%s' is more than 49 days", optarg);
		c->more.idle_ms = ms;
		return true;
	case 'k':
		c->op.flags |= KREG_OP_KEEP;
		return true;
	default:
		return false;
	}
}

/* Then the condition about a version is said in the same place. */
static void set_more(struct change *c)
{
	if (!c->more.expires_ns && !c->more.idle_ms)
		return;
	if (c->op.flags & KREG_OP_VALUE)
		usage("--if-value does not go with --ttl and --idle");
	c->more.size = sizeof(c->more);
	c->more.if_version = c->op.version;
	c->op.version = 0;
	c->op.flags = (c->op.flags & ~KREG_OP_VERSION) | KREG_OP_MORE;
	c->op.more = &c->more;
}

/* Only now, since --hex may come behind it. */
static void set_expected(struct change *c)
{
	if (!(c->op.flags & KREG_OP_VALUE))
		return;
	c->expected = bytes_arg(c->expected.data);
	c->op.expected = c->expected.data;
	c->op.expected_len = c->expected.len;
}

static int run_change(struct kreg_table *table, struct change *c, unsigned int code)
{
	c->op.size = sizeof(c->op);
	c->op.code = code;
	c->op.key = c->key.data;
	c->op.key_len = c->key.len;
	c->op.value = c->value.data;
	c->op.value_len = c->value.len;
	return kreg_op_run(table, &c->op);
}

static int act_put(struct kreg_table *table, void *arg)
{
	return run_change(table, arg, KREG_OP_PUT);
}

/* What is there is not what it was to be. */
static int fail_change(int err)
{
	int code = fail(err);

	return err == -ECANCELED ? EXIT_EXISTS : code;
}

/* For who goes by it the next time. */
static int put_report(const struct change *c)
{
	if (!json || !(c->op.flags & (KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_PRESENT |
				      KREG_OP_MORE)))
		return 0;
	json_begin(stdout);
	json_number("version", c->op.out_version);
	json_end();
	return finish_output();
}

static int put_run(int argc, char **argv)
{
	struct change c = { 0 };
	const char *file = NULL;
	struct kreg_table *table;
	int o, ret;

	while ((o = next_option(argc, argv, "npf:t:i:k", put_options)) != -1) {
		if (o == 'f')
			file = optarg;
		else if (!add_expiry(&c, o))
			add_condition(&c, o);
	}
	if (c.op.flags & KREG_OP_NEW && c.op.flags & KREG_OP_KEEP)
		usage("--new does not go with --keep");
	need_args(argc, file ? 2 : 3, file ? 2 : 3);
	if (!*argv[optind + 1])
		usage("the key is empty");
	if (!file && !strcmp(argv[optind + 2], "-"))
		file = "-";
	c.key = bytes_arg(argv[optind + 1]);
	if (!file)
		c.value = bytes_arg(argv[optind + 2]);
	set_expected(&c);
	set_more(&c);
	ret = file ? bytes_value(file, &c.value) : 0;
	if (!ret)
		ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = as_owner(table, act_put, &c);
		ret = ret ? fail_change(ret) : put_report(&c);
		close_table(table);
	}
	bytes_free(&c.key);
	bytes_free(&c.value);
	bytes_free(&c.expected);
	return ret;
}

const struct command cmd_put = {
	.name = "put",
	.args = "[--new|--present|--if-version N|--if-value OLD] [--ttl TIME] [--idle TIME] [--keep] "
		"NAME KEY VALUE|-|--file FILE",
	.summary = "insert or replace an object",
	.help = "Insert an object, or replace the one with this key. '-' reads the value from\n"
		"standard input. A parked table that is not public is owned for a moment.\n\n"
		"  -n, --new             it is an error if the key is there\n"
		"  -p, --present         it is an error if the key is not there\n"
		"      --if-version N    only if the object has this version (get --json tells\n"
		"                        it)\n"
		"      --if-value OLD    only if the object has this value\n"
		"  -f, --file FILE       the value is the content of FILE\n"
		"  -t, --ttl TIME        the object expires after TIME: 90 (seconds), 5m, 2h, 1d\n"
		"  -i, --idle TIME       it expires when it was not looked up for TIME\n"
		"  -k, --keep            one that is there already expires as before\n\n"
		"The exit status is 4 if another version or value is there. With --json the new\n"
		"version is told.",
	.run = put_run,
};

static const struct option del_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "if-version", required_argument, NULL, 'v' },
	{ "if-value", required_argument, NULL, 'V' },
	WHERE_LONG_OPTIONS,
	COMMON_LONG_OPTIONS
};

static int act_del(struct kreg_table *table, void *arg)
{
	struct change *c = arg;
	int ret = run_change(table, c, KREG_OP_DELETE);

	if (!ret)
		c->count += c->op.out_count;
	return ret;
}

static int act_clear(struct kreg_table *table, void *arg)
{
	struct change *c = arg;

	return kreg_clear(table, &c->count);
}

static int del_keys(struct kreg_table *table, char **keys, struct change *c)
{
	int ret = 0;

	for (; *keys && !ret; keys++) {
		c->key = bytes_arg(*keys);
		ret = as_owner(table, act_del, c);
		bytes_free(&c->key);
	}
	return ret;
}

static int del_report(const struct change *c)
{
	if (json) {
		json_begin(stdout);
		json_number("removed", c->count);
		json_end();
	} else {
		printf("%" PRIu64 " object%s removed\n", c->count, c->count == 1 ? "" : "s");
	}
	return finish_output();
}

static int del_run(int argc, char **argv)
{
	struct change c = { 0 };
	struct kreg_table *table;
	struct where where = { 0 };
	bool all = false;
	int o, ret;

	while ((o = next_option(argc, argv, "aw:p:", del_options)) != -1) {
		all |= o == 'a';
		if (!where_option(&where, o))
			add_condition(&c, o);
	}
	if ((all || where_given(&where)) && c.op.flags)
		usage("a condition is one of a single object");
	if (where_given(&where)) {
		if (all)
			usage("--all and --where contradict each other");
		need_args(argc, 1, 1);
		return change_where(argv[optind], &where, NULL);
	}
	need_args(argc, all ? 1 : 2, all ? 1 : c.op.flags ? 2 : -1);
	set_expected(&c);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	if (all)
		ret = as_owner(table, act_clear, &c);
	else
		ret = del_keys(table, argv + optind + 1, &c);
	ret = ret ? fail_change(ret) : del_report(&c);
	if (!ret && !all && !c.count)
		ret = EXIT_MISSING;
	close_table(table);
	bytes_free(&c.expected);
	return ret;
}

const struct command cmd_del = {
	.name = "del",
	.args = "[--if-version N|--if-value OLD] NAME KEY... | --where TEXT NAME | --all NAME",
	.summary = "remove objects",
	.help = "Remove objects, and tell how many there were; 3 is the exit status if none.\n\n"
		"  -a, --all           all objects, in one\n"
		WHERE_HELP "\n"
		"      --if-version N  only if the object has this version\n"
		"      --if-value OLD  only if the object has this value\n\n"
		"Else the exit status is 4. What matches is removed one by one, and with several\n"
		"of these options only that of which all is so.",
	.run = del_run,
};

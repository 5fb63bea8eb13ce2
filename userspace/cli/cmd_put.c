/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg put, kreg del: change objects. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

static const struct option put_options[] = {
	{ "new", no_argument, NULL, 'n' },
	{ "file", required_argument, NULL, 'f' },
	COMMON_LONG_OPTIONS
};

struct change {
	struct bytes key;
	struct bytes value;
	bool only_new;
	uint64_t count;
};

static int act_put(struct kreg_table *table, void *arg)
{
	struct change *c = arg;

	if (c->only_new)
		return kreg_put_new(table, c->key.data, c->key.len, c->value.data, c->value.len);
	return kreg_put(table, c->key.data, c->key.len, c->value.data, c->value.len);
}

static int read_value(const char *path, struct bytes *value)
{
	int ret = bytes_read(path, value);

	if (ret == -EFBIG)
		return fail_text(EXIT_ERROR, "%s: a value has at most 1 MiB; split it", path);
	if (ret)
		return fail_text(EXIT_ERROR, "%s: %s", path, strerror(-ret));
	return 0;
}

static int put_run(int argc, char **argv)
{
	struct change c = { 0 };
	const char *file = NULL;
	struct kreg_table *table;
	int o, ret;

	while ((o = next_option(argc, argv, "nf:", put_options)) != -1) {
		if (o == 'n')
			c.only_new = true;
		else if (o == 'f')
			file = optarg;
	}
	need_args(argc, file ? 2 : 3, file ? 2 : 3);
	if (!*argv[optind + 1])
		usage("the key is empty");
	if (!file && !strcmp(argv[optind + 2], "-"))
		file = "-";
	c.key = bytes_arg(argv[optind + 1]);
	if (!file)
		c.value = bytes_arg(argv[optind + 2]);
	ret = file ? read_value(file, &c.value) : 0;
	if (!ret)
		ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = as_owner(table, act_put, &c);
		if (ret)
			ret = fail(ret);
		close_table(table);
	}
	bytes_free(&c.key);
	bytes_free(&c.value);
	return ret;
}

const struct command cmd_put = {
	.name = "put",
	.args = "[--new] NAME KEY VALUE|-|--file FILE",
	.summary = "insert or replace an object",
	.help = "Insert an object, or replace the one with this key. '-' reads the value from\n"
		"standard input. A parked table that is not public is owned for a moment.\n\n"
		"  -n, --new        it is an error if the key is there\n"
		"  -f, --file FILE  the value is the content of FILE",
	.run = put_run,
};

static const struct option del_options[] = {
	{ "all", no_argument, NULL, 'a' },
	COMMON_LONG_OPTIONS
};

static int act_del(struct kreg_table *table, void *arg)
{
	struct change *c = arg;
	int ret = kreg_del(table, c->key.data, c->key.len);

	if (ret > 0)
		c->count++;
	return ret < 0 ? ret : 0;
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
	bool all = false;
	int o, ret;

	while ((o = next_option(argc, argv, "a", del_options)) != -1)
		all |= o == 'a';
	need_args(argc, all ? 1 : 2, all ? 1 : -1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	if (all)
		ret = as_owner(table, act_clear, &c);
	else
		ret = del_keys(table, argv + optind + 1, &c);
	if (ret)
		ret = fail(ret);
	else
		ret = del_report(&c);
	if (!ret && !all && !c.count)
		ret = EXIT_MISSING;
	close_table(table);
	return ret;
}

const struct command cmd_del = {
	.name = "del",
	.args = "NAME KEY... | --all NAME",
	.summary = "remove objects",
	.help = "Remove objects, and tell how many there were; 3 is the exit status if none.\n\n"
		"  -a, --all  all objects, in one",
	.run = del_run,
};

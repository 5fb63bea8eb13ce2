/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg scan: all objects of a table. */
#include "cmd.h"

static const struct option options[] = {
	{ "keys", no_argument, NULL, 'k' },
	{ "limit", required_argument, NULL, 'l' },
	{ "after", required_argument, NULL, 'a' },
	COMMON_LONG_OPTIONS
};

struct wish {
	bool keys;
	uint64_t limit;
	const char *after;
};

static void show(const struct kreg_object *object, bool keys)
{
	size_t key_len, value_len;
	const void *key = kreg_object_key(object, &key_len);
	const void *value = kreg_object_value(object, &value_len);

	if (json) {
		json_begin(stdout);
		json_bytes("key", key, key_len);
		if (!keys)
			json_bytes("value", value, value_len);
		json_number("length", value_len);
		json_number("version", kreg_object_version(object));
		json_end();
		return;
	}
	bytes_print(key, key_len, stdout);
	if (!keys) {
		putchar('\t');
		bytes_print(value, value_len, stdout);
	}
	putchar('\n');
}

static int scan(struct kreg_table *table, const struct wish *w)
{
	struct bytes after = { 0 };
	struct kreg_scan_options o = {
		.size = sizeof(o),
		.flags = w->keys ? KREG_SCAN_KEYS : 0,
	};
	const struct kreg_object *object;
	struct kreg_scan *s;
	uint64_t n;
	int ret;

	if (w->after)
		after = bytes_arg(w->after);
	o.after = after.data;
	o.after_len = after.len;
	ret = kreg_scan_open(table, &o, &s);
	bytes_free(&after);
	if (ret)
		return ret;
	for (n = 0; n < w->limit; n++) {
		ret = kreg_scan_next(s, &object);
		if (ret <= 0)
			break;
		show(object, w->keys);
		if (ferror(stdout))
			break;
	}
	kreg_scan_close(s);
	return ret < 0 ? ret : 0;
}

static int run(int argc, char **argv)
{
	struct wish w = { .limit = UINT64_MAX };
	struct kreg_table *table;
	int c, ret;

	while ((c = next_option(argc, argv, "kl:a:", options)) != -1) {
		if (c == 'k')
			w.keys = true;
		if (c == 'l' && parse_number(optarg, UINT64_MAX - 1, &w.limit))
			usage("'%s' is no number", optarg);
		if (c == 'a')
			w.after = optarg;
	}
	need_args(argc, 1, 1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = scan(table, &w);
	if (ret)
		ret = fail(ret);
	close_table(table);
	return ret ? ret : finish_output();
}

const struct command cmd_scan = {
	.name = "scan",
	.args = "[--keys] [--limit N] [--after KEY] NAME",
	.summary = "print all objects",
	.help = "Print all objects, a line each: key, tabulator, value, both escaped. The order\n"
		"is the table's own. Objects that exist all the time are met exactly once,\n"
		"whatever is written meanwhile.\n\n"
		"  -k, --keys       keys only\n"
		"  -l, --limit N    N objects at most\n"
		"  -a, --after KEY  go on after this key",
	.run = run,
};

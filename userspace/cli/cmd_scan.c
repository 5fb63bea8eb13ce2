/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg scan: the objects of a table, or some of them. */
#include <inttypes.h>

#include "cmd.h"

enum { FORMAT = OWN_OPTIONS };

static const struct option options[] = {
	{ "keys", no_argument, NULL, 'k' },
	{ "limit", required_argument, NULL, 'l' },
	{ "after", required_argument, NULL, 'a' },
	{ "reverse", no_argument, NULL, 'r' },
	{ "count", no_argument, NULL, 'c' },
	{ "snapshot", no_argument, NULL, 's' },
	{ "format", required_argument, NULL, FORMAT },
	WHERE_LONG_OPTIONS,
	COMMON_LONG_OPTIONS
};

struct wish {
	bool keys;
	bool reverse;
	bool count;
	bool limited;
	bool snapshot;
	uint64_t limit;
	const char *after;
	struct where where;
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
		if (kreg_object_expires(object))
			json_number("expires_ms", ms_until(kreg_object_expires(object)));
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

/* Whole tables are counted by 'kreg count', which need not look at each object. */
static int count(struct kreg_table *table, const struct kreg_scan_options *o)
{
	uint64_t n;
	int ret = kreg_scan_count(table, o, &n);

	if (ret)
		return ret;
	if (json) {
		json_begin(stdout);
		json_number("objects", n);
		json_end();
	} else {
		printf("%" PRIu64 "\n", n);
	}
	return 0;
}

static int scan(struct kreg_table *table, const struct kreg_scan_options *o, const struct wish *w)
{
	const struct kreg_object *object;
	struct kreg_scan *s;
	uint64_t n;
	int ret;

	ret = kreg_scan_open(table, o, &s);
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

static int run_range(struct kreg_table *table, const struct wish *w)
{
	struct bytes after = w->after ? bytes_arg(w->after) : (struct bytes){ 0 };
	struct kreg_pin *pin = NULL;
	struct chosen c;
	int ret = 0;

	where_choose(&w->where, &c);
	c.options.flags = (w->keys && !w->count ? KREG_SCAN_KEYS : 0) |
			  (json && !w->count ? KREG_SCAN_EXPIRES : 0) |
			  (w->reverse ? KREG_SCAN_REVERSE : 0);
	c.options.after = after.data;
	c.options.after_len = after.len;
	if (w->snapshot)
		ret = kreg_pin_set(table, 0, &pin);
	c.options.pin = pin;
	if (!ret)
		ret = w->count ? count(table, &c.options) : scan(table, &c.options, w);
	kreg_pin_end(pin);
	where_free(&c);
	bytes_free(&after);
	return ret;
}

static void parse(int argc, char **argv, struct wish *w)
{
	int c;

	while ((c = next_option(argc, argv, "kl:a:p:rcsw:", options)) != -1) {
		if (where_option(&w->where, c))
			continue;
		if (c == 'k')
			w->keys = true;
		if (c == 'l' && parse_number(optarg, UINT64_MAX - 1, &w->limit))
			usage("'%s' is no number", optarg);
		if (c == 'l')
			w->limited = true;
		if (c == 'a' && !*optarg)
			usage("the key is empty");
		if (c == 'a')
			w->after = optarg;
		if (c == 'r')
			w->reverse = true;
		if (c == 'c')
			w->count = true;
		if (c == 's')
			w->snapshot = true;
		if (c == FORMAT && parse_format(optarg, &json))
			usage("'%s' is no format: text or json", optarg);
	}
	if (w->count && w->limited)
		usage("--count and --limit contradict each other");
}

static int run(int argc, char **argv)
{
	struct wish w = { .limit = UINT64_MAX };
	struct kreg_table *table;
	int ret;

	parse(argc, argv, &w);
	need_args(argc, 1, 1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = run_range(table, &w);
	if (ret)
		ret = fail(ret);
	close_table(table);
	return ret ? ret : finish_output();
}

const struct command cmd_scan = {
	.name = "scan",
	.args = "[OPTION]... NAME",
	.summary = "print all objects, or a range",
	.help = "Print all objects, a line each: key, tabulator, value, both escaped. In an\n"
		"ordered table they come in the order of keys, else in one of the table's own.\n"
		"Objects that exist all the time are met exactly once, whatever is written\n"
		"meanwhile.\n\n"
		"  -k, --keys        keys only\n"
		"  -c, --count       only how many there are\n"
		"  -s, --snapshot    all of them as they are at one moment\n"
		"  -w, --where TEXT  only objects that match, such as 'u32@8 > 100':\n"
		"                    kreg-filter(7)\n"
		"  -l, --limit N     N objects at most\n"
		"  -a, --after KEY   go on after this key, backwards before it\n"
		"  -r, --reverse     backwards, in an ordered table\n"
		"  -p, --prefix KEY  only keys that begin so\n"
		"      --from KEY    only this key and those that come after it\n"
		"      --above KEY   the same without the key itself\n"
		"      --to KEY      only this key and those that come before it\n"
		"      --below KEY   the same without the key itself\n"
		"      --format json as --json; --format text: as without it\n\n"
		"Keys are compared byte by byte. In a table without an order all of it is looked\n"
		"through for a range. 'kreg load' puts what is printed into a table again.",
	.run = run,
};

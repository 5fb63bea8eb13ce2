/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg incr, kreg patch: change parts of values. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

static const struct option incr_options[] = {
	{ "start", required_argument, NULL, 's' },
	{ "min", required_argument, NULL, 'm' },
	{ "max", required_argument, NULL, 'M' },
	{ "set", required_argument, NULL, 'S' },
	{ "wrap", no_argument, NULL, 'W' },
	{ "saturate", no_argument, NULL, 'u' },
	{ "extend", no_argument, NULL, 'e' },
	{ "big-endian", no_argument, NULL, 'b' },
	{ "offset", required_argument, NULL, 'o' },
	WHERE_LONG_OPTIONS,
	COMMON_LONG_OPTIONS
};

struct increment {
	struct bytes key;
	int64_t by;
	int64_t now;
	const char *min, *max, *set;
	struct where where;		/* all that match are added to, and @key is not given */
	struct kreg_counter_options how;
};

static int act_incr(struct kreg_table *table, void *arg)
{
	struct increment *i = arg;

	return kreg_counter_add_with(table, i->key.data, i->key.len, i->by, &i->how, &i->now);
}

static int64_t signed_arg(const char *text)
{
	int64_t n;

	if (parse_signed(text, &n))
		usage("'%s' is no number of 64 bits", text);
	return n;
}

/* An option but for digits, which are a negative number. */
static void incr_option(struct increment *i, int option)
{
	uint64_t n;

	switch (option) {
	case 's':
		i->how.starts = 1;
		i->how.start = signed_arg(optarg);
		break;
	case 'm':
		i->min = optarg;
		break;
	case 'M':
		i->max = optarg;
		break;
	case 'S':
		i->set = optarg;
		break;
	case 'W':
		i->how.flags |= KREG_FIELD_WRAP;
		break;
	case 'u':
		i->how.flags |= KREG_FIELD_SATURATE;
		break;
	case 'e':
		i->how.flags |= KREG_FIELD_EXTEND;
		break;
	case 'b':
		i->how.flags |= KREG_FIELD_BIG_ENDIAN;
		break;
	case 'o':
		if (parse_number(optarg, UINT32_MAX, &n))
			usage("'%s' is no number of bytes", optarg);
		i->how.offset = n;
		break;
	}
}

/* A number that grows is held by --max, one that shrinks by --min. */
static void set_limit(struct increment *i)
{
	const char *limit = i->by < 0 ? i->min : i->max;

	if (i->set && !i->min && !i->max)
		usage("--set goes with --min or --max");
	if ((i->min || i->max) && i->how.flags & (KREG_FIELD_WRAP | KREG_FIELD_SATURATE))
		usage("a number is held at a limit, or it wraps, or saturates");
	if (!limit)
		return;
	i->how.flags |= KREG_FIELD_THRESHOLD;
	i->how.threshold = signed_arg(limit);
	i->how.set = i->set ? signed_arg(i->set) : i->how.threshold;
}

static int incr_report(const struct increment *i)
{
	if (json) {
		json_begin(stdout);
		json_signed("value", i->now);
		json_end();
	} else {
		printf("%" PRId64 "\n", i->now);
	}
	return finish_output();
}

static int incr_all(struct increment *i, const char *name)
{
	struct kreg_field field;

	if (i->how.starts)
		usage("--start is for a key that is not there, and --where for those that are");
	kreg_field_number(&field, KREG_FIELD_ADD, i->how.flags, i->how.offset, i->by);
	field.threshold = i->how.threshold;
	field.set = i->how.set;
	return change_where(name, &i->where, &field);
}

static int incr_run(int argc, char **argv)
{
	struct increment i = { .how = { .size = sizeof(i.how) } };
	char digits[32] = "-";
	struct kreg_table *table;
	size_t n = 1;
	int o, ret, keys;

	while ((o = next_option(argc, argv, "0123456789", incr_options)) != -1) {
		if (where_option(&i.where, o))
			continue;
		if (o < '0' || o > '9')
			incr_option(&i, o);
		else if (n < sizeof(digits) - 1)
			digits[n++] = o;
	}
	keys = !where_given(&i.where);
	need_args(argc, 1 + keys, (n > 1 ? 1 : 2) + keys);
	if (keys && !*argv[optind + 1])
		usage("the key is empty");
	i.by = n > 1 ? signed_arg(digits) :
	       argc - optind > 1 + keys ? signed_arg(argv[optind + 1 + keys]) : 1;
	set_limit(&i);
	if (!keys)
		return incr_all(&i, argv[optind]);
	i.key = bytes_arg(argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = as_owner(table, act_incr, &i);
		ret = ret ? fail(ret) : incr_report(&i);
		close_table(table);
	}
	bytes_free(&i.key);
	return ret;
}

const struct command cmd_incr = {
	.name = "incr",
	.args = "[OPTION]... NAME KEY [N] | --where TEXT [OPTION]... NAME [N]",
	.summary = "add to a counter and print it",
	.help = "Add N, or 1, to the number that a value of 8 bytes is, in the byte order of the\n"
		"machine, and print what it is then. N may be negative, or 0 to look.\n\n"
		"      --start N     begin with N if the key is not there; else that is an error\n"
		"      --max N       a number that would grow beyond N stays at N\n"
		"      --min N       a number that would shrink below N stays at N\n"
		"      --set N       or becomes N\n"
		"      --wrap        a number that is too large for 64 bits goes on at the least\n"
		"      --saturate    it stays at the most; without these it is an error\n"
		"      --offset N    the number begins at byte N of the value\n"
		"      --extend      a value that is too short for it gets longer\n"
		"      --big-endian  it is stored with its highest byte first\n\n"
		"Or add to all objects that match, one by one, and tell how many these were:\n\n"
		WHERE_HELP,
	.run = incr_run,
};

static const struct option patch_options[] = {
	{ "extend", no_argument, NULL, 'e' },
	{ "truncate", no_argument, NULL, 't' },
	{ "file", required_argument, NULL, 'f' },
	WHERE_LONG_OPTIONS,
	COMMON_LONG_OPTIONS
};

struct patch {
	struct where where;		/* all that match are changed, and @key is not given */
	struct bytes key;
	struct bytes bytes;
	uint64_t offset;
	unsigned int flags;
};

static int act_patch(struct kreg_table *table, void *arg)
{
	const struct patch *p = arg;

	return kreg_patch(table, p->key.data, p->key.len, p->offset, p->bytes.data, p->bytes.len,
			  p->flags);
}

static int patch_all(const struct patch *p, const char *name)
{
	struct kreg_field field;

	kreg_field_copy(&field, p->flags, p->offset, p->bytes.data, p->bytes.len);
	return change_where(name, &p->where, &field);
}

static int patch_one(struct patch *p, const char *name, const char *key)
{
	struct kreg_table *table;
	int ret = open_table(name, &table);

	if (ret)
		return ret;
	p->key = bytes_arg(key);
	ret = as_owner(table, act_patch, p);
	if (ret)
		ret = fail(ret);
	close_table(table);
	bytes_free(&p->key);
	return ret;
}

/* What is left of the command line: table, perhaps a key, offset, perhaps the bytes. */
static int patch_args(struct patch *p, char **arg, const char *file)
{
	bool keys = !where_given(&p->where);

	if (keys && !*arg[1])
		usage("the key is empty");
	arg += 1 + keys;
	if (parse_number(arg[0], UINT32_MAX, &p->offset))
		usage("'%s' is no number of bytes", arg[0]);
	if (!file && !strcmp(arg[1], "-"))
		file = "-";
	if (file)
		return bytes_value(file, &p->bytes);
	p->bytes = bytes_arg(arg[1]);
	return 0;
}

static int patch_run(int argc, char **argv)
{
	struct patch p = { 0 };
	const char *file = NULL;
	int o, ret, n;

	while ((o = next_option(argc, argv, "f:w:p:", patch_options)) != -1) {
		if (where_option(&p.where, o))
			continue;
		if (o == 'f')
			file = optarg;
		else
			p.flags |= o == 'e' ? KREG_FIELD_EXTEND : KREG_FIELD_TRUNCATE;
	}
	n = 4 - !!file - where_given(&p.where);
	need_args(argc, n, n);
	argv += optind;
	ret = patch_args(&p, argv, file);
	if (!ret)
		ret = where_given(&p.where) ? patch_all(&p, argv[0]) :
					      patch_one(&p, argv[0], argv[1]);
	bytes_free(&p.bytes);
	return ret;
}

const struct command cmd_patch = {
	.name = "patch",
	.args = "[OPTION]... NAME KEY OFFSET BYTES|-|--file FILE | --where TEXT NAME OFFSET BYTES",
	.summary = "replace a part of a value",
	.help = "Replace the bytes of a value from OFFSET on, in one. '-' reads them from\n"
		"standard input. They have to be within the value.\n\n"
		"      --extend     the value gets longer, with zeros in a gap\n"
		"      --truncate   the value ends behind them\n"
		"  -f, --file FILE  they are the content of FILE\n\n"
		"Or do that to all objects that match, one by one, and tell how many these were;\n"
		"with --extend --truncate and the offset 0 their values are replaced:\n\n"
		WHERE_HELP,
	.run = patch_run,
};

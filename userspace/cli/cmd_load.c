/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg load: put what 'kreg scan' has printed. */
#include <inttypes.h>

#include "load.h"

#define LINES	1000
#define BYTES	(1u << 20)

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	COMMON_LONG_OPTIONS
};

struct load {
	struct reader in;
	bool json;
	struct line lines[LINES];	/* that are to be put */
	unsigned int count;
	size_t bytes;
	uint64_t loaded;		/* objects */
};

static const char *parse_line(struct load *l, struct line *line)
{
	const struct reader *in = &l->in;
	const char *fault = l->json ? line_json(in->text, in->len, line) :
			    line_text(in->text, in->len, line);

	if (fault)
		return fault;
	if (!line->key.len)
		fault = "the key is empty";
	else if (line->key.len > KREG_MAX_KEY)
		fault = "the key has more than 1024 bytes";
	else if (line->value.len > KREG_MAX_VALUE)
		fault = "the value has more than 1 MiB";
	if (fault)
		line_free(line);
	return fault;
}

/* All or none of the lines that were read since the last time. */
static int put_lines(struct kreg_table *table, void *arg)
{
	struct kreg_batch *batch;
	struct load *l = arg;
	struct line *line;
	int ret = kreg_batch_new(table, KREG_BATCH_ATOMIC, &batch);

	if (ret)
		return ret;
	for (line = l->lines; ret >= 0 && line < l->lines + l->count; line++)
		ret = kreg_batch_put(batch, line->key.data, line->key.len, line->value.data,
				     line->value.len);
	if (ret >= 0)
		ret = kreg_batch_run(batch);
	kreg_batch_free(batch);
	return ret < 0 ? ret : 0;
}

static int put_all(struct kreg_table *table, struct load *l)
{
	int ret = l->count ? as_owner(table, put_lines, l) : 0;

	if (ret) {
		ret = fail(ret);
		note("%" PRIu64 " objects are loaded, those of the lines before", l->loaded);
	} else {
		l->loaded += l->count;
	}
	while (l->count)
		line_free(&l->lines[--l->count]);
	l->bytes = 0;
	return ret;
}

/* What is before a line that makes no sense is loaded, and that is said. */
static int bad_line(struct kreg_table *table, struct load *l, const char *fault)
{
	int ret = put_all(table, l);

	return ret ? ret : fail_text(EXIT_ERROR, "line %" PRIu64 ": %s; %" PRIu64
				     " objects before it are loaded", l->in.number, fault,
				     l->loaded);
}

static int load_lines(struct kreg_table *table, struct load *l)
{
	const char *fault;
	struct line line;
	int ret;

	while ((ret = reader_next(&l->in)) > 0) {
		fault = parse_line(l, &line);
		if (fault)
			return bad_line(table, l, fault);
		l->lines[l->count++] = line;
		l->bytes += line.key.len + line.value.len;
		if (l->count < LINES && l->bytes < BYTES)
			continue;
		ret = put_all(table, l);
		if (ret)
			return ret;
	}
	return ret ? bad_line(table, l, reader_fault(ret)) : put_all(table, l);
}

static int report(const struct load *l)
{
	if (!json) {
		note("%" PRIu64 " objects loaded", l->loaded);
		return EXIT_OK;
	}
	json_begin(stdout);
	json_number("loaded", l->loaded);
	json_end();
	return finish_output();
}

static int run(int argc, char **argv)
{
	static struct load l;
	struct kreg_table *table;
	int ret;

	while (next_option(argc, argv, "f:", options) != -1)
		if (parse_format(optarg, &l.json))
			usage("'%s' is no format: text or json", optarg);
	need_args(argc, 1, 2);
	ret = reader_open(&l.in, argv[optind + 1]);
	if (!ret)
		ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = load_lines(table, &l);
		close_table(table);
		ret = ret ? ret : report(&l);
	}
	reader_close(&l.in);
	return ret;
}

const struct command cmd_load = {
	.name = "load",
	.args = "[--format text|json] NAME [FILE]",
	.summary = "put what 'kreg scan' has printed",
	.help = "Put objects into a table, from a file or standard input, a line each, as 'kreg\n"
		"scan' prints them. Lines that make no sense are told by their number, and end\n"
		"it.\n\n"
		"  -f, --format FORMAT  text: key, tabulator, value, both escaped, or in\n"
		"                       hexadecimal digits with --hex (default)\n"
		"                       json: an object with key and value, or key_hex and\n"
		"                       value_hex",
	.run = run,
};

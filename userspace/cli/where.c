/* SPDX-License-Identifier: GPL-2.0-only */
/* --where: a filter on the command line, and what is done to all objects that match it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* As the terminal shows it, with a mark below the place that is wrong. */
static void show_place(const char *text, size_t column)
{
	size_t i;

	fprintf(stderr, "kreg %s: %s\n", command->name, kreg_errmsg());
	hex = false;
	fputs("  ", stderr);
	bytes_print(text, strlen(text), stderr);
	fputs("\n  ", stderr);
	/* Where text is escaped the mark moves along, which is found out by printing it so. */
	for (i = 0; i + 1 < column; i++) {
		char *shown = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&shown, &len);

		if (!out)
			break;
		bytes_print(text + i, 1, out);
		fclose(out);
		while (len--)
			fputc(' ', stderr);
		free(shown);
	}
	fputs("^\n", stderr);
}

struct kreg_filter *filter_arg(const char *text)
{
	struct kreg_filter *filter;
	size_t column;
	int ret = kreg_filter_compile(text, &filter, &column);

	if (!ret)
		return filter;
	if (!column) {
		fail(ret);
		exit(EXIT_ERROR);
	}
	show_place(text, column);
	exit(EXIT_USAGE);
}

struct all {
	const struct kreg_scan_options *options;
	const struct kreg_field *field;	/* NULL: they are removed */
	uint64_t count;
};

static int act_all(struct kreg_table *table, void *arg)
{
	struct all *all = arg;
	uint64_t count;
	int ret;

	ret = all->field ? kreg_edit_matching(table, all->options, all->field, 1, &count) :
			   kreg_delete_matching(table, all->options, &count);
	all->count += count;
	return ret;
}

static int report(const struct all *all, const char *done)
{
	if (json) {
		json_begin(stdout);
		json_number(done, all->count);
		json_end();
	} else {
		printf("%" PRIu64 " object%s %s\n", all->count, all->count == 1 ? "" : "s", done);
	}
	return finish_output();
}

int change_where(const char *name, const struct where *where, const struct kreg_field *field)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct kreg_filter *filter = where->filter ? filter_arg(where->filter) : NULL;
	struct bytes prefix = { 0 };
	struct all all = { .options = &o, .field = field };
	const char *done = field ? "changed" : "removed";
	struct kreg_table *table;
	int ret;

	if (where->prefix) {
		prefix = bytes_arg(where->prefix);
		o.low = prefix.data;
		o.low_len = prefix.len;
		o.range = KREG_RANGE_PREFIX;
	}
	o.filter = filter;
	ret = open_table(name, &table);
	if (!ret) {
		ret = as_owner(table, act_all, &all);
		if (ret && all.count)
			note("%" PRIu64 " object%s %s before that", all.count,
			     all.count == 1 ? " was" : "s were", done);
		ret = ret ? fail(ret) : report(&all, done);
		if (!ret && !all.count)
			ret = EXIT_MISSING;
		close_table(table);
	}
	bytes_free(&prefix);
	kreg_filter_free(filter);
	return ret;
}

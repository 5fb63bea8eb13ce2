/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges and filters on the command line, and what is done to all objects that they mean. */
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

static struct kreg_filter *filter_arg(const char *text)
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

/* One end of the range, of which there can be one. */
static void set_end(struct where *w, const char **end, unsigned int flag)
{
	if (*end || ((w->range | flag) & KREG_RANGE_PREFIX && (w->low || w->high)))
		usage("--from, --above and --prefix contradict each other, and so do --to, --below and --prefix");
	*end = optarg;
	w->range |= flag;
}

bool where_option(struct where *w, int option)
{
	switch (option) {
	case 'w':
		w->filter = optarg;
		return true;
	case 'p':
		set_end(w, &w->low, KREG_RANGE_PREFIX);
		return true;
	case WHERE_FROM:
		set_end(w, &w->low, 0);
		return true;
	case WHERE_ABOVE:
		set_end(w, &w->low, KREG_RANGE_LOW_OPEN);
		return true;
	case WHERE_TO:
		set_end(w, &w->high, 0);
		return true;
	case WHERE_BELOW:
		set_end(w, &w->high, KREG_RANGE_HIGH_OPEN);
		return true;
	}
	return false;
}

bool where_given(const struct where *w)
{
	return w->filter || w->low || w->high;
}

static struct bytes key_arg(const char *arg)
{
	if (arg && !*arg)
		usage("the key is empty");
	return arg ? bytes_arg(arg) : (struct bytes){ 0 };
}

void where_choose(const struct where *w, struct chosen *c)
{
	c->low = key_arg(w->low);
	c->high = key_arg(w->high);
	c->filter = w->filter ? filter_arg(w->filter) : NULL;
	c->options = (struct kreg_scan_options){
		.size = sizeof(c->options),
		.low = c->low.data,
		.low_len = c->low.len,
		.high = c->high.data,
		.high_len = c->high.len,
		.range = w->range,
		.filter = c->filter,
	};
}

void where_free(struct chosen *c)
{
	kreg_filter_free(c->filter);
	bytes_free(&c->low);
	bytes_free(&c->high);
}

/* What is done in one call: a few milliseconds. */
#define PORTION	10000

struct all {
	const struct kreg_scan_options *options;
	const struct kreg_field *field;	/* NULL: they are removed */
	const char *done;
	uint64_t count;
	uint64_t total;			/* as far as it is known */
	struct kreg_change change;
};

/* Objects behind the position; 0: nobody knows. */
static uint64_t count_left(struct kreg_table *table, const struct all *all)
{
	struct kreg_scan_options options = *all->options;
	uint64_t left;

	if (all->change.key_len) {
		options.after = all->change.key;
		options.after_len = all->change.key_len;
		options.after_version = all->change.version;
		options.after_number = all->change.number;
	}
	return kreg_scan_count(table, &options, &left) ? 0 : left;
}

/* All are counted only when it turns out that somebody waits for long. */
static void tell(struct kreg_table *table, struct all *all)
{
	uint64_t left;

	if (!progress_due())
		return;
	if (!all->total) {
		left = count_left(table, all);
		all->total = left ? all->count + left : 0;
	}
	progress_show(all->count, all->total, all->done);
}

/* May be called twice: that it needs an owner is known before anything is changed. */
static int act_all(struct kreg_table *table, void *arg)
{
	struct all *all = arg;
	int ret;

	do {
		tell(table, all);
		ret = kreg_change_matching(table, all->options, all->field, !!all->field,
					   &all->change);
		all->count += all->change.out_count;
	} while (!ret && all->change.out_more);
	progress_end();
	return ret;
}

static int report(const struct all *all)
{
	if (json) {
		json_begin(stdout);
		json_number(all->done, all->count);
		json_end();
	} else {
		printf("%" PRIu64 " object%s %s\n", all->count, all->count == 1 ? "" : "s",
		       all->done);
	}
	return finish_output();
}

int change_where(const char *name, const struct where *where, const struct kreg_field *field)
{
	struct chosen chosen;
	struct all all = {
		.options = &chosen.options,
		.field = field,
		.done = field ? "changed" : "removed",
		.change = { .size = sizeof(all.change), .max_count = PORTION },
	};
	struct kreg_table *table;
	int ret;

	where_choose(where, &chosen);
	ret = open_table(name, &table);
	if (!ret) {
		ret = as_owner(table, act_all, &all);
		if (ret && all.count)
			note("%" PRIu64 " object%s %s before that", all.count,
			     all.count == 1 ? " was" : "s were", all.done);
		ret = ret ? fail(ret) : report(&all);
		if (!ret && !all.count)
			ret = EXIT_MISSING;
		close_table(table);
	}
	where_free(&chosen);
	return ret;
}

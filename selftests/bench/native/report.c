// SPDX-License-Identifier: GPL-2.0
/* Tables for people, a column a size; and lines of JSON for programs. */
#include <stdio.h>
#include <string.h>

#include "measure.h"

#define COLUMN	18

/* What stands beside which table of kreg, that one first. */
static const struct {
	const char *title;
	int row[4];
	int rows;
} sections[SECTIONS] = {
	{ "a set", { KREG_SET, RCULFHASH, LMDB, ACCESS }, 4 },
	{ "a table in the order of its keys", { KREG_ORDERED, BTREE, LMDB, ACCESS }, 4 },
};

static void json_row(const struct figures *f, int section, int i, enum op op, bool skewed)
{
	const struct figure *figure = &f->figure[i][op][skewed];

	if (!figure->ns)
		return;
	printf("{\"structure\": \"%s\", \"beside\": \"%s\", \"op\": \"%s\", \"keys\": \"%s\", \"objects\": %llu, \"ns\": %.1f, \"low\": %.1f, \"high\": %.1f, \"ratio\": %.3f}\n",
	       structures[i]->name, structures[section_base[section]]->name, op_name(op),
	       skewed ? "skewed" : "uniform", (unsigned long long)f->objects, figure->ns,
	       figure->low, figure->high, figure->ratio[section]);
}

static void json_memory(const struct figures *f, int section, int i)
{
	printf("{\"structure\": \"%s\", \"beside\": \"%s\", \"op\": \"memory\", \"objects\": %llu, \"bytes\": %.1f, \"ratio\": %.3f}\n",
	       structures[i]->name, structures[section_base[section]]->name,
	       (unsigned long long)f->objects, (double)f->memory[i] / f->objects,
	       (double)f->memory[i] / f->memory[section_base[section]]);
}

void report_json(const struct figures *f)
{
	int section, row, op;

	for (section = 0; section < SECTIONS; section++) {
		for (row = 0; row < sections[section].rows; row++) {
			int i = sections[section].row[row];

			for (op = 0; op < OPS; op++) {
				json_row(f, section, i, op, false);
				json_row(f, section, i, op, true);
			}
			json_memory(f, section, i);
		}
	}
	fflush(stdout);
}

/* 1,000,000: with a comma before each three digits. */
static void print_number(uint64_t n)
{
	char text[32];
	int len, i, out = 0, digits = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	char with[48];

	for (i = 0; i < digits; i++) {
		if (i && (digits - i) % 3 == 0)
			with[out++] = ',';
		with[out++] = text[i];
	}
	with[out] = 0;
	len = COLUMN - out;
	printf("%*s%s", len > 0 ? len : 0, "", with);
}

static void print_head(const char *title, const struct figures *f, int sizes)
{
	int i;

	printf("\n%-24s", title);
	for (i = 0; i < sizes; i++)
		print_number(f[i].objects);
	printf("\n");
}

static void print_cell(double value, double ratio)
{
	if (value)
		printf("%*.*f %6.2f", COLUMN - 7, value < 100 ? 1 : 0, value, ratio);
	else
		printf("%*s", COLUMN, "");
}

static void print_op(const struct figures *f, int sizes, int section, enum op op, bool skewed)
{
	char title[64];
	int row, k;

	snprintf(title, sizeof(title), "%s%s", op_name(op),
		 op == OP_GET || op == OP_PUT ? (skewed ? ", skewed" : ", uniform") : "");
	print_head(title, f, sizes);
	for (row = 0; row < sections[section].rows; row++) {
		int i = sections[section].row[row];

		if (!op_applies(structures[i], op))
			continue;
		printf("  %-22s", structures[i]->name);
		for (k = 0; k < sizes; k++)
			print_cell(f[k].figure[i][op][skewed].ns,
				   f[k].figure[i][op][skewed].ratio[section]);
		printf("\n");
	}
}

static void print_memory(const struct figures *f, int sizes, int section)
{
	int row, k;

	print_head("bytes an object", f, sizes);
	for (row = 0; row < sections[section].rows; row++) {
		int i = sections[section].row[row];

		printf("  %-22s", structures[i]->name);
		for (k = 0; k < sizes; k++)
			print_cell((double)f[k].memory[i] / f[k].objects,
				   (double)f[k].memory[i] / f[k].memory[section_base[section]]);
		printf("\n");
	}
}

void report_tables(const struct figures *f, int sizes)
{
	int section;

	printf("Nanoseconds an operation, and how many times what kreg takes; medians of %d rounds\n",
	       options.rounds);
	for (section = 0; section < SECTIONS; section++) {
		printf("\n*** %s, by its number of objects\n", sections[section].title);
		print_op(f, sizes, section, OP_GET, false);
		print_op(f, sizes, section, OP_GET, true);
		print_op(f, sizes, section, OP_PUT, false);
		print_op(f, sizes, section, OP_PUT, true);
		print_op(f, sizes, section, OP_INSERT, false);
		print_op(f, sizes, section, OP_NEXT, false);
		print_memory(f, sizes, section);
	}
}

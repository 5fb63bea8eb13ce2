/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg ls: the tables of which one may know, of one's own namespace or of all. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "parked", no_argument, NULL, 'p' },
	{ "names", no_argument, NULL, 'n' },
	{ "null", no_argument, NULL, '0' },
	COMMON_LONG_OPTIONS
};

enum column {
	ID, NAME, ACCESS, MODE, USER, OBJECTS, MEMORY, USER_NS, PID_NS, OWNER, COLUMNS
};

enum form { TABLE, NAMES, NAMES_NULL };

static bool all;

struct row {
	char *cell[COLUMNS];
};

struct rows {
	struct row *row;
	size_t count;
	size_t room;
	int width[COLUMNS];
};

static const char *const titles[COLUMNS] = {
	"ID", "NAME", "ACCESS", "MODE", "USER", "OBJECTS", "MEMORY", "USERNS", "PIDNS", "OWNER",
};

static void *must(void *ptr)
{
	if (!ptr) {
		fprintf(stderr, "kreg: no memory\n");
		exit(EXIT_ERROR);
	}
	return ptr;
}

static struct row *add_row(struct rows *rows)
{
	if (rows->count == rows->room) {
		rows->room = rows->room ? rows->room * 2 : 32;
		rows->row = must(realloc(rows->row, rows->room * sizeof(*rows->row)));
	}
	return memset(&rows->row[rows->count++], 0, sizeof(*rows->row));
}

static void set(struct rows *rows, struct row *row, int column, const char *text)
{
	int len = strlen(text);

	row->cell[column] = must(strdup(text));
	if (len > rows->width[column])
		rows->width[column] = len;
}

/* Escape what could confuse a terminal. */
static void safe(const char *text, char *buf, size_t room)
{
	FILE *f = fmemopen(buf, room, "w");
	bool keep = hex;

	hex = false;
	buf[0] = '\0';
	if (f) {
		bytes_print(text, strlen(text), f);
		fclose(f);
	}
	buf[room - 1] = '\0';
	hex = keep;
}

static void owner(const struct kreg_stat *stat, char *buf, size_t room)
{
	char left[32];

	if (!kreg_stat_parked(stat)) {
		text_proc(kreg_stat_owner(stat).pid, buf, room);
	} else if (kreg_stat_parked_until_ns(stat)) {
		text_ms(parked_ms_left(stat), left, sizeof(left));
		snprintf(buf, room, "parked for %s", left);
	} else {
		snprintf(buf, room, "parked");
	}
}

static void set_number(struct rows *rows, struct row *row, int column, uint64_t number)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, number);
	set(rows, row, column, buf);
}

static void fill(struct rows *rows, const struct kreg_stat *stat)
{
	struct row *row = add_row(rows);
	char buf[600], name[160];

	set_number(rows, row, ID, kreg_stat_id(stat));
	text_table(stat, name, sizeof(name));
	safe(name, buf, sizeof(buf));
	set(rows, row, NAME, buf);
	set(rows, row, ACCESS, text_access(kreg_stat_access(stat)));
	snprintf(buf, sizeof(buf), "%04o", kreg_stat_mode(stat));
	set(rows, row, MODE, buf);
	set(rows, row, USER, text_user(kreg_stat_uid(stat), buf, sizeof(buf)));
	set_number(rows, row, OBJECTS, kreg_stat_objects(stat));
	text_bytes(kreg_stat_memory(stat), buf, sizeof(buf));
	set(rows, row, MEMORY, buf);
	set_number(rows, row, USER_NS, kreg_stat_user_ns(stat));
	set_number(rows, row, PID_NS, kreg_stat_pid_ns(stat));
	owner(stat, name, sizeof(name));
	safe(name, buf, sizeof(buf));
	set(rows, row, OWNER, buf);
}

/* Columns for tables of several namespaces: shown with --all. */
static bool only_of_all(int column)
{
	return column == ID || column == USER_NS || column == PID_NS;
}

static bool is_number(int column)
{
	return only_of_all(column) || column == OBJECTS || column == MEMORY;
}

/* Numbers are aligned to the right; no blanks follow the last column. */
static void print_rows(const struct rows *rows)
{
	size_t i;
	int c;

	for (i = 0; i < rows->count; i++)
		for (c = 0; c < COLUMNS; c++)
			if (all || !only_of_all(c))
				printf("%*s%s", c == OWNER ? 0 :
				       is_number(c) ? rows->width[c] : -rows->width[c],
				       rows->row[i].cell[c], c == OWNER ? "\n" : "  ");
}

static void free_rows(struct rows *rows)
{
	size_t i;
	int c;

	for (i = 0; i < rows->count; i++)
		for (c = 0; c < COLUMNS; c++)
			free(rows->row[i].cell[c]);
	free(rows->row);
}

/* A name may hold any byte but 0: escaped on its line, or as it is with a 0 behind it. */
static void print_name(const struct kreg_stat *stat, enum form form)
{
	char name[160], buf[600];

	text_table(stat, name, sizeof(name));
	if (form == NAMES_NULL) {
		fputs(name, stdout);
		putchar('\0');
	} else {
		safe(name, buf, sizeof(buf));
		puts(buf);
	}
}

static void show(struct rows *rows, const struct kreg_stat *stat, enum form form)
{
	if (json) {
		json_begin(stdout);
		show_json(stat);
		json_end();
	} else if (form != TABLE) {
		print_name(stat, form);
	} else {
		fill(rows, stat);
	}
}

static int run(int argc, char **argv)
{
	enum form form = TABLE;
	bool parked = false;
	const struct kreg_stat *stat;
	struct kreg_client *client;
	struct rows rows = { 0 };
	struct kreg_list *list;
	int c, ret;

	while ((c = next_option(argc, argv, "apn0", options)) != -1) {
		all |= c == 'a';
		parked |= c == 'p';
		if (c == 'n' && form == TABLE)
			form = NAMES;
		if (c == '0')
			form = NAMES_NULL;
	}
	need_args(argc, 0, 0);
	ret = open_client(&client);
	if (ret)
		return ret;
	add_row(&rows);
	for (c = 0; c < COLUMNS; c++)
		set(&rows, &rows.row[0], c, titles[c]);
	ret = all ? kreg_list_open_all(client, &list) : kreg_list_open(client, &list);
	while (!ret && (ret = kreg_list_next(list, &stat)) > 0) {
		if (!parked || kreg_stat_parked(stat))
			show(&rows, stat, form);
		ret = 0;
	}
	if (ret)
		ret = fail(ret);
	else if (!json && form == TABLE)
		print_rows(&rows);
	free_rows(&rows);
	kreg_list_close(list);
	kreg_client_close(client);
	return ret ? ret : finish_output();
}

const struct command cmd_ls = {
	.name = "ls",
	.args = "[--all] [--parked] [--names|--null]",
	.summary = "list tables",
	.help = "List the tables of which one may know: one's own and those that one may read.\n\n"
		"  -a, --all     also those of other namespaces over which one has CAP_SYS_ADMIN,\n"
		"                as root has over all; with ids and namespaces, as in\n"
		"                /proc/PID/ns\n"
		"  -p, --parked  only those without an owner\n"
		"  -n, --names   only their names, escaped where they are no text\n"
		"  -0, --null    only their names, as they are, each with a NUL behind it",
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of a supervisor, which can be read whether there is a supervisor or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "super.h"

struct children {
	struct super_child *all;
	size_t count;
};

/* That of NAME= in "NAME=VALUE NAME=VALUE"; status= goes to the end. */
static void word_of(const char *text, size_t len, const char *name, char *buf, size_t room)
{
	size_t n = strlen(name), i = 0, end;

	buf[0] = '\0';
	while (i + n < len) {
		for (end = i; end < len && text[end] != ' '; end++)
			;
		if (!memcmp(text + i, name, n) && text[i + n] == '=') {
			end = strcmp(name, "status") ? end : len;
			snprintf(buf, room, "%.*s", (int)(end - i - n - 1), text + i + n + 1);
			return;
		}
		/* What follows is the child's own. */
		if (len - i >= 7 && !memcmp(text + i, "status=", 7))
			return;
		i = end + 1;
	}
}

static struct super_child *child_of(struct children *c, const char *id, size_t len)
{
	struct super_child *more;
	size_t i;

	for (i = 0; i < c->count; i++)
		if (strlen(c->all[i].id) == len && !memcmp(c->all[i].id, id, len))
			return &c->all[i];
	if (len >= sizeof(c->all->id))
		return NULL;
	more = realloc(c->all, (c->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	c->all = more;
	more = &c->all[c->count++];
	memset(more, 0, sizeof(*more));
	memcpy(more->id, id, len);
	return more;
}

static void take_object(struct children *c, const struct kreg_object *object)
{
	size_t key_len, len;
	const char *key = kreg_object_key(object, &key_len);
	const char *value = kreg_object_value(object, &len);
	struct super_child *child;
	char number[24];

	if (!value)
		return;
	if (key_len > 6 && !memcmp(key, "child/", 6)) {
		child = child_of(c, key + 6, key_len - 6);
		if (!child)
			return;
		word_of(value, len, "want", child->want, sizeof(child->want));
		word_of(value, len, "restarts", number, sizeof(number));
		child->restarts = strtoull(number, NULL, 10);
	} else if (key_len > 4 && !memcmp(key, "run/", 4)) {
		child = child_of(c, key + 4, key_len - 4);
		if (!child)
			return;
		word_of(value, len, "phase", child->phase, sizeof(child->phase));
		word_of(value, len, "status", child->status, sizeof(child->status));
		child->process = kreg_object_process(object);
	}
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct super_child *)a)->id, ((const struct super_child *)b)->id);
}

int super_read(struct kreg_table *table, struct super_child **children, size_t *count)
{
	struct kreg_scan_options o = { .size = sizeof(o), .flags = KREG_SCAN_PROCESSES };
	const struct kreg_object *object;
	struct children c = { NULL, 0 };
	struct kreg_scan *scan;
	int ret = kreg_scan_open(table, &o, &scan);

	if (ret)
		return ret;
	while ((ret = kreg_scan_next(scan, &object)) == 1)
		take_object(&c, object);
	kreg_scan_close(scan);
	if (ret) {
		free(c.all);
		return ret;
	}
	if (c.count)
		qsort(c.all, c.count, sizeof(*c.all), by_id);
	*children = c.all;
	*count = c.count;
	return 0;
}

int super_open(const char *name, struct kreg_table **table)
{
	char full[KREG_MAX_NAME + 1];

	if (snprintf(full, sizeof(full), SUPER_TABLE "%s", name) >= (int)sizeof(full) || !*name)
		usage("'%s' is no name of a supervisor", name);
	return open_table(full, table);
}

struct kreg_process super_process(struct kreg_table *table)
{
	struct kreg_process none = { 0, 0, 0 };
	struct kreg_stat *stat;

	if (kreg_table_stat(table, &stat))
		return none;
	none = kreg_stat_owner(stat);
	kreg_stat_free(stat);
	return none;
}

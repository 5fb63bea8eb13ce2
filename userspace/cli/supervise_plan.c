/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of kreg supervise: its numbers, times and names, and what belongs together. */
#ifdef KREG_HAVE_CYAML

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "signal_name.h"
#include "supervise.h"

#define TEXT_OF_ARG(arg)	#arg
#define TEXT_OF(macro)		TEXT_OF_ARG(macro)

struct reading {
	const char *path;
	struct bytes text;
	struct plan *plan;
};

int bad_file(const char *path, unsigned int line, const char *format, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return line ? fail_text(EXIT_USAGE, "%s:%u: %s", path, line, text) :
		fail_text(EXIT_USAGE, "%s: %s", path, text);
}

/* In the line of the nth key that has this value, or of the nth such value. */
static int bad_nth(const struct reading *r, unsigned int nth, const char *of, const char *key,
		   const char *value, const char *what)
{
	unsigned int line = file_line(&r->text, key, value, nth);

	if (!line)
		line = file_line(&r->text, value, NULL, nth);
	return bad_file(r->path, line, "%s: %s: '%s' is %s", of, key, value, what);
}

static int bad_value(const struct reading *r, const char *of, const char *key, const char *value,
		     const char *what)
{
	return bad_nth(r, 0, of, key, value, what);
}

static int signal_of(const char *text, int *sig)
{
	uint64_t number;
	int i;

	if (!parse_number(text, SIGRTMAX, &number) && number) {
		*sig = number;
		return 0;
	}
	if (!strncmp(text, "SIG", 3))
		text += 3;
	for (i = 1; i < 32; i++) {
		if (signal_name(i) && !strcmp(text, signal_name(i))) {
			*sig = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* NULL: not given. 0s is what @none says. */
static int time_of(const char *text, int none, int *ms)
{
	uint64_t n;

	if (!strcmp(text, "forever")) {
		*ms = KREG_FOR_EVER;
		return 0;
	}
	if (parse_time_ms(text, &n) || n > INT_MAX)
		return -EINVAL;
	*ms = n ? (int)n : none;
	return n || none ? 0 : -EINVAL;
}

static int read_limit(const char *text, unsigned int *deaths, uint64_t *ms)
{
	char number[16];
	const char *slash = strchr(text, '/');
	uint64_t n;

	if (!slash || slash - text >= (int)sizeof(number))
		return -EINVAL;
	memcpy(number, text, slash - text);
	number[slash - text] = '\0';
	if (parse_number(number, 64, &n) || !n || parse_time_ms(slash + 1, ms) || !*ms)
		return -EINVAL;
	*deaths = n;
	return 0;
}

/* Which child has a table, but for those from @count on; NULL: none. */
static const char *owner_of(const struct file *f, const char *table, size_t count)
{
	unsigned int i, k;

	for (i = 0; i < count; i++)
		for (k = 0; k < f->children[i].tables_count; k++)
			if (!strcmp(f->children[i].tables[k], table))
				return f->children[i].id;
	return NULL;
}

static int read_table(struct reading *r, const struct file_table *f, struct plan_table *t)
{
	unsigned int mode = 0;

	t->name = f->name;
	t->options = (struct kreg_open_options){
		.size = sizeof(t->options),
		.flags = f->claimable ? KREG_OPEN_CLAIMABLE : 0,
		.type = f->kind ? f->kind - 1 : 0,
		.access = f->access ? f->access - 1 : 0,
		.orphan = f->orphan ? f->orphan - 1 : KREG_ORPHAN_PARK,
	};
	if (f->mode && (parse_mode(f->mode, &mode) || !mode))
		return bad_value(r, f->name, "mode", f->mode, "no mode: octal digits of 0666");
	t->options.mode = mode;
	if (f->keep && parse_time_ms(f->keep, &t->options.orphan_ms))
		return bad_value(r, f->name, "keep", f->keep, "no time: 500ms, 30s, 10m, 2h, 1d");
	if (f->keep && t->options.orphan == KREG_ORPHAN_DESTROY)
		return bad_value(r, f->name, "keep", f->keep, "for tables that are parked");
	if (f->limit && read_limit(f->limit, &t->deaths, &t->deaths_ms))
		return bad_value(r, f->name, "limit", f->limit,
				 "no limit: deaths from 1 to 64 and a time, as in 3/60s");
	return 0;
}

/* The list with NULL at its end; the strings are the file's. */
static const char **ended(char **list, size_t count)
{
	const char **copy;

	if (!count)
		return NULL;
	copy = calloc(count + 1, sizeof(*copy));
	if (copy)
		memcpy(copy, list, count * sizeof(*copy));
	return copy;
}

/* Tables that name this child as their writer. */
static const char **written_by(const struct file *f, const char *id)
{
	size_t i, n = 0;
	const char **list = calloc(f->tables_count + 1, sizeof(*list));

	for (i = 0; list && i < f->tables_count; i++)
		if (f->tables[i].writer && !strcmp(f->tables[i].writer, id))
			list[n++] = f->tables[i].name;
	if (list && !n) {
		free(list);
		return NULL;
	}
	return list;
}

static int read_words(struct reading *r, const struct file_child *f, struct kreg_child *c)
{
	size_t i;

	if (f->start && time_of(f->start, 0, &c->start_ms))
		return bad_value(r, f->id, "start", f->start, "no time: 500ms, 30s, 10m, forever");
	if (f->patience && time_of(f->patience, KREG_AT_ONCE, &c->stop_ms))
		return bad_value(r, f->id, "patience", f->patience,
				 "no time: 500ms, 30s, 10m, forever, 0s");
	if (f->stop && signal_of(f->stop, &c->stop_signal))
		return bad_value(r, f->id, "stop", f->stop, "no signal: TERM, INT, QUIT, 15");
	for (i = 0; i < f->env_count; i++)
		if (!strchr(f->env[i], '=') || f->env[i][0] == '=')
			return bad_value(r, f->id, "env", f->env[i], "not of the form NAME=VALUE");
	if (!f->command[0][0])
		return bad_value(r, f->id, "command", "", "no program");
	return 0;
}

/* The tables of a child go with its role, whose limit is theirs. */
static int read_limits(struct reading *r, struct kreg_child *c)
{
	const struct file_table *file = r->plan->file->tables;
	const struct plan_table *t;
	const char *const *name;
	size_t i;

	for (name = c->tables; name && *name; name++) {
		for (i = 0; i < r->plan->table_count; i++) {
			t = &r->plan->tables[i];
			if (!t->deaths || strcmp(t->name, *name))
				continue;
			if (c->max_deaths && (c->max_deaths != t->deaths ||
					      c->deaths_ms != t->deaths_ms))
				return bad_value(r, t->name, "limit", file[i].limit,
						 "another one than that of another table of this child");
			c->max_deaths = t->deaths;
			c->deaths_ms = t->deaths_ms;
		}
	}
	return 0;
}

static int read_child(struct reading *r, const struct file_child *f, struct kreg_child *c)
{
	*c = (struct kreg_child){
		.size = sizeof(*c),
		.id = f->id,
		.restart = f->restart,
		.notify = f->ready,
		.user = f->user,
		.group = f->group,
		.directory = f->directory,
		.argv = (char *const *)ended(f->command, f->command_count),
		.env = (char *const *)ended(f->env, f->env_count),
		.tables = ended(f->tables, f->tables_count),
		.writes = written_by(r->plan->file, f->id),
	};
	return read_words(r, f, c) ?: read_limits(r, c);
}

static const struct file_child *find_child(const struct file *f, const char *id, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(f->children[i].id, id))
			return &f->children[i];
	return NULL;
}

static int check_child_names(struct reading *r, const struct file *f, unsigned int i)
{
	const struct file_child *c = &f->children[i];
	const char *name;
	unsigned int k;

	if (c->template && c->tables_count)
		return bad_value(r, c->id, "tables", c->tables[0],
				 "a table of a template: only one child could own it");
	if (find_child(f, c->id, i))
		return bad_nth(r, 1, "children", "id", c->id, "that of two children");
	for (k = 0; k < c->tables_count; k++) {
		name = c->tables[k];
		if (!*name || strlen(name) > KREG_MAX_NAME)
			return bad_value(r, c->id, "tables", name, "no name of a table");
		if (owner_of(f, name, i))
			return bad_value(r, c->id, "tables", name, "another child's already");
	}
	return 0;
}

static int check_names(struct reading *r, const struct file *f)
{
	const struct file_child *c;
	unsigned int i, k;
	const char *id;
	int ret;

	if (strchr(f->name, '/'))
		return bad_value(r, "the supervisor", "name", f->name, "a name with '/'");
	for (i = 0; i < f->children_count; i++) {
		ret = check_child_names(r, f, i);
		if (ret)
			return ret;
	}
	for (i = 0; i < f->tables_count; i++) {
		for (k = 0; k < i; k++)
			if (!strcmp(f->tables[i].name, f->tables[k].name))
				return bad_nth(r, 1, "tables", "name", f->tables[i].name,
					       "there twice");
		id = f->tables[i].writer;
		c = id ? find_child(f, id, f->children_count) : NULL;
		if (id && (!c || c->template))
			return bad_value(r, f->tables[i].name, "writer", id, "no child");
		if (id && owner_of(f, f->tables[i].name, f->children_count))
			return bad_value(r, f->tables[i].name, "writer", id,
					 "not the owner: a table has an owner among the children, or a writer");
	}
	return 0;
}

static int read_head(struct reading *r, const struct file *f)
{
	uint64_t number = 3;

	r->plan->name = f->name;
	r->plan->strategy = f->strategy;
	r->plan->max_ms = 5000;
	if (f->max_restarts && parse_number(f->max_restarts, KREG_MAX_RESTARTS, &number))
		return bad_value(r, "the supervisor", "max_restarts", f->max_restarts,
				 "no number up to " TEXT_OF(KREG_MAX_RESTARTS));
	r->plan->max_restarts = number;
	if (f->max_seconds && parse_time_ms(f->max_seconds, &r->plan->max_ms))
		return bad_value(r, "the supervisor", "max_seconds", f->max_seconds,
				 "no time: 500ms, 30s, 10m");
	return 0;
}

static int fill_plan(struct reading *r, const struct file *f)
{
	struct plan *p = r->plan;
	unsigned int i;
	int ret = read_head(r, f);

	ret = ret ? ret : check_names(r, f);
	p->tables = calloc(f->tables_count + 1, sizeof(*p->tables));
	p->children = calloc(f->children_count, sizeof(*p->children));
	p->templates = calloc(f->children_count, sizeof(*p->templates));
	if (!p->tables || !p->children || !p->templates)
		return ret ? ret : fail_text(EXIT_ERROR, "no memory");
	for (i = 0; i < f->tables_count && !ret; i++)
		ret = read_table(r, &f->tables[i], &p->tables[p->table_count++]);
	for (i = 0; i < f->children_count && !ret; i++)
		ret = read_child(r, &f->children[i], f->children[i].template ?
				 &p->templates[p->template_count++] :
				 &p->children[p->child_count++]);
	return ret;
}

int plan_read(const char *path, struct plan *plan)
{
	struct reading r = { .path = path, .plan = plan };
	int ret;

	*plan = (struct plan){ 0 };
	ret = bytes_read(path, &r.text);
	if (ret)
		return fail_text(EXIT_USAGE, "'%s' cannot be read: %s", path, strerror(-ret));
	ret = file_check(path, &r.text);
	if (!ret)
		ret = file_read(path, &r.text, &plan->file);
	if (!ret)
		ret = fill_plan(&r, plan->file);
	bytes_free(&r.text);
	if (ret)
		plan_free(plan);
	return ret;
}

static void free_children(struct kreg_child *children, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free((void *)children[i].argv);
		free((void *)children[i].env);
		free((void *)children[i].tables);
		free((void *)children[i].writes);
	}
	free(children);
}

void plan_free(struct plan *plan)
{
	free_children(plan->children, plan->child_count);
	free_children(plan->templates, plan->template_count);
	free(plan->tables);
	file_free(plan->file);
	*plan = (struct plan){ 0 };
}

#endif /* KREG_HAVE_CYAML */

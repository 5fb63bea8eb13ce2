/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: what their table says to the supervisor after this one, and to people.
 *
 *	child/ID	what is wanted of a child: plain
 *	run/ID		a process that was started for it: bound to it, and lingers
 *	spec/ID		how a child on request is started: see supervisor_spec.c
 *	restarts	when children have died lately, in ms of CLOCK_MONOTONIC
 *
 * The values are words NAME=VALUE. Both have a number: a process whose number is not the child's
 * is one that was to be stopped and started anew. What a death changes is written in one batch
 * that also removes the entry of the dead, so that no death counts twice, and none is lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervise.h"

#define TEXT	512
#define TIMES	"restarts"

/* So many that are over in one batch; those that are more go with the next. */
#define MOST_OVER	1000

static const char *const want_words[] = { "run", "stop", "ended" };

/* PREFIX/ID. Return: its length. */
static size_t make_key(char *buf, size_t room, const char *prefix, const char *id)
{
	return snprintf(buf, room, "%s/%s", prefix, id);
}

int kreg_sup_state_open(struct kreg_supervisor *sup)
{
	char name[KREG_MAX_NAME + 1];
	int ret;

	snprintf(name, sizeof(name), "supervisor.%s", sup->name);
	ret = kreg_table_own(sup->client, name, 0, NULL, &sup->table);
	if (ret || kreg_table_opened(sup->table))
		return ret;
	/* A supervisor of this process has it. */
	kreg_fail_table(-EBUSY, TRY_CLAIM, sup->table);
	kreg_table_close(sup->table);
	sup->table = NULL;
	return -EBUSY;
}

static size_t child_text(const struct child *c, char *buf, size_t room)
{
	return snprintf(buf, room, "want=%s start=%" PRIu64 " restarts=%" PRIu64
			" signal=%d patience=%d%s", want_words[c->want], c->number, c->restarts,
			c->how.stop_signal, c->how.stop_ms, c->dynamic ? " request=1" : "");
}

static int add_spec(struct kreg_batch *batch, const struct child *c)
{
	char key[SUP_MAX_ID + 8], *spec;
	size_t len;
	int ret = kreg_sup_spec_make(c, &spec, &len);

	if (ret)
		return ret;
	ret = kreg_batch_put(batch, key, make_key(key, sizeof(key), "spec", c->how.id), spec, len);
	free(spec);
	return ret;
}

/* Who is not to be known any more. */
static int add_forgotten(struct kreg_batch *batch, const char *id)
{
	char key[SUP_MAX_ID + 8];
	int ret = kreg_batch_del(batch, key, make_key(key, sizeof(key), "child", id));

	return ret < 0 ? ret :
	       kreg_batch_del(batch, key, make_key(key, sizeof(key), "spec", id));
}

static int add_child(struct kreg_batch *batch, const struct child *c)
{
	char key[SUP_MAX_ID + 8], text[TEXT];
	size_t key_len = make_key(key, sizeof(key), "child", c->how.id);
	int ret;

	if (c->foreign || (c->dynamic && c->want != SUP_RUN))
		return add_forgotten(batch, c->how.id);
	ret = kreg_batch_put(batch, key, key_len, text, child_text(c, text, sizeof(text)));
	if (ret < 0 || !c->place)
		return ret;
	if (c->dynamic)
		return add_spec(batch, c);
	/* It was one on request, and is in the list of children now. */
	return kreg_batch_del(batch, key, make_key(key, sizeof(key), "spec", c->how.id));
}

static int add_times(struct kreg_batch *batch, const struct kreg_supervisor *sup)
{
	char *text = malloc(sup->times_count * 21 + 1);
	size_t len = 0;
	unsigned int i;
	int ret;

	if (!text)
		return -ENOMEM;
	for (i = 0; i < sup->times_count; i++)
		len += sprintf(text + len, "%s%" PRIu64, i ? " " : "", sup->times[i]);
	ret = kreg_batch_put(batch, TIMES, strlen(TIMES), text, len);
	free(text);
	return ret;
}

static int write_batch(struct kreg_batch *batch)
{
	int ret = kreg_batch_run(batch);

	kreg_batch_reset(batch);
	return ret < 0 ? ret : 0;
}

/* Of the children from @from on, those before @to are in the batch. */
static int write_children(struct kreg_supervisor *sup, struct kreg_batch *batch, size_t *from,
			  size_t to)
{
	int ret = write_batch(batch);

	/*
	 * What was not written is tried again with the next that is. Of the others the memory stays
	 * as it is, which children of fork(2) share.
	 */
	for (; *from < to && !ret; ++*from)
		if (sup->children[*from]->unsaved)
			sup->children[*from]->unsaved = false;
	return ret;
}

static int add_over(struct kreg_batch *batch, const char *id)
{
	char key[SUP_MAX_ID + 8];

	return kreg_batch_del(batch, key, make_key(key, sizeof(key), "run", id));
}

/* The entries of those that are over, @dead, whose time is written as well, before all others. */
static int add_all_over(struct kreg_supervisor *sup, struct kreg_batch *batch, struct child *dead)
{
	size_t i, count = 0;
	int ret = dead ? add_over(batch, dead->how.id) : 0;

	for (i = 0; i < sup->count && count < MOST_OVER && ret >= 0; i++) {
		if (!sup->children[i]->over || sup->children[i] == dead)
			continue;
		ret = add_over(batch, sup->children[i]->how.id);
		count++;
	}
	return ret >= 0 && sup->times_unsaved ? add_times(batch, sup) : ret;
}

static void note_over_written(struct kreg_supervisor *sup, struct child *dead)
{
	size_t i, count = 0;

	if (sup->times_unsaved)
		sup->times_unsaved = false;
	if (dead)
		dead->over = false;
	for (i = 0; i < sup->count && count < MOST_OVER; i++) {
		if (!sup->children[i]->over)
			continue;
		sup->children[i]->over = false;
		count++;
	}
}

/* In front of the children, of which one may have the same id by now. */
static int add_all_forgotten(struct kreg_supervisor *sup, struct kreg_batch *batch)
{
	const struct forgotten *f = sup->forgotten;
	int ret = 0;

	while (f && ret >= 0) {
		ret = f->over ? add_over(batch, f->id) : 0;
		if (ret >= 0)
			ret = add_forgotten(batch, f->id);
		if (ret == -ENOBUFS)
			ret = write_batch(batch);
		else
			f = f->next;
	}
	return ret;
}

static int fill_and_write(struct kreg_supervisor *sup, struct kreg_batch *batch,
			  struct child *dead)
{
	size_t i, written = 0;
	int ret = add_all_over(sup, batch, dead);

	if (ret >= 0)
		ret = add_all_forgotten(sup, batch);
	for (i = 0; i < sup->count && ret >= 0; i++) {
		if (!sup->children[i]->unsaved)
			continue;
		ret = add_child(batch, sup->children[i]);
		/* More than fit into a batch: in several. */
		if (ret == -ENOBUFS) {
			ret = write_children(sup, batch, &written, i);
			i--;
		}
	}
	if (ret >= 0)
		ret = write_children(sup, batch, &written, sup->count);
	if (!ret) {
		note_over_written(sup, dead);
		kreg_sup_free_forgotten(sup);
	}
	return ret;
}

/* Without memory for that the next supervisor starts it, as if this one had been killed before. */
void kreg_sup_forget(struct child *c)
{
	struct forgotten *f = c->unsaved ? malloc(sizeof(*f)) : NULL;

	if (!f)
		return;
	snprintf(f->id, sizeof(f->id), "%s", c->how.id);
	f->over = c->over;
	f->next = c->sup->forgotten;
	c->sup->forgotten = f;
}

void kreg_sup_free_forgotten(struct kreg_supervisor *sup)
{
	struct forgotten *f;

	while ((f = sup->forgotten)) {
		sup->forgotten = f->next;
		free(f);
	}
}

/* It goes on if the table cannot be written to: its children matter more. */
void kreg_sup_save(struct kreg_supervisor *sup, struct child *dead)
{
	struct kreg_batch *batch;
	int ret = kreg_batch_new(sup->table, KREG_BATCH_ATOMIC, &batch);

	if (dead) {
		dead->over = true;
		sup->times_unsaved = true;
	}
	if (!ret) {
		ret = fill_and_write(sup, batch, dead);
		kreg_batch_free(batch);
	}
	if (ret < 0)
		kreg_sup_say_text(sup, NULL, KREG_SUPERVISOR_UNSAVED, ret, kreg_errmsg());
}

void kreg_sup_save_one(struct child *c, struct child *dead)
{
	c->unsaved = true;
	kreg_sup_save(c->sup, dead);
}

/* It has taken the place of that of the last run, also of one of the same id. */
static void keep_entry(struct child *c)
{
	struct forgotten *f;

	c->over = false;
	for (f = c->sup->forgotten; f; f = f->next)
		if (!strcmp(f->id, c->how.id))
			f->over = false;
}

int kreg_sup_enter(struct child *c, const struct kreg_process *process)
{
	struct kreg_register_options o = {
		.size = sizeof(o), .process = process, .linger_ms = SUP_LINGER_MS,
	};
	char key[SUP_MAX_ID + 8], text[TEXT];
	size_t len = snprintf(text, sizeof(text), "start=%" PRIu64 " phase=setup", c->run);
	int ret = kreg_register_with(c->sup->table, key,
				     make_key(key, sizeof(key), "run", c->how.id), text, len, &o,
				     NULL);

	c->entered = !ret;
	if (!ret)
		keep_entry(c);
	return ret;
}

/* It stays bound to the process. One that is stopped before it was entered has none. */
void kreg_sup_enter_phase(struct child *c)
{
	char key[SUP_MAX_ID + 8], text[TEXT];
	const char *phase = c->phase == SUP_WAITING ? "starting" :
			    c->phase == SUP_STOPPING ? "stopping" : "ready";
	size_t len;
	int ret;

	if (!c->entered)
		return;
	len = snprintf(text, sizeof(text), "start=%" PRIu64 " phase=%s%s%s", c->run, phase,
		       *c->said ? " status=" : "", c->said);
	ret = kreg_put(c->sup->table, key, make_key(key, sizeof(key), "run", c->how.id), text, len);
	if (ret)
		kreg_sup_say_text(c->sup, c, KREG_SUPERVISOR_UNSAVED, ret, kreg_errmsg());
}

/* The value of NAME=, or NULL. What follows "status=" is the child's own. */
static const char *word_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (strncmp(text, name, len) || text[len] != '=') {
		if (!strncmp(text, "status=", 7))
			return NULL;
		text += strcspn(text, " ");
		if (!*text++)
			return NULL;
	}
	return text + len + 1;
}

uint64_t kreg_sup_number_of(const char *text, const char *name, uint64_t none)
{
	const char *word = word_of(text, name);

	return word ? strtoull(word, NULL, 10) : none;
}

/* -ENODATA: there is none. */
static int get_text(struct kreg_supervisor *sup, const char *prefix, const char *id, char *text)
{
	char key[SUP_MAX_ID + 8];
	size_t len;
	int ret = kreg_get(sup->table, key, make_key(key, sizeof(key), prefix, id), text, TEXT - 1,
			   &len);

	if (!ret)
		text[len] = '\0';
	return ret;
}

int kreg_sup_load(struct child *c)
{
	char text[TEXT];
	int ret = get_text(c->sup, "child", c->how.id, text);

	if (ret)
		return ret == -ENODATA ? 0 : ret;
	c->want = !strncmp(text, "want=stop", 9) ? SUP_STOP :
		  !strncmp(text, "want=ended", 10) ? SUP_ENDED : SUP_RUN;
	c->number = kreg_sup_number_of(text, "start", 0);
	c->restarts = kreg_sup_number_of(text, "restarts", 0);
	if (c->foreign) {
		c->how.stop_signal = kreg_sup_number_of(text, "signal", c->how.stop_signal);
		c->how.stop_ms = kreg_sup_number_of(text, "patience", c->how.stop_ms);
	}
	return 0;
}

int kreg_sup_load_run(struct child *c, struct run *run)
{
	const char *phase, *said;
	char text[TEXT];
	int ret = get_text(c->sup, "run", c->how.id, text);

	if (ret)
		return ret;
	phase = word_of(text, "phase");
	said = word_of(text, "status");
	run->number = kreg_sup_number_of(text, "start", 0);
	run->setup = phase && !strncmp(phase, "setup", 5);
	run->ready = phase && !strncmp(phase, "ready", 5);
	snprintf(c->said, sizeof(c->said), "%.255s", said ? said : "");
	return 0;
}

static const char *next_word(const char *text)
{
	text += strcspn(text, " ");
	return text + strspn(text, " ");
}

int kreg_sup_load_times(struct kreg_supervisor *sup)
{
	const char *word;
	size_t left = 0;
	void *value;
	int ret = kreg_get_alloc(sup->table, TIMES, strlen(TIMES), &value, NULL);

	if (ret)
		return ret == -ENODATA ? 0 : ret;
	for (word = value; *word; word = next_word(word))
		left++;
	/* The latest ones count, which come last. */
	for (word = value; *word; word = next_word(word))
		if (left-- <= sup->max_restarts)
			sup->times[sup->times_count++] = strtoull(word, NULL, 10);
	free(value);
	return 0;
}

int kreg_sup_each(struct kreg_supervisor *sup, const char *prefix,
		  int (*fn)(struct kreg_supervisor *sup, const char *id))
{
	struct kreg_scan_options o = { .size = sizeof(o), .flags = KREG_SCAN_KEYS };
	size_t skip = strlen(prefix) + 1, len;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	char id[SUP_MAX_ID + 1];
	const char *key;
	int ret = kreg_scan_open(sup->table, &o, &scan);

	if (ret)
		return ret;
	while ((ret = kreg_scan_next(scan, &object)) == 1) {
		key = kreg_object_key(object, &len);
		if (len <= skip || len > skip + SUP_MAX_ID || key[skip - 1] != '/' ||
		    memcmp(key, prefix, skip - 1))
			continue;
		memcpy(id, key + skip, len - skip);
		id[len - skip] = '\0';
		ret = fn(sup, id);
		if (ret)
			break;
	}
	kreg_scan_close(scan);
	return ret < 0 ? ret : 0;
}

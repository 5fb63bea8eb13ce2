/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: how a child on request is started, for the supervisor after this one, which is not
 * asked for it again: the object spec/ID. It is strings, each with a NUL byte behind it: words
 * NAME=VALUE, and then one for each argument, variable and name, with a letter in front.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervise.h"

/* What is written, or only its length. */
struct writing {
	char *buf;
	size_t len;
};

static void add_string(struct writing *w, char letter, const char *text)
{
	size_t n = strlen(text) + 1;

	if (w->buf) {
		w->buf[w->len] = letter;
		memcpy(w->buf + w->len + 1, text, n);
	}
	w->len += n + 1;
}

static void add_list(struct writing *w, char letter, const char *const *list)
{
	for (; list && *list; list++)
		add_string(w, letter, *list);
}

static void add_all(struct writing *w, const struct kreg_child *how, uint64_t place)
{
	char words[160];

	snprintf(words, sizeof(words),
		 "place=%llu restart=%d signal=%d patience=%d start=%d notify=%d deaths=%u within=%llu",
		 (unsigned long long)place, how->restart, how->stop_signal, how->stop_ms,
		 how->start_ms, how->notify, how->max_deaths,
		 (unsigned long long)how->deaths_ms);
	add_string(w, 'h', words);
	add_list(w, 'a', (const char *const *)how->argv);
	add_list(w, 'e', (const char *const *)how->env);
	add_list(w, 't', how->tables);
	add_list(w, 'w', how->writes);
	if (how->user)
		add_string(w, 'u', how->user);
	if (how->group)
		add_string(w, 'g', how->group);
	if (how->directory)
		add_string(w, 'd', how->directory);
}

int kreg_sup_spec_make(const struct child *c, char **buf, size_t *len)
{
	struct writing w = { NULL, 0 };

	add_all(&w, &c->how, c->place);
	w.buf = malloc(w.len);
	if (!w.buf)
		return -ENOMEM;
	w.len = 0;
	add_all(&w, &c->how, c->place);
	*buf = w.buf;
	*len = w.len;
	return 0;
}

bool kreg_sup_spec_fits(const struct child *c)
{
	struct writing w = { NULL, 0 };

	add_all(&w, &c->how, c->place);
	return w.len <= KREG_MAX_VALUE;
}

int kreg_sup_no_program(void *arg)
{
	(void)arg;
	return SUP_ABANDONED;
}

bool kreg_sup_spec_is_lost(const struct child *c)
{
	return c->how.main == kreg_sup_no_program;
}

/* Room for a list of all strings, for each letter that begins one. */
struct lists {
	const char **argv, **env, **tables, **writes;
	size_t counts[4];
};

static void take_string(struct kreg_child *how, struct lists *l, char letter, char *text)
{
	switch (letter) {
	case 'a':
		l->argv[l->counts[0]++] = text;
		break;
	case 'e':
		l->env[l->counts[1]++] = text;
		break;
	case 't':
		l->tables[l->counts[2]++] = text;
		break;
	case 'w':
		l->writes[l->counts[3]++] = text;
		break;
	case 'u':
		how->user = text;
		break;
	case 'g':
		how->group = text;
		break;
	case 'd':
		how->directory = text;
		break;
	}
}

static void take_words(struct kreg_child *how, const char *text, uint64_t *place)
{
	*place = kreg_sup_number_of(text, "place", 0);
	how->restart = kreg_sup_number_of(text, "restart", KREG_TEMPORARY);
	how->stop_signal = kreg_sup_number_of(text, "signal", 0);
	how->stop_ms = kreg_sup_number_of(text, "patience", 0);
	how->start_ms = kreg_sup_number_of(text, "start", 0);
	how->notify = kreg_sup_number_of(text, "notify", 0);
	how->max_deaths = kreg_sup_number_of(text, "deaths", 0);
	how->deaths_ms = kreg_sup_number_of(text, "within", 0);
}

/* @text ends with a NUL byte. */
static int take_all(struct kreg_supervisor *sup, const char *id, char *text, size_t len,
		    struct lists *l, struct child **child)
{
	struct kreg_child how = { .size = sizeof(how), .id = id };
	uint64_t place = 0;
	char *end = text + len;
	int ret;

	for (; text < end; text += strlen(text) + 1) {
		if (*text == 'h')
			take_words(&how, text + 1, &place);
		else if (*text)
			take_string(&how, l, *text, text + 1);
	}
	how.env = l->counts[1] ? (char *const *)l->env : NULL;
	how.tables = l->counts[2] ? l->tables : NULL;
	how.writes = l->counts[3] ? l->writes : NULL;
	if (l->counts[0]) {
		how.argv = (char *const *)l->argv;
	} else {
		/* It was a function of the program of before. */
		how.main = kreg_sup_no_program;
		how.restart = KREG_TEMPORARY;
	}
	ret = kreg_sup_child_new(sup, &how, child);
	if (!ret)
		(*child)->place = place;
	return ret;
}

int kreg_sup_spec_read(struct kreg_supervisor *sup, const char *id, char *text, size_t len,
		       struct child **child)
{
	struct lists l = { .counts = { 0 } };
	size_t strings = 1, i;
	const char **room;
	int ret;

	for (i = 0; i < len; i++)
		strings += !text[i];
	room = calloc(4 * (strings + 1), sizeof(*room));
	if (!room)
		return -ENOMEM;
	l.argv = room;
	l.env = room + strings + 1;
	l.tables = room + 2 * (strings + 1);
	l.writes = room + 3 * (strings + 1);
	ret = take_all(sup, id, text, len, &l, child);
	free(room);
	return ret;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: another list of children, of which what has not changed goes on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervise.h"

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_list(const char *const *a, const char *const *b)
{
	size_t i;

	if (!a || !b)
		return a == b;
	for (i = 0; a[i] && b[i]; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return a[i] == b[i];
}

static bool same_how(const struct kreg_child *a, const struct kreg_child *b)
{
	return a->main == b->main && a->arg == b->arg && a->restart == b->restart &&
	       a->stop_signal == b->stop_signal && a->stop_ms == b->stop_ms &&
	       a->start_ms == b->start_ms && a->notify == b->notify &&
	       a->max_deaths == b->max_deaths && a->deaths_ms == b->deaths_ms &&
	       same_string(a->user, b->user) && same_string(a->group, b->group) &&
	       same_string(a->directory, b->directory) &&
	       same_list((const char *const *)a->argv, (const char *const *)b->argv) &&
	       same_list((const char *const *)a->env, (const char *const *)b->env) &&
	       same_list(a->tables, b->tables) && same_list(a->writes, b->writes);
}

static void free_all(struct child **all, size_t count)
{
	while (count--)
		if (all[count])
			kreg_sup_child_free(all[count]);
	free(all);
}

/* Copies of what the program says, with room for those that are there. */
static int copy_all(struct kreg_supervisor *sup, const struct kreg_child *how, size_t count,
		    struct child ***out)
{
	struct child **all = calloc(count + sup->count + 1, sizeof(*all));
	size_t size = count ? how->size : 0, i, k;
	int ret = all ? 0 : -ENOMEM;

	for (i = 0; i < count && !ret; i++) {
		ret = kreg_sup_child_new(sup, (const void *)((const char *)how + i * size),
					 &all[i]);
		for (k = 0; k < i && !ret; k++)
			if (!strcmp(all[k]->how.id, all[i]->how.id))
				ret = -EEXIST;
	}
	if (ret && all)
		free_all(all, count);
	else
		*out = all;
	return ret;
}

/* It is stopped as it was to be when it was started. */
static void start_anew(struct child *c, struct child *as)
{
	struct kreg_child how = c->how;

	c->how = as->how;
	as->how = how;
	c->changed = true;
	kreg_sup_stop(c);
	if (c->want == SUP_STOP)
		return;
	c->want = SUP_RUN;
	c->start = true;
	c->number++;
}

/* The child of this list that goes on, or is new. */
static struct child *settle(struct kreg_supervisor *sup, struct child *given)
{
	struct child *c = kreg_sup_find(sup, given->how.id);

	if (!c) {
		given->start = true;
		given->number = 1;
		return given;
	}
	if (!same_how(&c->how, &given->how))
		start_anew(c, given);
	kreg_sup_child_free(given);
	c->listed = true;
	/* It may have been one on request. */
	c->dynamic = false;
	return c;
}

/* Those that are not in the list: on request they stay, the others are to go. */
static size_t append_others(struct kreg_supervisor *sup, struct child **all, size_t count)
{
	struct child *c;
	size_t i;

	for (i = 0; i < sup->count; i++) {
		c = sup->children[i];
		if (c->listed)
			continue;
		all[count++] = c;
		if (c->dynamic)
			continue;
		c->foreign = true;
		c->want = SUP_STOP;
		c->start = false;
		kreg_sup_stop(c);
	}
	return count;
}

static void save_all(struct kreg_supervisor *sup)
{
	size_t i;

	for (i = 0; i < sup->count; i++)
		sup->children[i]->unsaved = true;
	kreg_sup_save(sup, NULL);
}

static void remove_over(struct kreg_supervisor *sup)
{
	size_t i;

	for (i = sup->count; i-- > 0;)
		if (sup->children[i]->foreign && sup->children[i]->phase == SUP_DOWN)
			kreg_sup_remove(sup, sup->children[i]);
}

static int change_times(struct kreg_supervisor *sup, unsigned int max_restarts)
{
	uint64_t *times = calloc(max_restarts + 1, sizeof(*times));
	unsigned int over = sup->times_count > max_restarts ? sup->times_count - max_restarts : 0;

	if (!times)
		return -ENOMEM;
	/* The latest ones count. */
	memcpy(times, sup->times + over, (sup->times_count - over) * sizeof(*times));
	free(sup->times);
	sup->times = times;
	sup->times_count -= over;
	sup->max_restarts = max_restarts;
	return 0;
}

/* It is still being stopped because it was not in the list before. */
static int check_leaving(const struct child *c)
{
	char text[160];

	if (!c || !c->foreign)
		return 0;
	snprintf(text, sizeof(text),
		 "child '%s' is still being stopped, since it was not in the list before: try again when it is dead",
		 c->how.id);
	return kreg_fail_text(-EBUSY, text);
}

int kreg_sup_change(struct kreg_supervisor *sup, unsigned int max_restarts,
		    const struct kreg_child *children, size_t count)
{
	struct child **all;
	size_t i;
	int ret = copy_all(sup, children, count, &all);

	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	for (i = 0; i < count && !ret; i++)
		ret = check_leaving(kreg_sup_find(sup, all[i]->how.id));
	if (!ret)
		ret = kreg_fail(change_times(sup, max_restarts), TRY_SUPERVISE, sup->client);
	if (ret) {
		free_all(all, count);
		return ret;
	}
	for (i = 0; i < sup->count; i++)
		sup->children[i]->listed = false;
	for (i = 0; i < count; i++)
		all[i] = settle(sup, all[i]);
	count = append_others(sup, all, count);
	free(sup->children);
	sup->children = all;
	sup->count = count;
	save_all(sup);
	remove_over(sup);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: go on with the processes that a supervisor before has left. Who lives is monitored;
 * of who has died since, the monitor tells at once, with the status, since the entry lingers. Then
 * it is as if the child died now. Only who has no entry is started.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "supervise.h"

/* Its process goes on, or has a death to be told of. */
static int attach(struct child *c, const struct run *run)
{
	char key[SUP_MAX_ID + 8];
	size_t len = snprintf(key, sizeof(key), "run/%s", c->how.id);
	struct kreg_supervisor *sup = c->sup;
	int ret = kreg_registry_monitor(sup->table, key, len, kreg_sup_down, c, &c->down);

	if (ret)
		return ret;
	c->pid = kreg_ref_process(c->down).pid;
	ret = kreg_whereis_pidfd(sup->table, key, len, NULL);
	/* It is dead. One that lives could not be stopped without a pidfd. */
	if (ret == -ESRCH || ret == -ENODATA)
		ret = -1;
	else if (ret < 0)
		return ret;
	c->pidfd = ret;
	if (ret >= 0)
		kreg_file_identify(ret, &c->pidfd_file);
	c->phase = SUP_UP;
	c->run = run->number;
	c->entered = true;
	c->found_setup = run->setup;
	c->was_up = true;
	c->stop_signal = c->how.stop_signal;
	c->stop_ms = c->how.stop_ms;
	/* Of a start that was to be followed by another one. */
	if (run->number != c->number)
		c->stop = true;
	/* It counts as ready: to whom it says so has died. */
	if (c->pid && run->setup)
		c->deadline = kreg_deadline(SUP_SETTLE_MS);
	else if (c->pid && !run->ready)
		kreg_sup_enter_phase(c);
	if (c->pid)
		kreg_sup_say(c, KREG_CHILD_FOUND);
	return 0;
}

static int attach_one(struct child *c)
{
	struct run run;
	int ret = kreg_sup_load(c);

	if (!ret)
		ret = kreg_sup_role_find(c);
	if (ret)
		return ret;
	ret = kreg_sup_load_run(c, &run);
	if (ret && ret != -ENODATA)
		return ret;
	ret = ret ? 0 : attach(c, &run);
	/* One that has ended and lives was to be stopped for the sake of another one. */
	if (c->want != SUP_RUN)
		c->stop = c->phase != SUP_DOWN;
	else
		c->start = (c->phase == SUP_DOWN || c->stop) && !kreg_sup_spec_is_lost(c);
	return ret;
}

/* It was started on request, and nobody will ask again. */
static int find_requested(struct kreg_supervisor *sup, const char *id)
{
	char key[SUP_MAX_ID + 8];
	struct child *c;
	void *spec;
	size_t len;
	int ret;

	if (kreg_sup_find(sup, id))
		return 0;
	ret = kreg_get_alloc(sup->table, key, snprintf(key, sizeof(key), "spec/%s", id), &spec,
			     &len);
	if (ret)
		return ret;
	ret = kreg_sup_spec_read(sup, id, spec, len, &c);
	free(spec);
	/* What nobody can start is treated as what is not among the children any more. */
	if (ret)
		return ret == -EINVAL ? 0 : ret;
	c->dynamic = true;
	ret = kreg_sup_append(sup, c);
	if (ret)
		kreg_sup_child_free(c);
	else if (c->place > sup->places)
		sup->places = c->place;
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct child *one = *(struct child *const *)a, *two = *(struct child *const *)b;

	return one->place < two->place ? -1 : one->place > two->place;
}

/* One that neither lives nor can be started again. */
static void forget_lost(struct kreg_supervisor *sup)
{
	struct child *c;
	size_t i;

	for (i = sup->count; i-- > 0;) {
		c = sup->children[i];
		if (!kreg_sup_spec_is_lost(c) || c->phase != SUP_DOWN)
			continue;
		c->want = SUP_ENDED;
		kreg_sup_save_one(c, NULL);
		kreg_sup_remove(sup, c);
	}
}

/* It is not among the children any more: to be stopped. */
static int attach_foreign(struct kreg_supervisor *sup, const char *id)
{
	struct kreg_child how = { .size = sizeof(how), .id = id, .main = kreg_sup_no_program };
	struct child *c;
	int ret;

	if (kreg_sup_find(sup, id))
		return 0;
	ret = kreg_sup_child_new(sup, &how, &c);
	if (ret)
		return ret;
	c->foreign = true;
	c->want = SUP_STOP;
	ret = kreg_sup_append(sup, c);
	if (ret) {
		kreg_sup_child_free(c);
		return ret;
	}
	ret = attach_one(c);
	c->want = SUP_STOP;
	c->start = false;
	c->stop = c->phase != SUP_DOWN;
	return ret;
}

/* As before a start that has failed: those that were only found are found again. */
static void detach_all(struct kreg_supervisor *sup)
{
	struct child *c;
	size_t i, left = 0;

	for (i = 0; i < sup->count; i++) {
		c = sup->children[i];
		if (c->dynamic || c->foreign) {
			kreg_sup_child_free(c);
			continue;
		}
		kreg_sup_close_run(c);
		c->start = false;
		c->was_up = false;
		c->want = SUP_RUN;
		sup->children[left++] = c;
	}
	sup->count = left;
	sup->times_count = 0;
	sup->ending = false;
	sup->why[0] = '\0';
}

int kreg_sup_attach_all(struct kreg_supervisor *sup)
{
	size_t i, count;
	int ret;

	detach_all(sup);
	count = sup->count;
	ret = kreg_sup_load_times(sup);
	if (!ret)
		ret = kreg_sup_each(sup, "spec", find_requested);
	if (sup->count > count)
		qsort(sup->children + count, sup->count - count, sizeof(*sup->children), by_place);
	count = sup->count;
	for (i = 0; i < count && !ret; i++)
		ret = attach_one(sup->children[i]);
	if (!ret)
		ret = kreg_sup_each(sup, "run", attach_foreign);
	if (!ret)
		forget_lost(sup);
	/* Events about those who have died are there already. */
	if (!ret && kreg_client_has_refs(sup->client))
		ret = kreg_client_dispatch(sup->client, 0);
	return ret < 0 ? ret : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: what programs ask of one that runs. */
#include <errno.h>
#include <stdio.h>

#include "supervise.h"

/* Wait until this child is as it is to be, or gone. */
static int wait_for(struct kreg_supervisor *sup, struct child *c)
{
	int ret = 0;

	while (ret >= 0 || ret == -EINTR) {
		kreg_sup_advance(sup);
		if (!c->start && !c->stop && (c->phase == SUP_UP || c->phase == SUP_DOWN))
			return 0;
		ret = kreg_sup_dispatch(sup, 0);
	}
	return ret;
}

static int wait_for_start(struct kreg_supervisor *sup, struct child *c,
			  struct kreg_process *process)
{
	char text[sizeof(sup->why)];
	int ret;

	ret = wait_for(sup, c);
	c->called = false;
	if (!ret && sup->ending)
		ret = -ESHUTDOWN;
	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	if (c->phase == SUP_UP) {
		if (process)
			*process = kreg_ref_process(c->down);
		return 0;
	}
	/* It may have been ready, and have ended since. */
	ret = c->err;
	kreg_sup_sentence(c, text, sizeof(text));
	if (c->dynamic)
		kreg_sup_remove(sup, c);
	if (!ret && process)
		*process = (struct kreg_process){ 0, 0, 0 };
	return ret ? kreg_fail_text(ret, text) : 0;
}

/* What cannot be kept for the next supervisor would keep all else from being written, too. */
static int add_requested(struct kreg_supervisor *sup, const struct kreg_child *how,
			 struct child **child)
{
	struct child *c;
	int ret = kreg_sup_add(sup, how, &c);

	if (ret)
		return ret;
	c->dynamic = true;
	c->place = sup->places + 1;
	if (!kreg_sup_spec_fits(c)) {
		kreg_sup_remove(sup, c);
		kreg_cause(-EFBIG,
			   "the arguments, variables and names of the child are too long: of one on request at most %V bytes are kept");
		return -EFBIG;
	}
	sup->places++;
	*child = c;
	return 0;
}

/* One that is known, or a new one. */
static int find_or_add(struct kreg_supervisor *sup, const struct kreg_child *how,
		       struct child **child)
{
	struct kreg_child full;
	int ret = kreg_options_copy(&full, sizeof(full), how);
	struct child *c = !ret && full.id ? kreg_sup_find(sup, full.id) : NULL;

	if (ret)
		return ret;
	if (c && (c->phase != SUP_DOWN || c->start))
		return -EEXIST;
	if (!full.argv && !full.main) {
		*child = c;
		return c ? 0 : -ENOENT;
	}
	if (c)
		return -EEXIST;
	return add_requested(sup, &full, child);
}

/* Once it is stopped, if it is to stop. */
static int start_called(struct child *c, struct kreg_process *process)
{
	c->called = true;
	c->start = true;
	c->want = SUP_RUN;
	c->number++;
	kreg_sup_save_one(c, NULL);
	return wait_for_start(c->sup, c, process);
}

int kreg_supervisor_start_child(struct kreg_supervisor *sup, const struct kreg_child *child,
				struct kreg_process *process)
{
	struct child *c;
	int ret = kreg_sup_check(sup, true);

	if (!ret && sup->ending)
		ret = -ESHUTDOWN;
	if (!ret)
		ret = find_or_add(sup, child, &c);
	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	return start_called(c, process);
}

int kreg_supervisor_restart_child(struct kreg_supervisor *sup, const char *id,
				  struct kreg_process *process)
{
	char text[192];
	struct child *c;
	int ret = kreg_sup_check(sup, true);

	if (!ret && sup->ending)
		ret = -ESHUTDOWN;
	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	c = kreg_sup_find(sup, id);
	if (!c || c->foreign)
		return kreg_fail(-ENOENT, TRY_SUPERVISE, sup->client);
	if (kreg_sup_spec_is_lost(c)) {
		snprintf(text, sizeof(text),
			 "child '%s' is a function of a program that was killed: stop it, and start another",
			 id);
		return kreg_fail_text(-EOPNOTSUPP, text);
	}
	kreg_sup_stop(c);
	return start_called(c, process);
}

int kreg_supervisor_stop_child(struct kreg_supervisor *sup, const char *id)
{
	struct child *c;
	int ret = kreg_sup_check(sup, true);

	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	c = kreg_sup_find(sup, id);
	if (!c)
		return kreg_fail(-ENOENT, TRY_SUPERVISE, sup->client);
	c->called = true;
	c->want = SUP_STOP;
	c->start = false;
	kreg_sup_stop(c);
	kreg_sup_save_one(c, NULL);
	ret = wait_for(sup, c);
	c->called = false;
	/* One that is known by the request alone is forgotten, and one that was to go is gone. */
	if (!ret && (c->dynamic || c->foreign))
		kreg_sup_remove(sup, c);
	return kreg_fail(ret, TRY_SUPERVISE, sup->client);
}

int kreg_supervisor_change(struct kreg_supervisor *sup, enum kreg_strategy strategy,
			   unsigned int max_restarts, uint64_t max_ms,
			   const struct kreg_child *children, size_t count)
{
	int ret = kreg_sup_check(sup, true);

	if (!ret)
		ret = kreg_sup_check_new(sup->name, strategy, max_restarts);
	if (!ret && sup->ending)
		ret = -ESHUTDOWN;
	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, sup->client);
	ret = kreg_sup_change(sup, max_restarts, children, count);
	if (ret)
		return ret;
	sup->strategy = strategy;
	sup->max_ms = max_ms;
	kreg_sup_advance(sup);
	return 0;
}

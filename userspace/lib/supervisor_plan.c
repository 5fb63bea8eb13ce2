/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: what a death leads to, and the next step. One child at a time stops, from the last
 * to the first; when none is to stop any more each starts, from the first to the last, as soon as
 * none in front of it is starting.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packet.h"
#include "supervise.h"

/* Not more deaths than allowed within the time, with the one now? */
static bool count_death(struct kreg_supervisor *sup)
{
	uint64_t now = kreg_deadline(0) / 1000000;
	unsigned int old = 0;

	while (old < sup->times_count && now - sup->times[old] > sup->max_ms)
		old++;
	sup->times_count -= old;
	memmove(sup->times, sup->times + old, sup->times_count * sizeof(*sup->times));
	if (sup->times_count >= sup->max_restarts)
		return false;
	sup->times[sup->times_count++] = now;
	return true;
}

static bool is_restarted(const struct child *c)
{
	if (c->how.restart == KREG_PERMANENT)
		return true;
	if (c->how.restart == KREG_TEMPORARY)
		return false;
	if (!c->known)
		return true;
	if (WIFEXITED(c->status))
		return WEXITSTATUS(c->status) != 0;
	return WTERMSIG(c->status) != c->stop_signal;
}

/* Whether a child is started anew with another one that has died. */
static bool goes_along(const struct child *c, size_t index, const struct child *dead, size_t place)
{
	if (c == dead)
		return true;
	if (c->foreign || c->want == SUP_STOP)
		return false;
	/* It has run; what is over stays so. */
	if (c->how.restart == KREG_TEMPORARY && c->phase == SUP_DOWN)
		return false;
	return c->sup->strategy == KREG_ONE_FOR_ALL ||
	       (c->sup->strategy == KREG_REST_FOR_ONE && index > place);
}

static void restart(struct child *dead)
{
	struct kreg_supervisor *sup = dead->sup;
	size_t i, place = 0;
	struct child *c;

	while (sup->children[place] != dead)
		place++;
	for (i = 0; i < sup->count; i++) {
		c = sup->children[i];
		if (!goes_along(c, i, dead, place))
			continue;
		c->unsaved = true;
		kreg_sup_stop(c);
		/* One that is never started again is only stopped. */
		c->start = c->how.restart != KREG_TEMPORARY;
		c->want = c->start ? SUP_RUN : SUP_ENDED;
		if (c->start)
			c->number++;
	}
	dead->restarts++;
	kreg_sup_save(sup, dead);
	kreg_sup_say(dead, KREG_CHILD_RESTARTS);
}

static void forget_if_over(struct child *c)
{
	if ((c->dynamic || c->foreign) && !c->called)
		kreg_sup_remove(c->sup, c);
}

static void give_up(struct child *c, int err, const char *text)
{
	/* Saving may fail, and have a sentence of its own. */
	kreg_sup_say_text(c->sup, c, KREG_SUPERVISOR_GAVE_UP, err, text);
	kreg_sup_save_one(c, c);
	kreg_sup_end_all(c->sup, -ESHUTDOWN);
}

/* It has died by itself. */
static void treat_death(struct child *c)
{
	struct kreg_supervisor *sup = c->sup;

	if (!is_restarted(c)) {
		c->want = SUP_ENDED;
		kreg_sup_save_one(c, c);
		forget_if_over(c);
	} else if (kreg_sup_role_is_quarantined(c)) {
		/* It would not get its tables however often it is tried. */
		give_up(c, -EOWNERDEAD, kreg_errmsg());
	} else if (count_death(sup)) {
		restart(c);
	} else {
		give_up(c, 0, NULL);
	}
}

/* It was never ready. */
static void treat_failure(struct child *c)
{
	struct kreg_supervisor *sup = c->sup;
	char text[sizeof(sup->why)];

	if (!c->err)
		c->err = -ECHILD;
	kreg_sup_sentence(c, text, sizeof(text));
	kreg_sup_say_text(sup, c, KREG_CHILD_FAILED, c->err, text);
	if (c->called) {
		/* Who has asked for it is told, and forgets it. */
		c->want = SUP_ENDED;
		kreg_sup_save_one(c, c);
	} else if (sup->starting && !c->was_up) {
		memcpy(sup->why, text, sizeof(text));
		kreg_sup_save_one(c, c);
		kreg_sup_end_all(sup, c->err);
	} else {
		/* A start that fails is a death, whatever it has exited with. */
		c->known = false;
		treat_death(c);
	}
}

/* It had lost its supervisor before its program ran: it was never started. */
static bool is_abandoned(const struct child *c)
{
	return c->found_setup && c->known && WIFEXITED(c->status) &&
	       WEXITSTATUS(c->status) == SUP_ABANDONED;
}

void kreg_sup_close_run(struct child *c)
{
	kreg_ref_cancel(c->down);
	c->down = NULL;
	kreg_file_close(c->pidfd, &c->pidfd_file);
	kreg_sup_close_sock(c);
	c->pidfd = -1;
	c->pid = 0;
	c->phase = SUP_DOWN;
	c->deadline = 0;
	c->stop = false;
	c->failing = false;
	c->dead = false;
	c->killed = false;
	c->said_ready = false;
	c->entered = false;
	c->let_go = false;
	c->found_setup = false;
	c->said[0] = '\0';
}

static void handle_death(struct child *c)
{
	bool failed, abandoned, expected;

	/* What it has said last. */
	if (c->phase == SUP_SETUP)
		kreg_sup_spawn_ready(c);
	kreg_sup_reap(c);
	kreg_sup_say(c, KREG_CHILD_DEAD);
	abandoned = is_abandoned(c);
	failed = c->failing || c->phase == SUP_SETUP || c->phase == SUP_WAITING;
	expected = c->stop || (c->phase == SUP_STOPPING && !c->failing);
	kreg_sup_close_run(c);
	if (abandoned)
		c->start = c->want == SUP_RUN && !c->sup->ending;
	if (expected || abandoned || c->sup->ending)
		kreg_sup_role_forgive(c);
	if (expected || abandoned || c->start || c->sup->ending) {
		kreg_sup_save_one(c, c);
		if (!c->start)
			forget_if_over(c);
	} else if (failed) {
		treat_failure(c);
	} else {
		treat_death(c);
	}
}

static void begin_stop(struct child *c, bool failing)
{
	c->phase = SUP_STOPPING;
	c->stop = false;
	c->failing = failing;
	c->deadline = kreg_deadline(c->stop_ms);
	kreg_sup_enter_phase(c);
	if (c->stop_ms == KREG_AT_ONCE) {
		c->deadline = 0;
		c->killed = true;
		kreg_sup_say(c, KREG_CHILD_KILLED);
		kreg_sup_signal(c, SIGKILL);
		return;
	}
	kreg_sup_say(c, KREG_CHILD_STOPS);
	kreg_sup_signal(c, c->stop_signal);
	/* One that is stopped by SIGSTOP could not end. */
	kreg_sup_signal(c, SIGCONT);
}

static void begin_start(struct child *c)
{
	c->start = false;
	c->err = 0;
	c->why[0] = '\0';
	c->want = SUP_RUN;
	c->stop_signal = c->how.stop_signal;
	c->stop_ms = c->how.stop_ms;
	/* Tables that it had and is not to have any more follow its role no more. */
	if (c->changed)
		kreg_sup_role_end(c);
	c->changed = false;
	if (!c->number) {
		c->number = 1;
		kreg_sup_save_one(c, NULL);
	}
	c->run = c->number;
	if (!kreg_sup_spawn(c))
		return;
	kreg_sup_close_run(c);
	treat_failure(c);
}

void kreg_sup_is_ready(struct child *c)
{
	c->phase = SUP_UP;
	c->was_up = true;
	c->deadline = 0;
	kreg_sup_enter_phase(c);
	kreg_sup_say(c, KREG_CHILD_READY);
}

void kreg_sup_stop(struct child *c)
{
	c->stop = c->phase != SUP_DOWN && c->phase != SUP_STOPPING;
	c->failing = false;
}

void kreg_sup_end_all(struct kreg_supervisor *sup, int end)
{
	size_t i;

	if (!sup->ending)
		sup->end = end;
	sup->ending = true;
	for (i = 0; i < sup->count; i++) {
		sup->children[i]->start = false;
		kreg_sup_stop(sup->children[i]);
	}
}

bool kreg_sup_is_done(const struct kreg_supervisor *sup)
{
	size_t i;

	if (!sup->ending)
		return false;
	for (i = 0; i < sup->count; i++)
		if (sup->children[i]->phase != SUP_DOWN)
			return false;
	return true;
}

/* It has taken too long, or it was found and is seen to run now. */
static void handle_deadline(struct child *c)
{
	if (c->phase == SUP_STOPPING) {
		c->deadline = 0;
		c->killed = true;
		kreg_sup_say(c, KREG_CHILD_KILLED);
		kreg_sup_signal(c, SIGKILL);
		return;
	}
	if (c->phase == SUP_UP) {
		c->deadline = 0;
		c->found_setup = false;
		kreg_sup_enter_phase(c);
		return;
	}
	/* It is to stop anyway, in its turn. */
	if (c->stop) {
		c->deadline = 0;
		return;
	}
	c->err = c->err ? c->err : -ETIMEDOUT;
	begin_stop(c, true);
}

static bool handle_one_deadline(struct kreg_supervisor *sup)
{
	struct child *c;
	size_t i;

	for (i = sup->count; i-- > 0;) {
		c = sup->children[i];
		if (!c->deadline || kreg_ms_left(c->deadline))
			continue;
		handle_deadline(c);
		return true;
	}
	return false;
}

/* A death may remove the child from the list, and more. */
static bool handle_one_death(struct kreg_supervisor *sup)
{
	size_t i;

	for (i = 0; i < sup->count; i++) {
		if (!sup->children[i]->dead)
			continue;
		handle_death(sup->children[i]);
		return true;
	}
	return false;
}

/* Whether something was done. */
static bool next_step(struct kreg_supervisor *sup)
{
	struct child *c, *stops = NULL, *starts = NULL;
	size_t i;

	if (handle_one_death(sup) || handle_one_deadline(sup))
		return true;
	for (i = sup->count; i-- > 0;) {
		c = sup->children[i];
		if (c->phase == SUP_STOPPING)
			return false;
		if (c->stop && !stops)
			stops = c;
		/* Those behind it wait; one in front of it may be what it waits for itself. */
		if (c->phase == SUP_SETUP || c->phase == SUP_WAITING)
			starts = NULL;
		if (c->start && c->phase == SUP_DOWN)
			starts = c;
	}
	if (stops)
		begin_stop(stops, false);
	else if (starts)
		begin_start(starts);
	else
		return false;
	return true;
}

void kreg_sup_advance(struct kreg_supervisor *sup)
{
	while (next_step(sup))
		;
	kreg_sup_set_timer(sup);
	if (sup->ending)
		return;
	/* From now on a child that cannot be started is one that has died. */
	sup->starting = sup->starting && kreg_sup_is_busy(sup);
}

/* Whether a child is about to start or stop. */
bool kreg_sup_is_busy(const struct kreg_supervisor *sup)
{
	const struct child *c;
	size_t i;

	for (i = 0; i < sup->count; i++) {
		c = sup->children[i];
		if (c->start || c->stop || (c->phase != SUP_DOWN && c->phase != SUP_UP))
			return true;
	}
	return false;
}

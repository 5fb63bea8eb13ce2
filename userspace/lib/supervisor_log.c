/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: telling the program what happens. */
#include <errno.h>
#include <stdio.h>

#include "supervise.h"

static void say(struct kreg_supervisor *sup, struct kreg_supervisor_log *log)
{
	if (!sup->log)
		return;
	log->size = sizeof(*log);
	log->restarts = sup->times_count;
	log->max_restarts = sup->max_restarts;
	sup->log(log, sup->log_arg);
}

void kreg_sup_say(struct child *c, enum kreg_supervisor_what what)
{
	struct kreg_supervisor_log log = {
		.what = what,
		.status = c->status,
		.known = what == KREG_CHILD_DEAD && c->known,
		.pid = c->pid,
		.id = c->how.id,
	};

	say(c->sup, &log);
}

void kreg_sup_say_text(struct kreg_supervisor *sup, struct child *c,
		       enum kreg_supervisor_what what, int err, const char *text)
{
	struct kreg_supervisor_log log = {
		.what = what,
		.err = err,
		.id = c ? c->how.id : NULL,
		.text = text,
	};

	say(sup, &log);
}

void kreg_sup_sentence(const struct child *c, char *buf, size_t room)
{
	if (c->err == -ETIMEDOUT)
		snprintf(buf, room, "child '%s' was not ready in time, within %d ms", c->how.id,
			 c->how.start_ms);
	else if (*c->why)
		snprintf(buf, room, "child '%s' could not be started: %s", c->how.id, c->why);
	else
		snprintf(buf, room, "child '%s' died before it was ready", c->how.id);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of kreg hold, on standard error: standard output belongs to the command. */
#include <inttypes.h>
#include <sys/wait.h>

#include "hold.h"

static void begin(const struct hold *h, const char *event)
{
	fflush(stdout);
	json_begin(stderr);
	json_text("event", event);
	json_text("table", h->name);
	json_number("pid", h->child);
}

void say_waiting(const struct hold *h)
{
	if (!json) {
		note("table '%s' has another owner; standing by for it", h->name);
		return;
	}
	begin(h, "waiting");
	json_end();
}

void say_started(const struct hold *h)
{
	if (!json) {
		note("%s (process %d) owns table '%s'", h->argv[0], h->child, h->name);
		return;
	}
	begin(h, "started");
	json_number("restarts", h->restarts);
	json_end();
}

void say_died(const struct hold *h, int status, bool back, uint64_t objects)
{
	char end[64];

	text_end(status, end, sizeof(end));
	if (!json && back)
		note("%s (process %d) %s; table '%s' is back with %" PRIu64 " object%s",
		     h->argv[0], h->child, end, h->name, objects, objects == 1 ? "" : "s");
	else if (!json)
		note("%s (process %d) %s", h->argv[0], h->child, end);
	if (!json)
		return;
	begin(h, "died");
	json_text("how", end);
	json_number(WIFSIGNALED(status) ? "signal" : "exit",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	json_bool("back", back);
	if (back)
		json_number("objects", objects);
	json_end();
}

/* @left: 0: it is not known which. */
void say_left(const struct hold *h, pid_t left)
{
	char text[64];

	if (json) {
		begin(h, "left");
		json_number("process", left);
		json_end();
	} else if (left) {
		text_proc(left, text, sizeof(text));
		note("%s has ended, but process %s, which it has started, lives on without the table; let the command stay in the foreground, or use --group",
		     h->argv[0], text);
	} else {
		note("%s has ended, but a process that it has started lives on", h->argv[0]);
	}
}

void say_restart(const struct hold *h, unsigned int recent)
{
	char window[32];

	text_ms(h->window_ms, window, sizeof(window));
	if (recent > h->max)
		fail_text(EXIT_ERROR, "%s died too often: more than %u restart%s in %s (--max)",
			  h->argv[0], h->max, h->max == 1 ? "" : "s", window);
	else
		note("restart %u of %u in %s", recent, h->max, window);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* One line for each change. */
#include <inttypes.h>
#include <string.h>

#include "watch.h"

static void count_line(struct watch *w)
{
	fflush(stdout);
	if (w->lines_left)
		w->lines_left--;
}

static void begin_json(const char *event, const char *table)
{
	json_begin(stdout);
	json_number("time_ms", now_ms());
	json_text("event", event);
	json_text("table", table);
}

static void print_name(const char *name)
{
	bool keep = hex;

	hex = false;
	bytes_print(name, strlen(name), stdout);
	hex = keep;
}

static void say_json(const char *event, const struct watched *t, const struct kreg_process *before)
{
	begin_json(event, t->name);
	if (before->pid)
		json_number("from", before->pid);
	if (t->exists && !t->parked && t->owner.pid)
		json_number("owner", t->owner.pid);
	if (t->exists)
		json_number("transfers", t->transfers);
	json_end();
}

void watch_say(struct watch *w, const char *event, const struct watched *t,
	       const struct kreg_process *before)
{
	char now[32], owner[64];

	if (json) {
		say_json(event, t, before);
		count_line(w);
		return;
	}
	text_clock(now_ms(), now, sizeof(now));
	printf("%s  ", now);
	print_name(t->name);
	if (!strncmp(event, "died", 4) && before->pid)
		printf(": owner %d died%s", before->pid, event + 4);
	else
		printf(": %s", event);
	if (t->exists && !t->parked) {
		text_proc(t->owner.pid, owner, sizeof(owner));
		printf(", owner ");
		print_name(owner);
	}
	putchar('\n');
	count_line(w);
}

static void event_json(const struct kreg_event *event, const char *name, int status, bool known)
{
	size_t len;
	const void *data = kreg_event_data(event, &len);

	begin_json("transfer", name);
	json_number("id", kreg_event_table(event));
	json_number("from", kreg_event_process(event).pid);
	json_text("cause", kreg_event_cause(event) == KREG_CAUSE_DEATH ? "death" : "gift");
	if (known)
		json_signed("status", status);
	if (len)
		json_bytes("data", data, len);
	json_number("seq", kreg_event_seq(event));
	json_number("monotonic_ns", kreg_event_time_ns(event));
	json_end();
}

void watch_say_event(struct watch *w, const struct kreg_event *event)
{
	char now[32], name[160], end[64] = "died";
	int status = 0;
	bool known = kreg_event_status(event, &status);
	const void *data;
	size_t len;

	if (kreg_event_name(event, name, sizeof(name), &len) || !len)
		snprintf(name, sizeof(name), "#%" PRIu64, kreg_event_table(event));
	if (json) {
		event_json(event, name, status, known);
		count_line(w);
		return;
	}
	text_clock(now_ms(), now, sizeof(now));
	printf("%s  ", now);
	print_name(name);
	if (known)
		text_end(status, end, sizeof(end));
	if (kreg_event_cause(event) == KREG_CAUSE_DEATH)
		printf(": inherited by this command, process %d %s",
		       kreg_event_process(event).pid, end);
	else
		printf(": given to this command by process %d", kreg_event_process(event).pid);
	data = kreg_event_data(event, &len);
	if (len) {
		printf(", data ");
		bytes_print(data, len, stdout);
	}
	putchar('\n');
	count_line(w);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* One line for each event. */
#include <inttypes.h>
#include <string.h>

#include "watch.h"

/* Names and commands are text, also with --hex. */
static void print_text(const char *text)
{
	bool keep = hex;

	hex = false;
	bytes_print(text, strlen(text), stdout);
	hex = keep;
}

/* With its command, as long as it lives. */
static void print_process(struct kreg_process process)
{
	char text[64];

	text_proc(process.pid, text, sizeof(text));
	print_text(text);
}

static void print_end(const struct kreg_event *event)
{
	char end[64] = "died";
	int status;

	if (kreg_event_status(event, &status))
		text_end(status, end, sizeof(end));
	printf(" %s", end);
}

static void print_value(const struct kreg_event *event)
{
	size_t len;
	const void *value = kreg_event_value(event, &len);

	putchar('\t');
	if (value)
		bytes_print(value, len, stdout);
	else
		printf("(%zu bytes)", len);
}

/* That it is on loan to somebody, or was. */
static void print_loan(const struct kreg_event *event)
{
	if (kreg_event_cause(event) != KREG_CAUSE_LEASE)
		return;
	if (kreg_event_kind(event) == KREG_EVENT_DELETE) {
		printf(", on loan to ");
		print_process(kreg_event_process(event));
	} else {
		printf("\tback from a loan");
	}
}

static void print_object(const struct kreg_event *event)
{
	unsigned int kind = kreg_event_kind(event);
	size_t len;
	const void *key = kreg_event_key(event, &len);

	printf("%s ", watch_kind_name(kind));
	bytes_print(key, len, stdout);
	if (kind == KREG_EVENT_EXIT) {
		printf(", process %u", kreg_event_process(event).pid);
		print_end(event);
	} else if (kind != KREG_EVENT_DELETE && kind != KREG_EVENT_EXPIRED) {
		print_value(event);
	}
	if (kind <= KREG_EVENT_UPDATE && kreg_event_process(event).pid) {
		printf("\tof process ");
		print_process(kreg_event_process(event));
	}
	print_loan(event);
}

static void print_owner(const struct kreg_event *event)
{
	struct kreg_process now = kreg_event_process(event);
	unsigned int from = kreg_event_former_owner(event).pid;
	unsigned int cause = kreg_event_cause(event);

	if (cause == KREG_CAUSE_DEATH || cause == KREG_CAUSE_LIMIT) {
		printf("owner %u", from);
		print_end(event);
		printf(now.cookie ? ", inherited by " :
		       cause == KREG_CAUSE_LIMIT ? ", quarantined" : ", parked");
	} else if (cause == KREG_CAUSE_CLAIM) {
		printf("claimed by ");
	} else {
		printf(now.cookie ? "given by %u to " : "parked by %u", from);
	}
	if (now.cookie)
		print_process(now);
}

static void print_gone(const struct kreg_event *event)
{
	switch (kreg_event_cause(event)) {
	case KREG_CAUSE_DEATH:
		printf("destroyed, its owner died");
		break;
	case KREG_CAUSE_EXPIRED:
		printf("destroyed, it was parked for too long");
		break;
	case KREG_CAUSE_ACCESS:
		printf("it may not be read any more");
		break;
	default:
		printf("destroyed");
	}
}

static void print_transfer(const struct kreg_event *event)
{
	size_t len;
	const void *data = kreg_event_data(event, &len);

	if (kreg_event_cause(event) == KREG_CAUSE_DEATH) {
		printf("inherited by this command, process %d", kreg_event_process(event).pid);
		print_end(event);
	} else {
		printf("given to this command by process %d", kreg_event_process(event).pid);
	}
	if (len) {
		printf(", data ");
		bytes_print(data, len, stdout);
	}
}

static void print_event(const struct kreg_event *event)
{
	switch (kreg_event_kind(event)) {
	case KREG_EVENT_OWNER:
		print_owner(event);
		break;
	case KREG_EVENT_GONE:
		print_gone(event);
		break;
	case KREG_EVENT_TRANSFER:
		print_transfer(event);
		break;
	case KREG_EVENT_OVERFLOW:
		printf("%" PRIu64 " events lost",
		       kreg_event_last_lost(event) - kreg_event_seq(event) + 1);
		break;
	case KREG_EVENT_CLEAR:
	case KREG_EVENT_READY:
		printf("%s", watch_kind_name(kreg_event_kind(event)));
		break;
	default:
		print_object(event);
	}
}

void watch_say(struct watch *w, const char *table, const struct kreg_event *event)
{
	char now[32];

	if (!w->lines_left)
		return;
	w->lines_left--;
	if (json) {
		watch_json(table, event);
		return;
	}
	text_clock(event_time_ms(event), now, sizeof(now));
	printf("%s  ", now);
	print_text(table);
	printf(": ");
	print_event(event);
	putchar('\n');
	fflush(stdout);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* An event as JSON. */
#include <string.h>
#include <sys/wait.h>

#include "watch.h"

static const char *cause_name(unsigned int cause)
{
	static const char *const names[] = {
		[KREG_CAUSE_GIFT] = "gift", [KREG_CAUSE_DEATH] = "death",
		[KREG_CAUSE_CLAIM] = "claim", [KREG_CAUSE_NOPROC] = "noproc",
		[KREG_CAUSE_EXPIRED] = "expired", [KREG_CAUSE_LIMIT] = "limit",
		[KREG_CAUSE_ACCESS] = "access", [KREG_CAUSE_LEASE] = "lease",
		[KREG_CAUSE_SCHEMA] = "schema",
	};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : NULL;
}

static void say_status(const struct kreg_event *event)
{
	int status;

	if (!kreg_event_status(event, &status))
		return;
	if (WIFSIGNALED(status))
		json_number("signal", WTERMSIG(status));
	else
		json_number("exit", WEXITSTATUS(status));
	json_signed("status", status);
}

static void say_object(const struct kreg_event *event, bool has_value)
{
	const void *bytes;
	size_t len;

	bytes = kreg_event_key(event, &len);
	if (len || kreg_event_kind(event) != KREG_EVENT_USER)
		json_bytes("key", bytes, len);
	bytes = kreg_event_value(event, &len);
	if (has_value && bytes)
		json_bytes("value", bytes, len);
	if (has_value)
		json_number("length", len);
	if (kreg_event_process(event).pid)
		json_number("process", kreg_event_process(event).pid);
	json_number("version", kreg_event_version(event));
}

static void say_owners(const struct kreg_event *event)
{
	if (kreg_event_former_owner(event).pid)
		json_number("from", kreg_event_former_owner(event).pid);
	if (kreg_event_kind(event) == KREG_EVENT_OWNER && kreg_event_process(event).pid)
		json_number("owner", kreg_event_process(event).pid);
}

static void say_transfer(const struct kreg_event *event)
{
	const void *data;
	size_t len;

	data = kreg_event_data(event, &len);
	if (len)
		json_bytes("data", data, len);
	say_owners(event);
	json_number("id", kreg_event_table(event));
}

static void say_rest(const struct kreg_event *event)
{
	switch (kreg_event_kind(event)) {
	case KREG_EVENT_CREATE:
	case KREG_EVENT_UPDATE:
	case KREG_EVENT_USER:
		say_object(event, true);
		break;
	case KREG_EVENT_DELETE:
	case KREG_EVENT_EXIT:
	case KREG_EVENT_EXPIRED:
		say_object(event, false);
		break;
	case KREG_EVENT_OWNER:
		say_owners(event);
		break;
	case KREG_EVENT_TRANSFER:
		say_transfer(event);
		break;
	case KREG_EVENT_OVERFLOW:
		json_number("last", kreg_event_last_lost(event));
		json_number("lost", kreg_event_last_lost(event) - kreg_event_seq(event) + 1);
		break;
	}
}

void watch_json(const char *table, const struct kreg_event *event)
{
	json_begin(stdout);
	json_number("time_ms", event_time_ms(event));
	json_text("event", watch_kind_name(kreg_event_kind(event)));
	json_text("table", table);
	if (kreg_event_cause(event) && cause_name(kreg_event_cause(event)))
		json_text("cause", cause_name(kreg_event_cause(event)));
	say_status(event);
	say_rest(event);
	json_number("seq", kreg_event_seq(event));
	json_number("monotonic_ns", kreg_event_time_ns(event));
	json_end();
}

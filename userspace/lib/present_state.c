/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All objects of a table, as it was at one moment: of those where a key may have several, when a
 * subscription begins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define FIRST_ROOM	4096

/* Events one behind the other, each of as many bytes as its size says. */
struct table_state {
	char *events;
	size_t len;
	size_t room;
	size_t at;		/* of the one that is told next */
};

size_t kreg_state_bytes(const struct kreg_object *object)
{
	size_t key_len, value_len;

	kreg_object_key(object, &key_len);
	kreg_object_value(object, &value_len);
	return key_len + value_len;
}

void kreg_state_describe(struct kreg_event *event, const struct kreg_object *object)
{
	const void *key, *value;
	size_t key_len, value_len;

	key = kreg_object_key(object, &key_len);
	value = kreg_object_value(object, &value_len);
	event->key_len = key_len;
	event->value_len = value_len;
	event->version = kreg_object_version(object);
	event->process = kreg_object_process(object);
	memcpy(event + 1, key, key_len);
	memcpy((char *)(event + 1) + key_len, value, value_len);
}

static int more_room(struct table_state *s, size_t size)
{
	size_t room = s->room ? s->room : FIRST_ROOM;
	char *more;

	while (room - s->len < size)
		room *= 2;
	if (room == s->room)
		return 0;
	more = realloc(s->events, room);
	if (!more)
		return -ENOMEM;
	s->events = more;
	s->room = room;
	return 0;
}

static int add_object(struct table_state *s, const struct kreg_object *object)
{
	size_t size = (sizeof(struct kreg_event) + kreg_state_bytes(object) + 7) & ~(size_t)7;
	struct kreg_event *event;

	if (more_room(s, size))
		return -ENOMEM;
	event = memset(s->events + s->len, 0, size);
	kreg_state_describe(event, object);
	event->size = size;
	s->len += size;
	return 0;
}

static int read_pin(struct kreg_table *table, const struct kreg_pin *pin, struct table_state *s)
{
	const struct kreg_scan_options options = {
		.size = sizeof(options),
		.flags = KREG_SCAN_PROCESSES,
		.pin = pin,
	};
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(table, &options, &scan);

	if (ret)
		return ret;
	while ((ret = kreg_scan_next(scan, &object)) == 1) {
		ret = add_object(s, object);
		if (ret)
			break;
	}
	kreg_scan_close(scan);
	return ret;
}

int kreg_state_get(struct kreg_table *table, struct table_state **state, uint64_t *version)
{
	struct table_state *s = calloc(1, sizeof(*s));
	struct kreg_pin *pin;
	int ret = s ? kreg_pin_set(table, 0, &pin) : -ENOMEM;

	if (!ret) {
		*version = kreg_pin_version(pin);
		ret = read_pin(table, pin, s);
		kreg_pin_end(pin);
	}
	if (ret)
		kreg_state_free(s);
	else
		*state = s;
	return ret;
}

const struct kreg_event *kreg_state_next(const struct table_state *s)
{
	return s->at < s->len ? (const void *)(s->events + s->at) : NULL;
}

void kreg_state_pass(struct table_state *s)
{
	s->at += kreg_state_next(s)->size;
}

void kreg_state_free(struct table_state *s)
{
	if (!s)
		return;
	free(s->events);
	free(s);
}

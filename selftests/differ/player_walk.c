// SPDX-License-Identifier: GPL-2.0
/* Walks over keys and objects, and pins. */
#include "differ/player.h"

static void say_key(struct play *play, int ret, const unsigned char *key, size_t len, int any)
{
	if (ret == -ENODATA) {
		say(any ? "-" : "end");
	} else if (ret) {
		say_done(ret);
	} else if (in_order(play->table)) {
		say_bytes(stdout, key, len);
		putchar('\n');
	} else {
		say(any ? "-" : "some");
	}
}

static void op_first(struct play *play)
{
	unsigned char key[KREG_MAX_KEY];
	size_t len = 0;
	int ret = kreg_first(play->table, key, sizeof(key), &len);

	say_key(play, ret, key, len, 0);
}

static void op_last(struct play *play)
{
	unsigned char key[KREG_MAX_KEY];
	size_t len = 0;
	int ret = kreg_last(play->table, key, sizeof(key), &len);

	say_key(play, ret, key, len, 0);
}

/* What comes beside a key is said only where there is an order. */
static void step(struct play *play, __typeof__(kreg_next) *beside)
{
	struct bytes from = word_bytes(play->arg[0]);
	unsigned char key[KREG_MAX_KEY];
	size_t len = 0;
	int ret = beside(play->table, from.data, from.len, key, sizeof(key), &len);

	say_key(play, ret, key, len, !in_order(play->table));
}

static void op_next(struct play *play)
{
	step(play, kreg_next);
}

static void op_prev(struct play *play)
{
	step(play, kreg_prev);
}

/* What is done at a key: each, or only the first. */
static int walk_step(struct play *play, const unsigned char *key, size_t len, int first)
{
	const char *action = play->arg[0];
	struct bytes other, value;

	if (!action)
		return 0;
	if (!strcmp(action, "self"))
		return kreg_del(play->table, key, len);
	if (!first)
		return 0;
	other = word_bytes(play->arg[1]);
	if (!strcmp(action, "del"))
		return kreg_del(play->table, other.data, other.len);
	value = word_bytes(play->arg[2]);
	return kreg_put(play->table, other.data, other.len, value.data, value.len);
}

/* Where there is no order, it is open whether this key is met. */
static int is_open(struct play *play, const unsigned char *key, size_t len)
{
	struct bytes other;

	if (in_order(play->table) || !play->arg[0] || !play->arg[1])
		return 0;
	other = word_bytes(play->arg[1]);
	return other.len == len && !memcmp(other.data, key, len);
}

/* walk TABLE [self | del KEY | put KEY VALUE] */
static void op_walk(struct play *play)
{
	unsigned char key[KREG_MAX_KEY];
	size_t len;
	int ret = kreg_first(play->table, key, sizeof(key), &len), first = 1;

	while (!ret) {
		ret = walk_step(play, key, len, first);
		if (ret < 0) {
			list_say(play, 0, ret);
			return;
		}
		first = 0;
		if (!is_open(play, key, len))
			say_bytes(list_item(play), key, len);
		ret = kreg_next(play->table, key, len, key, sizeof(key), &len);
	}
	list_say(play, in_order(play->table), ret == -ENODATA ? 0 : ret);
}

static void say_scan(struct play *play, struct kreg_table *table, struct kreg_scan_options *options)
{
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(table, options, &scan);

	if (ret) {
		say_done(ret);
		return;
	}
	while ((ret = kreg_scan_next(scan, &object)) > 0)
		list_object(play, object);
	list_say(play, in_order(table), ret);
	kreg_scan_close(scan);
}

static void op_tab2list(struct play *play)
{
	say_scan(play, play->table, NULL);
}

/* Each object that a scan meets is removed. */
static void op_drain(struct play *play)
{
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(play->table, NULL, &scan);

	if (ret) {
		say_done(ret);
		return;
	}
	while ((ret = kreg_scan_next(scan, &object)) > 0) {
		ret = kreg_del_object(play->table, object);
		if (ret < 0)
			break;
		/* One that is not there any more is not met. */
		if (ret)
			list_object(play, object);
	}
	list_say(play, in_order(play->table), ret);
	kreg_scan_close(scan);
}

static int end_pin(struct play *play, unsigned int i)
{
	int there = !!play->pin[i];

	kreg_pin_end(play->pin[i]);
	kreg_table_close(play->pinned[i]);
	play->pin[i] = NULL;
	play->pinned[i] = NULL;
	return there;
}

static void op_pin(struct play *play)
{
	unsigned int i = strtoul(play->arg[0] + 1, NULL, 10) % PINS;
	struct kreg_table *table;
	struct kreg_pin *pin;
	int ret;

	ret = kreg_table_by_id(play->client, kreg_table_id(play->table), &table);
	if (!ret) {
		ret = kreg_pin_set(table, 0, &pin);
		if (ret)
			kreg_table_close(table);
	}
	if (!ret) {
		end_pin(play, i);
		play->pin[i] = pin;
		play->pinned[i] = table;
	}
	say_done(ret);
}

static void op_pinned(struct play *play)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	unsigned int i = strtoul(play->arg[0] + 1, NULL, 10) % PINS;

	if (!play->pin[i]) {
		say("error unset");
		return;
	}
	options.pin = play->pin[i];
	say_scan(play, play->pinned[i], &options);
}

static void op_unpin(struct play *play)
{
	say(end_pin(play, strtoul(play->arg[0] + 1, NULL, 10) % PINS) ? "true" : "false");
}

const struct op walk_ops[] = {
	{ "first", op_first, 0, 1 },
	{ "last", op_last, 0, 1 },
	{ "next", op_next, 1, 1 },
	{ "prev", op_prev, 1, 1 },
	{ "walk", op_walk, 0, 1 },
	{ "tab2list", op_tab2list, 0, 1 },
	{ "drain", op_drain, 0, 1 },
	{ "pin", op_pin, 1, 1 },
	{ "pinned", op_pinned, 1, 0 },
	{ "unpin", op_unpin, 1, 0 },
	{ NULL, NULL, 0, 0 }
};

// SPDX-License-Identifier: GPL-2.0
/* What words of a line mean, and what is said of it. */
#include <errno.h>

#include "differ/player.h"

/* Of one line; the longest value that may be there, more than once, has room. */
#define ROOM	(8U << 20)

static struct bytes hex_bytes(const char *hex, unsigned char *to)
{
	struct bytes bytes = { to, strlen(hex) / 2 };
	unsigned int byte;
	size_t i;

	for (i = 0; i < bytes.len && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		to[i] = byte;
	return bytes;
}

struct bytes word_bytes(const char *word)
{
	static unsigned char arena[ROOM];
	static size_t used;
	struct bytes bytes = { NULL, 0 };
	int64_t number;

	/* Never more than half of it is in use. */
	if (used > ROOM / 2)
		used = 0;
	if (word[0] == 'i') {
		number = strtoll(word + 1, NULL, 10);
		bytes.data = memcpy(arena + used, &number, sizeof(number));
		bytes.len = sizeof(number);
	} else if (word[0] == 'z') {
		bytes.len = strtoul(word + 1, NULL, 10);
		if (bytes.len > ROOM / 2)
			bytes.len = ROOM / 2;
		bytes.data = memset(arena + used, 'z', bytes.len);
	} else {
		bytes = hex_bytes(word + 1, arena + used);
	}
	used += bytes.len;
	return bytes;
}

unsigned int word_slot(const char *word)
{
	return strtoul(word + 1, NULL, 10) % SLOTS;
}

unsigned int word_actor(const char *word)
{
	return word ? strtoul(word + 1, NULL, 10) % ACTORS : 0;
}

void say(const char *text)
{
	puts(text);
}

void say_number(int64_t number)
{
	printf("%lld\n", (long long)number);
}

void say_bytes(FILE *to, const void *data, size_t len)
{
	const unsigned char *byte = data;

	if (len > 64) {
		fprintf(to, "z%zu", len);
		return;
	}
	fputc('x', to);
	while (len--)
		fprintf(to, "%02x", *byte++);
}

void say_done(int ret)
{
	if (ret < 0)
		printf("error %s\n", kreg_error_name(ret));
	else
		say("true");
}

FILE *list_item(struct play *play)
{
	if (!play->list)
		play->list = open_memstream(&play->text, &play->text_len);
	else
		fputc(' ', play->list);
	if (!play->list)
		abort();
	return play->list;
}

void list_say(struct play *play, int ordered, int ret)
{
	if (play->list)
		fclose(play->list);
	if (ret < 0)
		say_done(ret);
	else
		printf(ordered ? "[%s]\n" : "{%s}\n", play->list ? play->text : "");
	if (play->list)
		free(play->text);
	play->list = NULL;
}

void list_object(struct play *play, const struct kreg_object *object)
{
	FILE *list = list_item(play);
	const void *data;
	size_t len;

	data = kreg_object_key(object, &len);
	say_bytes(list, data, len);
	fputc('=', list);
	data = kreg_object_value(object, &len);
	say_bytes(list, data, len);
}

int in_order(const struct kreg_table *table)
{
	return kreg_table_type(table) == KREG_TYPE_ORDERED_SET;
}

int has_one_of_a_key(const struct kreg_table *table)
{
	return kreg_table_type(table) == KREG_TYPE_SET || in_order(table);
}

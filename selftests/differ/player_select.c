// SPDX-License-Identifier: GPL-2.0
/* What is chosen by a range and a filter. */
#include "differ/player.h"

struct chosen {
	struct kreg_scan_options options;
	struct kreg_filter *filter;
};

static void say_string(FILE *text, const char *word)
{
	struct bytes bytes = word_bytes(word);
	size_t i;

	fputc('"', text);
	for (i = 0; i < bytes.len; i++)
		fprintf(text, "\\x%02x", bytes.data[i]);
	fputc('"', text);
}

/* The text of a question, "veq:x61" for example. */
static void question(FILE *text, const char *word)
{
	const char *operand = strchr(word, ':');

	if (!operand++)
		return;
	if (!strncmp(word, "vlen", 4)) {
		fprintf(text, "len < %s", operand);
	} else if (!strncmp(word, "klen", 4)) {
		fprintf(text, "key.len < %s", operand);
	} else {
		fputs(!strncmp(word, "veq", 3) ? "value == " :
		      !strncmp(word, "vne", 3) ? "value != " :
		      !strncmp(word, "keq", 3) ? "key == " :
		      !strncmp(word, "kne", 3) ? "key != " :
		      /* A counter is no string, whatever it begins with. */
		      !strncmp(word, "vpre", 4) ? "len < 8 && prefix " : "key.prefix ", text);
		say_string(text, operand);
	}
}

/* The text of a filter, which is said with its operators in front. Return: what is behind it. */
static char **filter_text(FILE *text, char **word)
{
	if (!*word)
		return word;
	fputc('(', text);
	if (!strcmp(*word, "and") || !strcmp(*word, "or")) {
		const char *operator = **word == 'a' ? " && " : " || ";

		word = filter_text(text, word + 1);
		fputs(operator, text);
		word = filter_text(text, word);
	} else if (!strcmp(*word, "not")) {
		fputc('!', text);
		word = filter_text(text, word + 1);
	} else {
		question(text, *word++);
	}
	fputc(')', text);
	return word;
}

static int compile(char **word, struct kreg_filter **filter)
{
	char *text;
	size_t len;
	FILE *file = open_memstream(&text, &len);
	int ret;

	if (!file)
		abort();
	filter_text(file, word);
	fclose(file);
	ret = kreg_filter_compile(text, filter, NULL);
	free(text);
	return ret;
}

/* A word of a range. Return: whether it is one. */
static int range_word(struct kreg_scan_options *options, const char *word)
{
	static const struct { const char *name; int high; unsigned int range; } all[] = {
		{ "lo:", 0, 0 }, { "lox:", 0, KREG_RANGE_LOW_OPEN },
		{ "hi:", 1, 0 }, { "hix:", 1, KREG_RANGE_HIGH_OPEN },
		{ "pre:", 0, KREG_RANGE_PREFIX }, { "key:", 0, KREG_RANGE_EXACT },
	};
	struct bytes key;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (strncmp(word, all[i].name, strlen(all[i].name)))
			continue;
		key = word_bytes(word + strlen(all[i].name));
		*(all[i].high ? &options->high : &options->low) = key.data;
		*(all[i].high ? &options->high_len : &options->low_len) = key.len;
		options->range |= all[i].range;
		return 1;
	}
	return 0;
}

static int choose(char **word, struct chosen *chosen)
{
	int ret = 0;

	chosen->options = (struct kreg_scan_options)KREG_SCAN_OPTIONS_INIT;
	chosen->filter = NULL;
	if (*word && !strcmp(*word, "rev")) {
		chosen->options.flags = KREG_SCAN_REVERSE;
		word++;
	}
	while (*word && range_word(&chosen->options, *word))
		word++;
	if (*word)
		ret = compile(word, &chosen->filter);
	chosen->options.filter = chosen->filter;
	return ret;
}

/* select TABLE [rev] [RANGE...] [FILTER] */
static void op_select(struct play *play)
{
	const struct kreg_object *object;
	struct kreg_scan *scan = NULL;
	struct chosen chosen;
	int ret = choose(play->arg, &chosen);

	if (!ret)
		ret = kreg_scan_open(play->table, &chosen.options, &scan);
	while (!ret && (ret = kreg_scan_next(scan, &object)) > 0) {
		list_object(play, object);
		ret = 0;
	}
	list_say(play, in_order(play->table), ret);
	kreg_scan_close(scan);
	kreg_filter_free(chosen.filter);
}

static struct chunk *chunk_of(struct play *play)
{
	return &play->chunk[strtoul(play->arg[0] + 1, NULL, 10) % CHUNKS];
}

static void end_chunk(struct chunk *c)
{
	kreg_table_close(c->table);
	c->table = NULL;
}

static void go_on_after(struct chunk *c, const struct kreg_object *object)
{
	const void *key = kreg_object_key(object, &c->key_len);

	memcpy(c->key, key, c->key_len);
	c->version = kreg_object_version(object);
	c->number = kreg_object_number(object);
}

/* A scan of its own, which knows of those before what the chunk remembers. */
static int open_rest(struct kreg_table *table, const struct chunk *c, struct kreg_scan **scan)
{
	struct chosen chosen;
	int ret = choose(c->spec, &chosen);

	chosen.options.batch = c->limit;
	chosen.options.after = c->key_len ? c->key : NULL;
	chosen.options.after_len = c->key_len;
	chosen.options.after_version = c->version;
	chosen.options.after_number = c->number;
	if (!ret)
		ret = kreg_scan_open(table, &chosen.options, scan);
	kreg_filter_free(chosen.filter);
	return ret;
}

/* Return: how many objects were found, fewer than the limit at the end; or an error. */
static int take_chunk(struct play *play, struct kreg_table *table, struct chunk *c)
{
	const struct kreg_object *object;
	struct kreg_scan *scan = NULL;
	unsigned int n = 0;
	int ret = open_rest(table, c, &scan);

	for (; !ret && n < c->limit; n++) {
		ret = kreg_scan_next(scan, &object);
		if (ret <= 0)
			break;
		ret = 0;
		list_object(play, object);
		go_on_after(c, object);
	}
	kreg_scan_close(scan);
	return ret ? ret : (int)n;
}

/* chunk TABLE CHUNK LIMIT [rev] [RANGE...] [FILTER] */
static void op_chunk(struct play *play)
{
	struct chunk *old = chunk_of(play), c = { .spec = play->arg + 2 };
	int ordered = in_order(play->table), ret;

	c.limit = strtoul(play->arg[1], NULL, 10);
	/* Where there is no order, all of them, and nothing goes on. */
	do {
		ret = take_chunk(play, play->table, &c);
	} while (!ordered && ret == (int)c.limit);
	list_say(play, ordered, ret);
	if (ret < 0 || !ordered)
		return;
	end_chunk(old);
	if (ret == (int)c.limit &&
	    !kreg_table_by_id(play->client, kreg_table_id(play->table), &c.table))
		*old = c;
}

/* more CHUNK */
static void op_more(struct play *play)
{
	struct chunk *c = chunk_of(play);
	int ret;

	if (!c->table) {
		say("error unset");
		return;
	}
	ret = take_chunk(play, c->table, c);
	list_say(play, 1, ret);
	if (ret >= 0 && ret < (int)c->limit)
		end_chunk(c);
}

static void say_count(int ret, uint64_t count, struct chosen *chosen)
{
	if (ret)
		say_done(ret);
	else
		say_number(count);
	kreg_filter_free(chosen->filter);
}

/* How many match, or were deleted. */
static void count_chosen(struct play *play, __typeof__(kreg_delete_matching) *count_all)
{
	struct chosen chosen;
	uint64_t count = 0;
	int ret = choose(play->arg, &chosen);

	ret = ret ? ret : count_all(play->table, &chosen.options, &count);
	say_count(ret, count, &chosen);
}

static void op_select_count(struct play *play)
{
	count_chosen(play, kreg_scan_count);
}

static void op_select_delete(struct play *play)
{
	count_chosen(play, kreg_delete_matching);
}

/* select_replace TABLE VALUE [RANGE...] [FILTER] */
static void op_select_replace(struct play *play)
{
	struct bytes value = word_bytes(play->arg[0]);
	struct kreg_field field;
	struct chosen chosen;
	uint64_t count = 0;
	int ret = choose(play->arg + 1, &chosen);

	kreg_field_copy(&field, KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE, 0, value.data, value.len);
	ret = ret ? ret : kreg_edit_matching(play->table, &chosen.options, &field, 1, &count);
	say_count(ret, count, &chosen);
}

const struct op select_ops[] = {
	{ "select", op_select, 0, 1 },
	{ "chunk", op_chunk, 2, 1 },
	{ "more", op_more, 1, 0 },
	{ "select_count", op_select_count, 0, 1 },
	{ "select_delete", op_select_delete, 0, 1 },
	{ "select_replace", op_select_replace, 1, 1 },
	{ NULL, NULL, 0, 0 }
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* The writes of kreg batch: words of the command line, or lines of a file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "load.h"

/* Of a write, behind its name: the table, the key, and what is to be done with it. */
#define MOST_WORDS	4

static const struct {
	const char *name;
	unsigned int words;
	const char *needs;
} kinds[] = {
	[WRITE_PUT] = { "put", 3, "a table, a key and a value" },
	[WRITE_NEW] = { "new", 3, "a table, a key and a value" },
	[WRITE_SWAP] = { "swap", 4, "a table, a key, the value so far and the new one" },
	[WRITE_INCR] = { "incr", 3, "a table, a key and a number" },
	[WRITE_DEL] = { "del", 2, "a table and a key" },
};

#define KINDS	"put, new, swap, incr and del"

const char *write_name(enum write_what what)
{
	return kinds[what].name;
}

/* The kind that has this name; -1: none. */
static int find_kind(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, name, len))
			return i;
	return -1;
}

/* Takes @name. The table's place in @w, or -1: there are too many. */
static int find_target(struct writes *w, char *name)
{
	unsigned int i;

	for (i = 0; i < w->target_count; i++) {
		if (strcmp(w->targets[i].name, name))
			continue;
		free(name);
		return i;
	}
	if (i == KREG_MAX_GROUP) {
		free(name);
		return -1;
	}
	w->targets[w->target_count++] = (struct target){ .name = name };
	return i;
}

static void free_words(struct bytes *words)
{
	unsigned int i;

	for (i = 0; i < MOST_WORDS; i++)
		bytes_free(&words[i]);
}

static const char *check_write(const struct writes *w, const struct bytes *words)
{
	if (!words[0].len || strlen(words[0].data) != words[0].len)
		return "that is no name of a table";
	if (!words[1].len)
		return "the key is empty";
	if (w->count == KREG_MAX_BATCH_OPS)
		return "there are more than 4096 writes";
	if (w->bytes > KREG_MAX_BATCH_BYTES)
		return "keys and values have more than 4 MiB together";
	return NULL;
}

/* What is never in hexadecimal digits: the name of the table, and a number. */
static bool is_plain(enum write_what what, unsigned int word)
{
	return !word || (what == WRITE_INCR && word == 2);
}

/* Takes @words, which are as many as those of @what. */
static void fill_write(struct write *w, enum write_what what, struct bytes *words)
{
	w->what = what;
	w->key = words[1];
	w->old = what == WRITE_SWAP ? words[2] : (struct bytes){ 0 };
	w->value = words[what == WRITE_SWAP ? 3 : 2];
}

/* Takes @words, of which those that are plain end with a NUL byte. NULL, or what is wrong. */
static const char *add_write(struct writes *w, enum write_what what, struct bytes *words)
{
	struct write *list = realloc(w->list, (w->count + 1) * sizeof(*list));
	const char *fault;
	int64_t by = 0;
	int target;

	if (list)
		w->list = list;
	w->bytes += words[1].len + words[2].len + words[3].len;
	fault = list ? check_write(w, words) : "no memory";
	if (!fault && what == WRITE_INCR && parse_signed(words[2].data, &by))
		fault = "that is no number of 64 bits";
	if (!fault) {
		target = find_target(w, words[0].data);
		words[0].data = NULL;
		if (target < 0)
			fault = "there are more than 8 tables";
	}
	if (fault) {
		free_words(words);
		return fault;
	}
	list[w->count] = (struct write){ .target = target, .by = by };
	fill_write(&list[w->count++], what, words);
	return NULL;
}

/* A word as it is, with a NUL byte behind it. */
static struct bytes plain_word(const char *text)
{
	bool keep = hex;
	struct bytes b;

	hex = false;
	b = bytes_arg(text);
	hex = keep;
	return b;
}

void writes_parse(struct writes *w, char **words)
{
	while (*words) {
		struct bytes b[MOST_WORDS] = { { 0 } };
		int kind = find_kind(*words, strlen(*words));
		const char *fault;
		unsigned int i;

		if (kind < 0)
			usage("'%s' is no write; these are " KINDS, *words);
		words++;
		for (i = 0; i < kinds[kind].words; i++, words++) {
			if (!*words)
				usage("'%s' needs %s", kinds[kind].name, kinds[kind].needs);
			b[i] = is_plain(kind, i) ? plain_word(*words) : bytes_arg(*words);
		}
		fault = add_write(w, kind, b);
		if (fault)
			usage("%s", fault);
	}
}

/* The text of a word, up to a tabulator or the end, and go behind it: NULL is no more. */
static size_t next_word(const char **at, const char *end)
{
	const char *tab = memchr(*at, '\t', end - *at);
	size_t len = (tab ? tab : end) - *at;

	*at = tab ? tab + 1 : NULL;
	return len;
}

/* With a NUL byte behind it. */
static const char *read_word(const char *text, size_t len, bool plain, struct bytes *word)
{
	bool keep = hex;
	const char *fault;

	word->data = malloc(len + 1);
	if (!word->data)
		return "no memory";
	hex = keep && !plain;
	fault = line_part(text, len, word);
	hex = keep;
	word->data[word->len] = '\0';
	return fault;
}

static const char *read_words(enum write_what what, const char *at, const char *end,
			      struct bytes *words)
{
	const char *fault = NULL, *text;
	unsigned int i;
	size_t len;

	for (i = 0; !fault && i < kinds[what].words; i++) {
		if (!at)
			return "there are words missing";
		text = at;
		len = next_word(&at, end);
		fault = read_word(text, len, is_plain(what, i), &words[i]);
	}
	return fault || !at ? fault : "there are too many words";
}

static const char *read_write(struct writes *w, const struct reader *r)
{
	const char *at = r->text, *end = r->text + r->len, *fault;
	struct bytes words[MOST_WORDS] = { { 0 } };
	int kind = find_kind(r->text, next_word(&at, end));

	if (kind < 0)
		return "the first word is none of " KINDS;
	fault = read_words(kind, at, end, words);
	if (!fault)
		return add_write(w, kind, words);
	free_words(words);
	return fault;
}

int writes_read(struct writes *w, const char *path)
{
	const char *fault = NULL;
	struct reader r;
	int ret = reader_open(&r, path);

	if (ret)
		return ret;
	while (!fault && (ret = reader_next(&r)) > 0)
		fault = read_write(w, &r);
	if (!fault && ret)
		fault = reader_fault(ret);
	if (fault)
		ret = fail_text(EXIT_ERROR, "line %" PRIu64 ": %s; nothing is changed", r.number,
				fault);
	reader_close(&r);
	return ret;
}

void writes_free(struct writes *w)
{
	unsigned int i;

	for (i = 0; i < w->count; i++) {
		bytes_free(&w->list[i].key);
		bytes_free(&w->list[i].value);
		bytes_free(&w->list[i].old);
	}
	for (i = 0; i < w->target_count; i++)
		free(w->targets[i].name);
	free(w->list);
}

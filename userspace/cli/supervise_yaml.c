/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of kreg supervise: YAML, read by libcyaml into structs. libyaml is asked before, for
 * the lines of syntax errors, and since libcyaml takes an empty file, and the first of several
 * documents, for a good one.
 */
#ifdef KREG_HAVE_CYAML

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "supervise.h"

#define OPTIONAL	(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define WORD(key, type, member, list)							\
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, type, member, list,	\
			 sizeof(list) / sizeof((list)[0]))

static const cyaml_strval_t strategies[] = {
	{ "one_for_one", KREG_ONE_FOR_ONE }, { "one_for_all", KREG_ONE_FOR_ALL },
	{ "rest_for_one", KREG_REST_FOR_ONE },
};

static const cyaml_strval_t restarts[] = {
	{ "permanent", KREG_PERMANENT }, { "transient", KREG_TRANSIENT },
	{ "temporary", KREG_TEMPORARY },
};

static const cyaml_strval_t readies[] = { { "exec", 0 }, { "notify", 1 } };

static const cyaml_strval_t kinds[] = {
	{ "set", 1 + KREG_TYPE_SET }, { "ordered_set", 1 + KREG_TYPE_ORDERED_SET },
	{ "bag", 1 + KREG_TYPE_BAG }, { "duplicate_bag", 1 + KREG_TYPE_DUPLICATE_BAG },
};

static const cyaml_strval_t accesses[] = {
	{ "private", 1 + KREG_ACCESS_PRIVATE }, { "protected", 1 + KREG_ACCESS_PROTECTED },
	{ "public", 1 + KREG_ACCESS_PUBLIC }, { "registry", 1 + KREG_ACCESS_REGISTRY },
};

static const cyaml_strval_t orphans[] = {
	{ "destroy", 1 + KREG_ORPHAN_DESTROY }, { "park", 1 + KREG_ORPHAN_PARK },
	{ "park-on-crash", 1 + KREG_ORPHAN_PARK_ON_CRASH },
};

static const cyaml_schema_value_t string = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 4096)
};

static const cyaml_schema_field_t table_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file_table, name, 1,
			       KREG_MAX_NAME),
	WORD("kind", struct file_table, kind, kinds),
	WORD("access", struct file_table, access, accesses),
	CYAML_FIELD_STRING_PTR("mode", OPTIONAL, struct file_table, mode, 1, 16),
	WORD("orphan", struct file_table, orphan, orphans),
	CYAML_FIELD_STRING_PTR("keep", OPTIONAL, struct file_table, keep, 1, 32),
	CYAML_FIELD_STRING_PTR("limit", OPTIONAL, struct file_table, limit, 1, 32),
	CYAML_FIELD_BOOL("claimable", CYAML_FLAG_OPTIONAL, struct file_table, claimable),
	CYAML_FIELD_STRING_PTR("writer", OPTIONAL, struct file_table, writer, 1, 64),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t child_fields[] = {
	CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_POINTER, struct file_child, id, 1, 64),
	CYAML_FIELD_SEQUENCE("command", CYAML_FLAG_POINTER, struct file_child, command, &string,
			     1, 1024),
	CYAML_FIELD_SEQUENCE("tables", OPTIONAL, struct file_child, tables, &string, 0, 64),
	WORD("restart", struct file_child, restart, restarts),
	WORD("ready", struct file_child, ready, readies),
	CYAML_FIELD_BOOL("template", CYAML_FLAG_OPTIONAL, struct file_child, template),
	CYAML_FIELD_STRING_PTR("start", OPTIONAL, struct file_child, start, 1, 32),
	CYAML_FIELD_STRING_PTR("stop", OPTIONAL, struct file_child, stop, 1, 16),
	CYAML_FIELD_STRING_PTR("patience", OPTIONAL, struct file_child, patience, 1, 32),
	CYAML_FIELD_SEQUENCE("env", OPTIONAL, struct file_child, env, &string, 0, 1024),
	CYAML_FIELD_STRING_PTR("user", OPTIONAL, struct file_child, user, 1, 256),
	CYAML_FIELD_STRING_PTR("group", OPTIONAL, struct file_child, group, 1, 256),
	CYAML_FIELD_STRING_PTR("directory", OPTIONAL, struct file_child, directory, 1, 4096),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t table_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_table, table_fields)
};

static const cyaml_schema_value_t child_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_child, child_fields)
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file, name, 1, 32),
	WORD("strategy", struct file, strategy, strategies),
	CYAML_FIELD_STRING_PTR("max_restarts", OPTIONAL, struct file, max_restarts, 1, 16),
	CYAML_FIELD_STRING_PTR("max_seconds", OPTIONAL, struct file, max_seconds, 1, 32),
	CYAML_FIELD_SEQUENCE("tables", OPTIONAL, struct file, tables, &table_schema, 0, 1024),
	CYAML_FIELD_SEQUENCE("children", CYAML_FLAG_POINTER, struct file, children, &child_schema,
			     1, 65536),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)
};

/* What libcyaml says in several lines. */
struct said {
	char text[512];
	size_t len;
};

static void listen_to(cyaml_log_t level, void *ctx, const char *format, va_list ap)
{
	struct said *said = ctx;
	int n;

	if (level < CYAML_LOG_ERROR || said->len >= sizeof(said->text) - 1)
		return;
	n = vsnprintf(said->text + said->len, sizeof(said->text) - said->len, format, ap);
	said->len = n < 0 ? said->len : said->len + n;
}

static cyaml_config_t config_for(struct said *said)
{
	cyaml_config_t config = {
		.log_fn = listen_to,
		.log_ctx = said,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};

	return config;
}

/* Walk over what a file holds. @fn returns whether to go on. */
typedef bool (*event_fn)(const yaml_event_t *event, void *arg);

/* Of bytes that are no characters libyaml tells only where they are. */
static unsigned int problem_line(const yaml_parser_t *parser, const struct bytes *text)
{
	unsigned int line = 1;
	size_t i;

	if (parser->error != YAML_READER_ERROR)
		return parser->problem_mark.line + 1;
	for (i = 0; i < parser->problem_offset && i < text->len; i++)
		line += text->data[i] == '\n';
	return line;
}

/* NULL, or what is wrong, and in which line. */
static const char *walk(const struct bytes *text, event_fn fn, void *arg, unsigned int *line)
{
	const char *problem = NULL;
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true;

	if (!yaml_parser_initialize(&parser))
		return "no memory";
	yaml_parser_set_input_string(&parser, (const unsigned char *)text->data, text->len);
	while (more && !problem) {
		if (!yaml_parser_parse(&parser, &event)) {
			problem = parser.problem ? parser.problem : "this is no YAML";
			*line = problem_line(&parser, text);
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT && fn(&event, arg);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return problem;
}

struct documents {
	unsigned int count, line;
	unsigned int nul_line;		/* of a word with a NUL byte in it */
};

static bool count_documents(const yaml_event_t *event, void *arg)
{
	struct documents *d = arg;

	if (event->type == YAML_DOCUMENT_START_EVENT) {
		d->count++;
		d->line = event->start_mark.line + 1;
	}
	if (event->type == YAML_SCALAR_EVENT &&
	    strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
		d->nul_line = event->start_mark.line + 1;
	return d->count < 2 && !d->nul_line;
}

int file_check(const char *path, const struct bytes *text)
{
	struct documents d = { 0, 0, 0 };
	unsigned int line = 0;
	const char *problem = walk(text, count_documents, &d, &line);

	if (problem)
		return bad_file(path, line, "%s", problem);
	if (!d.count)
		return bad_file(path, 1, "the file is empty");
	if (d.nul_line)
		return bad_file(path, d.nul_line, "a NUL byte is in this word");
	if (d.count > 1)
		return bad_file(path, d.line, "a second document begins");
	return 0;
}

struct search {
	const char *key, *value;	/* @value NULL: any */
	unsigned int nth;		/* how many are passed over */
	bool at_value;
	unsigned int line, key_line;
};

static bool look_for(const yaml_event_t *event, void *arg)
{
	struct search *s = arg;
	const char *text;
	bool found;

	if (event->type != YAML_SCALAR_EVENT) {
		s->at_value = false;
		return true;
	}
	text = (const char *)event->data.scalar.value;
	found = s->value ? s->at_value && !strcmp(text, s->value) : !strcmp(text, s->key);
	if (!s->value || !s->at_value)
		s->key_line = event->start_mark.line + 1;
	s->at_value = !strcmp(text, s->key);
	if (!found || s->nth--)
		return true;
	s->line = s->key_line;
	return false;
}

unsigned int file_line(const struct bytes *text, const char *key, const char *value,
		       unsigned int nth)
{
	struct search s = { .key = key, .value = value, .nth = nth };
	unsigned int line;

	walk(text, look_for, &s, &line);
	return s.line;
}

static bool is_first_node(const yaml_event_t *event, void *arg)
{
	unsigned int *line = arg;

	if (event->type == YAML_STREAM_START_EVENT || event->type == YAML_DOCUMENT_START_EVENT)
		return true;
	*line = event->start_mark.line + 1;
	return false;
}

/* Where the document begins. */
static unsigned int first_line(const struct bytes *text)
{
	unsigned int line = 1, none;

	walk(text, is_first_node, &line, &none);
	return line;
}

/* "Load: X\nLoad: Backtrace:\n  in mapping field 'f' (line: 5, column: 14)\n..." */
static int say_wrong(const char *path, const struct bytes *text, struct said *said,
		     const char *error)
{
	char *what = said->text, *where, *key, *end;
	const char *told;
	unsigned int line = 0;

	where = strstr(what, "Backtrace:\n  in ");
	if (where)
		where += strlen("Backtrace:\n  ");
	key = where ? strstr(where, "(line: ") : NULL;
	if (key) {
		line = strtoul(key + strlen("(line: "), NULL, 10);
		*(key > where ? key - 1 : key) = '\0';
	}
	what += strncmp(what, "Load: ", 6) ? 0 : 6;
	end = strchr(what, '\n');
	if (end)
		*end = '\0';
	/* Of a key that it does not know, it tells the line before. */
	key = strstr(what, "Unexpected key: ");
	if (key)
		line = file_line(text, key + strlen("Unexpected key: "), NULL, 0) ?: line;
	/* Of some mistakes it says only where they are. */
	told = *what && strcmp(what, "Backtrace:") ? what : error;
	if (!line)
		line = first_line(text);
	if (!where)
		return bad_file(path, line, "%s", told);
	return bad_file(path, line, "%s, %s", told, where);
}

int file_read(const char *path, const struct bytes *text, struct file **file)
{
	struct said said = { .len = 0 };
	cyaml_config_t config = config_for(&said);
	cyaml_err_t err;

	*file = NULL;
	err = cyaml_load_data((const uint8_t *)text->data, text->len, &config, &file_schema,
			      (cyaml_data_t **)file, NULL);
	if (err != CYAML_OK)
		return say_wrong(path, text, &said, cyaml_strerror(err));
	return *file ? 0 : bad_file(path, 1, "the file is empty");
}

void file_free(struct file *file)
{
	struct said said = { .len = 0 };
	cyaml_config_t config = config_for(&said);

	cyaml_free(&config, &file_schema, file, 0);
}

#endif /* KREG_HAVE_CYAML */

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg get, kreg take, kreg count: look at objects. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	COMMON_LONG_OPTIONS
};

static const struct option get_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "offset", required_argument, NULL, 's' },
	{ "length", required_argument, NULL, 'l' },
	COMMON_LONG_OPTIONS
};

struct found {
	const struct bytes *key;
	struct bytes value;
	bool part;			/* of the value, which has @whole bytes */
	uint64_t offset;
	uint64_t length;
	size_t whole;
	uint64_t version;		/* or 0 */
	uint64_t expires_ns;		/* or 0 */
	const char *path;		/* where it goes; NULL: standard output */
	int code;			/* exit code of that */
};

/* On a terminal escaped and as a line; into files and pipes the bytes alone. */
static int show(const struct found *f, FILE *out)
{
	if (json) {
		json_begin(out);
		json_bytes("key", f->key->data, f->key->len);
		json_bytes("value", f->value.data, f->value.len);
		if (f->part)
			json_number("length", f->whole);
		if (f->version)
			json_number("version", f->version);
		if (f->expires_ns)
			json_number("expires_ms", ms_until(f->expires_ns));
		json_end();
	} else if (hex || isatty(fileno(out))) {
		bytes_print(f->value.data, f->value.len, out);
		putc('\n', out);
	} else {
		bytes_write(f->value.data, f->value.len, out);
	}
	return finish_output();
}

static int hand_out(const struct found *f)
{
	return f->path ? output_file(f->path, &f->value) : show(f, stdout);
}

/* Its length is asked for first; that may be another by then, and what comes is as of then. */
static int get_part(struct kreg_table *table, struct found *f)
{
	const struct bytes *key = f->key;
	size_t len;
	int ret;

	ret = kreg_get_range(table, key->data, key->len, f->offset, NULL, 0, &len, &f->whole);
	if (ret)
		return fail(ret);
	len = f->whole - f->offset;
	if (len > f->length)
		len = f->length;
	f->value.data = malloc(len + 1);
	if (!f->value.data)
		return fail_text(EXIT_ERROR, "no memory");
	ret = kreg_get_range(table, key->data, key->len, f->offset, f->value.data, len,
			     &f->value.len, &f->whole);
	return ret ? fail(ret) : hand_out(f);
}

/* Each on a line, since there may be several. */
static void print_object(const struct kreg_object *object, bool escaped, FILE *out)
{
	size_t key_len, len;
	const void *key = kreg_object_key(object, &key_len);
	const void *value = kreg_object_value(object, &len);

	if (json) {
		json_begin(out);
		json_bytes("key", key, key_len);
		json_bytes("value", value, len);
		json_number("version", kreg_object_version(object));
		json_number("number", kreg_object_number(object));
		json_end();
		return;
	}
	if (escaped)
		bytes_print(value, len, out);
	else
		bytes_write(value, len, out);
	putc('\n', out);
}

static int get_all(struct kreg_table *table, struct found *f)
{
	bool escaped = hex || (!f->path && isatty(STDOUT_FILENO));
	const struct kreg_object *object;
	struct kreg_objects *objects;
	FILE *out;
	int ret;

	ret = kreg_get_all(table, f->key->data, f->key->len, &objects);
	if (ret)
		return fail(ret);
	out = open_memstream(&f->value.data, &f->value.len);
	while (out && (object = kreg_objects_next(objects)))
		print_object(object, escaped, out);
	kreg_objects_free(objects);
	if (!out || fclose(out))
		return fail_text(EXIT_ERROR, "no memory");
	if (f->path)
		return output_file(f->path, &f->value);
	bytes_write(f->value.data, f->value.len, stdout);
	return finish_output();
}

static bool has_several(const struct kreg_table *table)
{
	return kreg_table_type(table) == KREG_TYPE_BAG ||
	       kreg_table_type(table) == KREG_TYPE_DUPLICATE_BAG;
}

static int get_value(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct found *f = arg;
	struct kreg_object *object;
	int ret;

	f->key = key;
	if (f->part)
		return get_part(table, f);
	if (has_several(table))
		return get_all(table, f);
	ret = kreg_get_object(table, f->key->data, f->key->len, &object);
	if (ret)
		return fail(ret);
	f->version = kreg_object_version(object);
	/* One that expires meanwhile is told as it was. */
	if (json)
		kreg_expires(table, key->data, key->len, &f->expires_ns);
	f->value.data = (char *)kreg_object_value(object, &f->value.len);
	ret = hand_out(f);
	f->value.data = NULL;
	kreg_object_free(object);
	return ret;
}

/*
 * It is on loan until the value is written, so it is not lost if that cannot be done, or if this
 * process is killed meanwhile. What is bound to a process, or expires, is not to be had on loan.
 */
static int take_out(struct kreg_table *table, void *arg)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	struct found *f = arg;
	void *value;
	int ret;

	ret = kreg_lease(table, f->key->data, f->key->len, 0, &value, &f->value.len, &loan);
	if (ret == -EOPNOTSUPP && !has_several(table))
		ret = kreg_take_alloc(table, f->key->data, f->key->len, &value, &f->value.len);
	if (ret)
		return ret;
	f->value.data = value;
	f->code = hand_out(f);
	if (!loan.version)
		return 0;
	if (f->code)
		return kreg_lease_return(table, f->key->data, f->key->len, &loan);
	return kreg_lease_done(table, f->key->data, f->key->len, &loan);
}

static int take_value(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct found *f = arg;
	int ret;

	f->key = key;
	/* The end of a pipe that nobody reads is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	ret = as_owner(table, take_out, f);
	return ret ? fail(ret) : f->code;
}

static int get_run(int argc, char **argv)
{
	struct found f = { .length = UINT64_MAX };
	int c, ret;

	while ((c = next_option(argc, argv, "o:", get_options)) != -1) {
		if (c == 'o') {
			f.path = optarg;
			continue;
		}
		f.part = true;
		if (parse_number(optarg, UINT32_MAX, c == 's' ? &f.offset : &f.length))
			usage("'%s' is no number of bytes", optarg);
	}
	ret = with_key(argc, argv, get_value, &f);
	bytes_free(&f.value);
	return ret;
}

static int take_run(int argc, char **argv)
{
	struct found f = { 0 };
	int c, ret;

	while ((c = next_option(argc, argv, "o:", options)) != -1)
		f.path = optarg;
	ret = with_key(argc, argv, take_value, &f);
	bytes_free(&f.value);
	return ret;
}

const struct command cmd_get = {
	.name = "get",
	.args = "[-o FILE] [--offset N] [--length N] NAME KEY",
	.summary = "print the value of a key",
	.help = "Print a value: to a terminal escaped and on a line, else byte by byte. With\n"
		"--json also its version, or the length of the whole value. In a bag, each of the\n"
		"values on a line, in the order in which they came.\n\n"
		"      --offset N     from the byte N on; the first is 0\n"
		"      --length N     at most so many bytes\n"
		"  -o, --output FILE  write it to FILE, which is replaced as a whole, or stays as\n"
		"                     it was if there is an error",
	.run = get_run,
};

const struct command cmd_take = {
	.name = "take",
	.args = "[-o FILE] NAME KEY",
	.summary = "print a value and remove the object",
	.help = "As 'kreg get', and remove the object when it is written: of several takers\n"
		"exactly one gets it. Until then it is on loan to this command, so if it cannot\n"
		"be written, or the command is killed, the object is there again.\n\n"
		"  -o, --output FILE  write it to FILE",
	.run = take_run,
};

static const struct option count_options[] = {
	COMMON_LONG_OPTIONS
};

static int count_run(int argc, char **argv)
{
	struct kreg_table *table;
	uint64_t n;
	int ret;

	while (next_option(argc, argv, "", count_options) != -1)
		;
	need_args(argc, 1, 1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = kreg_count(table, &n);
	if (ret) {
		ret = fail(ret);
	} else if (json) {
		json_begin(stdout);
		json_number("objects", n);
		json_end();
	} else {
		printf("%" PRIu64 "\n", n);
	}
	close_table(table);
	return ret ? ret : finish_output();
}

const struct command cmd_count = {
	.name = "count",
	.args = "NAME",
	.summary = "print the number of objects",
	.help = "Print the number of objects.",
	.run = count_run,
};

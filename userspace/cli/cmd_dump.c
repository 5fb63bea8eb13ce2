/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg dump: a table as a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

/* Without a short form. */
enum { INFO = 256 };

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "compress", no_argument, NULL, 'c' },
	{ "info", required_argument, NULL, INFO },
	COMMON_LONG_OPTIONS
};

struct wish {
	const char *path;		/* NULL: standard output */
	const char *info;		/* only tell what this file has */
	bool compress;
	int fd;
	off_t from;			/* where in the file it begins; -1: nothing can be undone */
	struct kreg_dump_info done;
};

/* What a signal that ends the command has to remove. */
static struct output output;

static void leave(int sig)
{
	if (output.temp)
		unlink(output.temp);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Half a file is of no use to anybody. */
static void remove_at_signals(void)
{
	struct sigaction action = { .sa_handler = leave };
	int sig;

	ending_signals(&action.sa_mask);
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&action.sa_mask, sig) == 1)
			sigaction(sig, &action, NULL);
}

static void show_time(const struct kreg_dump_info *i, char *buf, size_t room)
{
	time_t seconds = i->time_ns / 1000000000;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(buf, room, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, room, "%" PRIu64 " ns after 1970 began", i->time_ns);
}

static void print_json(const struct kreg_dump_info *i)
{
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", i->mode);
	json_begin(stdout);
	json_text("name", i->name);
	json_number("format", i->format);
	json_bool("compressed", i->flags & KREG_DUMP_COMPRESS);
	json_text("type", text_type(i->type));
	json_text("access", text_access(i->access));
	json_text("mode", mode);
	json_text("orphan", text_orphan(i->orphan));
	json_number("orphan_ms", i->orphan_ms);
	json_bool("claimable", i->flags & KREG_DUMP_CLAIMABLE);
	json_bool("shared", i->flags & KREG_DUMP_SHARED);
	json_bool("sealed", i->flags & KREG_DUMP_SEALED);
	show_json_schema(i->schema, i->schema_version);
	json_number("objects", i->objects);
	json_number("bytes", i->bytes);
	json_number("file_bytes", i->file_bytes);
	json_number("version", i->version);
	json_number("time_ns", i->time_ns);
	json_end();
}

static void print_info(const struct kreg_dump_info *i)
{
	char text[64];

	printf("table     ");
	hex = false;
	bytes_print(i->name, strlen(i->name), stdout);
	printf("\ntype      %s\n", text_type(i->type));
	printf("access    %s, mode %04o%s%s\n", text_access(i->access), i->mode,
	       i->flags & KREG_DUMP_CLAIMABLE ? ", claimable" : "",
	       i->flags & KREG_DUMP_SHARED ? ", shared" : "");
	if (i->flags & KREG_DUMP_SEALED)
		printf("sealed    what is in it stays as it is\n");
	printf("orphan    %s\n", text_orphan(i->orphan));
	if (i->schema)
		printf("schema    %#" PRIx64 ", version %u\n", i->schema, i->schema_version);
	text_bytes(i->bytes, text, sizeof(text));
	printf("objects   %" PRIu64 ", %s\n", i->objects, text);
	text_bytes(i->file_bytes, text, sizeof(text));
	printf("dump      format %u, %s%s\n", i->format, text,
	       i->flags & KREG_DUMP_COMPRESS ? ", compressed" : "");
	if (!i->time_ns)
		return;
	show_time(i, text, sizeof(text));
	printf("written   %s\n", text);
}

static int show_info(const char *path)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int fd = STDIN_FILENO, ret;

	if (strcmp(path, "-"))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	else if (isatty(fd))
		usage("a dump is not typed: give a file, or redirect it");
	if (fd < 0)
		return fail_text(EXIT_ERROR, "%s: %s", path, strerror(errno));
	ret = kreg_dump_info(fd, &info);
	if (ret)
		return fail(ret);
	if (json)
		print_json(&info);
	else
		print_info(&info);
	return finish_output();
}

/* What a file has behind that place is not of this command, and must not go with what it wrote. */
static off_t find_begin(int fd)
{
	off_t at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
	struct stat st;

	if (at < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > at)
		return -1;
	return at;
}

/* Whether nothing is there of a dump that has failed. */
static bool undo_dump(const struct wish *w)
{
	if (!w->done.file_bytes)
		return true;
	return w->from >= 0 && lseek(w->fd, w->from, SEEK_SET) >= 0 && !ftruncate(w->fd, w->from);
}

/*
 * May be called twice, since who may not read a table may own it perhaps. That may turn out in the
 * middle of a dump: others have changed the access rule. An exit code: there is no second try.
 */
static int dump(struct kreg_table *table, void *arg)
{
	struct kreg_dump_options o = KREG_DUMP_OPTIONS_INIT;
	struct wish *w = arg;
	int ret;

	o.flags = w->compress ? KREG_DUMP_COMPRESS : 0;
	o.progress = progress;
	ret = kreg_dump(table, w->fd, &o, &w->done);
	progress_end();
	return ret && !undo_dump(w) ? fail(ret) : ret;
}

static int dump_table(struct kreg_table *table, struct wish *w)
{
	int ret = 0;

	w->fd = STDOUT_FILENO;
	if (w->path) {
		remove_at_signals();
		ret = output_open(&output, w->path);
		w->fd = output.fd;
	}
	if (ret)
		return ret;
	if (isatty(w->fd))
		ret = fail_text(EXIT_USAGE,
				"a dump is not for a terminal: give -o FILE, or redirect it");
	if (!ret) {
		w->from = find_begin(w->fd);
		ret = as_owner(table, dump, w);
		ret = ret < 0 ? fail(ret) : ret;
	}
	if (!w->path)
		return ret;
	if (!ret)
		return output_close(&output);
	output_drop(&output);
	return ret;
}

static int report(const struct wish *w)
{
	char text[32];

	if (json) {
		print_json(&w->done);
		return finish_output();
	}
	if (w->path) {
		text_bytes(w->done.file_bytes, text, sizeof(text));
		note("%" PRIu64 " objects in %s, %s", w->done.objects, w->path, text);
	}
	return EXIT_OK;
}

static void parse(int argc, char **argv, struct wish *w)
{
	int c;

	while ((c = next_option(argc, argv, "o:c", options)) != -1) {
		if (c == 'o')
			w->path = optarg;
		if (c == 'c')
			w->compress = true;
		if (c == INFO)
			w->info = optarg;
	}
	if (w->info && (w->path || w->compress))
		usage("--info only reads, and goes with no other option");
	if (!w->info && json && !w->path)
		usage("--json needs -o FILE: the dump itself goes to standard output");
	need_args(argc, w->info ? 0 : 1, w->info ? 0 : 1);
}

static int run(int argc, char **argv)
{
	struct wish w = { .done = KREG_DUMP_INFO_INIT };
	struct kreg_table *table;
	int ret;

	parse(argc, argv, &w);
	if (w.info)
		return show_info(w.info);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = dump_table(table, &w);
	close_table(table);
	return ret ? ret : report(&w);
}

const struct command cmd_dump = {
	.name = "dump",
	.args = "[-c] [-o FILE] NAME, or --info FILE",
	.summary = "write a table into a file",
	.help = "Write a table as it is at one moment to standard output, or into a file, while\n"
		"others go on writing to it: its name, type, access, mode, orphan rule and\n"
		"schema, and all objects that are neither bound to a process nor on loan. 'kreg\n"
		"restore' makes a table of it.\n\n"
		"  -o, --output FILE  write it to FILE, which is replaced as a whole, or stays as\n"
		"                     it was if there is an error\n"
		"  -c, --compress     by zstd\n"
		"      --info FILE    verify a dump, and tell what it has; - is standard input",
	.run = run,
};

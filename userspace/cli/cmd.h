/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subcommands of kreg share. */
#ifndef KREG_CLI_CMD_H
#define KREG_CLI_CMD_H

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <kreg.h>

/* Exit codes; kreg(1) lists them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_MISSING = 3,	/* table, key or process */
	EXIT_EXISTS = 4,
	EXIT_DENIED = 5,
	EXIT_BUSY = 6,		/* the table belongs to another process; time-out */
	EXIT_NO_DEVICE = 7,
	EXIT_GAVE_UP = 8,	/* of a supervisor: too many deaths */
	EXIT_NOT_STARTED = 9,	/* likewise: a child could not be started */
	EXIT_DIED_TOO_OFTEN = 125,	/* hold: the command died too often */
	EXIT_CANNOT_RUN = 126,	/* of a command that was to be run */
	EXIT_NO_COMMAND = 127,
};

struct command {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_new, cmd_rm, cmd_rename, cmd_ls, cmd_info, cmd_put, cmd_get,
	cmd_del, cmd_take, cmd_scan, cmd_count, cmd_give, cmd_claim, cmd_hold, cmd_watch,
	cmd_monitor, cmd_status, cmd_register, cmd_unregister, cmd_whereis, cmd_keys, cmd_publish,
	cmd_role, cmd_call, cmd_cast, cmd_wait, cmd_lock, cmd_lease, cmd_supervise, cmd_super,
	cmd_first, cmd_last, cmd_next, cmd_prev, cmd_incr, cmd_patch,
	cmd_dump, cmd_restore, cmd_load, cmd_batch, cmd_queue, cmd_set;

/* args.c: the command that runs, and options that all have. */
extern const struct command *command;
extern bool json;
extern bool hex;

#define COMMON_LONG_OPTIONS				\
	{ "json", no_argument, NULL, 'j' },		\
	{ "hex", no_argument, NULL, 'x' },		\
	{ "help", no_argument, NULL, 'h' },		\
	{ NULL, 0, NULL, 0 }

/* The next option that is the command's own; -1 at the end. Exits on a bad one. */
int next_option(int argc, char **argv, const char *shorts, const struct option *longs);
/* Exits unless so many arguments are left; @max < 0: any number. */
void need_args(int argc, int min, int max);
/* An argument that is the id of a table; exits if it is none. */
uint64_t id_arg(const char *text);
void print_help(const struct command *cmd, FILE *out);

/* Say what is wrong with the command line and exit. */
void usage(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/*
 * signals.c: was a signal ignored when the command was started, as by nohup(1), or by a shell
 * for what is in the background? While it is blocked it arrives all the same.
 */
bool signal_ignored(int sig);
/* SIGINT, SIGTERM and SIGHUP, but for what is ignored. */
void ending_signals(sigset_t *set);
/* The kernel ends process 1 of a pid namespace by no signal that has no handler. */
void end_as_init(void);

/* What is in a table, as its programs say. */
struct schema {
	uint64_t id;			/* 0: none */
	unsigned int version;
};

/* parse.c: 0, or -EINVAL. */
int parse_number(const char *text, uint64_t max, uint64_t *number);
int parse_signed(const char *text, int64_t *number);
int parse_mode(const char *text, unsigned int *mode);
int parse_time_ms(const char *text, uint64_t *ms);
int parse_access(const char *text, unsigned int *access);
int parse_orphan(const char *text, unsigned int *orphan);
int parse_type(const char *text, unsigned int *type);
int parse_schema(const char *text, struct schema *schema);
int parse_format(const char *text, bool *is_json);
int parse_limit(char *text, uint64_t *deaths, uint64_t *ms);	/* as in "3/60s" */
int parse_hex(const char *text, unsigned char *bytes, size_t room, size_t *len);

/* bytes.c: keys and values, from the command line, files and to the screen. */
struct bytes {
	char *data;
	size_t len;
};

struct bytes bytes_arg(const char *arg);		/* hex with --hex */
int bytes_read(const char *path, struct bytes *bytes);	/* "-": standard input */
int bytes_value(const char *path, struct bytes *bytes);	/* the same; says what is wrong */
void bytes_free(struct bytes *bytes);
bool bytes_utf8(const void *data, size_t len);
void bytes_print(const void *data, size_t len, FILE *out);	/* escaped, or hex */
int bytes_write(const void *data, size_t len, FILE *out);	/* as they are */

/* where.c: which objects are meant, as the command line says; NULL: all. */
struct where {
	const char *filter;
	const char *low;
	const char *high;
	unsigned int range;
};

/* Options without a short form. */
enum { WHERE_FROM = 256, WHERE_ABOVE, WHERE_TO, WHERE_BELOW, OWN_OPTIONS };

#define WHERE_LONG_OPTIONS				\
	{ "where", required_argument, NULL, 'w' },	\
	{ "prefix", required_argument, NULL, 'p' },	\
	{ "from", required_argument, NULL, WHERE_FROM },	\
	{ "above", required_argument, NULL, WHERE_ABOVE },	\
	{ "to", required_argument, NULL, WHERE_TO },	\
	{ "below", required_argument, NULL, WHERE_BELOW }

/* The lines about them of a help. */
#define WHERE_HELP							\
	"  -w, --where TEXT    those that match, such as 'u32@8 > 100':\n"	\
	"                      kreg-filter(7)\n"				\
	"  -p, --prefix KEY    those with a key that begins so\n"		\
	"      --from KEY      those with this key or one that comes after it\n" \
	"      --above KEY     the same without the key itself\n"		\
	"      --to KEY        those with this key or one that comes before it\n" \
	"      --below KEY     the same without the key itself"

/* Whether @option is one of these, and has been noted. */
bool where_option(struct where *w, int option);
bool where_given(const struct where *w);

/* The same for the library. */
struct chosen {
	struct kreg_scan_options options;
	struct kreg_filter *filter;
	struct bytes low;
	struct bytes high;
};

/* Exits if something is wrong with the words, having shown where. */
void where_choose(const struct where *w, struct chosen *c);
void where_free(struct chosen *c);

/* Remove them, or edit @field of them; tell how many, and return the exit code. */
int change_where(const char *name, const struct where *where, const struct kreg_field *field);

/* output.c: replace a file as a whole; the exit code, having said what is wrong. */
int output_file(const char *path, const struct bytes *bytes);

/* Likewise in parts: write to @fd, then close or drop it. */
struct output {
	const char *path;
	int fd;
	char *temp;		/* path of the file that is to take the place of @target, */
	char *target;		/* or NULL: it is no file that could be replaced */
};

int output_open(struct output *o, const char *path);
int output_close(struct output *o);
void output_drop(struct output *o);	/* the file stays as it was */

/* json.c: one object a line. */
void json_begin(FILE *out);
void json_number(const char *name, uint64_t value);
void json_signed(const char *name, int64_t value);
void json_bool(const char *name, bool value);
void json_text(const char *name, const char *text);
void json_bytes(const char *name, const void *data, size_t len);
void json_null(const char *name);
void json_end(void);

/* text.c: values as text for people. */
const char *text_access(enum kreg_access access);
const char *text_orphan(enum kreg_orphan orphan);
const char *text_type(enum kreg_type type);
void text_proc(pid_t pid, char *buf, size_t room);
void text_comm(pid_t pid, char *buf, size_t room);
void text_bytes(uint64_t bytes, char *buf, size_t room);
void text_ms(uint64_t ms, char *buf, size_t room);
void text_end(int status, char *buf, size_t room);
void text_clock(uint64_t ms, char *buf, size_t room);	/* since 1970 */
uint64_t ms_until(uint64_t ns);			/* milliseconds, of CLOCK_MONOTONIC */
uint64_t ms_since(uint64_t ns);
uint64_t now_ms(void);					/* likewise */
uint64_t event_time_ms(const struct kreg_event *event);	/* when it was published */
void text_table(const struct kreg_stat *stat, char *buf, size_t room);
const char *text_user(uid_t uid, char *buf, size_t room);

/* progress.c: a line for who watches, to be ended before others. */
bool progress_due(void);	/* the first call is that of the begin */
void progress_show(uint64_t objects, uint64_t total, const char *done);	/* 0: total not known */
/* Both, for the library's functions. */
int progress(unsigned int stage, uint64_t objects, uint64_t total, void *arg);
void progress_end(void);
extern unsigned int progress_after_ms;	/* when the line begins */

/* fail.c: each returns the exit code. */
int exit_code_of(int err);
int fail(int err);			/* of the last call of the library that failed */
int fail_device(int err);		/* of kreg_client_open() */
int fail_text(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int finish_output(void);

/* open.c: what most commands begin with; 0 or the exit code, having said why. */
int open_client(struct kreg_client **client);
int open_table(const char *name, struct kreg_table **table);
void close_table(struct kreg_table *table);
/* What is left of the command line is a table and a key: do @act with them. The exit code. */
int with_key(int argc, char **argv, int (*act)(struct kreg_table *table, const struct bytes *key,
					       void *arg), void *arg);
/* Claim a parked table, if it would not be lost by this command's death; 0 or -errno. */
int own_parked(struct kreg_table *table, struct kreg_table **mine);
void park_again(struct kreg_table *mine);	/* what was claimed so, and close it */
/* The owner of the role with this name may write to the table; 0 or -errno. */
int set_writer(struct kreg_table *table, const char *role);
/* Do @act; if only the owner may and the table is parked, claim it for that time. */
int as_owner(struct kreg_table *table, int (*act)(struct kreg_table *table, void *arg),
	     void *arg);

/* cmd_claim.c: become a program that owns the table; returns the exit code if that fails. */
int become_owner(struct kreg_table *table, char **argv);

/* run.c: start programs, and end as they have ended. */
int run_exec(char **argv, const char *table);
int run_exit_code(int status);

/* show.c: a table in JSON. */
void show_json(const struct kreg_stat *stat);
void show_json_schema(uint64_t schema, unsigned int version);
uint64_t parked_ms_left(const struct kreg_stat *stat);

#endif /* KREG_CLI_CMD_H */

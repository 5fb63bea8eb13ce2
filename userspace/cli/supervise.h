/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kreg supervise share. */
#ifndef KREG_CLI_SUPERVISE_H
#define KREG_CLI_SUPERVISE_H

#include "cmd.h"

/* A table as the file has it; NULL: not given. */
struct file_table {
	char *name, *mode, *keep, *limit, *writer;
	int kind, access, orphan;	/* 0: not given, else enum + 1 */
	bool claimable;
};

/* A child as the file has it. */
struct file_child {
	char *id, *start, *stop, *patience, *user, *group, *directory;
	char **command, **tables, **env;
	unsigned int command_count, tables_count, env_count;
	int restart, ready;
	bool template;
};

struct file {
	char *name, *max_restarts, *max_seconds;
	int strategy;
	struct file_table *tables;
	struct file_child *children;
	unsigned int tables_count, children_count;
};

/* What it says, checked. */
struct plan_table {
	const char *name;
	struct kreg_open_options options;
	unsigned int deaths;		/* limit; 0: none */
	uint64_t deaths_ms;
};

struct plan {
	const char *name;
	enum kreg_strategy strategy;
	unsigned int max_restarts;
	uint64_t max_ms;
	struct plan_table *tables;
	size_t table_count;
	struct kreg_child *children;
	size_t child_count;
	struct kreg_child *templates;	/* of children on request */
	size_t template_count;
	struct file *file;		/* whose strings these are */
};

/* Where in the file something is wrong: it is said, and the exit code returned. */
int bad_file(const char *path, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* supervise_yaml.c: 0, or the exit code, having said what is wrong. */
int file_read(const char *path, const struct bytes *text, struct file **file);
void file_free(struct file *file);
/* Line of the nth @key with this value, or of the nth word @key if that is NULL; or 0. */
unsigned int file_line(const struct bytes *text, const char *key, const char *value,
		       unsigned int nth);
/* Syntax, and one document that is not empty. */
int file_check(const char *path, const struct bytes *text);

/* supervise_plan.c: read and check a file. */
int plan_read(const char *path, struct plan *plan);
void plan_free(struct plan *plan);

/* supervise_log.c */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_supervisor(const struct kreg_supervisor_log *log, void *arg);

/* supervise_tables.c: tables of the file that are not there are created. */
int tables_make(struct kreg_client *client, const struct plan *plan);

/* supervise_control.c: what kreg super asks for. */
struct control;
int control_open(struct kreg_client *client, struct kreg_supervisor *sup, const char *path,
		 struct plan *plan, struct control **control);
int control_fd(const struct control *control);	/* level-triggered */
/* One request after the other. False: somebody has called kreg_stop(), and there are no more. */
bool control_serve(struct control *control);
/* Read the file anew, and keep what has not changed; the exit code, having said what is wrong. */
int control_reload(struct control *control);
void control_close(struct control *control);

#endif /* KREG_CLI_SUPERVISE_H */

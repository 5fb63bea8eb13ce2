/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: errors in words. */
#ifndef KREG_ERROR_H
#define KREG_ERROR_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_error_name() - "EBUSY" for EBUSY
 * @err: an errno, positive or negative
 *
 * Return: a constant string; "E?" for numbers that kreg does not use.
 */
const char *kreg_error_name(int err);

/**
 * kreg_strerror() - what an errno means in kreg
 * @err: an errno, positive or negative
 *
 * Unlike strerror(3), which speaks of files. Prefer kreg_explain().
 *
 * Return: a constant string without a full stop.
 */
const char *kreg_strerror(int err);

/* What was tried, for kreg_explain(). */
enum kreg_attempt {
	KREG_TRY_OTHER = 0,
	KREG_TRY_DEVICE,	/* kreg_client_open() */
	KREG_TRY_OPEN,		/* kreg_table_open() without flags */
	KREG_TRY_CREATE,
	KREG_TRY_CLAIM,
	KREG_TRY_DESTROY,
	KREG_TRY_GIVE,
	KREG_TRY_HEIR,
	KREG_TRY_OPTION,
	KREG_TRY_READ,		/* objects of a table */
	KREG_TRY_WRITE,
	KREG_TRY_STAT,
	KREG_TRY_PROC,		/* kreg_process_find() */
	KREG_TRY_MESSAGE,
};

/**
 * struct kreg_context - what kreg_explain() needs to name things
 * @size: sizeof(struct kreg_context)
 * @attempt: what was tried
 * @client: to look up who owns the table; NULL: no look-ups
 * @table: the table, or NULL
 * @name: name of the table if there is no @table, or NULL
 * @pid: the process that was to receive, inherit or be found; 0: none
 */
struct kreg_context {
	size_t size;
	enum kreg_attempt attempt;
	struct kreg_client *client;
	const struct kreg_table *table;
	const char *name;
	pid_t pid;
};

/**
 * kreg_explain() - a sentence that names the thing and the way out
 * @err: an errno, positive or negative
 * @context: what was tried, or NULL
 * @buf: room for the sentence
 * @room: its size; a longer sentence is cut
 *
 * For example "table 'phones' belongs to process 4711 (server); wait for it or
 * ask it to give the table away". May look at the table once more to say who owns
 * it, so call it soon.
 *
 * Return: @buf.
 */
char *kreg_explain(int err, const struct kreg_context *context, char *buf, size_t room);

#ifdef __cplusplus
}
#endif

#endif /* KREG_ERROR_H */

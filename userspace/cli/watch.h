/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kreg watch share. */
#ifndef KREG_CLI_WATCH_H
#define KREG_CLI_WATCH_H

#include "cmd.h"

struct watched {
	const char *name;
	bool seen;		/* looked at before */
	bool exists;
	uint64_t id;
	bool parked;
	struct kreg_process owner;
	uint64_t transfers;
	int pidfd;		/* of the owner, or -1 */
};

struct watch {
	struct kreg_client *client;
	struct watched *tables;
	int count;
	uint64_t interval_ms;
	uint64_t lines_left;	/* to print until the command ends */
	uint64_t end_ns;	/* CLOCK_MONOTONIC; when the command ends; 0: never */
	uint64_t *gifts;	/* ids of tables that this command was given or inherited */
	size_t n_gifts;
};

/* watch_table.c: look at a table and tell what has changed; 0 or the exit code. */
int watch_look(struct watch *w, struct watched *t, bool died);

/* watch_say.c: one line, with the time. */
void watch_say(struct watch *w, const char *event, const struct watched *t,
	       const struct kreg_process *before);
void watch_say_event(struct watch *w, const struct kreg_event *event);

#endif /* KREG_CLI_WATCH_H */

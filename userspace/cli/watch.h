/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kreg watch share. */
#ifndef KREG_CLI_WATCH_H
#define KREG_CLI_WATCH_H

#include "cmd.h"

struct watched {
	struct watch *watch;
	const char *name;
	struct kreg_table *table;
	struct kreg_ref *ref;
};

struct watch {
	struct kreg_client *client;
	struct watched *tables;
	int count;
	int left;		/* tables that are not gone */
	unsigned int kinds;	/* that are told */
	bool present;		/* first what is there */
	bool accept;
	uint64_t lines_left;	/* to print until the command ends */
	uint64_t end_ns;	/* CLOCK_MONOTONIC; when the command ends; 0: never */
	uint64_t *gifts;	/* ids of tables that this command was given or inherited */
	size_t n_gifts;
};

/* watch_kinds.c: 0, or -EINVAL. */
int watch_parse_kinds(const char *list, unsigned int *kinds);
const char *watch_kind_name(unsigned int kind);

/* watch_say.c, watch_json.c: one line, with the time. */
void watch_say(struct watch *w, const char *table, const struct kreg_event *event);
void watch_json(const char *table, const struct kreg_event *event);

#endif /* KREG_CLI_WATCH_H */

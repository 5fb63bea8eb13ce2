/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in the table of a supervisor, for kreg super. */
#ifndef KREG_CLI_SUPER_H
#define KREG_CLI_SUPER_H

#include "cmd.h"

#define SUPER_TABLE	"supervisor."
#define SUPER_CONTROL	"control"

/* A child as the table says. */
struct super_child {
	char id[80];
	char want[16];		/* run, stop, ended */
	char phase[16];		/* of its process; "": it has none */
	char status[256];	/* what it has said of itself */
	uint64_t restarts;
	struct kreg_process process;	/* pid 0: it is dead */
};

/* Which children there are, in the order of their ids; to be freed. 0 or a negative errno. */
int super_read(struct kreg_table *table, struct super_child **children, size_t *count);
/* The table of a supervisor; 0 or the exit code, having said what is wrong. */
int super_open(const char *name, struct kreg_table **table);
/* Who supervises now; pid 0: nobody. */
struct kreg_process super_process(struct kreg_table *table);

/* super_tree.c */
int super_tree(void);

#endif /* KREG_CLI_SUPER_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* The writes of kreg batch. */
#ifndef KREG_CLI_BATCH_H
#define KREG_CLI_BATCH_H

#include "cmd.h"

enum write_what { WRITE_PUT, WRITE_NEW, WRITE_SWAP, WRITE_INCR, WRITE_DEL };

struct write {
	enum write_what what;
	unsigned int target;
	struct bytes key;
	struct bytes value;
	struct bytes old;		/* of WRITE_SWAP: what is there so far */
	int64_t by;			/* of WRITE_INCR */
	int index;			/* in the batch of its target */
};

/* A table that is written to. */
struct target {
	char *name;
	struct kreg_table *table;
	struct kreg_table *mine;	/* the same, if it was claimed */
	struct kreg_batch *batch;
};

struct writes {
	struct write *list;
	unsigned int count;
	size_t bytes;			/* of keys and values */
	struct target targets[KREG_MAX_GROUP];
	unsigned int target_count;
};

const char *write_name(enum write_what what);

/* From the words of the command line; exits if they make no sense. */
void writes_parse(struct writes *w, char **words);
/* From the lines of a file, "-": standard input. 0, or the exit code, having said why. */
int writes_read(struct writes *w, const char *path);
void writes_free(struct writes *w);

#endif /* KREG_CLI_BATCH_H */

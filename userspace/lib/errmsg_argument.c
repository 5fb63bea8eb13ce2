/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences about EINVAL, for errmsg.c: which of two arguments it was. */
#include "internal.h"

static const struct {
	enum attempt attempt;
	const char *empty;	/* the key or the name has no bytes */
	const char *given;	/* it has some; NULL: nothing else can be wrong */
	const char *unknown;	/* the call has not told; NULL: errmsg.c has more */
} sentences[] = {
	{ TRY_READ, "the key is empty", "the options contradict each other",
	  "the key is empty, or the options contradict each other" },
	{ TRY_WRITE, "the key is empty", "the options contradict each other",
	  "the key is empty, or the options contradict each other" },
	{ TRY_BATCH, "the key is empty",
	  "the batch mixes reads and writes; run it, and fill another", NULL },
	{ TRY_WAIT, "the key is empty", "a version goes with KREG_WATCH_CHANGED alone", NULL },
	{ TRY_LINE, "the key is empty", NULL, NULL },
	{ TRY_LEASE, "the key is empty", NULL, NULL },
	{ TRY_EDIT, "the key is empty",
	  "the flags of a field, or its members, do not go with its code or each other", NULL },
	{ TRY_WAIT_NAME, "the name is empty", "a name has no such condition", NULL },
	{ TRY_MONITOR, NULL, NULL, "the pid is 0" },
};

const char *kreg_argument_sentence(enum attempt attempt, bool told, bool given)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (sentences[i].attempt != attempt)
			continue;
		if (!told)
			return sentences[i].unknown;
		return given ? sentences[i].given : sentences[i].empty;
	}
	return NULL;
}

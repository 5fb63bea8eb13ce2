/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a long command is, on a line of its own, if a person watches. */
#include <inttypes.h>
#include <unistd.h>

#include "cmd.h"

#define EVERY_MS	100

/* What is done before that needs no line. */
unsigned int progress_after_ms = 500;

static bool shown;
static uint64_t next_ms;

bool progress_due(void)
{
	uint64_t now = now_ms();

	if (!next_ms)
		next_ms = now + progress_after_ms;
	if (json || !isatty(STDERR_FILENO) || now < next_ms)
		return false;
	next_ms = now + EVERY_MS;
	return true;
}

void progress_show(uint64_t objects, uint64_t total, const char *done)
{
	fprintf(stderr, "\rkreg %s: ", command->name);
	/* What others write meanwhile is not in the total. */
	if (total)
		fprintf(stderr, "%3d %%, ", objects < total ? (int)(100.0 * objects / total) : 100);
	fprintf(stderr, "%" PRIu64 " objects %s\033[K", objects, done);
	shown = true;
}

int progress(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	static const char *const doing[] = {
		[KREG_DUMP_WRITING] = "written",
		[KREG_DUMP_VERIFYING] = "verified",
		[KREG_DUMP_LOADING] = "loaded",
	};

	(void)arg;
	if (progress_due())
		progress_show(objects, total, doing[stage]);
	return 0;
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
	next_ms = 0;
}

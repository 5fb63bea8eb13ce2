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

int progress(unsigned int stage, uint64_t objects, uint64_t total, void *arg)
{
	static const char *const doing[] = {
		[KREG_DUMP_WRITING] = "written",
		[KREG_DUMP_VERIFYING] = "verified",
		[KREG_DUMP_LOADING] = "loaded",
	};
	uint64_t now = now_ms();
	int percent = 100;

	(void)arg;
	if (!next_ms)
		next_ms = now + progress_after_ms;
	if (json || !isatty(STDERR_FILENO) || now < next_ms)
		return 0;
	next_ms = now + EVERY_MS;
	/* What others write meanwhile is not in the total. */
	if (objects < total)
		percent = 100.0 * objects / total;
	fprintf(stderr, "\rkreg %s: %3d %%, %" PRIu64 " objects %s\033[K", command->name, percent,
		objects, doing[stage]);
	shown = true;
	return 0;
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
	next_ms = 0;
}

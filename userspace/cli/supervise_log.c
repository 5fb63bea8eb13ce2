/* SPDX-License-Identifier: GPL-2.0-only */
/* What kreg supervise says: a line for each thing that happens, on standard error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "supervise.h"

/* Whether the journal reads standard error, and takes a priority before the line. */
static bool journal_reads(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

void log_line(int level, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (journal_reads())
		fprintf(stderr, "<%d>", level);
	/* Ids in the text may hold control characters. */
	bytes_print(text, strlen(text), stderr);
	putc('\n', stderr);
}

static void log_dead(const struct kreg_supervisor_log *log)
{
	char how[64] = "nobody knows how";

	if (log->known)
		text_end(log->status, how, sizeof(how));
	log_line(LOG_NOTICE, "%s: dead (%s)", log->id, how);
}

void log_supervisor(const struct kreg_supervisor_log *log, void *arg)
{
	(void)arg;
	switch (log->what) {
	case KREG_CHILD_STARTS:
		log_line(LOG_INFO, "%s: starts as process %d", log->id, log->pid);
		break;
	case KREG_CHILD_READY:
		log_line(LOG_INFO, "%s: ready", log->id);
		break;
	case KREG_CHILD_FOUND:
		log_line(LOG_INFO, "%s: runs already as process %d", log->id, log->pid);
		break;
	case KREG_CHILD_STOPS:
		log_line(LOG_INFO, "%s: is asked to stop", log->id);
		break;
	case KREG_CHILD_KILLED:
		log_line(LOG_WARNING, "%s: is killed", log->id);
		break;
	case KREG_CHILD_DEAD:
		log_dead(log);
		break;
	case KREG_CHILD_RESTARTS:
		log_line(LOG_NOTICE, "%s: restart %u of %u", log->id, log->restarts,
			 log->max_restarts);
		break;
	case KREG_CHILD_FAILED:
	case KREG_SUPERVISOR_UNSAVED:
		log_line(LOG_ERR, "%s", log->text);
		break;
	case KREG_SUPERVISOR_GAVE_UP:
		if (log->text)
			log_line(LOG_ERR, "%s: gives up: %s", log->id, log->text);
		else
			log_line(LOG_ERR, "%s: gives up after more than %u deaths", log->id,
				 log->max_restarts);
		break;
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of the file of kreg supervise, under libFuzzer: whatever is in the file, either
 * it is what the reader has promised, or it is said what is wrong, and in which line.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervise.h"

bool hex;
static char said[2048];
static unsigned int times;

/* In place of what prints it. */
int fail_text(int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(said, sizeof(said), format, ap);
	va_end(ap);
	times++;
	return code;
}

void usage(const char *format, ...)
{
	(void)format;
	abort();
}

#define MUST(condition)								\
do {										\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: not so: %s; it has said: %s\n", __FILE__, __LINE__,	\
			#condition, said);					\
		abort();							\
	}									\
} while (0)

/* PATH:LINE: and a sentence. */
static void check_mistake(int ret, const char *path)
{
	char *end;

	MUST(ret == EXIT_USAGE);
	MUST(times == 1);
	MUST(!strncmp(said, path, strlen(path)));
	MUST(said[strlen(path)] == ':');
	MUST(strtoul(said + strlen(path) + 1, &end, 10) > 0);
	MUST(!strncmp(end, ": ", 2) && end[2]);
}

static void check_name(const char *name, size_t most)
{
	MUST(name && *name && strlen(name) <= most);
}

static void check_table(const struct plan_table *t)
{
	check_name(t->name, KREG_MAX_NAME);
	MUST(!(t->options.mode & ~0666));
	MUST(t->deaths <= KREG_MAX_DEATHS && !t->deaths == !t->deaths_ms);
}

static void check_child(const struct kreg_child *c)
{
	const char *const *table;

	check_name(c->id, 64);
	MUST(c->argv && c->argv[0] && c->argv[0][0]);
	MUST(c->restart <= KREG_TEMPORARY);
	MUST(c->stop_signal >= 0 && c->stop_signal <= SIGRTMAX);
	MUST(c->stop_ms >= KREG_AT_ONCE && c->start_ms >= KREG_FOR_EVER);
	MUST(!c->max_deaths == !c->deaths_ms && (c->tables || !c->max_deaths));
	for (table = c->tables; table && *table; table++)
		check_name(*table, KREG_MAX_NAME);
	for (table = c->writes; table && *table; table++)
		check_name(*table, KREG_MAX_NAME);
}

static void check_plan(const struct plan *plan)
{
	size_t i;

	MUST(!times);
	check_name(plan->name, 32);
	MUST(!strchr(plan->name, '/'));
	MUST(plan->strategy <= KREG_REST_FOR_ONE);
	MUST(plan->max_restarts <= KREG_MAX_RESTARTS);
	MUST(plan->child_count + plan->template_count > 0);
	for (i = 0; i < plan->table_count; i++)
		check_table(&plan->tables[i]);
	for (i = 0; i < plan->child_count; i++)
		check_child(&plan->children[i]);
	for (i = 0; i < plan->template_count; i++)
		check_child(&plan->templates[i]);
}

static int write_file(const uint8_t *data, size_t len, char *path, size_t room)
{
	int fd = memfd_create("supervise", MFD_CLOEXEC);

	if (fd < 0 || (len && write(fd, data, len) != (ssize_t)len))
		abort();
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct plan plan;
	char path[32];
	int fd = write_file(data, len, path, sizeof(path)), ret;

	times = 0;
	said[0] = '\0';
	ret = plan_read(path, &plan);
	if (ret)
		check_mistake(ret, path);
	else
		check_plan(&plan);
#ifdef PLANT_LEAK
	/* Is it seen that memory is lost? */
	if (ret)
		plan_free(&plan);
#elif defined(PLANT_OVERFLOW)
	/* And that somebody counts wrongly? */
	if (!ret)
		said[0] = plan.children[plan.child_count].id[0];
	plan_free(&plan);
#else
	plan_free(&plan);
#endif
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Values as text for people. */
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd.h"
#include "signal_name.h"

const char *text_access(enum kreg_access access)
{
	switch (access) {
	case KREG_ACCESS_PRIVATE:
		return "private";
	case KREG_ACCESS_PROTECTED:
		return "protected";
	case KREG_ACCESS_PUBLIC:
		return "public";
	case KREG_ACCESS_REGISTRY:
		return "registry";
	}
	return "?";
}

const char *text_orphan(enum kreg_orphan orphan)
{
	switch (orphan) {
	case KREG_ORPHAN_DESTROY:
		return "destroy";
	case KREG_ORPHAN_PARK:
		return "park";
	case KREG_ORPHAN_PARK_ON_CRASH:
		return "park on crash";
	}
	return "?";
}

const char *text_type(enum kreg_type type)
{
	switch (type) {
	case KREG_TYPE_SET:
		return "set";
	case KREG_TYPE_ORDERED_SET:
		return "ordered_set";
	case KREG_TYPE_BAG:
		return "bag";
	case KREG_TYPE_DUPLICATE_BAG:
		return "duplicate_bag";
	}
	return "?";
}

/* The name of a process's command; "" if the process is dead. */
void text_comm(pid_t pid, char *buf, size_t room)
{
	char path[32], comm[32] = "";
	FILE *f;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(f);
	snprintf(buf, room, "%s", comm);
}

void text_proc(pid_t pid, char *buf, size_t room)
{
	char comm[32];

	if (!pid) {
		snprintf(buf, room, "of another pid namespace");
		return;
	}
	text_comm(pid, comm, sizeof(comm));
	snprintf(buf, room, comm[0] ? "%d (%s)" : "%d", pid, comm);
}

void text_bytes(uint64_t bytes, char *buf, size_t room)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double n = bytes;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, room, "%" PRIu64 " B", bytes);
		return;
	}
	for (n /= 1024; n >= 1024 && i < 3; i++)
		n /= 1024;
	snprintf(buf, room, "%.1f %s", n, units[i]);
}

void text_ms(uint64_t ms, char *buf, size_t room)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" } };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (ms >= 2 * units[i].ms || (ms >= units[i].ms && ms % units[i].ms == 0)) {
			snprintf(buf, room, "%" PRIu64 " %s", ms / units[i].ms, units[i].unit);
			return;
		}
	}
	snprintf(buf, room, "%" PRIu64 " ms", ms);
}

/* How a process ended, from its wait status. */
void text_end(int status, char *buf, size_t room)
{
	const char *name;

	if (WIFSIGNALED(status)) {
		name = signal_name(WTERMSIG(status));
		if (name)
			snprintf(buf, room, "was killed by SIG%s%s", name,
				 WCOREDUMP(status) ? " (core dumped)" : "");
		else
			snprintf(buf, room, "was killed by signal %d", WTERMSIG(status));
	} else {
		snprintf(buf, room, "exited with %d", WEXITSTATUS(status));
	}
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

uint64_t event_time_ms(const struct kreg_event *event)
{
	uint64_t ago = (kreg_deadline(0) - kreg_event_time_ns(event)) / 1000000;

	return now_ms() - ago;
}

uint64_t ms_until(uint64_t ns)
{
	uint64_t now = kreg_deadline(0);

	return ns > now ? (ns - now) / 1000000 : 0;
}

uint64_t ms_since(uint64_t ns)
{
	uint64_t now = kreg_deadline(0);

	return ns < now ? (now - ns) / 1000000 : 0;
}

/* The time of the day. */
void text_clock(uint64_t ms, char *buf, size_t room)
{
	time_t seconds = ms / 1000;
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(buf, room, "%H:%M:%S", &tm);
	snprintf(buf + n, room - n, ".%03u", (unsigned int)(ms % 1000));
}

void text_table(const struct kreg_stat *stat, char *buf, size_t room)
{
	if (*kreg_stat_name(stat))
		snprintf(buf, room, "%s", kreg_stat_name(stat));
	else
		snprintf(buf, room, "#%" PRIu64, kreg_stat_id(stat));
}

const char *text_user(uid_t uid, char *buf, size_t room)
{
	struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(buf, room, "%s", pw->pw_name);
	else
		snprintf(buf, room, "%u", uid);
	return buf;
}

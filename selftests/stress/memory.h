/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Players with little memory: each life has a memory cgroup of its own. Some are
 * killed when it is full, others get ENOMEM.
 */
#ifndef KREG_STRESS_MEMORY_H
#define KREG_STRESS_MEMORY_H

#include "kit/oom.h"
#include "stress/world.h"

#define MEMORY_LIMIT	"1M"

static inline void group_path(char *path, size_t room, unsigned int number,
			      __u32 life, const char *file)
{
	snprintf(path, room, OOM_ROOT "kreg-stress-%u-%u%s", number, life,
		 file);
}

/* 0 if there are memory cgroups. */
static inline int have_groups(void)
{
	return test_write_file(OOM_ROOT "cgroup.subtree_control", "+memory");
}

static inline int make_group(unsigned int number, __u32 life)
{
	char path[128];

	group_path(path, sizeof(path), number, life, "");
	if (mkdir(path, 0755))
		return -errno;
	group_path(path, sizeof(path), number, life, "/memory.max");
	return test_write_file(path, MEMORY_LIMIT);
}

static inline int join_group(unsigned int number, __u32 life)
{
	char path[128];

	group_path(path, sizeof(path), number, life, "/cgroup.procs");
	return test_write_file(path, "0");
}

/* Returns whether the group's members were killed for its limit. */
static inline bool remove_group(unsigned int number, __u32 life)
{
	char path[128], text[512] = "", *at;
	int fd, len = 0;

	group_path(path, sizeof(path), number, life, "/memory.events");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, text, sizeof(text) - 1);
	close(fd);
	group_path(path, sizeof(path), number, life, "");
	if (!test_wait_for(!rmdir(path) || errno == ENOENT))
		complain("group %u.%u cannot be removed: %s", number, life,
			 strerror(errno));
	at = len > 0 ? strstr(text, "oom_kill ") : NULL;
	return at && atoi(at + strlen("oom_kill "));
}

/*
 * Join the group with all of one's own memory in place: what a full group then
 * refuses is asked for by the module.
 */
static inline int limit_memory(struct slot *slot, unsigned int number)
{
	char stack[64 << 10];

	explicit_bzero(stack, sizeof(stack));
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return -errno;
	if (slot->oom_exempt &&
	    test_write_file("/proc/self/oom_score_adj", "-1000"))
		return -EPERM;
	return join_group(number, slot->life);
}

#endif /* KREG_STRESS_MEMORY_H */

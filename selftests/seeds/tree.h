/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whole trees of processes: an example under kreg supervise, what its children have started
 * themselves, and what must be there of them.
 */
#ifndef KREG_SEEDS_TREE_H
#define KREG_SEEDS_TREE_H

#include <dirent.h>
#include <sys/syscall.h>

#include "seeds/exit_as.h"
#include "seeds/supervised.h"

#define TREE_PROCS	64

struct tree_proc {
	pid_t pid, parent;
	bool ours;
	char command[128];
};

/* All processes that the test has started, and those that these have, but for zombies. */
struct tree_procs {
	struct tree_proc all[TREE_PROCS];
	size_t count;
};

/* "" if there is none, as of one that is dead or a thread of the kernel. */
static inline void tree_command(pid_t pid, char *text, size_t room)
{
	char path[64];
	int len, i;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = test_read_file(path, text, room);
	for (i = 0; i < len - 1; i++)
		if (!text[i])
			text[i] = ' ';
}

static inline pid_t tree_parent(pid_t pid)
{
	char path[64], text[256], *end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	test_read_file(path, text, sizeof(text));
	end = strrchr(text, ')');
	if (!end || end[2] == 'Z' || end[2] == 'X' || sscanf(end + 4, "%d", &parent) != 1)
		return 0;
	return parent;
}

static inline struct tree_proc *tree_find(struct tree_procs *procs, pid_t pid)
{
	size_t i;

	for (i = 0; i < procs->count; i++)
		if (procs->all[i].pid == pid)
			return &procs->all[i];
	return NULL;
}

/* Those whose parent is ours are, too; the others are left out. */
static inline void tree_keep_ours(struct tree_procs *procs)
{
	struct tree_proc *p, *parent;
	size_t i, left = 0;
	bool more = true;

	while (more) {
		more = false;
		for (i = 0; i < procs->count; i++) {
			p = &procs->all[i];
			parent = tree_find(procs, p->parent);
			if (p->ours || !(p->parent == getpid() || (parent && parent->ours)))
				continue;
			p->ours = true;
			more = true;
		}
	}
	for (i = 0; i < procs->count; i++)
		if (procs->all[i].ours)
			procs->all[left++] = procs->all[i];
	procs->count = left;
}

static inline void tree_look(struct tree_procs *procs)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	struct tree_proc *p;

	procs->count = 0;
	while (dir && (entry = readdir(dir)) && procs->count < TREE_PROCS) {
		p = &procs->all[procs->count];
		*p = (struct tree_proc){ .pid = atoi(entry->d_name) };
		if (p->pid <= 0)
			continue;
		p->parent = tree_parent(p->pid);
		tree_command(p->pid, p->command, sizeof(p->command));
		procs->count += p->parent && *p->command;
	}
	if (dir)
		closedir(dir);
	tree_keep_ours(procs);
}

/* Return: the pid of the only one with this command; 0: there is none; -1: there are several. */
static inline pid_t tree_only(struct tree_procs *procs, const char *command)
{
	pid_t pid = 0;
	size_t i;

	for (i = 0; i < procs->count; i++)
		if (!strcmp(procs->all[i].command, command))
			pid = pid ? -1 : procs->all[i].pid;
	return pid;
}

static inline void tree_tell(struct tree_procs *procs)
{
	size_t i;

	for (i = 0; i < procs->count; i++)
		printf("# process %d of %d: %s\n", procs->all[i].pid, procs->all[i].parent,
		       procs->all[i].command);
}

/* What was killed may die only later, with a dump of its memory. */
static inline bool tree_kill(pid_t pid, const struct cause *cause)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool dead = p.fd >= 0 &&
		    (cause->sig ? !send_signal(pid, cause->sig) :
				  exit_as(pid, WEXITSTATUS(cause->status))) &&
		    poll(&p, 1, PATIENCE_MS) == 1;

	if (p.fd >= 0)
		close(p.fd);
	return dead;
}

static inline void tree_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* The value of a key in the table of a supervisor; "" if there is none. */
static inline void tree_state(struct kreg_table *state, const char *kind, const char *id,
			      char *text, size_t room)
{
	char key[80];
	size_t len = 0;
	int n = snprintf(key, sizeof(key), "%s/%s", kind, id);

	if (kreg_get(state, key, n, text, room - 1, &len))
		len = 0;
	text[len] = '\0';
}

/* Its process, if its supervisor says that it is ready; else 0. */
static inline pid_t tree_ready(struct kreg_table *state, const char *id)
{
	char key[80], text[512];
	pid_t pid;

	snprintf(key, sizeof(key), "run/%s", id);
	pid = whereis(state, key);
	tree_state(state, "run", id, text, sizeof(text));
	return pid > 0 && strstr(text, " phase=ready") ? pid : 0;
}

static inline unsigned int tree_restarts(struct kreg_table *state, const char *id)
{
	char text[512], *found;

	tree_state(state, "child", id, text, sizeof(text));
	found = strstr(text, "restarts=");
	return found ? atoi(found + strlen("restarts=")) : 0;
}

#endif /* KREG_SEEDS_TREE_H */

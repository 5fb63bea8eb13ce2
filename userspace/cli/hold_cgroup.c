/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kreg hold --group: a control group for the command, so that also those are found who have got
 * away from their parents. It is made below the group of this command, where that may be done;
 * else the command stays where it is, and those that descend from it are found all the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hold.h"

#define PREFIX	"kreg-hold-"
#define MAGIC	0x63677270	/* of a file system of type cgroup2 */
#define TRIES	100

struct hold_cgroup {
	int fd;			/* of its directory, locked for as long as this command lives */
	char dir[PATH_MAX];
	char path[PATH_MAX];	/* as /proc/PID/cgroup has it */
};

/* Of those of all hierarchies, "0::/path" is that of cgroup2. */
static bool read_path(const char *file, char *path, size_t room)
{
	char line[PATH_MAX + 8];
	bool found = false;
	FILE *f = fopen(file, "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4) && strlen(line + 3) < room;
		if (found)
			snprintf(path, room, "%s", line + 3);
	}
	if (f)
		fclose(f);
	return found;
}

/* What is behind the group @root in @path; NULL: it is not below that. */
static const char *path_below(const char *path, const char *root)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(path, root, len) || (path[len] && path[len] != '/'))
		return NULL;
	return path + len;
}

/* The directory of the group with this path, by the first mount that shows it. */
static bool find_dir(const char *path, char *dir, size_t room)
{
	char line[3 * PATH_MAX], root[PATH_MAX], point[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	const char *below = NULL;
	struct statfs fs;

	while (f && !below && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*d %*d %*s %4095s %4095s", root, point) == 2)
			below = path_below(path, root);
	if (f)
		fclose(f);
	if (!below || (size_t)snprintf(dir, room, "%s%s", point, below) >= room)
		return false;
	/* Something else may be mounted over it. */
	return !statfs(dir, &fs) && fs.f_type == MAGIC;
}

static bool is_populated(int fd)
{
	int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t n = events < 0 ? -1 : read(events, text, sizeof(text) - 1);

	if (events >= 0)
		close(events);
	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

/* The command may have made groups below it. What is populated stays. */
static void remove_dir(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Take the lock that says that this command lives. Return: the directory, or -1. */
static int lock_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return -1;
}

/* Those of commands that were killed, when nobody is in them any more. */
static void remove_left(const char *own)
{
	char dir[PATH_MAX + NAME_MAX + 2];
	DIR *all = opendir(own);
	struct dirent *entry;
	int fd;

	while (all && (entry = readdir(all))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", own, entry->d_name);
		fd = lock_dir(dir);
		if (fd < 0)
			continue;
		if (!is_populated(fd))
			remove_dir(dir);
		close(fd);
	}
	if (all)
		closedir(all);
}

/* Another command may have taken it for one that was left, before it was locked. */
static bool is_there(const struct hold_cgroup *g)
{
	struct stat by_fd, by_name;

	return !fstat(g->fd, &by_fd) && !stat(g->dir, &by_name) &&
	       by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev;
}

static bool try_name(struct hold_cgroup *g, const char *own, const char *own_path, int number)
{
	char name[64];

	snprintf(name, sizeof(name), PREFIX "%d-%d", getpid(), number);
	if ((size_t)snprintf(g->dir, sizeof(g->dir), "%s/%s", own, name) >= sizeof(g->dir) ||
	    (size_t)snprintf(g->path, sizeof(g->path), "%s/%s",
			     strcmp(own_path, "/") ? own_path : "", name) >= sizeof(g->path) ||
	    mkdir(g->dir, 0755))
		return false;
	g->fd = lock_dir(g->dir);
	if (g->fd < 0)
		return false;
	if (is_there(g))
		return true;
	close(g->fd);
	return false;
}

void hold_cgroup_make(struct hold *h)
{
	char own[PATH_MAX], own_path[PATH_MAX];
	struct hold_cgroup *g;
	int i;

	/* Outside of what its cgroup namespace shows, its directory cannot be found. */
	if (!read_path("/proc/self/cgroup", own_path, sizeof(own_path)) ||
	    !strncmp(own_path, "/..", 3) || !find_dir(own_path, own, sizeof(own)))
		return;
	remove_left(own);
	g = malloc(sizeof(*g));
	errno = EEXIST;
	for (i = 0; g && !h->cgroup && i < TRIES && errno == EEXIST; i++)
		if (try_name(g, own, own_path, i))
			h->cgroup = g;
	if (!h->cgroup)
		free(g);
}

static bool write_file(const struct hold *h, const char *file, const char *text)
{
	int fd = h->cgroup ? openat(h->cgroup->fd, file, O_WRONLY | O_CLOEXEC) : -1;
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

void hold_cgroup_enter(const struct hold *h)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", h->child);
	write_file(h, "cgroup.procs", pid);
}

bool hold_cgroup_has(const struct hold *h, pid_t pid)
{
	char file[64], path[PATH_MAX];

	if (!h->cgroup)
		return false;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	return read_path(file, path, sizeof(path)) && path_below(path, h->cgroup->path);
}

bool hold_cgroup_populated(const struct hold *h)
{
	return h->cgroup && is_populated(h->cgroup->fd);
}

void hold_cgroup_kill(const struct hold *h)
{
	write_file(h, "cgroup.kill", "1");
}

void hold_cgroup_remove(struct hold *h)
{
	if (!h->cgroup)
		return;
	remove_dir(h->cgroup->dir);
	close(h->cgroup->fd);
	free(h->cgroup);
	h->cgroup = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Gather what kreg status shows: from the list of tables, from /sys and from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "status.h"

#define PARAMETERS	"/sys/module/kreg/parameters/"

static bool read_counter(const char *name, uint64_t *value)
{
	char path[80];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%" SCNu64, value) == 1;
	fclose(f);
	return ok;
}

static void read_counters(struct counters *c)
{
	c->known = read_counter("tables", &c->tables) && read_counter("clients", &c->clients) &&
		   read_counter("deaths", &c->deaths);
}

/* One more element of an array, zeroed; exits without memory. */
static void *grow(void *array, size_t n, size_t size)
{
	char *more = realloc(array, (n + 1) * size);

	if (!more) {
		fprintf(stderr, "kreg: no memory\n");
		exit(EXIT_ERROR);
	}
	memset(more + n * size, 0, size);
	return more;
}

static struct account *account_of(struct status *s, uid_t uid)
{
	size_t i;

	for (i = 0; i < s->n_accounts; i++)
		if (s->accounts[i].uid == uid)
			return &s->accounts[i];
	s->accounts = grow(s->accounts, s->n_accounts, sizeof(*s->accounts));
	s->accounts[s->n_accounts].uid = uid;
	return &s->accounts[s->n_accounts++];
}

static void count_table(struct account *a, const struct kreg_stat *stat)
{
	a->tables++;
	a->parked += kreg_stat_parked(stat);
	a->objects += kreg_stat_objects(stat);
	a->memory += kreg_stat_memory(stat);
}

static int by_uid(const void *a, const void *b)
{
	uid_t left = ((const struct account *)a)->uid, right = ((const struct account *)b)->uid;

	return left < right ? -1 : left > right;
}

static int read_tables(struct kreg_client *client, struct status *s)
{
	const struct kreg_stat *stat;
	struct kreg_list *list;
	int ret;

	ret = kreg_list_open_all(client, &list);
	if (ret)
		return fail(ret);
	while ((ret = kreg_list_next(list, &stat)) > 0) {
		count_table(&s->total, stat);
		count_table(account_of(s, kreg_stat_uid(stat)), stat);
	}
	kreg_list_close(list);
	if (s->n_accounts)
		qsort(s->accounts, s->n_accounts, sizeof(*s->accounts), by_uid);
	return ret ? fail(ret) : 0;
}

/* Whether another process has opened the file: its pid stands in the file's fdinfo. */
static bool is_inherited(pid_t pid, const char *fd)
{
	unsigned int opener = pid;
	char path[320], text[80];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(text, sizeof(text), f))
		if (sscanf(text, "kreg-pid: %u", &opener) == 1)
			break;
	fclose(f);
	return opener != (unsigned int)pid;
}

static void add_file(struct status *s, pid_t pid, const char *fd, uid_t uid)
{
	struct holder *h;

	if (!s->n_holders || s->holders[s->n_holders - 1].pid != pid) {
		s->holders = grow(s->holders, s->n_holders, sizeof(*s->holders));
		s->holders[s->n_holders].pid = pid;
		s->holders[s->n_holders++].uid = uid;
	}
	h = &s->holders[s->n_holders - 1];
	h->files++;
	h->inherited += is_inherited(pid, fd);
	s->files++;
}

static void read_process(struct status *s, pid_t pid, dev_t device)
{
	struct stat st, owner;
	struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	if (fstat(dirfd(dir), &owner))
		owner.st_uid = 0;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !fstatat(dirfd(dir), entry->d_name, &st, 0) && S_ISCHR(st.st_mode) &&
		    st.st_rdev == device)
			add_file(s, pid, entry->d_name, owner.st_uid);
	closedir(dir);
}

/* Processes that may not be looked at are left out, and so is this one. */
static void read_processes(struct kreg_client *client, struct status *s)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	pid_t pid;

	if (fstat(kreg_client_fd(client), &st))
		return;
	dir = opendir("/proc");
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		if (pid > 0 && pid != getpid())
			read_process(s, pid, st.st_rdev);
	}
	closedir(dir);
}

int status_read(struct kreg_client *client, struct status *status)
{
	int ret;

	memset(status, 0, sizeof(*status));
	ret = read_tables(client, status);
	if (ret)
		return ret;
	read_processes(client, status);
	read_counters(&status->counters);
	return 0;
}

void status_free(struct status *status)
{
	free(status->accounts);
	free(status->holders);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts about a failure, for errmsg.c; looked up when its sentence is made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errmsg.h"

/* Who owns the table: pid and command name. */
static void owner_facts(struct facts *f, const struct kreg_info *info)
{
	char path[32], comm[32] = "";
	FILE *file;

	if (info->flags & KREG_INFO_PARKED) {
		f->state = PARKED;
		snprintf(f->owner, sizeof(f->owner), "nobody");
		return;
	}
	f->state = info->owner.pid == (unsigned int)getpid() ? MINE : OTHERS;
	if (!info->owner.pid)
		return;
	snprintf(path, sizeof(path), "/proc/%u/comm", info->owner.pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(file);
	}
	snprintf(f->owner, sizeof(f->owner), comm[0] ? "process %u (%s)" : "process %u",
		 info->owner.pid, comm);
}

/* There may be as many as the stack of a small thread has no room for. Without memory: none. */
static bool in_other_group(gid_t gid)
{
	int n = getgroups(0, NULL);
	gid_t *groups = n > 0 ? malloc(n * sizeof(*groups)) : NULL;
	bool found = false;

	n = groups ? getgroups(n, groups) : 0;
	while (!found && n-- > 0)
		found = groups[n] == gid;
	free(groups);
	return found;
}

static bool in_group(gid_t gid)
{
	return gid == getegid() || in_other_group(gid);
}

/* What the bits of the mode say, by class as for files. */
static bool may(const struct kreg_info *info, unsigned int want)
{
	unsigned int mode = info->mode;

	if (info->uid == geteuid())
		mode >>= 6;
	else if (in_group(info->gid))
		mode >>= 3;
	return mode & want || !geteuid();
}

void kreg_facts_gather(struct facts *f, const struct failure *l)
{
	struct kreg_client *client;
	struct kreg_info info;
	int ret;

	*f = (struct facts){
		.uid = geteuid(), .owner = "another process", .user = "another user"
	};
	client = kreg_client_by_serial(l->client);
	snprintf(f->device, sizeof(f->device), "%s", l->attempt == TRY_DEVICE ? l->name :
		 client ? client->path : "/dev/kreg");
	if (*l->name)
		snprintf(f->table, sizeof(f->table), "table '%s'", l->name);
	else if (l->table)
		snprintf(f->table, sizeof(f->table), "table %llu", (unsigned long long)l->table);
	else
		snprintf(f->table, sizeof(f->table), "the table");
	if (!client)
		return;
	ret = l->table || *l->name ?
	      kreg_info_read(client, l->table, l->table ? NULL : l->name, &info) : -ENOENT;
	kreg_client_put(client);
	f->known = !ret;
	if (ret)
		return;
	f->uid = info.uid;
	snprintf(f->user, sizeof(f->user), "user %u", f->uid);
	f->mode = info.mode;
	f->follows = info.flags & KREG_INFO_FOLLOWS;
	f->registry = info.access == KREG_ACCESS_REGISTRY;
	f->may_read = may(&info, 4);
	f->may_write = may(&info, 2);
	owner_facts(f, &info);
}

void kreg_facts_parameter(const char *name, size_t len, char *buf, size_t room)
{
	unsigned long long value;
	char path[96];
	FILE *file;

	snprintf(buf, room, "%.*s", (int)len, name);
	snprintf(path, sizeof(path), "/sys/module/kreg/parameters/%s", buf);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fscanf(file, "%llu", &value) == 1)
		snprintf(buf, room, "%.*s = %llu", (int)len, name, value);
	fclose(file);
}

/* The client is open, but the mode of the device, or the program, allowed not all. */
enum state kreg_facts_open_state(const struct failure *l)
{
	struct kreg_client *client = kreg_client_by_serial(l->client);
	int flags = O_RDWR;

	if (!client)
		return ANY;
	if (!kreg_client_check(client))
		flags = fcntl(client->fd, F_GETFL) & O_ACCMODE;
	kreg_client_put(client);
	return flags == O_RDONLY ? READ_ONLY : flags == O_WRONLY ? WRITE_ONLY : ANY;
}

enum state kreg_facts_schema(const struct kreg_schemas *s)
{
	if (!s->schema)
		return NO_SCHEMA;
	if (s->schema != s->wanted)
		return ANY;
	return s->version < s->wanted_version ? OLD_VERSION : NEW_VERSION;
}

enum state kreg_facts_denied(const struct facts *f, bool write)
{
	/* Who may not look at it may not read it by its mode. */
	if (!f->known || !(write ? f->may_write : f->may_read))
		return MODE;
	return write && f->registry ? REGISTRY : f->state;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int info_read(struct kreg_client *client, uint64_t id, const char *name,
		     unsigned int flags, struct kreg_info *info)
{
	struct kreg_ioc_info io = {
		.size = sizeof(io),
		.flags = flags,
		.table = id,
		.name = kreg_ptr(name),
		.name_len = name ? strlen(name) : 0,
		.info_len = sizeof(*info),
		.info = kreg_ptr(info),
	};

	if (name && strlen(name) > KREG_MAX_NAME)
		return -ENAMETOOLONG;
	return kreg_ioctl(client, KREG_IOC_INFO, &io);
}

int kreg_info_read(struct kreg_client *client, uint64_t id, const char *name,
		   struct kreg_info *info)
{
	return info_read(client, id, name, 0, info);
}

/* A name may fill its array, so that it is not terminated there. */
void kreg_stat_set(struct kreg_stat *stat, const struct kreg_info *info)
{
	stat->info = *info;
	if (stat->info.name_len > KREG_MAX_NAME)
		stat->info.name_len = KREG_MAX_NAME;
	memcpy(stat->name, info->name, stat->info.name_len);
	stat->name[stat->info.name_len] = '\0';
}

static int stat_alloc(struct kreg_client *client, uint64_t id, const char *name,
		      unsigned int flags, struct kreg_stat **stat)
{
	struct kreg_info info;
	struct kreg_stat *s;
	int ret;

	ret = info_read(client, id, name, flags, &info);
	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	kreg_stat_set(s, &info);
	*stat = s;
	return 0;
}

int kreg_table_stat(const struct kreg_table *table, struct kreg_stat **stat)
{
	return kreg_fail_table(stat_alloc(table->client, table->id, NULL, 0, stat), TRY_STAT,
			       table);
}

int kreg_stat_by_name(struct kreg_client *client, const char *name, struct kreg_stat **stat)
{
	int ret = *name ? stat_alloc(client, 0, name, 0, stat) :
			  kreg_cause(-EINVAL, "the name is empty");

	return kreg_fail_name(ret, TRY_STAT, client, name);
}

int kreg_stat_by_id(struct kreg_client *client, uint64_t id, struct kreg_stat **stat)
{
	int ret = id ? stat_alloc(client, id, NULL, KREG_ANY_NAMESPACE, stat) : -EINVAL;

	return kreg_fail_id(ret, TRY_BY_ID, client, id);
}

void kreg_stat_free(struct kreg_stat *stat)
{
	free(stat);
}

int kreg_count(struct kreg_table *table, uint64_t *objects)
{
	struct kreg_info info;
	int ret = kreg_info_read(table->client, table->id, NULL, &info);

	if (!ret)
		*objects = info.objects;
	return kreg_fail_table(ret, TRY_STAT, table);
}

#define GETTER(type, name, value) \
	type kreg_stat_##name(const struct kreg_stat *stat) { return value; }

GETTER(uint64_t, id, stat->info.id)
GETTER(const char *, name, stat->name)
GETTER(enum kreg_type, type, stat->info.type)
GETTER(enum kreg_access, access, stat->info.access)
GETTER(unsigned int, mode, stat->info.mode)
GETTER(uid_t, uid, stat->info.uid)
GETTER(gid_t, gid, stat->info.gid)
GETTER(enum kreg_orphan, orphan, stat->info.orphan)
GETTER(uint64_t, orphan_ms, stat->info.orphan_ms)
GETTER(bool, parked, stat->info.flags & KREG_INFO_PARKED)
GETTER(uint64_t, parked_until_ns, stat->info.parked_until_ns)
GETTER(bool, claimable, stat->info.flags & KREG_INFO_CLAIMABLE)
GETTER(bool, heir_silent, stat->info.flags & KREG_INFO_HEIR_SILENT)
GETTER(bool, heir_on_crash, stat->info.flags & KREG_INFO_HEIR_ON_CRASH)
GETTER(bool, quarantined, stat->info.flags & KREG_INFO_QUARANTINED)
GETTER(struct kreg_process, owner, stat->info.owner)
GETTER(struct kreg_process, heir, stat->info.heir)
GETTER(uid_t, owner_uid, stat->info.owner_uid)
GETTER(uid_t, heir_uid, stat->info.heir_uid)
GETTER(uint64_t, objects, stat->info.objects)
GETTER(uint64_t, bytes, stat->info.bytes)
GETTER(unsigned int, pins, stat->info.pins)
GETTER(uint64_t, pinned_since_ns, stat->info.pinned_since_ns)
GETTER(struct kreg_process, pinner, stat->info.pinner)
GETTER(uint64_t, kept, stat->info.kept)
GETTER(uint64_t, kept_bytes, stat->info.kept_bytes)
GETTER(uint64_t, bound, stat->info.bound)
GETTER(uint64_t, timed, stat->info.timed)
GETTER(uint64_t, memory, stat->info.memory)
GETTER(uint64_t, limbo, stat->info.limbo)
GETTER(uint64_t, version, stat->info.version)
GETTER(uint64_t, transfers, stat->info.transfers)
GETTER(uint64_t, buckets, stat->info.buckets)
GETTER(unsigned int, walked, stat->info.walked)
GETTER(unsigned int, marks, stat->info.marks)
GETTER(unsigned int, waiters, stat->info.waiters)
GETTER(uint64_t, user_ns, stat->info.user_ns)
GETTER(uint64_t, pid_ns, stat->info.pid_ns)
GETTER(uint64_t, role, stat->info.role)
GETTER(uint64_t, writer_role, stat->info.writer_role)
GETTER(unsigned int, limit, stat->info.limit)
GETTER(uint64_t, limit_ms, stat->info.limit_ms)
GETTER(bool, sealed, stat->info.flags & KREG_INFO_SEALED)
GETTER(bool, shared, stat->info.flags & KREG_INFO_SHARED)
GETTER(uint64_t, schema, stat->info.schema)
GETTER(unsigned int, schema_version, stat->info.schema_version)
GETTER(unsigned int, subscriptions, stat->info.subscriptions)
GETTER(uint64_t, events, stat->info.events)

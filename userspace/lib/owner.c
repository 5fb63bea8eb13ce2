/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the owner of a table may do with it. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int kreg_table_destroy(struct kreg_table *table)
{
	struct kreg_ioc_table destroy = { .size = sizeof(destroy), .table = table->id };

	return kreg_fail_table(kreg_ioctl(table->client, KREG_IOC_DESTROY, &destroy), TRY_DESTROY,
			       table);
}

int kreg_table_rename(struct kreg_table *table, const char *name)
{
	struct kreg_ioc_rename io = {
		.size = sizeof(io),
		.table = table->id,
		.name = kreg_ptr(name),
		.name_len = strlen(name),
	};

	if (!*name)
		return kreg_fail_table(kreg_cause(-EINVAL, "the name is empty"), TRY_RENAME, table);
	if (strlen(name) > KREG_MAX_NAME)
		return kreg_fail_name(-ENAMETOOLONG, TRY_RENAME, table->client, name);
	return kreg_fail_table(kreg_ioctl(table->client, KREG_IOC_RENAME, &io), TRY_RENAME, table);
}

int kreg_table_exchange(struct kreg_table *table, struct kreg_table *other)
{
	struct kreg_ioc_rename io = {
		.size = sizeof(io),
		.flags = KREG_RENAME_EXCHANGE,
		.table = table->id,
		.other = other->id,
	};
	int ret;

	if (table->client != other->client)
		ret = kreg_cause(-EINVAL, "the tables were opened with different clients");
	else if (table->id == other->id)
		ret = kreg_cause(-EINVAL, "it is the same table");
	else
		ret = kreg_ioctl(table->client, KREG_IOC_RENAME, &io);
	return kreg_fail_table(ret, TRY_RENAME, table);
}

int kreg_destroy_by_id(struct kreg_client *client, uint64_t id)
{
	struct kreg_ioc_table destroy = {
		.size = sizeof(destroy),
		.flags = KREG_ANY_NAMESPACE,
		.table = id,
	};

	return kreg_fail_id(kreg_ioctl(client, KREG_IOC_DESTROY, &destroy), TRY_BY_ID, client, id);
}

int kreg_table_give(struct kreg_table *table, const struct kreg_process *to,
		    const void *data, size_t data_len)
{
	struct kreg_ioc_give give = {
		.size = sizeof(give),
		.table = table->id,
		.to = *to,
		.data = data_len ? kreg_ptr(data) : 0,
		.data_len = data_len,
	};
	int ret;

	if (!to->pid)
		ret = kreg_cause(-EINVAL, "the receiver has the pid 0: kreg_table_park() gives a table to nobody");
	else
		ret = data_len > KREG_MAX_DATA ? -EFBIG :
		      kreg_ioctl(table->client, KREG_IOC_GIVE, &give);
	kreg_fail_table(ret, TRY_GIVE, table);
	kreg_fail_sizes(ret, 0, data_len, 0);
	return kreg_fail_process(ret, to->pid);
}

int kreg_table_park(struct kreg_table *table)
{
	struct kreg_ioc_give give = {
		.size = sizeof(give),
		.flags = KREG_GIVE_PARK,
		.table = table->id,
	};

	/* Not TRY_GIVE, whose sentences are about the receiver. */
	return kreg_fail_table(kreg_ioctl(table->client, KREG_IOC_GIVE, &give), TRY_OPTION, table);
}

static const char *heir_fault(const struct kreg_ioc_setopt *opt)
{
	if (!opt->process.pid)
		return opt->process.cookie ? "the heir has the pid 0" :
		       "data goes with an heir, and there is none";
	return "data goes into an event, and KREG_HEIR_SILENT is for none";
}

int kreg_table_set_heir(struct kreg_table *table, const struct kreg_process *heir,
			const void *data, size_t data_len, unsigned int flags)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.table = table->id,
		.option = KREG_OPT_HEIR,
		.value = flags,
		.data = data_len ? kreg_ptr(data) : 0,
		.data_len = data_len,
	};
	int ret;

	if (heir)
		opt.process = *heir;
	ret = data_len > KREG_MAX_DATA ? -EFBIG :
	      kreg_ioctl(table->client, KREG_IOC_SETOPT, &opt);
	if (ret == -EINVAL)
		ret = kreg_cause(ret, heir_fault(&opt));
	kreg_fail_table(ret, TRY_HEIR, table);
	kreg_fail_sizes(ret, 0, data_len, 0);
	return kreg_fail_process(ret, opt.process.pid);
}

/* @fault: what the kernel calls invalid. */
static int set_option(struct kreg_table *table, unsigned int option, uint64_t value,
		      uint64_t value2, const char *fault)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.table = table->id,
		.option = option,
		.value = value,
		.value2 = value2,
	};
	int ret = kreg_ioctl(table->client, KREG_IOC_SETOPT, &opt);

	if (ret == -EINVAL)
		kreg_cause(ret, fault);
	return kreg_fail_table(ret, TRY_OPTION, table);
}

int kreg_table_set_access(struct kreg_table *table, enum kreg_access access)
{
	return set_option(table, KREG_OPT_ACCESS, access, 0, "0 is no access rule");
}

int kreg_table_set_mode(struct kreg_table *table, unsigned int mode)
{
	return set_option(table, KREG_OPT_MODE, mode, 0,
			  "a mode has no other bits than those of 0666");
}

int kreg_table_set_schema(struct kreg_table *table, uint64_t schema, unsigned int version,
			  unsigned int from)
{
	return set_option(table, KREG_OPT_SCHEMA, schema, KREG_SCHEMA_VERSIONS(version, from),
			  "a schema has a version, and without one there is none");
}

int kreg_table_seal(struct kreg_table *table)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.table = table->id,
		.option = KREG_OPT_SEAL,
		.value = 1,
	};

	return kreg_fail_table(kreg_ioctl(table->client, KREG_IOC_SETOPT, &opt), TRY_SEAL, table);
}

int kreg_table_set_orphan(struct kreg_table *table, enum kreg_orphan orphan, uint64_t ms)
{
	return set_option(table, KREG_OPT_ORPHAN, orphan, ms,
			  "a table that is to be destroyed is not parked for a time");
}

int kreg_table_set_stream(struct kreg_table *table, size_t bytes)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.table = table->id,
		.option = KREG_OPT_STREAM,
		.value = bytes,
	};
	int ret = kreg_ioctl(table->client, KREG_IOC_SETOPT, &opt);

	if (ret == -EINVAL)
		kreg_cause(ret, "a ring of events has a power of two of bytes, from 16384 to 1048576");
	return kreg_fail_table(ret, TRY_STREAM, table);
}

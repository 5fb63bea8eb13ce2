/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which process has which key. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

int kreg_holder_check(const struct kreg_holder *holder)
{
	if (!holder || holder->size >= sizeof(*holder))
		return 0;
	return kreg_cause(-EINVAL, "the holder does not tell its size: set @size");
}

int kreg_holder_fill(struct kreg_holder *holder, const struct kreg_process *process,
		     uint64_t version)
{
	struct kreg_holder told = { sizeof(told), *process, version };

	if (!holder)
		return 0;
	if (holder->size < sizeof(told))
		return kreg_holder_check(holder);
	told.size = holder->size;
	memcpy(holder, &told, sizeof(told));
	return 0;
}

int kreg_register_run(struct kreg_table *table, struct kreg_ioc_register *io,
		      const struct kreg_process *process, const void *key, size_t key_len,
		      const void *value, size_t value_len)
{
	struct kreg_op op;
	int ret = kreg_op_fill(&op, KREG_OP_PUT, key, key_len, value, value_len);

	if (ret)
		return ret;
	io->size = sizeof(*io);
	io->table = table->id;
	if (process)
		io->process = *process;
	io->key = op.key;
	io->key_len = op.key_len;
	io->value = op.value;
	io->value_len = op.value_len;
	return kreg_ioctl(table->client, KREG_IOC_REGISTER, io);
}

static int register_failed(int ret, struct kreg_table *table, size_t key_len, size_t value_len)
{
	return kreg_fail_sizes(kreg_fail_table(ret, TRY_WRITE, table), key_len, value_len, 0);
}

int kreg_register(struct kreg_table *table, const void *key, size_t key_len,
		  const void *value, size_t value_len)
{
	struct kreg_ioc_register io = { .flags = 0 };
	int ret = kreg_register_run(table, &io, NULL, key, key_len, value, value_len);

	return register_failed(ret, table, key_len, value_len);
}

int kreg_register_or_get(struct kreg_table *table, const struct kreg_process *process,
			 const void *key, size_t key_len, const void *value, size_t value_len,
			 struct kreg_holder *holder)
{
	struct kreg_ioc_register io = { .flags = KREG_REGISTER_GET };
	int ret = kreg_holder_check(holder);

	if (!ret)
		ret = kreg_register_run(table, &io, process, key, key_len, value, value_len);
	if (ret) {
		register_failed(ret, table, key_len, value_len);
		return process ? kreg_fail_process(ret, process->pid) : ret;
	}
	kreg_holder_fill(holder, &io.out_process, io.out_version);
	return io.out_how == KREG_REGISTERED;
}

int kreg_register_with(struct kreg_table *table, const void *key, size_t key_len,
		       const void *value, size_t value_len,
		       const struct kreg_register_options *options, struct kreg_holder *holder)
{
	struct kreg_register_options o = { .size = sizeof(o) };
	struct kreg_ioc_register io = { .flags = 0 };
	int ret = kreg_holder_check(holder);

	if (!ret && options)
		ret = kreg_options_copy(&o, sizeof(o), options);
	if (ret)
		return register_failed(ret, table, key_len, value_len);
	io.flags = o.version ? KREG_REGISTER_VERSION : 0;
	io.version = o.version;
	io.linger_ms = o.linger_ms;
	ret = kreg_register_run(table, &io, o.process, key, key_len, value, value_len);
	if (!ret || ret == -EEXIST)
		kreg_holder_fill(holder, &io.out_process, io.out_version);
	register_failed(ret, table, key_len, value_len);
	return ret && o.process ? kreg_fail_process(ret, o.process->pid) : ret;
}

int kreg_unregister(struct kreg_table *table, const void *key, size_t key_len)
{
	struct kreg_op_args args = {
		.size = sizeof(args),
		.code = KREG_OP_DELETE,
		.flags = KREG_OP_MINE,
		.key = key,
		.key_len = key_len,
	};
	int ret = kreg_op_run(table, &args);

	return ret ? ret : (int)args.out_count;
}

int kreg_whereis(struct kreg_table *table, const void *key, size_t key_len,
		 struct kreg_holder *holder)
{
	struct kreg_ioc_op io = { .size = sizeof(io), .table = table->id };
	int ret = kreg_refuse_bag(table);

	if (ret)
		return ret;
	ret = kreg_holder_check(holder);
	if (!ret)
		ret = kreg_op_fill(&io.op, KREG_OP_MEMBER, key, key_len, NULL, 0);
	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (ret)
		return kreg_fail_sizes(kreg_fail_table(ret, TRY_READ, table), key_len, 0, 0);
	return kreg_holder_fill(holder, &io.out_process, io.op.out_version);
}

/* Who has the key before and after the pidfd was opened lived meanwhile, so it is his. */
int kreg_whereis_pidfd(struct kreg_table *table, const void *key, size_t key_len,
		       struct kreg_holder *holder)
{
	struct kreg_holder before = KREG_HOLDER_INIT, after = KREG_HOLDER_INIT;
	int fd, ret = kreg_holder_check(holder);

	if (ret)
		return kreg_fail_table(ret, TRY_READ, table);
	for (;;) {
		ret = kreg_whereis(table, key, key_len, &before);
		if (ret)
			return ret;
		if (!before.process.pid)
			return kreg_fail_table(-ESRCH, TRY_HOLDER, table);
		fd = kreg_pidfd_open(before.process.pid);
		if (fd < 0 && fd != -ESRCH)
			return kreg_fail_table(fd, TRY_READ, table);
		ret = kreg_whereis(table, key, key_len, &after);
		if (!ret && fd >= 0 && after.process.cookie == before.process.cookie)
			break;
		if (fd >= 0)
			close(fd);
		if (ret)
			return ret;
	}
	kreg_holder_fill(holder, &after.process, after.version);
	return fd;
}

struct kreg_process kreg_object_process(const struct kreg_object *object)
{
	struct kreg_process process = { 0, 0, 0 };

	size_t behind = object->sub & OBJECT_EXPIRY ? sizeof(struct kreg_object_expiry) : 0;

	if (object->sub & OBJECT_PROCESS)
		memcpy(&process, (const char *)object + object->size - behind - sizeof(process),
		       sizeof(process));
	return process;
}

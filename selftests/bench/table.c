// SPDX-License-Identifier: GPL-2.0
/*
 * Making, filling and removing tables.
 */
#include "table.h"

int client_open(void)
{
	int fd = open("/dev/kreg", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bench_die("/dev/kreg");
	return fd;
}

struct kreg_process client_self(int fd)
{
	struct kreg_ioc_query query = { .size = sizeof(query) };

	call(fd, KREG_IOC_QUERY, &query, "query");
	return query.out_self;
}

/* @how says what is not usual, or is NULL. */
__u64 table_create(int fd, const char *name, const struct kreg_ioc_open *how)
{
	struct kreg_ioc_open cmd = how ? *how : (struct kreg_ioc_open) {
		.access = KREG_ACCESS_PUBLIC,
	};

	cmd.size = sizeof(cmd);
	cmd.flags |= KREG_OPEN_CREATE;
	cmd.name = address(name);
	cmd.name_len = name ? strlen(name) : 0;
	if (!cmd.type)
		cmd.type = KREG_TYPE_SET;
	cmd.mode = 0600;
	call(fd, KREG_IOC_OPEN, &cmd, "create");
	return cmd.out_table;
}

__u64 table_find(int fd, const char *name)
{
	struct kreg_ioc_open cmd = {
		.size = sizeof(cmd),
		.name = address(name),
		.name_len = strlen(name),
	};

	call(fd, KREG_IOC_OPEN, &cmd, "find");
	return cmd.out_table;
}

void table_destroy(int fd, __u64 id)
{
	struct kreg_ioc_table cmd = { .size = sizeof(cmd), .table = id };

	call(fd, KREG_IOC_DESTROY, &cmd, "destroy");
}

void table_give(int fd, __u64 id, const struct kreg_process *to)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.flags = to ? 0 : KREG_GIVE_PARK,
		.table = id,
	};

	if (to)
		cmd.to = *to;
	call(fd, KREG_IOC_GIVE, &cmd, "give");
}

void table_claim(int fd, const char *name)
{
	struct kreg_ioc_open cmd = {
		.size = sizeof(cmd),
		.flags = KREG_OPEN_CLAIM,
		.name = address(name),
		.name_len = strlen(name),
	};

	call(fd, KREG_IOC_OPEN, &cmd, "claim");
}

void table_heir(int fd, __u64 id, const struct kreg_process *heir)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = id,
		.option = KREG_OPT_HEIR,
		.process = *heir,
	};

	call(fd, KREG_IOC_SETOPT, &cmd, "heir");
}

void table_clear(int fd, __u64 id)
{
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = id,
		.op.code = KREG_OP_CLEAR,
	};

	call(fd, KREG_IOC_OP, &cmd, "clear");
}

void transfer_wait(int fd)
{
	struct kreg_event event[8];

	if (read(fd, event, sizeof(event)) <= 0)
		bench_die("read of a mailbox");
}

void table_info(int fd, __u64 id, struct kreg_info *info)
{
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.table = id,
		.info = address(info),
		.info_len = sizeof(*info),
	};

	call(fd, KREG_IOC_INFO, &cmd, "info");
}

void kreg_sync(int fd)
{
	struct kreg_ioc_sync cmd = { .size = sizeof(cmd) };

	call(fd, KREG_IOC_SYNC, &cmd, "sync");
}

void kreg_lend(bool lend)
{
	int fd = open("/sys/module/kreg/parameters/lend", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, lend ? "1" : "0", 1) != 1)
		bench_die("parameter lend");
	close(fd);
}

/* @count operations, @size in a call. */
void table_batch(struct table *table, __u16 code, __u32 flags,
		 struct keys *keys, long count, int size)
{
	struct kreg_ioc_batch cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.table = table->id,
		.ops = address(table->ops),
		.op_size = sizeof(*table->ops),
	};
	struct kreg_op *op;
	long i;

	memset(table->ops, 0, size * sizeof(*table->ops));
	for (op = table->ops; op < table->ops + size; op++) {
		op->code = code;
		op->key_len = KEY_LEN;
		if (code == KREG_OP_PUT)
			op->value = address(table->value);
		if (code == KREG_OP_GET)
			op->value = address(table->room);
		if (op->value)
			op->value_len = table->value_len;
	}
	for (; count > 0; count -= size) {
		cmd.count = count < size ? count : size;
		for (i = 0; i < cmd.count; i++)
			table->ops[i].key = address(keys_next(keys));
		while (ioctl(table->fd, KREG_IOC_BATCH, &cmd) < 0) {
			if (errno != EAGAIN)
				bench_die("batch");
			kreg_sync(table->fd);
		}
		if (!(flags & KREG_WRITE_ASYNC) && cmd.out_done != cmd.count)
			bench_die("an operation of a batch");
	}
}

void table_fill(struct table *table)
{
	long batch = (1 << 20) / (table->value_len + KEY_LEN);

	table->keys.at = 0;
	table_batch(table, KREG_OP_PUT, 0, &table->keys, table->objects,
		    batch > BATCH_MAX ? BATCH_MAX : batch);
}

void table_make(struct table *table, const char *name, long objects,
		size_t value_len, long fresh)
{
	table_make_type(table, KREG_TYPE_SET, name, objects, value_len, fresh);
}

void table_make_type(struct table *table, __u32 type, const char *name, long objects,
		     size_t value_len, long fresh)
{
	const struct kreg_ioc_open how = { .type = type, .access = KREG_ACCESS_PUBLIC };

	memset(table, 0, sizeof(*table));
	table->fd = client_open();
	table->id = table_create(table->fd, name, &how);
	table->objects = objects;
	table->value_len = value_len;
	table->value = malloc(value_len);
	table->room = malloc(value_len);
	table->ops = malloc(BATCH_MAX * sizeof(*table->ops));
	if (!table->value || !table->room || !table->ops)
		bench_die("no memory");
	value_make(table->value, value_len, 1);
	keys_make(&table->keys, 0, objects);
	keys_make(&table->fresh, objects, fresh);
	table_fill(table);
}

void table_free(struct table *table)
{
	table_destroy(table->fd, table->id);
	close(table->fd);
	keys_free(&table->keys);
	keys_free(&table->fresh);
	free(table->value);
	free(table->room);
	free(table->ops);
	bench_settle();
}

void table_memory(struct table *table, const char *op)
{
	struct kreg_info room;

	kreg_sync(table->fd);
	bench_settle();
	table_info(table->fd, table->id, &room);
	bench_result("kreg", op, table->objects, "bytes", (double)room.memory / room.objects, 0);
}

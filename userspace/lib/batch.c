/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches: many operations in one call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

int kreg_batch_new(struct kreg_table *table, unsigned int flags, struct kreg_batch **batch)
{
	struct kreg_batch *b;

	if (flags & KREG_WRITE_ACKED)
		return kreg_fail_text(-EOPNOTSUPP, "a batch waits for no subscriber; "
				      "a kreg_sync_notify() after it does");
	if (flags & ~(KREG_BATCH_ATOMIC | KREG_WRITE_ASYNC))
		return kreg_fail_table(-EOPNOTSUPP, TRY_BATCH, table);
	b = calloc(1, sizeof(*b));
	if (!b)
		return kreg_fail_table(-ENOMEM, TRY_BATCH, table);
	b->table = kreg_table_get(table);
	b->flags = flags;
	b->most_ops = KREG_MAX_BATCH_OPS;
	b->most_bytes = KREG_MAX_BATCH_BYTES;
	b->failed = -1;
	*batch = b;
	return 0;
}

void kreg_batch_free(struct kreg_batch *batch)
{
	if (!batch)
		return;
	kreg_table_close(batch->table);
	kreg_batch_drop_filters(batch);
	free(batch->ops);
	free(batch->bytes);
	free(batch);
}

void kreg_batch_reset(struct kreg_batch *batch)
{
	kreg_batch_drop_filters(batch);
	batch->count = 0;
	batch->len = 0;
	batch->payload = 0;
	batch->looks = false;
	batch->ran = false;
	batch->failed = -1;
}

static int grow_ops(struct kreg_batch *b)
{
	unsigned int room = b->room ? b->room * 2 : 64;
	struct kreg_op *ops;

	if (b->count < b->room)
		return 0;
	ops = realloc(b->ops, room * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	b->ops = ops;
	b->room = room;
	return 0;
}

static bool is_read(unsigned int code)
{
	return code == KREG_OP_GET || code == KREG_OP_MEMBER;
}

int kreg_batch_grow(struct kreg_batch *b, size_t more)
{
	size_t room = b->bytes_room ? b->bytes_room : 4096;
	char *bytes;

	while (room < b->len + more)
		room *= 2;
	if (room == b->bytes_room)
		return 0;
	bytes = realloc(b->bytes, room);
	if (!bytes)
		return -ENOMEM;
	b->bytes = bytes;
	b->bytes_room = room;
	return 0;
}

static int check(const struct kreg_batch *b, unsigned int code, size_t key_len, size_t value_len)
{
	bool read = is_read(code);
	/* Of several values together there is no other limit. */
	size_t most = kreg_batch_packs(b, code) ? KREG_MAX_BATCH_BYTES - KREG_MAX_KEY :
						  KREG_MAX_VALUE;

	if (b->count && b->reads != read)
		return kreg_cause(-EINVAL,
				  "the batch mixes reads and writes; run it, and fill another");
	if (key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	if (value_len > most)
		return -EFBIG;
	/* One alone always fits into the library's own limits, and the kernel tells of others. */
	if (b->count && (b->count >= b->most_ops ||
			 b->payload + key_len + value_len > b->most_bytes))
		return -ENOBUFS;
	return 0;
}

/* @value is copied, or else room is made for a value. */
static int append(struct kreg_batch *b, unsigned int code, const void *key, size_t key_len,
		  const void *value, size_t value_len)
{
	bool read = is_read(code);
	size_t head = read ? sizeof(struct kreg_object) : 0;
	/* The kernel packs objects only from where a struct kreg_object may begin. */
	size_t gap = kreg_batch_packs(b, code) ? -(head + key_len) & 7 : 0;
	size_t size = head + key_len + gap + value_len;
	struct kreg_op *op;
	char *at;
	int ret;

	if (!key_len && code != KREG_OP_CLEAR)
		return kreg_cause(-EINVAL, "the key is empty");
	ret = check(b, code, key_len, value_len);
	if (!ret)
		ret = grow_ops(b);
	if (!ret)
		ret = kreg_batch_grow(b, size + 7);
	if (ret)
		return ret;
	op = &b->ops[b->count];
	kreg_op_fill(op, code, NULL, key_len, NULL, value_len);
	op->key = b->len + head;
	op->value = op->key + key_len + gap;
	at = b->bytes + op->key;
	if (key_len)
		memcpy(at, key, key_len);
	if (value && value_len)
		memcpy(at + key_len, value, value_len);
	b->len += read ? (size + 7) & ~(size_t)7 : size;
	b->payload += key_len + value_len;
	b->reads = read;
	b->ran = false;
	return b->count++;
}

int kreg_batch_add(struct kreg_batch *b, unsigned int code, const void *key, size_t key_len,
		   const void *value, size_t value_len)
{
	enum attempt attempt = TRY_BATCH;
	int ret = append(b, code, key, key_len, value, value_len);

	if (ret >= 0)
		return ret;
	if (ret == -ENAMETOOLONG || ret == -EFBIG)
		attempt = TRY_WRITE;
	kreg_fail_table(ret, attempt, b->table);
	return kreg_fail_sizes(ret, key_len, value_len, 0);
}

int kreg_batch_put(struct kreg_batch *batch, const void *key, size_t key_len,
		   const void *value, size_t value_len)
{
	return kreg_batch_add(batch, KREG_OP_PUT, key, key_len, value, value_len);
}

int kreg_batch_put_new(struct kreg_batch *batch, const void *key, size_t key_len,
		       const void *value, size_t value_len)
{
	int index = kreg_batch_add(batch, KREG_OP_PUT, key, key_len, value, value_len);

	if (index >= 0)
		batch->ops[index].flags = KREG_OP_NEW;
	return index;
}

int kreg_batch_del(struct kreg_batch *batch, const void *key, size_t key_len)
{
	return kreg_batch_add(batch, KREG_OP_DELETE, key, key_len, NULL, 0);
}

int kreg_batch_clear(struct kreg_batch *batch)
{
	return kreg_batch_add(batch, KREG_OP_CLEAR, NULL, 0, NULL, 0);
}

int kreg_batch_get(struct kreg_batch *batch, const void *key, size_t key_len, size_t room)
{
	return kreg_batch_add(batch, KREG_OP_GET, key, key_len, NULL, room);
}

int kreg_batch_member(struct kreg_batch *batch, const void *key, size_t key_len)
{
	return kreg_batch_add(batch, KREG_OP_MEMBER, key, key_len, NULL, 0);
}

/* Offsets to pointers, or with the opposite of @base back; what has no length has no pointer. */
static void move_ops(struct kreg_batch *b, uint64_t base)
{
	struct kreg_op *op;

	for (op = b->ops; op < b->ops + b->count; op++) {
		op->key = op->key_len ? op->key + base : 0;
		op->value = op->value_len ? op->value + base : 0;
	}
}

static void bind_ops(struct kreg_batch *b)
{
	struct kreg_op *op;

	if (b->looks)
		kreg_batch_move_looks(b, true);
	move_ops(b, kreg_ptr(b->bytes));
	for (op = b->ops; op < b->ops + b->count; op++) {
		op->out_error = 0;
		op->out_len = 0;
		op->out_count = 0;
		op->out_version = 0;
	}
}

static void unbind_ops(struct kreg_batch *b)
{
	move_ops(b, -kreg_ptr(b->bytes));
	if (b->looks)
		kreg_batch_move_looks(b, false);
}

static struct kreg_ioc_batch call_of(const struct kreg_batch *batch)
{
	return (struct kreg_ioc_batch){
		.size = sizeof(struct kreg_ioc_batch),
		.flags = batch->flags,
		.table = batch->table->id,
		.ops = kreg_ptr(batch->ops),
		.count = batch->count,
		.op_size = sizeof(*batch->ops),
		.out_done = UINT32_MAX,
	};
}

/* What one of its operations has come to has the sentence of that. */
static int run_failed(const struct kreg_batch *b, int ret)
{
	enum attempt attempt = TRY_BATCH;

	if (b->looks && ret == -EFBIG)
		kreg_cause(ret, "values that a batch edits or compares have some 16 KiB at most");
	else if (b->looks && ret == -EINVAL)
		kreg_cause(ret, "a field of the batch contradicts itself");
	else if (b->looks && ret == -EACCES)
		attempt = TRY_EDIT;
	else if (b->failed >= 0 && b->ops[b->failed].code == KREG_OP_EDIT)
		attempt = TRY_EDIT;
	return kreg_fail_table(ret, attempt, b->table);
}

int kreg_batch_run(struct kreg_batch *batch)
{
	struct kreg_ioc_batch io = call_of(batch);
	int ret;

	batch->failed = -1;
	batch->ran = false;
	if (!batch->count)
		return 0;
	bind_ops(batch);
	ret = kreg_ioctl(batch->table->client, KREG_IOC_BATCH, &io);
	unbind_ops(batch);
	if (ret && (batch->flags & KREG_BATCH_ATOMIC) && io.out_done < batch->count)
		batch->failed = io.out_done;
	if (ret)
		return run_failed(batch, ret);
	batch->ran = true;
	if (batch->reads)
		kreg_batch_make_objects(batch);
	return batch->flags & KREG_WRITE_ASYNC ? batch->count : io.out_done;
}

static int check_group(struct kreg_batch *const *batches, unsigned int count)
{
	unsigned int i;

	if (count > KREG_MAX_GROUP)
		return kreg_cause(-EFBIG, "a group has at most 8 batches");
	for (i = 0; i < count; i++) {
		if (batches[i]->table->client != batches[0]->table->client)
			return kreg_cause(-EINVAL, "the tables of a group are of several clients");
		if (batches[i]->reads)
			return kreg_cause(-EINVAL, "a batch of reads is in no group");
		if (batches[i]->flags & KREG_WRITE_ASYNC)
			return kreg_cause(-EOPNOTSUPP, "an asynchronous batch is in no group");
	}
	return 0;
}

/* What is empty is left out; *at: which one each of those is that are not. */
static unsigned int fill_group(struct kreg_batch *const *batches, unsigned int count,
			       struct kreg_ioc_batch *io, unsigned int *at)
{
	unsigned int i, n = 0;

	for (i = 0; i < count; i++) {
		batches[i]->failed = -1;
		batches[i]->ran = false;
		if (!batches[i]->count)
			continue;
		bind_ops(batches[i]);
		io[n] = call_of(batches[i]);
		at[n++] = i;
	}
	return n;
}

static int run_group(struct kreg_batch *const *batches, unsigned int count, unsigned int *blame)
{
	struct kreg_ioc_batch io[KREG_MAX_GROUP];
	struct kreg_ioc_group group = { .size = sizeof(group), .batch_size = sizeof(io[0]) };
	unsigned int at[KREG_MAX_GROUP], i;
	int ret;

	group.count = fill_group(batches, count, io, at);
	if (!group.count)
		return 0;
	group.batches = kreg_ptr(io);
	group.out_failed = group.count;
	ret = kreg_ioctl(batches[0]->table->client, KREG_IOC_GROUP, &group);
	for (i = 0; i < group.count; i++) {
		unbind_ops(batches[at[i]]);
		batches[at[i]]->ran = !ret;
	}
	i = group.out_failed;
	if (ret && i < group.count) {
		*blame = at[i];
		if (io[i].out_done < io[i].count)
			batches[at[i]]->failed = io[i].out_done;
	}
	return ret;
}

/* Its own errors are what a group does not allow; others are those of the batch to blame. */
static const char *group_fault(int ret)
{
	switch (ret) {
	case -EXDEV:
		return "the tables have different writers of the module: create one beside another";
	case -EFBIG:
		return "a group has at most 16 operations and 64 KiB";
	case -EINVAL:
		return "a table is in the group twice";
	}
	return NULL;
}

int kreg_batch_run_all(struct kreg_batch *const *batches, unsigned int count, int *failed)
{
	unsigned int blame = count;
	int ret;

	if (failed)
		*failed = -1;
	if (!count)
		return 0;
	ret = check_group(batches, count);
	if (ret)
		return kreg_fail_table(ret, TRY_BATCH, batches[0]->table);
	ret = run_group(batches, count, &blame);
	if (blame < count) {
		if (failed)
			*failed = blame;
		return run_failed(batches[blame], ret);
	}
	if (group_fault(ret))
		kreg_cause(ret, group_fault(ret));
	return kreg_fail_table(ret, TRY_BATCH, batches[0]->table);
}

unsigned int kreg_batch_count(const struct kreg_batch *batch)
{
	return batch->count;
}

int kreg_batch_failed_index(const struct kreg_batch *batch)
{
	return batch->failed;
}

int kreg_batch_error(const struct kreg_batch *batch, unsigned int index)
{
	return index < batch->count ? -(int)batch->ops[index].out_error : -EINVAL;
}

uint64_t kreg_batch_version(const struct kreg_batch *batch, unsigned int index)
{
	return index < batch->count ? batch->ops[index].out_version : 0;
}

uint64_t kreg_batch_count_of(const struct kreg_batch *batch, unsigned int index)
{
	return index < batch->count ? batch->ops[index].out_count : 0;
}

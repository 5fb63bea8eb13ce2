/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All commands in one table, and for each a call that succeeds.
 */
#ifndef KREG_ABI_ABI_H
#define KREG_ABI_ABI_H

#include <stddef.h>
#include <sys/mman.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/watch.h"

#define FIRST_UNKNOWN	(KREG_CMD_GROUP + 1)

/* What the members of all commands point to. */
struct things {
	int fd;
	struct kid *kid;
	__u64 table;		/* a new one for every call */
	char name[8];
	char key[8];
	char value[8];
	char room[2048];
	struct kreg_op op;
	unsigned int op_size;	/* of KREG_IOC_OP: its short or its long form */
};

static void fill_query(struct things *t, union any *a)
{
}

static void fill_whois(struct things *t, union any *a)
{
	a->whois.pid = getpid();
}

static void fill_open(struct things *t, union any *a)
{
	a->open = test_open_cmd(t->name, KREG_OPEN_CREATE | KREG_OPEN_EXCL |
				KREG_OPEN_HEIR);
	a->open.heir = t->kid->self;
	a->open.data = test_ptr(t->value);
	a->open.data_len = 1;
}

static void fill_table(struct things *t, union any *a)
{
	a->table.table = t->table;
}

static void fill_give(struct things *t, union any *a)
{
	a->give.table = t->table;
	a->give.to = t->kid->self;
	a->give.data = test_ptr(t->value);
	a->give.data_len = 1;
}

static void fill_setopt(struct things *t, union any *a)
{
	a->setopt.table = t->table;
	a->setopt.option = KREG_OPT_HEIR;
	a->setopt.process = t->kid->self;
	a->setopt.data = test_ptr(t->value);
	a->setopt.data_len = 1;
}

static void fill_op(struct things *t, union any *a)
{
	a->op.table = t->table;
	a->op.op = test_op_puts(t->key, t->value);
}

static void fill_batch(struct things *t, union any *a)
{
	t->op = test_op_puts(t->key, t->value);
	a->batch = test_batch_cmd(t->table, 0, &t->op, 1);
}

static void fill_sync(struct things *t, union any *a)
{
}

static void fill_scan(struct things *t, union any *a)
{
	a->scan.table = t->table;
	a->scan.range.low = test_ptr(t->key);
	a->scan.range.low_len = strlen(t->key);
	a->scan.range.high = test_ptr(t->value);
	a->scan.range.high_len = strlen(t->value);
	a->scan.range.after = test_ptr(t->key);
	a->scan.range.after_len = strlen(t->key);
	a->scan.buf = test_ptr(t->room);
	a->scan.buf_len = sizeof(t->room);
}

static void fill_change(struct things *t, union any *a)
{
	static const struct kreg_field field = {
		.code = KREG_FIELD_ADD, .flags = KREG_FIELD_EXTEND, .operand = 1,
	};
	static const struct kreg_term term = {
		.op = KREG_TERM_BITS, .of = KREG_TERM_VERSION, .no = KREG_TERM_REJECT,
		.mask = ~0ULL,
	};

	a->change.table = t->table;
	a->change.range.low = test_ptr(t->key);
	a->change.range.low_len = strlen(t->key);
	a->change.range.filter = test_ptr(&term);
	a->change.range.filter_count = 1;
	a->change.code = KREG_OP_EDIT;
	a->change.fields = test_ptr(&field);
	a->change.field_count = 1;
	a->change.position = test_ptr(t->room);
	_test_puts(t->fd, t->table, t->key, t->value);
}

static void fill_info(struct things *t, union any *a)
{
	a->info.table = t->table;
	a->info.info = test_ptr(t->room);
	a->info.info_len = sizeof(struct kreg_info);
}

static void fill_list(struct things *t, union any *a)
{
	a->list.infos = test_ptr(t->room);
	a->list.info_len = sizeof(struct kreg_info);
	a->list.max_count = 1;
}

static void fill_watch(struct things *t, union any *a)
{
	a->watch.kind = KREG_WATCH_OWNER;
	a->watch.key = test_ptr(t->name);
	a->watch.key_len = strlen(t->name);
}

static void fill_cancel(struct things *t, union any *a)
{
	_test_watch(t->fd, t->kid->self, &a->cancel.id);
}

static void fill_register(struct things *t, union any *a)
{
	a->reg.table = t->table;
	a->reg.key = test_ptr(t->key);
	a->reg.key_len = strlen(t->key);
	a->reg.value = test_ptr(t->value);
	a->reg.value_len = strlen(t->value);
}

static void fill_lease(struct things *t, union any *a)
{
	a->lease.table = t->table;
	a->lease.key = test_ptr(t->key);
	a->lease.key_len = strlen(t->key);
	a->lease.value = test_ptr(t->room);
	a->lease.value_len = sizeof(t->room);
	_test_puts(t->fd, t->table, t->key, t->value);
}

/* Of one batch. */
static void fill_group(struct things *t, union any *a)
{
	static struct kreg_ioc_batch batch;
	static struct kreg_op op;

	op = test_op(KREG_OP_CLEAR, NULL, 0);
	batch = test_batch_cmd(t->table, 0, &op, 1);
	a->group.batches = test_ptr(&batch);
	a->group.count = 1;
	a->group.batch_size = sizeof(batch);
}

/* A table has so many pins and no more. */
static void fill_pin(struct things *t, union any *a)
{
	_test_create(t->fd, NULL, 0, (__u64 *)&a->pin.table);
}

/* One that another call of this kind has not got. */
static void fill_rename(struct things *t, union any *a)
{
	static unsigned int number;

	_test_create(t->fd, NULL, 0, (__u64 *)&a->rename.table);
	snprintf(t->room, sizeof(t->room), "renamed %u", number++);
	a->rename.name = test_ptr(t->room);
	a->rename.name_len = strlen(t->room);
}

static void fill_subscribe(struct things *t, union any *a)
{
	a->subscribe.flags = KREG_SUBSCRIBE_REPLAY;
	a->subscribe.table = t->table;
	a->subscribe.mask = KREG_SUBSCRIBE_KINDS;
}

/* All until then is acknowledged, and nothing has happened since. */
static void fill_ack(struct things *t, union any *a)
{
	struct kreg_ioc_subscribe cmd = {
		.size = sizeof(cmd),
		.flags = KREG_SUBSCRIBE_ACK,
		.table = t->table,
		.mask = KREG_SUBSCRIBE_KINDS,
	};

	test_ioctl(t->fd, KREG_IOC_SUBSCRIBE, &cmd);
	a->ack.id = cmd.out_id;
	a->ack.seq = cmd.out_seq;
}

static const struct command {
	const char *name;
	unsigned int nr;
	unsigned int first;	/* size of the first version */
	unsigned int size;
	void (*fill)(struct things *t, union any *a);
	__u32 flags;
} commands[] = {
	{ "query", KREG_IOC_QUERY, 56, 56, fill_query, 0 },
	{ "whois", KREG_IOC_WHOIS, 32, 32, fill_whois, KREG_WHOIS_ALL },
	{ "open", KREG_IOC_OPEN, 120, 152, fill_open, KREG_OPEN_ALL },
	{ "destroy", KREG_IOC_DESTROY, 16, 16, fill_table, KREG_DESTROY_ALL },
	{ "give", KREG_IOC_GIVE, 48, 48, fill_give, KREG_GIVE_ALL },
	{ "setopt", KREG_IOC_SETOPT, 72, 72, fill_setopt, 0 },
	{ "op", KREG_IOC_OP, 80, 120, fill_op, KREG_OP_IOC_ALL },
	{ "batch", KREG_IOC_BATCH, 56, 56, fill_batch, KREG_BATCH_ALL },
	{ "sync", KREG_IOC_SYNC, 16, 16, fill_sync, 0 },
	{ "scan", KREG_IOC_SCAN, 136, 136, fill_scan, KREG_SCAN_ALL },
	{ "info", KREG_IOC_INFO, 40, 40, fill_info, KREG_INFO_IOC_ALL },
	{ "list", KREG_IOC_LIST, 40, 40, fill_list, KREG_LIST_ALL },
	{ "watch", KREG_IOC_WATCH, 112, 112, fill_watch, KREG_WATCH_ALL },
	{ "cancel", KREG_IOC_CANCEL, 16, 16, fill_cancel, KREG_CANCEL_ALL },
	{ "register", KREG_IOC_REGISTER, 128, 128, fill_register, KREG_REGISTER_ALL },
	{ "subscribe", KREG_IOC_SUBSCRIBE, 72, 72, fill_subscribe, KREG_SUBSCRIBE_ALL },
	{ "ack", KREG_IOC_ACK, 24, 24, fill_ack, 0 },
	{ "lease", KREG_IOC_LEASE, 152, 152, fill_lease, KREG_LEASE_ALL },
	{ "pin", KREG_IOC_PIN, 56, 56, fill_pin, 0 },
	{ "rename", KREG_IOC_RENAME, 48, 48, fill_rename, KREG_RENAME_ALL },
	{ "change", KREG_IOC_CHANGE, 160, 160, fill_change, 0 },
	{ "group", KREG_IOC_GROUP, 32, 32, fill_group, 0 },
	{}
};

static struct things *new_things(struct __test_metadata *_metadata, int fd, unsigned int op_size)
{
	struct things *t = calloc(1, sizeof(*t));

	t->fd = fd;
	t->op_size = op_size;
	t->kid = kid_start(_metadata);
	test_set(t->name, "abi");
	test_set(t->key, "key");
	test_set(t->value, "value");
	return t;
}

/* The argument of a call that would succeed, in memory of its own. */
static union any *fill(struct __test_metadata *_metadata, struct things *t,
		       const struct command *c)
{
	union any *a = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, a);
	test_create(t->fd, "fresh", KREG_ACCESS_PUBLIC, &t->table);
	c->fill(t, a);
	a->query.size = c->nr == KREG_IOC_OP ? t->op_size : c->size;
	return a;
}

/* Make the call, and undo what it has done. */
static int call(struct things *t, const struct command *c, union any *a)
{
	struct kreg_info info;
	int err = test_ioctl(t->fd, c->nr, a);

	_test_destroy(t->fd, t->table);
	if (c->nr == KREG_IOC_OPEN && !_test_info_name(t->fd, t->name, &info))
		_test_destroy(t->fd, info.id);
	munmap(a, 3 * PAGE);
	return err;
}

static void expect_call(struct __test_metadata *_metadata, int err,
			struct things *t, const struct command *c,
			union any *a)
{
	__u32 size = a->query.size, flags = a->query.flags;

	EXPECT_EQ(err, call(t, c, a)) {
		TH_LOG("command %s, size %u, flags %x", c->name, size, flags);
	}
}

#endif /* KREG_ABI_ABI_H */

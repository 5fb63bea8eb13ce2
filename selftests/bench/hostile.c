// SPDX-License-Identifier: GPL-2.0
/*
 * What somebody can do who wants the turn to be held for long: keys that were chosen,
 * out of the order of a scan, to share a bucket; sizes of which much has to be wiped;
 * chunks of which one slot is left.
 */
#include "hostile.h"

#define FIRST		32	/* keys that are kept of those that were tried */
#define CHOSEN		1024
#define OPS		KREG_MAX_BATCH_OPS
#define SLOT		16384	/* bytes of the largest */
#define HEADER		32	/* of a record */
#define LONG		200	/* values in a batch */
#define SHORT		HOSTILE_SHORT
#define LEFT		1000	/* of so many short ones one is left */

static struct kreg_op ops[OPS];
static char chosen[CHOSEN][KEY_LEN];

/* Some may fail, which is part of it. */
static void batch(const struct table *table, __u32 count)
{
	struct kreg_ioc_batch cmd = {
		.size = sizeof(cmd),
		.table = table->id,
		.ops = address(ops),
		.op_size = sizeof(*ops),
		.count = count,
	};

	call(table->fd, KREG_IOC_BATCH, &cmd, "hostile batch");
}

static struct kreg_op op(__u16 code, const void *key)
{
	return (struct kreg_op) { .code = code, .key = address(key), .key_len = KEY_LEN };
}

/* The first keys of the table, in its order. */
static void first_keys(const struct table *table, char (*keys)[KEY_LEN], __u32 count)
{
	size_t len = count * (sizeof(struct kreg_object) + KEY_LEN), i;
	char *buf = malloc(len);
	struct kreg_ioc_scan cmd = {
		.size = sizeof(cmd),
		.flags = KREG_SCAN_KEYS,
		.table = table->id,
		.max_count = count,
		.buf = address(buf),
		.buf_len = len,
	};

	call(table->fd, KREG_IOC_SCAN, &cmd, "hostile scan");
	if (cmd.out_count != count)
		bench_die("too few keys");
	for (i = 0; i < count; i++)
		memcpy(keys[i], buf + i * len / count + sizeof(struct kreg_object), KEY_LEN);
	free(buf);
}

static void put_chosen(const struct table *table)
{
	int i;

	for (i = 0; i < CHOSEN; i++)
		ops[i] = op(KREG_OP_PUT, chosen[CHOSEN - 1 - i]);
	batch(table, CHOSEN);
}

/* Called before anybody looks: it takes as many puts as chosen keys, squared. */
void hostile_choose(struct table *table)
{
	struct keys tried;
	int done;

	table_make(table, NULL, 1, VALUE_LEN, 0);
	for (done = 0; done < CHOSEN; done += FIRST) {
		table_clear(table->fd, table->id);
		keys_make(&tried, (done + 1L) * CHOSEN * 64, CHOSEN * FIRST);
		table_batch(table, KREG_OP_PUT, 0, &tried, tried.count, BATCH_MAX);
		first_keys(table, chosen + done, FIRST);
		keys_free(&tried);
	}
	table_clear(table->fd, table->id);
	put_chosen(table);
	first_keys(table, chosen, CHOSEN);
	table_clear(table->fd, table->id);
}

/* From the last to the first, so that no walk is long, and then to the last, often. */
void hostile_keys(const struct table *table)
{
	const char *last = chosen[CHOSEN - 1];
	int i, n;

	for (i = 0; i < OPS; i++)
		ops[i] = op(KREG_OP_PUT, i < CHOSEN ? chosen[CHOSEN - 1 - i] : last);
	batch(table, OPS);
	for (n = 0; n < 100; n++)
		batch(table, 16);
	for (i = 0; i < CHOSEN; i++)
		ops[i] = op(KREG_OP_DELETE, chosen[i]);
	batch(table, CHOSEN);
	put_chosen(table);
	for (i = 0; i < 16; i++)
		ops[i] = op(i % 2 ? KREG_OP_PUT : KREG_OP_DELETE, last);
	for (n = 0; n < 100; n++)
		batch(table, 16);
}

static void long_values(struct table *table, const char *value, __u32 len, __u32 flags)
{
	__u32 i;

	for (i = 0; i < LONG; i++) {
		ops[i] = op(KREG_OP_PUT, chosen[i]);
		ops[i].flags = flags;
		ops[i].value = address(value);
		ops[i].value_len = len;
	}
	batch(table, LONG);
	for (i = 0; i < LONG; i += 4)
		batch(table, 4);
}

void hostile_sizes(struct table *table)
{
	char *value = calloc(1, SLOT);
	__u32 most = SLOT - HEADER - KEY_LEN, i;

	table_clear(table->fd, table->id);
	long_values(table, value, most, 0);
	bench_settle();
	/* The shortest that has such a slot, again and again. */
	for (i = 0; i < 4; i++)
		long_values(table, value, SLOT * 7 / 8 - HEADER - KEY_LEN + 1, 0);
	/* All of them fail, and give their slots back. */
	long_values(table, value, most, KREG_OP_NEW);
	for (i = 0; i < LONG; i++)
		ops[i] = op(KREG_OP_DELETE, chosen[i]);
	batch(table, LONG);
	free(value);
}

/* One batch frees the last slots of many chunks. */
void hostile_chunks(struct table *table, struct keys *keys)
{
	long i, n = 0;

	table_clear(table->fd, table->id);
	table_batch(table, KREG_OP_PUT, 0, keys, SHORT, BATCH_MAX);
	for (i = 0; i < SHORT; i++) {
		if (i % LEFT)
			ops[n++] = op(KREG_OP_DELETE, keys->key[i]);
		if (n == OPS) {
			batch(table, n);
			n = 0;
		}
	}
	batch(table, n);
	bench_settle();
	for (i = 0; i < SHORT / LEFT; i++)
		ops[i] = op(KREG_OP_DELETE, keys->key[i * LEFT]);
	batch(table, SHORT / LEFT);
}

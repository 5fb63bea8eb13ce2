/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg batch: several writes, to one table or several, all or none. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	COMMON_LONG_OPTIONS
};

/* As it was claimed, if it had to be, else as it was opened. */
static struct kreg_table *table_of(const struct target *t)
{
	return t->mine ? t->mine : t->table;
}

static int open_targets(struct kreg_client *client, struct writes *w)
{
	struct target *t;
	int ret = 0;

	for (t = w->targets; !ret && t < w->targets + w->target_count; t++)
		ret = kreg_table_open(client, t->name, NULL, &t->table);
	return ret ? fail(ret) : 0;
}

static void close_targets(struct writes *w)
{
	struct target *t;

	for (t = w->targets; t < w->targets + w->target_count; t++) {
		if (t->mine)
			park_again(t->mine);
		kreg_batch_free(t->batch);
		kreg_table_close(t->table);
	}
}

static int add_write(struct kreg_batch *batch, const struct write *w)
{
	switch (w->what) {
	case WRITE_PUT:
		return kreg_batch_put(batch, w->key.data, w->key.len, w->value.data, w->value.len);
	case WRITE_NEW:
		return kreg_batch_put_new(batch, w->key.data, w->key.len, w->value.data,
					  w->value.len);
	case WRITE_SWAP:
		return kreg_batch_swap_value(batch, w->key.data, w->key.len, w->old.data,
					     w->old.len, w->value.data, w->value.len);
	case WRITE_INCR:
		return kreg_batch_counter_add(batch, w->key.data, w->key.len, w->by);
	case WRITE_DEL:
		return kreg_batch_del(batch, w->key.data, w->key.len);
	}
	return -EINVAL;
}

static int fill_batches(struct writes *w)
{
	struct target *t;
	unsigned int i;
	int ret = 0;

	for (t = w->targets; !ret && t < w->targets + w->target_count; t++) {
		kreg_batch_free(t->batch);
		t->batch = NULL;
		ret = kreg_batch_new(table_of(t), KREG_BATCH_ATOMIC, &t->batch);
	}
	for (i = 0; ret >= 0 && i < w->count; i++) {
		ret = add_write(w->targets[w->list[i].target].batch, &w->list[i]);
		w->list[i].index = ret;
	}
	return ret < 0 ? ret : 0;
}

/* @blamed: the target that is to blame, or -1. */
static int run_batches(struct writes *w, int *blamed)
{
	struct kreg_batch *batches[KREG_MAX_GROUP];
	unsigned int i;
	int ret = fill_batches(w);

	*blamed = w->target_count == 1 ? 0 : -1;
	if (ret)
		return ret;
	if (w->target_count == 1) {
		ret = kreg_batch_run(w->targets[0].batch);
		return ret < 0 ? ret : 0;
	}
	for (i = 0; i < w->target_count; i++)
		batches[i] = w->targets[i].batch;
	return kreg_batch_run_all(batches, w->target_count, blamed);
}

/* Claim the table that is to blame, if that may help; false: it does not. */
static bool claim_blamed(struct target *t)
{
	struct kreg_table *mine;

	if (t->mine || own_parked(t->table, &mine))
		return false;
	/* Another table may have taken the name meanwhile. */
	if (kreg_table_id(mine) == kreg_table_id(t->table)) {
		t->mine = mine;
		return true;
	}
	park_again(mine);
	return false;
}

static bool is_forbidden(int err)
{
	return err == -EACCES || err == -EPERM;
}

static int run_all(struct writes *w, int *blamed)
{
	int ret;

	do {
		ret = run_batches(w, blamed);
	} while (is_forbidden(ret) && *blamed >= 0 && claim_blamed(&w->targets[*blamed]));
	/* Once more, so that kreg_errmsg() tells why this failed, and not the claim. */
	return is_forbidden(ret) ? run_batches(w, blamed) : ret;
}

/* Which of the writes it was, if it was one, and that none of them is done. */
static int fail_writes(const struct writes *w, int err, int blamed)
{
	int code = fail(err), failed = blamed < 0 ? -1 :
				       kreg_batch_failed_index(w->targets[blamed].batch);
	unsigned int i;

	for (i = 0; failed >= 0 && i < w->count; i++)
		if (w->list[i].target == (unsigned int)blamed && w->list[i].index == failed)
			break;
	if (failed >= 0 && i < w->count)
		note("it was write %u of %u; nothing is changed", i + 1, w->count);
	else
		note("nothing is changed");
	return err == -ECANCELED ? EXIT_EXISTS : code;
}

/* For programs, which go by the version. */
static void report_write(const struct write *w, const struct target *t)
{
	int64_t now;

	json_begin(stdout);
	json_text("op", write_name(w->what));
	json_text("table", t->name);
	json_bytes("key", w->key.data, w->key.len);
	json_number("version", kreg_batch_version(t->batch, w->index));
	json_number("count", kreg_batch_count_of(t->batch, w->index));
	if (!kreg_batch_number(t->batch, w->index, 0, &now))
		json_signed("value", now);
	json_end();
}

static int report(const struct writes *w)
{
	unsigned int i;

	for (i = 0; json && i < w->count; i++)
		report_write(&w->list[i], &w->targets[w->list[i].target]);
	return finish_output();
}

static int run_writes(struct writes *w)
{
	struct kreg_client *client;
	int ret = open_client(&client), blamed;

	if (ret)
		return ret;
	ret = open_targets(client, w);
	if (!ret) {
		ret = run_all(w, &blamed);
		ret = ret ? fail_writes(w, ret, blamed) : report(w);
	}
	close_targets(w);
	kreg_client_close(client);
	return ret;
}

static int run(int argc, char **argv)
{
	struct writes w = { 0 };
	const char *file = NULL;
	int ret = 0;

	while (next_option(argc, argv, "+f:", options) != -1)
		file = optarg;
	need_args(argc, file ? 0 : 1, file ? 0 : -1);
	if (file)
		ret = writes_read(&w, file);
	else
		writes_parse(&w, argv + optind);
	if (!ret && w.count)
		ret = run_writes(&w);
	writes_free(&w);
	return ret;
}

const struct command cmd_batch = {
	.name = "batch",
	.args = "WRITE... | --file FILE|-",
	.summary = "several writes, all or none",
	.help = "Do several writes, all or none of them, and nobody sees but some. They are:\n\n"
		"  put NAME KEY VALUE     insert an object or replace it\n"
		"  new NAME KEY VALUE     insert it; nothing is done if the key is there\n"
		"  swap NAME KEY OLD NEW  replace it; nothing is done if it has another value\n"
		"                         than OLD\n"
		"  incr NAME KEY NUMBER   add to it, as 'kreg incr' does; nothing is done if it\n"
		"                         is not there or the sum has no room\n"
		"  del NAME KEY           remove an object, if there is one\n\n"
		"  -f, --file FILE      they are in FILE, a line each, the words apart by\n"
		"                       tabulators and escaped as 'kreg scan' prints them; '-':\n"
		"                       standard input\n\n"
		"They may be of up to 8 tables, none of them a bag, that have one writer of the\n"
		"module ('kreg new --beside'), and are at most 16 then, of 64 KiB together;\n"
		"those of one table at most 4096. A parked table that is not public is owned for\n"
		"a moment. Options stand before the writes, so no word of those is taken for\n"
		"one. With --json the version of each write is told, and what a number has\n"
		"become.",
	.run = run,
};

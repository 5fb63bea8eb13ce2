// SPDX-License-Identifier: GPL-2.0
/* Operations on objects. */
#include "differ/player.h"

static void op_insert(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]), value = word_bytes(play->arg[1]);

	say_done(kreg_put(play->table, key.data, key.len, value.data, value.len));
}

static void op_insert_new(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]), value = word_bytes(play->arg[1]);

	say_done(kreg_put_new(play->table, key.data, key.len, value.data, value.len));
}

static int add_pair(struct kreg_batch *batch, char **pair, int fresh)
{
	struct bytes key = word_bytes(pair[0]), value = word_bytes(pair[1]);

	if (fresh)
		return kreg_batch_put_new(batch, key.data, key.len, value.data, value.len);
	return kreg_batch_put(batch, key.data, key.len, value.data, value.len);
}

static void insert_pairs(struct play *play, int fresh)
{
	struct kreg_batch *batch;
	char **pair;
	int ret;

	ret = kreg_batch_new(play->table, KREG_BATCH_ATOMIC, &batch);
	if (ret) {
		say_done(ret);
		return;
	}
	for (pair = play->arg; ret >= 0 && pair[0] && pair[1]; pair += 2)
		ret = add_pair(batch, pair, fresh);
	say_done(ret < 0 ? ret : kreg_batch_run(batch));
	kreg_batch_free(batch);
}

static void op_insert_list(struct play *play)
{
	insert_pairs(play, 0);
}

static void op_insert_new_list(struct play *play)
{
	insert_pairs(play, 1);
}

/* "put:KEY:VALUE", "del:KEY" or "clear" */
static int queue_step(struct kreg_table *table, char *step)
{
	char *save, *what = strtok_r(step, ":", &save), *key = strtok_r(NULL, ":", &save);
	struct bytes k = { NULL, 0 }, v;

	if (key)
		k = word_bytes(key);
	if (!strcmp(what, "clear"))
		return kreg_clear_async(table);
	if (!strcmp(what, "del"))
		return kreg_del_async(table, k.data, k.len);
	v = word_bytes(save);
	return kreg_put_async(table, k.data, k.len, v.data, v.len);
}

/* queue TABLE STEP..., and the first error of all of them. */
static void op_queue(struct play *play)
{
	int ret = 0, done;
	char **word, *step;

	for (word = play->arg; !ret && *word; word++) {
		step = strdup(*word);
		if (!step)
			abort();
		ret = queue_step(play->table, step);
		free(step);
	}
	done = kreg_client_sync(play->client);
	say_done(done ? done : ret);
}

static void say_objects(struct play *play, struct kreg_objects *objects, int ret)
{
	const struct kreg_object *object;
	const void *data;
	size_t len;

	while (!ret && (object = kreg_objects_next(objects))) {
		data = kreg_object_value(object, &len);
		say_bytes(list_item(play), data, len);
	}
	list_say(play, 1, ret);
	if (!ret)
		kreg_objects_free(objects);
}

static void op_lookup(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	struct kreg_objects *objects = NULL;
	int ret = kreg_get_all(play->table, key.data, key.len, &objects);

	say_objects(play, objects, ret);
}

static void op_take(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	struct kreg_objects *objects = NULL;
	int ret = kreg_take_all(play->table, key.data, key.len, &objects);

	say_objects(play, objects, ret);
}

static void op_lookup_element(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	void *value;
	size_t len;
	int ret;

	if (!has_one_of_a_key(play->table)) {
		op_lookup(play);
		return;
	}
	ret = kreg_get_alloc(play->table, key.data, key.len, &value, &len);
	if (ret) {
		say_done(ret);
		return;
	}
	say_bytes(stdout, value, len);
	putchar('\n');
	free(value);
}

static void op_member(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);

	say_done(kreg_member(play->table, key.data, key.len));
}

static void op_delete(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);

	say_done(kreg_del(play->table, key.data, key.len));
}

static void op_delete_object(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]), value = word_bytes(play->arg[1]);

	say_done(kreg_del_value(play->table, key.data, key.len, value.data, value.len));
}

static void op_clear(struct play *play)
{
	say_done(kreg_clear(play->table, NULL));
}

static void op_update_element(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]), value = word_bytes(play->arg[1]);

	say_done(kreg_put_present(play->table, key.data, key.len, value.data, value.len));
}

static void op_swap(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]), old = word_bytes(play->arg[1]);
	struct bytes value = word_bytes(play->arg[2]);
	int ret;

	ret = kreg_swap_value(play->table, key.data, key.len, old.data, old.len,
			      value.data, value.len);
	if (ret)
		say_done(ret);
	else
		say_number(1);
}

static void say_counter(int ret, int64_t now)
{
	if (ret)
		say_done(ret);
	else
		say_number(now);
}

static void op_add(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	int64_t now = 0;
	int ret = kreg_counter_add(play->table, key.data, key.len, atoll(play->arg[1]), &now);

	say_counter(ret, now);
}

static void op_add_from(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	int64_t now = 0;
	int ret = kreg_counter_add_from(play->table, key.data, key.len, atoll(play->arg[1]),
					atoll(play->arg[2]), &now);

	say_counter(ret, now);
}

static void op_add_up_to(struct play *play)
{
	struct kreg_counter_options options = KREG_COUNTER_OPTIONS_INIT;
	struct bytes key = word_bytes(play->arg[0]);
	int64_t now = 0;
	int ret;

	options.flags = KREG_FIELD_THRESHOLD;
	options.threshold = atoll(play->arg[2]);
	options.set = atoll(play->arg[3]);
	ret = kreg_counter_add_with(play->table, key.data, key.len, atoll(play->arg[1]), &options,
				    &now);
	say_counter(ret, now);
}

/* Two fields, of which the second sees what the first has done. */
static void op_add_twice(struct play *play)
{
	struct bytes key = word_bytes(play->arg[0]);
	struct kreg_field field[2];
	int i, ret;

	for (i = 0; i < 2; i++)
		kreg_field_number(&field[i], KREG_FIELD_ADD, 0, 0, atoll(play->arg[1 + i]));
	ret = kreg_edit(play->table, key.data, key.len, field, 2, NULL);
	for (i = 0; !ret && i < 2; i++)
		fprintf(list_item(play), "%lld", (long long)field[i].out);
	list_say(play, 1, ret);
}

const struct op object_ops[] = {
	{ "insert", op_insert, 2, 1 },
	{ "insert_list", op_insert_list, 0, 1 },
	{ "insert_new", op_insert_new, 2, 1 },
	{ "insert_new_list", op_insert_new_list, 0, 1 },
	{ "queue", op_queue, 1, 1 },
	{ "lookup", op_lookup, 1, 1 },
	{ "lookup_element", op_lookup_element, 1, 1 },
	{ "take", op_take, 1, 1 },
	{ "member", op_member, 1, 1 },
	{ "delete", op_delete, 1, 1 },
	{ "delete_object", op_delete_object, 2, 1 },
	{ "clear", op_clear, 0, 1 },
	{ "update_element", op_update_element, 2, 1 },
	{ "swap", op_swap, 3, 1 },
	{ "add", op_add, 2, 1 },
	{ "add_from", op_add_from, 3, 1 },
	{ "add_twice", op_add_twice, 3, 1 },
	{ "add_up_to", op_add_up_to, 4, 1 },
	{ NULL, NULL, 0, 0 }
};

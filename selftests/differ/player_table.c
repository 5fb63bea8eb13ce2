// SPDX-License-Identifier: GPL-2.0
/* Operations on tables, their names and owners. */
#include "differ/player.h"

static const char *const types[] = { "0", "set", "ordered_set", "bag", "duplicate_bag" };
static const char *const accesses[] = { "0", "private", "protected", "public" };

/* The index of a word, or one that no enum has. */
static unsigned int word_index(const char *const *all, unsigned int count, const char *word)
{
	unsigned int i;

	for (i = 1; i < count; i++)
		if (!strcmp(all[i], word))
			return i;
	return 99;
}

static unsigned int word_access(const char *word)
{
	return word_index(accesses, 4, word);
}

static const struct kreg_process *word_process(struct play *play, const char *word)
{
	return &play->world->life[play->world->now[word_actor(word)]].process;
}

static const char *life_text(struct play *play, struct kreg_process process)
{
	static char text[4][24];
	static unsigned int next;
	unsigned int i = play->world->lives;
	char *to = text[next++ % 4];

	if (!process.pid)
		return "-";
	while (i--) {
		struct life *life = &play->world->life[i];

		if (life->process.pid != process.pid || life->process.cookie != process.cookie)
			continue;
		snprintf(to, sizeof(text[0]), "p%u.%u", life->actor, life->number);
		return to;
	}
	return "stranger";
}

static int is_taken(struct play *play, uint64_t id)
{
	struct kreg_stat *stat;

	if (!id || kreg_stat_by_id(play->client, id, &stat))
		return 0;
	kreg_stat_free(stat);
	return 1;
}

/* new SLOT TYPE ACCESS NAME HEIR, each of the last two may be "-" */
static void op_new(struct play *play)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	uint64_t *slot = &play->world->slot[word_slot(play->arg[0])];
	struct kreg_table *table;
	int ret;

	if (is_taken(play, *slot)) {
		say("error taken");
		return;
	}
	/* Who may write may destroy and rename, as in ETS. */
	options.flags = KREG_OPEN_CREATE | KREG_OPEN_SHARED;
	options.type = word_index(types, 5, play->arg[1]);
	options.access = word_access(play->arg[2]);
	if (play->arg[3][0] != '-')
		options.flags |= KREG_OPEN_EXCL;
	if (play->arg[4][0] != '-') {
		options.heir = *word_process(play, play->arg[4]);
		options.data = play->arg[0];
		options.data_len = strlen(play->arg[0]);
	}
	ret = kreg_table_open(play->client, play->arg[3][0] == '-' ? NULL : play->arg[3], &options,
			      &table);
	if (!ret) {
		*slot = kreg_table_id(table);
		kreg_table_close(table);
	}
	say_done(ret);
}

static void op_drop(struct play *play)
{
	say_done(kreg_table_destroy(play->table));
}

static void op_rename(struct play *play)
{
	say_done(kreg_table_rename(play->table, play->arg[0]));
}

/* exchange NAME NAME */
static void op_exchange(struct play *play)
{
	struct kreg_table *other = NULL;
	int ret = kreg_table_open(play->client, play->arg[0], NULL, &other);

	say_done(ret ? ret : kreg_table_exchange(play->table, other));
	kreg_table_close(other);
}

static void op_whereis(struct play *play)
{
	unsigned int slot;

	for (slot = 0; slot < SLOTS; slot++)
		if (play->world->slot[slot] == kreg_table_id(play->table))
			break;
	printf("t%u\n", slot);
}

static void op_give(struct play *play)
{
	struct bytes data = word_bytes(play->arg[1]);

	say_done(kreg_table_give(play->table, word_process(play, play->arg[0]), data.data,
				 data.len));
}

/* heir TABLE -, heir TABLE ACTOR DATA */
static void op_heir(struct play *play)
{
	struct bytes data = { NULL, 0 };

	if (play->arg[1])
		data = word_bytes(play->arg[1]);
	say_done(kreg_table_set_heir(play->table,
				     play->arg[1] ? word_process(play, play->arg[0]) : NULL,
				     data.data, data.len, 0));
}

static void op_access(struct play *play)
{
	say_done(kreg_table_set_access(play->table, word_access(play->arg[0])));
}

static void op_info(struct play *play)
{
	struct kreg_stat *stat;
	const char *name;
	int ret = kreg_table_stat(play->table, &stat);

	if (ret) {
		say_done(ret);
		return;
	}
	name = kreg_stat_name(stat);
	printf("%s %s %s %s %s %llu\n", types[kreg_stat_type(stat)],
	       accesses[kreg_stat_access(stat)], life_text(play, kreg_stat_owner(stat)),
	       life_text(play, kreg_stat_heir(stat)), *name ? name : "-",
	       (unsigned long long)kreg_stat_objects(stat));
	kreg_stat_free(stat);
}

static void op_size(struct play *play)
{
	uint64_t objects;
	int ret = kreg_count(play->table, &objects);

	if (ret)
		say_done(ret);
	else
		say_number(objects);
}

/* All tables that have come: from whom, and with what. */
static void op_mail(struct play *play)
{
	const struct kreg_event *event;
	const void *data;
	size_t len;
	FILE *list;
	int ret;

	while (!(ret = kreg_event_next(play->client, 0, &event))) {
		list = list_item(play);
		if (kreg_event_kind(event) != KREG_EVENT_TRANSFER)
			fprintf(list, "kind %u ", kreg_event_kind(event));
		fprintf(list, "%s:", life_text(play, kreg_event_process(event)));
		data = kreg_event_data(event, &len);
		say_bytes(list, data, len);
	}
	list_say(play, 1, ret == -EAGAIN ? 0 : ret);
}

const struct op table_ops[] = {
	{ "new", op_new, 5, 0 },
	{ "drop", op_drop, 0, 1 },
	{ "rename", op_rename, 1, 1 },
	{ "exchange", op_exchange, 1, 1 },
	{ "whereis", op_whereis, 0, 1 },
	{ "give", op_give, 2, 1 },
	{ "heir", op_heir, 1, 1 },
	{ "access", op_access, 1, 1 },
	{ "info", op_info, 0, 1 },
	{ "size", op_size, 0, 1 },
	{ "mail", op_mail, 0, 0 },
	{ NULL, NULL, 0, 0 }
};

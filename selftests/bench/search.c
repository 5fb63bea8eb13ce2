// SPDX-License-Identifier: GPL-2.0
/*
 * Search: what it takes to look at an object and pass it over, to take one, and to change one.
 * All is counted by the object.
 */
#include "groups.h"
#include "table.h"

#define OBJECTS	100000
#define CHANGED	10000
#define ROOM	(64 << 10)

struct search {
	struct table *table;
	struct kreg_term terms[2];
	__u32 count;
	char *room;
};

/* Of a number in the value, which is any. */
static struct kreg_term term_of(__u8 op)
{
	return (struct kreg_term) {
		.op = op,
		.of = KREG_TERM_VALUE,
		.no = KREG_TERM_REJECT,
		.size = 8,
		.mask = ~0ULL,
		.value = 1ULL << 62,
	};
}

static void look_at_all(void *arg, long count)
{
	struct search *s = arg;
	struct kreg_ioc_scan cmd = {
		.size = sizeof(cmd),
		.flags = KREG_SCAN_COUNT,
		.table = s->table->id,
		.range.filter = address(s->terms),
		.range.filter_count = s->count,
	};

	call(s->table->fd, KREG_IOC_SCAN, &cmd, "count");
	if (cmd.out_count && cmd.out_count != count)
		bench_die("a filter is for some of what is the same");
}

static void take_all(void *arg, long count)
{
	struct search *s = arg;
	struct kreg_ioc_scan cmd = {
		.size = sizeof(cmd),
		.table = s->table->id,
		.range.filter = address(s->terms),
		.range.filter_count = s->count,
		.buf = address(s->room),
		.buf_len = ROOM,
	};
	char key[KEY_LEN], *at;
	__u32 i;

	do {
		call(s->table->fd, KREG_IOC_SCAN, &cmd, "scan");
		at = s->room;
		for (i = 0; i + 1 < cmd.out_count; i++)
			at += ((struct kreg_object *)at)->size;
		memcpy(key, at + sizeof(struct kreg_object), KEY_LEN);
		cmd.range.after = address(key);
		cmd.range.after_len = KEY_LEN;
		count -= cmd.out_count;
	} while (cmd.out_more);
	if (count)
		bench_die("a search did not find all objects");
}

static void change_some(void *arg, long count)
{
	struct search *s = arg;
	struct kreg_field field = { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP, .offset = 8 };
	struct kreg_ioc_change cmd = {
		.size = sizeof(cmd),
		.table = s->table->id,
		.range.filter = address(s->terms),
		.range.filter_count = s->count,
		.code = KREG_OP_EDIT,
		.fields = address(&field),
		.field_count = 1,
		.max_count = count,
	};

	call(s->table->fd, KREG_IOC_CHANGE, &cmd, "change");
	if (cmd.out_count != (__u64)count)
		bench_die("a change did not find all objects");
}

static void measure_search(struct search *s, const char *op, void (*run)(void *arg, long count),
			   long count)
{
	struct bench bench = {
		.system = "kreg",
		.op = op,
		.objects = OBJECTS,
		.count = count,
		.run = run,
		.arg = s,
	};

	bench_run(&bench);
}

void group_search(void)
{
	struct table table;
	struct search s = { .table = &table, .count = 1, .room = aligned_alloc(8, ROOM) };

	table_make(&table, NULL, OBJECTS, VALUE_LEN, 1);
	/* No object has this number; then none has another one. */
	s.terms[0] = term_of(KREG_TERM_EQ);
	measure_search(&s, "search-looked-at", look_at_all, OBJECTS);
	s.terms[0].op = KREG_TERM_NE;
	s.terms[1] = term_of(KREG_TERM_EQ);
	s.count = 2;
	measure_search(&s, "search-two-terms", look_at_all, OBJECTS);
	s.count = 1;
	measure_search(&s, "search-taken", take_all, OBJECTS);
	measure_search(&s, "search-and-edit", change_some, CHANGED);
	table_free(&table);
	free(s.room);
}

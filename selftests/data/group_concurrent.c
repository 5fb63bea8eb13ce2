// SPDX-License-Identifier: GPL-2.0
/*
 * Groups, while others read and write the tables.
 */
#include <pthread.h>

#include "data/group.h"
#include "kit/bag.h"

#define ROUNDS	2000

FIXTURE_VARIANT_ADD(group, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(group, ordered) { .type = KREG_TYPE_ORDERED_SET };
FIXTURE_VARIANT_ADD(group, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(group, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

static bool has_runs(__u32 type)
{
	return type == KREG_TYPE_BAG || type == KREG_TYPE_DUPLICATE_BAG;
}

struct mover {
	pthread_t thread;
	int fd;
	__u64 from, to;
	int moves;
	int errors;
};

/* Whatever others do meanwhile: it is there, or it was elsewhere. */
static void *move_to_and_fro(void *arg)
{
	struct kreg_op ops[2] = { test_ops(KREG_OP_DELETE, "key"), test_op_puts("key", "value") };
	struct mover *m = arg;
	struct kreg_ioc_batch batches[2];
	unsigned int i;
	int err;

	/* MINE is not said: a DELETE of nothing is no failure, but PUT with NEW is one. */
	ops[1].flags = KREG_OP_NEW;
	for (i = 0; i < test_size(ROUNDS); i++) {
		__u64 from = i & 1 ? m->to : m->from, to = i & 1 ? m->from : m->to;

		batches[0] = test_batch_cmd(from, 0, &ops[0], 1);
		batches[1] = test_batch_cmd(to, 0, &ops[1], 1);
		err = run_group(m->fd, batches, 2, NULL);
		m->moves += !err;
		m->errors += err && err != -EEXIST;
	}
	return NULL;
}

static void *write_batches(void *arg)
{
	struct mover *m = arg;
	struct kreg_op ops[100];
	char keys[100][8];
	unsigned int i, j;

	for (j = 0; j < 100; j++) {
		snprintf(keys[j], sizeof(keys[j]), "%d", j);
		ops[j] = test_op_puts(keys[j], "value");
	}
	for (i = 0; i < test_size(ROUNDS) / 10; i++)
		m->errors += !!_test_batch(m->fd, i & 1 ? m->from : m->to, KREG_BATCH_ATOMIC, ops,
					   100, NULL);
	return NULL;
}

/* One object goes to and fro, in opposite directions, while long batches are under way. */
TEST_F(group, concurrent)
{
	void *(*work[])(void *arg) = { move_to_and_fro, move_to_and_fro, write_batches };
	struct mover movers[ARRAY_SIZE(work)];
	unsigned int i;

	test_puts(self->fd, self->a, "key", "value");
	for (i = 0; i < ARRAY_SIZE(work); i++) {
		movers[i] = (struct mover) { .fd = test_client(), .from = self->a, .to = self->b };
		if (i & 1)
			movers[i] = (struct mover) { .fd = movers[i].fd, .from = self->b,
						     .to = self->a };
		ASSERT_EQ(0, pthread_create(&movers[i].thread, NULL, work[i], &movers[i]));
	}
	for (i = 0; i < ARRAY_SIZE(work); i++) {
		pthread_join(movers[i].thread, NULL);
		EXPECT_EQ(0, movers[i].errors);
		close(movers[i].fd);
	}
	EXPECT_LT(0, movers[0].moves + movers[1].moves);
	EXPECT_EQ(1, !_test_member(self->fd, self->a, "key") +
		     !_test_member(self->fd, self->b, "key"));
}

/*
 * Of the first table many keys, of the others one; all have the number of the group, or as many
 * objects, through all of which a PUT has to go.
 */
#define OTHERS	(KREG_MAX_GROUP - 1)
#define WIDTH	(KREG_MAX_GROUP_OPS - OTHERS)

struct counter {
	pthread_t thread;
	int fd, err;
	__u64 tables[KREG_MAX_GROUP], rounds;
	bool runs;
};

static void *write_numbers(void *arg)
{
	struct counter *c = arg;
	struct kreg_ioc_batch batches[KREG_MAX_GROUP];
	struct kreg_op ops[WIDTH + OTHERS];
	char keys[WIDTH][8];
	__u64 number = 0;
	int i;

	for (i = 0; i < WIDTH; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", WIDTH - 1 - i);
		ops[i] = test_op_value(KREG_OP_PUT, keys[i], strlen(keys[i]), &number,
				       sizeof(number));
	}
	batches[0] = test_batch_cmd(c->tables[0], 0, ops, WIDTH);
	for (i = 0; i < OTHERS; i++) {
		ops[WIDTH + i] = ops[WIDTH - 1];
		batches[i + 1] = test_batch_cmd(c->tables[i + 1], 0, &ops[WIDTH + i], 1);
	}
	while (!c->err && number++ < c->rounds)
		c->err = run_group(c->fd, batches, KREG_MAX_GROUP, NULL);
	return NULL;
}

/* Of the table; 0: none yet. */
static __u64 get_number(const struct counter *c, int fd, __u64 table)
{
	__u64 number = 0;
	int n;

	if (c->runs) {
		n = test_number_of(fd, table, "0");
		return n < 0 ? 0 : n;
	}
	return _test_get(fd, table, "0", 1, &number, sizeof(number)) < 0 ? 0 : number;
}

/* Who finds what the last batch has done finds then what the first has done. */
TEST_F(group, in_their_order)
{
	bool runs = has_runs(variant->type);
	struct counter c = {
		.fd = test_client(), .tables = { self->a, [OTHERS] = self->b },
		.rounds = test_size(runs ? ROUNDS / 10 : ROUNDS), .runs = runs,
	};
	__u64 last, first, wrong = 0;
	int i;

	ASSERT_LE(0, c.fd);
	for (i = 1; i < OTHERS; i++)
		ASSERT_EQ(0, create_beside(self->fd, variant->type, self->a, &c.tables[i]));
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, write_numbers, &c));
	do {
		last = get_number(&c, self->fd, self->b);
		first = get_number(&c, self->fd, self->a);
		wrong += first < last;
	} while (last < c.rounds && !__atomic_load_n(&c.err, __ATOMIC_RELAXED));
	pthread_join(c.thread, NULL);
	close(c.fd);
	EXPECT_EQ(0, c.err);
	EXPECT_EQ(0, wrong);
}

TEST_HARNESS_MAIN

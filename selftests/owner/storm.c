// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes that bind, take back and die, all at the same keys: an object is always
 * bound to the process that its value names, and nothing is left of the dead.
 */
#include "kit/fixture.h"
#include "kit/bound.h"

#define KIDS	5
#define KEYS	40
#define TABLES	3

FIXTURE(storm) {
	struct test_base base;
	int fd;
	__u64 tables[TABLES];
};

FIXTURE_SETUP(storm)
{
	int i;

	self->fd = test_setup(_metadata, &self->base);
	for (i = 0; i < TABLES; i++)
		test_create(self->fd, NULL, KREG_ACCESS_REGISTRY, &self->tables[i]);
}

FIXTURE_TEARDOWN_PARENT(storm)
{
	test_teardown(_metadata, &self->base);
}

struct turn {
	__u64 *tables;
	unsigned int seed;
	int fd;
	char pid[12];
};

static unsigned int draw(struct turn *t, unsigned int n)
{
	t->seed = t->seed * 1103515245 + 12345;
	return (t->seed >> 16) % n;
}

static struct kreg_op draw_op(struct turn *t, char *key)
{
	struct kreg_op op;

	snprintf(key, 8, "k%u", draw(t, KEYS));
	op = test_op_puts(key, t->pid);
	switch (draw(t, 8)) {
	case 0:
		op = test_ops(KREG_OP_DELETE, key);
		op.flags = KREG_OP_MINE;
		break;
	case 1:
		op.flags = KREG_OP_MINE;
		break;
	case 2:
	case 3:
		op.flags = KREG_OP_BOUND;
		break;
	default:
		op.flags = KREG_OP_BOUND | KREG_OP_NEW;
	}
	return op;
}

static bool is_right(int err)
{
	return !err || err == -EEXIST || err == -ENODATA || err == -EACCES;
}

static int write_one(struct turn *t, __u64 table)
{
	char key[8];
	struct kreg_op op = draw_op(t, key);

	return _test_op(t->fd, table, op.flags == KREG_OP_BOUND && draw(t, 2) ?
			KREG_WRITE_ASYNC : 0, &op);
}

static int write_many(struct turn *t, __u64 table)
{
	static struct kreg_op ops[60];
	static char keys[60][8];
	unsigned int i, n = 1 + draw(t, 60);

	for (i = 0; i < n; i++)
		ops[i] = draw_op(t, keys[i]);
	return _test_batch(t->fd, table, draw(t, 2) ? KREG_BATCH_ATOMIC : 0, ops, n, NULL);
}

static long job_storm(struct job *job)
{
	struct turn t = { .tables = (void *)job->data, .seed = job->arg, .fd = job->fd };
	int err = 0;

	snprintf(t.pid, sizeof(t.pid), "%d", getpid());
	while (is_right(err)) {
		__u64 table = t.tables[draw(&t, TABLES)];

		err = draw(&t, 4) ? write_one(&t, table) : write_many(&t, table);
	}
	job->ret = err;
	return err;
}

static struct kid *start_one(struct __test_metadata *_metadata, const __u64 *tables,
			     unsigned int seed)
{
	struct kid *kid = kid_start(_metadata);

	memcpy(kid->job->data, tables, TABLES * sizeof(*tables));
	kid->job->arg = seed;
	kid_ask(kid, job_storm);
	return kid;
}

/* Each object names the process that it is bound to. */
static void look(struct __test_metadata *_metadata, int fd, __u64 table)
{
	static __u64 buf[2048];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_PROCESSES, .table = table, .buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	struct kreg_object *object = (void *)buf;
	struct kreg_process whom;
	char value[16];
	unsigned int i;

	test_scan(fd, &cmd);
	EXPECT_EQ(0, cmd.out_more);
	for (i = 0; i < cmd.out_count; i++, object = (void *)object + object->size) {
		memcpy(&whom, (char *)object + object->size - sizeof(whom), sizeof(whom));
		snprintf(value, sizeof(value), "%.*s", (int)object->value_len,
			 (char *)(object + 1) + object->key_len);
		/* It may have died since it was found. */
		if (whom.pid)
			EXPECT_EQ((__u32)atoi(value), whom.pid);
	}
}

TEST_F(storm, registries)
{
	struct kid *kids[KIDS];
	unsigned int i, n, rounds = test_size(2000), left;

	for (i = 0; i < KIDS; i++)
		kids[i] = start_one(_metadata, self->tables, i + 1);
	for (n = 0; n < rounds; n++) {
		i = (n * 7 + n / 3) % KIDS;
		look(_metadata, self->fd, self->tables[n % TABLES]);
		if (n % 3 == 0) {
			EXPECT_EQ(SIGKILL, kid_kill(kids[i]));
			kids[i] = start_one(_metadata, self->tables, n * 31 + 7);
		}
		if (n % 50 == 0)
			test_clear(self->fd, self->tables[n % TABLES]);
		if (n % 90 == 89) {
			test_destroy(self->fd, self->tables[0]);
			test_create(self->fd, NULL, KREG_ACCESS_REGISTRY, &self->tables[0]);
			for (left = 0; left < KIDS; left++) {
				kid_kill(kids[left]);
				kids[left] = start_one(_metadata, self->tables, n + left);
			}
		}
	}
	for (i = 0; i < KIDS; i++)
		EXPECT_EQ(SIGKILL, kid_kill(kids[i]));
	test_sync(self->fd);
	for (i = 0; i < TABLES; i++) {
		EXPECT_EQ(0, test_objects(self->fd, self->tables[i]));
		EXPECT_EQ(0, test_bound(self->fd, self->tables[i]));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Ghosts, as Immortal has them: what a process has registered stays for a while after its death,
 * so that a short absence is not seen. There it takes a process of its own; here it is a time
 * that the process registers with.
 */
#include "kit/oom_group.h"
#include "kit/util.h"
#include "lib/die.h"
#include "lib/lib.h"

#define FOREVER_MS	3600000
#define FADES_MS	100

FIXTURE(ghost) {
	struct kreg_client *client;
	struct kreg_table *table;
	struct kid kid;
	char name[32];
};

FIXTURE_SETUP(ghost)
{
	snprintf(self->name, sizeof(self->name), "ghosts-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->table));
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
}

FIXTURE_TEARDOWN(ghost)
{
	if (self->kid.pid)
		kid_kill(&self->kid);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static int append(const void *old, size_t old_len, void *buf, size_t room, size_t *len, void *arg)
{
	const char *more = arg;

	*len = old_len + strlen(more);
	if (*len > room)
		return -EMSGSIZE;
	memcpy(buf, old, old_len);
	memcpy((char *)buf + old_len, more, strlen(more));
	return 0;
}

/* 'r': stays for an hour, 'f': fades soon; 'u': a new value; else it ends so. */
static int be_target(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_register_options options = KREG_REGISTER_OPTIONS_INIT;
	static struct kreg_table *table;
	int ret = table ? 0 : kreg_table_open(client, name, NULL, &table);

	if (ret)
		return ret;
	if (!strchr("urf", letter))
		die(letter);
	if (letter == 'u')
		return kreg_registry_update(table, "alice", 5, append, " and back");
	options.linger_ms = letter == 'r' ? FOREVER_MS : FADES_MS;
	return kreg_register_with(table, "alice", 5, "here", 4, &options, NULL);
}

static struct kreg_holder find(struct kreg_table *table)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;

	if (kreg_whereis(table, "alice", 5, &holder))
		memset(&holder, 0, sizeof(holder));
	return holder;
}

static bool has_value(struct kreg_table *table, const char *value)
{
	char buf[64];
	size_t len;

	return !kreg_get(table, "alice", 5, buf, sizeof(buf), &len) && len == strlen(value) &&
	       !memcmp(buf, value, len);
}

/* The target has just died: it is there, and said to be dead. */
TEST_F(ghost, remains)
{
	struct kreg_holder alive, dead;

	ASSERT_EQ(0, kid_start(&self->kid, be_target, self->name));
	ASSERT_EQ(0, kid_do(&self->kid, 'r'));
	alive = find(self->table);
	EXPECT_EQ(self->kid.pid, (pid_t)alive.process.pid);
	EXPECT_EQ(SIGKILL, kid_kill(&self->kid));
	dead = find(self->table);
	EXPECT_EQ(0, dead.process.pid);
	EXPECT_EQ(alive.process.cookie, dead.process.cookie);
	EXPECT_EQ(alive.version, dead.version);
	EXPECT_TRUE(has_value(self->table, "here"));
	/* It comes back within the time: nobody has seen it absent. */
	ASSERT_EQ(0, kid_start(&self->kid, be_target, self->name));
	ASSERT_EQ(0, kid_do(&self->kid, 'r'));
	alive = find(self->table);
	EXPECT_EQ(self->kid.pid, (pid_t)alive.process.pid);
	EXPECT_LT(dead.version, alive.version);
}

/* Whatever it dies of, the last time of want of memory; each displaces the one before. */
TEST_F(ghost, remains_after_any_cause)
{
	struct kreg_holder alive, dead;
	int expected, ret;
	size_t i;

	for (i = 0; i <= ENDINGS; i++) {
		ASSERT_EQ(0, kid_start(&self->kid, be_target, self->name));
		ASSERT_EQ(0, kid_do(&self->kid, 'r'));
		alive = find(self->table);
		EXPECT_EQ(self->kid.pid, (pid_t)alive.process.pid);
		expected = i < ENDINGS ? endings[i].status : SIGKILL;
		ret = i < ENDINGS ? kid_do(&self->kid, endings[i].how) :
			oom_kill_process(self->kid.pid);
		ASSERT_EQ(i < ENDINGS ? -EPIPE : 0, ret);
		EXPECT_EQ(expected, kid_kill(&self->kid) & ~DUMPED);
		dead = find(self->table);
		EXPECT_EQ(0, dead.process.pid);
		EXPECT_EQ(alive.process.cookie, dead.process.cookie);
		EXPECT_TRUE(has_value(self->table, "here"));
	}
}

/* It is gone after its time, and not before; EXIT says that it had lingered. */
TEST_F(ghost, fades)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	uint64_t killed;

	ASSERT_EQ(0, kreg_subscribe(self->table, KREG_SUBSCRIBE_KIND(KREG_EVENT_EXIT), 0, 0, NULL,
				    NULL, &ref));
	ASSERT_EQ(0, kid_start(&self->kid, be_target, self->name));
	ASSERT_EQ(0, kid_do(&self->kid, 'f'));
	killed = kreg_deadline(0);
	EXPECT_EQ(SIGKILL, kid_kill(&self->kid));
	ASSERT_EQ(0, kreg_wait(self->table, "alice", 5, KREG_WATCH_ABSENT, 0, PATIENCE_MS));
	EXPECT_LE(killed + FADES_MS * 1000000ULL, kreg_deadline(0));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "alice", 5));
	ASSERT_EQ(0, kreg_event_next(self->client, PATIENCE_MS, &event));
	EXPECT_EQ(KREG_EVENT_EXIT, kreg_event_kind(event));
	EXPECT_EQ(KREG_CAUSE_EXPIRED, kreg_event_cause(event));
	kreg_ref_cancel(ref);
}

/* A function makes the new value, while the target lives; another process does after that. */
TEST_F(ghost, update)
{
	struct kreg_op_args put = KREG_OP_ARGS_INIT;
	struct kreg_holder dead;

	ASSERT_EQ(0, kid_start(&self->kid, be_target, self->name));
	ASSERT_EQ(0, kid_do(&self->kid, 'r'));
	ASSERT_EQ(0, kid_do(&self->kid, 'u'));
	EXPECT_TRUE(has_value(self->table, "here and back"));
	EXPECT_EQ(SIGKILL, kid_kill(&self->kid));
	dead = find(self->table);
	EXPECT_NE(0, dead.version);
	EXPECT_TRUE(has_value(self->table, "here and back"));
	put.code = KREG_OP_PUT;
	put.key = "alice";
	put.key_len = 5;
	put.value = "away";
	put.value_len = 4;
	put.flags = KREG_OP_VERSION;
	put.version = dead.version;
	EXPECT_EQ(0, kreg_op_run(self->table, &put));
	EXPECT_TRUE(has_value(self->table, "away"));
	EXPECT_EQ(dead.process.cookie, find(self->table).process.cookie);
	/* Somebody has been faster. */
	EXPECT_EQ(-ECANCELED, kreg_op_run(self->table, &put));
}

TEST_HARNESS_MAIN

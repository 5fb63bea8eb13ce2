// SPDX-License-Identifier: GPL-2.0
/* libkreg: locks, registrations that wait for their turn, and one start at a time. */
#include <sys/mman.h>

#include "lib/lib.h"

static struct kreg_lock *kids_lock;

static struct kreg_table *open_named(struct kreg_client *client, const char *name)
{
	static struct kreg_table *table;
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;

	if (!table && kreg_table_open(client, name, &o, &table))
		_exit(1);
	return table;
}

/* l: lock, t: try, u: unlock, s: how many tokens. */
static int locker(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_table *table = open_named(client, name);
	int ret = -EOPNOTSUPP;

	if (letter == 'l' || letter == 't') {
		ret = kreg_lock(table, "k", 1, letter == 'l' ? -1 : 0, &kids_lock);
		return ret ? ret : (int)kreg_lock_token(kids_lock);
	}
	if (letter == 'u') {
		ret = kreg_unlock(kids_lock);
		kids_lock = NULL;
	}
	return ret;
}

static void share(struct __test_metadata *_metadata, struct kreg_table *table)
{
	ASSERT_EQ(0, kreg_table_set_access(table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_table_set_mode(table, 0666));
}

TEST_F(lib, lock_and_unlock)
{
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_lock *lock, *again;
	struct kreg_process me;
	uint64_t token;
	char value[16];
	size_t len;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	token = kreg_lock_token(lock);
	ASSERT_EQ(0, kreg_whereis(self->table, "k", 1, &holder));
	EXPECT_EQ(token, holder.version);
	EXPECT_EQ(me.cookie, holder.process.cookie);
	EXPECT_EQ(-EALREADY, kreg_lock(self->table, "k", 1, -1, &again));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "already"));
	EXPECT_EQ(-EALREADY, kreg_lock(self->table, "k", 1, 0, &again));
	EXPECT_EQ(0, kreg_unlock(lock));
	EXPECT_EQ(-ENODATA, kreg_whereis(self->table, "k", 1, &holder));
	o.value = "backup";
	o.value_len = 6;
	holder = (struct kreg_holder)KREG_HOLDER_INIT;
	o.holder = &holder;
	ASSERT_EQ(0, kreg_lock_with(self->table, "k", 1, &o, &lock));
	EXPECT_LT(token, kreg_lock_token(lock));
	EXPECT_EQ(kreg_lock_token(lock), holder.version);
	EXPECT_EQ(me.pid, holder.process.pid);
	EXPECT_EQ(0, kreg_get(self->table, "k", 1, value, sizeof(value), &len));
	EXPECT_EQ(6, len);
	EXPECT_EQ(0, kreg_unlock(lock));
	EXPECT_EQ(0, kreg_unlock(NULL));
	ASSERT_EQ(0, kreg_lock_with(self->table, "k", 1, NULL, &lock));
	EXPECT_EQ(0, kreg_unlock(lock));
}

TEST_F(lib, lock_errors)
{
	char long_key[KREG_MAX_KEY + 1] = "";
	struct kreg_register_options with = KREG_REGISTER_OPTIONS_INIT;
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;
	struct kreg_holder holder = { .size = 1 };
	struct kreg_lock *lock;
	struct kreg_ref *ref;

	EXPECT_EQ(-EINVAL, kreg_lock(self->table, "", 0, 0, &lock));
	EXPECT_EQ(-ENAMETOOLONG, kreg_lock(self->table, long_key, sizeof(long_key), 0, &lock));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "1025"));
	o.holder = &holder;
	EXPECT_EQ(-EINVAL, kreg_lock_with(self->table, "k", 1, &o, &lock));
	with.version = 1;
	EXPECT_EQ(-EINVAL, kreg_register_wait(self->table, "k", 1, "", 0, &with, 0, NULL));
	EXPECT_EQ(-EINVAL, kreg_register_standby(self->table, "k", 1, "", 0, &with, NULL, NULL,
						 &ref));
	EXPECT_EQ(-EINVAL, kreg_register_wait(self->table, "k", 1, "", 0, NULL, 0, &holder));
	EXPECT_EQ(-EINVAL, kreg_register_standby(self->table, "", 0, "", 0, NULL, NULL, NULL,
						 &ref));
	/* Somebody else deletes it. */
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	ASSERT_EQ(1, kreg_del(self->table, "k", 1));
	EXPECT_EQ(-ECANCELED, kreg_unlock(lock));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), self->name));
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_unlock(lock));
	EXPECT_EQ(-ESTALE, kreg_lock(self->table, "k", 1, -1, &lock));
}

/* Who has the lock may put other values under its key. */
TEST_F(lib, lock_with_new_values)
{
	struct kreg_lock *lock;
	struct kid kid;
	uint64_t token;

	share(_metadata, self->table);
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	token = kreg_lock_token(lock);
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "begun", 5));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "half", 4));
	EXPECT_EQ(token, kreg_lock_token(lock));
	EXPECT_EQ(-ETIMEDOUT, kid_do(&kid, 't'));
	ASSERT_EQ(1, write(kid.sock, "l", 1));
	EXPECT_EQ(0, kreg_unlock(lock));
	EXPECT_LT((int)token, kid_answer(&kid));
	EXPECT_EQ(-ETIMEDOUT, kreg_lock(self->table, "k", 1, 0, &lock));
	kid_kill(&kid);
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	/* Now it is another one's. */
	ASSERT_EQ(1, kreg_del(self->table, "k", 1));
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	ASSERT_LT(0, kid_do(&kid, 'l'));
	EXPECT_EQ(-ECANCELED, kreg_unlock(lock));
	EXPECT_EQ(-ETIMEDOUT, kreg_lock(self->table, "k", 1, 0, &lock));
	EXPECT_EQ(0, kid_do(&kid, 'u'));
	kid_kill(&kid);
}

/* The handle of a lock that was taken away by hand does not release the one that came after it. */
TEST_F(lib, lock_after_a_lost_one)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_lock *lost, *lock;

	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lost));
	ASSERT_EQ(1, kreg_del(self->table, "k", 1));
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	EXPECT_EQ(-ECANCELED, kreg_unlock(lost));
	EXPECT_EQ(0, kreg_whereis(self->table, "k", 1, &holder));
	EXPECT_EQ(0, kreg_unlock(lock));
	EXPECT_EQ(-ENODATA, kreg_whereis(self->table, "k", 1, &holder));
}

TEST_F(lib, lock_of_another)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_lock_options o = KREG_LOCK_OPTIONS_INIT;
	struct kreg_lock *lock;
	struct kid kid;
	char pid[16];
	int token;

	share(_metadata, self->table);
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	token = kid_do(&kid, 'l');
	ASSERT_LT(0, token);
	o.timeout_ms = 10;
	o.holder = &holder;
	EXPECT_EQ(-ETIMEDOUT, kreg_lock_with(self->table, "k", 1, &o, &lock));
	snprintf(pid, sizeof(pid), "%d ", kid.pid);
	EXPECT_NE(NULL, strstr(kreg_errmsg(), pid));
	EXPECT_EQ(kid.pid, (pid_t)holder.process.pid);
	EXPECT_EQ((uint64_t)token, holder.version);
	EXPECT_EQ(-ETIMEDOUT, kreg_lock(self->table, "k", 1, 0, &lock));
	/* The dead has nothing. */
	EXPECT_EQ(SIGKILL, kid_kill(&kid));
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, 0, &lock));
	EXPECT_LT((uint64_t)token, kreg_lock_token(lock));
	/* Who waits gets it. */
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	EXPECT_EQ(-ETIMEDOUT, kid_do(&kid, 't'));
	ASSERT_EQ(1, write(kid.sock, "l", 1));
	EXPECT_EQ(0, kreg_unlock(lock));
	EXPECT_LT(token, kid_answer(&kid));
	EXPECT_EQ(0, kid_do(&kid, 'u'));
	kid_kill(&kid);
}

/* A child does not have it. */
TEST_F(lib, lock_and_fork)
{
	struct kreg_lock *lock;
	int status;
	pid_t pid;

	share(_metadata, self->table);
	ASSERT_EQ(0, kreg_lock(self->table, "k", 1, -1, &lock));
	pid = fork();
	if (!pid)
		_exit(kreg_unlock(lock) != -ESTALE || !strstr(kreg_errmsg(), "parent"));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, kreg_unlock(lock));
}

struct told {
	struct kreg_table *table;
	struct kreg_lock *lock;
	unsigned int kind;
	int ret;
};

static void on_turn(const struct kreg_event *event, void *arg)
{
	struct told *told = arg;

	told->kind = kreg_event_kind(event);
	told->ret = kreg_lock_take(told->table, event, &told->lock);
}

TEST_F(lib, lock_without_waiting)
{
	struct told told = { .table = self->table, .ret = 1 };
	struct kreg_ref *ref = (void *)&told;
	struct kid kid;

	share(_metadata, self->table);
	ASSERT_EQ(1, kreg_register_standby(self->table, "free", 4, "", 0, NULL, on_turn, &told,
					   &ref));
	EXPECT_EQ(NULL, ref);
	EXPECT_EQ(-EALREADY, kreg_register_standby(self->table, "free", 4, "", 0, NULL, on_turn,
						   &told, &ref));
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	ASSERT_LT(0, kid_do(&kid, 'l'));
	ASSERT_EQ(0, kreg_register_standby(self->table, "k", 1, "v", 1, NULL, on_turn, &told,
					   &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	ASSERT_EQ(0, kreg_register_standby(self->table, "k", 1, "v", 1, NULL, on_turn, &told,
					   &ref));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(0, kid_do(&kid, 'u'));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(KREG_EVENT_READY, told.kind);
	ASSERT_EQ(0, told.ret);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(-ETIMEDOUT, kid_do(&kid, 't'));
	EXPECT_EQ(0, kreg_unlock(told.lock));
	ASSERT_LT(0, kid_do(&kid, 't'));
	/* One that says that the table is gone brings no lock. */
	ASSERT_EQ(0, kreg_register_standby(self->table, "k", 1, "v", 1, NULL, on_turn, &told,
					   &ref));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, PATIENCE_MS));
	EXPECT_EQ(KREG_EVENT_GONE, told.kind);
	EXPECT_EQ(-EINVAL, told.ret);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kid_kill(&kid);
}

TEST_F(lib, register_in_turn)
{
	struct kreg_register_options o = KREG_REGISTER_OPTIONS_INIT;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_process me;
	struct kid kid;

	share(_metadata, self->table);
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kid_start(&kid, locker, self->name));
	ASSERT_LT(0, kid_do(&kid, 'l'));
	o.linger_ms = 60000;
	EXPECT_EQ(-ETIMEDOUT, kreg_register_wait(self->table, "k", 1, "v", 1, &o, 0, &holder));
	EXPECT_EQ(kid.pid, (pid_t)holder.process.pid);
	kid_kill(&kid);
	EXPECT_EQ(0, kreg_register_wait(self->table, "k", 1, "v", 1, &o, -1, &holder));
	EXPECT_EQ(me.cookie, holder.process.cookie);
	EXPECT_EQ(1, kreg_unregister(self->table, "k", 1));
}

/* What all of them share: how many were started, and what went wrong. */
struct starts {
	_Atomic int count;
	char name[32];
	bool dies;
};

static int start_server(const void *key, size_t key_len, void *arg)
{
	struct starts *s = arg;
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_client *client;
	struct kreg_table *table;
	pid_t pid;

	if (key_len != 3 || memcmp(key, "srv", 3))
		return -EPROTO;
	s->count++;
	if (s->dies)
		return -ECHILD;
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : 0;
	if (kreg_client_open(NULL, &client) || kreg_table_open(client, s->name, &o, &table) ||
	    kreg_register(table, "srv", 3, "", 0))
		_exit(1);
	for (;;)
		pause();
}

TEST_F(lib, ensure)
{
	struct starts *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_table *locks;
	int i, status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, s);
	share(_metadata, self->table);
	snprintf(s->name, sizeof(s->name), "%s", self->name);
	ASSERT_EQ(0, kreg_table_create(self->client, "ensure.locks", &locks));
	share(_metadata, locks);
	EXPECT_EQ(-EINVAL, kreg_registry_ensure(self->table, self->table, "srv", 3, start_server,
						s, -1, NULL));
	s->dies = true;
	EXPECT_EQ(-ECHILD, kreg_registry_ensure(self->table, locks, "srv", 3, start_server, s, -1,
						NULL));
	s->dies = false;
	s->count = 0;
	for (i = 0; i < 4; i++) {
		pid = fork();
		if (!pid)
			_exit(kreg_registry_ensure(self->table, locks, "srv", 3, start_server, s,
						   20000, NULL) < 0);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_LT(0, wait(&status));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(1, s->count);
	EXPECT_EQ(0, kreg_registry_ensure(self->table, locks, "srv", 3, start_server, s, 0,
					  &holder));
	ASSERT_NE(0, holder.process.pid);
	EXPECT_EQ(1, s->count);
	kill(holder.process.pid, SIGKILL);
	ASSERT_EQ(0, kreg_wait(self->table, "srv", 3, KREG_WATCH_ABSENT, 0, PATIENCE_MS));
	EXPECT_EQ(1, kreg_registry_ensure(self->table, locks, "srv", 3, start_server, s, 20000,
					  &holder));
	EXPECT_EQ(2, s->count);
	kill(holder.process.pid, SIGKILL);
	kreg_table_destroy(locks);
	kreg_table_close(locks);
	munmap(s, sizeof(*s));
}

static int fail_to_fork(const void *key, size_t key_len, void *arg)
{
	return ++*(int *)arg < 3 ? -EAGAIN : -EIO;
}

/* What it could not do is the caller's error, whatever errno that has. */
TEST_F(lib, ensure_without_processes)
{
	struct kreg_table *locks;
	int calls = 0;

	ASSERT_EQ(0, kreg_table_create(self->client, "ensure.locks", &locks));
	EXPECT_EQ(-EAGAIN, kreg_registry_ensure(self->table, locks, "srv", 3, fail_to_fork, &calls,
						1000, NULL));
	EXPECT_EQ(1, calls);
	EXPECT_EQ(0, kreg_table_destroy(locks));
	kreg_table_close(locks);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* libkreg: who has which key. */
#include "lib/lib.h"

static pid_t start(int *ready, int *go, struct kreg_table *table, const char *key)
{
	int said[2], asked[2];
	pid_t pid;
	char c = 0;

	if (pipe(said) || pipe(asked))
		return -1;
	pid = fork();
	if (!pid) {
		c = kreg_register(table, key, strlen(key), "his", 3) ? 'n' : 'y';
		if (write(said[1], &c, 1) != 1 || read(asked[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(said[1]);
	close(asked[0]);
	*ready = said[0];
	*go = asked[1];
	return pid;
}

static void stop(int ready, int go, pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ready);
	close(go);
}

TEST_F(lib, register_and_find)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_process me;
	int ready, go;
	char c;
	pid_t pid;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	EXPECT_EQ(-ENODATA, kreg_whereis(self->table, "a", 1, &holder));
	ASSERT_EQ(0, kreg_register(self->table, "a", 1, "mine", 4));
	EXPECT_EQ(-EEXIST, kreg_register(self->table, "a", 1, "mine", 4));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), self->name));
	ASSERT_EQ(0, kreg_whereis(self->table, "a", 1, &holder));
	EXPECT_EQ(me.pid, holder.process.pid);
	EXPECT_EQ(me.cookie, holder.process.cookie);
	EXPECT_NE(0, holder.version);
	EXPECT_EQ(sizeof(holder), holder.size);

	pid = start(&ready, &go, self->table, "b");
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &c, 1));
	EXPECT_EQ('y', c);
	EXPECT_EQ(0, kreg_register_or_get(self->table, NULL, "b", 1, "v", 1, &holder));
	EXPECT_EQ(pid, (pid_t)holder.process.pid);
	EXPECT_EQ(0, kreg_unregister(self->table, "b", 1));
	EXPECT_EQ(0, kreg_member(self->table, "b", 1));
	/* For him, as long as he lives. */
	EXPECT_EQ(1, kreg_register_or_get(self->table, &holder.process, "c", 1, "v", 1, NULL));
	ASSERT_EQ(0, kreg_whereis(self->table, "c", 1, &holder));
	EXPECT_EQ(pid, (pid_t)holder.process.pid);
	stop(ready, go, pid);
	EXPECT_EQ(-ENODATA, kreg_whereis(self->table, "b", 1, &holder));
	EXPECT_EQ(-ESRCH, kreg_register_or_get(self->table, &holder.process, "d", 1, "v", 1, NULL));
	EXPECT_EQ(1, kreg_register_or_get(self->table, NULL, "b", 1, "v", 1, &holder));
	EXPECT_EQ(me.pid, holder.process.pid);
	EXPECT_EQ(1, kreg_unregister(self->table, "b", 1));
	EXPECT_EQ(0, kreg_unregister(self->table, "b", 1));
}

/* What lingers is found, and gives way. */
TEST_F(lib, linger)
{
	struct kreg_register_options options = KREG_REGISTER_OPTIONS_INIT;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_process whom;
	int ready, go;
	pid_t pid;
	char c;

	pid = start(&ready, &go, self->table, "a");
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &c, 1));
	ASSERT_EQ(0, kreg_whereis(self->table, "a", 1, &holder));
	whom = holder.process;
	options.process = &whom;
	options.linger_ms = 3600000;
	EXPECT_EQ(-EEXIST, kreg_register_with(self->table, "a", 1, "v", 1, &options, &holder));
	EXPECT_EQ(pid, (pid_t)holder.process.pid);
	EXPECT_EQ(0, kreg_register_with(self->table, "b", 1, "v", 1, &options, &holder));
	EXPECT_EQ(pid, (pid_t)holder.process.pid);
	options.version = holder.version + 1;
	EXPECT_EQ(-ECANCELED, kreg_register_with(self->table, "b", 1, "v", 1, &options, NULL));
	stop(ready, go, pid);
	EXPECT_EQ(-ENODATA, kreg_whereis(self->table, "a", 1, &holder));
	ASSERT_EQ(0, kreg_whereis(self->table, "b", 1, &holder));
	EXPECT_EQ(0, holder.process.pid);
	EXPECT_EQ(whom.cookie, holder.process.cookie);
	options.version = holder.version;
	EXPECT_EQ(-ESRCH, kreg_register_with(self->table, "b", 1, "v", 1, &options, NULL));
	options.process = NULL;
	EXPECT_EQ(0, kreg_register_with(self->table, "b", 1, "v", 1, &options, &holder));
	EXPECT_EQ(getpid(), (pid_t)holder.process.pid);
	EXPECT_EQ(0, kreg_register_with(self->table, "c", 1, "v", 1, NULL, NULL));
	options.size = 1;
	EXPECT_EQ(-EINVAL, kreg_register_with(self->table, "d", 1, "v", 1, &options, NULL));
}

TEST_F(lib, holder_sizes)
{
	struct kreg_holder holder = { .size = sizeof(holder) - 1 };

	EXPECT_EQ(-EINVAL, kreg_whereis(self->table, "a", 1, &holder));
	EXPECT_EQ(-EINVAL, kreg_register_or_get(self->table, NULL, "a", 1, "v", 1, &holder));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "a", 1));
	EXPECT_EQ(-EINVAL, kreg_register(self->table, "", 0, "v", 1));
	EXPECT_EQ(-ENAMETOOLONG, kreg_register(self->table, "k", ((size_t)1 << 32) + 1, "v", 1));
	EXPECT_EQ(-EFBIG, kreg_register(self->table, "k", 1, "v", (size_t)1 << 32));
}

TEST_F(lib, keys_of_a_process)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_process me, whom;
	struct kreg_scan *scan;
	size_t len;
	int n = 0;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_put(self->table, "plain", 5, "v", 1));
	ASSERT_EQ(0, kreg_register(self->table, "mine", 4, "value", 5));
	options.process = &me;
	ASSERT_EQ(0, kreg_scan_open(self->table, &options, &scan));
	ASSERT_EQ(1, kreg_scan_next(scan, &object));
	EXPECT_EQ(0, memcmp("mine", kreg_object_key(object, &len), 4));
	EXPECT_EQ(0, kreg_object_process(object).pid);
	EXPECT_EQ(0, kreg_scan_next(scan, &object));
	kreg_scan_close(scan);
	options.process = NULL;
	options.flags = KREG_SCAN_PROCESSES;
	ASSERT_EQ(0, kreg_scan_open(self->table, &options, &scan));
	while (kreg_scan_next(scan, &object) == 1) {
		whom = kreg_object_process(object);
		kreg_object_key(object, &len);
		EXPECT_EQ(len == 4 ? me.pid : 0, whom.pid);
		EXPECT_EQ(len == 4 ? me.cookie : 0, whom.cookie);
		EXPECT_NE(NULL, kreg_object_value(object, &len));
		n++;
	}
	EXPECT_EQ(2, n);
	kreg_scan_close(scan);
}

TEST_HARNESS_MAIN

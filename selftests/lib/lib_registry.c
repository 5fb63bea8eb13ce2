// SPDX-License-Identifier: GPL-2.0
/* libkreg: who has which key. */
#include "kit/file.h"
#include "lib/cause.h"
#include "lib/event.h"

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

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	pid = start(&ready, &go, self->table, "a");
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &c, 1));
	ASSERT_EQ('y', c);
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

TEST_F(lib, pidfd_of_a_holder)
{
	struct kreg_holder holder = KREG_HOLDER_INIT, small = { .size = 1 };
	struct pollfd dead = { .events = POLLIN };
	pid_t pid = registered(self->table, "his");

	ASSERT_LT(0, pid);
	EXPECT_EQ(-EINVAL, kreg_whereis_pidfd(self->table, "his", 3, &small));
	dead.fd = kreg_whereis_pidfd(self->table, "his", 3, &holder);
	ASSERT_LE(0, dead.fd);
	EXPECT_EQ(pid, (pid_t)holder.process.pid);
	EXPECT_EQ(0, poll(&dead, 1, 0));
	kill(pid, SIGKILL);
	EXPECT_EQ(1, poll(&dead, 1, PATIENCE_MS));
	EXPECT_EQ(-ENODATA, kreg_whereis_pidfd(self->table, "his", 3, NULL));
	EXPECT_EQ(SIGKILL, end_process(pid));
	close(dead.fd);
	ASSERT_EQ(0, put(self->table, "plain", ""));
	EXPECT_EQ(-ESRCH, kreg_whereis_pidfd(self->table, "plain", 5, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "no process has it"));
}

TEST_F(lib, unregister_all)
{
	pid_t pid = registered(self->table, "his");
	uint64_t objects;
	char key[16];
	int i;

	ASSERT_LT(0, pid);
	EXPECT_EQ(0, kreg_unregister_all(self->table));
	ASSERT_EQ(0, put(self->table, "plain", ""));
	for (i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		ASSERT_EQ(0, kreg_register(self->table, key, strlen(key), "v", 1));
	}
	EXPECT_EQ(3000, kreg_unregister_all(self->table));
	ASSERT_EQ(0, kreg_count(self->table, &objects));
	EXPECT_EQ(2, objects);
	EXPECT_EQ(SIGKILL, end_process(pid));
}

/* It stays until it is given back. */
TEST_F(lib, unregister_all_but_loans)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	void *value;

	ASSERT_EQ(0, put(self->table, "lent", "v"));
	ASSERT_EQ(0, kreg_lease(self->table, "lent", 4, 0, &value, NULL, &loan));
	free(value);
	ASSERT_EQ(0, kreg_lease_update(self->table, "lent", 4, "new", 3, &loan));
	ASSERT_EQ(0, kreg_register(self->table, "mine", 4, "v", 1));
	EXPECT_EQ(1, kreg_unregister_all(self->table));
	EXPECT_EQ(0, kreg_lease_return(self->table, "lent", 4, &loan));
	EXPECT_EQ(0, kreg_member(self->table, "lent", 4));
}

/* Counts the calls, and adds a byte to the value. */
static int append(const void *old, size_t old_len, void *buf, size_t room, size_t *len, void *arg)
{
	++*(int *)arg;
	*len = old_len + 1;
	if (room < *len)
		return -EMSGSIZE;
	memcpy(buf, old, old_len);
	((char *)buf)[old_len] = 'x';
	return 0;
}

static int refuse(const void *old, size_t old_len, void *buf, size_t room, size_t *len, void *arg)
{
	*len = 1;
	return *(int *)arg;
}

static void *append_often(void *arg)
{
	int i, calls = 0;

	for (i = 0; i < 100; i++)
		if (kreg_registry_update(arg, "k", 1, append, &calls))
			return NULL;
	return arg;
}

TEST_F(lib, update)
{
	static char value[8192];
	int calls = 0, codes[] = { -ECANCELED, 7, -EMSGSIZE }, i;
	struct kreg_process me;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	pthread_t threads[4];
	size_t len;
	void *good;
	pid_t pid;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	EXPECT_EQ(-ENODATA, kreg_registry_update(self->table, "k", 1, append, &calls));
	ASSERT_EQ(0, kreg_register(self->table, "k", 1, value, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(codes[i],
			  kreg_registry_update(self->table, "k", 1, refuse, &codes[i]));
	EXPECT_EQ(0, calls);
	/* The sentence is about that error, and not about what the key or the value have. */
	i = -EFBIG;
	EXPECT_CAUSE(EFBIG, "(EFBIG)", kreg_registry_update(self->table, "k", 1, refuse, &i));
	i = -EACCES;
	EXPECT_CAUSE(EACCES, "(EACCES)", kreg_registry_update(self->table, "k", 1, refuse, &i));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, append_often, self->table));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &good));
		EXPECT_EQ(self->table, good);
	}
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, value, sizeof(value), &len));
	EXPECT_EQ(400, len);
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, value, sizeof(value)));
	EXPECT_EQ(0, kreg_registry_update(self->table, "k", 1, append, &calls));
	EXPECT_EQ(2, calls);
	/* Still his. */
	ASSERT_EQ(0, kreg_whereis(self->table, "k", 1, &holder));
	EXPECT_EQ(me.cookie, holder.process.cookie);
	pid = registered(self->table, "his");
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, put(self->table, "plain", ""));
	EXPECT_EQ(-ENODATA, kreg_registry_update(self->table, "his", 3, append, &calls));
	EXPECT_EQ(-ENODATA, kreg_registry_update(self->table, "plain", 5, append, &calls));
	EXPECT_EQ(2, calls);
	EXPECT_EQ(SIGKILL, end_process(pid));
}

TEST_F(lib, monitor_a_holder)
{
	const struct kreg_event *event;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_ref *ref, *none;
	pid_t pid = registered(self->table, "his");
	int status;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kreg_whereis(self->table, "his", 3, &holder));
	ASSERT_EQ(0, kreg_registry_monitor(self->table, "his", 3, NULL, NULL, &ref));
	EXPECT_EQ(holder.process.cookie, kreg_ref_process(ref).cookie);
	ASSERT_EQ(0, kreg_registry_monitor(self->table, "none", 4, NULL, NULL, &none));
	EXPECT_EQ(0, kreg_ref_process(none).pid);
	event = test_next(self->client, KREG_EVENT_DOWN, "none");
	EXPECT_EQ(KREG_CAUSE_NOPROC, kreg_event_cause(event));
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(event));
	EXPECT_EQ(SIGKILL, end_process(pid));
	event = test_next(self->client, KREG_EVENT_DOWN, "his");
	EXPECT_EQ(KREG_CAUSE_DEATH, kreg_event_cause(event));
	EXPECT_EQ(holder.process.cookie, kreg_event_process(event).cookie);
	ASSERT_TRUE(kreg_event_status(event, &status));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(0, kreg_ref_cancel(none));
	EXPECT_EQ(-EINVAL, kreg_registry_monitor(self->table, "", 0, NULL, NULL, &ref));
	EXPECT_EQ(-ENAMETOOLONG, kreg_registry_monitor(self->table, "k", ((size_t)1 << 32) + 1,
						       NULL, NULL, &ref));
}

#define CROWD	5

static void count_down(const struct kreg_event *event, void *arg)
{
	if (kreg_event_kind(event) == KREG_EVENT_DOWN)
		++*(int *)arg;
}

TEST_F(lib, monitor_all_holders)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	const struct kreg_event *event;
	struct kreg_ref *ref, *with_handler;
	char key[8] = "0";
	pid_t pid[CROWD];
	int i, count = 0;

	ASSERT_EQ(0, kreg_registry_monitor_all(self->table, NULL, NULL, &ref));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	ASSERT_EQ(0, put(self->table, "plain", ""));
	for (i = 0; i < CROWD; i++, key[0]++) {
		pid[i] = registered(self->table, key);
		ASSERT_LT(0, pid[i]);
	}
	/* One has many keys. */
	ASSERT_EQ(0, kreg_whereis(self->table, "0", 1, &holder));
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ASSERT_EQ(1, kreg_register_or_get(self->table, &holder.process, key, strlen(key),
						  "", 0, NULL));
	}
	ASSERT_EQ(0, kreg_registry_monitor_all(self->table, NULL, &count, &ref));
	EXPECT_EQ(&count, kreg_ref_arg(ref));
	EXPECT_EQ(0, kreg_ref_process(ref).pid);
	ASSERT_EQ(0, kreg_registry_monitor_all(self->table, count_down, &count, &with_handler));
	for (i = 0; i < CROWD - 1; i++) {
		EXPECT_EQ(SIGKILL, end_process(pid[i]));
		ASSERT_EQ(0, kreg_event_next(self->client, PATIENCE_MS, &event));
		EXPECT_EQ(KREG_EVENT_DOWN, kreg_event_kind(event));
		EXPECT_EQ(pid[i], (pid_t)kreg_event_process(event).pid);
		EXPECT_EQ(ref, kreg_event_ref(event));
	}
	test_none(self->client);
	EXPECT_EQ(CROWD - 1, count);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(SIGKILL, end_process(pid[i]));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, PATIENCE_MS));
	EXPECT_EQ(CROWD, count);
	EXPECT_EQ(0, kreg_ref_cancel(with_handler));
}

static void cancel_all(const struct kreg_event *event, void *arg)
{
	struct kreg_ref **ref = arg;

	*ref = kreg_ref_cancel(kreg_event_ref(event)) == 1 ? NULL : *ref;
}

TEST_F(lib, handler_ends_all)
{
	pid_t first = registered(self->table, "1"), second = registered(self->table, "2");
	struct kreg_ref *ref;

	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	ASSERT_EQ(0, kreg_registry_monitor_all(self->table, cancel_all, &ref, &ref));
	EXPECT_EQ(SIGKILL, end_process(first));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, PATIENCE_MS));
	EXPECT_EQ(NULL, ref);
	EXPECT_EQ(SIGKILL, end_process(second));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
}

/* Nothing is monitored if not all can be. */
TEST_F(lib, too_many_to_monitor)
{
	static const char path[] = "/sys/module/kreg/parameters/max_user_watches";
	pid_t first = registered(self->table, "1"), second = registered(self->table, "2");
	struct kreg_client *other = open_as_other(0666);
	struct kreg_table *table;
	struct kreg_ref *ref = NULL;
	char before[32];

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &table));
	ASSERT_LT(0, test_read_file(path, before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(path, "1"));
	EXPECT_EQ(-EDQUOT, kreg_registry_monitor_all(table, NULL, NULL, &ref));
	EXPECT_EQ(NULL, ref);
	EXPECT_EQ(0, kreg_registry_monitor(table, "1", 1, NULL, NULL, &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(0, test_write_file(path, before));
	EXPECT_EQ(SIGKILL, end_process(first));
	EXPECT_EQ(SIGKILL, end_process(second));
	test_none(other);
	kreg_table_close(table);
	kreg_client_close(other);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads share clients and tables, under ThreadSanitizer. The device is faked here, since
 * only the library's own memory is to be checked. Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define THREADS	8
#define ROUNDS	300
#define MANY	(ROUNDS * 8)

static _Atomic pid_t opener;
static _Atomic unsigned int opened;
static _Atomic uint64_t ids;
static _Atomic uint64_t given;		/* ids of refs; all watches have fired */
static _Atomic uint64_t told;		/* of so many the record was read */
static _Atomic uint64_t subscribed;	/* the last id that is of a subscription */
static atomic_bool is_subscription[MANY];
static _Atomic int setters;
static _Atomic int bad;

static void expect(bool good, const char *what)
{
	if (good)
		return;
	atomic_fetch_add(&bad, 1);
	fprintf(stderr, "# %s: %s\n", what, kreg_errmsg());
}

/* In place of these calls of the library; the file that is opened is /dev/null. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long cmd, ...);
ssize_t __wrap_read(int fd, void *buf, size_t room);

int __wrap_open(const char *path, int flags, ...)
{
	atomic_store(&opener, getpid());
	atomic_fetch_add(&opened, 1);
	return __real_open(path, flags);
}

static int fake_op(struct kreg_ioc_op *io)
{
	if (io->op.code == KREG_OP_PUT)
		return 0;
	errno = ENODATA;
	return -1;
}

static int fake_batch(struct kreg_ioc_batch *io)
{
	io->out_done = io->count;
	return 0;
}

static int fake_scan(struct kreg_ioc_scan *io)
{
	struct kreg_object *object = (void *)(uintptr_t)io->buf;

	if (io->range.after_len) {
		io->out_count = 0;
		io->out_more = 0;
		return 0;
	}
	*object = (struct kreg_object){ .size = 32, .key_len = 1, .value_len = 1 };
	memcpy(object + 1, "kv", 2);
	io->out_count = 1;
	io->out_more = 1;
	return 0;
}

static int fake_info(struct kreg_ioc_info *io)
{
	struct kreg_info *info = (void *)(uintptr_t)io->info;

	info->id = io->table;
	info->owner.pid = 1;
	return 0;
}

static uint64_t give_id(bool subscription)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t id;

	pthread_mutex_lock(&lock);
	id = atomic_load(&given) + 1;
	atomic_store(&is_subscription[id], subscription);
	atomic_store(&given, id);
	pthread_mutex_unlock(&lock);
	return id;
}

/* Who is watched dies at once, before the caller knows the id. */
static int fake_watch(struct kreg_ioc_watch *io)
{
	io->out_id = give_id(false);
	sched_yield();
	return 0;
}

/* Its events come at once, before the caller knows the id. */
static int fake_subscribe(struct kreg_ioc_subscribe *io)
{
	io->out_id = give_id(true);
	atomic_store(&subscribed, io->out_id);
	sched_yield();
	return 0;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd < 0 || atomic_load(&opener) != getpid()) {
		errno = fd < 0 ? EBADF : ENXIO;
		return -1;
	}
	switch ((unsigned int)cmd) {
	case KREG_IOC_OPEN:
		((struct kreg_ioc_open *)arg)->out_table = atomic_fetch_add(&ids, 1) + 1;
		return 0;
	case KREG_IOC_OP:
		return fake_op(arg);
	case KREG_IOC_BATCH:
		return fake_batch(arg);
	case KREG_IOC_SCAN:
		return fake_scan(arg);
	case KREG_IOC_INFO:
		return fake_info(arg);
	case KREG_IOC_WATCH:
		return fake_watch(arg);
	case KREG_IOC_SUBSCRIBE:
		return fake_subscribe(arg);
	}
	return 0;
}

ssize_t __wrap_read(int fd, void *buf, size_t room)
{
	static _Atomic unsigned int turn;
	struct kreg_event event = { .size = sizeof(event), .kind = KREG_EVENT_TRANSFER };

	(void)fd;
	/* One thread reads. */
	if (atomic_load(&told) < atomic_load(&given)) {
		event.id = atomic_fetch_add(&told, 1) + 1;
		event.kind = atomic_load(&is_subscription[event.id]) ? KREG_EVENT_USER :
								       KREG_EVENT_DOWN;
	} else if (atomic_load(&subscribed) && atomic_load(&turn) % 7) {
		event.id = atomic_load(&subscribed);
		event.kind = KREG_EVENT_USER;
		event.seq = atomic_fetch_add(&turn, 1);
	}
	if (!event.id && (room < sizeof(event) || atomic_fetch_add(&turn, 1) % 2)) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, &event, sizeof(event));
	return sizeof(event);
}

static void use_objects(struct kreg_table *table)
{
	const struct kreg_object *object;
	struct kreg_batch *batch;
	struct kreg_scan *scan;

	expect(!kreg_put(table, "k", 1, "v", 1), "put");
	expect(kreg_member(table, "k", 1) == -ENODATA, "member");
	expect(strstr(kreg_errmsg(), "the key is not in table 'shared'"), "sentence");
	if (kreg_batch_new(table, 0, &batch) || kreg_scan_open(table, NULL, &scan)) {
		expect(false, "batch or scan");
		return;
	}
	expect(kreg_batch_get(batch, "k", 1, 8) == 0, "batch get");
	expect(kreg_batch_run(batch) == 1, "batch run");
	expect(kreg_scan_next(scan, &object) == 1, "scan");
	expect(kreg_scan_next(scan, &object) == 0, "end of scan");
	kreg_scan_close(scan);
	kreg_batch_free(batch);
}

static void *share_table(void *arg)
{
	struct kreg_table *table = arg, *own;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		use_objects(table);
		expect(!kreg_table_open(kreg_table_client(table), "own", NULL, &own), "open");
		expect(!kreg_table_set_mode(own, 0600), "mode");
		kreg_table_close(own);
	}
	return NULL;
}

/* Clients are opened and closed while kreg_errmsg() of other threads looks for theirs. */
static void *open_clients(void *arg)
{
	struct kreg_client *client;
	struct kreg_table *table;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		if (kreg_client_open("/dev/null", &client) ||
		    kreg_table_open(client, "other", NULL, &table)) {
			expect(false, "client");
			return NULL;
		}
		kreg_client_close(client);
		expect(kreg_put(table, "k", 1, "v", 1) == -EBADF, "closed client");
		kreg_table_close(table);
	}
	return NULL;
}

static void on_down(const struct kreg_event *event, void *arg)
{
	_Atomic int *count = arg;

	expect(kreg_event_kind(event) == KREG_EVENT_DOWN, "kind of a ref's event");
	atomic_fetch_add(count, 1);
}

/* The handler has been called, or is within ten seconds. */
static bool is_told(_Atomic int *count)
{
	int i;

	for (i = 0; i < 10000 && !atomic_load(count); i++)
		usleep(1000);
	return atomic_load(count) == 1;
}

/* Every other ref stays until the end, so that the table grows meanwhile. */
static void *set_refs(void *arg)
{
	static _Atomic int counts[ROUNDS * 2];
	static _Atomic int next;
	struct kreg_process process = { .pid = 1, .cookie = 1 };
	struct kreg_ref *refs[ROUNDS];
	void *count;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		count = (void *)&counts[atomic_fetch_add(&next, 1)];
		expect(!kreg_monitor(arg, &process, on_down, count, &refs[i]), "monitor");
		if (i % 2)
			expect(kreg_ref_cancel(refs[i]) == 1, "cancel");
	}
	for (i = 0; i < ROUNDS; i += 2) {
		expect(is_told(kreg_ref_arg(refs[i])), "one event a ref");
		expect(kreg_ref_cancel(refs[i]) == 1, "cancel in the end");
	}
	atomic_fetch_sub(&setters, 1);
	return NULL;
}

static void on_change(const struct kreg_event *event, void *arg)
{
	unsigned int kind = kreg_event_kind(event);

	expect(kind == KREG_EVENT_USER || kind == KREG_EVENT_CREATE || kind == KREG_EVENT_READY,
	       "kind of a subscription's event");
	atomic_fetch_add((_Atomic int *)arg, 1);
}

/* Ended in the midst of what is there, or of the events, or when some have been told. */
static void *subscribe_to_it(void *arg)
{
	static _Atomic int counts[2];
	unsigned int flags[2] = { KREG_SUBSCRIBE_PRESENT, KREG_SUBSCRIBE_ACK };
	struct kreg_ref *ref;
	int i, before;

	for (i = 0; i < ROUNDS; i++) {
		before = atomic_load(&counts[i % 2]);
		expect(!kreg_subscribe(arg, KREG_SUBSCRIBE_KINDS, flags[i % 2], 0, on_change,
				       (void *)&counts[i % 2], &ref), "subscribe");
		while (i % 8 < 2 && atomic_load(&counts[i % 2]) == before)
			usleep(100);
		expect(kreg_ref_cancel(ref) == 1, "cancel of a subscription");
	}
	expect(atomic_load(&counts[0]) >= ROUNDS / 8, "events of subscriptions");
	atomic_fetch_sub(&setters, 1);
	return NULL;
}

static void count_event(const struct kreg_event *event, void *arg)
{
	expect(kreg_event_kind(event) == KREG_EVENT_TRANSFER, "kind of the client's event");
	++*(unsigned int *)arg;
}

static void *take_events(void *arg)
{
	struct kreg_client *client = arg;
	unsigned int count = 0;
	int i;

	kreg_client_set_handler(client, count_event, &count);
	for (i = 0; i < ROUNDS || atomic_load(&setters); i++)
		expect(kreg_client_dispatch(client, 0) >= 0, "dispatch");
	expect(count > 0, "events");
	return NULL;
}

static void run_threads(struct kreg_client *client, struct kreg_table *table)
{
	pthread_t thread[THREADS + 5];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, share_table, table);
	atomic_store(&setters, 3);
	pthread_create(&thread[i++], NULL, subscribe_to_it, table);
	pthread_create(&thread[i++], NULL, set_refs, client);
	pthread_create(&thread[i++], NULL, set_refs, client);
	pthread_create(&thread[i++], NULL, open_clients, NULL);
	pthread_create(&thread[i++], NULL, take_events, client);
	while (i--)
		pthread_join(thread[i], NULL);
}

/* All threads of a child use the parent's file at once; exactly one opens it again. */
static int in_child(struct kreg_client *client, struct kreg_table *table, int depth)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		pthread_t thread[THREADS];
		int i;

		if (depth)
			_exit(in_child(client, table, depth - 1));
		atomic_store(&opened, 0);
		for (i = 0; i < THREADS; i++)
			pthread_create(&thread[i], NULL, share_table, table);
		while (i--)
			pthread_join(thread[i], NULL);
		expect(atomic_load(&opened) == 1, "opened once");
		exit(atomic_load(&bad) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return status ? 1 : 0;
}

static int report(int n, bool good, const char *what)
{
	printf("%sok %d %s\n", good ? "" : "not ", n, what);
	return !good;
}

int main(void)
{
	struct kreg_client *client;
	struct kreg_table *table;
	int failed;

	printf("TAP version 13\n");
	if (kreg_client_open("/dev/null", &client) ||
	    kreg_table_open(client, "shared", NULL, &table)) {
		printf("not ok 1 open: %s\n1..1\n", kreg_errmsg());
		return 1;
	}
	failed = report(1, !in_child(client, table, 0), "threads of a child");
	failed += report(2, !in_child(client, table, 1), "threads of a child's child");
	run_threads(client, table);
	kreg_client_close(client);
	kreg_table_close(table);
	failed += report(3, !atomic_load(&bad), "threads share a client and a table");
	printf("1..3\n");
	return failed ? 1 : 0;
}

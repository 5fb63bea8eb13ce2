// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: what a put costs with subscribers that read, sleep, or do nothing; and what it
 * takes to read an event.
 */
#include <poll.h>

#include "groups.h"
#include "table.h"

#define PUTS		1000
#define READERS		50	/* clients, of as many as a process may have */
#define EVENTS		300	/* as many as the ring has room for */

struct stream {
	int fd;
	__u64 id;
	struct kreg_op op;
	int readers[READERS];
	long subscriptions;
	char room[EVENTS * 256];
};

static void put_some(void *arg, long count)
{
	struct stream *s = arg;
	struct kreg_ioc_op cmd = { .size = KREG_OP_SIZE, .table = s->id, .op = s->op };

	while (count--)
		call(s->fd, KREG_IOC_OP, &cmd, "put");
}

static void subscribe(struct stream *s, int fd)
{
	struct kreg_ioc_subscribe cmd = {
		.size = sizeof(cmd),
		.table = s->id,
		.mask = KREG_SUBSCRIBE_KINDS,
	};

	call(fd, KREG_IOC_SUBSCRIBE, &cmd, "subscribe");
	s->subscriptions++;
}

static void drain(int fd, char *room, size_t size)
{
	while (read(fd, room, size) > 0)
		;
	if (errno != EAGAIN)
		bench_die("read");
}

/* All have read everything, and say that they sleep. */
static void drain_all(void *arg, long count)
{
	struct stream *s = arg;
	int i;

	for (i = 0; i < READERS && i < s->subscriptions; i++)
		drain(s->readers[i], s->room, sizeof(s->room));
}

/* And have read them, but do not sleep: the first event has woken them. */
static void drain_and_wake(void *arg, long count)
{
	drain_all(arg, count);
	put_some(arg, 1);
}

static void fill_ring(void *arg, long count)
{
	drain_and_wake(arg, count);
	put_some(arg, EVENTS);
}

static void read_ring(void *arg, long count)
{
	struct stream *s = arg;
	ssize_t len = read(s->readers[0], s->room, sizeof(s->room));

	if (len != (EVENTS + 1) * (long)(sizeof(struct kreg_event) + KEY_LEN + VALUE_LEN))
		bench_die("events");
}

static void open_readers(struct stream *s)
{
	int i;

	for (i = 0; i < READERS; i++) {
		s->readers[i] = client_open();
		if (fcntl(s->readers[i], F_SETFL, O_NONBLOCK))
			bench_die("fcntl");
	}
}

/* Twice as many subscriptions as readers. */
static void measure_subscribed(struct stream *s)
{
	struct bench bench = { .system = "kreg", .arg = s, .run = put_some, .count = PUTS };
	int i;

	bench.op = "put-with-subscribers";
	bench_run(&bench);
	subscribe(s, s->readers[0]);
	bench.objects = 1;
	bench.op = "put-overflowing";
	bench_run(&bench);
	bench.op = "put-with-subscribers";
	bench.prepare = drain_and_wake;
	bench.count = 200;
	bench_run(&bench);
	bench.op = "event-read";
	bench.prepare = fill_ring;
	bench.run = read_ring;
	bench.count = EVENTS + 1;
	bench_run(&bench);
	bench.op = "put-waking";
	bench.run = put_some;
	bench.prepare = drain_all;
	bench.count = 1;
	bench_run(&bench);
	for (i = 1; i < 2 * READERS; i++)
		subscribe(s, s->readers[i / 2]);
	bench.objects = 2 * READERS;
	bench_run(&bench);
	bench.op = "put-with-subscribers";
	bench.prepare = drain_and_wake;
	bench.count = 200;
	bench_run(&bench);
}

void group_stream(void)
{
	static struct stream s;
	static char key[KEY_LEN], value[VALUE_LEN];
	int i;

	s.fd = client_open();
	s.id = table_create(s.fd, NULL, NULL);
	s.op.code = KREG_OP_PUT;
	s.op.key = address(key);
	s.op.key_len = sizeof(key);
	s.op.value = address(value);
	s.op.value_len = sizeof(value);
	open_readers(&s);
	measure_subscribed(&s);
	for (i = 0; i < READERS; i++)
		close(s.readers[i]);
	table_destroy(s.fd, s.id);
	close(s.fd);
	bench_settle();
}

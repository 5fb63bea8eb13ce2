/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for a job: by a subscription to what comes into the table, be it pushed, given back or
 * left behind by the dead, of a client of the queue's own, whose events nobody else reads.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "queue.h"

/* Events of one read, of which it only matters that there are some. */
#define ROOM	(64 * sizeof(struct kreg_event))

static int subscribe(struct kreg_queue *q)
{
	struct kreg_ioc_subscribe io = {
		.size = sizeof(io),
		.table = q->table->id,
		.mask = KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE),
	};
	int ret = kreg_ioctl(q->client, KREG_IOC_SUBSCRIBE, &io);

	q->subscription = ret ? 0 : io.out_id;
	return ret;
}

/* OVERFLOW does not end it: it goes on with what is left, and what is lost has woken as well. */
static bool has_ended(const char *events, ssize_t len)
{
	const struct kreg_event *e;
	bool ended = false;

	for (; len > 0; len -= e->size, events += e->size) {
		e = (const void *)events;
		ended |= e->kind == KREG_EVENT_GONE;
	}
	return ended;
}

/* The program may have closed the descriptor, and another file got its number. */
static int drop_events(struct kreg_queue *q)
{
	struct pollfd file = { .fd = q->client->fd, .events = POLLIN };
	int ret = kreg_client_check(q->client);
	uint64_t room[ROOM / 8];
	bool ended = false;
	ssize_t len;

	if (ret)
		return ret;
	while (poll(&file, 1, 0) > 0) {
		len = read(file.fd, room, sizeof(room));
		/* In a child the file is the parent's; the call opens another. */
		if (len < 0 && errno == ENXIO)
			return subscribe(q);
		/* poll(2) may promise what read(2) does not find: whoever waits does so again. */
		if (len < 0 && errno == EAGAIN)
			break;
		if (len < 0 && errno != EINTR)
			return -errno;
		ended |= has_ended((const char *)room, len);
	}
	return ended ? subscribe(q) : 0;
}

int kreg_queue_listen(struct kreg_queue *q)
{
	int ret = 0;

	if (!q->client)
		ret = kreg_client_open(q->table->client->path, &q->client);
	if (ret)
		return ret;
	return q->subscription ? drop_events(q) : subscribe(q);
}

int kreg_queue_sleep(struct kreg_queue *q, uint64_t until_ns)
{
	struct pollfd file = { .fd = q->client->fd, .events = POLLIN };
	uint64_t now = kreg_deadline(0);
	struct timespec left = { 0, 0 };

	if (until_ns > now) {
		left.tv_sec = (until_ns - now) / 1000000000;
		left.tv_nsec = (until_ns - now) % 1000000000;
	}
	return ppoll(&file, 1, until_ns == UINT64_MAX ? NULL : &left, q->options.sigmask) < 0 ?
	       -errno : 0;
}

void kreg_queue_deafen(struct kreg_queue *q)
{
	kreg_client_close(q->client);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mailbox: waiting, reading, decoding. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Room for several TRANSFER records; it grows when a record is longer. */
#define ROOM		8192
#define ROOM_MAX	(16u << 20)

static int grow(struct mail *mail)
{
	size_t room = mail->room ? mail->room * 2 : ROOM;
	char *buf;

	if (room > ROOM_MAX)
		return -EMSGSIZE;
	buf = realloc(mail->buf, room);
	if (!buf)
		return -ENOMEM;
	mail->buf = buf;
	mail->room = room;
	return 0;
}

/* What a parent had read before fork(2) is not for the child. */
static int own_mail(struct kreg_client *client)
{
	struct mail *mail = &client->mail;
	uint64_t self = kreg_process_number();

	if (mail->process != self) {
		mail->next = 0;
		mail->len = 0;
		mail->failed = false;
		mail->process = self;
	}
	return mail->room ? 0 : grow(mail);
}

/* Fill the empty buffer. -EAGAIN: the mailbox is empty. */
static int fill(struct kreg_client *client)
{
	struct mail *mail = &client->mail;
	ssize_t n;
	int ret, tries = 0;

	for (;;) {
		/* The program may have closed the descriptor, and another file got its number. */
		ret = kreg_client_check(client);
		if (ret)
			return ret;
		n = read(client->fd, mail->buf, mail->room);
		if (n > 0)
			break;
		if (n == 0)
			return -EPROTO;
		if (errno == EMSGSIZE)
			ret = grow(mail);
		else if (errno == ENXIO && tries++ < 2)
			ret = kreg_client_reopen(client);
		else
			ret = -errno;
		if (ret)
			return ret;
	}
	mail->next = 0;
	mail->len = n;
	return 0;
}

/* The lengths in the record do not exceed its size. */
static bool sound(const struct kreg_event *ev)
{
	uint64_t value_len = ev->flags & KREG_EVENT_CUT ? 0 : ev->value_len;

	return ev->size >= sizeof(*ev) && ev->key_len + value_len <= ev->size - sizeof(*ev);
}

static bool known(const struct kreg_event *ev)
{
	return ev->kind == KREG_EVENT_TRANSFER || ev->kind == KREG_EVENT_DOWN ||
	       ev->kind == KREG_EVENT_READY ||
	       (ev->kind >= KREG_EVENT_CREATE && ev->kind <= KREG_EVENT_OVERFLOW);
}

/*
 * Take the next record of the buffer. Records of kinds that this library does not know
 * are skipped (0). A record that does not end in the buffer is a fault of the kernel:
 * the rest of the buffer is dropped.
 */
static int pop(struct mail *mail, const struct kreg_event **event)
{
	const struct kreg_event *ev = (const void *)(mail->buf + mail->next);
	size_t left = mail->len - mail->next;

	if (left < 8 || ev->size < 8 || ev->size % 8 || ev->size > left ||
	    (known(ev) && !sound(ev))) {
		mail->next = mail->len;
		return -EPROTO;
	}
	mail->next += ev->size;
	if (!known(ev))
		return 0;
	*event = ev;
	return 1;
}

/* Returns 0 also when poll(2), which waits for INT_MAX ms at most, has timed out. */
static int wait_readable(struct kreg_client *client, uint64_t deadline)
{
	struct pollfd p = { .fd = client->fd, .events = POLLIN };
	uint64_t now = kreg_deadline(0);
	int64_t ms = -1;

	if (deadline && now >= deadline)
		return -ETIMEDOUT;
	if (deadline)
		ms = (deadline - now + 999999) / 1000000;
	if (ms > INT_MAX)
		ms = INT_MAX;
	if (poll(&p, 1, ms) < 0)
		return -errno;
	return 0;
}

/* The time-out of a call, which may take several events. */
struct until {
	bool wait;
	uint64_t deadline;
};

/*
 * The next event of the buffer that is for the program. 1: there is one; 0: there is none, or
 * it has to wait.
 */
static int next_of_buffer(struct kreg_client *client, struct taken *taken)
{
	const struct kreg_event *event;
	enum whose whose;
	size_t at;
	int ret;

	while (client->mail.next < client->mail.len) {
		at = client->mail.next;
		ret = pop(&client->mail, &event);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		whose = kreg_ref_take(client, event, taken);
		if (whose == OF_NONE)
			kreg_keeper_take(client, event, taken);
		if (whose == OF_NONE || whose == OF_REF)
			return 1;
		if (whose == OF_LATER) {
			client->mail.next = at;
			return 0;
		}
	}
	return 0;
}

static int next_event(struct kreg_client *client, const struct until *until, struct taken *taken)
{
	int ret;

	kreg_ref_release(client);
	ret = own_mail(client);
	if (ret)
		return ret;
	for (;;) {
		ret = kreg_present_next(client, taken);
		if (!ret)
			ret = next_of_buffer(client, taken);
		if (ret)
			return ret < 0 ? ret : 0;
		/* One that has to wait. */
		if (client->mail.next < client->mail.len)
			continue;
		ret = fill(client);
		if (ret == -EAGAIN && until->wait)
			ret = wait_readable(client, until->deadline);
		if (ret)
			return ret;
	}
}

/* Events of refs go to their handlers, one of which may close the client. */
static int next_unhandled(struct kreg_client *client, int64_t timeout_ms,
			  const struct kreg_event **event)
{
	const struct until until = { timeout_ms, kreg_deadline(timeout_ms) };
	struct taken taken;
	int ret;

	while (client->fd >= 0) {
		ret = next_event(client, &until, &taken);
		if (!ret && !taken.fn)
			*event = taken.event;
		if (ret || !taken.fn)
			return ret;
		taken.fn(taken.event, taken.arg);
		kreg_ref_handled(client, &taken);
	}
	return -EBADF;
}

int kreg_event_next(struct kreg_client *client, int64_t timeout_ms,
		    const struct kreg_event **event)
{
	int ret;

	kreg_client_get(client);
	ret = kreg_fail(next_unhandled(client, timeout_ms, event), TRY_EVENT, client);
	kreg_client_put(client);
	return ret;
}

void kreg_client_set_handler(struct kreg_client *client, kreg_event_fn fn, void *arg)
{
	client->handler = fn;
	client->handler_arg = arg;
}

/* Refs and keepers of a parent do nothing in its child. */
static bool has_handlers(const struct kreg_client *client)
{
	return client->handler || kreg_client_has_refs(client) || kreg_keeper_works(client);
}

/* False: there is no handler for it. */
static bool handle(struct kreg_client *client, const struct taken *taken)
{
	if (taken->fn)
		taken->fn(taken->event, taken->arg);
	else if (client->handler)
		client->handler(taken->event, client->handler_arg);
	else
		return false;
	kreg_ref_handled(client, taken);
	return true;
}

bool kreg_client_handles(const struct kreg_client *client)
{
	return has_handlers(client);
}

bool kreg_client_holds(const struct kreg_client *client)
{
	const struct mail *mail = &client->mail;

	return (mail->next < mail->len || mail->failed) &&
	       mail->process == kreg_process_number();
}

/* A handler may close the client; then there is nothing left to hand out. */
static int hand_out(struct kreg_client *client, int64_t timeout_ms)
{
	struct until until = { timeout_ms, kreg_deadline(timeout_ms) };
	struct taken taken;
	int n = 0, ret;

	client->mail.failed = false;
	while (client->fd >= 0 && has_handlers(client)) {
		ret = next_event(client, &until, &taken);
		if (ret == -EAGAIN || ret == -ETIMEDOUT)
			break;
		/* An error comes again with the next call, which is to come without more events. */
		client->mail.failed = ret && n;
		if (ret)
			return n ? n : kreg_fail(ret, TRY_EVENT, client);
		if (!handle(client, &taken))
			continue;
		n++;
		until.wait = false;
	}
	return n;
}

int kreg_client_dispatch(struct kreg_client *client, int64_t timeout_ms)
{
	int ret;

	if (!has_handlers(client))
		return kreg_fail(-EINVAL, TRY_EVENT, client);
	kreg_client_get(client);
	ret = hand_out(client, timeout_ms);
	kreg_client_put(client);
	return ret;
}

unsigned int kreg_event_kind(const struct kreg_event *event)
{
	return event->kind;
}

uint64_t kreg_event_seq(const struct kreg_event *event)
{
	return event->seq;
}

uint64_t kreg_event_time_ns(const struct kreg_event *event)
{
	return event->time_ns;
}

uint64_t kreg_event_table(const struct kreg_event *event)
{
	return event->table;
}

struct kreg_process kreg_event_process(const struct kreg_event *event)
{
	return event->process;
}

unsigned int kreg_event_cause(const struct kreg_event *event)
{
	return event->cause;
}

bool kreg_event_status(const struct kreg_event *event, int *status)
{
	if (!(event->flags & KREG_EVENT_STATUS))
		return false;
	*status = event->status;
	return true;
}

int kreg_event_name(const struct kreg_event *event, char *buf, size_t room, size_t *len)
{
	if (len)
		*len = event->key_len;
	if (room <= event->key_len)
		return kreg_fail_sizes(kreg_fail(-EMSGSIZE, TRY_EVENT, NULL), 0, room,
				       event->key_len);
	memcpy(buf, event + 1, event->key_len);
	buf[event->key_len] = '\0';
	return 0;
}

int kreg_event_name_alloc(const struct kreg_event *event, char **name, size_t *len)
{
	char *copy = malloc((size_t)event->key_len + 1);

	if (!copy)
		return kreg_fail(-ENOMEM, TRY_EVENT, NULL);
	*name = copy;
	return kreg_event_name(event, copy, (size_t)event->key_len + 1, len);
}

const void *kreg_event_key(const struct kreg_event *event, size_t *len)
{
	if (len)
		*len = event->key_len;
	return event + 1;
}

const void *kreg_event_value(const struct kreg_event *event, size_t *len)
{
	if (len)
		*len = event->value_len;
	if (event->flags & KREG_EVENT_CUT)
		return NULL;
	return (const char *)(event + 1) + event->key_len;
}

uint64_t kreg_event_version(const struct kreg_event *event)
{
	return event->version;
}

uint64_t kreg_event_last_lost(const struct kreg_event *event)
{
	return event->kind == KREG_EVENT_OVERFLOW ? event->version : 0;
}

struct kreg_process kreg_event_former_owner(const struct kreg_event *event)
{
	struct kreg_process former = { 0, 0, 0 };

	if (event->kind == KREG_EVENT_TRANSFER)
		return event->process;
	if (event->kind == KREG_EVENT_OWNER && event->value_len == sizeof(former))
		memcpy(&former, (const char *)(event + 1) + event->key_len, sizeof(former));
	return former;
}

const void *kreg_event_data(const struct kreg_event *event, size_t *len)
{
	*len = event->value_len;
	return (const char *)(event + 1) + event->key_len;
}

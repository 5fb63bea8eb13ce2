/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls, casts and stop. */
#include <errno.h>
#include <poll.h>

#include "peer.h"

/* So often a server may close the connection before it has taken a request. */
#define TRIES	8

/* Calls that are given longer first wait for the reply alone. */
#define QUICK_MS	20

/* Beside errnos: the reply is there; the server has no room for the connection. */
#define REPLIED	1
#define NOT_NOW	2

/* Where a reply goes, and what it is: 0 or the server's errno. */
struct reply {
	void *buf;
	size_t room;
	size_t len;
	int err;
};

/* Until the socket is ready for @events, or the server dead: -EPIPE. */
static int wait_link(const struct calling *calling, const struct link *link, short events)
{
	struct pollfd p[] = { { link->fd, events, 0 }, { link->pidfd, POLLIN, 0 } };
	int n = poll(p, 2, kreg_ms_left(calling->deadline));

	if (n < 0)
		return -errno;
	if (!n)
		return kreg_ms_left(calling->deadline) ? 0 : -ETIMEDOUT;
	return p[0].revents ? 0 : -EPIPE;
}

/*
 * REPLIED, NOT_NOW, -EACCES, -EAGAIN: nothing is there, or how it has failed. What a server has
 * said before it closed the connection with a request unread comes behind ECONNRESET.
 */
static int receive_reply(const struct link *link, int flags, struct reply *reply)
{
	struct packet head;
	int ret;

	ret = kreg_packet_recv(link->fd, flags, &head, reply->buf, reply->room, &reply->len);
	if (ret == -ECONNRESET)
		ret = kreg_packet_recv(link->fd, MSG_DONTWAIT, &head, reply->buf, reply->room,
				       &reply->len);
	if (ret)
		return ret == -EPROTO ? -EBADMSG : ret;
	if (head.type == PACKET_ERROR && !head.id)
		return head.detail == EAGAIN ? NOT_NOW : -EACCES;
	if (head.type < PACKET_REPLY || head.id != link->id)
		return -EBADMSG;
	reply->err = head.detail;
	return REPLIED;
}

static int send_request(const struct calling *calling, const struct link *link, unsigned int type,
			const void *data, size_t len)
{
	const struct kreg_peer *peer = calling->peer;
	const struct packet head = {
		PACKET_MAGIC, type, peer->key_len, is_call(type) ? link->id : 0,
	};
	int ret;

	for (;;) {
		ret = kreg_packet_send(link->fd, &head, peer->key, data, len);
		if (ret != -EAGAIN || !calling->wait)
			return ret;
		ret = wait_link(calling, link, POLLOUT);
		if (ret)
			return ret;
	}
}

/* What a server has said before it closed the connection: NOT_NOW, -EACCES or 0, nothing. */
static int read_refusal(const struct link *link)
{
	struct reply refusal = { .buf = NULL };
	int ret = receive_reply(link, MSG_DONTWAIT, &refusal);

	return ret == NOT_NOW || ret == -EACCES ? ret : 0;
}

/* 0: it was sent over @link; -EPIPE, NOT_NOW: the connection is closed, and it was not. */
static int send_once(const struct calling *calling, struct link *link, unsigned int type,
		     const void *data, size_t len)
{
	int ret, said;

	link->id++;
	ret = send_request(calling, link, type, data, len);
	if (ret == -EPIPE) {
		said = read_refusal(link);
		kreg_link_drop(calling->peer, link);
		return said ? said : ret;
	}
	if (ret)
		kreg_link_return(calling->peer, link);
	return ret;
}

/*
 * Send it to whoever has the name. A link that was left from an earlier call may lead to a
 * server that has closed it since: what is sent there is handled by nobody. A server that
 * asks to try again is asked until the time is over.
 */
static int send_to_holder(struct calling *calling, unsigned int type, const void *data, size_t len,
			  struct link **link)
{
	int ret, tries = 0;

	if (len > KREG_MAX_MESSAGE)
		return -EFBIG;
	while (tries < TRIES) {
		ret = kreg_link_get(calling, link);
		if (!ret)
			ret = send_once(calling, *link, type, data, len);
		if (ret == -EPIPE) {
			tries++;
			continue;
		}
		if (ret != NOT_NOW)
			return ret;
		ret = kreg_wait_a_moment(calling);
		if (ret)
			return ret;
	}
	return calling->wait ? -ECONNRESET : -EAGAIN;
}

/*
 * The end of the connection tells that the server is dead, unless a child of it has the
 * socket, too: then the pidfd does. Most replies come before it is worth asking both.
 */
static int await_reply(const struct calling *calling, const struct link *link, struct reply *reply)
{
	int left = kreg_ms_left(calling->deadline), ret, dead;

	if (left < 0 || left > QUICK_MS) {
		ret = receive_reply(link, 0, reply);
		if (ret != -EAGAIN)
			return ret;
	}
	for (;;) {
		dead = wait_link(calling, link, POLLIN);
		if (dead && dead != -EPIPE)
			return dead;
		/* Also if it is dead, for it may have replied before. */
		ret = receive_reply(link, MSG_DONTWAIT, reply);
		if (ret != -EAGAIN)
			return ret;
		if (dead)
			return dead;
	}
}

static int run_call(struct calling *calling, unsigned int type, const void *data,
		    size_t len, struct reply *reply)
{
	struct link *link;
	int ret;

	for (;;) {
		ret = send_to_holder(calling, type, data, len, &link);
		if (ret)
			return ret;
		ret = await_reply(calling, link, reply);
		if (ret == REPLIED) {
			kreg_link_return(calling->peer, link);
			break;
		}
		/* A reply that comes later finds nobody. */
		kreg_link_drop(calling->peer, link);
		if (ret == NOT_NOW)
			ret = kreg_wait_a_moment(calling);
		if (ret)
			return ret == -EPIPE ? -ECONNRESET : ret;
	}
	if (reply->err) {
		calling->answered = true;
		return -reply->err;
	}
	return reply->len > reply->room ? -EMSGSIZE : 0;
}

static struct calling begin_call(struct kreg_peer *peer, bool wait, int64_t timeout_ms)
{
	return (struct calling){ peer, wait ? kreg_deadline(timeout_ms) : 0, wait, false };
}

static int call_failed(int ret, const struct calling *calling, size_t given, size_t needed)
{
	kreg_fail_table(ret, calling->answered ? TRY_ANSWER : TRY_CALL, calling->peer->table);
	return kreg_fail_sizes(ret, calling->peer->key_len, given, needed);
}

static int make_call(struct kreg_peer *peer, unsigned int type, const void *request,
		     size_t request_len, void *buf, size_t room, size_t *len,
		     int64_t timeout_ms, bool *answered)
{
	struct calling calling = begin_call(peer, true, timeout_ms);
	struct reply reply = { .buf = buf, .room = room };
	int ret = run_call(&calling, type, request, request_len, &reply);
	bool told = !ret || (ret == -EMSGSIZE && !calling.answered);

	if (told && len)
		*len = reply.len;
	*answered = calling.answered;
	return call_failed(ret, &calling, ret == -EFBIG ? request_len : room, reply.len);
}

int kreg_call(struct kreg_peer *peer, const void *request, size_t request_len,
	      void *buf, size_t room, size_t *len, int64_t timeout_ms)
{
	bool answered;

	return make_call(peer, PACKET_CALL, request, request_len, buf, room, len, timeout_ms,
			 &answered);
}

int kreg_service_call(struct kreg_peer *peer, const void *request, size_t request_len,
		      void *buf, size_t room, size_t *len, int64_t timeout_ms, bool *answered)
{
	return make_call(peer, PACKET_SERVICE, request, request_len, buf, room, len, timeout_ms,
			 answered);
}

int kreg_cast(struct kreg_peer *peer, const void *request, size_t request_len)
{
	struct calling calling = begin_call(peer, false, 0);
	struct link *link;
	int ret = send_to_holder(&calling, PACKET_CAST, request, request_len, &link);

	if (!ret)
		kreg_link_return(peer, link);
	return call_failed(ret, &calling, request_len, 0);
}

/* Nothing comes over the socket but a refusal, or the end of it. */
static int await_death(const struct calling *calling, const struct link *link)
{
	struct pollfd p[] = { { link->fd, POLLIN, 0 }, { link->pidfd, POLLIN, 0 } };
	int n, ret;

	for (;;) {
		n = poll(p, 2, kreg_ms_left(calling->deadline));
		if (n < 0)
			return -errno;
		if (p[1].revents)
			return 0;
		if (p[0].revents) {
			ret = read_refusal(link);
			if (ret)
				return ret;
			p[0].fd = -1;
		}
		if (!n && !kreg_ms_left(calling->deadline))
			return -ETIMEDOUT;
	}
}

static int run_stop(struct calling *calling)
{
	struct link *link;
	int ret;

	do {
		ret = send_to_holder(calling, PACKET_STOP, NULL, 0, &link);
		if (ret)
			return ret;
		ret = await_death(calling, link);
		kreg_link_drop(calling->peer, link);
		if (ret != NOT_NOW)
			return ret;
		ret = kreg_wait_a_moment(calling);
	} while (!ret);
	return ret;
}

int kreg_stop(struct kreg_peer *peer, int64_t timeout_ms)
{
	struct calling calling = begin_call(peer, true, timeout_ms);

	return call_failed(run_stop(&calling), &calling, 0, 0);
}

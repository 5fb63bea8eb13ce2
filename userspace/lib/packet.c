/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One packet over a socket. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "packet.h"

/* One copy more is cheaper for the kernel than two or three parts. */
#define SMALL	512

struct small {
	struct packet head;
	char rest[SMALL];
};

static ssize_t send_parts(int fd, const struct packet *head, const void *key, size_t key_len,
			  const void *data, size_t len)
{
	static const char zeros[8];
	struct iovec parts[] = {
		{ (void *)head, sizeof(*head) },
		{ (void *)key, key_len },
		{ (void *)zeros, PACKET_KEY(key_len) - key_len },
		{ (void *)data, len },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 4 };

	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t send_small(int fd, const struct packet *head, const void *key, size_t key_len,
			  const void *data, size_t len)
{
	size_t at = PACKET_KEY(key_len);
	struct small small;

	small.head = *head;
	if (key_len) {
		memset(small.rest + at - 8, 0, 8);
		memcpy(small.rest, key, key_len);
	}
	if (len)
		memcpy(small.rest + at, data, len);
	return send(fd, &small, sizeof(*head) + at + len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int kreg_packet_send(int fd, const struct packet *head, const void *key,
		     const void *data, size_t len)
{
	size_t key_len = key ? head->detail : 0;
	ssize_t n;

	if (PACKET_KEY(key_len) + len <= SMALL)
		n = send_small(fd, head, key, key_len, data, len);
	else
		n = send_parts(fd, head, key, key_len, data, len);
	if (n >= 0)
		return 0;
	/* An older failure of the socket, or its other end is closed: this one was not sent. */
	if (errno == ECONNRESET || errno == ENOTCONN || errno == ECONNREFUSED)
		return -EPIPE;
	/* Not for kreg_call(), whose EMSGSIZE is about the reply. */
	return errno == EMSGSIZE ? -EFBIG : -errno;
}

static bool is_packet(const struct packet *head, size_t n)
{
	if (n < sizeof(*head) || head->magic != PACKET_MAGIC)
		return false;
	switch (head->type) {
	case PACKET_CALL:
	case PACKET_SERVICE:
		return head->id && head->detail <= KREG_MAX_KEY &&
		       PACKET_KEY(head->detail) <= n - sizeof(*head);
	case PACKET_CAST:
	case PACKET_STOP:
		return head->detail <= KREG_MAX_KEY &&
		       PACKET_KEY(head->detail) <= n - sizeof(*head);
	case PACKET_REPLY:
		return !head->detail;
	case PACKET_ERROR:
		return head->detail >= 1 && head->detail <= PACKET_ERRNO;
	}
	return false;
}

static ssize_t recv_parts(int fd, int flags, struct packet *head, void *buf, size_t room)
{
	struct iovec parts[] = { { head, sizeof(*head) }, { buf, room } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return recvmsg(fd, &msg, flags);
}

static ssize_t recv_small(int fd, int flags, struct packet *head, void *buf, size_t room)
{
	struct small small;
	ssize_t n = recv(fd, &small, sizeof(*head) + room, flags);
	size_t len = n > (ssize_t)sizeof(*head) ? n - sizeof(*head) : 0;

	if (n >= (ssize_t)sizeof(*head))
		*head = small.head;
	if (len && room)
		memcpy(buf, small.rest, len < room ? len : room);
	return n;
}

int kreg_packet_recv(int fd, int flags, struct packet *head, void *buf, size_t room, size_t *len)
{
	ssize_t n;

	flags |= MSG_TRUNC;
	if (buf == head + 1)
		n = recv(fd, head, sizeof(*head) + room, flags);
	else if (room <= SMALL)
		n = recv_small(fd, flags, head, buf, room);
	else
		n = recv_parts(fd, flags, head, buf, room);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	if (!is_packet(head, n))
		return -EPROTO;
	*len = n - sizeof(*head);
	return 0;
}

int kreg_ms_left(uint64_t deadline)
{
	uint64_t now, ms;

	if (!deadline)
		return -1;
	now = kreg_deadline(0);
	if (now >= deadline)
		return 0;
	ms = (deadline - now + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Packets to and from servers, without the library. */
#ifndef KREG_LIB_PACKET_H
#define KREG_LIB_PACKET_H

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "lib/lib.h"
#include "kit/util.h"

struct head {
	uint32_t magic;
	uint16_t type;
	uint16_t key_len;
	uint64_t id;
};

#define MAGIC	0x3167726bu
#define CALL	1
#define CAST	2
#define REPLY	4
#define ERROR	5
#define SERVICE	6

static inline int socket_raw(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* Connect a socket to the server that has a key. Return: it, or -1. */
static inline int connect_key(struct kreg_table *table, const char *key, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned char value[128];
	size_t len;

	if (fd < 0 || kreg_get(table, key, strlen(key), value, sizeof(value), &len))
		return -1;
	memcpy(address.sun_path, value + 2, value[1]);
	if (connect(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + value[1]))
		return -1;
	return fd;
}

static inline int send_bytes(int fd, struct head head, const void *data, size_t len, int flags)
{
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)data, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static inline int send_raw(int fd, struct head head, const char *text, int flags)
{
	return send_bytes(fd, head, text, strlen(text), flags);
}

/* The answer of a call, its data as far as there is room. Return: 0, or a negative errno. */
static inline int recv_answer(int fd, void *data, size_t room)
{
	struct head head;
	struct iovec parts[] = { { &head, sizeof(head) }, { data, room } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) != 1 || recvmsg(fd, &msg, 0) < (ssize_t)sizeof(head))
		return -EPIPE;
	return head.type == ERROR ? -head.key_len : 0;
}

/* Until the server has read all that was sent. */
static inline int wait_read(int fd)
{
	int left = 1, i;

	for (i = 0; left && i < PATIENCE_MS; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			return -errno;
		usleep(1000);
	}
	return left;
}

/* Is the connection ended by the server? */
static inline bool is_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[64];

	while (poll(&p, 1, PATIENCE_MS) == 1)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return true;
	return false;
}

/* What keepers are asked for a table, and agents for a value; the name or the key follows. */
struct ask_keeper {
	uint32_t kind;		/* 1 */
	uint32_t what;		/* 0 */
	uint64_t cookie;
	char name[128];
};

struct ask_agent {
	uint32_t kind;		/* 2 */
	uint32_t what;		/* 1: get, 2: put, 3: delete */
	uint32_t flags;		/* 1: if it has @version */
	uint32_t key_len;
	uint64_t version;
	char bytes[72];
};

/* Of both. */
struct service_answer {
	uint64_t table;		/* version */
	uint64_t opened;	/* count */
};

#endif /* KREG_LIB_PACKET_H */

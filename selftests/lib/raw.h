/* SPDX-License-Identifier: GPL-2.0 */
/* Connections to a server, and from its callers, without the library. */
#ifndef KREG_LIB_RAW_H
#define KREG_LIB_RAW_H

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "lib/server.h"

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

static inline int socket_raw(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* Connect a socket to the server. Return: it, or -1. */
static inline int connect_socket(struct kreg_table *table, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned char value[128];
	size_t len;

	if (fd < 0 || kreg_get(table, KEY, strlen(KEY), value, sizeof(value), &len))
		return -1;
	memcpy(address.sun_path, value + 2, value[1]);
	if (connect(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + value[1]))
		return -1;
	return fd;
}

/* A connection without the library. */
static inline int connect_raw(struct kreg_table *table)
{
	return connect_socket(table, socket_raw());
}

static inline int send_raw(int fd, struct head head, const char *text, int flags)
{
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)text, strlen(text) } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Until the server has read all that was sent. */
static inline int wait_read(int fd)
{
	int left = 1, i;

	for (i = 0; left && i < 10000; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			return -errno;
		usleep(1000);
	}
	return left;
}

/* Is the connection ended by the server, within ten seconds? */
static inline bool is_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[64];

	while (poll(&p, 1, 10000) == 1)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return true;
	return false;
}

#endif /* KREG_LIB_RAW_H */

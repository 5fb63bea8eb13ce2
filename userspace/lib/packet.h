/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What servers and those who call them say to each other, over SOCK_SEQPACKET: a header,
 * the key that was called, padded to a multiple of 8 bytes, and the data.
 */
#ifndef KREG_LIB_PACKET_H
#define KREG_LIB_PACKET_H

#include <sys/socket.h>
#include <sys/un.h>

#include "internal.h"

#define PACKET_MAGIC	0x3167726bu
#define PACKET_KEY(len)	(((size_t)(len) + 7) & ~(size_t)7)

enum packet_type {
	PACKET_CALL = 1,
	PACKET_CAST = 2,
	PACKET_STOP = 3,
	PACKET_REPLY = 4,
	PACKET_ERROR = 5,
	PACKET_SERVICE = 6,	/* a call of what the library does for a server */
};

static inline bool is_call(unsigned int type)
{
	return type == PACKET_CALL || type == PACKET_SERVICE;
}

struct packet {
	uint32_t magic;
	uint16_t type;
	uint16_t detail;	/* length of the key; ERROR: the errno; REPLY: 0 */
	uint64_t id;		/* of the call; an ERROR with 0 refuses the connection */
};

/* The value of a server's entry: its version, the length of sun_path, and that. */
#define ADDRESS_VERSION	1
#define ADDRESS_MAX	(2 + sizeof(((struct sockaddr_un *)NULL)->sun_path))

#define PACKET_ERRNO	4095	/* the highest */

/*
 * @key: of requests. Never waits. 0; -EAGAIN: there is no room; -EPIPE: nobody reads it any
 * more, and it was not sent; or another negative errno.
 */
int kreg_packet_send(int fd, const struct packet *head, const void *key,
		     const void *data, size_t len);

/*
 * Receive one; @flags: 0 or MSG_DONTWAIT. What follows the header goes to @buf as far as there
 * is @room; @len is all of it. Descriptors that come along are closed by the kernel. 0;
 * -EPIPE: there is no more; -EPROTO: it is no packet; -EAGAIN, -EINTR, -ECONNRESET and so on.
 */
int kreg_packet_recv(int fd, int flags, struct packet *head, void *buf, size_t room, size_t *len);

/* For poll(2): until a moment of kreg_deadline(), -1: for ever. */
int kreg_ms_left(uint64_t deadline);

#endif /* KREG_LIB_PACKET_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Connections to a server, and from its callers, without the library. */
#ifndef KREG_LIB_RAW_H
#define KREG_LIB_RAW_H

#include "lib/packet.h"
#include "lib/server.h"

/* Connect a socket to the server. Return: it, or -1. */
static inline int connect_socket(struct kreg_table *table, int fd)
{
	return connect_key(table, KEY, fd);
}

/* A connection without the library. */
static inline int connect_raw(struct kreg_table *table)
{
	return connect_socket(table, socket_raw());
}

#endif /* KREG_LIB_RAW_H */

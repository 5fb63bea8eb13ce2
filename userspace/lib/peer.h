/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls: what peer.c and call.c share. */
#ifndef KREG_LIB_PEER_H
#define KREG_LIB_PEER_H

#include "packet.h"

/* An open connection to a server. One thread at a time borrows it. */
struct link {
	struct link *next;
	const void *thread;	/* whose it is */
	bool busy;
	int fd;
	int pidfd;		/* of the server's process */
	struct file_id file, pidfd_file;
	uint64_t cookie;	/* that no other socket has */
	uint64_t version;	/* of the entry by which it was found */
	uint64_t id;		/* of the last call */
};

struct kreg_peer {
	struct kreg_table *table;
	uint64_t process;	/* whose links they are */
	struct link *links;	/* most recently used first */
	size_t key_len;
	unsigned char key[];
};

/* What a caller does as long as it lasts. */
struct calling {
	struct kreg_peer *peer;
	uint64_t deadline;
	bool wait;		/* it may wait at all */
	bool answered;		/* the error is the server's */
};

/* 0: a link to who has the name now; to be returned or dropped. */
int kreg_link_get(struct calling *calling, struct link **link);
void kreg_link_return(struct kreg_peer *peer, struct link *link);
void kreg_link_drop(struct kreg_peer *peer, struct link *link);
/* Before one tries again to be connected: 0, -EAGAIN: it may not wait, or -ETIMEDOUT. */
int kreg_wait_a_moment(const struct calling *calling);

/*
 * call.c: as kreg_call(), of what the library does for a server. @answered: an error is that one's
 * answer, for which the caller has a better sentence.
 */
int kreg_service_call(struct kreg_peer *peer, const void *request, size_t request_len,
		      void *buf, size_t room, size_t *len, int64_t timeout_ms, bool *answered);

#endif /* KREG_LIB_PEER_H */

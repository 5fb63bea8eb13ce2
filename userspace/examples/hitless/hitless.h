/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hitless.h - what a server has, and how it passes to the next version. */
#ifndef HITLESS_H
#define HITLESS_H

#include <kreg.h>

#define MAX_CONNECTIONS	100

struct connection {
	int fd;
	unsigned int len;	/* of what is in @line */
	char line[64];
	char session[64];	/* empty: it has not said which */
};

struct server {
	struct kreg_table *sessions;
	int listening;		/* TCP */
	int handover;		/* for the successor */
	unsigned int count;
	struct connection connection[MAX_CONNECTIONS];
};

/* handover_listen() - a socket at which a successor can ask. Return: it, or -1. */
int handover_listen(void);
/* handover_give() - give all to who asks. Return: 1: the server is to end; 0: it goes on. */
int handover_give(struct server *s);
/*
 * handover_take() - get all from who serves now; if nobody does nothing changes. Return: 0; -1: not
 * all could be taken over, and the other one goes on.
 */
int handover_take(struct server *s);

#endif /* HITLESS_H */

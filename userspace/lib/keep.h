/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keepers: what keeper.c, keeper_client.c and keeper_get.c share. */
#ifndef KREG_LIB_KEEP_H
#define KREG_LIB_KEEP_H

#include "serve.h"

/* What kreg_keeper_get() sends; the name follows. */
struct keeper_ask {
	struct service_head head;
	uint64_t cookie;	/* of who asks */
};

struct keeper_answer {
	uint64_t table;
	uint64_t opened;	/* KREG_OPENED_CLAIMED, or 0: it was the caller's already */
};

struct kreg_keeper {
	struct service service;		/* first: kreg_keeper_serve() is given that */
	struct kreg_keeper *next;	/* of the client's */
	struct kreg_server *server;
	struct kreg_client *client;
	struct kreg_process self;
	struct kreg_open_options how;
	uint64_t since;			/* when it was made: what came before is not for it */
	struct kreg_table *table;
	struct kreg_ref *line;		/* its place, while another process owns the table */
	struct kreg_table *consumers;	/* NULL: who asks gets it */
	struct kreg_ref *entry;		/* that a consumer registers, or another one */
	uint64_t seen;			/* version of the entry that gets no table (again) */
	struct kreg_process given;	/* the consumer that was seen to have the table */
	bool destroy_foreign;
	bool made;			/* the program has it */
	enum kreg_keeper_failure tried;	/* what is being done */
	kreg_keeper_failed_fn failed;
	void *arg;
	char *name;
	size_t key_len;
	unsigned char key[];
};

/* A child has the keepers of its parent, which do nothing there. */
static inline bool kreg_keeper_is_own(const struct kreg_keeper *k)
{
	return k->server->process == kreg_process_number();
}

/* keeper.c: own the table or stand by for it, and give it to a consumer that is registered. */
int kreg_keeper_advance(struct kreg_keeper *k);
/* Likewise, when nobody waits for the result. */
void kreg_keeper_continue(struct kreg_keeper *k);
/*
 * From now on it is one table whoever dies, first the consumer, then the keeper: each time before
 * it is given, since the last owner may have set something else.
 */
int kreg_keeper_secure(struct kreg_keeper *k);
bool kreg_keeper_is_of(const struct kreg_keeper *k, const struct kreg_process *process);
/* keeper_client.c: one keeper more on this client, or -EBUSY; one less. */
int kreg_keeper_join(const struct kreg_client *client);
void kreg_keeper_leave(void);
/* keeper_get.c: answer a request. */
bool kreg_keeper_serve(struct service *service, struct kreg_request *request);

#endif /* KREG_LIB_KEEP_H */

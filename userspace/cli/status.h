/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kreg status share. */
#ifndef KREG_CLI_STATUS_H
#define KREG_CLI_STATUS_H

#include "cmd.h"

/* A process that has the device open. */
struct holder {
	pid_t pid;
	uid_t uid;
	unsigned int files;
	unsigned int inherited;		/* that another process has opened: no call works */
};

/* What a user has. */
struct account {
	uid_t uid;
	uint64_t tables;
	uint64_t parked;
	uint64_t objects;
	uint64_t memory;
};

/* Numbers of the module that only root of the initial user namespace can read. */
struct counters {
	bool known;
	uint64_t tables;		/* also those whose memory is being freed */
	uint64_t clients;
	uint64_t deaths;
};

struct status {
	struct counters counters;
	struct account total;
	struct account *accounts;
	size_t n_accounts;
	struct holder *holders;		/* without this command */
	size_t n_holders;
	unsigned int files;		/* theirs */
};

/* status_read.c: 0 or the exit code, having said why. */
int status_read(struct kreg_client *client, struct status *status);
void status_free(struct status *status);

#endif /* KREG_CLI_STATUS_H */

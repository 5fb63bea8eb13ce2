/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queues: the keys of jobs, and who waits for one. */
#ifndef KREG_LIB_QUEUE_H
#define KREG_LIB_QUEUE_H

#include <signal.h>

#include "internal.h"

/*
 * The key of a job: what it is, when it is due, in nanoseconds of CLOCK_MONOTONIC, a number that no
 * other job of that moment has and that grows in a process, and how often it was given out before
 * it was written; all of them with the highest byte first, so that they sort.
 */
#define JOB_KEY		21
#define JOB_WAITS	'j'	/* to be given out */
#define JOB_DEAD	'x'	/* put aside */

struct job_key {
	char what;
	uint64_t due_ns;
	uint64_t number;
	uint32_t deliveries;
};

struct kreg_job {
	struct kreg_queue *queue;
	struct job_key key;
	uint64_t version;	/* of the loan */
	uint32_t deliveries;
	size_t len;
	char *value;		/* behind this */
};

struct kreg_queue {
	struct kreg_table *table;
	struct kreg_queue_options options;
	sigset_t sigmask;		/* a copy of that of the options, if they have one */
	struct kreg_client *client;	/* for what happens in the table; NULL: nobody has waited */
	uint64_t subscription;
};

/* queue_key.c */
void kreg_job_write(const struct job_key *key, unsigned char *bytes);
int kreg_job_read(struct job_key *key, const unsigned char *bytes, size_t len);
/* From the first of that kind up to what is due at @until. */
void kreg_job_range(char what, uint64_t from_ns, uint64_t until_ns, unsigned char *low,
		    unsigned char *high);
/* A key of its own for a job that is due then. */
int kreg_job_make(struct job_key *key, char what, uint64_t due_ns, uint32_t deliveries);

/* queue_wait.c: what has happened until now does not wake later. -ESTALE, -ENXIO and so on. */
int kreg_queue_listen(struct kreg_queue *queue);
/* Until something happens, or it is that late. 0, -EINTR. */
int kreg_queue_sleep(struct kreg_queue *queue, uint64_t until_ns);
void kreg_queue_deafen(struct kreg_queue *queue);

#endif /* KREG_LIB_QUEUE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: work queues that lose nothing. */
#ifndef KREG_QUEUE_H
#define KREG_QUEUE_H

#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A queue is an ordered table whose objects are jobs. A worker has a job on loan while it works on
 * it; when it is done, the job is removed. Whatever kills the worker before, the job is in its
 * place again when the worker is dead, and goes to the next who asks. So no job is lost, and none
 * is given out again once it is done. It may be begun several times: kreg_job_deliveries() tells
 * how often.
 *
 * The functions of a queue: one thread at a time, and each thread may have a queue of its own. A
 * job belongs to the process: a forked child has none.
 */

struct kreg_queue;
struct kreg_job;

/**
 * struct kreg_queue_options - how a worker takes jobs
 * @size: sizeof(struct kreg_queue_options)
 * @lease_ms: a job that is not ended after so many milliseconds goes to others, too; 0: never, as
 *	long as the process lives; it has to be longer than the work, since it cannot be extended
 * @max_deliveries: a job that was given out so often already is put aside instead, among the dead
 *	ones; 0: never
 * @sigmask: a sigset_t: the signals that are blocked while kreg_queue_take() waits, as that of
 *	ppoll(2), so that none comes between a look whether one has come and the wait; it is copied;
 *	NULL: as they are
 */
struct kreg_queue_options {
	size_t size;
	uint32_t lease_ms;
	uint32_t max_deliveries;
	const void *sigmask;
};

#define KREG_QUEUE_OPTIONS_INIT	{ sizeof(struct kreg_queue_options), 0, 0, NULL }

/**
 * kreg_queue_open() - use a table as a queue
 * @table: an ordered_set, which the caller may read and write, with nothing else in it
 * @options: NULL: all defaults
 * @queue: the queue
 *
 * Errors: -EOPNOTSUPP: the table is no ordered_set; -EINVAL, -E2BIG: @options.
 */
int kreg_queue_open(struct kreg_table *table, const struct kreg_queue_options *options,
		    struct kreg_queue **queue) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_queue_close() - let go of a queue, not of its jobs; NULL is allowed. */
void kreg_queue_close(struct kreg_queue *queue);

/**
 * kreg_queue_push() - append a job
 * @queue: the queue
 * @value: what there is to be done
 * @len: its length
 * @delay_ms: it is given out after so many milliseconds; 0: at once
 *
 * Jobs are given out in the order in which they were pushed, those with a delay in that in which
 * they are due.
 *
 * Errors: those of kreg_put(); -EINVAL: @delay_ms is below 0.
 */
int kreg_queue_push(struct kreg_queue *queue, const void *value, size_t len, int64_t delay_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_queue_take() - take the first job that is due
 * @queue: the queue
 * @timeout_ms: how long to wait for one; 0: not at all; -1, INT64_MAX: for ever
 * @job: the job, to be ended by one of the functions below
 *
 * Errors: -ETIMEDOUT: there was none; -EINTR: a signal handler has run; those of kreg_lease() and,
 * if it waits, of kreg_subscribe().
 */
int kreg_queue_take(struct kreg_queue *queue, int64_t timeout_ms, struct kreg_job **job)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_job_value() - what there is to be done
 * @job: the job
 * @len: its length; may be NULL
 *
 * Return: the value, followed by a NUL that does not count; good as long as the job.
 */
const void *kreg_job_value(const struct kreg_job *job, size_t *len) KREG_NONNULL_FIRST;

/** kreg_job_deliveries() - how often it was given out, this time included. */
uint32_t kreg_job_deliveries(const struct kreg_job *job) KREG_NONNULL_FIRST;

/**
 * kreg_job_done() - remove a job: it is done
 * @job: the job, which is freed whatever is returned
 *
 * Errors: -ECANCELED: its time was over: others have it, or have had it, or nobody has taken it
 * yet, and somebody will.
 */
int kreg_job_done(struct kreg_job *job) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_job_back() - give a job back, to be given out once more
 * @job: the job, which is freed whatever is returned
 * @delay_ms: not before so many milliseconds; 0: at once, in its old place
 *
 * With any error but -ECANCELED it is given back at once.
 *
 * Errors: as kreg_job_done(); -EINVAL: @delay_ms is below 0; with a delay those of kreg_put().
 */
int kreg_job_back(struct kreg_job *job, int64_t delay_ms) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_job_reject() - put a job aside, among the dead ones; as kreg_job_back() with a delay. */
int kreg_job_reject(struct kreg_job *job) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * struct kreg_queue_counts - how many jobs a queue has
 * @size: sizeof(struct kreg_queue_counts)
 * @due: that could be given out now
 * @delayed: that are not due yet
 * @dead: that were put aside
 * @lent: that others have at work; those of the caller count as due
 */
struct kreg_queue_counts {
	size_t size;
	uint64_t due;
	uint64_t delayed;
	uint64_t dead;
	uint64_t lent;
};

#define KREG_QUEUE_COUNTS_INIT	{ sizeof(struct kreg_queue_counts), 0, 0, 0, 0 }

/** kreg_queue_count() - how many there are, each counted at its own moment. */
int kreg_queue_count(struct kreg_queue *queue, struct kreg_queue_counts *counts)
	KREG_NONNULL_FIRST;

/**
 * kreg_job_fn - is given a job by kreg_queue_dead()
 * @job: for kreg_job_value() and kreg_job_deliveries(); good until the function returns, and not to
 *	be ended
 * @arg: what was given with it
 *
 * Return: 0; else no other job is looked at, and kreg_queue_dead() returns this.
 */
typedef int (*kreg_job_fn)(const struct kreg_job *job, void *arg);

/**
 * kreg_queue_dead() - look at the dead jobs
 * @queue: the queue
 * @fn: is called for one after the other, in the order in which they were due
 * @arg: for @fn
 *
 * They stay where they are; kreg_job_deliveries() tells how often a job was given out before it was
 * put aside.
 *
 * Errors: those of kreg_scan_next(); -EBADMSG: there is something in the table that is no job.
 *
 * Return: 0; what @fn has returned, if that is another number; or an error.
 */
int kreg_queue_dead(struct kreg_queue *queue, kreg_job_fn fn, void *arg) KREG_NONNULL_FIRST;

/**
 * kreg_queue_revive() - push all dead jobs again
 * @queue: the queue
 * @revived: how many that were, also of a call that fails; may be NULL
 *
 * They count as never given out.
 */
int kreg_queue_revive(struct kreg_queue *queue, uint64_t *revived) KREG_NONNULL_FIRST;

/**
 * kreg_queue_make_due() - make all jobs due that are not yet
 * @queue: the queue
 * @made: how many that were, also of a call that fails; may be NULL
 *
 * They come behind those that are due already, in the order in which they would have been due, and
 * count as given out as often as before. Moments are those of CLOCK_MONOTONIC, which begins anew
 * with the machine: in a table that was restored from a dump of an earlier run of the machine, or
 * of another machine, jobs that were due may wait for long. This is for them, and makes no
 * difference between those and jobs that were pushed with a delay.
 *
 * Errors: as kreg_queue_take() without waiting, and those of kreg_put().
 */
int kreg_queue_make_due(struct kreg_queue *queue, uint64_t *made) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_QUEUE_H */

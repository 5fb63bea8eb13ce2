/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another user, who queues as much as he may and dies of it. All that the players do goes
 * on beside that, and is what it would be without him.
 */
#ifndef KREG_STRESS_BACKLOG_H
#define KREG_STRESS_BACKLOG_H

#include "stress/world.h"

#define BACKLOG_USER	1001
#define BACKLOG_CLIENTS	16		/* the tables are shared by half of them each */
#define BACKLOG_BATCH	512
#define BACKLOG_ROUNDS	8

struct backlog {
	int fd[BACKLOG_CLIENTS];
	__u64 table[2];
	struct kreg_op ops[BACKLOG_BATCH];
	__u32 keys[BACKLOG_BATCH];
};

/* At one of the limits, which he shares with others like him. */
static inline bool backlog_refused(int err)
{
	return err == -EAGAIN || err == -EDQUOT || err == -ENOMEM;
}

static inline void backlog_fail(const char *what, int err)
{
	if (!backlog_refused(err))
		complain("a stranger's %s: %s", what, strerror(-err));
	_exit(0);
}

static inline void backlog_open(struct backlog *b)
{
	int i, err;

	/* By the system call: the parent may have had threads, which the library would tell. */
	if (syscall(SYS_setresuid, BACKLOG_USER, BACKLOG_USER, BACKLOG_USER))
		backlog_fail("change of user", -errno);
	for (i = 0; i < BACKLOG_CLIENTS; i++) {
		b->fd[i] = test_client();
		if (b->fd[i] < 0)
			backlog_fail("open", b->fd[i]);
	}
	for (i = 0; i < 2; i++) {
		err = _test_create(b->fd[i], NULL, KREG_ACCESS_PRIVATE, &b->table[i]);
		if (err)
			backlog_fail("table", err);
	}
	for (i = 0; i < BACKLOG_BATCH; i++) {
		b->keys[i] = i;
		b->ops[i] = test_op_value(KREG_OP_PUT, &b->keys[i], 4, &b->keys[i], 4);
	}
}

/* Each client's writes to its table, as often as that is accepted. */
static inline void backlog_queue(struct backlog *b)
{
	int i, round, err;

	for (round = 0; round < BACKLOG_ROUNDS; round++) {
		for (i = 0; i < BACKLOG_CLIENTS; i++) {
			err = _test_batch(b->fd[i], b->table[i % 2], KREG_WRITE_ASYNC, b->ops,
					  BACKLOG_BATCH, NULL);
			if (!err)
				tally(BACKLOG);
			else if (!backlog_refused(err))
				backlog_fail("batch", err);
		}
	}
}

/* All keys are there, if one batch was accepted and had memory. */
static inline void backlog_check(struct backlog *b)
{
	struct kreg_info info;
	int i, err;

	for (i = 0; i < BACKLOG_CLIENTS; i++) {
		err = _test_sync(b->fd[i]);
		if (err)
			backlog_fail("SYNC", err);
	}
	err = _test_info(b->fd[0], b->table[0], &info);
	if (err)
		backlog_fail("INFO", err);
	if (info.objects && info.objects != BACKLOG_BATCH)
		complain("a stranger has %llu objects after batches of %u",
			 (unsigned long long)info.objects, BACKLOG_BATCH);
}

/* In a child of a process with threads: only what a signal handler may call. */
static inline void backlog_main(__u32 end)
{
	static struct backlog b;

	backlog_open(&b);
	backlog_queue(&b);
	if (end == 0)
		backlog_check(&b);
	if (end == 1)
		kill(getpid(), SIGKILL);
	_exit(0);
}

#endif /* KREG_STRESS_BACKLOG_H */

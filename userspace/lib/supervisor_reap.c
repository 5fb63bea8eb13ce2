/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: the zombies that are left of children of this process. Whoever traces a process is
 * told of its death first, and the parent can wait for it only afterwards. They are waited for by
 * their pidfds, since another process may have the pid once somebody else has waited for one.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

/* When one that cannot be reaped is tried again: nothing tells that its tracer is done. */
#define AGAIN_MS	1000

/* P_PIDFD is not in all versions of the C library. */
#define BY_PIDFD	((idtype_t)3)

/* As in waitpid(2). */
static int status_of(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

/* False: not yet. With an error it is not this process' to reap any more. */
static bool reap_pidfd(int pidfd, siginfo_t *info)
{
	info->si_pid = 0;
	return waitid(BY_PIDFD, pidfd, info, WEXITED | WNOHANG) || info->si_pid;
}

static void keep_zombie(struct child *c)
{
	struct kreg_supervisor *sup = c->sup;
	struct zombie *more = realloc(sup->zombies, (sup->zombie_count + 1) * sizeof(*more));

	/* Then it stays until this process ends. */
	if (!more)
		return;
	sup->zombies = more;
	more[sup->zombie_count++] = (struct zombie){ c->pidfd, c->pidfd_file };
	c->pidfd = -1;
	sup->reap_at = kreg_deadline(AGAIN_MS);
}

void kreg_sup_reap(struct child *c)
{
	siginfo_t info;

	if (!c->ours)
		return;
	c->ours = false;
	if (!reap_pidfd(c->pidfd, &info)) {
		keep_zombie(c);
	} else if (info.si_pid && !c->known) {
		c->known = true;
		c->status = status_of(&info);
	}
}

void kreg_sup_reap_again(struct kreg_supervisor *sup)
{
	size_t i, left = 0;
	siginfo_t info;

	if (!sup->zombie_count || kreg_deadline(0) < sup->reap_at)
		return;
	for (i = 0; i < sup->zombie_count; i++) {
		if (reap_pidfd(sup->zombies[i].pidfd, &info))
			kreg_file_close(sup->zombies[i].pidfd, &sup->zombies[i].file);
		else
			sup->zombies[left++] = sup->zombies[i];
	}
	sup->zombie_count = left;
	sup->reap_at = kreg_deadline(AGAIN_MS);
}

/* In a child of fork(2) they are the parent's. */
void kreg_sup_close_zombies(struct kreg_supervisor *sup)
{
	const struct zombie *z;
	siginfo_t info;

	while (sup->zombie_count) {
		z = &sup->zombies[--sup->zombie_count];
		if (sup->process == kreg_process_number())
			reap_pidfd(z->pidfd, &info);
		kreg_file_close(z->pidfd, &z->file);
	}
	free(sup->zombies);
	sup->zombies = NULL;
}

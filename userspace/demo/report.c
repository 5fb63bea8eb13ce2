/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports to the director. Writes to a pipe of at most PIPE_BUF bytes are atomic. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "demo.h"

_Static_assert(sizeof(struct report) <= PIPE_BUF, "reports must not be torn");

void report(const struct demo *d, const struct report *r)
{
	while (write(d->pipe[1], r, sizeof(*r)) < 0 && errno == EINTR)
		;
}

void report_failure(const struct demo *d, const char *what, int err)
{
	struct report r = { .word = WORD_FAILED, .pid = getpid(), .number = -err };

	snprintf(r.text, sizeof(r.text), "%s: %s (%s)", what, kreg_strerror(err),
		 kreg_error_name(err));
	report(d, &r);
}

int report_read(const struct demo *d, struct report *r, int timeout_ms)
{
	struct pollfd p = { d->pipe[0], POLLIN, 0 };
	uint64_t end = now_ns() + timeout_ms * 1000000ull;
	uint64_t now;

	for (;;) {
		now = now_ns();
		if (now >= end || poll(&p, 1, (end - now) / 1000000 + 1) == 0)
			return 0;
		if (p.revents && read(d->pipe[0], r, sizeof(*r)) == sizeof(*r))
			return 1;
	}
}

/* However the director ends, its processes end with it. */
void die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

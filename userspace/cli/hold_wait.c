/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Own the table, and be its heir as long as the command owns it.
 *
 * An heir lasts no longer than its process. So a keeper that was killed, and is started again
 * while the command lives on, stands by for the table: it gets it when the command dies.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "hold.h"

/* Results beside 0 and exit codes. */
#define AGAIN	(-1)
#define NOTHING	(-2)

/* What the event of @ref says. */
static int look_at_events(struct hold *h, const struct kreg_ref *ref)
{
	const struct kreg_event *m;

	while (!kreg_event_next(h->client, 0, &m))
		if (kreg_event_ref(m) == ref)
			return kreg_event_kind(m) == KREG_EVENT_TRANSFER ? 0 : AGAIN;
	return NOTHING;
}

/* The signals that end a command while it runs end this one while it waits. */
static int look_at_signals(struct hold *h, int signals)
{
	struct signalfd_siginfo info;
	int status;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			hold_reap(h, &status);
		else if (info.ssi_signo == SIGHUP && !signal_ignored(SIGHUP))
			h->stopped_by = SIGHUP;
		else
			hold_take_signal(h, &(siginfo_t){
				.si_signo = info.ssi_signo, .si_code = info.ssi_code });
		if (h->stopped_by)
			return 128 + h->stopped_by;
	}
	return NOTHING;
}

/* 0: the table is ours; AGAIN: it is gone, or not for us any more; or an exit code. */
static int wait_for_turn(struct hold *h, const struct kreg_ref *ref, int signals)
{
	struct pollfd p[] = {
		{ .fd = kreg_client_fd(h->client), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int ret;

	do {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return fail_text(EXIT_ERROR, "poll: %s", strerror(errno));
		ret = look_at_events(h, ref);
		if (ret == NOTHING)
			ret = look_at_signals(h, signals);
	} while (ret == NOTHING);
	return ret;
}

/* What was ours at the moment at which we were asked to end is parked. */
static int stand_by(struct hold *h, struct kreg_ref *ref, const sigset_t *set)
{
	int signals = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	int ret;

	if (signals < 0) {
		kreg_ref_cancel(ref);
		return fail_text(EXIT_ERROR, "signalfd: %s", strerror(errno));
	}
	say_waiting(h);
	ret = wait_for_turn(h, ref, signals);
	close(signals);
	if (!kreg_ref_cancel(ref) && ret > 0)
		kreg_table_park(h->table);
	return ret;
}

static int own(struct hold *h, const sigset_t *set)
{
	struct kreg_ref *ref = NULL;
	int ret;

	do {
		kreg_table_close(h->table);
		h->table = NULL;
		ret = h->wait ?
		      kreg_table_standby(h->client, h->name, &h->options, NULL, NULL, &h->table,
					 &ref) :
		      kreg_table_own(h->client, h->name, 0, &h->options, &h->table);
		if (ret)
			return fail(ret);
		if (ref)
			ret = stand_by(h, ref, set);
		ref = NULL;
	} while (ret == AGAIN);
	return ret;
}

int hold_own(struct hold *h, const sigset_t *set)
{
	struct kreg_process self;
	int ret = own(h, set);

	if (ret)
		return ret;
	ret = kreg_client_self(h->client, &self);
	if (!ret)
		ret = kreg_table_set_heir(h->table, &self, NULL, 0, false);
	return ret ? fail(ret) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monitors: watches of processes, by whatever they are known. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int monitor(struct kreg_client *client, const struct kreg_process *process,
		   kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = { .kind = KREG_WATCH_PROCESS, .process = *process };
	int ret = kreg_fail(kreg_ref_watch(client, &watch, fn, arg, ref), TRY_MONITOR, client);

	return kreg_fail_process(ret, process->pid);
}

int kreg_monitor(struct kreg_client *client, const struct kreg_process *process,
		 kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	return monitor(client, process, fn, arg, ref);
}

/* That it may die in between is no error: its name is its own, and it is told of. */
int kreg_monitor_pid(struct kreg_client *client, pid_t pid, kreg_event_fn fn, void *arg,
		     struct kreg_ref **ref)
{
	struct kreg_process process;
	int ret = kreg_process_whois(client, pid, KREG_WHOIS_WATCH, &process);

	if (ret)
		return kreg_fail_process(kreg_fail(ret, TRY_MONITOR, client), pid);
	return monitor(client, &process, fn, arg, ref);
}

int kreg_monitor_pidfd(struct kreg_client *client, int pidfd, kreg_event_fn fn, void *arg,
		       struct kreg_ref **ref)
{
	struct kreg_process process;
	int ret = kreg_process_whois_pidfd(client, pidfd, KREG_WHOIS_WATCH, &process);

	return ret ? ret : monitor(client, &process, fn, arg, ref);
}

int kreg_monitor_owner(struct kreg_table *table, kreg_event_fn fn, void *arg,
		       struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = { .kind = KREG_WATCH_OWNER, .table = table->id };

	return kreg_fail_table(kreg_ref_watch(table->client, &watch, fn, arg, ref), TRY_MONITOR, table);
}

int kreg_monitor_owner_name(struct kreg_client *client, const char *name, kreg_event_fn fn,
			    void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = {
		.kind = KREG_WATCH_OWNER,
		.key = kreg_ptr(name),
		.key_len = strnlen(name, KREG_MAX_NAME + 1),
	};

	return kreg_fail_name(kreg_ref_watch(client, &watch, fn, arg, ref), TRY_MONITOR, client, name);
}

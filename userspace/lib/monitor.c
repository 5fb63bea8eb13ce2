/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monitors: watches of processes, by whatever they are known. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int kreg_watch_set(struct kreg_client *client, struct kreg_ioc_watch *watch,
		   kreg_event_fn fn, void *arg, struct kreg_ref **out)
{
	struct kreg_ref *ref = kreg_ref_begin(client, fn, arg);
	int ret;

	if (!ref)
		return -ENOMEM;
	watch->size = sizeof(*watch);
	ret = kreg_ioctl(client, KREG_IOC_WATCH, watch);
	if (ret) {
		kreg_ref_abort(ref);
		return ret;
	}
	ref->watched = watch->out_process;
	kreg_ref_commit(ref, watch->out_id, out);
	return 0;
}

static int watch_each(struct kreg_ref *group, const struct kreg_process *processes, size_t count)
{
	struct kreg_ioc_watch watch;
	size_t i;
	int ret;

	for (i = 0; i < count; i++) {
		watch = (struct kreg_ioc_watch){
			.size = sizeof(watch),
			.kind = KREG_WATCH_PROCESS,
			.process = processes[i],
		};
		ret = kreg_ioctl(group->client, KREG_IOC_WATCH, &watch);
		if (!ret)
			ret = kreg_ref_add_member(group, watch.out_id);
		if (ret)
			return ret;
	}
	return 0;
}

int kreg_watch_set_all(struct kreg_client *client, const struct kreg_process *processes,
		       size_t count, kreg_event_fn fn, void *arg, struct kreg_ref **out)
{
	struct kreg_ref *group = kreg_ref_begin(client, fn, arg);
	int ret;

	if (!group)
		return -ENOMEM;
	ret = watch_each(group, processes, count);
	if (ret)
		kreg_ref_abort_group(group);
	else
		kreg_ref_commit_group(group, out);
	return ret;
}

static int monitor(struct kreg_client *client, const struct kreg_process *process,
		   kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = { .kind = KREG_WATCH_PROCESS, .process = *process };
	int ret = kreg_fail(kreg_watch_set(client, &watch, fn, arg, ref), TRY_MONITOR, client);

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
	int ret = kreg_watch_set(table->client, &watch, fn, arg, ref);

	return kreg_fail_table(ret, TRY_MONITOR, table);
}

int kreg_monitor_owner_name(struct kreg_client *client, const char *name, kreg_event_fn fn,
			    void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = {
		.kind = KREG_WATCH_OWNER,
		.key = kreg_ptr(name),
		.key_len = strnlen(name, KREG_MAX_NAME + 1),
	};
	int ret = kreg_watch_set(client, &watch, fn, arg, ref);

	return kreg_fail_name(ret, TRY_WAIT_NAME, client, name);
}

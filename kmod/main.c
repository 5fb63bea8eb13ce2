// SPDX-License-Identifier: GPL-2.0
/* Parameters; set-up, and its exact reverse. */
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "table/change.h"
#include "client/client.h"
#include "compat.h"
#include "client/news.h"
#include "table/expire.h"
#include "table/owner.h"
#include "device.h"
#include "event/down.h"
#include "client/limits.h"
#include "table/names.h"
#include "client/exit.h"
#include "client/ns.h"
#include "client/proc.h"
#include "store/store.h"
#include "table/table.h"
#include "client/user.h"
#include "writer/writer.h"

module_param_named(writers, kreg_writers, uint, 0444);
MODULE_PARM_DESC(writers, "kernel threads that share the tables between them (default 1)");

module_param_named(lend, kreg_writer_lend, bool, 0644);
MODULE_PARM_DESC(lend, "let callers perform their own small writes when nobody else writes (default 1)");

module_param_named(minor, kreg_device_minor, uint, 0444);
MODULE_PARM_DESC(minor, "minor number of the device (default 250; 255: any that is free)");

module_param_named(max_user_tables, kreg_user_limit[KREG_QUOTA_TABLES], ulong, 0644);
MODULE_PARM_DESC(max_user_tables, "tables of a user");

module_param_named(max_user_parked, kreg_user_limit[KREG_QUOTA_PARKED], ulong, 0644);
MODULE_PARM_DESC(max_user_parked, "tables of a user that are parked or will be when their owners die");

module_param_named(max_user_bytes, kreg_user_limit[KREG_QUOTA_BYTES], ulong, 0644);
MODULE_PARM_DESC(max_user_bytes, "bytes of memory of a user");

module_param_named(max_user_namespaces, kreg_user_limit[KREG_QUOTA_NAMESPACES], ulong, 0644);
MODULE_PARM_DESC(max_user_namespaces, "namespaces with clients or tables, of the user who has made them");

module_param_named(max_user_queued, kreg_user_limit[KREG_QUOTA_QUEUED], ulong, 0644);
MODULE_PARM_DESC(max_user_queued, "asynchronous operations of a user that are not yet applied");

module_param_named(max_user_queued_bytes, kreg_user_limit[KREG_QUOTA_QUEUED_BYTES], ulong, 0644);
MODULE_PARM_DESC(max_user_queued_bytes, "bytes of keys and values of them");

module_param_named(max_user_watches, kreg_user_limit[KREG_QUOTA_WATCHES], ulong, 0644);
MODULE_PARM_DESC(max_user_watches, "watches of a user, with those whose record is unread");

module_param_named(max_user_bound, kreg_user_limit[KREG_QUOTA_BOUND], ulong, 0644);
MODULE_PARM_DESC(max_user_bound, "objects that a user has bound to processes");

module_param_named(max_batch_ops, kreg_limits.batch_ops, uint, 0644);
MODULE_PARM_DESC(max_batch_ops, "operations of a batch");

module_param_named(max_batch_bytes, kreg_limits.batch_bytes, uint, 0644);
MODULE_PARM_DESC(max_batch_bytes, "bytes of keys and values of a batch");

module_param_named(max_clients, kreg_limits.clients, uint, 0644);
MODULE_PARM_DESC(max_clients, "open files of a process");

module_param_named(max_events, kreg_limits.events, uint, 0644);
MODULE_PARM_DESC(max_events, "records of a process, unread or promised");

module_param_named(max_event_bytes, kreg_limits.event_bytes, uint, 0644);
MODULE_PARM_DESC(max_event_bytes, "bytes of them");

module_param_named(max_subscriptions, kreg_limits.subscriptions, uint, 0644);
MODULE_PARM_DESC(max_subscriptions, "subscriptions of an open file");

module_param_named(max_table_subscriptions, kreg_limits.table_subscriptions, uint, 0644);
MODULE_PARM_DESC(max_table_subscriptions, "subscriptions of a table");

module_param_named(max_table_awaited, kreg_limits.table_awaited, uint, 0644);
MODULE_PARM_DESC(max_table_awaited, "keys of a table that are waited for");

module_param_named(max_park_ms, kreg_limits.park_ms, ulong, 0644);
MODULE_PARM_DESC(max_park_ms, "milliseconds a table may be parked without CAP_SYS_RESOURCE");

module_param_named(max_pin_ms, kreg_limits.pin_ms, uint, 0644);
MODULE_PARM_DESC(max_pin_ms, "milliseconds a pin may keep a table as it was");

/*
 * What there is at the moment, as read-only parameters. They tell of all users together,
 * so only root of the initial user namespace, whose files these are, may read them.
 */
static int get_count(char *buf, const struct kernel_param *kp)
{
	unsigned long (*count)(void) = kp->arg;

	return sysfs_emit(buf, "%lu\n", count());
}

static const struct kernel_param_ops count_ops = {
	.get = get_count,
};

static unsigned long count_tables(void)
{
	return kreg_table_count();
}

static unsigned long count_clients(void)
{
	return kreg_client_count();
}

static unsigned long count_procs(void)
{
	return kreg_proc_count();
}

static unsigned long count_deaths(void)
{
	return kreg_proc_deaths();
}

static unsigned long count_users(void)
{
	return kreg_user_count();
}

static unsigned long count_objects(void)
{
	return kreg_names_objects();
}

static unsigned long count_memory(void)
{
	return kreg_store_memory();
}

module_param_cb(tables, &count_ops, count_tables, 0400);
MODULE_PARM_DESC(tables, "tables that exist or are being freed (read only)");
module_param_cb(clients, &count_ops, count_clients, 0400);
MODULE_PARM_DESC(clients, "open files of the device (read only)");
module_param_cb(procs, &count_ops, count_procs, 0400);
MODULE_PARM_DESC(procs, "processes that have a client or a table, or are an heir (read only)");
module_param_cb(deaths, &count_ops, count_deaths, 0400);
MODULE_PARM_DESC(deaths, "processes whose death has not been handled yet (read only)");
module_param_cb(users, &count_ops, count_users, 0400);
MODULE_PARM_DESC(users, "users that have a client or a table (read only)");
module_param_cb(objects, &count_ops, count_objects, 0400);
MODULE_PARM_DESC(objects, "objects in all tables (read only)");
module_param_cb(memory, &count_ops, count_memory, 0400);
MODULE_PARM_DESC(memory, "bytes of memory of all stores (read only)");

static int __init kreg_init(void)
{
	int err;

	err = kreg_names_init();
	if (err)
		return err;
	err = kreg_ns_init();
	if (err)
		goto exit_names;
	err = kreg_news_start();
	if (err)
		goto exit_ns;
	err = kreg_down_init();
	if (err)
		goto stop_news;
	kreg_expire_init(kreg_table_serve_lines);
	err = kreg_table_init(kreg_table_park_expired, kreg_table_upkeep);
	if (err)
		goto exit_down;
	err = kreg_writer_init(&kreg_table_death_ops);
	if (err)
		goto exit_table;
	err = kreg_device_init();
	if (err)
		goto exit_writer;
	return 0;

exit_writer:
	kreg_writer_exit();
exit_table:
	kreg_table_exit();
exit_down:
	kreg_down_exit();
stop_news:
	kreg_news_stop();
exit_ns:
	kreg_ns_exit();
exit_names:
	kreg_names_exit();
	return err;
}

/* Nobody has the device open and no table exists: each holds the module. */
static void __exit kreg_exit(void)
{
	kreg_device_exit();
	kreg_proc_exit();
	kreg_writer_exit();
	kreg_table_exit();
	kreg_down_exit();
	kreg_news_stop();
	kreg_ns_exit();
	kreg_names_exit();
	rcu_barrier();
	WARN_ON(kreg_proc_allocated() || kreg_client_count() || kreg_user_count());
}

module_init(kreg_init);
module_exit(kreg_exit);

MODULE_DESCRIPTION("Named in-memory tables that outlive the processes that use them");
MODULE_LICENSE("GPL");

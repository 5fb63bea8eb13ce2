/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for keys and for names of tables, in the call or as a ref. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int fill_key(struct kreg_ioc_watch *watch, const void *key, size_t key_len)
{
	if (key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	watch->key = kreg_ptr(key);
	watch->key_len = key_len;
	return 0;
}

static void fill_name(struct kreg_ioc_watch *watch, const char *name)
{
	watch->key = kreg_ptr(name);
	watch->key_len = strnlen(name, KREG_MAX_NAME + 1);
}

/* Of the kinds that the functions of this file take. */
static int check_kind(enum kreg_watch_kind what)
{
	if (what >= KREG_WATCH_PRESENT && what <= KREG_WATCH_CHANGED)
		return 0;
	return kreg_cause(-EINVAL, "nothing can be waited for by this kind of watch");
}

/* A handler of signals may have run, and the moment at which to give up stays. */
static int sleep_until(struct kreg_client *client, struct kreg_ioc_watch *watch,
		       int64_t timeout_ms)
{
	int ret = check_kind(watch->kind);

	watch->size = sizeof(*watch);
	watch->flags = KREG_WATCH_SLEEP;
	watch->deadline_ns = kreg_deadline(timeout_ms);
	return ret ? ret : kreg_ioctl(client, KREG_IOC_WATCH, watch);
}

static int key_failed(int ret, struct kreg_table *table, size_t key_len)
{
	return kreg_fail_sizes(kreg_fail_table(ret, TRY_WAIT, table), key_len, 0, 0);
}

int kreg_wait(struct kreg_table *table, const void *key, size_t key_len,
	      enum kreg_watch_kind what, uint64_t version, int64_t timeout_ms)
{
	struct kreg_ioc_watch watch = { .kind = what, .table = table->id, .version = version };
	int ret = fill_key(&watch, key, key_len);

	if (!ret)
		ret = sleep_until(table->client, &watch, timeout_ms);
	return key_failed(ret, table, key_len);
}

int kreg_wait_name(struct kreg_client *client, const char *name, enum kreg_watch_kind what,
		   int64_t timeout_ms)
{
	struct kreg_ioc_watch watch = { .kind = what };

	fill_name(&watch, name);
	return kreg_fail_name(sleep_until(client, &watch, timeout_ms), TRY_WAIT_NAME, client, name);
}

int kreg_when(struct kreg_table *table, const void *key, size_t key_len,
	      enum kreg_watch_kind what, uint64_t version, kreg_event_fn fn, void *arg,
	      struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = { .kind = what, .table = table->id, .version = version };
	int ret = check_kind(what);

	if (!ret)
		ret = fill_key(&watch, key, key_len);
	if (!ret)
		ret = kreg_watch_set(table->client, &watch, fn, arg, ref);
	return key_failed(ret, table, key_len);
}

int kreg_when_name(struct kreg_client *client, const char *name, enum kreg_watch_kind what,
		   kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = { .kind = what };
	int ret = check_kind(what);

	fill_name(&watch, name);
	if (!ret)
		ret = kreg_watch_set(client, &watch, fn, arg, ref);
	return kreg_fail_name(ret, TRY_WAIT_NAME, client, name);
}

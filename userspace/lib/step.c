/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys one by one. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* The next key of a scan with these flags, behind @after. */
static int find_key(struct kreg_table *table, unsigned int flags, const void *after,
		    size_t after_len, struct kreg_object *object, size_t room)
{
	struct kreg_ioc_scan io = {
		.size = sizeof(io),
		.flags = KREG_SCAN_KEYS | flags,
		.table = table->id,
		.range.after = kreg_ptr(after),
		.range.after_len = after_len,
		.buf = kreg_ptr(object),
		.buf_len = room,
		.max_count = 1,
	};
	int ret = kreg_ioctl(table->client, KREG_IOC_SCAN, &io);

	if (ret)
		return ret;
	return io.out_count ? 0 : -ENODATA;
}

static enum attempt step_attempt(int ret, unsigned int flags, enum attempt attempt)
{
	if (ret == -ENODATA)
		return attempt;
	return ret == -EOPNOTSUPP && flags ? TRY_ORDER : ret == -EMSGSIZE ? TRY_KEY : TRY_READ;
}

/* With a key the step is from there, else from the end at which these flags begin. */
static int step(struct kreg_table *table, unsigned int flags, const void *after,
		size_t after_len, void *buf, size_t room, size_t *len, enum attempt attempt)
{
	struct {
		struct kreg_object object;
		char key[KREG_MAX_KEY];
	} found;
	int ret;

	if (after_len > KREG_MAX_KEY)
		ret = -ENAMETOOLONG;
	else
		ret = find_key(table, flags, after, after_len, &found.object, sizeof(found));
	if (!ret) {
		if (len)
			*len = found.object.key_len;
		if (found.object.key_len > room)
			ret = -EMSGSIZE;
		else
			memcpy(buf, found.key, found.object.key_len);
	}
	kreg_fail_table(ret, step_attempt(ret, flags, attempt), table);
	return kreg_fail_sizes(ret, after_len, room, ret == -EMSGSIZE ? found.object.key_len : 0);
}

int kreg_first(struct kreg_table *table, void *buf, size_t room, size_t *len)
{
	return step(table, 0, NULL, 0, buf, room, len, TRY_FIRST);
}

int kreg_last(struct kreg_table *table, void *buf, size_t room, size_t *len)
{
	return step(table, KREG_SCAN_REVERSE, NULL, 0, buf, room, len, TRY_FIRST);
}

static int step_from(struct kreg_table *table, unsigned int flags, const void *key,
		     size_t key_len, void *buf, size_t room, size_t *len, enum attempt attempt)
{
	/* The kernel takes this for none. */
	if (!key_len)
		return kreg_fail_table(kreg_cause(-EINVAL, "the key is empty"), TRY_READ, table);
	return step(table, flags, key, key_len, buf, room, len, attempt);
}

int kreg_next(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len)
{
	return step_from(table, 0, key, key_len, buf, room, len, TRY_NEXT);
}

int kreg_prev(struct kreg_table *table, const void *key, size_t key_len,
	      void *buf, size_t room, size_t *len)
{
	return step_from(table, KREG_SCAN_REVERSE, key, key_len, buf, room, len, TRY_PREV);
}

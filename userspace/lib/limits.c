/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel can do, and which version the library has. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define STR(x)	#x
#define XSTR(x)	STR(x)

const char *kreg_version(void)
{
	return XSTR(KREG_VERSION_MAJOR) "." XSTR(KREG_VERSION_MINOR) "."
	       XSTR(KREG_VERSION_PATCH);
}

/* The caller's struct may be longer: what this library does not know becomes zero. */
static void limits_copy(struct kreg_limits *theirs, const struct kreg_limits *ours)
{
	size_t size = theirs->size;
	size_t common = size < sizeof(*ours) ? size : sizeof(*ours);

	memset(theirs, 0, size);
	memcpy(theirs, ours, common);
	theirs->size = size;
}

int kreg_batch_limits(struct kreg_client *client, unsigned int *ops, size_t *bytes)
{
	struct kreg_limits limits = KREG_LIMITS_INIT;
	int ret = kreg_client_limits(client, &limits);

	if (ret)
		return ret;
	*ops = limits.max_batch_ops < *ops ? limits.max_batch_ops : *ops;
	*bytes = limits.max_batch_bytes < *bytes ? limits.max_batch_bytes : *bytes;
	return 0;
}

int kreg_client_limits(struct kreg_client *client, struct kreg_limits *limits)
{
	struct kreg_ioc_query query = { .size = sizeof(query) };
	struct kreg_limits ours = { .size = sizeof(ours) };
	int ret;

	if (limits->size < sizeof(limits->size))
		return kreg_fail(kreg_cause(-EINVAL, "the limits do not tell their size"),
				 TRY_OTHER, client);
	ret = kreg_ioctl(client, KREG_IOC_QUERY, &query);
	if (ret)
		return kreg_fail(ret, TRY_OTHER, client);
	ours.max_key = query.out_max_key;
	ours.max_value = query.out_max_value;
	ours.max_name = query.out_max_name;
	ours.max_data = query.out_max_data;
	ours.max_batch_ops = query.out_max_batch_ops;
	ours.max_batch_bytes = query.out_max_batch_bytes;
	ours.features = query.out_features;
	limits_copy(limits, &ours);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the kinds of events. */
#include <errno.h>
#include <string.h>

#include "watch.h"

static const struct {
	unsigned int kind;
	const char *name;
} names[] = {
	{ KREG_EVENT_CREATE, "create" },
	{ KREG_EVENT_UPDATE, "update" },
	{ KREG_EVENT_DELETE, "delete" },
	{ KREG_EVENT_EXIT, "exit" },
	{ KREG_EVENT_EXPIRED, "expired" },
	{ KREG_EVENT_CLEAR, "clear" },
	{ KREG_EVENT_OWNER, "owner" },
	{ KREG_EVENT_USER, "publish" },
	/* These cannot be asked for, and come in any case. */
	{ KREG_EVENT_GONE, "gone" },
	{ KREG_EVENT_OVERFLOW, "lost" },
	{ KREG_EVENT_READY, "ready" },
	{ KREG_EVENT_TRANSFER, "transfer" },
};

#define N_NAMES	(sizeof(names) / sizeof(names[0]))
#define N_KINDS	8

const char *watch_kind_name(unsigned int kind)
{
	size_t i;

	for (i = 0; i < N_NAMES; i++)
		if (names[i].kind == kind)
			return names[i].name;
	return "unknown";
}

static unsigned int kind_bit(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return KREG_SUBSCRIBE_KIND(names[i].kind);
	return 0;
}

int watch_parse_kinds(const char *list, unsigned int *kinds)
{
	unsigned int bit;
	size_t len;

	*kinds = 0;
	for (;; list += len + 1) {
		len = strcspn(list, ",");
		bit = kind_bit(list, len);
		if (!bit)
			return -EINVAL;
		*kinds |= bit;
		if (!list[len])
			return 0;
	}
}

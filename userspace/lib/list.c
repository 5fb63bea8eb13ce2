/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of tables, fetched in portions. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define PORTION	32

struct kreg_list {
	struct kreg_client *client;
	unsigned int flags;
	uint64_t after;
	unsigned int count;
	unsigned int next;
	bool more;
	struct kreg_stat stat;
	struct kreg_info infos[PORTION];
};

static int list_open(struct kreg_client *client, unsigned int flags, struct kreg_list **list)
{
	struct kreg_list *l = calloc(1, sizeof(*l));

	if (!l)
		return kreg_fail(-ENOMEM, TRY_OTHER, client);
	l->client = kreg_client_get(client);
	l->flags = flags;
	l->more = true;
	*list = l;
	return 0;
}

int kreg_list_open(struct kreg_client *client, struct kreg_list **list)
{
	return list_open(client, 0, list);
}

int kreg_list_open_all(struct kreg_client *client, struct kreg_list **list)
{
	return list_open(client, KREG_ANY_NAMESPACE, list);
}

void kreg_list_close(struct kreg_list *list)
{
	if (!list)
		return;
	kreg_client_put(list->client);
	free(list);
}

static int fetch(struct kreg_list *l)
{
	struct kreg_ioc_list io = {
		.size = sizeof(io),
		.flags = l->flags,
		.after = l->after,
		.infos = kreg_ptr(l->infos),
		.info_len = sizeof(l->infos[0]),
		.max_count = PORTION,
	};
	int ret = kreg_ioctl(l->client, KREG_IOC_LIST, &io);

	if (ret)
		return ret;
	l->next = 0;
	l->count = io.out_count;
	l->more = io.out_more;
	if (io.out_count)
		l->after = l->infos[io.out_count - 1].id;
	return 0;
}

int kreg_list_next(struct kreg_list *list, const struct kreg_stat **stat)
{
	int ret;

	while (list->next == list->count) {
		if (!list->more)
			return 0;
		ret = fetch(list);
		if (ret)
			return kreg_fail(ret, TRY_OTHER, list->client);
	}
	kreg_stat_set(&list->stat, &list->infos[list->next++]);
	*stat = &list->stat;
	return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keepers: who asks for a table, and the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "peer.h"

/* On kernels where the server knows only a pid, the cookie says whether it is still the same. */
static int find_asker(const struct kreg_request *request, const struct keeper_ask *ask,
		      struct kreg_process *process)
{
	int ret = kreg_request_from(request, process, NULL);

	return !ret && process->cookie != ask->cookie ? -ESRCH : ret;
}

/*
 * 0: it is ours, to be given; 1: @to has it already. Its owner may have destroyed it, and even
 * made it anew, or something may have failed before.
 */
static int find_table(struct kreg_keeper *k, const struct kreg_process *to)
{
	if (kreg_keeper_is_of(k, to))
		return 1;
	if (kreg_keeper_holds(k))
		return kreg_keeper_secure(k);
	kreg_keeper_continue(k);
	if (kreg_keeper_is_of(k, to))
		return 1;
	return kreg_keeper_holds(k) ? 0 : -EBUSY;
}

static int give_table(struct kreg_keeper *k, const struct kreg_process *to,
		      struct keeper_answer *answer)
{
	int ret;

	if (k->consumers)
		return -EOPNOTSUPP;
	ret = find_table(k, to);
	if (ret < 0)
		return ret;
	answer->table = k->table->id;
	answer->opened = ret ? 0 : KREG_OPENED_CLAIMED;
	if (ret)
		return 0;
	ret = kreg_table_give(k->table, to, NULL, 0);
	if (!ret)
		kreg_keeper_continue(k);
	return ret;
}

bool kreg_keeper_serve(struct service *service, struct kreg_request *request)
{
	struct kreg_keeper *k = (struct kreg_keeper *)service;
	const struct keeper_ask *ask = request->data;
	struct keeper_answer answer;
	struct kreg_process from;
	size_t len = strlen(k->name);
	int ret;

	if (ask->head.kind != SERVICE_KEEPER || ask->head.what ||
	    request->len != sizeof(*ask) + len || memcmp(ask + 1, k->name, len))
		return false;
	ret = find_asker(request, ask, &from);
	if (!ret)
		ret = give_table(k, &from, &answer);
	if (ret)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, &answer, sizeof(answer));
	return true;
}

static int ask_keeper(struct kreg_peer *peer, struct kreg_client *client,
		      const struct kreg_process *self, const char *name, int64_t timeout_ms,
		      struct keeper_answer *answer)
{
	struct {
		struct keeper_ask ask;
		char name[KREG_MAX_NAME];
	} request = { .ask.head.kind = SERVICE_KEEPER };
	size_t len = strlen(name), reply_len;
	bool answered;
	int ret;

	if (len > KREG_MAX_NAME)
		return kreg_fail_name(-ENAMETOOLONG, TRY_OTHER, client, name);
	request.ask.cookie = self->cookie;
	memcpy(request.name, name, len);
	ret = kreg_service_call(peer, &request, sizeof(request.ask) + len, answer, sizeof(*answer),
				&reply_len, timeout_ms, &answered);
	if (!ret && reply_len != sizeof(*answer))
		return kreg_fail_table(-EBADMSG, TRY_CALL, peer->table);
	return ret && answered ? kreg_fail_name(ret, TRY_ASK, client, name) : ret;
}

/* Who has the key may be no keeper: whose the table is, the kernel says. */
static int check_answer(struct kreg_client *client, const struct kreg_process *self,
			const char *name, const struct keeper_answer *answer)
{
	struct kreg_info info;
	int ret = answer->table ? kreg_info_read(client, answer->table, NULL, &info) : -EINVAL;

	if (ret)
		return ret == -EINVAL ? -EBADMSG : ret;
	if (answer->opened & ~(uint64_t)KREG_OPENED_CLAIMED ||
	    info.owner.cookie != self->cookie || info.name_len != strlen(name) ||
	    memcmp(info.name, name, info.name_len))
		return -EBADMSG;
	return 0;
}

int kreg_keeper_get(struct kreg_peer *keeper, struct kreg_client *client, const char *name,
		    int64_t timeout_ms, struct kreg_table **table)
{
	struct keeper_answer answer;
	struct kreg_process self;
	int ret = kreg_client_self(client, &self);

	if (!ret)
		ret = ask_keeper(keeper, client, &self, name, timeout_ms, &answer);
	if (ret)
		return ret;
	ret = check_answer(client, &self, name, &answer);
	if (ret)
		return kreg_fail_name(ret, TRY_ASK, client, name);
	ret = kreg_table_by_id(client, answer.table, table);
	if (!ret)
		(*table)->opened = answer.opened;
	return ret;
}

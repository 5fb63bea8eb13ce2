/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents: who asks for their values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "peer.h"

/* A call of an agent. */
struct asking {
	struct kreg_peer *peer;
	const void *key;
	size_t key_len;
	uint64_t deadline;
};

static int64_t ms_of(uint64_t deadline)
{
	return deadline ? kreg_ms_left(deadline) : -1;
}

static int agent_failed(int ret, const struct asking *a, size_t given, size_t needed)
{
	kreg_fail_table(ret, TRY_AGENT, a->peer->table);
	return kreg_fail_sizes(ret, a->key_len, given, needed);
}

/* @room is that of @answer and the value behind it, @len the length of that. */
static int send_ask(const struct asking *a, const struct agent_ask *ask, size_t ask_len,
		    struct agent_answer *answer, size_t room, size_t *len)
{
	bool answered;
	size_t got = 0;
	int ret = kreg_service_call(a->peer, ask, ask_len, answer, room, &got,
				    ms_of(a->deadline), &answered);

	if ((!ret || ret == -EMSGSIZE) && !answered && got < sizeof(*answer))
		return kreg_fail_table(-EBADMSG, TRY_CALL, a->peer->table);
	*len = got > sizeof(*answer) ? got - sizeof(*answer) : 0;
	if (ret == -EMSGSIZE && !answered)
		return agent_failed(ret, a, room - sizeof(*answer), *len);
	return ret && answered ? agent_failed(ret, a, 0, 0) : ret;
}

/* What is sent; the value is put in the place of one with @version if @flags say so. */
struct asked {
	enum agent_what what;
	unsigned int flags;
	uint64_t version;
	const void *value;
	size_t len;
};

static int ask_agent(const struct asking *a, const struct asked *what,
		     struct agent_answer *answer, size_t room, size_t *len)
{
	struct agent_ask *ask;
	int ret;

	if (a->key_len > KREG_MAX_KEY)
		return agent_failed(-ENAMETOOLONG, a, 0, 0);
	if (what->len > KREG_MAX_AGENT_VALUE)
		return agent_failed(-EFBIG, a, what->len, 0);
	ask = malloc(sizeof(*ask) + a->key_len + what->len);
	if (!ask)
		return agent_failed(-ENOMEM, a, 0, 0);
	*ask = (struct agent_ask){
		.head = { SERVICE_AGENT, what->what },
		.flags = what->flags, .key_len = a->key_len, .version = what->version,
	};
	if (a->key_len)
		memcpy(ask + 1, a->key, a->key_len);
	if (what->len)
		memcpy((char *)(ask + 1) + a->key_len, what->value, what->len);
	ret = send_ask(a, ask, sizeof(*ask) + a->key_len + what->len, answer, room, len);
	free(ask);
	return ret;
}

static struct asking begin_ask(struct kreg_peer *peer, const void *key, size_t key_len,
			       int64_t timeout_ms)
{
	/* 0 is a moment that has passed, and as a deadline none. */
	return (struct asking){
		peer, key, key_len, timeout_ms ? kreg_deadline(timeout_ms) : 1
	};
}

/* An answer, and room behind it. */
static struct agent_answer *new_answer(size_t room)
{
	return malloc(sizeof(struct agent_answer) + room);
}

int kreg_agent_get(struct kreg_peer *agent, const void *key, size_t key_len,
		   void *buf, size_t room, size_t *len, int64_t timeout_ms)
{
	static const struct asked get = { .what = AGENT_GET };
	struct asking a = begin_ask(agent, key, key_len, timeout_ms);
	size_t most = room < KREG_MAX_AGENT_VALUE ? room : KREG_MAX_AGENT_VALUE, got = 0;
	struct agent_answer *answer = new_answer(most);
	int ret;

	if (!answer)
		return agent_failed(-ENOMEM, &a, 0, 0);
	ret = ask_agent(&a, &get, answer, sizeof(*answer) + most, &got);
	if (!ret && got)
		memcpy(buf, answer + 1, got);
	if (len && (!ret || (ret == -EMSGSIZE && got)))
		*len = got;
	free(answer);
	return ret;
}

int kreg_agent_put(struct kreg_peer *agent, const void *key, size_t key_len,
		   const void *value, size_t value_len, int64_t timeout_ms)
{
	const struct asked put = { .what = AGENT_PUT, .value = value, .len = value_len };
	struct asking a = begin_ask(agent, key, key_len, timeout_ms);
	struct agent_answer answer;
	size_t len;

	return ask_agent(&a, &put, &answer, sizeof(answer), &len);
}

int kreg_agent_del(struct kreg_peer *agent, const void *key, size_t key_len, int64_t timeout_ms)
{
	static const struct asked del = { .what = AGENT_DEL };
	struct asking a = begin_ask(agent, key, key_len, timeout_ms);
	struct agent_answer answer;
	size_t len;
	int ret = ask_agent(&a, &del, &answer, sizeof(answer), &len);

	return ret ? ret : !!answer.count;
}

/* A function, and the values that it is given and makes. */
struct update {
	kreg_update_fn fn;
	void *arg;
	struct agent_answer *old;
	void *new;
	bool again;		/* another change was faster */
};

static int put_new(const struct asking *a, struct update *u, uint64_t version, size_t len)
{
	const struct asked put = {
		.what = AGENT_PUT, .flags = AGENT_IF_VERSION, .version = version,
		.value = u->new, .len = len,
	};
	struct agent_answer answer;
	size_t got;
	int ret = ask_agent(a, &put, &answer, sizeof(answer), &got);

	u->again = ret == -ECANCELED;
	return ret;
}

static int update_once(const struct asking *a, struct update *u)
{
	static const struct asked get = { .what = AGENT_GET };
	size_t old_len = 0, len = 0;
	int ret = ask_agent(a, &get, u->old, sizeof(*u->old) + KREG_MAX_AGENT_VALUE, &old_len);
	bool absent = ret == -ENODATA;

	u->again = false;
	if (ret && !absent)
		return ret;
	ret = u->fn(absent ? NULL : u->old + 1, absent ? 0 : old_len, u->new,
		    KREG_MAX_AGENT_VALUE, &len, u->arg);
	/* There is never more room. */
	if (ret == -EMSGSIZE && len > KREG_MAX_AGENT_VALUE)
		return agent_failed(-EFBIG, a, len, 0);
	if (ret)
		return kreg_fail_table(ret, TRY_START, a->peer->table);
	return put_new(a, u, absent ? 0 : u->old->version, len);
}

int kreg_agent_update(struct kreg_peer *agent, const void *key, size_t key_len,
		      kreg_update_fn fn, void *arg, int64_t timeout_ms)
{
	struct asking a = begin_ask(agent, key, key_len, timeout_ms);
	struct update u = {
		.fn = fn, .arg = arg,
		.old = new_answer(KREG_MAX_AGENT_VALUE), .new = malloc(KREG_MAX_AGENT_VALUE),
	};
	int ret = u.old && u.new ? 0 : agent_failed(-ENOMEM, &a, 0, 0);

	/* Each time another change has been made, so this ends. */
	while (!ret) {
		ret = update_once(&a, &u);
		if (!u.again)
			break;
		ret = 0;
	}
	free(u.old);
	free(u.new);
	return ret;
}

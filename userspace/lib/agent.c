/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents: the process that holds the values. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define MAX_BYTES	(16u << 20)
#define OVERHEAD	64

/* As it is sent: the value follows, and then the key. */
struct held {
	size_t key_len, value_len;
	const unsigned char *key;	/* behind it, but for one that is only looked for */
	struct agent_answer answer;
};

struct kreg_agent {
	struct service service;		/* first: serve_agent() is given that */
	struct kreg_server *server;
	void *values;			/* a tree of tsearch(3): no key makes a look-up long */
	uint64_t version;		/* of the last change, of this or an earlier agent */
	size_t bytes, max_bytes;
};

static int compare(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
	int ret = len ? memcmp(x->key, y->key, len) : 0;

	return ret ? ret : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static size_t size_of(const struct held *e)
{
	return OVERHEAD + e->key_len + e->value_len;
}

static struct held *find_held(struct kreg_agent *agent, const void *key, size_t key_len)
{
	const struct held wanted = { .key = key, .key_len = key_len };
	struct held **found = tfind(&wanted, &agent->values, compare);

	return found ? *found : NULL;
}

static void remove_held(struct kreg_agent *agent, struct held *e)
{
	tdelete(e, &agent->values, compare);
	agent->bytes -= size_of(e);
	free(e);
}

static struct held *new_held(const void *key, size_t key_len, const void *value,
			     size_t value_len)
{
	struct held *e = malloc(sizeof(*e) + key_len + value_len);
	unsigned char *bytes;

	if (!e)
		return NULL;
	e->key_len = key_len;
	e->value_len = value_len;
	e->answer.count = 0;
	bytes = (unsigned char *)(e + 1);
	if (value_len)
		memcpy(bytes, value, value_len);
	if (key_len)
		memcpy(bytes + value_len, key, key_len);
	e->key = bytes + value_len;
	return e;
}

/* A tree compares keys alone: the new one is in the place of the old, whose key is the same. */
static int put_held(struct kreg_agent *agent, struct held *old, struct held *new)
{
	size_t without = agent->bytes - (old ? size_of(old) : 0);
	struct held **place;

	if (size_of(new) > agent->max_bytes || without > agent->max_bytes - size_of(new))
		return -ENOSPC;
	place = tsearch(new, &agent->values, compare);
	if (!place)
		return -ENOMEM;
	*place = new;
	agent->bytes = without + size_of(new);
	new->answer.version = ++agent->version;
	free(old);
	return 0;
}

static int put_value(struct kreg_agent *agent, struct held *old, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	struct held *new;
	int ret;

	if (value_len > KREG_MAX_AGENT_VALUE)
		return -EFBIG;
	new = new_held(key, key_len, value, value_len);
	if (!new)
		return -ENOMEM;
	ret = put_held(agent, old, new);
	if (ret)
		free(new);
	return ret;
}

static int change_value(struct kreg_agent *agent, const struct agent_ask *ask, struct held *e,
			const void *value, size_t value_len, struct agent_answer *answer)
{
	int ret = 0;

	if ((ask->flags & AGENT_IF_VERSION) && (e ? e->answer.version : 0) != ask->version)
		return -ECANCELED;
	if (ask->head.what == AGENT_PUT)
		ret = put_value(agent, e, ask + 1, ask->key_len, value, value_len);
	else if (e)
		remove_held(agent, e);
	answer->version = ask->head.what == AGENT_PUT ? agent->version : 0;
	answer->count = !!e;
	return ret;
}

/* A later library may ask for more than this one knows. */
static bool is_known(const struct agent_ask *ask, size_t value_len)
{
	bool put = ask->head.what == AGENT_PUT;

	if (ask->flags & ~AGENT_IF_VERSION || (!ask->flags && ask->version))
		return false;
	return put || (!value_len && (ask->head.what == AGENT_DEL || !ask->flags));
}

static bool serve_agent(struct service *service, struct kreg_request *request)
{
	struct kreg_agent *agent = (struct kreg_agent *)service;
	const struct agent_ask *ask = request->data;
	struct agent_answer answer;
	const unsigned char *value;
	size_t value_len;
	struct held *e;
	int ret;

	if (ask->head.kind != SERVICE_AGENT || request->len < sizeof(*ask) ||
	    ask->key_len > request->len - sizeof(*ask) || ask->key_len > KREG_MAX_KEY ||
	    ask->head.what < AGENT_GET || ask->head.what > AGENT_DEL)
		return false;
	value_len = request->len - sizeof(*ask) - ask->key_len;
	if (!is_known(ask, value_len)) {
		kreg_reply_error(request, EINVAL);
		return true;
	}
	e = find_held(agent, ask + 1, ask->key_len);
	if (ask->head.what == AGENT_GET && e) {
		kreg_reply(request, &e->answer, sizeof(e->answer) + e->value_len);
		return true;
	}
	value = (const unsigned char *)(ask + 1) + ask->key_len;
	if (ask->head.what == AGENT_GET)
		ret = -ENODATA;
	else
		ret = change_value(agent, ask, e, value, value_len, &answer);
	if (ret)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, &answer, sizeof(answer));
	return true;
}

static bool has_agent(const struct kreg_server *server)
{
	const struct service *s;

	for (s = server->services; s; s = s->next)
		if (s->serve == serve_agent)
			return true;
	return false;
}

static void free_agent(struct kreg_agent *agent)
{
	tdestroy(agent->values, free);
	free(agent);
}

static int make_agent(struct kreg_server *server, const struct kreg_agent_options *options,
		      struct kreg_agent **out)
{
	struct kreg_agent_options o = { .size = sizeof(o) };
	struct kreg_agent *agent;
	int ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;

	if (ret)
		return ret;
	if (has_agent(server))
		return -EEXIST;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;
	agent->service.serve = serve_agent;
	agent->server = server;
	agent->max_bytes = o.max_bytes ? o.max_bytes : MAX_BYTES;
	/* Higher than that of any agent before, for who has read that one's value. */
	agent->version = kreg_deadline(0);
	if (o.value || o.value_len)
		ret = put_value(agent, NULL, NULL, 0, o.value, o.value_len);
	if (!ret)
		ret = kreg_server_add(server, &agent->service);
	if (ret)
		free_agent(agent);
	else
		*out = agent;
	return ret;
}

int kreg_agent_new(struct kreg_server *server, const struct kreg_agent_options *options,
		   struct kreg_agent **agent)
{
	int ret = kreg_fail(make_agent(server, options, agent), TRY_AGENT, server->client);
	size_t len = ret == -EFBIG ? options->value_len : 0;

	return kreg_fail_sizes(ret, 0, len, 0);
}

void kreg_agent_free(struct kreg_agent *agent)
{
	if (!agent)
		return;
	kreg_server_remove(agent->server, &agent->service);
	free_agent(agent);
}

static void serve_nothing(struct kreg_request *request, void *state)
{
	(void)request;
	(void)state;
}

static int serve_values(struct kreg_server *server, struct kreg_table *table, const void *key,
			size_t key_len)
{
	int ret = kreg_server_register(server, table, key, key_len);

	if (!ret)
		ret = kreg_ready();
	/* The next supervisor finds it. */
	if (!ret || ret == -ECONNREFUSED)
		ret = kreg_server_run(server);
	return ret;
}

int kreg_agent_run(struct kreg_table *table, const void *key, size_t key_len,
		   const struct kreg_agent_options *options)
{
	struct kreg_agent *agent = NULL;
	struct kreg_server *server;
	int ret = kreg_server_new(table->client, serve_nothing, NULL, NULL, &server);

	if (ret)
		return ret;
	ret = kreg_agent_new(server, options, &agent);
	if (!ret)
		ret = serve_values(server, table, key, key_len);
	kreg_agent_free(agent);
	kreg_server_free(server);
	return ret;
}

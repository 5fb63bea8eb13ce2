/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: processes that hold a value for others. */
#ifndef KREG_AGENT_H
#define KREG_AGENT_H

#include <kreg/registry.h>
#include <kreg/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An agent holds values in its own memory and answers who asks for them: one value, or one for each
 * key. Its values die with its process, as those of Elixir's Agent do, after which this is named;
 * what is to survive belongs into a table. Nor are reads as fast as those of a table, which ask no
 * process.
 *
 * The agent does one request after the other. Those of one thread come in their order; when a
 * call has returned, all others see what it has done.
 *
 * @key of the functions below may be NULL with @key_len 0: then it is about the one value that has
 * no key, which is a value like others. A key has at most KREG_MAX_KEY bytes. @timeout_ms is how
 * long all of the call may take; 0: no time at all; -1, INT64_MAX: for ever.
 *
 * Errors of those that are given a peer: those of kreg_call(), of which -ETIMEDOUT, -EINTR and
 * -ECONNRESET leave it open whether a value was changed; -ENOMSG: the server is no agent;
 * -ENAMETOOLONG: the key; -EINVAL: the agent's library is older and does not know what is asked.
 * kreg_stop() ends an agent.
 */

/* For the thread of its server. */
struct kreg_agent;

/* Bytes of a value. */
#define KREG_MAX_AGENT_VALUE	64000

/**
 * struct kreg_agent_options - what kreg_agent_new() may be told
 * @size: sizeof(struct kreg_agent_options)
 * @max_bytes: what it holds at most: keys, values, and 64 bytes for each of them; 0: 16 MiB
 * @value: the value without a key at first; NULL with @value_len 0: there is none
 * @value_len: its length
 */
struct kreg_agent_options {
	size_t size;
	size_t max_bytes;
	const void *value;
	size_t value_len;
};

#define KREG_AGENT_OPTIONS_INIT	{ sizeof(struct kreg_agent_options), 0, 0, 0 }

/**
 * kreg_agent_new() - let a server hold values
 * @server: the server, whose own function gets all other requests
 * @options: NULL: all defaults
 * @agent: the new agent
 *
 * Errors: -EEXIST: the server has one already; -EFBIG, -ENOSPC: the value; -EINVAL: @size;
 * -ESTALE: the server is the parent's of this process.
 */
int kreg_agent_new(struct kreg_server *server, const struct kreg_agent_options *options,
		   struct kreg_agent **agent) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_agent_free() - free an agent and its values; NULL is allowed
 *
 * Before or after kreg_server_free().
 */
void kreg_agent_free(struct kreg_agent *agent);

/**
 * kreg_agent_run() - be an agent, and nothing else
 * @table: a registry
 * @key: the agent's name there
 * @key_len: its length
 * @options: as of kreg_agent_new()
 *
 * All that the main function of a worker has to do, as of a child of a supervisor: it makes a
 * server and registers it, tells a supervisor that it is ready, and serves until kreg_stop().
 *
 * Return: what the program is to exit with, which is 0; or an error, those of kreg_server_new(),
 * kreg_server_register(), kreg_agent_new(), kreg_ready() but for -ECONNREFUSED, and
 * kreg_server_run().
 */
int kreg_agent_run(struct kreg_table *table, const void *key, size_t key_len,
		   const struct kreg_agent_options *options) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_agent_get() - copy a value
 * @agent: of whom
 * @key: the key
 * @key_len: its length
 * @buf: room for the value; may be NULL if @room is 0
 * @room: its size
 * @len: length of the value, written also with -EMSGSIZE; may be NULL
 * @timeout_ms: see above
 *
 * Errors: -ENODATA: there is none; -EMSGSIZE: too little room.
 */
int kreg_agent_get(struct kreg_peer *agent, const void *key, size_t key_len,
		   void *buf, size_t room, size_t *len, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_agent_put() - set a value
 * @agent: of whom
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @timeout_ms: see above
 *
 * Errors: -EFBIG: the value is longer than KREG_MAX_AGENT_VALUE; -ENOSPC: @max_bytes of the
 * agent.
 */
int kreg_agent_put(struct kreg_peer *agent, const void *key, size_t key_len,
		   const void *value, size_t value_len, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_agent_del() - remove a value. Return: 1, or 0 if there was none. */
int kreg_agent_del(struct kreg_peer *agent, const void *key, size_t key_len, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_agent_update() - set a value that is made of the old one
 * @agent: of whom
 * @key: the key
 * @key_len: its length
 * @fn: makes the new value, in the calling process; @old is NULL if there is none
 * @arg: for @fn
 * @timeout_ms: see above
 *
 * No other change comes between: if one was faster, @fn is called again with what that has left.
 *
 * Return: 0, an error as of kreg_agent_get() and kreg_agent_put(), or what @fn has returned.
 */
int kreg_agent_update(struct kreg_peer *agent, const void *key, size_t key_len,
		      kreg_update_fn fn, void *arg, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_AGENT_H */

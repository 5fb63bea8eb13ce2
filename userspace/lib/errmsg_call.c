/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences about calls, supervisors, keepers, agents, lines, loans, waits and the order of keys,
 * for errmsg.c.
 */
#include <errno.h>

#include "internal.h"

static const struct {
	int err;
	enum attempt attempt;
	const char *text;
} sentences[] = {
	{ EOPNOTSUPP, TRY_ORDER,
	  "%t is a set, which has no order: create it with type ordered_set" },
	{ EOPNOTSUPP, TRY_ONE,
	  "keys of %t may have several objects, and this is for keys with one: see <kreg/bag.h>" },
	{ EOPNOTSUPP, TRY_EXPIRE,
	  "the object in %t is bound to a process, and goes with that: it cannot expire" },
	{ EOPNOTSUPP, TRY_LEASE,
	  "the object in %t is bound to a process, and goes with that: it cannot be had on loan" },
	{ EOPNOTSUPP, TRY_TYPE, "the loaded module has no tables of this type" },
	{ ENODATA, TRY_FIRST, "no key is in %t" },
	{ ENODATA, TRY_NEXT, "no key of %t comes after this one" },
	{ ENODATA, TRY_PREV, "no key of %t comes before this one" },
	{ EMSGSIZE, TRY_KEY, "the key has %n bytes, and there is room for %v" },
	{ EBADMSG, TRY_KEY, "the key has no part of this kind at this place" },
	{ ENAMETOOLONG, TRY_KEY, "the key would have %k bytes; the most is %K" },
	{ ETIMEDOUT, TRY_HELD,
	  "process %p has this key of %t still; wait longer, or see what it is at" },
	{ ETIMEDOUT, TRY_LINE,
	  "another process has this key of %t still, or comes first; wait longer" },
	{ EALREADY, TRY_LINE,
	  "this process has the key of %t already, perhaps in another thread" },
	{ ECANCELED, TRY_UNLOCK,
	  "the lock in %t was not this process' any more: somebody has deleted it, or taken it" },
	{ ESTALE, TRY_UNLOCK, "the lock in %t is that of the parent of this process" },
	{ ENAMETOOLONG, TRY_LINE, "the key has %k bytes; the most is %K" },
	{ EFBIG, TRY_LINE, "the value has %v bytes; the most is %V; split it" },
	{ EPERM, TRY_LINE, "process %p is another user's, and only its user may register it" },
	{ EBUSY, TRY_LEASE, "the key of %t is on loan to another process: wait until it is back" },
	{ EALREADY, TRY_LEASE, "this process has the key of %t on loan already" },
	{ ENODATA, TRY_LEASE, "the key is not in %t" },
	{ ENODATA, TRY_LOAN, "the key of %t is not on loan to this process" },
	{ ETIMEDOUT, TRY_QUEUE, "no job of %t is due" },
	{ ECANCELED, TRY_QUEUE,
	  "the time of this job of %t was over: others have it or had it, or will be given it" },
	{ EBADMSG, TRY_QUEUE,
	  "%t has an object that is no job: use a table of its own for a queue" },
	{ ECANCELED, TRY_LEASE, "that loan of the key of %t has ended" },
	{ ENAMETOOLONG, TRY_LEASE, "the key has %k bytes; the most is %K" },
	{ EFBIG, TRY_LEASE, "the value has %v bytes; the most is %V; split it" },
	{ ESTALE, TRY_PINNED,
	  "the pin of %t has ended: its time is over, its memory was needed, it is that of the parent of this process, or the table is gone"
	},
	{ EEXIST, TRY_RENAME,
	  "a table has this name already: choose another, or exchange the two ('kreg rename -e')" },
	{ EINVAL, TRY_RENAME, "neither table has a name" },
	{ ENODATA, TRY_PINNED, "the key was not in %t when it was pinned" },
	{ ETIMEDOUT, TRY_WAIT, "the key of %t is not so after this time" },
	{ ETIMEDOUT, TRY_WAIT_NAME, "the name of %t is not so after this time" },
	{ EAGAIN, TRY_CALL,
	  "the server has too much to do already: this request was not sent; try again later, or call and wait"
	},
	{ EACCES, TRY_CALL,
	  "the server does not admit this user, or the mode of %t does not let this user read it" },
	{ EPROTO, TRY_CALL, "who has the key in %t is no server" },
	{ EBADMSG, TRY_CALL, "what the server has sent is no reply" },
	{ ESRCH, TRY_CALL,
	  "nobody has the key in %t, or who had it died before the request was sent" },
	{ EHOSTUNREACH, TRY_CALL,
	  "the server lives and cannot be reached from here: it is in another network namespace and must put its socket into a directory, or it has closed its socket"
	},
	{ ECONNRESET, TRY_CALL,
	  "the server has died, or ended, after the request was sent, which it may have handled" },
	{ ETIMEDOUT, TRY_CALL,
	  "no reply came in time; the server may still handle the request" },
	{ EINTR, TRY_CALL,
	  "a signal has come before the reply; the server may still handle the request" },
	{ EMSGSIZE, TRY_CALL, "the reply has %n bytes, and there is room for %v" },
	{ EFBIG, TRY_CALL, "the request has %v bytes, and at most %M can be sent: put them into a table"
	},
	{ ENOMSG, TRY_ANSWER, "the server does not answer this request" },
	{ EFBIG, TRY_ANSWER, "the server does not take requests of this length" },
	{ EPIPE, TRY_REPLY, "nobody waits for this reply any more" },
	{ EFBIG, TRY_REPLY, "the reply is too long: at most %M bytes can be sent" },
	{ EINVAL, TRY_REPLY, "this number is no errno" },
	{ ESTALE, TRY_REPLY, "the request is the parent's of this process" },
	{ ESTALE, TRY_SERVE, "the server is the parent's of this process" },
	{ EBUSY, TRY_SERVE, "a function of this server is being called" },
	{ ESHUTDOWN, TRY_SERVE, "the server is to end" },
	{ EFBIG, TRY_SERVE, "requests have at most %M bytes" },
	{ ESTALE, TRY_SUPERVISE, "the supervisor is the parent's of this process" },
	{ EEXIST, TRY_SUPERVISE,
	  "there is a child with this id: one that runs is stopped first, and one that does not is started by its id alone"
	},
	{ ENOENT, TRY_SUPERVISE,
	  "there is no child with this id; 'kreg super status' shows which there are" },
	{ ESHUTDOWN, TRY_SUPERVISE,
	  "the supervisor stops its children, or has: too many died, or it was asked to" },
	{ EEXIST, TRY_KEEP, "the server keeps %t already" },
	{ EBUSY, TRY_KEEP,
	  "another client of this process has keepers already: keep %t with a server of that client"
	},
	{ ESTALE, TRY_KEEP, "the server is the parent's of this process" },
	{ ENAMETOOLONG, TRY_KEEP, "the key of consumers has more than %K bytes" },
	{ EBUSY, TRY_ASK,
	  "another process has %t; kreg_monitor_owner_name() tells when that is dead" },
	{ ENOMSG, TRY_ASK, "the server does not keep %t" },
	{ EOPNOTSUPP, TRY_ASK, "%t is given to who registers as its consumer, not to who asks" },
	{ ESRCH, TRY_ASK, "the keeper of %t does not see this process: it is in other namespaces" },
	{ ENOTCONN, TRY_ASK, "this process may only read the device, and cannot own %t" },
	{ EPERM, TRY_ASK,
	  "%t is of a keeper of another user or in other namespaces: accept tables first, by kreg_client_set_accept()"
	},
	{ EBADMSG, TRY_ASK, "the server has named a table that is not %t, or not this process'" },
	{ EDQUOT, TRY_ASK,
	  "the mailbox of this process is full: read its events, then ask for %t" },
	{ EEXIST, TRY_AGENT, "the server has an agent already" },
	{ EINVAL, TRY_AGENT, "the agent's library is older, and does not know this request" },
	{ ESTALE, TRY_AGENT, "the server is the parent's of this process" },
	{ ENODATA, TRY_AGENT, "the agent has no value under this key" },
	{ ENOSPC, TRY_AGENT, "the agent is full: remove values, or let it have more bytes" },
	{ ENOMSG, TRY_AGENT, "the server is no agent" },
	{ EFBIG, TRY_AGENT, "the value has %v bytes; the most is %A: put it into a table" },
	{ EMSGSIZE, TRY_AGENT, "the value has %n bytes, and there is room for %v" },
	{ ENAMETOOLONG, TRY_AGENT, "the key has %k bytes; the most is %K" },
	{ ENOMEM, TRY_AGENT, "the agent has no memory" },
	{ ENAMETOOLONG, TRY_SERVE, "the name of the directory is too long for a socket" },
	{ ECANCELED, TRY_WRITE,
	  "the object in %t has another version or value by now, or is gone: read it again" },
	{ ECANCELED, TRY_EDIT,
	  "the object in %t has another version by now, or is gone: read it again" },
	{ ECANCELED, TRY_BATCH,
	  "an object in %t has another version by now, or is gone; nothing was written" },
	{ ERANGE, TRY_READ, "the value in %t ends before byte %v" },
	{ ERANGE, TRY_EDIT,
	  "the value in %t ends before the field does: extend it, or look at its length" },
	{ EOVERFLOW, TRY_EDIT,
	  "the number in %t would get larger than 64 bits hold: let it wrap, saturate, or stop at a threshold"
	},
	{ EFBIG, TRY_EDIT, "the value would get longer than %V bytes" },
	{ EBUSY, TRY_EDIT, "the object in %t is on loan to a process: wait until it is back" },
	{ EBUSY, TRY_WRITE, "the object in %t is on loan to a process: wait until it is back" },
	{ ENAMETOOLONG, TRY_EDIT, "the key has %k bytes; the most is %K" },
};

const char *kreg_call_sentence(int err, enum attempt attempt)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].err == err && sentences[i].attempt == attempt)
			return sentences[i].text;
	/* What it means is between the server and its caller. */
	return attempt == TRY_ANSWER ? "the server has answered with error %e" : NULL;
}

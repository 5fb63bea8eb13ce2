/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences that name the thing and the way out. What a call has failed with is kept for
 * the thread by plain stores; the sentence is made when it is asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errmsg.h"

static __thread struct failure last;

/* What kreg_cause() was called with. */
static __thread int cause;
static __thread const char *cause_text;

static const struct sentence {
	int err;
	enum attempt attempt;	/* TRY_OTHER: any */
	enum state state;
	const char *text;
} sentences[] = {
	{ EBUSY, TRY_FOLLOW, ANY, "%t has an heir, whom the role is to have: take it away" },
	{ EBUSY, TRY_SEAL, ANY,
	  "%t has objects that are bound to a process, on loan, or expire, or a key that somebody waits to have: it is sealed when they are gone"
	},
	{ EBUSY, TRY_STREAM, ANY,
	  "somebody subscribes to events of %t: its ring can be changed when nobody does" },
	{ EBUSY, TRY_OTHER, FOLLOWER,
	  "%t follows a role and goes where that goes: do this to the role" },
	{ EOWNERDEAD, TRY_OTHER, ANY,
	  "%t is quarantined, since one owner after the other has died: see why, then claim it with KREG_OPEN_QUARANTINED"
	},
	{ EXDEV, TRY_OTHER, ANY, "%t and its role have different writers of the module" },
	{ EBUSY, TRY_OTHER, PARKED,
	  "%t belonged to another process a moment ago and is parked now; try again" },
	{ EBUSY, TRY_OTHER, ANY,
	  "%t belongs to %o; wait for it or ask it to give the table away" },
	{ ETIMEDOUT, TRY_EVENT, ANY, "no event came in time" },
	{ ETIMEDOUT, TRY_OTHER, ANY,
	  "%t still belongs to %o after this time; wait longer or ask it to give the table away" },
	{ EALREADY, TRY_GIVE, ANY, "process %p owns %t already" },
	{ EALREADY, TRY_OTHER, ANY,
	  "this process owns %t already; open it without claiming it" },
	{ EEXIST, TRY_WRITE, ANY, "the key is in %t already; put replaces it" },
	{ EEXIST, TRY_CREATE, ANY,
	  "%t exists already; open it, destroy it, or choose another name" },
	{ EEXIST, TRY_OTHER, ANY, "%t is of another type" },
	{ EPROTOTYPE, TRY_OTHER, NO_SCHEMA,
	  "%t has no schema, and this program asks for %S: choose another name, or let its owner set what it is (kreg set --schema)"
	},
	{ EPROTOTYPE, TRY_OTHER, OLD_VERSION,
	  "%t has version %r of the schema %s, and this program asks for version %R: open it with the old one and bring its values into the new form, or destroy it"
	},
	{ EPROTOTYPE, TRY_OTHER, NEW_VERSION,
	  "%t has version %r of the schema %s, and this program asks for version %R: run a release that knows the new one, or destroy the table"
	},
	{ EPROTOTYPE, TRY_OTHER, ANY,
	  "%t has the schema %s, and this program asks for %S: it is another program's; choose another name"
	},
	{ EROFS, TRY_OPTION, ANY, "%t is sealed, and what is in it stays what it is" },
	{ EROFS, TRY_OTHER, ANY,
	  "%t is sealed, and nobody changes what is in it: make another, and exchange their names ('kreg rename -e')"
	},
	{ ECANCELED, TRY_OPTION, ANY, "%t has another version of its schema by now: look at it" },
	{ ENOENT, TRY_SUBSCRIBE, ANY, "the subscription has ended; nobody waits for it" },
	{ ENOENT, TRY_OTHER, ANY,
	  "there is no %t here; create it, or look which there are with 'kreg ls'" },
	{ ESTALE, TRY_BY_ID, ANY,
	  "%t is gone, or in a namespace over which this process has no CAP_SYS_ADMIN" },
	{ EINVAL, TRY_BY_ID, ANY, "no table ever had this id" },
	{ ESTALE, TRY_CANCEL, ANY,
	  "the parent of this process has asked for this, and it stays the parent's" },
	{ ESTALE, TRY_OTHER, ANY, "%t has been destroyed; open or create it again" },
	{ ENODATA, TRY_MINE, ANY, "this process does not have the key in %t" },
	{ ENODATA, TRY_OTHER, ANY, "the key is not in %t" },
	{ EACCES, TRY_WRITE, PARKED, "%t is parked and not public: claim it to write to it" },
	{ EACCES, TRY_WRITE, OTHERS, "%t is written only by its owner, %o" },
	{ EACCES, TRY_WRITE, REGISTRY,
	  "in %t, a registry, this user may write only what is bound to processes of his own" },
	{ EACCES, TRY_READ, OTHERS, "%t is private to its owner, %o" },
	{ EACCES, TRY_READ, PARKED, "%t is parked and private: claim it to read it" },
	{ EACCES, TRY_OTHER, MINE,
	  "this process owns %t, but under another user than that of this client" },
	{ EACCES, TRY_OTHER, ANY,
	  "the mode of %t does not let this user do it; its owner can change the mode" },
	{ EPERM, TRY_CLAIM, ANY,
	  "only user %u may claim %t, or a process with CAP_SYS_ADMIN" },
	{ EPERM, TRY_WRITE, ANY,
	  "process %p is another user's, and only its user may bind something to it" },
	{ EPERM, TRY_FOLLOW, MINE, "this process does not own the role" },
	{ EPERM, TRY_OTHER, MINE,
	  "this process owns %t, but under another user than that of this client" },
	{ EPERM, TRY_OTHER, PARKED, "%t is parked: claim it first, which user %u may" },
	{ EPERM, TRY_OTHER, OTHERS,
	  "%t belongs to %o, and only the owner may do this; ask it, or wait until it is gone" },
	{ EPERM, TRY_OTHER, ANY, "only the owner of %t may do this" },
	{ ESRCH, TRY_PIDFD, ANY,
	  "the process of this pidfd is dead, or this pid namespace does not have it" },
	{ ESRCH, TRY_HOLDER, ANY,
	  "the key is in %t, but no process has it, or one of another pid namespace" },
	{ ESRCH, TRY_OTHER, ANY,
	  "no living process %p: it is dead, or the number is a thread's or of another pid namespace"
	},
	{ ENOTCONN, TRY_PROCESS, ANY,
	  "process %p has not opened %d; it must before it can be found" },
	{ ENOTCONN, TRY_PIDFD, ANY,
	  "the process of this pidfd has not opened %d; it must before it can be found" },
	{ ENOTCONN, TRY_OTHER, ANY,
	  "process %p has not opened %d for reading and writing; it must before it can inherit or receive a table"
	},
	{ EMSGSIZE, TRY_READ, ANY, "the value has %n bytes, and there is room for %v" },
	{ EMSGSIZE, TRY_WRITE, ANY, "the value has %n bytes, and there is room for %v" },
	{ EMSGSIZE, TRY_EVENT, ANY,
	  "the name has %n bytes, and there is room for %v with its NUL byte" },
	{ ENAMETOOLONG, TRY_READ, ANY, "the key has %k bytes; the most is %K" },
	{ ENAMETOOLONG, TRY_WAIT, ANY, "the key has %k bytes; the most is %K" },
	{ ENAMETOOLONG, TRY_WRITE, ANY, "the key has %k bytes; the most is %K" },
	{ ENAMETOOLONG, TRY_OTHER, ANY, "the name has %n bytes; the most is %N" },
	{ EFBIG, TRY_WRITE, ANY, "the value has %v bytes; the most is %V; split it" },
	{ EFBIG, TRY_PUBLISH, ANY, "the data has %v bytes; the most is %E" },
	{ EFBIG, TRY_BATCH, ANY,
	  "the batch is too long (%(max_batch_ops), %(max_batch_bytes)): split it" },
	{ EFBIG, TRY_OTHER, ANY, "the data of the event has %v bytes; the most is %D" },
	{ ENOBUFS, TRY_BATCH, ANY, "the batch is full: run it, and fill another" },
	{ EEXIST, TRY_BATCH, ANY, "a key of the batch is in %t already; nothing was written" },
	{ EBADF, TRY_PIDFD, ANY, "this descriptor is no pidfd" },
	{ EBADF, TRY_OTHER, READ_ONLY,
	  "this process may read the device and not write to it; 'ls -l %d' tells who may" },
	{ EBADF, TRY_OTHER, WRITE_ONLY,
	  "the client's descriptor was not opened for reading" },
	{ EBADF, TRY_OTHER, ANY, "the client is closed, or the program has closed its descriptor" },
	{ EINVAL, TRY_EVENT, ANY, "the client has no handler, and never had a ref" },
	{ EINVAL, TRY_SUBSCRIBE, ANY, "there is no event with the number after which to begin" },
	{ EAGAIN, TRY_SYNC, ANY,
	  "an object was bound in the table of an asynchronous write before that: write again" },
};

static const char *find(int err, enum attempt attempt, enum state state)
{
	const struct sentence *s;

	for (s = sentences; s < sentences + sizeof(sentences) / sizeof(*s); s++)
		if (s->err == err && s->attempt == attempt &&
		    (s->state == state || s->state == ANY))
			return s->text;
	return NULL;
}

static const char *choose(int err, enum attempt attempt, enum state state)
{
	return find(err, attempt, state) ?: find(err, TRY_OTHER, state);
}

/* What a sign stands for; @tmp is room for a number. */
static const char *expand(const struct facts *f, char sign, char *tmp, size_t room)
{
	const struct {
		char sign;
		uint64_t number;
	} numbers[] = {
		{ 'p', last.pid }, { 'u', f->uid }, { 'k', last.key_len }, { 'v', last.given },
		{ 'n', last.needed }, { 'K', KREG_MAX_KEY }, { 'V', KREG_MAX_VALUE },
		{ 'N', KREG_MAX_NAME }, { 'D', KREG_MAX_DATA },
		{ 'E', KREG_MAX_EVENT_VALUE }, { 'A', KREG_MAX_AGENT_VALUE },
		{ 'F', KREG_MAX_FIELDS }, { 'M', KREG_MAX_MESSAGE }, { 'e', last.err },
		{ 'r', last.schemas.version }, { 'R', last.schemas.wanted_version },
	};
	size_t i;

	if (sign == 't')
		return f->table;
	if (sign == 'o')
		return f->owner;
	if (sign == 'w')
		return f->user;
	if (sign == 'd')
		return f->device;
	tmp[0] = '\0';
	if (sign == 'm')
		snprintf(tmp, room, "%04o", f->mode);
	if (sign == 's' || sign == 'S')
		snprintf(tmp, room, "%#llx", (unsigned long long)(sign == 's' ?
			 last.schemas.schema : last.schemas.wanted));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].sign == sign)
			snprintf(tmp, room, "%llu", (unsigned long long)numbers[i].number);
	return tmp;
}

/* What stands for the sign, or for "(NAME)", at *text, behind which *text is left. */
static const char *next_part(const char **text, const struct facts *f, char *tmp, size_t room)
{
	const char *at = *text, *end;

	if (*at != '(') {
		*text = at + 1;
		return expand(f, *at, tmp, room);
	}
	end = strchr(at, ')');
	*text = end + 1;
	kreg_facts_parameter(at + 1, end - at - 1, tmp, room);
	return tmp;
}

static void fill_in(const char *text, const struct facts *f, char *buf, size_t room)
{
	size_t used = 0, n;
	const char *part;
	char tmp[64];

	while (*text && used + 1 < room) {
		if (*text != '%') {
			buf[used++] = *text++;
			continue;
		}
		text++;
		part = next_part(&text, f, tmp, sizeof(tmp));
		n = strlen(part);
		if (n > room - used - 1)
			n = room - used - 1;
		memcpy(buf + used, part, n);
		used += n;
	}
	buf[used] = '\0';
}

static const char *argument_sentence(const struct failure *l)
{
	if (l->err != EINVAL)
		return NULL;
	if (l->attempt == TRY_WAIT_NAME)
		return kreg_argument_sentence(l->attempt, true, *l->name);
	return kreg_argument_sentence(l->attempt, l->sized, l->key_len);
}

/* Which right is missing; of those who need two, the first that is. */
static enum attempt denied(struct facts *f, enum attempt attempt)
{
	bool reads = attempt == TRY_READ || attempt == TRY_WAIT || attempt == TRY_HOLDER ||
		     attempt == TRY_ORDER || attempt == TRY_PINNED;
	bool both = attempt == TRY_EDIT || attempt == TRY_LEASE;

	if (!reads && !both && attempt != TRY_WRITE && attempt != TRY_BATCH &&
	    attempt != TRY_LINE && attempt != TRY_PUBLISH)
		return attempt;
	if (both)
		reads = !f->known || !f->may_read;
	f->state = kreg_facts_denied(f, !reads);
	return reads ? TRY_READ : TRY_WRITE;
}

static void make_sentence(void)
{
	enum attempt attempt = last.attempt;
	int err = last.err;
	const char *text;
	struct facts f;

	kreg_facts_gather(&f, &last);
	/* Which may have failed itself. */
	cause = 0;
	/* The kernel says EACCES for EPERM to who may not write either; the advice is the same. */
	if (err == EACCES && (attempt == TRY_DESTROY || attempt == TRY_GIVE ||
			      attempt == TRY_HEIR || attempt == TRY_OPTION ||
			      attempt == TRY_SEAL || attempt == TRY_STREAM ||
			      attempt == TRY_FOLLOW))
		err = EPERM;
	if (err == EBUSY && f.follows)
		f.state = FOLLOWER;
	if (err == EPROTOTYPE)
		f.state = kreg_facts_schema(&last.schemas);
	if (err == EBADF)
		f.state = kreg_facts_open_state(&last);
	if (err == EACCES)
		attempt = denied(&f, attempt);
	text = last.cause ?: kreg_limit_sentence(last.limit, attempt) ?:
	       kreg_call_sentence(err, attempt) ?:
	       kreg_device_sentence(err, attempt, f.device) ?: argument_sentence(&last);
	if (!text && attempt < TRY_SERVE)
		text = choose(err, attempt, f.state);
	/* A batch fails with the errors of its operations. */
	if (!text && attempt == TRY_BATCH)
		text = choose(err, TRY_WRITE, f.state);
	if (text)
		fill_in(text, &f, last.text, sizeof(last.text));
	else
		snprintf(last.text, sizeof(last.text), "%s (%s)", kreg_strerror(err),
			 kreg_error_name(err));
}

const char *kreg_errmsg(void)
{
	if (!last.err)
		return "no call has failed in this thread";
	if (!last.told)
		make_sentence();
	last.told = true;
	return last.text;
}

/* Errors of servers and calls need not be those of the module, nor EAGAIN that of a write. */
static bool has_limit(int err, enum attempt attempt)
{
	if (err == EAGAIN)
		return attempt == TRY_WRITE || attempt == TRY_BATCH;
	return attempt < TRY_SERVE && (err == EDQUOT || err == ENOSPC || err == EPERM);
}

static void remember(int ret, enum attempt attempt, const struct kreg_client *client,
		     uint64_t table, const char *name, size_t name_len)
{
	last.err = -ret;
	last.attempt = attempt;
	last.limit = KREG_LIMIT_NONE;
	if (has_limit(-ret, attempt))
		last.limit = kreg_ioctl_limit;
	if (ret == -EPROTOTYPE)
		last.schemas = kreg_ioctl_schemas;
	last.cause = ret == cause && attempt != TRY_ANSWER && attempt != TRY_START ?
		     cause_text : NULL;
	cause = 0;
	last.told = false;
	last.sized = false;
	last.client = client ? client->serial : 0;
	last.table = table;
	last.pid = 0;
	last.key_len = 0;
	last.given = 0;
	last.needed = name_len;
	if (name_len > KREG_MAX_NAME)
		name_len = KREG_MAX_NAME;
	if (name_len)
		memcpy(last.name, name, name_len);
	last.name[name_len] = '\0';
}

int kreg_cause(int ret, const char *text)
{
	cause = ret;
	cause_text = text;
	return ret;
}

int kreg_fail(int ret, enum attempt attempt, const struct kreg_client *client)
{
	if (ret < 0)
		remember(ret, attempt, client, 0, NULL, 0);
	return ret;
}

int kreg_fail_name(int ret, enum attempt attempt, const struct kreg_client *client,
		   const char *name)
{
	if (ret < 0)
		remember(ret, attempt, client, 0, name, name ? strlen(name) : 0);
	return ret;
}

int kreg_fail_id(int ret, enum attempt attempt, const struct kreg_client *client, uint64_t id)
{
	if (ret < 0)
		remember(ret, attempt, client, id, NULL, 0);
	return ret;
}

int kreg_fail_table(int ret, enum attempt attempt, const struct kreg_table *table)
{
	/* What such a table does not have is what is for the one object of a key. */
	if (ret == -EOPNOTSUPP && attempt != TRY_BATCH && kreg_table_is_bag(table))
		attempt = TRY_ONE;
	if (ret < 0)
		remember(ret, attempt, table->client, table->id, table->name, table->name_len);
	return ret;
}

int kreg_refuse_bag(const struct kreg_table *table)
{
	return kreg_table_is_bag(table) ? kreg_fail_table(-EOPNOTSUPP, TRY_ONE, table) : 0;
}

int kreg_fail_process(int ret, unsigned int pid)
{
	if (ret < 0)
		last.pid = pid;
	return ret;
}

int kreg_fail_text(int ret, const char *text)
{
	kreg_fail(ret, TRY_OTHER, NULL);
	snprintf(last.text, sizeof(last.text), "%s", text);
	last.told = true;
	return ret;
}

int kreg_fail_sizes(int ret, size_t key_len, size_t given, size_t needed)
{
	if (ret < 0) {
		last.sized = true;
		last.key_len = key_len;
		last.given = given;
		last.needed = needed;
	}
	return ret;
}

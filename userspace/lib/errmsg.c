/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences that name the thing and the way out. What a call has failed with is kept for
 * the thread by plain stores; the sentence is made when it is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* What a sentence may depend on beside errno and attempt. */
enum state {
	ANY,
	PARKED,
	MINE,		/* this process owns the table */
	OTHERS,		/* another process does */
	FOLLOWER,	/* it follows a role, and an error may come from that */
	FOREIGN,	/* a table of the own user was asked for, and it is not */
	READ_ONLY,	/* the client was not opened for writing */
	WRITE_ONLY,	/* nor for reading */
};

/* Of the last call that failed in this thread. */
struct failure {
	int err;		/* positive; 0: none has failed */
	enum attempt attempt;
	enum kreg_limit limit;	/* of EDQUOT and ENOSPC */
	bool told;		/* @text is the sentence about it */
	bool own_user;		/* a table of another user would not do */
	bool sized;		/* @key_len, @given and @needed are those of the call */
	unsigned int pid;	/* %p: who was to receive, inherit or be found */
	uint64_t client;	/* serial of the client, or 0 */
	uint64_t table;		/* id, or 0 */
	size_t key_len;		/* %k */
	size_t given;		/* %v: length of a value or data, or the room for it */
	size_t needed;		/* %n */
	char name[KREG_MAX_NAME + 1];
	char text[512];
};

static __thread struct failure last;

/* What the other signs in a sentence stand for; looked up when it is made. */
struct facts {
	char table[KREG_MAX_NAME + 32];	/* %t */
	char owner[64];			/* %o */
	char user[24];			/* %w: whose table it is */
	char device[KREG_MAX_NAME + 32];	/* %d */
	unsigned int uid;		/* %u */
	unsigned int mode;		/* %m */
	enum state state;
	bool follows;
	bool foreign;			/* another user's, or this one may not look at it */
};

static const struct sentence {
	int err;
	enum attempt attempt;	/* TRY_OTHER: any */
	enum state state;
	const char *text;
} sentences[] = {
	{ EBUSY, TRY_FOLLOW, ANY, "%t has an heir, whom the role is to have: take it away" },
	{ EBUSY, TRY_OTHER, FOLLOWER,
	  "%t follows a role and goes where that goes: do this to the role" },
	{ EOWNERDEAD, TRY_OTHER, ANY,
	  "%t is quarantined, since one owner after the other has died: see why, then claim it with KREG_OPEN_QUARANTINED"
	},
	{ EXDEV, TRY_OTHER, ANY, "%t and its role have different writers of the module" },
	{ EPERM, TRY_FOLLOW, MINE,
	  "this process does not own the role, or may have nothing parked" },
	{ EINVAL, TRY_FOLLOW, ANY,
	  "the role follows another one, or others follow %t, or it is the role" },
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
	{ ENOENT, TRY_SUBSCRIBE, ANY, "the subscription has ended; nobody waits for it" },
	{ ENOENT, TRY_OTHER, ANY,
	  "there is no %t here; create it, or look which there are with 'kreg ls'" },
	{ ESTALE, TRY_BY_ID, ANY,
	  "%t is gone, or in a namespace over which this process has no CAP_SYS_ADMIN" },
	{ EINVAL, TRY_BY_ID, ANY, "no table ever had this id" },
	{ ESTALE, TRY_CANCEL, ANY,
	  "the parent of this process has asked for this, and it stays the parent's" },
	{ ESTALE, TRY_OTHER, ANY, "%t has been destroyed; open or create it again" },
	{ ENODATA, TRY_OTHER, ANY, "the key is not in %t" },
	{ EACCES, TRY_WRITE, PARKED, "%t is parked and not public: claim it to write to it" },
	{ EACCES, TRY_WRITE, OTHERS,
	  "%t is written only by its owner, %o, or its mode %m does not let you" },
	{ EACCES, TRY_WAIT, ANY, "this user may not read %t, or not any more" },
	{ EACCES, TRY_READ, OTHERS,
	  "%t is private to its owner, %o, or its mode %m does not let you read" },
	{ EACCES, TRY_READ, PARKED, "%t is parked and private: claim it to read it" },
	{ EACCES, TRY_OTHER, ANY,
	  "the mode of %t does not let this user do it; its owner can change the mode" },
	{ EPERM, TRY_OTHER, FOREIGN,
	  "%t is of %w, who may have made it to be trusted; choose another name, or allow tables of any user"
	},
	{ EPERM, TRY_CREATE, ANY,
	  "parking %t for so long needs CAP_SYS_RESOURCE, or its heir is of another user and does not accept tables"
	},
	{ EPERM, TRY_CLAIM, ANY,
	  "only user %u may claim %t, or a process with CAP_SYS_ADMIN" },
	{ EPERM, TRY_GIVE, MINE,
	  "process %p is of another user and must accept tables first, or is in other namespaces" },
	{ EPERM, TRY_HEIR, MINE,
	  "process %p is of another user and must accept tables first, or is in other namespaces" },
	{ EPERM, TRY_OPTION, MINE,
	  "this user may not have %t kept for so long; that needs CAP_SYS_RESOURCE" },
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
	{ EFBIG, TRY_BATCH, ANY, "the batch is too long: the most is %B bytes; split it" },
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
	{ EINVAL, TRY_SUBSCRIBE, ANY,
	  "no kind of event is asked for, the flags contradict each other, or there is no event of this number"
	},
	{ EAGAIN, TRY_WRITE, ANY,
	  "too many asynchronous writes wait already; synchronise first" },
};

/* Who owns the table: pid and command name. */
static void owner_facts(struct facts *f, const struct kreg_info *info)
{
	char path[32], comm[32] = "";
	FILE *file;

	if (info->flags & KREG_INFO_PARKED) {
		f->state = PARKED;
		snprintf(f->owner, sizeof(f->owner), "nobody");
		return;
	}
	f->state = info->owner.pid == (unsigned int)getpid() ? MINE : OTHERS;
	if (!info->owner.pid)
		return;
	snprintf(path, sizeof(path), "/proc/%u/comm", info->owner.pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(file);
	}
	snprintf(f->owner, sizeof(f->owner), comm[0] ? "process %u (%s)" : "process %u",
		 info->owner.pid, comm);
}

static void gather(struct facts *f, const struct failure *l)
{
	struct kreg_client *client;
	struct kreg_info info;
	int ret;

	*f = (struct facts){
		.uid = geteuid(), .owner = "another process", .user = "another user"
	};
	client = kreg_client_by_serial(l->client);
	snprintf(f->device, sizeof(f->device), "%s", l->attempt == TRY_DEVICE ? l->name :
		 client ? client->path : "/dev/kreg");
	if (*l->name)
		snprintf(f->table, sizeof(f->table), "table '%s'", l->name);
	else if (l->table)
		snprintf(f->table, sizeof(f->table), "table %llu", (unsigned long long)l->table);
	else
		snprintf(f->table, sizeof(f->table), "the table");
	if (!client)
		return;
	ret = l->table || *l->name ?
	      kreg_info_read(client, l->table, l->table ? NULL : l->name, &info) : -ENOENT;
	kreg_client_put(client);
	f->foreign = ret ? ret == -EACCES : info.uid != geteuid();
	if (ret)
		return;
	f->uid = info.uid;
	snprintf(f->user, sizeof(f->user), "user %u", f->uid);
	f->mode = info.mode;
	f->follows = info.flags & KREG_INFO_FOLLOWS;
	owner_facts(f, &info);
}

static const char *choose(int err, enum attempt attempt, enum state state)
{
	const struct sentence *s;

	for (s = sentences; s < sentences + sizeof(sentences) / sizeof(*s); s++)
		if (s->err == err && (s->attempt == attempt || s->attempt == TRY_OTHER) &&
		    (s->state == state || s->state == ANY))
			return s->text;
	return NULL;
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
		{ 'N', KREG_MAX_NAME }, { 'D', KREG_MAX_DATA }, { 'B', KREG_MAX_BATCH_BYTES },
		{ 'E', KREG_MAX_EVENT_VALUE }, { 'A', KREG_MAX_AGENT_VALUE },
		{ 'F', KREG_MAX_FIELDS }, { 'M', KREG_MAX_MESSAGE }, { 'e', last.err },
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
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].sign == sign)
			snprintf(tmp, room, "%llu", (unsigned long long)numbers[i].number);
	return tmp;
}

static void fill_in(const char *text, const struct facts *f, char *buf, size_t room)
{
	size_t used = 0, n;
	const char *part;
	char tmp[24];

	while (*text && used + 1 < room) {
		if (*text != '%') {
			buf[used++] = *text++;
			continue;
		}
		part = expand(f, text[1], tmp, sizeof(tmp));
		n = strlen(part);
		if (n > room - used - 1)
			n = room - used - 1;
		memcpy(buf + used, part, n);
		used += n;
		text += 2;
	}
	buf[used] = '\0';
}

/* The client is open, but the mode of the device, or the program, allowed not all. */
static enum state open_state(const struct failure *l)
{
	struct kreg_client *client = kreg_client_by_serial(l->client);
	int flags = O_RDWR;

	if (!client)
		return ANY;
	if (!kreg_client_check(client))
		flags = fcntl(client->fd, F_GETFL) & O_ACCMODE;
	kreg_client_put(client);
	return flags == O_RDONLY ? READ_ONLY : flags == O_WRONLY ? WRITE_ONLY : ANY;
}

static const char *argument_sentence(const struct failure *l)
{
	if (l->err != EINVAL)
		return NULL;
	if (l->attempt == TRY_WAIT_NAME)
		return kreg_argument_sentence(l->attempt, true, *l->name);
	return kreg_argument_sentence(l->attempt, l->sized, l->key_len);
}

static void make_sentence(void)
{
	enum attempt attempt = last.attempt;
	int err = last.err;
	const char *text;
	struct facts f;

	gather(&f, &last);
	/* The kernel says EACCES for EPERM to who may not write either; the advice is the same. */
	if (err == EACCES && (attempt == TRY_DESTROY || attempt == TRY_GIVE ||
			      attempt == TRY_HEIR || attempt == TRY_OPTION ||
			      attempt == TRY_FOLLOW))
		err = EPERM;
	if (err == EBUSY && f.follows)
		f.state = FOLLOWER;
	if (err == EPERM && last.own_user && f.foreign)
		f.state = FOREIGN;
	if (err == EBADF)
		f.state = open_state(&last);
	text = kreg_limit_sentence(last.limit) ?: kreg_call_sentence(err, attempt) ?:
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

static void remember(int ret, enum attempt attempt, const struct kreg_client *client,
		     uint64_t table, const char *name, size_t name_len)
{
	last.err = -ret;
	last.attempt = attempt;
	last.limit = KREG_LIMIT_NONE;
	/* Errors of servers and calls need not be those of the module. */
	if (attempt < TRY_SERVE && (ret == -EDQUOT || ret == -ENOSPC))
		last.limit = kreg_ioctl_limit;
	last.told = false;
	last.own_user = false;
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
	if (ret == -EOPNOTSUPP && kreg_table_is_bag(table))
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

void kreg_fail_own_user(int ret)
{
	if (ret < 0)
		last.own_user = true;
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

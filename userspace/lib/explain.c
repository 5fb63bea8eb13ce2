/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences that name the thing and the way out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Tables of sentences may ask for a state of the table. */
enum state { ANY, PARKED, MINE, OTHERS };

/* What the signs in a sentence stand for. */
struct facts {
	char table[KREG_MAX_NAME + 32];	/* %t */
	char owner[64];			/* %o */
	int pid;			/* %p */
	unsigned int uid;		/* %u */
	unsigned int mode;		/* %m */
	enum state state;
};

static const struct sentence {
	int err;
	enum kreg_attempt attempt;	/* KREG_TRY_OTHER: any */
	enum state state;
	const char *text;
} sentences[] = {
	{ ENOENT, KREG_TRY_DEVICE, ANY,
	  "there is no /dev/kreg: load the module with 'modprobe kreg', or pass the device into the container"
	},
	{ ENODEV, KREG_TRY_OTHER, ANY,
	  "nothing is behind /dev/kreg: load the module with 'modprobe kreg'" },
	{ ENXIO, KREG_TRY_DEVICE, ANY,
	  "nothing is behind /dev/kreg: load the module with 'modprobe kreg'" },
	{ EACCES, KREG_TRY_DEVICE, ANY,
	  "no permission for /dev/kreg; 'ls -l /dev/kreg' tells who may use it" },
	{ EMFILE, KREG_TRY_DEVICE, ANY,
	  "this process has too many clients or descriptors open: close some" },
	{ ENOTTY, KREG_TRY_DEVICE, ANY,
	  "this is not the device of kreg, or a module older than the library" },
	{ EBUSY, KREG_TRY_OTHER, PARKED,
	  "%t belonged to another process a moment ago and is parked now; try again" },
	{ EBUSY, KREG_TRY_OTHER, ANY,
	  "%t belongs to %o; wait for it or ask it to give the table away" },
	{ ETIMEDOUT, KREG_TRY_MESSAGE, ANY, "no event came in time" },
	{ ETIMEDOUT, KREG_TRY_OTHER, ANY,
	  "%t still belongs to %o after this time; wait longer or ask it to give the table away" },
	{ EALREADY, KREG_TRY_GIVE, ANY, "process %p owns %t already" },
	{ EALREADY, KREG_TRY_OTHER, ANY,
	  "this process owns %t already; open it without claiming it" },
	{ EEXIST, KREG_TRY_WRITE, ANY, "the key is in %t already; put replaces it" },
	{ EEXIST, KREG_TRY_CREATE, ANY,
	  "%t exists already; open it, destroy it, or choose another name" },
	{ EEXIST, KREG_TRY_OTHER, ANY, "%t is of another type" },
	{ ENOENT, KREG_TRY_OTHER, ANY,
	  "there is no %t here; create it, or look which there are with 'kreg ls'" },
	{ ESTALE, KREG_TRY_OTHER, ANY, "%t has been destroyed; open or create it again" },
	{ ENODATA, KREG_TRY_OTHER, ANY, "the key is not in %t" },
	{ EACCES, KREG_TRY_WRITE, PARKED, "%t is parked and not public: claim it to write to it" },
	{ EACCES, KREG_TRY_WRITE, OTHERS,
	  "%t is written only by its owner, %o, or its mode %m does not let you" },
	{ EACCES, KREG_TRY_READ, OTHERS,
	  "%t is private to its owner, %o, or its mode %m does not let you read" },
	{ EACCES, KREG_TRY_READ, PARKED, "%t is parked and private: claim it to read it" },
	{ EACCES, KREG_TRY_OTHER, ANY,
	  "the mode of %t does not let this user do it; its owner can change the mode" },
	{ EPERM, KREG_TRY_CREATE, ANY,
	  "only CAP_SYS_RESOURCE may have %t parked for so long, or give it an heir of another user"
	},
	{ EPERM, KREG_TRY_CLAIM, ANY,
	  "only user %u may claim %t, or a process with CAP_SYS_ADMIN" },
	{ EPERM, KREG_TRY_GIVE, MINE,
	  "process %p runs under another user and does not accept tables: it must say that it does"
	},
	{ EPERM, KREG_TRY_HEIR, MINE,
	  "process %p runs under another user and does not accept tables: it must say that it does"
	},
	{ EPERM, KREG_TRY_OPTION, MINE,
	  "this user may not have %t kept for so long; that needs CAP_SYS_RESOURCE" },
	{ EPERM, KREG_TRY_OTHER, PARKED, "%t is parked: claim it first, which user %u may" },
	{ EPERM, KREG_TRY_OTHER, OTHERS,
	  "%t belongs to %o, and only the owner may do this; ask it, or wait until it is gone" },
	{ EPERM, KREG_TRY_OTHER, ANY, "only the owner of %t may do this" },
	{ ESRCH, KREG_TRY_OTHER, ANY,
	  "no living process %p: it is dead, or the number is a thread's or of another pid namespace"
	},
	{ ENOTCONN, KREG_TRY_OTHER, ANY,
	  "process %p has not opened /dev/kreg; it must before it can be found, inherit or receive a table"
	},
	{ EDQUOT, KREG_TRY_CREATE, ANY,
	  "this user has too many tables, or the heir too many events: destroy some tables ('kreg ls', 'kreg rm')"
	},
	{ EDQUOT, KREG_TRY_GIVE, ANY,
	  "the mailbox of the receiver is full, or too many tables of this user are parked ('kreg ls --parked')"
	},
	{ EDQUOT, KREG_TRY_HEIR, ANY,
	  "the mailbox of process %p is full: it must read its events" },
	{ EDQUOT, KREG_TRY_WRITE, ANY,
	  "the tables of user %u have reached their limit of bytes: remove objects or destroy tables"
	},
	{ ENOSPC, KREG_TRY_OTHER, ANY, "%t is full: remove objects" },
	{ ENAMETOOLONG, KREG_TRY_READ, ANY, "a key has at most 1024 bytes" },
	{ ENAMETOOLONG, KREG_TRY_WRITE, ANY, "a key has at most 1024 bytes" },
	{ ENAMETOOLONG, KREG_TRY_OTHER, ANY, "a name has at most 128 bytes" },
	{ EFBIG, KREG_TRY_WRITE, ANY, "a value has at most 1 MiB, and a batch 4 MiB; split it" },
	{ EFBIG, KREG_TRY_OTHER, ANY, "the data of an event has at most 1024 bytes" },
	{ EINVAL, KREG_TRY_READ, ANY, "the key is empty, or the options contradict each other" },
	{ EINVAL, KREG_TRY_WRITE, ANY, "the key is empty, or a batch mixes reads and writes" },
	{ EAGAIN, KREG_TRY_WRITE, ANY,
	  "too many asynchronous writes wait already; synchronise first" },
};

/* Name and state of the owner, with a word about what runs there. */
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

static void gather(struct facts *f, const struct kreg_context *c)
{
	const char *name = c->table ? c->table->name : c->name;
	struct kreg_client *client = c->table ? c->table->client : c->client;
	struct kreg_info info;

	*f = (struct facts){ .pid = c->pid, .uid = geteuid(), .owner = "another process" };
	if (name && *name)
		snprintf(f->table, sizeof(f->table), "table '%s'", name);
	else if (c->table)
		snprintf(f->table, sizeof(f->table), "table %llu",
			 (unsigned long long)c->table->id);
	else
		snprintf(f->table, sizeof(f->table), "the table");
	if (!client || (!c->table && !(name && *name)))
		return;
	if (kreg_info_read(client, c->table ? c->table->id : 0, c->table ? NULL : name, &info))
		return;
	f->uid = info.uid;
	f->mode = info.mode;
	owner_facts(f, &info);
}

static const char *choose(int err, enum kreg_attempt attempt, enum state state)
{
	const struct sentence *s;

	for (s = sentences; s < sentences + sizeof(sentences) / sizeof(*s); s++)
		if (s->err == err && (s->attempt == attempt || s->attempt == KREG_TRY_OTHER) &&
		    (s->state == state || s->state == ANY))
			return s->text;
	return NULL;
}

/* What a sign stands for; @tmp is room for a number. */
static const char *expand(const struct facts *f, char sign, char *tmp, size_t room)
{
	switch (sign) {
	case 't':
		return f->table;
	case 'o':
		return f->owner;
	case 'p':
		snprintf(tmp, room, "%d", f->pid);
		return tmp;
	case 'u':
		snprintf(tmp, room, "%u", f->uid);
		return tmp;
	case 'm':
		snprintf(tmp, room, "%04o", f->mode);
		return tmp;
	}
	return "";
}

static void fill_in(const char *text, const struct facts *f, char *buf, size_t room)
{
	size_t used = 0, n;
	const char *part;
	char tmp[16];

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

char *kreg_explain(int err, const struct kreg_context *context, char *buf, size_t room)
{
	struct kreg_context c = { .size = sizeof(c) };
	struct facts f;
	const char *text;

	if (!room)
		return buf;
	err = abs(err);
	if (context && kreg_options_copy(&c, sizeof(c), context))
		c = (struct kreg_context){ .size = sizeof(c) };
	gather(&f, &c);
	/* Who may not even write is told so; what helps is the same. */
	if (err == EACCES && (c.attempt == KREG_TRY_DESTROY || c.attempt == KREG_TRY_GIVE ||
			      c.attempt == KREG_TRY_HEIR || c.attempt == KREG_TRY_OPTION))
		err = EPERM;
	text = choose(err, c.attempt, f.state);
	if (text)
		fill_in(text, &f, buf, room);
	else
		snprintf(buf, room, "%s (%s)", kreg_strerror(err), kreg_error_name(err));
	return buf;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sentence about a failure depends on. */
#ifndef KREG_LIB_ERRMSG_H
#define KREG_LIB_ERRMSG_H

#include "internal.h"

/* What a sentence may depend on beside errno and attempt. */
enum state {
	ANY,
	PARKED,
	MINE,		/* this process owns it, perhaps under another user than the client's */
	OTHERS,		/* another process does */
	FOLLOWER,	/* it follows a role, and an error may come from that */
	MODE,		/* the mode does not let this user do it */
	REGISTRY,	/* it is one, and the mode lets him write */
	READ_ONLY,	/* the client was not opened for writing */
	WRITE_ONLY,	/* nor for reading */
	NO_SCHEMA,	/* the table has none, and one was asked for */
	OLD_VERSION,	/* it has that schema, in a version before the one asked for, */
	NEW_VERSION,	/* or in one after it */
};

/* Of the last call that failed in this thread. */
struct failure {
	int err;		/* positive; 0: none has failed */
	enum attempt attempt;
	unsigned int limit;	/* what the kernel has said: enum kreg_limit or enum kreg_denial */
	struct kreg_schemas schemas;	/* %s, %r: of the table; %S, %R: asked for */
	bool told;		/* @text is the sentence about it */
	const char *cause;	/* what a function of the library has found; may be NULL */
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
	bool known;			/* this user may look at it */
	bool registry;
	bool may_read;			/* as far as the mode is concerned */
	bool may_write;
};

/* errmsg_facts.c: look up the table and who has it. */
void kreg_facts_gather(struct facts *f, const struct failure *l);
/* A parameter of the module, and what it is if that can be read. */
void kreg_facts_parameter(const char *name, size_t len, char *buf, size_t room);
/* What an error has to do with how the client was opened, or ANY. */
enum state kreg_facts_open_state(const struct failure *l);
/* Of EPROTOTYPE: what is wrong with the schema, or ANY. */
enum state kreg_facts_schema(const struct kreg_schemas *s);
/* Of EACCES: what does not let this user read, or write. */
enum state kreg_facts_denied(const struct facts *f, bool write);

#endif /* KREG_LIB_ERRMSG_H */

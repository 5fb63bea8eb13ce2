/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share. */
#ifndef KREG_LIB_INTERNAL_H
#define KREG_LIB_INTERNAL_H

#include <stdatomic.h>
#include <sys/stat.h>

/* What the public header declares is exported; everything else is hidden. */
#pragma GCC visibility push(default)
#include <kreg.h>
#pragma GCC visibility pop

/* Events that were read(2) but not yet handed out, and the process that read them. */
struct mail {
	char *buf;
	size_t room;
	size_t len;
	size_t next;
	uint64_t process;
};

/* Of a client, under the lock of ref.c. */
struct refs {
	uint64_t process;		/* whose they are */
	unsigned int setting[2];	/* threads that are about to add one */
	unsigned int slot;		/* where those that begin now are counted */
	uint64_t first;			/* the lowest id that the client had from this library */
	struct kreg_ref *handed;	/* whose event is handed out */
};

/*
 * Handles count who uses them: the program until it closes them, and handles that were
 * made from them. So the program may close them in any order.
 */
struct kreg_client {
	_Atomic int fd;			/* -1: closed by the program */
	_Atomic unsigned int refs;
	_Atomic uint64_t process;	/* which opened the file: a number of fork.c */
	uint64_t serial;		/* no other client of this process ever has it */
	struct kreg_client *next;	/* in the list of client.c */
	dev_t device;			/* of the file, to notice that the program has */
	ino_t inode;			/* put another one under the descriptor */
	char *path;
	struct mail mail;
	struct refs refs_of;
	_Atomic bool has_refs;		/* or had */
	kreg_event_fn handler;
	void *handler_arg;
};

struct kreg_table {
	struct kreg_client *client;
	_Atomic unsigned int refs;
	uint64_t id;
	unsigned int type;
	unsigned int opened;
	unsigned int name_len;
	char name[];
};

struct kreg_ref {
	struct kreg_ref *next;		/* with the same hash */
	struct kreg_client *client;
	uint64_t process;		/* which has asked for it: a number of fork.c */
	uint64_t id;			/* which no other ref of this client and process ever has */
	unsigned int slot;		/* where it is counted until then */
	const struct kreg_event *event;	/* in the client's buffer, while it is handed out */
	kreg_event_fn fn;
	void *arg;
	struct kreg_process watched;
};

struct kreg_stat {
	struct kreg_info info;
	char name[KREG_MAX_NAME + 1];
};

/*
 * ioctl.c: 0 or a negative errno; opens the device again in a child of fork(2). With
 * -EDQUOT and -ENOSPC, this thread's kreg_ioctl_limit says which limit, if it is known.
 */
int kreg_ioctl(struct kreg_client *client, unsigned int cmd, void *arg);
extern __thread enum kreg_limit kreg_ioctl_limit;

/* fork.c: number of this process, which none of its ancestors has; never 0. */
uint64_t kreg_process_number(void);

/* client.c: open the device again if the calling process has not opened the file. */
int kreg_client_reopen(struct kreg_client *client);
/* -EBADF if the descriptor is not that file any more. */
int kreg_client_check(const struct kreg_client *client);
struct kreg_client *kreg_client_get(struct kreg_client *client);
/* The open client with this serial, or NULL; to be put. */
struct kreg_client *kreg_client_by_serial(uint64_t serial);
void kreg_client_put(struct kreg_client *client);

/* process.c: who has a pid, and whose a pidfd is; the latter calls kreg_fail(). */
int kreg_process_whois(struct kreg_client *client, pid_t pid, unsigned int flags,
		       struct kreg_process *process);
int kreg_process_whois_pidfd(struct kreg_client *client, int pidfd, unsigned int flags,
			     struct kreg_process *process);

/*
 * ref.c: begin before the kernel is asked, and commit or abort afterwards, so that an event
 * which another thread reads in between waits for its ref.
 */
struct kreg_ref *kreg_ref_begin(struct kreg_client *client, kreg_event_fn fn, void *arg);
void kreg_ref_commit(struct kreg_ref *ref, uint64_t id, struct kreg_ref **out);
void kreg_ref_abort(struct kreg_ref *ref);
/* All of that for a WATCH, whose size is filled in. */
int kreg_ref_watch(struct kreg_client *client, struct kreg_ioc_watch *watch, kreg_event_fn fn,
		   void *arg, struct kreg_ref **out);

/* An event on its way out, and the handler of its ref, if there is one. */
struct taken {
	const struct kreg_event *event;
	kreg_event_fn fn;
	void *arg;
};

enum whose { OF_NONE, OF_REF, OF_CANCELLED, OF_UNKNOWN };

/* False: its ref was cancelled. */
bool kreg_ref_take(struct kreg_client *client, const struct kreg_event *event,
		   struct taken *taken);
/* The event that was taken last is not the program's any more. */
void kreg_ref_release(struct kreg_client *client);

/* table.c: NULL without memory. @name need not be terminated. */
struct kreg_table *kreg_table_new(struct kreg_client *client, uint64_t id, const void *name,
				  size_t name_len);
struct kreg_table *kreg_table_get(struct kreg_table *table);

/* What was tried, for the sentence about its failure. */
enum attempt {
	TRY_OTHER = 0,
	TRY_DEVICE,	/* the path is the name */
	TRY_OPEN,
	TRY_CREATE,
	TRY_CLAIM,
	TRY_DESTROY,
	TRY_GIVE,
	TRY_HEIR,
	TRY_OPTION,
	TRY_READ,
	TRY_WRITE,
	TRY_BATCH,
	TRY_STAT,
	TRY_BY_ID,	/* perhaps in another namespace */
	TRY_PROCESS,
	TRY_PIDFD,
	TRY_EVENT,
	TRY_MONITOR,
	TRY_CANCEL,
	TRY_WAIT,
	TRY_WAIT_NAME,	/* of a table that need not be there */
};

/*
 * errmsg.c: every function of the public header returns through one of these, which keep
 * what has failed and return @ret. kreg_fail_process(), kreg_fail_own_user() and
 * kreg_fail_sizes() add to what the others have kept.
 */
int kreg_fail(int ret, enum attempt attempt, const struct kreg_client *client);
int kreg_fail_name(int ret, enum attempt attempt, const struct kreg_client *client,
		   const char *name);
int kreg_fail_id(int ret, enum attempt attempt, const struct kreg_client *client, uint64_t id);
int kreg_fail_table(int ret, enum attempt attempt, const struct kreg_table *table);
int kreg_fail_process(int ret, unsigned int pid);
void kreg_fail_own_user(int ret);
int kreg_fail_sizes(int ret, size_t key_len, size_t given, size_t needed);

/* options.c: copy a struct that may be longer or shorter than ours. */
int kreg_options_copy(void *ours, size_t size, const void *theirs);

/*
 * An object that is handed out is laid out as the kernel does in the buffer of a scan.
 * This bit of @sub, which the kernel's numbers do not reach, says that no value follows
 * the key.
 */
#define OBJECT_NO_VALUE	(1u << 31)
/* Likewise: it ends with the process to which it is bound. */
#define OBJECT_PROCESS	(1u << 30)

/* object.c: one checked operation in the form of the ABI. */
int kreg_op_fill(struct kreg_op *op, unsigned int code, const void *key, size_t key_len,
		 const void *value, size_t value_len);

/* stat.c: by id, or by name if @name is not NULL. */
int kreg_info_read(struct kreg_client *client, uint64_t id, const char *name,
		   struct kreg_info *info);
void kreg_stat_set(struct kreg_stat *stat, const struct kreg_info *info);

static inline uint64_t kreg_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

#endif /* KREG_LIB_INTERNAL_H */

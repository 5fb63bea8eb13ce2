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
	bool failed;		/* to read more, of which nobody has been told */
	uint64_t process;
	char *made;		/* an event that the library has made itself */
	size_t made_room;
};

struct present;
struct table_state;

/* Of a client, under the lock of ref.c. */
struct refs {
	uint64_t process;		/* whose they are */
	unsigned int setting[2];	/* threads that are about to add one */
	unsigned int slot;		/* where those that begin now are counted */
	uint64_t first;			/* the lowest id that the client had from this library */
	struct kreg_ref *handed;	/* whose event is handed out */
	struct present *presents;	/* of subscriptions that are to be told what is there */
};

/* What file a descriptor is, to notice that the program has put another one under it. */
struct file_id {
	dev_t device;
	ino_t inode;
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
	struct file_id file;		/* under the descriptor */
	char *path;
	struct mail mail;
	struct refs refs_of;
	_Atomic uint64_t refs_in;	/* process that has refs, or had */
	kreg_event_fn handler;
	void *handler_arg;
	struct kreg_keeper *keepers;	/* to be told of tables that come by gift or heirship */
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
	struct subscription *subscription;	/* NULL: a monitor */
	struct kreg_ref *group;		/* the program knows that one in its place */
	struct kreg_ref *members;	/* of a group, which itself has no id; */
	struct kreg_ref *next_member;
	bool is_group;
};

/* What a ref that is a subscription has beside; under the lock of ref.c. */
struct subscription {
	unsigned int kinds;		/* of which the program is told */
	unsigned int flags;
	bool made;			/* the event that is handed out is not the kernel's */
	bool denied;			/* the program was told that it may read no more */
	uint64_t handed;		/* number of the last event that was handed out, */
	uint64_t acked;			/* that is acknowledged, */
	uint64_t passed_over;		/* and that may be when all before it are */
	struct present *present;	/* until events need not be compared any more */
};

struct kreg_stat {
	struct kreg_info info;
	char name[KREG_MAX_NAME + 1];
};

/*
 * ioctl.c: 0 or a negative errno; opens the device again in a child of fork(2). With
 * -EDQUOT and -ENOSPC, this thread's kreg_ioctl_limit says which limit, if it is known; with
 * -EPERM why, by enum kreg_denial.
 */
int kreg_ioctl(struct kreg_client *client, unsigned int cmd, void *arg);
extern __thread unsigned int kreg_ioctl_limit;
/* With -EPROTOTYPE, what the table has, and what was asked for. */
struct kreg_schemas {
	uint64_t schema;
	uint64_t wanted;
	unsigned int version;
	unsigned int wanted_version;
};
extern __thread struct kreg_schemas kreg_ioctl_schemas;

/* written.c: somebody wants to know what the kernel has written in a call that has succeeded. */
extern bool kreg_memory_checked;
void kreg_mark_written(unsigned int cmd, const void *arg);

/* fork.c: number of this process, which none of its ancestors has; never 0. */
uint64_t kreg_process_number(void);

/*
 * pin.c: the id of @pin, which is to be one of @table, or 0 of NULL. -EINVAL, -ESTALE: it is that
 * of a parent.
 */
int kreg_pin_id(const struct kreg_pin *pin, const struct kreg_table *table, uint64_t *id);

/* Or had; those of a parent do not count. */
static inline bool kreg_client_has_refs(const struct kreg_client *client)
{
	return client->refs_in == kreg_process_number();
}

/* client.c: a descriptor of the device, which only reads if this user may not write. */
int kreg_device_open(const char *path);
/* Fill in a client that is zero, but for its path; nothing is allocated. */
int kreg_client_set(struct kreg_client *client, int fd);
/* Open the device again if the calling process has not opened the file. */
int kreg_client_reopen(struct kreg_client *client);
/*
 * file.c: 0 or an error; with a descriptor below 0, errno, so that it comes right behind what makes
 * one: who frees what it is in closes no other.
 */
int kreg_file_identify(int fd, struct file_id *id);
/* -EBADF if the descriptor is not that file any more. */
int kreg_file_check(int fd, const struct file_id *id);
/* If it is that file still, and no other one of the program. */
void kreg_file_close(int fd, const struct file_id *id);
/* client.c: as kreg_file_check(). */
int kreg_client_check(const struct kreg_client *client);
/* Let kreg_client_open() take KREG_FD, which the process has just set. */
void kreg_client_offer_fd(void);
struct kreg_client *kreg_client_get(struct kreg_client *client);
/* The open client with this serial, or NULL; to be put. */
struct kreg_client *kreg_client_by_serial(uint64_t serial);
void kreg_client_put(struct kreg_client *client);

/*
 * event.c: has it a handler; has the library read events that were not handed out, or not read all
 * that there may be?
 */
bool kreg_client_handles(const struct kreg_client *client);
bool kreg_client_holds(const struct kreg_client *client);

/* process.c: a pidfd; who has a pid, and whose a pidfd is; the last one calls kreg_fail(). */
int kreg_pidfd_open(pid_t pid);
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
/* Likewise a ref that stands for others, which have ids already. */
int kreg_ref_add_member(struct kreg_ref *group, uint64_t id);
void kreg_ref_commit_group(struct kreg_ref *group, struct kreg_ref **out);
void kreg_ref_abort_group(struct kreg_ref *group);

/* monitor.c: one watch, or one of each of these processes behind a single ref. */
int kreg_watch_set(struct kreg_client *client, struct kreg_ioc_watch *watch,
		   kreg_event_fn fn, void *arg, struct kreg_ref **out);
int kreg_watch_set_all(struct kreg_client *client, const struct kreg_process *processes,
		       size_t count, kreg_event_fn fn, void *arg, struct kreg_ref **out);

/* An event on its way out, and the handler of its ref, if there is one. */
struct taken {
	const struct kreg_event *event;
	kreg_event_fn fn;
	void *arg;
	uint64_t id;
	uint64_t ack;	/* number up to which to acknowledge then; 0: nothing */
};

/*
 * OF_PASSED: nobody is to be told. OF_LATER: first the program has to be told what is there;
 * the event is to be taken again afterwards.
 */
enum whose { OF_NONE, OF_REF, OF_CANCELLED, OF_UNKNOWN, OF_PASSED, OF_LATER };

/* OF_NONE, OF_REF: it is the program's. */
enum whose kreg_ref_take(struct kreg_client *client, const struct kreg_event *event,
			 struct taken *taken);
/* The handler has returned. */
void kreg_ref_handled(struct kreg_client *client, const struct taken *taken);
/*
 * keeper_client.c: an event that is of no ref goes to the keeper of its table, or to one that is to
 * destroy that.
 */
void kreg_keeper_take(struct kreg_client *client, const struct kreg_event *event,
		      struct taken *taken);
/* Has this process a keeper on it? */
bool kreg_keeper_works(const struct kreg_client *client);

/* The event that was taken last is not the program's any more. */
void kreg_ref_release(struct kreg_client *client);

void kreg_refs_lock(void);
void kreg_refs_unlock(void);
/* Under the lock: those of the calling process; @event, of @ref, is handed out. */
struct refs *kreg_refs_of(struct kreg_client *client);
void kreg_ref_hand(struct refs *refs, struct kreg_ref *ref, const struct kreg_event *event,
		   struct taken *taken);
/* Under the lock: whose event it is, or NULL. */
struct kreg_ref *kreg_ref_of(const struct kreg_event *event);

/* subscribe.c, under the lock of ref.c: OF_REF, OF_PASSED or OF_LATER. */
enum whose kreg_subscription_take(struct subscription *s, const struct kreg_event *event,
				  struct taken *taken);

/*
 * present.c: what is there when a subscription begins. All but kreg_present_new(), _fetch(),
 * _free() and _next() are called under the lock of ref.c.
 */
int kreg_present_new(struct kreg_table *table, struct present **present);
/* The subscription has begun: read what it does not read as it is handed out. */
int kreg_present_fetch(struct present *p, struct kreg_table *table);
/* It was not begun. */
void kreg_present_free(struct present *p);
void kreg_present_set(struct present *p, uint64_t seq, uint64_t version);
void kreg_present_begin(struct refs *refs, struct kreg_ref *ref);
void kreg_present_end(struct refs *refs, struct subscription *s);
bool kreg_present_is_told(const struct present *p);
/* Whether the program knows what @event says. */
bool kreg_present_covers(const struct present *p, const struct kreg_event *event);
/* Whether it will not any more of this event, nor of any that comes after it. */
bool kreg_present_is_past(const struct present *p, const struct kreg_event *event);
/* 1: @taken is what is there; 0: nothing is to be told; or an error. */
int kreg_present_next(struct kreg_client *client, struct taken *taken);

/* present_state.c: all objects of @table, as of *@version; to be freed with kreg_state_free(). */
int kreg_state_get(struct kreg_table *table, struct table_state **state, uint64_t *version);
/* The event of the next object, or NULL; and that it is told. */
const struct kreg_event *kreg_state_next(const struct table_state *s);
void kreg_state_pass(struct table_state *s);
void kreg_state_free(struct table_state *s);
/* Bytes that are behind the event of an object; write both. */
size_t kreg_state_bytes(const struct kreg_object *object);
void kreg_state_describe(struct kreg_event *event, const struct kreg_object *object);

/* registry.c: @io->flags and what goes with them are set; who has a key. */
int kreg_register_run(struct kreg_table *table, struct kreg_ioc_register *io,
		      const struct kreg_process *process, const void *key, size_t key_len,
		      const void *value, size_t value_len);
int kreg_holder_check(const struct kreg_holder *holder);
int kreg_holder_fill(struct kreg_holder *holder, const struct kreg_process *process,
		     uint64_t version);

/* table.c: NULL without memory. @name need not be terminated. */
struct kreg_table *kreg_table_new(struct kreg_client *client, uint64_t id, const void *name,
				  size_t name_len);
struct kreg_table *kreg_table_get(struct kreg_table *table);

/* Whether a key may have several objects. */
static inline bool kreg_table_is_bag(const struct kreg_table *table)
{
	return table->type == KREG_TYPE_BAG || table->type == KREG_TYPE_DUPLICATE_BAG;
}

/* errmsg.c: -EOPNOTSUPP, and the sentence about it, if so; else 0. */
int kreg_refuse_bag(const struct kreg_table *table);

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
	TRY_SEAL,
	TRY_STREAM,
	TRY_FOLLOW,
	TRY_READ,
	TRY_WRITE,
	TRY_EDIT,
	TRY_EXPIRE,	/* to have an object expire */
	TRY_ONE,	/* for which a key has to have one object */
	TRY_BATCH,
	TRY_STAT,
	TRY_BY_ID,	/* perhaps in another namespace */
	TRY_PROCESS,
	TRY_PIDFD,
	TRY_EVENT,
	TRY_MONITOR,
	TRY_CANCEL,
	TRY_SUBSCRIBE,
	TRY_PUBLISH,
	TRY_HOLDER,
	TRY_MINE,	/* what only the process may do that has the key */
	TRY_SYNC,
	TRY_LEASE,
	TRY_PINNED,	/* by a pin */
	TRY_RENAME,
	TRY_LOAN,	/* of what is on loan to this process */
	TRY_QUEUE,
	TRY_WAIT,
	TRY_WAIT_NAME,	/* of a table that need not be there; for an owner of it as well */
	TRY_LINE,	/* for a key, which nobody is seen to have */
	TRY_HELD,	/* or which process %p has */
	TRY_UNLOCK,
	TRY_ORDER,	/* what takes an order of keys */
	TRY_TYPE,	/* a table of a type that this kernel may not have */
	TRY_FIRST,	/* keys one by one */
	TRY_NEXT,
	TRY_PREV,
	TRY_KEY,	/* to make or read a key */
	/* What errmsg_call.c knows, which come last: */
	TRY_SERVE,
	TRY_REPLY,
	TRY_CALL,	/* @name is the table's */
	TRY_ANSWER,	/* the error is the server's answer */
	TRY_START,	/* the error is the program's */
	TRY_SUPERVISE,
	TRY_KEEP,	/* @name is the table's, which is to be kept, */
	TRY_ASK,	/* or is asked for */
	TRY_AGENT,
};

/* expiry.c: what kreg_expires() tells; does not keep a failure. */
int kreg_expiry_of(struct kreg_table *table, const void *key, size_t key_len, uint64_t *expires_ns);

/* filter.c: a reference, NULL of NULL; what a range gets of it. */
struct kreg_filter *kreg_filter_get(const struct kreg_filter *filter);
void kreg_filter_set(const struct kreg_filter *filter, struct kreg_range *range);

/* scan.c: options that a program has given, checked; as a range; what has failed with them. */
int kreg_scan_read_options(struct kreg_scan_options *o, const struct kreg_scan_options *options);
void kreg_scan_set_range(struct kreg_range *range, const struct kreg_scan_options *o);
int kreg_scan_range_failed(int ret, enum attempt attempt, const struct kreg_table *table,
			   const struct kreg_scan_options *o);

/*
 * errmsg.c: every function of the public header returns through one of these, which keep
 * what has failed and return @ret. kreg_fail_process() and kreg_fail_sizes() add to what the
 * others have kept.
 */
int kreg_fail(int ret, enum attempt attempt, const struct kreg_client *client);
int kreg_fail_name(int ret, enum attempt attempt, const struct kreg_client *client,
		   const char *name);
int kreg_fail_id(int ret, enum attempt attempt, const struct kreg_client *client, uint64_t id);
int kreg_fail_table(int ret, enum attempt attempt, const struct kreg_table *table);
int kreg_fail_process(int ret, unsigned int pid);
/* With a sentence of its own. */
int kreg_fail_text(int ret, const char *text);
/*
 * Whoever finds what is wrong says it, and returns @ret: the next of the above that is called with
 * @ret keeps that sentence, which has signs as the others have. An error of the kernel's with one
 * of the errnos that are used with this takes it back.
 */
int kreg_cause(int ret, const char *text);
int kreg_fail_sizes(int ret, size_t key_len, size_t given, size_t needed);

/* Their own files, errmsg_call.c and so on: NULL: there is none. */
const char *kreg_call_sentence(int err, enum attempt attempt);
const char *kreg_limit_sentence(unsigned int limit, enum attempt attempt);
const char *kreg_device_sentence(int err, enum attempt attempt, const char *path);
/* Of EINVAL. @told: the call has told whether a key was @given. */
const char *kreg_argument_sentence(enum attempt attempt, bool told, bool given);
const char *kreg_errno_name(int err);

/* options.c: copy a struct that may be longer or shorter than ours. */
int kreg_options_copy(void *ours, size_t size, const void *theirs);
/* Its first version had @least bytes. */
int kreg_options_copy_from(void *ours, size_t size, size_t least, const void *theirs);

/*
 * An object that is handed out is laid out as the kernel does in the buffer of a scan.
 * This bit of @sub, which the kernel's numbers do not reach, says that no value follows
 * the key.
 */
#define OBJECT_NO_VALUE	(1u << 31)
/* Likewise: it ends with the process to which it is bound. */
#define OBJECT_PROCESS	(1u << 30)
/* And behind that with when it expires: NULL if it does not tell. */
#define OBJECT_EXPIRY	(1u << 29)
const struct kreg_object_expiry *kreg_object_expiry(const struct kreg_object *object);

/*
 * edit.c, expiry.c: options that a program has given or NULL, checked; and all but their filter in
 * the form of the ABI.
 */
int kreg_edit_read_options(struct kreg_edit_options *o, const struct kreg_edit_options *options);
int kreg_edit_check(size_t count, const struct kreg_edit_options *o);
void kreg_edit_set_more(struct kreg_more *more, const struct kreg_edit_options *o);
int kreg_put_read_options(struct kreg_put_options *o, const struct kreg_put_options *options);
void kreg_put_set_more(struct kreg_more *more, const struct kreg_put_options *o);

/* object.c: one checked operation in the form of the ABI. */
int kreg_op_fill(struct kreg_op *op, unsigned int code, const void *key, size_t key_len,
		 const void *value, size_t value_len);

/* stat.c: by id, or by name if @name is not NULL. */
int kreg_info_read(struct kreg_client *client, uint64_t id, const char *name,
		   struct kreg_info *info);
void kreg_stat_set(struct kreg_stat *stat, const struct kreg_info *info);

/* limits.c: lower both to what the administrator allows now. */
int kreg_batch_limits(struct kreg_client *client, unsigned int *ops, size_t *bytes);

/* No function: a compiler would take what the module is to write for what is read unset. */
#define kreg_ptr(ptr)	((uint64_t)(uintptr_t)(const void *)(ptr))

#endif /* KREG_LIB_INTERNAL_H */

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kreg: named in-memory tables that outlive the processes that use them.
 *
 * This header is the manual of the ABI of /dev/kreg.
 */
#ifndef _UAPI_LINUX_KREG_H
#define _UAPI_LINUX_KREG_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Words
 *
 * process
 *	A thread group. All its threads act as one; it survives execve(2), and a
 *	fork(2)ed child is another process. A process is named by its pid in the
 *	caller's pid namespace together with a *cookie*, a 64-bit number that is
 *	never given out twice while the module is loaded.
 *
 * client
 *	One open file of /dev/kreg. It belongs to the process that opened it and
 *	works only there: every call through a descriptor that was inherited or
 *	passed to another process fails with ENXIO. Its user and its rights are those
 *	with which it was opened (the filesystem user id), whatever the process becomes
 *	later. It reads and writes as far as it was opened for that. It holds a mailbox.
 *
 * user
 *	A process owns and inherits under a user: that of the client through which it
 *	got the table, or to which it was given or promised. Only the process's clients
 *	of this user are the owner's. So neither a set-user-ID program nor what runs
 *	after setuid(2) has what the process had before, nor the other way round: for
 *	such a client the table is another's. At the process's death it goes the
 *	usual way. Groups and capabilities make no difference here.
 *
 * table
 *	Named by an id that is never used again and, if it has one, by a name.
 *	Names and ids live in the pair (user namespace, pid namespace) of the
 *	opener. A table holds objects and has an owner (a process, or none while
 *	it is *parked*), perhaps an heir (a process), an access rule, and uid,
 *	gid and mode, which never move with ownership.
 *
 * object
 *	A key of 1 to %KREG_MAX_KEY bytes and a value of 0 to %KREG_MAX_VALUE
 *	bytes, both of any content, and the version of the write that made it.
 *
 * role
 *	A table whose owner plays the role, usually without objects. It is claimed, waited
 *	for, inherited and given as any table is. Other tables may *follow* it: they have its
 *	owner as their owner. And a table may name one whose owner may write to it.
 *
 * stream
 *	What happens to a table, as numbered events in the order of its commits, in a
 *	ring of memory. A client *subscribes* to it and reads the events from its file.
 */

/**
 * DOC: General ioctl format
 *
 * Every command takes a pointer to a struct whose first member is its size in
 * bytes, as the caller knows it. A kernel that knows a longer struct takes what
 * is missing as zero. A kernel that knows a shorter one accepts the call if all
 * that it does not know is zero. Members named ``out_*`` are written by the
 * kernel, and only when the call succeeds unless their comment says otherwise;
 * what they hold before the call does not matter. All other members are read
 * only. Members named ``reserved`` must be zero. Layouts are the same for 32-bit
 * and 64-bit callers; pointers travel as 64-bit integers.
 *
 * The number of a command tells the direction of its struct and the size of the
 * struct's first version, for programs that look at calls from outside (strace,
 * audit, valgrind). It stays as it is when the struct grows; what counts is the
 * size in the struct.
 *
 * Types, flags, options and members that are marked "not yet" have their place, so
 * that programs need not change when a kernel learns them. Until then they are
 * refused with EOPNOTSUPP.
 *
 * With EDQUOT and ENOSPC, and with EAGAIN of a write, the member ``out_limit``, where a
 * struct has it, is written and tells which limit was reached (enum kreg_limit); with EPERM
 * likewise why (enum kreg_denial).
 *
 * Moments are nanoseconds of CLOCK_MONOTONIC, as the calling process reads that clock
 * in its time namespace.
 *
 * A call that fails changes nothing. The errors below have these meanings in
 * every command, and are looked for in this order:
 *
 *	========== ============================================================
 *	ENXIO      the file was opened by another process
 *	ENOTTY     unknown command
 *	EINVAL     the struct is shorter than its first version
 *	E2BIG      the struct is longer than a page, or has non-zero bytes that
 *	           this kernel does not know
 *	EFAULT     a pointer is bad; one inside the struct is found when it is used
 *	EOPNOTSUPP an unknown flag, code or option, or a reserved bit is set; or
 *	           the type of the table does not have this operation
 *	EINVAL     flags or values that contradict each other or make no sense; an
 *	           empty key; a name with a NUL byte
 *	ENAMETOOLONG the name or the key is too long
 *	EFBIG      the value, the data or the batch is too long
 *	EBADF      the file was not opened for reading, or not for writing
 *	EINVAL     no table ever had this id
 *	ESTALE     the table is gone
 *	ENOENT     no table has this name
 *	EACCES     mode or access rule of the table forbids it
 *	EPERM      only the owner (or a privileged process) may do this; told to those
 *	           who might write to the table, while others get EACCES
 *	EROFS      the table is sealed (%KREG_OPT_SEAL), and this would change an object
 *	EMSGSIZE   the buffer is too small; an ``out_`` member has the size needed
 *	ENODATA    the key is not in the table
 *	EEXIST     the name or the key exists already
 *	EDQUOT     a limit of the user, the process or the client is reached
 *	ENOSPC     a limit of the table is reached
 *	ENOMEM     no memory, in the machine or in the memory control group of the
 *	           caller; nobody is killed to make some
 *	EINTR      a fatal signal came while waiting
 *	========== ============================================================
 *
 * What needs a file that was opened for reading: GET, MEMBER, TAKE, EDIT, operations with VALUE,
 * SCAN, INFO, LIST, WATCH, REGISTER, SUBSCRIBE, ACK and read(2); for writing: the other operations,
 * TAKE, EDIT and REGISTER,
 * OPEN with CREATE or CLAIM, DESTROY, GIVE and SETOPT; for both: OPEN with STANDBY; neither:
 * QUERY, WHOIS, SYNC, CANCEL, and OPEN of what is there. Only a client that was opened for both
 * receives tables and TRANSFER records.
 *
 * Order of effects: when a call returns, its effect is visible to everyone.
 * When a death is visible (waitpid(2) has returned, or a pidfd polls readable),
 * no call tells of the dead any more: its tables belong to their heirs, are
 * parked or are gone, and the heirs' TRANSFER records can be read, and the DOWN records of
 * those who watch it. Of one death every TRANSFER record is in its mailbox before the first
 * DOWN record is in any, and before the EXIT of an object that the death removes is in a
 * stream, if the module has one writer. If it has several (parameter writers) each removes the
 * objects of its tables when it has passed on those, whatever others still have to pass on; DOWN
 * comes when all are done.
 */

#define KREG_IOC_MAGIC		0xBC

/* Sizes, in bytes. */
#define KREG_MAX_NAME		128
#define KREG_MAX_KEY		1024
#define KREG_MAX_VALUE		(1U << 20)
#define KREG_MAX_DATA		1024

/* Limits of one batch; parameters max_batch_ops, max_batch_bytes. */
#define KREG_MAX_BATCH_OPS	4096
#define KREG_MAX_BATCH_BYTES	(4U << 20)

/* Batches of a group, and all of their operations and their bytes. */
#define KREG_MAX_GROUP		8
#define KREG_MAX_GROUP_OPS	16
#define KREG_MAX_GROUP_BYTES	(64U << 10)

/* Limits of a client: asynchronous operations that are not yet applied. */
#define KREG_MAX_ASYNC_OPS	4096
#define KREG_MAX_ASYNC_BYTES	(4U << 20)

/*
 * Limits of a user, changeable by the module's parameters. They bind every user
 * but root in the initial user namespace, and are charged also to the owners of
 * the user namespaces that the user lives in.
 *
 * Bytes are bytes of memory: of tables, their names, objects and index, of what is
 * reserved for writes under way, and of what waits for readers to leave. Memory comes
 * in pages, one at first for each size of objects; &struct kreg_info tells how much a
 * table has. What is freed counts until it is given back, and a call that would be
 * refused waits for that first. PUT of an object that takes no more than the one that it
 * replaces, and the index, may take the user over the limit by an eighth of it, or by
 * 2 MiB. DELETE, CLEAR and DESTROY are never refused for it.
 */
#define KREG_MAX_USER_TABLES	1024
#define KREG_MAX_USER_PARKED	256
#define KREG_MAX_USER_BYTES	(256ULL << 20)
/*
 * Operations with ASYNC that are not yet applied, and their bytes, of all clients of the user.
 * One more: EAGAIN, as at the limit of a client.
 */
#define KREG_MAX_USER_QUEUED		65536
#define KREG_MAX_USER_QUEUED_BYTES	(64ULL << 20)
/*
 * Pairs of user and pid namespace in which there are clients or tables, of the user who has
 * made the user namespace. One more: open(2) of the device fails with EDQUOT.
 */
#define KREG_MAX_USER_NAMESPACES	256
/* Watches, places of STANDBY and of REGISTER, also those whose record has not been read. */
#define KREG_MAX_USER_WATCHES		65536
/* Objects that are bound to processes, of the user through whose client they were bound. */
#define KREG_MAX_USER_BOUND		262144

/**
 * enum kreg_limit - which limit a call has reached, in @out_limit
 * @KREG_LIMIT_NONE: none
 * @KREG_LIMIT_TABLES: tables of the user
 * @KREG_LIMIT_PARKED: tables of the user that are parked, or are to be when they
 *	lose their owner
 * @KREG_LIMIT_BYTES: bytes of memory of the user's tables
 * @KREG_LIMIT_MAILBOX: records in the mailbox of the process that is to get one
 * @KREG_LIMIT_WAITERS: places in the line of the table, or of the key
 * @KREG_LIMIT_TABLE: room of the table itself; told by OPEN, of the list of all tables
 * @KREG_LIMIT_PROMISED: records, or their bytes, that one user may have in the mailbox of
 *	another's process: a quarter of it. Root is no stranger
 * @KREG_LIMIT_QUEUED: operations of the client with ASYNC, or their bytes, that wait to be
 *	applied; the call fails with EAGAIN, since this passes by itself
 * @KREG_LIMIT_BOUND: bound objects of the user
 * @KREG_LIMIT_WATCHES: watches of the user, and his places of STANDBY and of REGISTER
 * @KREG_LIMIT_SUBSCRIPTIONS: subscriptions of the client
 * @KREG_LIMIT_PINS: pins of the table
 * @KREG_LIMIT_NAMESPACES: user namespaces of the user in which there are clients or
 *	tables; told by open(2), which fails with EDQUOT
 * @KREG_LIMIT_FOLLOWERS: tables that follow the role
 * @KREG_LIMIT_AWAITED: keys of the table that are waited for, or have a line
 * @KREG_LIMIT_TABLE_SUBSCRIPTIONS: subscriptions of the table
 * @KREG_LIMIT_MAILBOX_BYTES: bytes of the records in the mailbox of the process that is to get
 *	one
 * @KREG_LIMIT_STRANGERS: records, or their bytes, that all other users together may have in the
 *	mailbox of a process: three quarters of it, so that its own user always has room
 * @KREG_LIMIT_USER_QUEUED: operations with ASYNC that wait to be applied, of all clients of the
 *	user; EAGAIN
 * @KREG_LIMIT_USER_QUEUED_BYTES: the bytes of those; EAGAIN
 * @KREG_LIMIT_PIN_MS: how long a pin may last: not at all, since max_pin_ms is 0
 */
enum kreg_limit {
	KREG_LIMIT_NONE = 0,
	KREG_LIMIT_TABLES = 1,
	KREG_LIMIT_PARKED = 2,
	KREG_LIMIT_BYTES = 3,
	KREG_LIMIT_MAILBOX = 4,
	KREG_LIMIT_WAITERS = 5,
	KREG_LIMIT_TABLE = 6,
	KREG_LIMIT_PROMISED = 7,
	KREG_LIMIT_QUEUED = 8,
	KREG_LIMIT_BOUND = 9,
	KREG_LIMIT_WATCHES = 10,
	KREG_LIMIT_SUBSCRIPTIONS = 11,
	KREG_LIMIT_PINS = 12,
	KREG_LIMIT_NAMESPACES = 13,
	KREG_LIMIT_FOLLOWERS = 14,
	KREG_LIMIT_AWAITED = 15,
	KREG_LIMIT_TABLE_SUBSCRIPTIONS = 16,
	KREG_LIMIT_MAILBOX_BYTES = 17,
	KREG_LIMIT_STRANGERS = 18,
	KREG_LIMIT_USER_QUEUED = 19,
	KREG_LIMIT_USER_QUEUED_BYTES = 20,
	KREG_LIMIT_PIN_MS = 21
};

/**
 * enum kreg_denial - why a call is EPERM, in @out_limit
 * @KREG_DENIED_OWNER: the caller is not the owner, or none of the others who may do this
 * @KREG_DENIED_PARK: this user may not have a table parked, or not for so long; see
 *	%KREG_MAX_PARK_MS
 * @KREG_DENIED_ACCEPT: the process that is to get or inherit the table runs under another uid
 *	and has not said %KREG_OPT_ACCEPT
 * @KREG_DENIED_NAMESPACE: that process is in other namespaces than the table
 * @KREG_DENIED_USER: with %KREG_OPEN_OWN_USER: the table is another user's
 * @KREG_DENIED_ROLE: the caller does not own the role that is to be followed
 */
enum kreg_denial {
	KREG_DENIED_OWNER = 0,
	KREG_DENIED_PARK = 64,
	KREG_DENIED_ACCEPT = 65,
	KREG_DENIED_NAMESPACE = 66,
	KREG_DENIED_USER = 67,
	KREG_DENIED_ROLE = 68
};

/* How many may be in line to claim one table, or for one key, asleep or standing by. */
#define KREG_MAX_WAITERS	64
#define KREG_MAX_KEY_WAITERS	1024

/* How many tables may follow one role; and of how many deaths a limit may be. */
#define KREG_MAX_FOLLOWERS	64
#define KREG_MAX_DEATHS		64

/* Subscriptions of a client, and of a table; max_subscriptions, max_table_subscriptions. */
#define KREG_MAX_SUBSCRIPTIONS		64
#define KREG_MAX_TABLE_SUBSCRIPTIONS	1024

/* Pins of a table; and for how long one may last, max_pin_ms. */
#define KREG_MAX_PINS		16
#define KREG_MAX_PIN_MS		(10 * 60 * 1000)

/* Keys of a table that are waited for; max_table_awaited. */
#define KREG_MAX_TABLE_AWAITED		4096

/* Bytes of the ring of a stream: as it is made by SUBSCRIBE, and the least and the most. */
#define KREG_STREAM_BYTES	(64U << 10)
#define KREG_MIN_STREAM		(16U << 10)
#define KREG_MAX_STREAM		(1U << 20)

/* A value that is longer is not in its event. */
#define KREG_MAX_EVENT_VALUE	4096

/*
 * Limits of a process, and how long a table may stay parked (CAP_SYS_RESOURCE: for
 * ever). Parameters max_clients, max_events, max_event_bytes, max_park_ms. In every
 * parameter 0 means none: with max_park_ms 0 nobody without CAP_SYS_RESOURCE may have
 * a table parked (EPERM).
 */
#define KREG_MAX_CLIENTS	64
#define KREG_MAX_EVENTS		1024
#define KREG_MAX_EVENT_BYTES	(256U << 10)
#define KREG_MAX_PARK_MS	(24ULL * 60 * 60 * 1000)

/**
 * struct kreg_process - name of a process
 * @pid: process id in the pid namespace of the caller; 0: none, or not visible
 * @reserved: must be zero
 * @cookie: tells processes apart that had the same pid one after the other.
 *	0 as an input means "whoever has this pid now" and is allowed only with
 *	the pid of the caller itself; everything else is ESRCH
 */
struct kreg_process {
	__u32 pid;
	__u32 reserved;
	__aligned_u64 cookie;
};

/**
 * struct kreg_ioc_query - ioctl(KREG_IOC_QUERY)
 * @size: sizeof(struct kreg_ioc_query)
 * @flags: must be zero
 * @out_self: the calling process
 * @out_features: %KREG_FEATURE_ALL bits of this kernel
 * @out_max_key: %KREG_MAX_KEY of this kernel
 * @out_max_value: %KREG_MAX_VALUE of this kernel
 * @out_max_name: %KREG_MAX_NAME of this kernel
 * @out_max_data: %KREG_MAX_DATA of this kernel
 * @out_max_batch_ops: %KREG_MAX_BATCH_OPS of this kernel
 * @out_max_batch_bytes: %KREG_MAX_BATCH_BYTES of this kernel
 *
 * What this kernel can do, and who is asking.
 */
struct kreg_ioc_query {
	__u32 size;
	__u32 flags;
	struct kreg_process out_self;
	__aligned_u64 out_features;
	__u32 out_max_key;
	__u32 out_max_value;
	__u32 out_max_name;
	__u32 out_max_data;
	__u32 out_max_batch_ops;
	__u32 out_max_batch_bytes;
};

#define KREG_FEATURE_SET	(1ULL << 0)	/* tables of type set */
#define KREG_FEATURE_WATCH	(1ULL << 1)	/* WATCH of processes and owners, CANCEL */
#define KREG_FEATURE_BOUND	(1ULL << 2)	/* objects bound to processes, WATCH of holders */
#define KREG_FEATURE_STREAM	(1ULL << 3)	/* SUBSCRIBE, ACK, PUBLISH, ACKED of OP */
#define KREG_FEATURE_ROLE	(1ULL << 4)	/* ROLE, WRITER and LIMIT, QUARANTINED, ON_CRASH */
#define KREG_FEATURE_STANDBY	(1ULL << 5)	/* STANDBY of OPEN; a line saves its table */
#define KREG_FEATURE_WAIT	(1ULL << 6)	/* WATCH of keys and names, and its SLEEP */
#define KREG_FEATURE_LINE	(1ULL << 7)	/* WAIT and STANDBY of REGISTER */
#define KREG_FEATURE_LEASE	(1ULL << 8)	/* LEASE */
#define KREG_FEATURE_RANGE	(1ULL << 9)	/* ranges and COUNT of SCAN */
#define KREG_FEATURE_ORDERED	(1ULL << 10)	/* tables of type ordered_set, REVERSE of SCAN */
#define KREG_FEATURE_EDIT	(1ULL << 11)	/* EDIT; PRESENT, VALUE and PART of OP */
#define KREG_FEATURE_BAG	(1ULL << 12)	/* tables of the types bag and duplicate_bag */
#define KREG_FEATURE_PIN	(1ULL << 13)	/* PIN; @pin of SCAN; ATOMIC of reads */
#define KREG_FEATURE_RENAME	(1ULL << 14)	/* RENAME */
#define KREG_FEATURE_FILTER	(1ULL << 15)	/* filters of SCAN and OP; CHANGE */
#define KREG_FEATURE_EXPIRY	(1ULL << 16)	/* @expires_ns, @idle_ms, KEEP; MORE of reads */
#define KREG_FEATURE_FIRST	(1ULL << 17)	/* FIRST of LEASE */
#define KREG_FEATURE_SCHEMA	(1ULL << 18)	/* @schema of OPEN, SCHEMA of SETOPT */
#define KREG_FEATURE_SEAL	(1ULL << 19)	/* SEALED of OPEN, SEAL of SETOPT */
#define KREG_FEATURE_GROUP	(1ULL << 20)	/* GROUP, BESIDE of OPEN */
#define KREG_FEATURE_ALL	(KREG_FEATURE_SET | KREG_FEATURE_WATCH | KREG_FEATURE_BOUND | \
				 KREG_FEATURE_STREAM | KREG_FEATURE_ROLE | KREG_FEATURE_STANDBY | \
				 KREG_FEATURE_WAIT | KREG_FEATURE_LINE | KREG_FEATURE_LEASE | \
				 KREG_FEATURE_RANGE | KREG_FEATURE_ORDERED | KREG_FEATURE_EDIT | \
				 KREG_FEATURE_BAG | KREG_FEATURE_PIN | KREG_FEATURE_RENAME | \
				 KREG_FEATURE_FILTER | KREG_FEATURE_EXPIRY | KREG_FEATURE_FIRST | \
				 KREG_FEATURE_SCHEMA | KREG_FEATURE_SEAL | KREG_FEATURE_GROUP)

/* Flags of KREG_IOC_WHOIS. */
#define KREG_WHOIS_WATCH	(1U << 0)	/* give a process without a client a cookie */
#define KREG_WHOIS_ALL		(KREG_WHOIS_WATCH)

/**
 * struct kreg_ioc_whois - ioctl(KREG_IOC_WHOIS)
 * @size: sizeof(struct kreg_ioc_whois)
 * @flags: %KREG_WHOIS_ALL bits
 * @pid: a process id in the pid namespace of the caller
 * @reserved: must be zero
 * @out_process: that process, with its cookie
 *
 * The cookie of a living process. To be sure that it is the process that one
 * means: open a pidfd before, and see that it is not readable after the call.
 *
 * A process gets its cookie when it opens the device, or by WATCH, and keeps it until
 * its death. The memory of a cookie is charged to who asked for it.
 *
 * Errors: ESRCH: no living process has this pid, or it is a thread's;
 * ENOTCONN: without WATCH, the process has no client.
 */
struct kreg_ioc_whois {
	__u32 size;
	__u32 flags;
	__u32 pid;
	__u32 reserved;
	struct kreg_process out_process;
};

/*
 * Types of tables (those of ETS). In a bag and a duplicate_bag keys are in order, as in an
 * ordered_set, and the objects of one key in the order in which they came.
 */
enum kreg_type {
	KREG_TYPE_SET = 1,		/* one object a key, in no order */
	KREG_TYPE_ORDERED_SET = 2,	/* one object a key, in the order of keys */
	KREG_TYPE_BAG = 3,		/* several objects a key, no two of them the same */
	KREG_TYPE_DUPLICATE_BAG = 4	/* several objects a key */
};

/* Access rules (those of ETS); who may at all is also said by the mode. */
enum kreg_access {
	KREG_ACCESS_PRIVATE = 1,	/* the owner reads and writes */
	KREG_ACCESS_PROTECTED = 2,	/* the owner writes, everyone reads */
	KREG_ACCESS_PUBLIC = 3,		/* everyone reads and writes */
	KREG_ACCESS_REGISTRY = 4	/* everyone reads, and writes what his processes have */
};

/*
 * In a table with REGISTRY the owner and the writer role write anything. Others whom the mode
 * lets write may add objects that are bound to a process of theirs, and replace and delete such
 * objects, and PUBLISH, which is of no object; all else is EACCES, also CLEAR, and in a batch PUT
 * without BOUND, VALUE, KEEP and MORE.
 * A process is theirs if it is the caller, or its real user is the client's, or the client has
 * CAP_KILL over it.
 */

/*
 * What happens when the owner dies, no living heir is there, and nobody is in line. A crash is a
 * death by a signal or with a status other than 0.
 */
enum kreg_orphan {
	KREG_ORPHAN_DESTROY = 0,	/* the table is destroyed */
	KREG_ORPHAN_PARK = 1,		/* the kernel keeps it until it is claimed */
	KREG_ORPHAN_PARK_ON_CRASH = 2	/* the same after a crash, else it is destroyed */
};

/* Flags of KREG_IOC_OPEN. */
#define KREG_OPEN_CREATE	(1U << 0)	/* create the table if there is none */
#define KREG_OPEN_EXCL		(1U << 1)	/* with CREATE: EEXIST if there is one */
#define KREG_OPEN_CLAIM		(1U << 2)	/* become the owner of a parked table */
#define KREG_OPEN_WAIT		(1U << 3)	/* with CLAIM: wait until it is parked */
#define KREG_OPEN_CLAIMABLE	(1U << 4)	/* at creation: who may write may claim */
#define KREG_OPEN_HEIR		(1U << 5)	/* at creation: @heir is the heir */
#define KREG_OPEN_HEIR_SILENT	(1U << 6)	/* with HEIR: no TRANSFER record */
#define KREG_OPEN_STANDBY	(1U << 7)	/* with CLAIM: stand in line and return */
#define KREG_OPEN_QUARANTINED	(1U << 8)	/* with CLAIM: also over its limit of deaths */
#define KREG_OPEN_OWN_USER	(1U << 11)	/* EPERM if it is there and another user's */
#define KREG_OPEN_SEALED	(1U << 12)	/* at creation: without objects for ever */
#define KREG_OPEN_BESIDE	(1U << 10)	/* at creation: in the writer of @beside */
#define KREG_OPEN_SHARED	(1U << 13)	/* at creation: who may write may destroy it */
#define KREG_OPEN_ALL		(((1U << 9) - 1) | KREG_OPEN_BESIDE | KREG_OPEN_OWN_USER | \
				 KREG_OPEN_SEALED | KREG_OPEN_SHARED)
/* Not yet: */
#define KREG_OPEN_MAPPED	(1U << 9)	/* at creation: reads may go by mapped memory */

/* Bits of @out_how of KREG_IOC_OPEN. */
#define KREG_OPENED_CREATED	(1U << 0)	/* the table is new */
#define KREG_OPENED_CLAIMED	(1U << 1)	/* the caller has become its owner */

/**
 * struct kreg_ioc_open - ioctl(KREG_IOC_OPEN)
 * @size: sizeof(struct kreg_ioc_open)
 * @flags: %KREG_OPEN_ALL bits
 * @name: pointer to the name: 1 to %KREG_MAX_NAME bytes without NUL, compared
 *	byte by byte. May be NULL with CREATE alone: a table without a name
 * @name_len: length of the name
 * @type: enum kreg_type; without CREATE 0. An existing table of another type is
 *	EEXIST
 * @access: for a new table, enum kreg_access; 0: protected
 * @mode: for a new table, permission bits of %0666; uid and gid are those of the
 *	client's credentials
 * @orphan: for a new table, enum kreg_orphan
 * @orphan_ms: with PARK and PARK_ON_CRASH, milliseconds to keep it at most; 0: as long as this
 *	user may keep it
 * @heir: with HEIR, the heir
 * @data: with HEIR, pointer to data for the heir's TRANSFER record
 * @data_len: its length, up to %KREG_MAX_DATA
 * @udata: with STANDBY, comes back in the record
 * @deadline_ns: with WAIT, CLOCK_MONOTONIC in nanoseconds; 0: none
 * @out_table: id of the table. This and the following are written before anything
 *	is changed, so they may be there also when the call fails after that
 * @out_type: enum kreg_type
 * @out_how: %KREG_OPENED_CREATED, %KREG_OPENED_CLAIMED
 * @out_id: of the place in line that STANDBY has taken, for CANCEL; else 0
 * @out_limit: with EDQUOT, enum kreg_limit; with EPERM, enum kreg_denial
 * @out_reserved: 0
 * @schema: for a new table, the schema of what is in it; for one that exists, the schema that it
 *	has to have; 0: none, and whatever it has is fine
 * @schema_version: the version of it; with a schema, 0: any, if the table exists
 * @out_schema_version: version of @out_schema; 0: the table has no schema. Both are written also
 *	with EPROTOTYPE
 * @out_schema: the schema of the table; 0: it has none
 * @beside: for a new table, with BESIDE, id of the table whose writer of the module is to be that
 *	of the new one, so that a KREG_IOC_GROUP may have both; else 0
 *
 * Find, create or claim a table. Members that describe a new table must be zero
 * without CREATE and do not matter when the table exists. The creator owns the
 * new table.
 *
 * Who may open: the owner, the writer role, and those whom the mode lets read or write. Who may
 * claim: the uid of the table and CAP_SYS_ADMIN in its user namespace. Waiters
 * get the table in the order in which they came. That they may claim is decided once
 * more when their turn comes: who may not any more is told EPERM then, and the
 * next gets it.
 *
 * A name can be taken by anyone who may open the device. With OWN_USER an existing
 * table is good enough only if its uid is the client's, else EPERM: for all who are going
 * to trust what is in it, or to put there what is not for everyone.
 *
 * With SHARED, a table that is public is like a public one of ETS: whoever may write to it may
 * destroy it, and give it another name. Else the right to write is no right to that. While its
 * access rule is another one, it is as a table without the flag.
 *
 * What is in a table has a layout that its programs agree about. With @schema, a number that they
 * have chosen for it, a table is opened, claimed or waited for only if it has this schema in just
 * this version; one with another, or with none, is EPROTOTYPE, so that a program learns of a table
 * that another release of it has made before it misreads a value. A release that can read what
 * others have made asks for the version 0, and looks at @out_schema_version. Who stands in line
 * asks once more when its turn comes: if that fits no more, it is told EPROTOTYPE, with STANDBY
 * a GONE record with the cause SCHEMA, and the next gets the table. After a wait @out_schema and
 * @out_schema_version are what the table has then. Heirs and those to whom a table is given are not
 * asked: INFO tells them. %KREG_OPT_SCHEMA changes it.
 *
 * A waiter that is stopped, or frozen by its cgroup, leaves the line, since it could
 * not use the table. When it goes on, so does the call, from its start: at the end of
 * the line, and with the deadline that it had. The same after a signal whose handler
 * was installed with SA_RESTART. Suspending the machine costs nobody his place.
 *
 * With STANDBY, if the table has an owner, the call takes a place in the same line and
 * returns, with @out_id and @out_how 0. When it comes to that place the table is the process',
 * under the user of the client, and the client finds a TRANSFER record with cause CLAIM, @id and
 * @udata; if the client may not claim the table any more, or it follows a role now, or it is
 * destroyed, a GONE record, with cause ACCESS, or none if it is destroyed. A process that is
 * stopped keeps the place. It ends with that, with CANCEL, and with the client; a TRANSFER record
 * that the client has not read by then goes to the next of the process, as others do, with @id
 * and @udata 0. Places are counted as watches.
 *
 * A table that is quarantined (%KREG_OPT_LIMIT) is given to nobody: a claim without QUARANTINED
 * is EOWNERDEAD, and with WAIT or STANDBY stands in line until one with QUARANTINED has lifted
 * that and the table is parked again. So does who was in line before, also with QUARANTINED: a
 * process that waits for what others cannot keep has to look at it first.
 *
 * Errors beside the general ones: EINVAL: CREATE with a schema without a version, a version without
 * a schema; EXDEV: there is no table @beside; ENOENT; EEXIST; EPROTOTYPE: it has another schema or
 * version; EBUSY: it has another owner, or follows a role; EALREADY: the caller owns it already;
 * EOWNERDEAD; ETIMEDOUT: the deadline has passed; ESTALE: destroyed while waiting; EINTR: a handler
 * without SA_RESTART has run while waiting; EDQUOT: %KREG_MAX_WAITERS are in line already, or
 * watches of the user; ESRCH, ENOTCONN, EPERM, EDQUOT for the heir as in %KREG_OPT_HEIR; EPERM:
 * parked for longer than this user may, or, with OWN_USER, another user's; ENOSPC: there are
 * 1,048,576 tables.
 */
struct kreg_ioc_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_len;
	__u32 type;
	__u32 access;
	__u32 mode;
	__u32 orphan;
	__u32 data_len;
	__aligned_u64 orphan_ms;
	struct kreg_process heir;
	__aligned_u64 data;
	__aligned_u64 deadline_ns;
	__aligned_u64 udata;
	__aligned_u64 out_table;
	__u32 out_type;
	__u32 out_how;
	__aligned_u64 out_id;
	__u32 out_limit;
	__u32 out_reserved;
	__aligned_u64 schema;
	__u32 schema_version;
	__u32 out_schema_version;
	__aligned_u64 out_schema;
	__aligned_u64 beside;
};

/* Of the first version of that struct, which its number tells. */
#define KREG_OPEN_SIZE		120

/*
 * Flag of KREG_IOC_DESTROY, KREG_IOC_INFO and KREG_IOC_LIST: tables of all namespaces
 * are meant, as far as the opener has CAP_SYS_ADMIN over their user namespace. That
 * is so for root of the initial user namespace over all tables, for root of another
 * one over those in it and below it, and for the user who has made a user namespace
 * over those in it. Such an administrator may destroy these tables and know of them
 * whatever their mode. To others they stay what they are without the flag: ESTALE.
 */
#define KREG_ANY_NAMESPACE	(1U << 0)
#define KREG_DESTROY_ALL	(KREG_ANY_NAMESPACE)
#define KREG_INFO_IOC_ALL	(KREG_ANY_NAMESPACE)
#define KREG_LIST_ALL		(KREG_ANY_NAMESPACE)

/**
 * struct kreg_ioc_table - ioctl(KREG_IOC_DESTROY)
 * @size: sizeof(struct kreg_ioc_table)
 * @flags: %KREG_DESTROY_ALL bits
 * @table: id of the table
 *
 * Destroy a table. Its name is free and its id dead when the call returns; the
 * memory follows in the background. For the owner, for CAP_SYS_ADMIN in the
 * table's user namespace, and, while it is parked, for whoever may claim it; with
 * %KREG_OPEN_SHARED, while it is public, for whoever may write to it.
 */
struct kreg_ioc_table {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
};

/* Flags of KREG_IOC_GIVE. */
#define KREG_GIVE_PARK		(1U << 0)	/* to nobody: the kernel keeps the table */
#define KREG_GIVE_ALL		(KREG_GIVE_PARK)

/**
 * struct kreg_ioc_give - ioctl(KREG_IOC_GIVE)
 * @size: sizeof(struct kreg_ioc_give)
 * @flags: %KREG_GIVE_ALL bits
 * @table: id of the table
 * @to: the new owner; zero with PARK
 * @data: pointer to data for its TRANSFER record
 * @data_len: its length, up to %KREG_MAX_DATA; 0 with PARK
 * @out_limit: with EDQUOT, enum kreg_limit; with EPERM, enum kreg_denial
 *
 * Give a table away. For the owner. The heir stays as it is. The new owner's
 * TRANSFER record can be read when the call returns. A read by another thread of the
 * caller that is under way then may still see what the new owner writes.
 *
 * The process gets it under the caller's user, if it has a client of that user, else
 * under the user of its first client. That client has to say %KREG_OPT_ACCEPT then.
 *
 * Errors beside the general ones: EBUSY: it follows a role; ESRCH: no such living process;
 * EALREADY: it is the caller itself; ENOTCONN: it has no client that was opened for reading and
 * writing; EPERM: the caller is not the
 * owner, or the process is in other namespaces than the table, or runs under
 * another uid and has not said %KREG_OPT_ACCEPT, or PARK is for longer than this
 * user may; EDQUOT: its mailbox has no room, or none for this user any
 * more, or too many tables are parked.
 */
struct kreg_ioc_give {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	struct kreg_process to;
	__aligned_u64 data;
	__u32 data_len;
	__u32 out_limit;
};

/* Options of KREG_IOC_SETOPT. */
enum kreg_option {
	/*
	 * Of a table, for its owner.
	 * HEIR: @process inherits when the owner dies, and finds a TRANSFER record
	 * with @data in its mailbox; pid 0: no heir. @value: KREG_HEIR_SILENT for no
	 * record, KREG_HEIR_ON_CRASH to inherit only after a crash. The owner itself
	 * may be named: the table comes back to it when it gives it away and the
	 * receiver dies. Errors as in KREG_IOC_GIVE, and under which user it inherits
	 * is found out as there. What can make naming it fail is looked at again when
	 * the owner dies: an heir of another user that accepts no more, or that is in
	 * other namespaces, does not inherit then.
	 */
	KREG_OPT_HEIR = 1,
	/*
	 * Who loses the right to read by one of these two sees nothing that is written
	 * after it has returned, not even by a call that was under way.
	 */
	KREG_OPT_ACCESS = 2,		/* @value: enum kreg_access */
	KREG_OPT_MODE = 3,		/* @value: permission bits of 0666 */
	KREG_OPT_ORPHAN = 4,		/* @value: enum kreg_orphan; @value2: its ms as in OPEN */
	/* Of the client; @table is 0. */
	KREG_OPT_RECEIVER = 5,		/* this client comes first in its process: gets the */
					/* records for its user, and gifts of other users */
	KREG_OPT_ACCEPT = 6,		/* @value: 1: other users may hand tables to the process */
					/* while this client receives; 0: not */
	/*
	 * Of a table, for its owner.
	 * ROLE: @value: id of another table, the role that it follows from now on; 0: none. It
	 * always has the owner of the role as its owner: it moves with the role, at once
	 * and without a record, and is parked while that is. Until it follows no more, GIVE,
	 * OPEN with CLAIM, HEIR, ORPHAN and LIMIT of it are EBUSY, and who waits for it
	 * is told so. When the role is destroyed, its followers are on their own:
	 * with their owner, or, if he is dead, as their own ORPHAN says; if the role was
	 * parked, as if they had been parked at that moment. A follower may be
	 * parked at any time, and counts as parked.
	 * EINVAL: it has followers, or the role is itself or follows another; EBUSY: it has
	 * an heir; EXDEV: the role has another writer (parameter writers); EPERM: the caller does
	 * not own the role, or may have nothing parked; EDQUOT: %KREG_MAX_FOLLOWERS.
	 */
	KREG_OPT_ROLE = 7,
	/*
	 * WRITER: @value: id of another table of the namespace: who owns that may write to
	 * the table as its owner does, whatever the access rule and the mode, but not
	 * control it; 0: none. It may open it. Whether it may read is for the rule and the
	 * mode. The right is looked at when a write is applied; a batch that has begun then
	 * is finished, and so is a write that is being applied by another writer than the
	 * role's.
	 */
	KREG_OPT_WRITER = 8,
	/*
	 * LIMIT: when more than @value owners, 1 to %KREG_MAX_DEATHS, have died within @value2
	 * milliseconds, the table is quarantined: parked, whatever its heir and ORPHAN say, as
	 * long as ORPHAN says or this user may. Who waits for it goes on waiting. OPEN with
	 * QUARANTINED lifts it, and the count begins anew. Both 0: no limit. Charged as a
	 * parked table.
	 */
	KREG_OPT_LIMIT = 9,
	/*
	 * Of a table. STREAM: @value: bytes of its ring of events, a power of two from
	 * KREG_MIN_STREAM to KREG_MAX_STREAM, charged to the caller's user. It is kept until
	 * the table is destroyed, and so are events of all kinds, whether or not
	 * anybody subscribes. 0: as without this. EBUSY: somebody subscribes.
	 */
	KREG_OPT_STREAM = 10,
	/*
	 * Of a table, for its owner. SCHEMA: @value: the schema that it has from now on; 0: none.
	 * @value2: its version, which only a schema has; in the upper half of it the version that
	 * the table has to have so far, else ECANCELED; 0: any. So a new release brings the values
	 * of an old one into its own form and says so at the end, once. Who has the table open, and
	 * who reads it meanwhile, is not asked. See OPEN. EROFS: it is sealed.
	 */
	KREG_OPT_SCHEMA = 11,
	/*
	 * SEAL: @value: 1. The objects of the table stay as they are, for good: from now on every
	 * PUT, DELETE, TAKE, CLEAR, EDIT, CHANGE, REGISTER and LEASE is EROFS, whoever calls, also
	 * if it would do nothing, and so is PUBLISH, which has a version as well. What this client
	 * has queued for the table comes before; what others have queued is refused once the seal
	 * is there, as SYNC tells them. All else goes on: reads, pins, waits, subscriptions, and
	 * whatever becomes of the table itself: it is given, inherited, parked, renamed and
	 * destroyed as others. A table that is sealed already stays so.
	 *
	 * EBUSY: objects would end by themselves, since they are bound to a process, on loan, or
	 * expire; or somebody stands in line for a key.
	 */
	KREG_OPT_SEAL = 12
};

/* @value2 of SCHEMA: the version, and the one that it replaces; 0: whatever there is. */
#define KREG_SCHEMA_VERSIONS(version, from)	((__u64)(from) << 32 | (version))

#define KREG_HEIR_SILENT	1
#define KREG_HEIR_ON_CRASH	2

/**
 * struct kreg_ioc_setopt - ioctl(KREG_IOC_SETOPT)
 * @size: sizeof(struct kreg_ioc_setopt)
 * @flags: must be zero
 * @table: id of the table, or 0
 * @option: enum kreg_option
 * @data_len: length of the data
 * @value: as the option says, else 0
 * @value2: as the option says, else 0
 * @process: as the option says, else 0
 * @data: as the option says, else 0
 * @out_limit: with EDQUOT, enum kreg_limit; with EPERM, enum kreg_denial
 * @out_reserved: 0
 */
struct kreg_ioc_setopt {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__u32 option;
	__u32 data_len;
	__aligned_u64 value;
	__aligned_u64 value2;
	struct kreg_process process;
	__aligned_u64 data;
	__u32 out_limit;
	__u32 out_reserved;
};

/* Operations on objects. */
enum kreg_op_code {
	KREG_OP_GET = 1,	/* copy the value out; ENODATA */
	KREG_OP_MEMBER = 2,	/* is the key there? ENODATA */
	KREG_OP_PUT = 3,	/* insert or replace */
	KREG_OP_DELETE = 4,	/* remove; a key that is not there is no error */
	KREG_OP_TAKE = 5,	/* copy the value out and remove, in one; ENODATA */
	KREG_OP_CLEAR = 6,	/* remove all objects, in one */
	KREG_OP_EDIT = 7,	/* change fields of the value; ENODATA */
	KREG_OP_PUBLISH = 8	/* key and value as a USER event of the table; changes no object */
};

/* Flags of an operation. */
#define KREG_OP_NEW		(1U << 0)	/* PUT: EEXIST if the key is there */
#define KREG_OP_PRESENT		(1U << 1)	/* PUT: ENODATA unless the key is there */
#define KREG_OP_VERSION		(1U << 2)	/* ECANCELED unless the object has version @arg */
#define KREG_OP_MORE		(1U << 3)	/* not TAKE, CLEAR: @arg: struct kreg_more */
#define KREG_OP_PART		(1U << 4)	/* GET: the value from @offset on */
#define KREG_OP_KEEP		(1U << 5)	/* PUT: the expiry stays as it is */
#define KREG_OP_BOUND		(1U << 6)	/* PUT: bound to the calling process */
#define KREG_OP_MINE		(1U << 7)	/* only if it is bound to the calling process */
#define KREG_OP_VALUE		(1U << 8)	/* ECANCELED unless the object has the value @arg */
#define KREG_OP_ALL		(KREG_OP_NEW | KREG_OP_PRESENT | KREG_OP_VERSION | KREG_OP_MORE | \
				 KREG_OP_PART | KREG_OP_KEEP | KREG_OP_BOUND | KREG_OP_MINE | \
				 KREG_OP_VALUE)

/**
 * struct kreg_op - one operation on a table
 * @code: enum kreg_op_code
 * @flags: %KREG_OP_ALL bits
 * @key_len: length of the key: 1 to %KREG_MAX_KEY; CLEAR: 0; PUBLISH: may be 0
 * @key: pointer to the key; CLEAR: 0
 * @value: pointer to the value of PUT and PUBLISH, to room for the value of GET and TAKE, or to
 *	the array of &struct kreg_field of EDIT
 * @value_len: bytes of that value, room or array, up to %KREG_MAX_VALUE for PUT, to
 *	%KREG_MAX_EVENT_VALUE for PUBLISH and to %KREG_MAX_FIELDS for EDIT; others: 0
 * @offset: with PART, where to begin; with VALUE, the length of the value at @arg; of DELETE with
 *	VERSION, the number of the object among those that its write has made
 * @arg: with VERSION a version, which is not 0; with VALUE a pointer to a value; with MORE a
 *	pointer to &struct kreg_more
 * @out_version: GET, MEMBER, TAKE: version of the object; PUT, DELETE, CLEAR, EDIT, PUBLISH:
 *	version of this write. Versions of a table only grow
 * @out_len: GET, MEMBER, TAKE: length of the value, written also with EMSGSIZE; EDIT: length
 *	of the value that it has made
 * @out_count: GET, MEMBER, TAKE: objects that were found: 1 in a set; PUT, EDIT: objects that
 *	were replaced, or in a bag were the same; DELETE,
 *	CLEAR: objects that were removed, capped at 2^32 - 1; PUBLISH: subscriptions
 * @out_error: in a batch, 0 or the errno of this operation
 * @out_sub: GET, MEMBER, TAKE: number of the object among those that its write has made; 0 in a
 *	set
 *
 * GET and TAKE with too little room are EMSGSIZE and copy and remove nothing. A
 * KREG_IOC_OP that writes and fails may have set the ``out_`` members to zero; key
 * and value must not lie in the struct.
 *
 * GET with PART copies the value from @offset on, as much of it as there is and as there is
 * room for, which is never EMSGSIZE: the lesser of @value_len and @out_len - @offset bytes. At its
 * end these are none, and behind it is ERANGE.
 *
 * An object that is BOUND to a process ends with it. From the moment at which that process is
 * exiting (a fatal signal or exit_group(2) is on its way) no operation finds the object: GET,
 * MEMBER, TAKE and SCAN pass by, and PUT, also with NEW, replaces it as if it were not there.
 * It counts as an object of the table until the death has been handled, see KREG_IOC_SYNC.
 * PUT without BOUND keeps the binding of the object that it replaces; with BOUND that is bound
 * anew, whomever it was bound to. CLEAR and DELETE remove bound objects as others. An object that
 * was registered to linger is not hidden, and stays for a time: see &struct kreg_ioc_register. One
 * that was registered with WAIT or STANDBY is hidden, but there for whoever writes, until its
 * process is dead. What is on loan to another is there for nobody else, see
 * &struct kreg_ioc_lease.
 *
 * An object may *expire*, see @expires_ns and @idle_ms of &struct kreg_more. From then on, by the
 * clock of the last tick, which is some milliseconds late at most, it is absent: no operation
 * finds it, a scan by a pin neither, PUT with NEW puts another in its place, and EDIT is ENODATA.
 * Soon after that it is removed, and who subscribes is told EXPIRED, or before, when a write takes
 * its place; that does not say which of several objects of a key it was. PUT makes an object that
 * does not expire, whatever it replaces, unless it says otherwise; with KEEP the new object expires
 * as the one that it replaces, if there is one, and EDIT always makes such an object. Writes with
 * ASYNC say nothing of that: KEEP is EOPNOTSUPP there. An object that expires is bound to nobody:
 * EOPNOTSUPP are KEEP with BOUND, to PUT one that expires in place of one that is bound, and LEASE
 * of one.
 *
 * With MINE, PUT, DELETE and TAKE are only meant for an object that is bound to the calling
 * process, or on loan to it: else PUT and TAKE are ENODATA, and DELETE does nothing and is no
 * error, with @out_count 0; with MINE and VERSION it is ECANCELED. With VERSION they are only meant
 * for an object that is there and has this version, else ECANCELED; TAKE of a key that is not there
 * is ENODATA. With PRESENT, PUT is only meant for a key that is there. In an atomic batch these are
 * decided, as NEW is, before the batch has changed anything.
 *
 * With VALUE, PUT, DELETE and EDIT are only meant for an object that is there and has this value,
 * byte by byte, else ECANCELED. That tells what the value is, so it needs the right to read, too.
 * A caller who can go by the version does better: that is cheaper, and also notices a value that
 * has changed and is back.
 *
 * EDIT works on the value that is there when its turn has come, field by field as &struct
 * kreg_field says; what the object is bound to stays. Nobody sees a value that is half changed.
 * It needs the rights to read and to write. Values that are longer than about 16 KiB are copied
 * and edited beforehand, and put in place if nobody has written meanwhile, else again.
 *
 * Errors beside the general ones: ESRCH: BOUND, and the process is exiting; ECANCELED; EBUSY:
 * PUT or EDIT, and the object is on loan, or PUT of one that expires, and it is bound; ERANGE:
 * PART; EDQUOT with %KREG_LIMIT_BOUND.
 *
 * EDIT and VALUE do not go with ASYNC (EINVAL). For what they do in a batch see &struct
 * kreg_ioc_batch.
 *
 * In a bag or duplicate_bag PUT adds an object to those that the key has. In a bag it does nothing
 * if one of them is the same, in its value and in whom it is bound to; @out_count is 1 then, and
 * @out_version the last version of the table. But if that one or the new one expires, the last PUT
 * counts, as in a set: with one commit the new one comes, as the youngest of the key, and the old
 * one goes; @out_count is 1, and who subscribes is told UPDATE. Each object expires by itself. NEW
 * and PRESENT ask whether the key has an object. GET and TAKE give all objects of the key as they
 * were at one moment, in the order in which they came, packed as &struct kreg_object is in a scan,
 * with @out_version and @out_sub of the youngest; their room is aligned to 8 bytes (EINVAL).
 * @out_len is what the objects take together, also with EMSGSIZE and of MEMBER. Tell by the type of
 * the table, not by what you find. DELETE removes all objects of the key, as one write, or with
 * MINE those that are the caller's, with VALUE those that have the value, and with VERSION the one
 * with version @arg and number @offset; in a registry of others it is EACCES, without MINE, if one
 * of them is another's. Not in these tables (EOPNOTSUPP): EDIT, PUT with VERSION, VALUE, MINE or
 * KEEP, GET with PART, TAKE with a flag.
 *
 * This struct does not grow: what is rare goes to &struct kreg_more.
 */
struct kreg_op {
	__u16 code;
	__u16 flags;
	__u32 key_len;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 value_len;
	__u32 offset;
	__aligned_u64 arg;
	__aligned_u64 out_version;
	__u32 out_len;
	__u32 out_count;
	__u32 out_error;
	__u32 out_sub;
};

/* How many fields an EDIT may have; bytes of a field that is a number. */
#define KREG_MAX_FIELDS		16
#define KREG_FIELD_NUMBER	8

/* What EDIT does with a field. Numbers are signed, of 64 bits, at any offset. */
enum kreg_field_code {
	KREG_FIELD_COPY = 1,	/* bytes take the place of those that are there */
	KREG_FIELD_ADD = 2,	/* the number grows by @operand, which may be negative */
	KREG_FIELD_MIN = 3,	/* it becomes @operand if that is less */
	KREG_FIELD_MAX = 4,	/* it becomes @operand if that is more */
	KREG_FIELD_AND = 5,
	KREG_FIELD_OR = 6,
	KREG_FIELD_XOR = 7
};

/* Flags of a field. */
#define KREG_FIELD_WRAP		(1U << 0)	/* ADD: it overflows silently */
#define KREG_FIELD_SATURATE	(1U << 1)	/* ADD: it stays at the least or the most */
#define KREG_FIELD_THRESHOLD	(1U << 2)	/* ADD: beyond @threshold it becomes @set */
#define KREG_FIELD_EXTEND	(1U << 3)	/* the value gets long enough for it, with zeros */
#define KREG_FIELD_TRUNCATE	(1U << 4)	/* COPY: the value ends behind it */
#define KREG_FIELD_BIG_ENDIAN	(1U << 5)	/* the number is stored in big-endian order */
#define KREG_FIELD_ALL		((1U << 6) - 1)

/**
 * struct kreg_field - a part of a value that EDIT changes
 * @code: enum kreg_field_code
 * @flags: %KREG_FIELD_ALL bits
 * @offset: where in the value
 * @operand: the number to go by; COPY: pointer to the bytes
 * @threshold: with THRESHOLD, a number; else 0
 * @set: with THRESHOLD, a number; COPY: how many bytes; else 0
 * @out: the number as it is afterwards; COPY: the length of the value afterwards
 *
 * Fields are done in their order, and each sees what those before have done. If one fails,
 * nothing has happened.
 *
 * A number is stored in the byte order of the machine, or with BIG_ENDIAN with its highest byte
 * first. @operand, @threshold, @set and @out are numbers in the order of the machine.
 *
 * With THRESHOLD, what has grown by 0 or more and would be above @threshold becomes @set, and
 * so does what has grown by less than 0 and would be below it, also where it would overflow. So a
 * counter can be held at a limit, or begin anew there. Without WRAP, SATURATE and THRESHOLD, of
 * which there may be one, a number that overflows is EOVERFLOW.
 *
 * Errors: EOPNOTSUPP: an unknown code or flag; EINVAL: flags that do not go with the code or with
 * each other, a @threshold or @set that nothing asks for; EFBIG: the value would become longer
 * than %KREG_MAX_VALUE, or the bytes of all COPY are more than that; ERANGE: without EXTEND, the
 * field does not end within the value (COPY with TRUNCATE: does not begin there); EOVERFLOW. The
 * first three are told before the key is looked for.
 */
struct kreg_field {
	__u16 code;
	__u16 flags;
	__u32 offset;
	__aligned_u64 operand;
	__aligned_u64 threshold;
	__aligned_u64 set;
	__aligned_u64 out;
};

/* How many terms a filter may have, and how many bytes all of them may compare with. */
#define KREG_MAX_TERMS		64
#define KREG_MAX_TERM_BYTES	4096

/* What a term looks at. */
enum kreg_term_of {
	KREG_TERM_VALUE = 1,		/* what is at @offset of the value */
	KREG_TERM_KEY = 2,		/* of the key */
	KREG_TERM_VALUE_LEN = 3,	/* the length of the value */
	KREG_TERM_KEY_LEN = 4,		/* of the key */
	KREG_TERM_VERSION = 5		/* the version of the object */
};

/* What it asks. */
enum kreg_term_op {
	KREG_TERM_EQ = 1,	/* is the number, under @mask, @value? */
	KREG_TERM_NE = 2,	/* is it another one? */
	KREG_TERM_LT = 3,	/* is it less? */
	KREG_TERM_LE = 4,	/* is it less, or the same? */
	KREG_TERM_GT = 5,	/* is it more? */
	KREG_TERM_GE = 6,	/* is it more, or the same? */
	KREG_TERM_BITS = 7,	/* has it any of the bits of @mask? */
	KREG_TERM_BYTES = 8	/* are the @size bytes those at @value? */
};

/* Flags of a term. */
#define KREG_TERM_SIGNED	(1U << 0)	/* the number is signed, and so is @value */
#define KREG_TERM_BIG_ENDIAN	(1U << 1)	/* the number is stored in big-endian order */
#define KREG_TERM_ALL		(KREG_TERM_SIGNED | KREG_TERM_BIG_ENDIAN)

/* In @yes and @no: the object does not match. */
#define KREG_TERM_REJECT	255

/**
 * struct kreg_term - one question of a filter
 * @op: enum kreg_term_op
 * @of: enum kreg_term_of
 * @yes: how many terms to pass over if the answer is yes, or %KREG_TERM_REJECT
 * @no: likewise if it is no
 * @size: bytes of the number: 1, 2, 4 or 8; BYTES: how many; a length or the version: 0
 * @flags: %KREG_TERM_ALL bits
 * @offset: where in the value or key; else 0
 * @reserved: 0
 * @mask: bits of the number that count, all of them if it is signed; BYTES: 0
 * @value: the number to compare with; BITS: 0; BYTES: pointer to the bytes
 *
 * A filter is an array of terms. An object is asked the first of them, and after each the one
 * that comes next when so many have been passed over as its answer says. It matches if it comes
 * to the end of the array. So every "and", "or" and "not" is two numbers, and all terms are
 * asked at most once.
 *
 * Whatever is asked of what is not within the object, the answer is no: a field that begins in it
 * and does not end in it is not.
 * A number is stored in the byte order of the machine, or with BIG_ENDIAN with its highest byte
 * first; @mask and @value are numbers in the order of the machine.
 *
 * What a filter says is checked before any object is looked at, and a filter that is wrong is
 * refused even if nothing would be asked. Errors: EFBIG: more than %KREG_MAX_TERMS, or than
 * %KREG_MAX_TERM_BYTES of all BYTES together; EFAULT; EOPNOTSUPP: an unknown @op, @of or flag, or
 * @reserved; EINVAL: no terms; to be passed over are more than there are; a @size that a number
 * cannot have; a @value that the number cannot be, for its size or under @mask; no bits in @mask;
 * members or flags that do not go with @op or @of.
 */
struct kreg_term {
	__u8 op;
	__u8 of;
	__u8 yes;
	__u8 no;
	__u16 size;
	__u16 flags;
	__u32 offset;
	__u32 reserved;
	__aligned_u64 mask;
	__aligned_u64 value;
};

/* Flags of &struct kreg_more. */
#define KREG_MORE_START		(1U << 0)	/* EDIT: there is a value to start from */
#define KREG_MORE_ALL		(KREG_MORE_START)

/**
 * struct kreg_more - what few operations need
 * @size: sizeof(struct kreg_more)
 * @flags: %KREG_MORE_ALL bits
 * @if_version: ECANCELED unless the object has this version; 0: any
 * @filter: pointer to an array of &struct kreg_term: ECANCELED unless there is an object that
 *	matches; 0: none
 * @start: with START, pointer to the value that is edited where there is none
 * @filter_count: how many terms that has
 * @start_len: its length, up to %KREG_MAX_VALUE
 * @expires_ns: PUT and EDIT with START: when the object expires, CLOCK_MONOTONIC in nanoseconds;
 *	0: never. What has passed already is allowed
 * @idle_ms: likewise: it expires when it was not looked up for so long; 0: it does not
 * @linger_ms: with BOUND, how long the object stays after the death of its process: see
 *	&struct kreg_ioc_register
 * @process: with BOUND, the process, as in &struct kreg_ioc_register; zero: the caller
 * @out_process: with BOUND, GET and MEMBER, the process that the object is bound to; zero: none,
 *	or not visible
 * @out_expires_ns: GET, MEMBER: when the object expires if nobody looks it up until then, of
 *	several the first; 0: it does not; of writes 0
 *
 * For PUT, DELETE, EDIT, GET and MEMBER, without ASYNC and ACKED, and in a batch without BOUND;
 * else EOPNOTSUPP. It grows as the struct of a command does. The out_ members of a write in OP are
 * set to zero first; those of a write in a batch are left as they are, and those of a read that
 * finds nothing may be either.
 *
 * What a @filter says tells what the object is, so it needs the right to read, too. It is decided
 * when the turn of the write has come, as all conditions are. Where a key may have several objects
 * it is EOPNOTSUPP: there KREG_IOC_CHANGE asks them one by one.
 *
 * With both @expires_ns and @idle_ms the object expires with the first. To look it up is GET,
 * MEMBER and what writes it; what scans, waits, reads by a pin and copies the table does not count.
 * What was looked up is noted when the last note is older than a sixteenth of @idle_ms, so it may
 * expire by that much earlier. Of PUT with KEEP, and of EDIT, both are said only of an object that
 * is not there yet, so that a counter with START expires some time after its first step.
 *
 * Errors beside those of the operation: EOPNOTSUPP: @expires_ns or @idle_ms with BOUND; EINVAL:
 * with VERSION or VALUE; @if_version or @filter with NEW or START, or of a read; what is said of
 * START without it, or of BOUND without that; @expires_ns or @idle_ms but of PUT, or of EDIT with
 * START; EFBIG: @start_len; those of &struct kreg_term; ESRCH, EPERM for @process as in REGISTER.
 */
struct kreg_more {
	__u32 size;
	__u32 flags;
	__aligned_u64 if_version;
	__aligned_u64 filter;
	__aligned_u64 start;
	__u32 filter_count;
	__u32 start_len;
	__aligned_u64 expires_ns;
	__u32 idle_ms;
	__u32 linger_ms;
	struct kreg_process process;
	struct kreg_process out_process;
	__aligned_u64 out_expires_ns;
};

/* Flags of KREG_IOC_OP and KREG_IOC_BATCH. */
#define KREG_WRITE_ASYNC	(1U << 0)	/* return when queued; see KREG_IOC_SYNC */
#define KREG_BATCH_ATOMIC	(1U << 1)	/* writes: all or nothing; reads: of one moment */
#define KREG_OP_IOC_ALL		(KREG_WRITE_ASYNC | KREG_WRITE_ACKED)
#define KREG_BATCH_ALL		(KREG_WRITE_ASYNC | KREG_BATCH_ATOMIC)
#define KREG_WRITE_ACKED	(1U << 2)	/* OP: wait until subscribers acknowledge */

/**
 * struct kreg_ioc_op - ioctl(KREG_IOC_OP)
 * @size: %KREG_OP_SIZE, or sizeof(struct kreg_ioc_op)
 * @flags: %KREG_OP_IOC_ALL bits
 * @table: id of the table
 * @op: what to do
 * @deadline_ns: with ACKED, CLOCK_MONOTONIC in nanoseconds; 0: none
 * @out_process: the process that the object is bound to; zero: none, or not visible; with the pid
 *	0: it is dead, and the object lingers (&struct kreg_ioc_register)
 * @out_missing: with ACKED, subscribers that have not acknowledged
 * @out_limit: with EDQUOT, ENOSPC and EAGAIN, enum kreg_limit
 * @out_loans: GET, MEMBER: how often the object was lent since it was written, see KREG_IOC_LEASE
 * @out_reserved: 0
 *
 * With %KREG_OP_SIZE the struct ends with @op: that is the form for speed.
 *
 * One operation. Each is atomic and isolated. Reads go past every lock and queue.
 *
 * With ACKED the call of a write returns when it is applied and every subscription with
 * %KREG_SUBSCRIBE_ACK that is told of it has acknowledged that, has ended, or belongs to a
 * process that is dead. Who subscribed later is not waited for, nor the caller's own process. What
 * is missing at the deadline, or when a signal comes, is counted in @out_missing; that is no
 * error, since the write is done.
 *
 * With ASYNC (PUT and DELETE without NEW, PRESENT, VERSION and VALUE, CLEAR and PUBLISH) the call
 * returns when the write is queued, or applied if that can be done at once; nothing is written to
 * @op, and EAGAIN means that %KREG_MAX_ASYNC_OPS or %KREG_MAX_ASYNC_BYTES of this client
 * wait already, or %KREG_MAX_USER_QUEUED or %KREG_MAX_USER_QUEUED_BYTES of its user: try
 * again after a SYNC, or later. The call has done nothing then. The writes of one client
 * to one table are applied in the order of its calls, and before the death of its process
 * is seen: close() waits for them, and for what calls have left behind that were killed.
 * In a table that several users write to, each has a call done by turns.
 *
 * A PUT without BOUND that was queued when nothing had ever been bound in the table, and finds
 * when it is applied that something has been meanwhile, fails with EAGAIN, which SYNC tells.
 */
struct kreg_ioc_op {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	struct kreg_op op;
	__aligned_u64 deadline_ns;
	struct kreg_process out_process;
	__u32 out_missing;
	__u32 out_limit;
	__u32 out_loans;
	__u32 out_reserved;
};

#define KREG_OP_SIZE		80

/**
 * struct kreg_ioc_batch - ioctl(KREG_IOC_BATCH)
 * @size: sizeof(struct kreg_ioc_batch)
 * @flags: %KREG_BATCH_ALL bits
 * @table: id of the table
 * @ops: pointer to an array of operations
 * @count: how many, 1 to %KREG_MAX_BATCH_OPS
 * @op_size: distance of two operations in bytes: sizeof(struct kreg_op), a
 *	multiple of 8
 * @deadline_ns: not yet: with ACKED, CLOCK_MONOTONIC in nanoseconds
 * @out_done: operations without an error. Written also when one operation is to
 *	blame that an atomic batch fails: then the index of that operation
 * @out_limit: with EDQUOT, ENOSPC and EAGAIN, enum kreg_limit
 * @out_missing: with ACKED, subscribers that have not acknowledged
 * @out_reserved: 0
 *
 * Many operations on one table in one call: all reads (GET, MEMBER) or all
 * writes (PUT, DELETE, CLEAR, EDIT, PUBLISH); a mixture is EINVAL. Keys and values that go in may
 * have %KREG_MAX_BATCH_BYTES together, with the fields of EDIT, what these copy and what it starts
 * from, the values of VALUE, and filters, else EFBIG; room for what comes out does not count.
 *
 * Writes are applied in order and become visible all at once. With ATOMIC one
 * failing operation (PUT with NEW of a key that exists) fails the batch with its
 * errno, and nothing has happened; keys within the batch do not count as
 * existing, and VERSION, VALUE, a filter, MINE and PRESENT are likewise about what was there
 * before it. Without it each succeeds or fails by itself: look at its @out_error.
 * Where one key is written twice the last one wins.
 *
 * EDIT works on what the operations before it in the batch leave, also with ATOMIC: two that add
 * to one counter add up. With ATOMIC all of them are done beforehand, so that one that fails
 * (ENODATA, ERANGE, EOVERFLOW) fails the batch before it has changed anything. There a DELETE of
 * its key, or a CLEAR, leaves nothing, whatever the DELETE is meant for: an EDIT behind it is
 * ENODATA or begins with the value to start from, and KEEP has nothing to keep. @out of the fields
 * is written for what was done, and @out_len is the length of the value. Fields must be writable
 * (EFAULT).
 *
 * Who may not read the table has EACCES for a batch with EDIT, VALUE or a filter as a whole.
 *
 * Values that with their key are longer than about 16 KiB are not edited in a batch, nor compared:
 * EFBIG, for the call if the caller brings them (VALUE, START, all bytes that one EDIT copies),
 * else for the operation. PUT with KEEP may be of any length. Without ATOMIC, an operation with
 * EDIT, VALUE, KEEP or MORE behind another one of its key that has failed may be EAGAIN, if it
 * finds another length than was to be expected and there is no memory for that at hand; it will be
 * there the next time.
 *
 * A batch takes memory for all that it brings before it gives back what it replaces, so
 * near the limit of the user other writes may be refused meanwhile (EDQUOT). Without
 * ATOMIC that fails those operations for which there is none left.
 *
 * Reads succeed or fail each by itself. Each sees its own moment; with ATOMIC all of them see the
 * same, for which the table is pinned for the length of the call (KREG_IOC_PIN) if it is written
 * meanwhile, again and again. What is bound to a process or on loan is told of as of now.
 *
 * A batch does not wait for subscribers: ACKED, and a @deadline_ns, are EOPNOTSUPP. A PUBLISH with
 * ACKED after it does, for subscriptions to USER events: who acknowledges that has read what the
 * batch has done.
 */
struct kreg_ioc_batch {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__aligned_u64 ops;
	__u32 count;
	__u32 op_size;
	__aligned_u64 deadline_ns;
	__u32 out_done;
	__u32 out_limit;
	__u32 out_missing;
	__u32 out_reserved;
};

/**
 * struct kreg_ioc_sync - ioctl(KREG_IOC_SYNC)
 * @size: sizeof(struct kreg_ioc_sync)
 * @flags: must be zero
 * @out_limit: with EDQUOT and ENOSPC, enum kreg_limit
 * @out_reserved: 0
 *
 * Return when every write that was accepted and every death that happened before
 * the call has been applied and published, whoever's they are; no other call waits
 * for others' writes to other tables. The first error of the client's asynchronous
 * writes since its last SYNC is returned, and forgotten.
 */
struct kreg_ioc_sync {
	__u32 size;
	__u32 flags;
	__u32 out_limit;
	__u32 out_reserved;
};

/* Flags of KREG_IOC_SCAN. */
#define KREG_SCAN_KEYS		(1U << 0)	/* no values; their lengths are told */
#define KREG_SCAN_PROCESSES	(1U << 1)	/* at the end of each object, to whom it is bound */
#define KREG_SCAN_OF		(1U << 2)	/* only what is bound to @process */
#define KREG_SCAN_COUNT		(1U << 3)	/* no objects, only how many */
#define KREG_SCAN_REVERSE	(1U << 4)	/* backwards */
#define KREG_SCAN_EXPIRES	(1U << 5)	/* at the end of each object, when it expires */
#define KREG_SCAN_ALL		(KREG_SCAN_KEYS | KREG_SCAN_PROCESSES | KREG_SCAN_OF | \
				 KREG_SCAN_COUNT | KREG_SCAN_REVERSE | KREG_SCAN_EXPIRES)

/* Flags of a range. */
#define KREG_RANGE_EXACT	(1U << 0)	/* only objects with the key @low */
#define KREG_RANGE_PREFIX	(1U << 1)	/* only keys that begin with @low */
#define KREG_RANGE_LOW_OPEN	(1U << 2)	/* not @low itself */
#define KREG_RANGE_HIGH_OPEN	(1U << 3)	/* not @high itself */
#define KREG_RANGE_ALL		(KREG_RANGE_EXACT | KREG_RANGE_PREFIX | KREG_RANGE_LOW_OPEN | \
				 KREG_RANGE_HIGH_OPEN)

/**
 * struct kreg_range - which objects, and from where on
 * @low: pointer to the lowest key; 0: none
 * @high: pointer to the highest key; 0: none
 * @after: pointer to the key after which to go on, with REVERSE before which; it need not be
 *	in the table any more, nor ever have been
 * @low_len: length of @low; 0: there is none
 * @high_len: length of @high; 0: there is none
 * @after_len: length of @after; 0: from the start, with REVERSE from the end
 * @flags: %KREG_RANGE_ALL bits
 * @after_version: in a bag or duplicate_bag, of the objects with the key @after the version and
 * @after_sub: the number of the one after which to go on, which need not be there any more; with
 *	version 0 after all of them. In a set of no account
 * @filter_count: how many terms @filter has
 * @filter: pointer to an array of &struct kreg_term: objects that do not match are passed over;
 *	0: all do
 *
 * The order of keys, in tables of all types, is that of their bytes as by memcmp(3), and a key
 * comes before those that it is the beginning of. Objects whose keys are below @low or above
 * @high are passed over. A @low above @high is no error: there is nothing between them.
 *
 * EXACT, PREFIX and LOW_OPEN need @low, HIGH_OPEN needs @high. EXACT and PREFIX go with no
 * @high, no other flag, and EXACT with no other @after than @low.
 */
struct kreg_range {
	__aligned_u64 low;
	__aligned_u64 high;
	__aligned_u64 after;
	__u32 low_len;
	__u32 high_len;
	__u32 after_len;
	__u32 flags;
	__aligned_u64 after_version;
	__u32 after_sub;
	__u32 filter_count;
	__aligned_u64 filter;
};

/**
 * struct kreg_object - object in the buffer of a scan
 * @size: bytes from here to the next object, a multiple of 8
 * @key_len: length of the key, which follows this struct
 * @value_len: length of the value, which follows the key
 * @sub: number of the object among those that its write has made; 0 in a set
 * @version: version of the object
 *
 * The value begins at the byte after the key; the padding is zero. This struct does
 * not grow: a later kernel puts what it adds behind the value, within @size.
 */
struct kreg_object {
	__u32 size;
	__u32 key_len;
	__u32 value_len;
	__u32 sub;
	__aligned_u64 version;
};

/**
 * struct kreg_object_expiry - at the end of an object of a scan with EXPIRES
 * @until_ns: when it expires if nobody looks it up until then, as @out_expires_ns of &struct
 *	kreg_more; 0: it does not
 * @expires_ns: as it was put: when it expires in any case; 0: never
 * @idle_ms: likewise, when it was not looked up for so long; 0: it does not
 * @reserved: 0
 */
struct kreg_object_expiry {
	__aligned_u64 until_ns;
	__aligned_u64 expires_ns;
	__u32 idle_ms;
	__u32 reserved;
};

/**
 * struct kreg_ioc_scan - ioctl(KREG_IOC_SCAN)
 * @size: sizeof(struct kreg_ioc_scan)
 * @flags: %KREG_SCAN_ALL bits
 * @table: id of the table
 * @range: which objects
 * @buf: pointer to room for &struct kreg_object, aligned to 8 bytes; with COUNT 0
 * @buf_len: length of the room; with COUNT 0
 * @max_count: objects at most; 0: as many as fit, with COUNT 2^32 - 1
 * @pin: id of a pin of this client, by KREG_IOC_PIN: look at the table as it was then; 0: as it is
 * @process: with OF, the process, which need not live any more; else zero
 * @out_count: objects in the room; with COUNT, how many there are, @max_count at most
 * @out_len: bytes in the room; with EMSGSIZE the bytes that the next object needs
 * @out_more: 1: there may be more objects; 0: the end was reached
 * @out_reserved: 0
 *
 * Objects of the table, of a set in an order of its own that never changes. That order follows
 * from a hash of the keys under a secret of the table: it tells which keys have hashes that are
 * near each other, so who reads a table can find keys that share a bucket of its index, and
 * who writes to it can fill that bucket. Such buckets are cut into short pieces, see
 * &kreg_info.marks; what the hash of a key is, or of one in another table, is not told.
 *
 * A range, other than with EXACT, takes on a set as long as a scan of all of it.
 *
 * A scan that goes on after the last key of the call before returns every object that
 * existed from its first call to its last exactly once, whatever is written
 * meanwhile, and no key twice. It is not a snapshot.
 *
 * With PROCESSES each object ends with a &struct kreg_process, the last 16 bytes of its @size,
 * behind the padding of the value: to whom it is bound, or zero. With EXPIRES each ends with a
 * &struct kreg_object_expiry, behind that. With OF, objects of other
 * processes are passed over; ESRCH: a process without a cookie that is not the caller. Of one that
 * lives and has few objects in a table other than a bag, at most 1,024, that takes as long as
 * these are many, unless a write of the table is just under way, and without a range or COUNT; else
 * as long as a scan of all.
 *
 * With @pin all calls together return the objects that were there when it was set, and nothing of
 * what was written since. What is bound to a process, or on loan, is told of at a pin as it would
 * be now: nothing of a process that is dead, and what others have on loan is hidden.
 *
 * COUNT counts what a scan with the same range, @after and OF would return. It goes with neither
 * KEYS nor PROCESSES nor EXPIRES. REVERSE is for tables that are in the order of keys: on a set it
 * is EOPNOTSUPP.
 *
 * Errors beside the general ones: EMSGSIZE; EINVAL: @buf is not aligned, or is given with COUNT;
 * OF without a process, or a process without it; in the range an empty key, a flag without the
 * key that it needs, or things that do not go together; ENAMETOOLONG: one of its keys. Of @pin,
 * EINVAL: this client cannot have had it, or it is one of another table; ESTALE: it has ended.
 */
struct kreg_ioc_scan {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	struct kreg_range range;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 max_count;
	__aligned_u64 pin;
	struct kreg_process process;
	__u32 out_count;
	__u32 out_len;
	__u32 out_more;
	__u32 out_reserved;
};

/**
 * struct kreg_ioc_change - ioctl(KREG_IOC_CHANGE)
 * @size: sizeof(struct kreg_ioc_change)
 * @flags: must be zero
 * @table: id of the table
 * @range: which objects, and where to go on
 * @code: %KREG_OP_DELETE, or %KREG_OP_EDIT
 * @field_count: EDIT: how many fields, 1 to %KREG_MAX_FIELDS; else 0
 * @fields: EDIT: pointer to an array of &struct kreg_field, whose @out stays as it is; else 0
 * @max_count: objects to be changed at most; 0: all
 * @position: pointer to room for %KREG_MAX_KEY bytes, for the key to go on after; or 0
 * @out_count: objects that were changed
 * @out_version: version of the last change; 0: there was none
 * @out_position_version: what @after_version of the range has to be to go on, and
 * @out_position_sub: @after_sub
 * @out_position_len: length of the key at @position; 0: the call has not come to an object
 * @out_more: 1: there may be more objects; 0: the end was reached
 * @out_limit: with EDQUOT and ENOSPC, enum kreg_limit
 * @out_reserved: 0
 *
 * Each object in the range that matches the filter is removed or edited, in the order of a scan.
 * Each is a write of its own, with a version and an event: not all at once, but an object is
 * changed only if it matches when the turn of its write has come. Every object that is there from
 * the begin of the call to its end, and matches all the time, is changed exactly once. What is
 * hidden from the caller, or on loan to others, is passed over.
 *
 * A call that fails tells how far it has come, too: @out_count objects were changed, and the one
 * at @position, if there is one, is what the error is about, so that a call that goes on after it
 * leaves it as it is. A fatal signal ends a call between two objects.
 *
 * It needs the rights to read and to write, and comes after the writes that this client has queued
 * for the table. EDIT is EOPNOTSUPP where a key may have several objects.
 *
 * Errors beside the general ones: those of the range, of its filter and of the fields; of a write
 * of each object: EACCES: in a registry, an object of another's; ERANGE, EOVERFLOW: EDIT; EDQUOT.
 */
struct kreg_ioc_change {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	struct kreg_range range;
	__u32 code;
	__u32 field_count;
	__aligned_u64 fields;
	__aligned_u64 max_count;
	__aligned_u64 position;
	__aligned_u64 out_count;
	__aligned_u64 out_version;
	__aligned_u64 out_position_version;
	__u32 out_position_sub;
	__u32 out_position_len;
	__u32 out_more;
	__u32 out_limit;
	__aligned_u64 out_reserved;
};

/**
 * struct kreg_info - what is to be known about a table
 * @size: bytes of this struct that the kernel has written
 * @type: enum kreg_type
 * @id: id of the table
 * @access: enum kreg_access
 * @mode: permission bits
 * @uid: user id, in the user namespace of the caller
 * @gid: group id, likewise
 * @orphan: enum kreg_orphan
 * @flags: %KREG_INFO_PARKED and the others
 * @orphan_ms: milliseconds a parked table is kept; 0: no limit
 * @parked_until_ns: if parked with a limit: CLOCK_MONOTONIC in nanoseconds
 * @owner: the owner; zero if parked
 * @heir: the heir; zero if there is none or it is dead
 * @objects: number of objects
 * @bytes: bytes of their keys and values
 * @memory: bytes of memory, everything included: what the user is charged for it
 * @limbo: bytes of it that wait for readers to leave
 * @version: version of the last write
 * @transfers: how often the owner has changed
 * @buckets: size of the index
 * @waiters: processes waiting to claim it
 * @name_len: length of the name; 0: no name
 * @name: the name, zero-filled
 * @user_ns: user namespace in which it has its name and id: the inode number of
 *	/proc/PID/ns/user
 * @pid_ns: pid namespace, likewise
 * @owner_uid: the user under whom @owner owns it, in the user namespace of the caller; 0: no
 *	owner
 * @heir_uid: the user under whom @heir inherits, likewise; 0: no heir
 * @walked: the most links of its list that writes of it have walked over, on the way to
 *	keys, while others had to wait, since it was cleared; the first dozen of each way
 *	are not counted
 * @marks: places within long buckets at which a walk can begin
 * @bound: objects that are bound to processes, or on loan; those of the dead count until their
 *	deaths have been handled, or for as long as they linger
 * @role: id of the role that it follows; 0: none
 * @writer_role: id of the role that may write; 0: none, or it is gone
 * @limit_ms: after more than
 * @limit: deaths of owners in so many milliseconds it is quarantined; 0: no limit
 * @subscriptions: subscriptions to its stream
 * @events: number of its last event; those that nobody could have asked for are not counted,
 *	but a number is left out in their place when somebody subscribes after nobody did
 * @kept: objects that were replaced or removed and are kept for pins, without those that
 *	were cleared
 * @kept_bytes: bytes of memory that these take
 * @pins: pins that keep the table as it was, see KREG_IOC_PIN
 * @schema_version: version of @schema; 0: the table has none
 * @timed: objects that expire, those included that have and are not removed yet
 * @schema: the schema of what is in it, see KREG_IOC_OPEN; 0: none
 * @pinned_since_ns: when the oldest of its pins was set, CLOCK_MONOTONIC in nanoseconds; 0: there
 *	is none
 * @pinner: the process whose pin that is; zero: none
 *
 * That @owner is the calling process does not make a client the owner's: @owner_uid
 * has to be its user as well.
 */
struct kreg_info {
	__u32 size;
	__u32 type;
	__aligned_u64 id;
	__u32 access;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 orphan;
	__u32 flags;
	__aligned_u64 orphan_ms;
	__aligned_u64 parked_until_ns;
	struct kreg_process owner;
	struct kreg_process heir;
	__aligned_u64 objects;
	__aligned_u64 bytes;
	__aligned_u64 memory;
	__aligned_u64 limbo;
	__aligned_u64 version;
	__aligned_u64 transfers;
	__aligned_u64 buckets;
	__u32 waiters;
	__u32 name_len;
	__u8 name[KREG_MAX_NAME];
	__aligned_u64 user_ns;
	__aligned_u64 pid_ns;
	__u32 owner_uid;
	__u32 heir_uid;
	__u32 walked;
	__u32 marks;
	__aligned_u64 bound;
	__aligned_u64 role;
	__aligned_u64 writer_role;
	__aligned_u64 limit_ms;
	__u32 limit;
	__u32 subscriptions;
	__aligned_u64 events;
	__aligned_u64 kept;
	__aligned_u64 kept_bytes;
	__u32 pins;
	__u32 schema_version;
	__aligned_u64 timed;
	__aligned_u64 schema;
	__aligned_u64 pinned_since_ns;
	struct kreg_process pinner;
};

#define KREG_INFO_PARKED	(1U << 0)
#define KREG_INFO_CLAIMABLE	(1U << 1)
#define KREG_INFO_HEIR_SILENT	(1U << 2)
#define KREG_INFO_HEIR_ON_CRASH	(1U << 3)
#define KREG_INFO_QUARANTINED	(1U << 4)	/* parked: too many owners have died */
#define KREG_INFO_FOLLOWS	(1U << 5)	/* it follows a role */
#define KREG_INFO_SEALED	(1U << 6)	/* its objects stay as they are */
#define KREG_INFO_SHARED	(1U << 7)	/* while public: who may write may destroy it */

/**
 * struct kreg_ioc_info - ioctl(KREG_IOC_INFO)
 * @size: sizeof(struct kreg_ioc_info)
 * @flags: %KREG_INFO_IOC_ALL bits; none with a name, which is one of the caller's
 *	namespace
 * @table: id of the table, or 0 to go by the name
 * @name: pointer to the name, or 0
 * @name_len: its length
 * @info_len: length of the room: at least 8, a multiple of 8
 * @info: pointer to room for &struct kreg_info; what it has beyond the kernel's
 *	struct is zeroed
 *
 * For the owner and those whom the mode lets read, whatever the access rule.
 */
struct kreg_ioc_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__aligned_u64 name;
	__u32 name_len;
	__u32 info_len;
	__aligned_u64 info;
};

/**
 * struct kreg_ioc_list - ioctl(KREG_IOC_LIST)
 * @size: sizeof(struct kreg_ioc_list)
 * @flags: %KREG_LIST_ALL bits
 * @after: id after which to go on; 0: from the start
 * @infos: pointer to room for an array of &struct kreg_info
 * @info_len: distance of two of them in bytes: at least 8, a multiple of 8
 * @max_count: how many fit, 1 or more
 * @out_count: how many were written
 * @out_more: 1: there may be more; 0: the end was reached
 *
 * Tables of the namespace of which the caller may know, in the order of their
 * ids, that is, of their creation. Tables made and destroyed meanwhile may or
 * may not be there.
 *
 * With ANY_NAMESPACE those of which the caller may know in all namespaces, in no
 * particular order; one that exists all the time is there exactly once.
 */
struct kreg_ioc_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 after;
	__aligned_u64 infos;
	__u32 info_len;
	__u32 max_count;
	__u32 out_count;
	__u32 out_more;
};

/* What is watched. */
enum kreg_watch_kind {
	KREG_WATCH_PROCESS = 1,		/* a process, by its name: DOWN */
	KREG_WATCH_HOLDER = 2,		/* to whom an object is bound: DOWN */
	KREG_WATCH_OWNER = 3,		/* the owner of a table: DOWN */
	KREG_WATCH_PRESENT = 4,		/* a key, or the name of a table, is there: READY */
	KREG_WATCH_ABSENT = 5,		/* it is not there: READY */
	KREG_WATCH_CHANGED = 6		/* a key has another version: READY */
};

/* Flags of KREG_IOC_WATCH. */
#define KREG_WATCH_SLEEP	(1U << 0)	/* not of DOWN: the call itself waits */
#define KREG_WATCH_ALL		(KREG_WATCH_SLEEP)

/**
 * struct kreg_ioc_watch - ioctl(KREG_IOC_WATCH)
 * @size: sizeof(struct kreg_ioc_watch)
 * @flags: %KREG_WATCH_ALL bits
 * @kind: enum kreg_watch_kind
 * @key_len: length of @key; 0: none
 * @table: id of the table: whose owner, of the object or of the key; 0 with OWNER, PRESENT and
 *	ABSENT: @key is the name of a table in the caller's namespace
 * @key: pointer to the key, or to the name
 * @process: PROCESS: which one. Cookie 0 only for the caller
 * @version: CHANGED: the version that is known; 0: the key is absent
 * @udata: comes back in the record; with SLEEP 0
 * @deadline_ns: with SLEEP: when to give up, also if it has passed already; 0: never
 * @out_id: id of the watch, for CANCEL; the client never gets it again. With SLEEP 0
 * @out_process: who is watched; zero: nobody, and the record can be read already. With SLEEP
 *	to whom the object is bound that was found, or zero
 * @out_version: HOLDER, and with SLEEP: version of the object; 0: it is not there
 * @out_limit: with EDQUOT, enum kreg_limit
 * @out_reserved: 0
 *
 * Have a DOWN record sent to this client when a process is dead, exactly one for each watch,
 * after which the watch is gone; N watches of one process are N records. The process need
 * not have a client; who may see its pid may watch it. The owner of a table is looked up
 * once, in the call: whom the table belongs to later makes no difference. Likewise the process
 * that an object is bound to.
 *
 * Memory and room for the record are set aside in the call, so it cannot be lost. It does
 * not count among the records of the mailbox. Of a process that is dead already, that is
 * not known or never was, of a table that has no owner or is not there, or of a key of which
 * there is no object, or one that is bound to nobody, the record can be read when the call
 * returns; its cause is NOPROC. When DOWN of a HOLDER can be read, its key is free, or its object
 * lingers. Of one that lingers the record has the process, and how it ended. So who has got the
 * key with WAIT or STANDBY and is exiting is watched until he is dead; and if he is dead when the
 * call begins, who stood in line for the key is.
 *
 * The wait status is told to a client of the user that the process had at its death, to
 * one whose opener has CAP_KILL over the process when the watch is set, and to one that watches
 * it as the owner of a table of which it may know (INFO), or as the one to whom an object is
 * bound that it may read.
 *
 * A watch belongs to the client that set it and ends with it: what is not read when it is
 * closed is lost.
 *
 * PRESENT, ABSENT and CHANGED end as soon as a key of the table is as they say, and at once if
 * it is so already; N watches of one key all end. The client gets one READY record, with the
 * key, the version of the object and the process to which it is bound: as they were when
 * that came to be, or later if many wait. What only a batch has made of a key on its way, before
 * its end, does not count. With SLEEP there is no record, and the call returns then.
 *
 * An object that has expired, or whose process is exiting, is absent, unless it lingers. If it
 * was present when the watch was set, ABSENT and CHANGED end when it is removed for that, or
 * another object takes its place, and not yet when it comes to be hidden. An object on loan is
 * absent for all waits, its borrower's as well, until the loan has ended.
 *
 * In a bag or duplicate_bag one waits for the first object of a key: PRESENT ends when there is
 * one, or at once with the version and the process of the oldest. ABSENT and CHANGED are
 * EOPNOTSUPP there.
 *
 * Who may read the table may wait for its keys. Whether the client still may is decided again
 * when the right is taken from somebody, and when the watch ends: if not, there is a GONE
 * record with the cause ACCESS in place of READY; SLEEP returns EACCES. When the table is
 * destroyed there is a GONE record with the cause of that; SLEEP returns ESTALE. A name is
 * waited for by anybody in its namespace; nothing is told but that there is such a table, or
 * none, and the record's @table and @version are 0.
 *
 * Errors: EINVAL: SLEEP, @version or @deadline_ns with a kind that has none, CHANGED of a
 * name; ESRCH: cookie 0, and it is not the caller's pid; EACCES: OWNER of a table of which
 * the caller may not know, or a key in one that it may not read; EDQUOT: watches or bytes of the
 * user, awaited keys of the table. With SLEEP: ETIMEDOUT: @deadline_ns has passed;
 * EINTR: a signal has come whose handler was set without SA_RESTART; ESTALE, EACCES: see above.
 */
struct kreg_ioc_watch {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 key_len;
	__aligned_u64 table;
	__aligned_u64 key;
	struct kreg_process process;
	__aligned_u64 version;
	__aligned_u64 udata;
	__aligned_u64 deadline_ns;
	__aligned_u64 out_id;
	struct kreg_process out_process;
	__aligned_u64 out_version;
	__u32 out_limit;
	__u32 out_reserved;
};

/* Flags of KREG_IOC_CANCEL. */
#define KREG_CANCEL_FLUSH	(1U << 0)	/* take its record back, if it is not read yet */
#define KREG_CANCEL_ALL		(KREG_CANCEL_FLUSH)

/**
 * struct kreg_ioc_cancel - ioctl(KREG_IOC_CANCEL)
 * @size: sizeof(struct kreg_ioc_cancel)
 * @flags: %KREG_CANCEL_ALL bits
 * @id: id of a watch, a place in line, a subscription or a pin of this client
 *
 * End a subscription, of which nothing more is read then; or a pin, and a scan by it that is under
 * way fails. Or end a watch: when the
 * call returns 0 there is no record of it and will be none. The same of a place in line, for
 * which ENOENT says that the table, or the key, has become the process', or is gone or not to be
 * had any more, as its record says. ENOENT says that the watch
 * had come to its end before, also if the process is dead and its death not handled
 * yet; its record may be in the mailbox, unless FLUSH is set, or have been read, also
 * by a read(2) that is under way in another thread.
 *
 * Errors: EINVAL: this client cannot have had this id yet; ENOENT: it has fired, was
 * cancelled, or its table is gone.
 */
struct kreg_ioc_cancel {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
};

/* Flags of KREG_IOC_REGISTER. */
#define KREG_REGISTER_GET	(1U << 0)	/* that it is held already is no error */
#define KREG_REGISTER_WAIT	(1U << 1)	/* stand in line, and sleep until one's turn */
#define KREG_REGISTER_STANDBY	(1U << 2)	/* stand in line, and return */
#define KREG_REGISTER_VERSION	(1U << 3)	/* in place of the object with version @version */
#define KREG_REGISTER_ALL	(KREG_REGISTER_GET | KREG_REGISTER_WAIT | \
				 KREG_REGISTER_STANDBY | KREG_REGISTER_VERSION)

/* Values of @out_how of KREG_IOC_REGISTER. */
#define KREG_REGISTERED		1	/* the process has the key now */
#define KREG_REGISTER_HELD	2	/* with GET: it was held already */
#define KREG_REGISTER_WAITS	3	/* with STANDBY: it has a place in line */

/**
 * struct kreg_ioc_register - ioctl(KREG_IOC_REGISTER)
 * @size: sizeof(struct kreg_ioc_register)
 * @flags: %KREG_REGISTER_ALL bits
 * @table: id of the table
 * @process: whom to bind the object to; zero: the caller
 * @key: pointer to the key
 * @value: pointer to the value
 * @key_len: length of the key: 1 to %KREG_MAX_KEY
 * @value_len: length of the value, up to %KREG_MAX_VALUE
 * @linger_ms: how long the object stays after the death of its process; 0: not at all
 * @reserved: must be zero
 * @version: with VERSION, which is not 0
 * @deadline_ns: with WAIT, CLOCK_MONOTONIC in nanoseconds: when to give up; if it has passed
 *	already, at once; 0: never
 * @udata: with STANDBY, comes back in the record
 * @out_process: who has the key: zero if the object that is there is bound to nobody, or to a
 *	process that the caller does not see; with the pid 0 if it is dead
 * @out_version: the version of its object
 * @out_id: of the place in line that STANDBY has taken, for CANCEL; else 0
 * @out_how: %KREG_REGISTERED, %KREG_REGISTER_HELD, %KREG_REGISTER_WAITS
 * @out_limit: with EDQUOT and ENOSPC, enum kreg_limit
 *
 * Register a process under a key: as PUT with NEW and BOUND, and in the same call told who has
 * the key if it is held already. The object of a process that is exiting holds nothing. The
 * out_ members are set to zero first, and written also with EEXIST, EALREADY and ETIMEDOUT.
 *
 * In a bag or duplicate_bag nobody has a key for himself: REGISTER adds an object to those of the
 * key, and VERSION, WAIT and STANDBY are EOPNOTSUPP. Nor are there leases (KREG_IOC_LEASE) in these
 * tables.
 *
 * With @linger_ms the object is found for so long after the death of its process, as one whose
 * process has the pid 0. Meanwhile it can be read, written and removed, and holds nothing: REGISTER
 * and PUT with BOUND, also with NEW, put another in its place, of which the EXIT of the old one is
 * told first; with VERSION only in place of the very object that was seen. PUT without BOUND
 * changes its value and nothing else. At the end of the time it is removed, and EXIT has the
 * cause EXPIRED. It counts as a bound object until it is removed.
 *
 * Another process than the caller has to be one that the client could kill: of the same real
 * user, or with CAP_KILL over it. It needs no client of its own, but a cookie, see
 * KREG_IOC_WHOIS.
 *
 * With WAIT and with STANDBY one who does not get the key at once stands in its line, which is
 * served first come, first served, when the object of the key has been deleted, and when its
 * process is *dead*: not yet when that is exiting, since its threads may still run for a moment.
 * So no two processes believe at the same time that the key is theirs, and the version of the
 * object, which only grows, tells a later holder from an earlier one. An object that was
 * registered so is not displaced by a plain REGISTER either before its process is dead, although
 * it is hidden from look-ups like any other as soon as that is exiting: then it is EEXIST, also
 * with GET, and @out_process zero. Who deletes or binds anew what another has takes it from him.
 * What lingers is served to the line at once. A plain REGISTER passes by the line. The key is the
 * process', not the thread's.
 *
 * Whether the client may write to the table, and the process is its own, is decided again at its
 * turn: who may not is told EACCES or EPERM, by STANDBY a GONE record with the cause ACCESS; if
 * the process, or the client's own, is dead ESRCH, or NOPROC; if the table is destroyed ESTALE,
 * or GONE with the cause of that. The next gets the key. Else WAIT returns when the process has
 * it; with STANDBY the call returns @out_id, and the client finds a READY record, with the cause
 * CLAIM, the key, the version of the new object and the process that has it. It may be there
 * when the call returns. After a death it comes when that has been handled, for which read(2)
 * does not wait, and SYNC does. A place ends with that, with CANCEL, and with the client; that
 * of an exiting process is passed over.
 *
 * Who sleeps in WAIT and is stopped, or frozen by its cgroup, leaves the line, since it could not
 * use the key. When it goes on, so does the call, from its start: at the end of the line, and with
 * the deadline that it had. The same after a signal whose handler was installed with SA_RESTART. A
 * process that is stopped keeps a place of STANDBY.
 *
 * All that the registration needs is set aside with the place and charged from then on: the
 * object to the table's user, and as a bound object of the client's, whose place counts as a
 * watch.
 *
 * Errors beside the general ones: EINVAL: VERSION with GET, WAIT with STANDBY, either with
 * VERSION or GET, @deadline_ns without WAIT, @udata without STANDBY; ESRCH: the process is dead,
 * exiting or unknown; EPERM: it is not the caller's; EALREADY: WAIT or STANDBY, and the process
 * has the key, or has it on loan; EEXIST: held; EBUSY: neither WAIT nor STANDBY, and an object is
 * on loan; ECANCELED: another version, or none; ETIMEDOUT: the deadline has
 * passed; ESTALE: destroyed while waiting; EINTR: a handler without SA_RESTART has run while
 * waiting; EDQUOT with %KREG_LIMIT_BOUND, %KREG_LIMIT_WATCHES, %KREG_LIMIT_AWAITED, or with
 * %KREG_LIMIT_WAITERS: %KREG_MAX_KEY_WAITERS are in line already.
 */
struct kreg_ioc_register {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	struct kreg_process process;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__u32 linger_ms;
	__u32 reserved;
	__aligned_u64 version;
	__aligned_u64 deadline_ns;
	__aligned_u64 udata;
	struct kreg_process out_process;
	__aligned_u64 out_version;
	__aligned_u64 out_id;
	__u32 out_how;
	__u32 out_limit;
};

/* Bit of a kind of events in @mask of SUBSCRIBE. */
#define KREG_SUBSCRIBE_KIND(kind)	(1U << ((kind) - KREG_EVENT_CREATE))
/* All kinds that can be asked for. */
#define KREG_SUBSCRIBE_KINDS		(((1U << 8) - 1) | KREG_SUBSCRIBE_KIND(KREG_EVENT_EXPIRED))

/* Flags of KREG_IOC_SUBSCRIBE. */
#define KREG_SUBSCRIBE_REPLAY	(1U << 0)	/* begin behind the event @after_seq */
#define KREG_SUBSCRIBE_ACK	(1U << 1)	/* writers with ACKED wait for it */
#define KREG_SUBSCRIBE_ALL	(KREG_SUBSCRIBE_REPLAY | KREG_SUBSCRIBE_ACK)

/**
 * struct kreg_ioc_subscribe - ioctl(KREG_IOC_SUBSCRIBE)
 * @size: sizeof(struct kreg_ioc_subscribe)
 * @flags: %KREG_SUBSCRIBE_ALL bits
 * @table: id of the table
 * @mask: %KREG_SUBSCRIBE_KINDS bits, one at least: which kinds of events. GONE and OVERFLOW
 *	come in any case
 * @reserved: must be zero
 * @after_seq: with REPLAY, number of the event after which to begin; else 0
 * @udata: comes back in the events
 * @out_id: of the subscription, for CANCEL; the client never gets it again
 * @out_seq: number of the last event of the table before it began
 * @out_version: version of the last write before it began
 * @out_limit: with EDQUOT, enum kreg_limit
 * @out_reserved: 0
 *
 * From now on read(2) on the client returns what happens to the table: each event of these
 * kinds exactly once, in the order of commits. Who may read the table may subscribe to it, and
 * that is decided again when an event is read: who may not any more finds GONE with the cause
 * ACCESS instead, and nothing behind it. When others get the right to read (by
 * %KREG_OPT_ACCESS or %KREG_OPT_MODE) the events until then are dropped for all; and when the
 * table comes to an owner who could not have read it by its mode, or it is private.
 *
 * The events of a table are in a ring, of %KREG_STREAM_BYTES if nobody has asked for
 * another size, and writers wait for no reader: the oldest make room for new ones. Who has
 * missed some finds one OVERFLOW in their place, and goes on with the oldest that is there.
 * Events that nobody has asked for when they happened are missed likewise: with REPLAY as
 * much as the ring has of the past is read, and OVERFLOW tells what it has not.
 *
 * For the present state and then all changes: subscribe, scan, then read, and leave out the
 * events whose version is not above that of the key as it was found.
 *
 * The first subscription makes the ring; its user is charged for it until the last has
 * ended. A subscription ends with CANCEL, its client, its process, and with GONE.
 *
 * Errors beside the general ones: EINVAL: there is no event @after_seq yet.
 */
struct kreg_ioc_subscribe {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__u32 mask;
	__u32 reserved;
	__aligned_u64 after_seq;
	__aligned_u64 udata;
	__aligned_u64 out_id;
	__aligned_u64 out_seq;
	__aligned_u64 out_version;
	__u32 out_limit;
	__u32 out_reserved;
};

/**
 * struct kreg_ioc_ack - ioctl(KREG_IOC_ACK)
 * @size: sizeof(struct kreg_ioc_ack)
 * @flags: must be zero
 * @id: id of a subscription of this client
 * @seq: number of an event, or of the last one that OVERFLOW has told
 *
 * All that the subscription was told up to @seq is handled. Who waits for that with
 * %KREG_WRITE_ACKED goes on.
 *
 * Errors: EINVAL: this client never had this id, or it has not said %KREG_SUBSCRIBE_ACK, or has
 * not been told of @seq yet; ENOENT: it has ended.
 */
struct kreg_ioc_ack {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 seq;
};

/* Flags of KREG_IOC_LEASE. */
#define KREG_LEASE_RETURN	(1U << 0)	/* give back what is on loan to the caller */
#define KREG_LEASE_VERSION	(1U << 1)	/* ECANCELED unless it has version @version */
#define KREG_LEASE_FIRST	(1U << 2)	/* the first object in @range that is not on loan */
#define KREG_LEASE_ALL		(KREG_LEASE_RETURN | KREG_LEASE_VERSION | KREG_LEASE_FIRST)

/**
 * struct kreg_ioc_lease - ioctl(KREG_IOC_LEASE)
 * @size: sizeof(struct kreg_ioc_lease)
 * @flags: %KREG_LEASE_ALL bits
 * @table: id of the table
 * @key: pointer to the key; with FIRST to room for it
 * @value: pointer to room for the value; with RETURN 0
 * @key_len: length of the key: 1 to %KREG_MAX_KEY; with FIRST of that room
 * @value_len: length of that room; with RETURN 0
 * @version: with VERSION, which is not 0
 * @lease_ms: after so many milliseconds the object is back; 0: the loan has no such end; with
 *	RETURN 0
 * @reserved: must be zero
 * @out_version: version of the object on loan, which nobody else has had on loan with this
 *	version: a fencing token; RETURN: of this write
 * @out_len: length of the value, written also with EMSGSIZE
 * @out_loans: how often it was lent since it was written, this time included
 * @out_limit: with EDQUOT and ENOSPC, enum kreg_limit
 * @out_reserved: 0
 * @range: with FIRST, which objects; else zero
 * @out_key_len: with FIRST, length of the key, written also with EMSGSIZE
 * @out_reserved2: 0
 *
 * Take an object on loan: copy its value out, and bind it to the calling process, its
 * borrower, with the sense turned round. Until the loan ends, only the borrower finds the object;
 * for all others GET, MEMBER, TAKE, SCAN and LEASE find nothing, DELETE does nothing, and PUT with
 * NEW is EEXIST, other PUT, with BOUND, too, and REGISTER EBUSY; WAIT and STANDBY of REGISTER stand
 * in line. CLEAR removes it as others.
 *
 * The loan ends with RETURN, after @lease_ms, or with the death of the borrower: when he is
 * dead, not before, whatever has killed him, and whether or not anybody has noticed. Then
 * the object is in its place again, with the value and the version that it had on loan. It ends
 * without that when the borrower removes the object, by TAKE or by DELETE with MINE, or binds it.
 * For its borrower PUT with MINE changes the value, and the loan goes on; PUT without MINE and
 * BOUND is EBUSY for him as well, and DELETE without MINE does nothing. With MINE and the
 * version of the loan a write is certain not to meet another's loan of the same object.
 *
 * Who subscribes is told of a loan as DELETE with the cause LEASE, and of its end as CREATE with
 * the cause LEASE and the version that the object has; of one that ends with the object there is
 * another DELETE, without a cause. Who waits for the key is told, too. If a write comes before the
 * death of the borrower has been handled, a PUT is told as the CREATE, and another loan as one more
 * DELETE. A line of the key is served when the object has gone, and not at the end of a loan.
 *
 * With FIRST it is the first object in the order of keys that is in @range, matches its filter,
 * and can be had on loan; those that cannot are passed over, also those that the caller has on loan
 * himself. Of several callers at once each gets another object. So an ordered table is a queue,
 * of which nothing is lost. EMSGSIZE then tells of this object what does not fit, its key or its
 * value.
 *
 * How often it was lent tells GET and MEMBER as well, until somebody who has it not on loan
 * writes it. An object on loan counts as a bound one of the borrower's user, and as an object of
 * the table. The memory that @value points to is read again by the call.
 *
 * Errors beside the general ones: EINVAL: RETURN with a value or time; FIRST with another flag, a
 * range without it; those of a range; ENODATA: nothing is there; RETURN: it is not on loan to the
 * caller; EALREADY: it is on loan to the caller; EBUSY: it is on loan to another; EOPNOTSUPP: it is
 * bound to a process, or expires; FIRST, and the table is no ordered_set; ECANCELED: another
 * version; EMSGSIZE; ESRCH: the process is exiting; EACCES: the rule of a registry; EDQUOT with
 * %KREG_LIMIT_BOUND.
 */
struct kreg_ioc_lease {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__aligned_u64 version;
	__u32 lease_ms;
	__u32 reserved;
	__aligned_u64 out_version;
	__u32 out_len;
	__u32 out_loans;
	__u32 out_limit;
	__u32 out_reserved;
	struct kreg_range range;
	__u32 out_key_len;
	__u32 out_reserved2;
};

/**
 * struct kreg_ioc_pin - ioctl(KREG_IOC_PIN)
 * @size: sizeof(struct kreg_ioc_pin)
 * @flags: must be zero
 * @table: id of the table
 * @ms: milliseconds it is to last; 0: as long as it may
 * @reserved: must be zero
 * @out_id: id of the pin, for KREG_IOC_SCAN and KREG_IOC_CANCEL
 * @out_version: version of the last write that it shows, &kreg_info.version of that moment
 * @out_ms: how long it will last at most: @ms, or the parameter max_pin_ms if that is less
 * @out_limit: with EDQUOT which limit was reached
 * @out_reserved: 0
 *
 * Keep the table readable as it is now, while it is written: a batch is in it as a whole or not at
 * all. A pin is not in the way of writers. What they replace or remove, and what they clear, stays
 * in memory for it, of each object one version at most; &kreg_info.kept_bytes tells how much that
 * is. Its own cost does not depend on the size of the table.
 *
 * It ends by KREG_IOC_CANCEL, after @out_ms, when its file is closed, and with the table. It ends
 * early if the user of this client cannot be charged for what it keeps in a table that another user
 * pays for; and all pins of a table end before a write to it is refused with %KREG_LIMIT_BYTES.
 * CANCEL of one that has ended by itself is ENOENT, and forgets it; a scan by it is ESTALE.
 *
 * Who may read the table may pin it, and reads by the pin as long as he may read the table.
 *
 * Errors beside the general ones: EDQUOT with %KREG_LIMIT_PINS: the table has %KREG_MAX_PINS, or
 * max_pin_ms is 0.
 *
 * Of ETS, safe_fixtable/2 and, in newer systems, snapshots of multiversion stores are alike.
 */
struct kreg_ioc_pin {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__u32 ms;
	__u32 reserved;
	__aligned_u64 out_id;
	__aligned_u64 out_version;
	__u32 out_ms;
	__u32 out_limit;
	__aligned_u64 out_reserved;
};

/* Flags of KREG_IOC_RENAME. */
#define KREG_RENAME_EXCHANGE	(1U << 0)	/* the names of @table and @other are exchanged */
#define KREG_RENAME_ALL		(KREG_RENAME_EXCHANGE)

/**
 * struct kreg_ioc_rename - ioctl(KREG_IOC_RENAME)
 * @size: sizeof(struct kreg_ioc_rename)
 * @flags: %KREG_RENAME_ALL bits
 * @table: id of the table
 * @other: with EXCHANGE, id of the other table; else 0
 * @name: pointer to the name that it gets; with EXCHANGE 0
 * @name_len: its length; with EXCHANGE 0
 * @reserved: must be zero
 * @out_limit: with EDQUOT which limit was reached
 * @out_reserved: 0
 *
 * Give the table another name, or a first one. With EXCHANGE each of two tables gets the name of
 * the other; if one has none, it gets that of the other, which has none then. Nobody who looks
 * for a name in the meantime finds none: he finds the one table or the other. So a table that was
 * filled without a name takes the place of another at once.
 *
 * Ids stay, and with them all that goes by them: clients that have the table open, watches,
 * subscriptions, heirs, lines. Records of a hand-over tell the name that the table has then. Who
 * waits for a name is told when it comes and when it goes; an exchange is neither.
 *
 * For the owner, and while it is parked for whoever may claim it; with %KREG_OPEN_SHARED, while it
 * is public, for whoever may write to it. Errors beside the general ones:
 * EINVAL: no name, with EXCHANGE a name, two times the same table, or two without a name; EEXIST:
 * a table has the name, be it this one; EDQUOT with a limit of the mailbox:
 * the heir's record has to be made anew, and there is no room for it meanwhile.
 *
 * This is ets:rename/2; the exchange is like RENAME_EXCHANGE of renameat2(2).
 */
struct kreg_ioc_rename {
	__u32 size;
	__u32 flags;
	__aligned_u64 table;
	__aligned_u64 other;
	__aligned_u64 name;
	__u32 name_len;
	__u32 reserved;
	__u32 out_limit;
	__u32 out_reserved;
};

/**
 * struct kreg_ioc_group - ioctl(KREG_IOC_GROUP)
 * @size: sizeof(struct kreg_ioc_group)
 * @flags: must be zero
 * @batches: pointer to an array of struct kreg_ioc_batch, each of another table
 * @count: how many, 1 to %KREG_MAX_GROUP
 * @batch_size: distance of two batches in bytes, which is the size of each: sizeof(struct
 *	kreg_ioc_batch), a multiple of 8
 * @out_failed: index of the batch that is to blame; @count if none is
 * @out_limit: with EDQUOT and ENOSPC, enum kreg_limit
 *
 * Batches of writes to several tables that all are done, or none. Each is as one with ATOMIC, which
 * may be said; their conditions are about what was there before the group. They have at most
 * %KREG_MAX_GROUP_OPS operations and %KREG_MAX_GROUP_BYTES of keys and values together, and as many
 * bytes of values that EDIT finds and makes, else EFBIG.
 *
 * Nobody finds some of it done and writes in between, and no death comes in between. They are
 * committed in their order, one right after the other: who looks into two tables, one after the
 * other, and finds what a batch has done, finds in the next look what those before it have.
 *
 * The tables have the same writer of the module (parameter writers; %KREG_OPEN_BESIDE), else EXDEV.
 *
 * Errors are those of KREG_IOC_BATCH with ATOMIC; @out_done of the batch to blame is the index of
 * the operation, or their count if none is. EINVAL: a table is in it twice; a batch of reads;
 * EOPNOTSUPP: a flag; EFBIG: too much of it.
 */
struct kreg_ioc_group {
	__u32 size;
	__u32 flags;
	__aligned_u64 batches;
	__u32 count;
	__u32 batch_size;
	__u32 out_failed;
	__u32 out_limit;
};

/* Command numbers. */
enum {
	KREG_CMD_QUERY = 0,
	KREG_CMD_WHOIS,
	KREG_CMD_OPEN,
	KREG_CMD_DESTROY,
	KREG_CMD_GIVE,
	KREG_CMD_SETOPT,
	KREG_CMD_OP,
	KREG_CMD_BATCH,
	KREG_CMD_SYNC,
	KREG_CMD_SCAN,
	KREG_CMD_INFO,
	KREG_CMD_LIST,
	KREG_CMD_WATCH,
	KREG_CMD_CANCEL,
	KREG_CMD_REGISTER,
	KREG_CMD_SUBSCRIBE,
	KREG_CMD_ACK,
	KREG_CMD_LEASE,
	KREG_CMD_PIN,
	KREG_CMD_RENAME,
	KREG_CMD_CHANGE,
	KREG_CMD_GROUP
};

#define KREG_IOC_QUERY		_IOWR(KREG_IOC_MAGIC, KREG_CMD_QUERY, struct kreg_ioc_query)
#define KREG_IOC_WHOIS		_IOWR(KREG_IOC_MAGIC, KREG_CMD_WHOIS, struct kreg_ioc_whois)
#define KREG_IOC_OPEN		_IOC(_IOC_READ | _IOC_WRITE, KREG_IOC_MAGIC, KREG_CMD_OPEN, \
				     KREG_OPEN_SIZE)
#define KREG_IOC_DESTROY	_IOW(KREG_IOC_MAGIC, KREG_CMD_DESTROY, struct kreg_ioc_table)
#define KREG_IOC_GIVE		_IOWR(KREG_IOC_MAGIC, KREG_CMD_GIVE, struct kreg_ioc_give)
#define KREG_IOC_SETOPT		_IOWR(KREG_IOC_MAGIC, KREG_CMD_SETOPT, struct kreg_ioc_setopt)
#define KREG_IOC_OP		_IOWR(KREG_IOC_MAGIC, KREG_CMD_OP, struct kreg_ioc_op)
#define KREG_IOC_BATCH		_IOWR(KREG_IOC_MAGIC, KREG_CMD_BATCH, struct kreg_ioc_batch)
#define KREG_IOC_SYNC		_IOWR(KREG_IOC_MAGIC, KREG_CMD_SYNC, struct kreg_ioc_sync)
#define KREG_IOC_SCAN		_IOWR(KREG_IOC_MAGIC, KREG_CMD_SCAN, struct kreg_ioc_scan)
#define KREG_IOC_INFO		_IOW(KREG_IOC_MAGIC, KREG_CMD_INFO, struct kreg_ioc_info)
#define KREG_IOC_LIST		_IOWR(KREG_IOC_MAGIC, KREG_CMD_LIST, struct kreg_ioc_list)
#define KREG_IOC_WATCH		_IOWR(KREG_IOC_MAGIC, KREG_CMD_WATCH, struct kreg_ioc_watch)
#define KREG_IOC_CANCEL		_IOW(KREG_IOC_MAGIC, KREG_CMD_CANCEL, struct kreg_ioc_cancel)
#define KREG_IOC_REGISTER	_IOWR(KREG_IOC_MAGIC, KREG_CMD_REGISTER, struct kreg_ioc_register)
#define KREG_IOC_SUBSCRIBE	_IOWR(KREG_IOC_MAGIC, KREG_CMD_SUBSCRIBE, struct kreg_ioc_subscribe)
#define KREG_IOC_ACK		_IOW(KREG_IOC_MAGIC, KREG_CMD_ACK, struct kreg_ioc_ack)
#define KREG_IOC_LEASE		_IOWR(KREG_IOC_MAGIC, KREG_CMD_LEASE, struct kreg_ioc_lease)
#define KREG_IOC_PIN		_IOWR(KREG_IOC_MAGIC, KREG_CMD_PIN, struct kreg_ioc_pin)
#define KREG_IOC_RENAME		_IOWR(KREG_IOC_MAGIC, KREG_CMD_RENAME, struct kreg_ioc_rename)
#define KREG_IOC_CHANGE		_IOWR(KREG_IOC_MAGIC, KREG_CMD_CHANGE, struct kreg_ioc_change)
#define KREG_IOC_GROUP		_IOWR(KREG_IOC_MAGIC, KREG_CMD_GROUP, struct kreg_ioc_group)

/**
 * DOC: Mailbox
 *
 * read(2) on a client returns as many whole records as fit, oldest first. A
 * buffer shorter than the first record is EMSGSIZE and loses nothing. Without a
 * record read(2) waits, or fails with EAGAIN under O_NONBLOCK; it fails with EINTR
 * only if a handler without SA_RESTART has run. poll(2) and epoll(7) tell of records
 * by POLLIN, each client of its own; of several that wait with EPOLLEXCLUSIVE for one
 * client at least one is woken. What the subscriptions of the client have comes behind
 * what is in the mailbox, some events of each in turns.
 *
 * No record of the mailbox is ever dropped: its room is set aside when the heir is
 * named, the table is given, the watch is set or the place in line taken. DOWN and READY records
 * come to the client that has set the watch, and what STANDBY brings to the one that stands by.
 * Other TRANSFER records go to the first client of the process that is of
 * the user to whom the table was promised. When that one is closed, what was not read
 * goes to the next of this user; without one it is lost, and so are the heirships of
 * the process under this user. If execve(2) has closed it, and the program runs under
 * the same user, both are kept for the next client that it opens for reading and
 * writing.
 */

/* Kinds of records. */
enum kreg_event_kind {
	KREG_EVENT_TRANSFER = 1,	/* this process has become the owner of a table */
	KREG_EVENT_DOWN = 2,		/* who was watched is dead */
	KREG_EVENT_READY = 3,		/* what was waited for has come */
	/* Of subscriptions: */
	KREG_EVENT_CREATE = 16,		/* the table has a new object */
	KREG_EVENT_UPDATE = 17,		/* an object was replaced */
	KREG_EVENT_DELETE = 18,		/* an object was removed */
	KREG_EVENT_EXIT = 19,		/* it went with the process it was bound to, or after it */
	KREG_EVENT_CLEAR = 20,		/* all objects were removed, and there were some */
	KREG_EVENT_OWNER = 21,		/* the table has another owner */
	KREG_EVENT_GONE = 22,		/* the table is destroyed, or may not be read any more; */
					/* or not be claimed or written, by who stood in line */
	KREG_EVENT_USER = 23,		/* somebody who may write has said so, by PUBLISH */
	KREG_EVENT_OVERFLOW = 24,	/* events were lost */
	KREG_EVENT_EXPIRED = 25		/* an object has expired, and is removed */
};

/* Why. */
enum kreg_cause {
	KREG_CAUSE_GIFT = 1,		/* TRANSFER: @process gave the table away; OWNER: the old */
					/* one gave it away, or parked it */
	KREG_CAUSE_DEATH = 2,		/* TRANSFER, DOWN, EXIT: @process died; OWNER, GONE: */
					/* the owner did */
	KREG_CAUSE_CLAIM = 3,		/* OWNER: the new one has claimed it; TRANSFER and READY: */
					/* its place in line has come to be the first */
	KREG_CAUSE_NOPROC = 4,		/* DOWN: it was dead or not there when it was watched; */
					/* GONE: the one that was to have the key is dead */
	KREG_CAUSE_LIMIT = 6,		/* OWNER: the old one died, one too many: quarantined */
	/* Of GONE, which has none if the table was destroyed by a call, of EXIT and EXPIRED: */
	KREG_CAUSE_EXPIRED = 5,		/* parked for too long; EXIT: it has lingered; EXPIRED */
	KREG_CAUSE_ACCESS = 7,		/* who is told may not read it, claim it or write to it */
	KREG_CAUSE_LEASE = 8,		/* DELETE: it is on loan to @process; CREATE: it is back */
	KREG_CAUSE_SCHEMA = 9		/* of a place in line: the table has another schema */
};

#define KREG_EVENT_STATUS	(1U << 0)	/* @status is known */
#define KREG_EVENT_CUT		(1U << 1)	/* the value is not there, only its length */

/**
 * struct kreg_event - record of a mailbox, or event of a subscription
 * @size: bytes from here to the next record, a multiple of 8
 * @kind: enum kreg_event_kind; skip those that you do not know
 * @flags: %KREG_EVENT_STATUS, %KREG_EVENT_CUT
 * @seq: number of the record in this mailbox, from 1, without gaps but for those that CANCEL has
 *	taken back; of a subscription: of the event, growing, with gaps where others happened
 *	that were not asked for; OVERFLOW: of the first that may be lost; GONE: of the first
 *	that there is not
 * @time_ns: when it was published, CLOCK_MONOTONIC in nanoseconds
 * @table: id of the table; DOWN: of the one whose owner or object is watched; 0: none
 * @process: as its pid was in the namespace of the client. TRANSFER: the former owner; DOWN:
 *	who died; zero: the table had no owner, or was not there; OWNER: the new one; zero:
 *	none; CREATE, UPDATE, EXIT and READY: to whom the object is or was bound; READY: with
 *	the pid 0 if it lingers; DELETE with %KREG_OP_MINE: whose it was
 * @cause: enum kreg_cause
 * @status: wait status of @process, with OWNER of the former owner, as in waitpid(2): exit
 *	code, signal, core
 * @key_len: length of the key, which follows this struct; TRANSFER, and GONE of a place in line
 *	of a table: of the table's name; DOWN, READY, and GONE of a wait or of a place in line of a
 *	key: of the name or key that was given to WATCH or REGISTER
 * @value_len: length of the value, which follows the key; TRANSFER: of the data that the
 *	heir was named or the table given with; OWNER: the value is the &struct kreg_process
 *	of the former owner, or zero
 * @id: of the watch, place in line or subscription that this comes from; 0: none
 * @udata: what that was asked for with
 * @version: TRANSFER: how often the owner of the table has changed; OVERFLOW: number of the
 *	last event that may be lost; READY: of the object, 0 if it is absent; GONE of a wait, or
 *	of a place in line of a key: 0;
 *	else of the last write
 *
 * The padding after the value is zero. This struct does not grow: a later kernel puts
 * what it adds behind the value, within @size.
 */
struct kreg_event {
	__u32 size;
	__u16 kind;
	__u16 flags;
	__aligned_u64 seq;
	__aligned_u64 time_ns;
	__aligned_u64 table;
	struct kreg_process process;
	__u32 cause;
	__s32 status;
	__u32 key_len;
	__u32 value_len;
	__aligned_u64 id;
	__aligned_u64 udata;
	__aligned_u64 version;
};

#endif /* _UAPI_LINUX_KREG_H */

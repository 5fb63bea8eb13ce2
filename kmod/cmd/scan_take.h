/* SPDX-License-Identifier: GPL-2.0 */
/* How objects get into the buffer of the caller: between what asks for them and the walks. */
#ifndef KREG_CMD_SCAN_TAKE_H
#define KREG_CMD_SCAN_TAKE_H

#include <linux/kreg.h>

#include "cmd/range.h"
#include "store/store.h"

struct kreg_blob;
struct kreg_client;
struct kreg_collected;
struct kreg_pin;
struct kreg_proc;
struct kreg_snapshot;

struct kreg_scan {
	struct kreg_client *client;
	struct kreg_ioc_scan *arg;
	void __user *buf;
	bool wants_value;
	u32 tail;			/* bytes at the end of each object */
	bool only;			/* what is bound to @of, */
	struct kreg_proc *of;		/* a reference; NULL: it is forgotten, and has nothing */
	struct kreg_snapshot *snapshot;	/* a reference, or NULL: as the table is */
	const struct kreg_pin *pin;	/* of that */
	struct kreg_collected *collected;	/* for what @of has; NULL: only by a walk */
	struct kreg_bounds *bounds;	/* NULL: all objects, forwards, and not only how many */
	bool measures;			/* objects are counted and measured, and not put anywhere */
	bool asks;			/* when the first of what is met expires; */
	bool uses;			/* and that counts as looked up */
	u64 expires;			/* that moment, on the coarse clock, or KREG_NEVER */
	bool whole;			/* all of them as of one commit, */
	u64 version;			/* this one; 0: that of the first section */
	u32 count;			/* objects taken, and bytes of them */
	u32 len;
	u64 taken_version;		/* where keys have runs, of the one taken last, or 0 */
	u32 taken_sub;
	u32 need;			/* bytes of the object that did not fit */
	u32 fault;			/* of the one that met a page that was not there */
	/* Of this section: */
	bool runs;			/* a key may have several objects */
	u32 start;			/* @len at its begin */
	u32 max_count;			/* what @count and @len may come to in it */
	u32 max_len;
	u32 hidden;			/* objects passed over in it */
	const void *last_key;		/* of the object before the next, valid inside it */
	u32 last_len;
	u64 last_version;		/* where keys have runs, its place in one */
	u32 last_sub;
	struct kreg_blob *blob;		/* holds the value of that object, which is to come */
	u32 blob_len;
	struct kreg_after after;	/* where the next section goes on */
	u8 key[KREG_MAX_KEY];
};

/*
 * Sleeps. Take what there is room for, from s->after on. -EMSGSIZE: there is none for the first
 * object; its size is in @out_len then. Whoever wants all as of one commit has to be able to begin
 * again: -EAGAIN says that some of it may be gone.
 */
int kreg_scan_run(struct kreg_scan *s);

#endif /* KREG_CMD_SCAN_TAKE_H */

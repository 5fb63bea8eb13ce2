/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which keys a scan is for. In a table that is in the order of keys the walk goes from one end
 * of the range to the other; in another one it meets all keys, and those outside are passed over.
 */
#ifndef KREG_CMD_RANGE_H
#define KREG_CMD_RANGE_H

#include <linux/kreg.h>
#include <linux/types.h>

#include "filter/filter.h"
#include "store/store.h"

/* The range as a walk needs it: a prefix is one that ends before what comes behind it. */
struct kreg_bounds {
	struct kreg_key low;		/* of length 0: there is none */
	struct kreg_key high;		/* likewise */
	bool low_open;			/* not the key itself */
	bool high_open;
	bool exact;			/* only @low */
	bool reverse;
	struct kreg_filter *filter;	/* which objects of these; NULL: all */
	u8 bytes[];			/* of both keys */
};

/* Behind which object a walk goes on; before it, if it goes backwards. */
struct kreg_after {
	struct kreg_key key;		/* of length 0: from the end at which it begins */
	u64 version;			/* of one of several with the key; 0: behind all of them */
	u32 sub;
};

/* Records that no reader sees, of which a walk passes over so many in one RCU section. */
#define KREG_SECTION_PASSED	1024U

enum kreg_range_step {
	KREG_RANGE_END,			/* there is no other object */
	KREG_RANGE_PAUSE,		/* enough were looked at in one RCU section */
	KREG_RANGE_FOUND,
};

struct kreg_range_walk {
	struct kreg_walk walk;
	const struct kreg_store *store;
	const struct kreg_bounds *bounds;
	const struct kreg_filter *filter;
	u32 looks;			/* so many more in this RCU section */
	bool reverse;
	bool ordered;
	bool one;			/* there is one object at most */
	bool all;			/* no object is outside */
	bool done;
};

/* Any. Does it say what this kernel does not know? */
bool kreg_range_is_unknown(const struct kreg_range *r);
/* Any. Does it contradict itself? */
bool kreg_range_is_wrong(const struct kreg_range *r);
/* Any. Is one of its keys too long? */
bool kreg_range_is_long(const struct kreg_range *r);

/* Sleeps. Where a range goes on; @key gets the key, up to KREG_MAX_KEY bytes. -EFAULT. */
int kreg_after_get(struct kreg_after *after, const struct kreg_range *r, u8 *key);
/*
 * Sleeps. The bounds of a range that has been checked, and its filter. ERR_PTR(): -ENOMEM, -EFAULT,
 * -EINVAL if @after does not go with it; as kreg_terms_get().
 */
struct kreg_bounds *kreg_bounds_get(const struct kreg_range *r, bool reverse,
				    const struct kreg_key *after);
/* Sleeps. NULL is allowed. */
void kreg_bounds_free(struct kreg_bounds *b);

/* RCU. A walk that has been initialised starts, forwards, behind @after. */
void kreg_after_seek(struct kreg_walk *w, struct kreg_after *after);

/*
 * RCU. To the first object of the range behind @after, or before it if it goes backwards, which
 * only an ordered store can; of length 0: from the end at which it begins. @pin: as of which
 * commit, or NULL.
 */
void kreg_range_start(struct kreg_range_walk *w, const struct kreg_store *s,
		      const struct kreg_pin *pin, const struct kreg_bounds *b,
		      struct kreg_after *after);
/*
 * RCU. Find the next object that is in the range and that the filter is for. @hit is also the last
 * that was looked at, behind which the next section goes on after a pause.
 */
enum kreg_range_step kreg_range_next(struct kreg_range_walk *w, struct kreg_hit *hit);

#endif /* KREG_CMD_RANGE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What the files share that hold the invariants of a store, in debug builds: see verify.c. */
#ifndef KREG_STORE_VERIFY_H
#define KREG_STORE_VERIFY_H

#include <linux/types.h>

#include "store/internal.h"

/* What a pass over the list finds. */
struct kreg_verify {
	u64 objects;
	u64 bytes;
	u64 bound;
	u64 timed;
	u64 dead;
	u32 marks;
};

/* Turn. Invariant 7: flags, lengths and the class of the slot agree, padding is zero. */
bool kreg_verify_record(struct kreg_store *s, u32 ref, const struct kreg_rec *r);
/* Turn. Invariant 2; @found is told of @r. */
bool kreg_verify_versions(struct kreg_store *s, const struct kreg_rec *r,
			  struct kreg_verify *found);
/* Turn. An ordered list and its tree, from end to end, and what is spare. */
bool kreg_verify_ordered(struct kreg_store *s, struct kreg_verify *found);

/* Turn. Invariant 11: what was kept for pins. */
bool kreg_verify_pins(const struct kreg_store *s);

#endif /* KREG_STORE_VERIFY_H */

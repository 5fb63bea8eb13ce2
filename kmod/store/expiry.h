/* SPDX-License-Identifier: GPL-2.0 */
/* When objects expire: see wheel.c. */
#ifndef KREG_STORE_EXPIRY_H
#define KREG_STORE_EXPIRY_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "store/layout.h"
#include "store/store.h"

/* When an object expires; and with @idle_ms also when it was idle for so long. */
struct kreg_expiry {
	u64 expires;			/* on the coarse clock, or KREG_NEVER */
	u32 idle_ms;
};

/*
 * Any. Now, on the clock by which objects expire: that of the last tick, for all processors. And
 * whether @r, which is timed, has expired by then.
 */
u64 kreg_expiry_now(void);
bool kreg_expiry_is_over(const struct kreg_rec *r, u64 now);
/* Turn, or RCU. When @r, which is timed, is past its time, if nobody looks it up until then. */
u64 kreg_expiry_deadline(const struct kreg_rec *r);
/* Turn. When there may be something for kreg_txn_remove_expired() to do; KREG_NEVER. */
u64 kreg_expiry_next(const struct kreg_store *s);

/* Any. Whether @r, or none, has expired by now; most do not expire. */
bool kreg_expiry_is_past(const struct kreg_rec *r);
static inline bool kreg_rec_has_expired(const struct kreg_rec *r)
{
	return r && unlikely(kreg_rec_is_timed(r)) && kreg_expiry_is_past(r);
}

/* RCU. What was said when it was put. */
void kreg_hit_expiry(const struct kreg_hit *hit, struct kreg_expiry *expiry);

#endif /* KREG_STORE_EXPIRY_H */

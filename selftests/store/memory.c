// SPDX-License-Identifier: GPL-2.0
/* Memory for a store, with the odd failure on the way; and how it comes back. */
#include "model.h"

void memory_bring(struct kreg_prealloc *f)
{
	int err;

	spin_unlock(&turn);
	shim_fail_in = rnd(8) ? 0 : 1 + rnd(4);
	err = kreg_prealloc_fill(f, &store);
	shim_fail_in = 0;
	if (err)
		tap_check(err == -ENOMEM && !kreg_prealloc_fill(f, &store));
	spin_lock(&turn);
}

/* Upkeep until there is nothing left for it; to take marks off an ordered list it needs memory. */
void memory_drain(void)
{
	bool more;

	do {
		struct kreg_prealloc f = {};

		kreg_store_begin_hold(&store);
		more = kreg_store_upkeep(&store, 64, &f) || kreg_store_has_limbo(&store) ||
		       f.must_chunks;
		if (f.must_chunks) {
			memory_bring(&f);
			kreg_store_add_prealloc(&store, &f);
		}
		kreg_prealloc_free(&f);
	} while (more);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/sched.h>

#include "client/client.h"
#include "client/handle.h"
#include "store/gfp.h"

/*
 * An id is a serial number, which is never used again, above the number of a slot, which
 * is: so the array stays as small as what is in it.
 */
#define SLOT_BITS	24

static u32 slot_of(u64 id)
{
	return id & ((1U << SLOT_BITS) - 1);
}

int kreg_handle_add(struct kreg_client *cl, struct kreg_handle *h)
{
	u32 slot;
	int err;

	h->client = cl;
	h->id = 0;
	err = xa_alloc(&cl->handles, &slot, h, XA_LIMIT(0, slot_of(~0ULL)), KREG_GFP_USER);
	if (err)
		return err == -EBUSY ? -ENOMEM : err;
	/* Until now no id finds it. */
	WRITE_ONCE(h->id, atomic64_inc_return(&cl->last_handle) << SLOT_BITS | slot);
	return 0;
}

void kreg_handle_remove(struct kreg_handle *h)
{
	xa_erase(&h->client->handles, slot_of(h->id));
}

static struct kreg_handle *find_handle(struct kreg_client *cl, u64 id)
{
	struct kreg_handle *h = xa_load(&cl->handles, slot_of(id));

	lockdep_assert_held(&cl->reading);
	return h && READ_ONCE(h->id) == id ? h : NULL;
}

/* Handles end under client->reading, so one that is found stays until that is given up. */
int kreg_handle_cancel(struct kreg_client *cl, u64 id, bool flush)
{
	u64 serial = id >> SLOT_BITS;
	struct kreg_handle *h;
	int err;

	if (!serial || serial > atomic64_read(&cl->last_handle))
		return -EINVAL;
	if (mutex_lock_killable(&cl->reading))
		return -EINTR;
	h = find_handle(cl, id);
	err = h ? h->ops->cancel(h, flush) : -ENOENT;
	mutex_unlock(&cl->reading);
	return err;
}

void kreg_handle_end_all(struct kreg_client *cl)
{
	struct kreg_handle *h;
	unsigned long id;

	xa_for_each(&cl->handles, id, h) {
		h->ops->end(h);
		cond_resched();
	}
}

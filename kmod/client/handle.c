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

/* In slots that are reserved: it has no id. An empty entry would cost a node each time. */
static struct kreg_handle reserved;

int kreg_handle_reserve(struct kreg_client *cl, struct kreg_handle *h)
{
	u32 slot;
	int err;

	h->client = cl;
	err = xa_alloc(&cl->handles, &slot, &reserved, XA_LIMIT(0, slot_of(~0ULL)),
		       KREG_GFP_USER);
	if (err)
		return err == -EBUSY ? -ENOMEM : err;
	h->id = atomic64_inc_return(&cl->last_handle) << SLOT_BITS | slot;
	return 0;
}

/* The slot is there, so that nothing is allocated. */
void kreg_handle_publish(struct kreg_handle *h)
{
	xa_store(&h->client->handles, slot_of(h->id), h, 0);
}

void kreg_handle_remove(struct kreg_handle *h)
{
	xa_erase(&h->client->handles, slot_of(h->id));
}

/* Handles end under client->reading, so one that is found stays until that is given up. */
struct kreg_handle *kreg_handle_find(struct kreg_client *cl, u64 id)
{
	u64 serial = id >> SLOT_BITS;
	struct kreg_handle *h;

	lockdep_assert_held(&cl->reading);
	if (!serial || serial > atomic64_read(&cl->last_handle))
		return ERR_PTR(-EINVAL);
	h = xa_load(&cl->handles, slot_of(id));
	return h && h->id == id ? h : ERR_PTR(-ENOENT);
}

int kreg_handle_cancel(struct kreg_client *cl, u64 id, bool flush)
{
	struct kreg_handle *h;
	int err;

	if (mutex_lock_killable(&cl->reading))
		return -EINTR;
	h = kreg_handle_find(cl, id);
	err = IS_ERR(h) ? PTR_ERR(h) : h->ops->cancel(h, flush);
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

// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/sched.h>

#include "client/client.h"
#include "client/handle.h"
#include "store/gfp.h"

int kreg_handle_add(struct kreg_client *cl, struct kreg_handle *h)
{
	h->client = cl;
	h->id = atomic64_inc_return(&cl->last_handle);
	return xa_err(xa_store(&cl->handles, h->id, h, KREG_GFP_USER));
}

void kreg_handle_remove(struct kreg_handle *h)
{
	xa_erase(&h->client->handles, h->id);
}

/* Handles end under client->reading, so one that is found stays until that is given up. */
int kreg_handle_cancel(struct kreg_client *cl, u64 id, bool flush)
{
	struct kreg_handle *h;
	int err;

	if (!id || id > atomic64_read(&cl->last_handle))
		return -EINVAL;
	if (mutex_lock_killable(&cl->reading))
		return -EINTR;
	h = xa_load(&cl->handles, id);
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

// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: What a snapshot costs
 *
 * The memory that a snapshot keeps belongs to its table, and is charged to the user of that as all
 * of it is. So that nobody uses up what another may have, the client's user is charged for it as
 * well, if he is another one, in pieces and before long; what he cannot be charged for is not kept,
 * and the snapshot ends. And no write fails for the sake of a snapshot: those of its table end
 * first.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/math.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/user.h"
#include "store/gfp.h"
#include "table/snapshot.h"
#include "table/table.h"

/* It is charged in pieces of so many bytes. */
#define PIECE	SZ_64K

static struct kreg_snapshot *snapshot_of(struct kreg_pin *pin)
{
	return container_of(pin, struct kreg_snapshot, pin);
}

static struct kreg_user *payer_of(const struct kreg_snapshot *snap)
{
	return snap->handle.client->user;
}

/* Turn. False: it has ended before, or has not started. */
static bool end_snapshot(struct kreg_snapshot *snap)
{
	struct kreg_table *t = snap->table;

	kreg_writer_assert(snap->writer);
	if (!t)
		return false;
	kreg_pin_end(&t->store, &snap->pin);
	kreg_user_uncharge(payer_of(snap), KREG_QUOTA_BYTES, snap->paid);
	snap->paid = 0;
	snap->table = NULL;
	if (!t->dead && kreg_store_has_limbo(&t->store)) {
		kreg_writer_add_upkeep(t->writer, &t->upkeep);
		kreg_table_note_garbage(t);
	}
	return true;
}

static bool end_under_turn(struct kreg_snapshot *snap)
{
	bool was;

	spin_lock(&snap->writer->turn);
	was = end_snapshot(snap);
	spin_unlock(&snap->writer->turn);
	return was;
}

static void time_is_over(struct work_struct *work)
{
	end_under_turn(container_of(to_delayed_work(work), struct kreg_snapshot, timer));
}

/* Under client->reading, or when nobody uses the client. */
static bool drop_handle(struct kreg_handle *h)
{
	struct kreg_snapshot *snap = container_of(h, struct kreg_snapshot, handle);
	bool was;

	cancel_delayed_work_sync(&snap->timer);
	was = end_under_turn(snap);
	kreg_handle_remove(h);
	kreg_snapshot_put(snap);
	return was;
}

static int cancel_handle(struct kreg_handle *h, bool flush)
{
	return drop_handle(h) ? 0 : -ENOENT;
}

static void end_handle(struct kreg_handle *h)
{
	drop_handle(h);
}

static const struct kreg_handle_ops snapshot_ops = {
	.cancel = cancel_handle,
	.end = end_handle,
};

struct kreg_snapshot *kreg_snapshot_alloc(struct kreg_client *cl)
{
	struct kreg_snapshot *snap = kzalloc(sizeof(*snap), KREG_GFP_USER);
	int err;

	if (!snap)
		return ERR_PTR(-ENOMEM);
	refcount_set(&snap->refs, 1);
	INIT_DELAYED_WORK(&snap->timer, time_is_over);
	snap->handle.ops = &snapshot_ops;
	err = kreg_user_charge(cl->user, KREG_QUOTA_BYTES, sizeof(*snap));
	if (err)
		goto free;
	err = kreg_handle_reserve(cl, &snap->handle);
	if (err)
		goto uncharge;
	return snap;

uncharge:
	kreg_user_uncharge(cl->user, KREG_QUOTA_BYTES, sizeof(*snap));
free:
	kfree(snap);
	return ERR_PTR(err);
}

void kreg_snapshot_put(struct kreg_snapshot *snap)
{
	if (!snap || !refcount_dec_and_test(&snap->refs))
		return;
	/* It has no table: nobody has learned of its id. */
	if (!snap->writer)
		kreg_handle_remove(&snap->handle);
	kreg_user_uncharge(payer_of(snap), KREG_QUOTA_BYTES, sizeof(*snap));
	kfree(snap);
}

int kreg_snapshot_start(struct kreg_snapshot *snap, struct kreg_table *t, u64 ms)
{
	kreg_table_assert(t);
	if (kreg_pin_count(&t->store) >= KREG_MAX_PINS)
		return kreg_over_limit(KREG_LIMIT_PINS);
	snap->table_id = t->id;
	snap->writer = t->writer;
	snap->since = ktime_get();
	snap->table = t;
	snap->pin.allowed = payer_of(snap) == t->user ? U64_MAX : 0;
	kreg_pin_set(&t->store, &snap->pin);
	kreg_handle_publish(&snap->handle);
	queue_delayed_work(system_unbound_wq, &snap->timer,
			   min_t(u64, msecs_to_jiffies(min_t(u64, ms, UINT_MAX)) + 1,
				 MAX_JIFFY_OFFSET));
	return 0;
}

struct kreg_snapshot *kreg_snapshot_get(struct kreg_client *cl, u64 id, u64 table)
{
	struct kreg_snapshot *snap;
	struct kreg_handle *h;

	if (mutex_lock_killable(&cl->reading))
		return ERR_PTR(-EINTR);
	h = kreg_handle_find(cl, id);
	if (h == ERR_PTR(-ENOENT))
		h = ERR_PTR(-ESTALE);
	else if (!IS_ERR(h) && h->ops != &snapshot_ops)
		h = ERR_PTR(-EINVAL);
	snap = IS_ERR(h) ? ERR_CAST(h) : container_of(h, struct kreg_snapshot, handle);
	if (!IS_ERR(snap) && snap->table_id != table)
		snap = ERR_PTR(-EINVAL);
	if (!IS_ERR(snap))
		refcount_inc(&snap->refs);
	mutex_unlock(&cl->reading);
	return snap;
}

const struct kreg_snapshot *kreg_snapshot_first(const struct kreg_table *t)
{
	struct kreg_pin *pin;

	kreg_table_assert(t);
	pin = kreg_pin_first(&t->store);
	return pin ? snapshot_of(pin) : NULL;
}

void kreg_snapshot_end_all(struct kreg_table *t)
{
	struct kreg_pin *pin;

	kreg_table_assert(t);
	while ((pin = kreg_pin_first(&t->store)))
		end_snapshot(snapshot_of(pin));
}

static int pay_more(struct kreg_snapshot *snap)
{
	s64 more = round_up(snap->pin.bytes - snap->paid, PIECE);
	int err = kreg_user_charge(payer_of(snap), KREG_QUOTA_BYTES, more);

	if (err)
		return err;
	snap->paid += more;
	snap->pin.allowed = snap->paid;
	return 0;
}

void kreg_snapshot_pay(struct kreg_table *t)
{
	struct kreg_pin *pin, *next;

	kreg_table_assert(t);
	kreg_pin_clear_due(&t->store);
	for (pin = kreg_pin_first(&t->store); pin; pin = next) {
		next = kreg_pin_next(&t->store, pin);
		if (pin->bytes > pin->allowed && pay_more(snapshot_of(pin)))
			end_snapshot(snapshot_of(pin));
	}
}

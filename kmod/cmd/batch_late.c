// SPDX-License-Identifier: GPL-2.0
/*
 * Batches with operations that look at what is there: EDIT, and those with VALUE, KEEP and MORE.
 *
 * Which slot such a PUT or EDIT needs is known under the turn, when it is known what is there. So
 * before the batch changes anything it is gone through, and each gets a slot of those that the
 * store has; and, if the batch is atomic, its value, after which it is a PUT as others are and
 * cannot fail. What an EDIT works on is what the operations before it in the batch leave, which are
 * looked at in their slots; all other conditions are about what was there before the batch. Where
 * the store is short, the batch is given up, and begun anew when its caller has brought memory. So
 * until it is applied it keeps its conditions.
 *
 * A batch that is not atomic decides all of that when it is applied; its slots are those that are
 * needed if all goes well, and few need another one then.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "client/limits.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/looks.h"
#include "store/copy.h"
#include "store/edit.h"
#include "store/reader.h"
#include "store/write.h"
#include "table/change.h"
#include "table/table.h"

/* Bytes of values that are copied and compared in one hold of the turn. */
#define LOOK_BYTES	(KREG_TURN_BYTES / 2)

/* What an operation finds, in the table or in the slot of one before it. */
struct found {
	bool there;
	bool blob;
	u8 timed;			/* as kreg_change.timed */
	u32 len;
	const void *value;		/* not of a blob */
	struct kreg_expiry expiry;	/* with @timed */
};

static struct kreg_look *look_of(const struct kreg_batch *b, const struct kreg_batch_op *op)
{
	return kreg_look_at(b->looks, op - b->ops);
}

/* Whether it has come to something, as far as is known while the batch is looked through. */
static bool has_effect(const struct kreg_batch_op *op)
{
	return !op->error && !(op->late && !op->change.rec);
}

/* The write before @op in the batch that says what is there for it, or NULL. */
static const struct kreg_batch_op *find_before(const struct kreg_batch *b,
					       const struct kreg_batch_op *op)
{
	u32 i = op - b->ops;

	do {
		i = b->looks->at[i].before;
		if (!i)
			return NULL;
		i--;
	} while (!has_effect(&b->ops[i]));
	return &b->ops[i];
}

static void look_at_old(const struct kreg_change *c, const struct kreg_place *place,
			struct found *found)
{
	const struct kreg_rec *old = c->gone ? NULL : place->old;
	const struct kreg_rec_expiry *e;

	*found = (struct found) { .there = old };
	if (!old)
		return;
	found->len = kreg_rec_value_len(old);
	found->blob = kreg_rec_has_blob(old);
	found->value = old->bytes + kreg_rec_key_len(old);
	if (likely(!kreg_rec_is_timed(old)))
		return;
	e = kreg_rec_expiry(old);
	found->timed = old->lens & KREG_REC_IDLE ? KREG_TIMED_IDLE : KREG_TIMED;
	found->expiry.expires = e->expires;
	found->expiry.idle_ms = found->timed == KREG_TIMED_IDLE ? e->idle_ms : 0;
}

/* What an operation before leaves: a DELETE nothing, also where it finds nothing to remove. */
static void look_at_before(const struct kreg_batch *b, const struct kreg_batch_op *op,
			   struct found *found)
{
	const struct kreg_change *c = &op->change;

	*found = (struct found) { .there = c->kind == KREG_CHANGE_PUT };
	if (!found->there)
		return;
	found->len = c->value_len;
	found->blob = c->blob;
	found->value = kreg_change_value(c);
	if (op->late && look_of(b, op)->slot_timed) {
		found->timed = look_of(b, op)->slot_timed;
		found->expiry = look_of(b, op)->expiry;
	}
}

/* What an EDIT starts from, and how long the value gets. */
static int measure_edited(struct kreg_look *l, const struct kreg_change *c,
			  struct found *found)
{
	struct kreg_edit *e = &l->edit;
	int err;

	if (!found->there && !e->starts)
		return -ENODATA;
	if (!found->there) {
		found->value = e->bytes + e->start;
		found->len = e->start_len;
	}
	if (found->blob)
		return -EFBIG;
	e->count = l->fields;
	err = kreg_edit_measure(e, found->len, &l->most);
	e->count = 0;
	if (err)
		return err;
	return kreg_store_needs_blob(c->key.len, e->len) || l->most > KREG_SLOT_MAX ? -EFBIG : 0;
}

/* When it expires. */
static u8 choose_form(struct kreg_look *l, const struct found *found)
{
	if (l->keeps && found->there) {
		l->expiry = found->expiry;
		return found->timed;
	}
	l->expiry = l->timed.expiry;
	if (!l->times)
		return 0;
	return l->expiry.idle_ms ? KREG_TIMED_IDLE : KREG_TIMED;
}

/* Its slot goes back, but for what else was brought. */
static void take_slot_back(struct kreg_batch *b, struct kreg_look *l, struct kreg_change *c)
{
	struct kreg_blob *blob = c->blob;

	if (blob)
		kreg_blob_get(blob);
	kreg_store_cancel(&b->table->store, c);
	c->blob = blob;
	c->key.bytes = l->key;
}

/* Whether it may go over the limit of the user, replacing what is there: not what others bring. */
static bool may_go_over(const struct kreg_batch *b, const struct kreg_batch_op *op)
{
	return !find_before(b, op) && !kreg_table_change_over(b->table, &op->change, &b->place);
}

/* A slot of the form that it needs, which is the one it has or a new one. */
static int give_late_slot(struct kreg_batch *b, struct kreg_batch_op *op, u8 timed)
{
	struct kreg_look *l = look_of(b, op);
	struct kreg_change *c = &op->change;
	u32 len = l->fields ? l->edit.len : c->value_len;
	int err;

	if (c->rec && (l->slot_len != len || l->slot_timed != timed))
		take_slot_back(b, l, c);
	c->value_len = len;
	c->timed = timed;
	c->bound = b->roomy && !timed;
	if (c->rec)
		return 0;
	c->over = l->over && may_go_over(b, op);
	err = kreg_table_reserve(b->table, c, &b->pre);
	c->over = false;
	l->spares = err && may_go_over(b, op);
	l->slot_len = len;
	l->slot_timed = timed;
	return err;
}

/* What is longer on the way than in the end is made elsewhere. */
static int fill_edited(struct kreg_batch *b, struct kreg_look *l, struct kreg_change *c,
		       const struct found *found)
{
	struct kreg_edit *e = &l->edit;
	void *value = kreg_change_value(c), *to = l->most > e->len ? b->looks->work : value;
	int err;

	kreg_copy(to, found->value, min(found->len, l->most));
	e->count = l->fields;
	err = kreg_edit_run(e, to, found->len);
	e->count = 0;
	if (!err && to != value)
		memcpy(value, to, e->len);
	return err;
}

static int fill_slot(struct kreg_batch *b, struct kreg_look *l, struct kreg_change *c,
		     const struct found *found)
{
	int err = 0;

	if (l->fields)
		err = fill_edited(b, l, c, found);
	else if (l->value)
		kreg_copy(kreg_change_value(c), l->value, c->value_len);
	if (err)
		return err;
	kreg_copy(kreg_change_key(c), l->key, c->key.len);
	c->key.bytes = kreg_change_key(c);
	kreg_change_finish(c);
	return 0;
}

static void weigh_look(struct kreg_batch *b, const struct kreg_look *l,
		       const struct found *found)
{
	u32 bytes = kreg_look_conditions(l) + l->slot_len;

	if (l->fields)
		bytes += min(found->len, l->most) + l->edit.copied;
	b->looks->spent += bytes;
	b->looks->heaviest = max(b->looks->heaviest, bytes);
}

/* The conditions alone, and what they find. The slot is not for that of a record to be put. */
static int find_late(struct kreg_batch *b, struct kreg_change *c, bool far)
{
	struct kreg_rec *rec = c->rec;
	int err;

	/* They would make a new object of the one that is there. */
	if (kreg_store_has_runs(&b->table->store))
		return -EOPNOTSUPP;
	c->rec = NULL;
	err = kreg_table_change_find(b->table, c, &b->place, far);
	c->rec = rec;
	return err;
}

/* Slot and value, of what is found; with @fill both. */
static int make_late(struct kreg_batch *b, struct kreg_batch_op *op, struct found *found,
		     bool fill)
{
	struct kreg_look *l = look_of(b, op);
	struct kreg_change *c = &op->change;
	struct kreg_holder *holder = c->holder;
	int err = l->fields ? measure_edited(l, c, found) : 0;
	u8 timed;

	if (err)
		return err;
	timed = choose_form(l, found);
	if (timed && holder)
		return -EOPNOTSUPP;
	err = give_late_slot(b, op, timed);
	if (!err && fill)
		err = fill_slot(b, l, c, found);
	if (!err)
		weigh_look(b, l, found);
	return err;
}

/* If the batch is not atomic, what fails is decided when it is applied. */
static int check_late(struct kreg_batch *b, struct kreg_batch_op *op)
{
	const struct kreg_batch_op *before = find_before(b, op);
	struct kreg_look *l = look_of(b, op);
	struct kreg_change *c = &op->change;
	struct found found;
	int err = find_late(b, c, b->far);

	if (err == KREG_TABLE_FAR || (err && (b->atomic || !before)))
		return err;
	if (before) {
		look_at_before(b, before, &found);
		c->holder = NULL;
		/* What is put where nothing is has to be bound: see check_registry(). */
		if (!found.there && !c->binds && kreg_table_restricts(b->table, c))
			return -EACCES;
	} else {
		look_at_old(c, &b->place, &found);
	}
	l->fresh = !found.there;
	return make_late(b, op, &found, b->atomic || !l->fields);
}

static int check_op(struct kreg_batch *b, struct kreg_batch_op *op)
{
	if (b->registry)
		kreg_batch_note_client(b, &op->change);
	if (op->late)
		return check_late(b, op);
	if (op->change.edit && !b->far)
		b->looks->spent += kreg_look_conditions(look_of(b, op));
	return kreg_table_change_fits(b->table, &op->change, &b->place, b->far);
}

/* Under the turn, nothing has been changed. */
static void give_up(struct kreg_batch *b, int err)
{
	kreg_txn_abort(&b->txn);
	b->starved = true;
	/* Its caller may have been killed, and will not begin it anew. */
	b->rest = true;
	b->req.result = err;
	b->phase = DONE;
}

/* What is lent the turn has to do with one hold; nothing has been changed. */
static void become_large(struct kreg_batch *b)
{
	kreg_txn_abort(&b->txn);
	b->req.large = true;
	b->looks->spent = 0;
	kreg_batch_enter(b, START);
}

static bool lacks_memory(const struct kreg_batch_op *op, int err)
{
	return op->late && (err == -EAGAIN || err == kreg_over_limit(KREG_LIMIT_BYTES));
}

/* Of what was just looked at. False: that was the end, of the hold or of the look. */
static bool go_on(struct kreg_batch *b, const struct kreg_batch_op *op, int err)
{
	b->far = err == KREG_TABLE_FAR;
	if (b->far)
		return false;
	if (b->grouped && !err && b->looks->spent > KREG_MAX_GROUP_BYTES)
		err = -EFBIG;
	if (lacks_memory(op, err)) {
		give_up(b, err);
		return false;
	}
	if (err && b->atomic) {
		kreg_txn_abort(&b->txn);
		kreg_batch_fail(b, err, b->next);
		return false;
	}
	if (!b->grouped && !b->req.large && b->looks->spent > LOOK_BYTES) {
		become_large(b);
		return false;
	}
	b->next++;
	return true;
}

void kreg_batch_check_looks(struct kreg_batch *b, u32 n)
{
	if (b->req.large)
		b->looks->spent = 0;
	while (n-- && b->next < b->count && !(b->req.large && b->looks->spent > LOOK_BYTES)) {
		struct kreg_batch_op *op = &b->ops[b->next];
		bool skip = op->error || (!b->atomic && !op->late);

		if (!go_on(b, op, skip ? 0 : check_op(b, op)))
			return;
	}
	if (b->next == b->count)
		kreg_batch_enter(b, APPLY);
}

/*
 * It has its slot, made when the batch was looked through. What was there then may be gone by now,
 * with its process or since it has expired; then this goes with it.
 */
static void settle_late(const struct kreg_batch *b, struct kreg_look *l, struct kreg_change *c)
{
	if (c->gone && !l->fresh) {
		if (c->gone != &kreg_holder_expired)
			c->holder = c->gone;
		c->gone = NULL;
	}
	c->timed = l->slot_timed;
	c->bound = b->roomy && !c->timed;
	if (c->timed)
		c->expiry = &l->expiry;
	else if (!c->bound)
		c->holder = NULL;
}

/* What a batch that is not atomic decides now. */
static int decide_late(struct kreg_batch *b, struct kreg_batch_op *op)
{
	struct kreg_look *l = look_of(b, op);
	struct kreg_change *c = &op->change;
	struct found found;
	int err;

	look_at_old(c, &b->place, &found);
	err = make_late(b, op, &found, true);
	if (!err && c->timed)
		c->expiry = &l->expiry;
	return err;
}

static int apply_late(struct kreg_batch *b, struct kreg_batch_op *op, bool far)
{
	struct kreg_look *l = look_of(b, op);
	struct kreg_change *c = &op->change;
	int err = find_late(b, c, far);

	if (err)
		return err;
	if (c->checked)
		settle_late(b, l, c);
	else
		err = decide_late(b, op);
	if (err)
		return err;
	l->timed.bind.times = l->times;
	return kreg_table_change_bound(b->table, c, &b->txn, &b->place, &b->pre);
}

u32 kreg_batch_look_hold(const struct kreg_batch *b, u32 n)
{
	return b->atomic ? n : clamp(LOOK_BYTES / (b->looks->heaviest + 1), 1U, n);
}

int kreg_batch_apply_look(struct kreg_batch *b, struct kreg_batch_op *op, bool far)
{
	if (b->atomic && !far) {
		kreg_batch_settle(b, &op->change);
		if (!kreg_store_has_runs(&b->table->store))
			op->change.edit = NULL;
	}
	if (op->late)
		return apply_late(b, op, far);
	return kreg_table_change(b->table, &op->change, &b->place, far, &b->txn, &b->pre);
}

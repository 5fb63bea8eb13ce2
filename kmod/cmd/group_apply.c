// SPDX-License-Identifier: GPL-2.0
/*
 * All batches are looked through before the first is applied, and all are applied before the first
 * is committed; then all are, in one hold of the turn. What is half done in one of the other tables
 * comes to its end before; in the lane of the first table the group is a request like any other.
 *
 * One hold is enough for all of it where the way to an object is short, since a group has few
 * operations. Where a key may have many objects, or keys were chosen to be near each other, it
 * takes several, and in between the lanes of the other tables are held: nobody else changes one of
 * the tables.
 */
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/group_apply.h"
#include "cmd/looks.h"
#include "store/gfp.h"
#include "store/write.h"
#include "table/table.h"

struct kreg_group {
	struct kreg_req req;
	u32 count;
	u32 failed;			/* index of a batch */
	/* Under way, turn: */
	u32 at;				/* batch that is on its way to @phase */
	u32 spent;			/* as in struct kreg_looks, of those before */
	enum kreg_batch_phase phase;
	bool parts;			/* in several holds, with the lanes of the others held */
	struct kreg_batch *batches[];	/* references */
};

static struct kreg_group *group_of(struct kreg_req *req)
{
	return container_of(req, struct kreg_group, req);
}

static bool tables_rest(const struct kreg_group *g)
{
	u32 i;

	for (i = 1; i < g->count; i++)
		if (!kreg_lane_rests(&g->batches[i]->table->lane, g->req.lane))
			return false;
	return true;
}

/* Whether the way to an object may be too long for one hold. */
static bool needs_parts(const struct kreg_group *g)
{
	u32 i;

	for (i = 0; i < g->count; i++) {
		const struct kreg_store *s = &g->batches[i]->table->store;

		if (kreg_store_has_runs(s) || kreg_store_is_crowded(s))
			return true;
	}
	return false;
}

static void hold_lanes(struct kreg_group *g)
{
	u32 i;

	for (i = 1; g->parts && i < g->count; i++)
		kreg_lane_hold(&g->batches[i]->table->lane);
}

static void release_lanes(struct kreg_group *g)
{
	u32 i;

	for (i = 1; g->parts && i < g->count; i++)
		kreg_lane_release(&g->batches[i]->table->lane);
}

static void mark_reserved(struct kreg_group *g, bool reserved)
{
	u32 i;

	for (i = 1; i < g->count; i++)
		g->batches[i]->table->lane.reserved = reserved;
}

/* The tables come to rest sooner or later if nothing new is begun in one that has. */
static void reserve_lanes(struct kreg_group *g)
{
	if (g->req.large && kreg_writer_reserve(g->batches[0]->table->writer, &g->req))
		mark_reserved(g, true);
}

/* False: not in this hold. Nothing has been done yet. */
static bool begin_group(struct kreg_group *g)
{
	u32 i;

	g->parts = needs_parts(g);
	if (!tables_rest(g) || (g->parts && !g->req.large)) {
		reserve_lanes(g);
		g->req.large = true;
		g->req.begun = false;
		return false;
	}
	if (kreg_writer_let_go(g->batches[0]->table->writer, &g->req))
		mark_reserved(g, false);
	hold_lanes(g);
	for (i = 0; i < g->count; i++) {
		g->batches[i]->atomic = true;
		g->batches[i]->grouped = true;
	}
	g->at = 0;
	g->spent = 0;
	g->phase = APPLY;
	return true;
}

static void advance_batch(struct kreg_group *g, struct kreg_batch *b)
{
	if (b->looks && b->phase == START)
		b->looks->spent = g->spent;
	kreg_store_begin_hold(&b->table->store);
	kreg_batch_advance(b, KREG_HOLD_RECORDS);
	if (b->looks && b->phase == APPLY)
		g->spent = b->looks->spent;
}

/* False: the next part is for another hold. @at is not the count if a batch has failed. */
static bool advance_batches(struct kreg_group *g)
{
	while (g->at < g->count) {
		struct kreg_batch *b = g->batches[g->at];

		if (b->phase >= g->phase) {
			if (b->phase == DONE && g->phase != DONE)
				return true;
			g->at++;
			continue;
		}
		advance_batch(g, b);
		if (g->parts)
			return false;
	}
	return true;
}

/* That is known when it was looked through, before any was applied. */
static void fail_group(struct kreg_group *g)
{
	u32 i = g->at;

	g->failed = i;
	g->req.result = g->batches[i]->req.result;
	while (i--)
		kreg_batch_give_up(g->batches[i], g->req.result);
}

static void enter_phase(struct kreg_group *g, enum kreg_batch_phase phase)
{
	g->phase = phase;
	g->at = 0;
}

/* Whether that was its end. */
static bool advance_group(struct kreg_group *g)
{
	u32 i;

	if (!advance_batches(g))
		return false;
	if (g->at < g->count) {
		fail_group(g);
		return true;
	}
	if (g->phase == APPLY) {
		enter_phase(g, COMMIT);
		if (!advance_batches(g))
			return false;
	}
	if (g->phase == COMMIT) {
		for (i = 0; i < g->count; i++)
			advance_batch(g, g->batches[i]);
		enter_phase(g, DONE);
	}
	return advance_batches(g);
}

static bool group_step(struct kreg_req *req)
{
	struct kreg_group *g = group_of(req);
	bool done;
	u32 i;

	if (g->phase == START && !begin_group(g))
		return false;
	done = advance_group(g);
	for (i = 0; i < g->count; i++)
		kreg_table_settle(g->batches[i]->table);
	if (done)
		release_lanes(g);
	return done;
}

static void free_group(struct kreg_req *req)
{
	struct kreg_group *g = group_of(req);
	u32 i;

	for (i = 0; i < g->count; i++)
		kreg_batch_put(g->batches[i]);
	kfree(g);
}

/* It has references of its own, since the thread may go on with it after the caller was killed. */
static struct kreg_group *alloc_group(struct kreg_client *cl, struct kreg_batch **batches, u32 n)
{
	struct kreg_group *g = kzalloc(struct_size(g, batches, n), KREG_GFP_USER);
	u32 i, ops = 0;

	if (!g)
		return NULL;
	kreg_req_init(&g->req, &batches[0]->table->lane, group_step, free_group);
	kreg_client_sign(cl, batches[0]->table->writer, &g->req);
	g->count = n;
	g->failed = n;
	for (i = 0; i < n; i++) {
		g->batches[i] = batches[i];
		refcount_inc(&batches[i]->req.refs);
		ops += batches[i]->count;
	}
	g->req.large = ops > KREG_LEND_RECORDS;
	return g;
}

static int check_tables(struct kreg_batch **batches, u32 n)
{
	u32 i;

	for (i = 1; i < n; i++)
		if (batches[i]->table->writer != batches[0]->table->writer)
			return -EXDEV;
	return 0;
}

/* If it is one of the batches that lacks memory: bring that, and have all begin anew. */
static bool supply_group(struct kreg_group *g, int *err)
{
	u32 i;

	if (g->failed == g->count || !g->batches[g->failed]->starved)
		return false;
	*err = kreg_batch_bring(g->batches[g->failed]);
	if (*err)
		return false;
	for (i = 0; i < g->count; i++)
		kreg_batch_restart(g->batches[i]);
	g->failed = g->count;
	g->phase = START;
	g->req.result = 0;
	reinit_completion(&g->req.done);
	return true;
}

int kreg_group_apply(struct kreg_client *cl, struct kreg_batch **batches, u32 n, u32 *failed)
{
	struct kreg_group *g;
	int err = check_tables(batches, n);
	u32 i;

	*failed = n;
	if (err)
		return err;
	g = alloc_group(cl, batches, n);
	if (!g)
		return -ENOMEM;
	do {
		err = kreg_writer_submit(batches[0]->table->writer, &g->req);
	} while (err && err != -EINTR && supply_group(g, &err));
	if (err != -EINTR) {
		*failed = g->failed;
		for (i = 0; i < n; i++)
			kreg_batch_end(batches[i]);
	}
	kreg_req_put(&g->req);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * All batches are looked through before the first is applied, in one hold of the turn, which
 * bounds how long they may be. What is half done in one of the other tables comes to its end
 * before; in the lane of the first table the group is a request like any other.
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

/* As far as @phase. */
static void advance_to(struct kreg_batch *b, enum kreg_batch_phase phase)
{
	while (b->phase < phase) {
		kreg_store_begin_hold(&b->table->store);
		kreg_batch_advance(b, b->count);
	}
}

static int check_batches(struct kreg_group *g)
{
	struct kreg_batch *b;
	u32 i, spent = 0;

	for (i = 0; i < g->count; i++) {
		b = g->batches[i];
		b->atomic = true;
		b->grouped = true;
		if (b->looks)
			b->looks->spent = spent;
		advance_to(b, APPLY);
		if (b->looks)
			spent = b->looks->spent;
		if (b->phase == DONE)
			break;
	}
	if (i == g->count)
		return 0;
	g->failed = i;
	while (i--)
		kreg_batch_give_up(g->batches[i], b->req.result);
	return b->req.result;
}

static void apply_batches(struct kreg_group *g)
{
	u32 i;

	for (i = 0; i < g->count; i++)
		advance_to(g->batches[i], DONE);
}

static bool group_step(struct kreg_req *req)
{
	struct kreg_group *g = group_of(req);
	u32 i;

	if (!tables_rest(g)) {
		req->large = true;
		req->begun = false;
		return false;
	}
	req->result = check_batches(g);
	if (!req->result)
		apply_batches(g);
	for (i = 0; i < g->count; i++)
		kreg_table_settle(g->batches[i]->table);
	return true;
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

	for (i = 0; i < n; i++) {
		if (kreg_store_has_runs(&batches[i]->table->store))
			return -EOPNOTSUPP;
		if (batches[i]->table->writer != batches[0]->table->writer)
			return -EXDEV;
	}
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

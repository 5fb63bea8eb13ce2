// SPDX-License-Identifier: GPL-2.0
/* What the model test is run with. */
#include "model.h"

static void run_mode(const struct mode *m, unsigned int permille)
{
	u32 op, ops = max_t(u64, 1, (u64)m->ops * permille / 1000);

	mode = m;
	shim_hash_mask = m->hash_mask;
	model_start();
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn));
	spin_lock(&turn);
	if (m->segs)
		store.chunks.limit = m->segs;
	for (op = 0; op < ops; op++)
		model_churn(op);
	model_drain();
	for (op = 1; op < 20 + ops / 50; op++)
		model_churn(op);
	model_let_go();
	holders_exit();
	spin_unlock(&turn);
	kreg_store_exit(&store);
	spin_lock(&turn);
	tap_check(!shim_allocated);
	model_end();
	tap_pass(m->name);
}

static const struct mode modes[] = {
	{ "few keys, verified after every step", 5, ~0u, 10000, 1, 0, 0, 0, 0 },
	{ "blobs and clears, verified after every step", 40, ~0u, 40000, 1, 8, 40, 0, 0 },
	{ "three chunks and no more", 40, ~0u, 20000, 1, 8, 40, 1, 0 },
	{ "eleven chunks and no more", 300, ~0u, 20000, 20, 0, 300, 2, 0 },
	{ "everything collides", 60, 0, 20000, 5, 20, 200, 0, 0 },
	{ "low bits collide", 300, 0xff000000, 20000, 20, 0, 500, 0, 0 },
	{ "low bits collide, verified after every step", 200, 0xffff0000, 4000, 1, 40, 500, 0, 0 },
	{ "a few hundred keys", 400, ~0u, 100000, 50, 50, 300, 0, 0 },
	{ "clear after clear", 30, ~0u, 60000, 7, 10, 4, 0, 0 },
	{ "bound to few, verified after every step", 12, ~0u, 20000, 1, 0, 0, 0, 2 },
	{ "bound, with blobs and clears", 60, ~0u, 40000, 1, 8, 60, 0, 3 },
	{ "bound, clear after clear", 30, ~0u, 30000, 7, 10, 4, 0, 2 },
	{ "bound, and everything collides", 200, 0xffff0000, 6000, 5, 40, 500, 0, 2 },
	{ "bound, three chunks and no more", 40, ~0u, 20000, 1, 8, 40, 1, 3 },
	{ "many keys, several spans of index", 60000, ~0u, 60000, 5000, 100, 100000, 0, 0 },
};

void model_run(unsigned int permille)
{
	unsigned int i, count = ARRAY_SIZE(modes);

	tap_plan(count + 7);
	spin_lock(&turn);
	full_run();
	tap_pass("no space left");
	stale_run();
	tap_pass("a reader's buckets outlive the index");
	spans_run();
	tap_pass("index pages in spans");
	recycled_run();
	tap_pass("slots straight from limbo");
	cleared_run();
	tap_pass("what was cleared counts until readers are gone");
	several_run();
	tap_pass("chunks of several classes in one go");
	crowded_run();
	tap_pass("walks stay short where keys were chosen to be near each other");
	for (i = 0; i < count; i++)
		run_mode(&modes[i], permille);
	spin_unlock(&turn);
}

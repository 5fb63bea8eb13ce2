// SPDX-License-Identifier: GPL-2.0
/* What the model test is run with. */
#include "model.h"

static void run_model(u32 ops)
{
	u32 op;

	for (op = 0; op < ops; op++)
		model_churn(op);
	model_drain();
	for (op = 1; op < 20 + ops / 50; op++)
		model_churn(op);
}

static void run_bags(u32 ops)
{
	u32 op;

	bags_start();
	for (op = 0; op < ops; op++)
		bags_churn(op);
	bags_drain();
	for (op = 1; op < 20 + ops / 50; op++)
		bags_churn(op);
	bags_end();
}

static void run_mode(const struct mode *m, unsigned int permille)
{
	u32 ops = max_t(u64, 1, (u64)m->ops * permille / 1000);

	mode = m;
	shim_hash_mask = m->hash_mask;
	model_start();
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn, m->runs ? KREG_STORE_RUNS :
				   m->ordered ? KREG_STORE_ORDERED : KREG_STORE_HASHED));
	spin_lock(&turn);
	if (m->segs)
		store.chunks.limit = m->segs;
	if (m->runs)
		run_bags(ops);
	else
		run_model(ops);
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
	{ .name = "few keys, verified after every step", .keys = 5, .hash_mask = ~0u, .ops = 10000,
	  .verify_every = 1 },
	{ .name = "blobs and clears, verified after every step", .keys = 40, .hash_mask = ~0u,
	  .ops = 40000, .verify_every = 1, .big = 8, .clear = 40 },
	{ .name = "three chunks and no more", .keys = 40, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 1, .big = 8, .clear = 40, .segs = 1 },
	{ .name = "eleven chunks and no more", .keys = 300, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 20, .clear = 300, .segs = 2 },
	{ .name = "everything collides", .keys = 60, .hash_mask = 0, .ops = 20000,
	  .verify_every = 5, .big = 20, .clear = 200 },
	{ .name = "low bits collide", .keys = 300, .hash_mask = 0xff000000, .ops = 20000,
	  .verify_every = 20, .clear = 500 },
	{ .name = "low bits collide, verified after every step", .keys = 200,
	  .hash_mask = 0xffff0000, .ops = 4000, .verify_every = 1, .big = 40, .clear = 500 },
	{ .name = "a few hundred keys", .keys = 400, .hash_mask = ~0u, .ops = 100000,
	  .verify_every = 50, .big = 50, .clear = 300 },
	{ .name = "clear after clear", .keys = 30, .hash_mask = ~0u, .ops = 60000,
	  .verify_every = 7, .big = 10, .clear = 4 },
	{ .name = "bound to few, verified after every step", .keys = 12, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 1, .bound = 2 },
	{ .name = "bound, with blobs and clears", .keys = 60, .hash_mask = ~0u, .ops = 40000,
	  .verify_every = 1, .big = 8, .clear = 60, .bound = 3 },
	{ .name = "bound, clear after clear", .keys = 30, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 7, .big = 10, .clear = 4, .bound = 2 },
	{ .name = "bound, and everything collides", .keys = 200, .hash_mask = 0xffff0000,
	  .ops = 6000, .verify_every = 5, .big = 40, .clear = 500, .bound = 2 },
	{ .name = "bound, three chunks and no more", .keys = 40, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 1, .big = 8, .clear = 40, .segs = 1, .bound = 3 },
	{ .name = "ordered, few keys, verified after every step", .keys = 40, .hash_mask = ~0u,
	  .ops = 40000, .verify_every = 1, .ordered = true },
	{ .name = "ordered, blobs and clears, verified after every step", .keys = 100,
	  .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 1, .big = 8, .clear = 100, .ordered = true },
	{ .name = "ordered, clear after clear", .keys = 60, .hash_mask = ~0u, .ops = 40000,
	  .verify_every = 7, .big = 10, .clear = 8, .ordered = true },
	{ .name = "ordered, a few hundred keys", .keys = 600, .hash_mask = ~0u, .ops = 60000,
	  .verify_every = 20, .big = 50, .clear = 3000, .ordered = true },
	{ .name = "ordered, keys that have much in common", .keys = 600, .hash_mask = ~0u,
	  .ops = 40000, .verify_every = 20, .ordered = true, .prefix = 70 },
	{ .name = "ordered, bound, with blobs and clears", .keys = 200, .hash_mask = ~0u,
	  .ops = 40000, .verify_every = 5, .big = 20, .clear = 200, .bound = 2, .ordered = true },
	{ .name = "ordered, three chunks and no more", .keys = 60, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 1, .big = 8, .clear = 60, .segs = 1, .bound = 3, .ordered = true },
	{ .name = "ordered, many keys", .keys = 20000, .hash_mask = ~0u, .ops = 100000,
	  .verify_every = 5000, .big = 100, .clear = 50000, .ordered = true },
	{ .name = "edits, verified after every step", .keys = 30, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 1, .clear = 100, .edits = 2 },
	{ .name = "edits, with blobs", .keys = 60, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 7, .big = 4, .clear = 300, .edits = 2 },
	{ .name = "edits of what is bound, three chunks and no more", .keys = 40, .hash_mask = ~0u,
	  .ops = 15000, .verify_every = 1, .big = 8, .clear = 40, .segs = 1, .bound = 3,
	  .edits = 2 },
	{ .name = "ordered, edits, with blobs", .keys = 200, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 5, .big = 20, .clear = 200, .ordered = true, .edits = 2 },
	{ .name = "timed, few keys, verified after every step", .keys = 12, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 1, .timed = 2 },
	{ .name = "timed, with blobs and clears", .keys = 60, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 1, .big = 8, .clear = 60, .timed = 2, .edits = 4 },
	{ .name = "timed or bound, three chunks and no more", .keys = 40, .hash_mask = ~0u,
	  .ops = 15000, .verify_every = 1, .big = 8, .clear = 40, .segs = 1, .bound = 3,
	  .timed = 3 },
	{ .name = "timed, low bits collide", .keys = 300, .hash_mask = 0xffff0000, .ops = 10000,
	  .verify_every = 20, .clear = 500, .timed = 2 },
	{ .name = "timed, ordered, a few hundred keys", .keys = 600, .hash_mask = ~0u,
	  .ops = 30000, .verify_every = 20, .big = 50, .clear = 3000, .timed = 2,
	  .ordered = true },
	{ .name = "timed, with pins", .keys = 60, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 7, .big = 20, .clear = 200, .timed = 2, .pins = 20 },
	{ .name = "timed, ordered, with pins", .keys = 200, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 20, .big = 20, .clear = 500, .timed = 2, .ordered = true, .pins = 30 },
	{ .name = "runs, few keys, verified after every step", .keys = 3, .hash_mask = ~0u,
	  .ops = 8000, .verify_every = 1, .runs = true },
	{ .name = "runs, with blobs and clears", .keys = 12, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 7, .big = 10, .clear = 400, .runs = true },
	{ .name = "runs of what is bound", .keys = 8, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 5, .big = 40, .clear = 900, .bound = 2, .runs = true },
	{ .name = "runs, keys that have much in common", .keys = 300, .hash_mask = ~0u,
	  .ops = 30000, .verify_every = 50, .runs = true, .prefix = 70 },
	{ .name = "long runs", .keys = 2, .hash_mask = ~0u, .ops = 30000, .verify_every = 500,
	  .runs = true },
	{ .name = "timed runs, verified after every step", .keys = 3, .hash_mask = ~0u,
	  .ops = 8000, .verify_every = 1, .runs = true, .timed = 2 },
	{ .name = "timed or bound runs, with blobs and clears", .keys = 12, .hash_mask = ~0u,
	  .ops = 30000, .verify_every = 7, .big = 10, .clear = 400, .bound = 3, .timed = 2,
	  .runs = true },
	{ .name = "pins of timed runs", .keys = 6, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 7, .big = 20, .clear = 400, .timed = 2, .runs = true, .pins = 20 },
	{ .name = "pins, few keys, verified after every step", .keys = 5, .hash_mask = ~0u,
	  .ops = 10000, .verify_every = 1, .pins = 8 },
	{ .name = "pins, with blobs and clears, verified after every step", .keys = 40,
	  .hash_mask = ~0u, .ops = 20000, .verify_every = 1, .big = 8, .clear = 60, .pins = 20 },
	{ .name = "pins, clear after clear", .keys = 30, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 7, .big = 10, .clear = 4, .pins = 30 },
	{ .name = "pins, and everything collides", .keys = 60, .hash_mask = 0, .ops = 10000,
	  .verify_every = 5, .big = 20, .clear = 200, .pins = 20 },
	{ .name = "pins, low bits collide", .keys = 300, .hash_mask = 0xffff0000, .ops = 10000,
	  .verify_every = 20, .clear = 500, .pins = 100 },
	{ .name = "pins, a few hundred keys", .keys = 400, .hash_mask = ~0u, .ops = 30000,
	  .verify_every = 50, .big = 50, .clear = 300, .pins = 100 },
	{ .name = "pins of what is bound, three chunks and no more", .keys = 40, .hash_mask = ~0u,
	  .ops = 15000, .verify_every = 1, .big = 8, .clear = 40, .segs = 1, .bound = 3,
	  .pins = 20 },
	{ .name = "pins, ordered, with blobs and clears, verified after every step", .keys = 100,
	  .hash_mask = ~0u, .ops = 15000, .verify_every = 1, .big = 8, .clear = 100,
	  .ordered = true, .pins = 20 },
	{ .name = "pins, ordered, bound, a few hundred keys", .keys = 600, .hash_mask = ~0u,
	  .ops = 30000, .verify_every = 20, .big = 50, .clear = 3000, .bound = 3,
	  .ordered = true, .pins = 100 },
	{ .name = "pins of runs, verified after every step", .keys = 3, .hash_mask = ~0u,
	  .ops = 8000, .verify_every = 1, .clear = 400, .runs = true, .pins = 8 },
	{ .name = "pins of runs, bound, with blobs", .keys = 12, .hash_mask = ~0u, .ops = 20000,
	  .verify_every = 7, .big = 10, .clear = 400, .bound = 3, .runs = true, .pins = 20 },
	{ .name = "chunks are emptied of what is bound, with pins", .keys = 2000, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 200, .big = 30, .clear = 9000, .bound = 2, .pins = 100 },
	{ .name = "chunks are emptied of what is timed, with pins", .keys = 2000, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 200, .big = 30, .clear = 9000, .timed = 2, .pins = 100 },
	{ .name = "chunks are emptied, ordered, bound or timed", .keys = 2000, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 200, .big = 30, .clear = 9000, .bound = 3, .timed = 3,
	  .ordered = true, .pins = 100 },
	{ .name = "chunks are emptied of runs, bound, with pins", .keys = 200, .hash_mask = ~0u,
	  .ops = 20000, .verify_every = 200, .big = 30, .clear = 9000, .bound = 2, .runs = true,
	  .pins = 100 },
	{ .name = "many keys, several spans of index", .keys = 60000, .hash_mask = ~0u,
	  .ops = 60000, .verify_every = 5000, .big = 100, .clear = 100000 },
};

void model_run(unsigned int permille)
{
	unsigned int i, count = ARRAY_SIZE(modes);

	tap_plan(count + 12);
	spin_lock(&turn);
	full_run();
	tap_pass("no space left");
	numbers_run();
	tap_pass("more memory than numbers of pages");
	stale_run();
	tap_pass("a reader's buckets outlive the index");
	spans_run();
	tap_pass("index pages in spans");
	recycled_run();
	tap_pass("slots straight from limbo");
	cleared_run();
	tap_pass("what was cleared counts until readers are gone");
	small_run();
	tap_pass("the first chunk of a class is less than a page");
	several_run();
	tap_pass("chunks of several classes in one go");
	crowded_run();
	tap_pass("walks stay short where keys were chosen to be near each other");
	thinned_run();
	tap_pass("memory comes back when most objects are deleted at random");
	between_run();
	tap_pass("a chunk waits for all clears that it has records of");
	stretches_run();
	tap_pass("buckets of ordered lists become short again, whatever keys were chosen");
	for (i = 0; i < count; i++)
		run_mode(&modes[i], permille);
	tap_check(bags_pauses());
	spin_unlock(&turn);
}

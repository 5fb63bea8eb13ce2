// SPDX-License-Identifier: GPL-2.0
/* Those to which objects of the model are bound: they come, are retired, and are freed. */
#include "model.h"

#define HOLDERS		6
#define HOLDER_SIZE	200

struct test_holder {
	struct kreg_holder holder;
	u32 live;			/* as the store has told */
	u64 magic;
};

#define MAGIC		0x686f6c646572ULL

static struct test_holder *holders[HOLDERS];
static u32 allocated;

static struct test_holder *test_holder(struct kreg_holder *h)
{
	return container_of(h, struct test_holder, holder);
}

static void holder_left(struct kreg_holder *h, u32 records)
{
	tap_check(test_holder(h)->live >= records);
	test_holder(h)->live -= records;
}

static void holder_free(struct kreg_holder *h)
{
	tap_check(!test_holder(h)->live && test_holder(h)->magic == MAGIC);
	test_holder(h)->magic = 0;
	free(test_holder(h));
	allocated--;
}

static void holder_cleared(struct kreg_holder *h)
{
	tap_check(!test_holder(h)->live && test_holder(h)->magic == MAGIC);
}

static const struct kreg_holder_ops ops = {
	.left = holder_left,
	.cleared = holder_cleared,
	.release = holder_free,
};

/* RCU. */
void holder_check(const struct kreg_holder *h)
{
	tap_check(!h || h == &kreg_holder_expired ||
		  container_of(h, struct test_holder, holder)->magic == MAGIC);
}

/* One to which an object is bound now; the store may be short of memory for it. */
struct kreg_holder *holder_pick(void)
{
	struct kreg_prealloc f = {};
	u32 i = rnd(HOLDERS);

	while (!holders[i] && kreg_store_want_holder(&store, &f) == -EAGAIN)
		model_fill(&f);
	kreg_prealloc_free(&f);
	/* Others may have made it meanwhile. */
	if (!holders[i]) {
		holders[i] = calloc(1, sizeof(**holders));
		holders[i]->holder.ops = &ops;
		holders[i]->holder.size = HOLDER_SIZE;
		holders[i]->magic = MAGIC;
		allocated++;
		kreg_holder_add(&store, &holders[i]->holder);
	}
	return &holders[i]->holder;
}

void holder_took(struct kreg_holder *h)
{
	if (h)
		test_holder(h)->live++;
}

/* Those of @h that have gone, however the store has chosen them. */
static void note_removed(const struct kreg_holder *h)
{
	struct kreg_place place;
	u8 bytes[KEY_ROOM];
	u32 k;

	for (k = 0; k < mode->keys; k++) {
		struct kreg_key key = key_of(k, bytes);

		if (!now[k].present || now[k].holder != h)
			continue;
		find_place(&key, &place);
		if (!place.old)
			model_gone(k);
	}
}

static void remove_bound(struct kreg_holder *h, u32 n)
{
	struct kreg_txn t;

	if (mode->runs) {
		bags_remove_bound(h, n);
		return;
	}
	kreg_txn_begin(&t, &store);
	kreg_txn_remove_bound(&t, h, n, NULL);
	note_removed(h);
	model_finish(&t);
}

/* All objects of one of them go, in pieces; then it is retired, perhaps. */
void holder_remove(void)
{
	u32 i = rnd(HOLDERS);
	struct kreg_holder *h;

	if (!holders[i])
		return;
	h = &holders[i]->holder;
	if (!rnd(4)) {
		kreg_holder_uncount(&store, h);
		tap_check(kreg_store_verify(&store));
	}
	while (kreg_holder_live(&store, h)) {
		u32 n = 1 + rnd(16), before = kreg_holder_live(&store, h);

		remove_bound(h, n);
		tap_check(kreg_holder_live(&store, h) == before - min(n, before));
	}
	/* What a clear has left it is told of that now. */
	if (!h->uncounted && !rnd(3))
		return;
	holders[i] = NULL;
	kreg_holder_retire(&store, h);
}

/* The store is empty: nobody leads to any of them. */
void holders_retire(void)
{
	u32 i;

	for (i = 0; i < HOLDERS; i++) {
		if (holders[i])
			kreg_holder_retire(&store, &holders[i]->holder);
		holders[i] = NULL;
	}
}

u32 holders_allocated(void)
{
	return allocated;
}

/* The store is about to go. */
void holders_exit(void)
{
	struct kreg_holder *h;

	while ((h = kreg_holder_take(&store)))
		holder_free(h);
	memset(holders, 0, sizeof(holders));
	tap_check(!allocated);
}

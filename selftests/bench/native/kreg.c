// SPDX-License-Identifier: GPL-2.0
/* The storage engine of kmod/store: a set, and a table in the order of its keys. */
#include "store/internal.h"
#include "native.h"

struct table {
	struct kreg_store store __aligned(64);
	struct kreg_prealloc prealloc;
	u64 writes;
};

static DEFINE_SPINLOCK(turn);
/* As deep as this thread is in sections: what the kernel's rcu_read_lock() costs, or less. */
static _Thread_local int nesting;
static struct kreg_seed hash_seed;

static inline void enter(void)
{
	nesting++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void leave(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	nesting--;
}

static void *create(enum kreg_store_order order)
{
	struct table *t = aligned_alloc(64, ALIGN(sizeof(*t), 64));

	if (!t)
		native_die("kreg", "out of memory");
	memset(t, 0, sizeof(*t));
	if (kreg_store_init(&t->store, &turn, order))
		native_die("kreg", "kreg_store_init() failed");
	kreg_prealloc_init(&t->prealloc);
	return t;
}

static void *set_create(uint64_t objects)
{
	return create(KREG_STORE_HASHED);
}

static void *ordered_create(uint64_t objects)
{
	return create(KREG_STORE_ORDERED);
}

static void destroy(void *it)
{
	struct table *t = it;

	kreg_prealloc_free(&t->prealloc);
	shim_run_work();
	kreg_store_exit(&t->store);
	free(t);
}

static bool get(void *it, const struct key *k, struct value *value)
{
	struct table *t = it;
	struct kreg_key key = { .bytes = k, .len = sizeof(*k) };
	struct kreg_hit hit;
	bool found;

	enter();
	found = !kreg_store_get(&t->store, &key, &hit);
	if (found)
		memcpy(value, hit.value, sizeof(*value));
	leave();
	return found;
}

static bool unlinked(struct table *t, struct kreg_txn *txn)
{
	while (!kreg_txn_unlink(txn, 1))
		kreg_store_begin_hold(&t->store);
	return true;
}

/* A write, as the module does it, whose caller keeps the turn. False: memory is to be brought. */
static bool write(struct table *t, struct kreg_change *c)
{
	struct kreg_place place;
	struct kreg_txn txn;
	bool found;

	kreg_txn_begin(&txn, &t->store);
	found = kreg_store_find(&t->store, &c->key, &place);
	while (!found) {
		kreg_store_begin_hold(&t->store);
		found = kreg_store_find_on(&t->store, &c->key, &place);
	}
	if (kreg_store_apply(&txn, c, &place, &t->prealloc)) {
		kreg_txn_abort(&txn);
		return false;
	}
	kreg_txn_commit(&txn);
	unlinked(t, &txn);
	/* What was unlinked may be used again when readers have had time to end. */
	shim_rcu_hold = ++t->writes % GRACE_WRITES;
	kreg_store_upkeep(&t->store, 2, &t->prealloc);
	return true;
}

static void bring(struct table *t)
{
	if (kreg_prealloc_fill(&t->prealloc, &t->store))
		native_die("kreg", "out of memory");
	spin_lock(&turn);
	kreg_store_add_prealloc(&t->store, &t->prealloc);
	spin_unlock(&turn);
	kreg_prealloc_free(&t->prealloc);
	kreg_prealloc_init(&t->prealloc);
}

static void put(void *it, const struct key *key, const struct value *value)
{
	struct table *t = it;
	struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value_len = sizeof(*value) };
	bool done;

	kreg_change_init(&c);
	c.value = value;
	c.key.bytes = key;
	c.key.len = sizeof(*key);
	kreg_store_hash(&t->store, &c.key);
	do {
		spin_lock(&turn);
		done = write(t, &c);
		spin_unlock(&turn);
		if (unlikely(kreg_prealloc_wanted(&t->prealloc)))
			bring(t);
	} while (unlikely(!done));
}

static uint64_t walk(void *it, const struct key *from, uint64_t count, struct value *value)
{
	struct table *t = it;
	struct kreg_key key = { .bytes = from, .len = sizeof(*from) };
	struct kreg_walk w;
	struct kreg_hit hit;
	uint64_t sum = 0;

	enter();
	kreg_store_hash(&t->store, &key);
	kreg_walk_init(&w, &t->store, NULL);
	kreg_walk_seek(&w, &key, true);
	while (count--) {
		if (!kreg_walk_next(&w, &hit)) {
			kreg_walk_start(&w, &t->store, NULL);
			if (!kreg_walk_next(&w, &hit))
				native_die("kreg", "a walk finds nothing");
		}
		memcpy(value, hit.value, sizeof(*value));
		sum += value_sum(value);
	}
	leave();
	return sum;
}

uint32_t native_hash(const struct key *key)
{
	if (unlikely(!hash_seed.state[0]))
		kreg_seed_init(&hash_seed);
	return kreg_hash(key, sizeof(*key), &hash_seed);
}

const struct structure kreg_set = {
	.name = "kreg-set",
	.create = set_create,
	.get = get,
	.put = put,
	.walk = walk,
	.destroy = destroy,
};

const struct structure kreg_ordered = {
	.name = "kreg-ordered",
	.ordered = true,
	.create = ordered_create,
	.get = get,
	.put = put,
	.walk = walk,
	.destroy = destroy,
};

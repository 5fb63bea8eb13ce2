// SPDX-License-Identifier: GPL-2.0
/*
 * The lock-free hash table of userspace RCU. It could grow by itself, in a thread, but that lags
 * behind a writer who never sleeps, now and then so much that buckets have hundreds of nodes. So
 * here the writer has it grow, to a bucket an object. A node that was replaced is used again after
 * a grace period, as kreg does it, which costs less than to have it freed.
 */
#define _LGPL_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <urcu.h>
#include <urcu/rculfhash.h>

#include "native.h"

#define FIRST_BUCKETS	64

struct object {
	struct cds_lfht_node node;
	struct key key;
	struct value value;
};

struct table {
	struct cds_lfht *hash;
	uint64_t objects;
	unsigned long buckets;
	struct object *waiting[GRACE_WRITES];	/* for a grace period */
	struct object *spare[GRACE_WRITES];	/* they have had theirs */
	unsigned int nr_waiting;
	unsigned int nr_spare;
};

static void *create(uint64_t objects)
{
	static bool registered;
	struct table *t = calloc(1, sizeof(*t));

	if (!registered)
		rcu_register_thread();
	registered = true;
	if (t)
		t->hash = cds_lfht_new(FIRST_BUCKETS, FIRST_BUCKETS, 0, 0, NULL);
	if (!t || !t->hash)
		native_die("rculfhash", "out of memory");
	t->buckets = FIRST_BUCKETS;
	return t;
}

static int match(struct cds_lfht_node *node, const void *key)
{
	return !memcmp(&caa_container_of(node, struct object, node)->key, key, sizeof(struct key));
}

static bool get(void *it, const struct key *key, struct value *value)
{
	struct table *t = it;
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	rcu_read_lock();
	cds_lfht_lookup(t->hash, native_hash(key), match, key, &iter);
	node = cds_lfht_iter_get_node(&iter);
	if (node)
		*value = caa_container_of(node, struct object, node)->value;
	rcu_read_unlock();
	return node;
}

static struct object *take(struct table *t)
{
	struct object *o;

	if (t->nr_spare)
		return t->spare[--t->nr_spare];
	o = malloc(sizeof(*o));
	if (!o)
		native_die("rculfhash", "out of memory");
	return o;
}

/* By the time that there are as many, none is spare: each put that adds one has taken one. */
static void give(struct table *t, struct cds_lfht_node *node)
{
	t->waiting[t->nr_waiting++] = caa_container_of(node, struct object, node);
	if (t->nr_waiting < GRACE_WRITES)
		return;
	synchronize_rcu();
	memcpy(t->spare, t->waiting, sizeof(t->spare));
	t->nr_spare = GRACE_WRITES;
	t->nr_waiting = 0;
}

static void put(void *it, const struct key *key, const struct value *value)
{
	struct table *t = it;
	struct object *o = take(t);
	struct cds_lfht_node *old;

	o->key = *key;
	o->value = *value;
	rcu_read_lock();
	old = cds_lfht_add_replace(t->hash, native_hash(key), match, key, &o->node);
	rcu_read_unlock();
	if (old) {
		give(t, old);
	} else if (++t->objects > t->buckets) {
		t->buckets <<= 1;
		cds_lfht_resize(t->hash, t->buckets);
	}
}

static uint64_t walk(void *it, const struct key *from, uint64_t count, struct value *value)
{
	struct table *t = it;
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;
	uint64_t sum = 0;

	rcu_read_lock();
	cds_lfht_lookup(t->hash, native_hash(from), match, from, &iter);
	while (count--) {
		node = cds_lfht_iter_get_node(&iter);
		if (!node) {
			cds_lfht_first(t->hash, &iter);
			node = cds_lfht_iter_get_node(&iter);
		}
		*value = caa_container_of(node, struct object, node)->value;
		sum += value_sum(value);
		cds_lfht_next(t->hash, &iter);
	}
	rcu_read_unlock();
	return sum;
}

static void destroy(void *it)
{
	struct table *t = it;
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	rcu_read_lock();
	cds_lfht_for_each(t->hash, &iter, node) {
		cds_lfht_del(t->hash, node);
		/* There is no other reader. */
		free(caa_container_of(node, struct object, node));
	}
	rcu_read_unlock();
	while (t->nr_spare)
		free(t->spare[--t->nr_spare]);
	while (t->nr_waiting)
		free(t->waiting[--t->nr_waiting]);
	if (cds_lfht_destroy(t->hash, NULL))
		native_die("rculfhash", "it cannot be destroyed");
	free(t);
}

const struct structure rculfhash = {
	.name = "rculfhash",
	.package = "liburcu-dev",
	.create = create,
	.get = get,
	.put = put,
	.walk = walk,
	.destroy = destroy,
};

// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/news.h"
#include "client/ns.h"
#include "client/user.h"
#include "store/gfp.h"
#include "store/layout.h"
#include "table/awaited.h"
#include "table/names.h"
#include "table/table.h"

#define NAME_BITS	12

/* The serial numbers that fit above the slot. */
#define MAX_SERIAL	(U64_MAX >> KREG_SLOT_BITS)

#define NO_SLOT		((u32)BIT(KREG_SLOT_BITS))

static struct hlist_head names[1 << NAME_BITS];
struct kreg_slots *kreg_names_chunks[KREG_CHUNKS];
static DEFINE_SPINLOCK(names_lock);	/* inside the turn */
static unsigned int nr_chunks;		/* names_lock */
static u32 first_free = NO_SLOT;	/* names_lock: a list of slots, by next_free */
static hsiphash_key_t seed;
static atomic64_t last_serial;

/* Names that somebody waits for, of all namespaces; names_lock. */
static struct kreg_awaited_set *awaited;

/* Waits that end in one hold of the lock. */
#define WAITS_A_HOLD	16

static void advance_awaited(struct work_struct *work)
{
	struct kreg_writer *w = kreg_writer_nr(0);
	bool done;

	do {
		usleep_range(20, 100);
		spin_lock(&names_lock);
		done = kreg_awaited_advance(awaited, w, WAITS_A_HOLD);
		spin_unlock(&names_lock);
		kreg_wake_queued(w);
	} while (!done);
	module_put(THIS_MODULE);
}

/* What it uses goes with the module, which waits for it to return, but not with a name. */
static void defer_awaited(struct kreg_wake *wake)
{
	__module_get(THIS_MODULE);
	if (!kreg_news_defer(&awaited->work))
		module_put(THIS_MODULE);
}

int kreg_names_init(void)
{
	get_random_bytes(&seed, sizeof(seed));
	awaited = kvzalloc(struct_size(awaited, buckets, ARRAY_SIZE(names)), GFP_KERNEL);
	if (!awaited)
		return -ENOMEM;
	kreg_awaited_set_init(awaited, ARRAY_SIZE(names), &names_lock, NULL);
	kreg_wake_init(&awaited->wake, defer_awaited);
	INIT_WORK(&awaited->work, advance_awaited);
	return 0;
}

/* All namespaces share the buckets; a look-up compares the namespace as well. */
static struct hlist_head *name_bucket(const u8 *name, u32 len)
{
	return &names[hsiphash(name, len, &seed) >> (32 - NAME_BITS)];
}

static struct kreg_key name_key(const u8 *name, u32 len)
{
	return (struct kreg_key) {
		.bytes = name,
		.len = len,
		.hash = hsiphash(name, len, &seed),
	};
}

void kreg_names_exit(void)
{
	unsigned int i;

	for (i = 0; i < nr_chunks; i++)
		kfree(kreg_names_chunks[i]);
	kvfree(awaited);
}

static void free_slot(u64 id)
{
	lockdep_assert_held(&names_lock);
	kreg_names_chunk(id)->next_free[kreg_names_slot(id)] = first_free;
	first_free = id & (NO_SLOT - 1);
}

/* The slot that was freed last, so that few chunks are in use; or NO_SLOT. */
static u32 take_free_slot(void)
{
	u32 slot;

	spin_lock(&names_lock);
	slot = first_free;
	if (slot != NO_SLOT)
		first_free = kreg_names_chunk(slot)->next_free[kreg_names_slot(slot)];
	spin_unlock(&names_lock);
	return slot;
}

/* Its slots are free, the lowest first. False: there is no room for it. */
static bool publish_chunk(struct kreg_slots *chunk)
{
	bool fits;
	u32 i;

	spin_lock(&names_lock);
	fits = nr_chunks < KREG_CHUNKS;
	if (fits) {
		/* Pairs with the loads of a look-up, which finds the chunk initialised. */
		smp_store_release(&kreg_names_chunks[nr_chunks], chunk);
		for (i = 1 << KREG_CHUNK_BITS; i--;)
			free_slot((nr_chunks << KREG_CHUNK_BITS) + i);
		nr_chunks++;
	}
	spin_unlock(&names_lock);
	return fits;
}

/* Not accounted: it stays when those who needed it first are gone. */
static int add_chunk(void)
{
	struct kreg_slots *chunk = kzalloc(sizeof(*chunk), KREG_GFP_USER & ~__GFP_ACCOUNT);

	if (!chunk)
		return -ENOMEM;
	if (publish_chunk(chunk))
		return 0;
	kfree(chunk);
	return -ENOSPC;
}

static int reserve_slot(u32 *slot)
{
	int err = 0;

	while ((*slot = take_free_slot()) == NO_SLOT && !err)
		err = add_chunk();
	return *slot == NO_SLOT ? err : 0;
}

int kreg_names_reserve(struct kreg_ns *ns, u64 *id)
{
	u64 serial = atomic64_inc_return(&last_serial);
	u32 slot;
	int err;

	if (serial > MAX_SERIAL)
		return -ENOSPC;
	err = reserve_slot(&slot);
	if (err)
		return err;
	*id = serial << KREG_SLOT_BITS | slot;
	err = xa_reserve(&ns->ids, serial, KREG_GFP_USER);
	if (err) {
		spin_lock(&names_lock);
		free_slot(*id);
		spin_unlock(&names_lock);
	}
	return err;
}

void kreg_names_release(struct kreg_ns *ns, u64 id)
{
	spin_lock(&names_lock);
	xa_release(&ns->ids, kreg_names_serial(id));
	free_slot(id);
	spin_unlock(&names_lock);
}

static struct kreg_table *find_name(const struct kreg_ns *ns, const u8 *name, u32 len)
{
	const struct kreg_name *n;

	hlist_for_each_entry_rcu(n, name_bucket(name, len), node, lockdep_is_held(&names_lock))
		if (n->ns == ns && n->len == len && !memcmp(n->bytes, name, len))
			return rcu_dereference_check(n->table, lockdep_is_held(&names_lock));
	return NULL;
}

int kreg_names_wait(struct kreg_wait *wait, enum kreg_awaited_list list, const u8 *name, u32 len,
		    struct kreg_awaited **brought)
{
	const struct kreg_ns *ns = wait->client->ns;
	struct kreg_key key = name_key(name, len);
	bool holds;

	spin_lock(&names_lock);
	holds = !find_name(ns, name, len) == (list == KREG_AWAITED_ABSENT);
	if (!holds)
		kreg_awaited_wait(kreg_awaited_enter(awaited, &key, ns, UINT_MAX, brought),
				  wait, list);
	spin_unlock(&names_lock);
	return holds;
}

spinlock_t *kreg_names_wait_lock(void)
{
	return &names_lock;
}

/* A name of @t has come or gone: tell who waits for that. */
static void tell_awaited(const struct kreg_table *t, const struct kreg_name *name, bool there)
{
	struct kreg_outcome now = { .present = there };
	struct kreg_awaited *a;
	struct kreg_key key;

	if (likely(!awaited->count) || !name)
		return;
	key = name_key(name->bytes, name->len);
	a = kreg_awaited_find(awaited, &key, t->ns);
	if (!a)
		return;
	kreg_awaited_note(a, &now, false);
	kreg_awaited_show(awaited, 1);
	if (!kreg_awaited_advance(awaited, t->writer, WAITS_A_HOLD))
		kreg_wake_later(t->writer, &awaited->wake);
}

/* From now on @t is found by @name. */
static void list_name(struct kreg_table *t, struct kreg_name *name)
{
	lockdep_assert_held(&names_lock);
	name->ns = t->ns;
	rcu_assign_pointer(name->table, t);
	hlist_add_head_rcu(&name->node, name_bucket(name->bytes, name->len));
}

/* The place for the id was reserved, so nothing is allocated. */
static int add_locked(struct kreg_table *t)
{
	struct kreg_slots *chunk = kreg_names_chunk(t->id);
	unsigned int slot = kreg_names_slot(t->id);
	struct kreg_name *name = kreg_table_name(t);

	if (name && find_name(t->ns, name->bytes, name->len))
		return -EEXIST;
	if (WARN_ON_ONCE(xa_is_err(xa_store(&t->ns->ids, kreg_names_serial(t->id), t, GFP_NOWAIT))))
		return -ENOMEM;
	WRITE_ONCE(chunk->last[slot], t->id);
	rcu_assign_pointer(chunk->table[slot], t);
	if (name)
		list_name(t, name);
	t->listed = true;
	tell_awaited(t, name, true);
	return 0;
}

int kreg_names_add(struct kreg_table *t)
{
	int err;

	kreg_table_assert(t);
	spin_lock(&names_lock);
	err = add_locked(t);
	spin_unlock(&names_lock);
	return err;
}

void kreg_names_remove(struct kreg_table *t)
{
	struct kreg_name *name = kreg_table_name(t);

	kreg_table_assert(t);
	spin_lock(&names_lock);
	if (name)
		hlist_del_rcu(&name->node);
	RCU_INIT_POINTER(kreg_names_chunk(t->id)->table[kreg_names_slot(t->id)], NULL);
	xa_erase(&t->ns->ids, kreg_names_serial(t->id));
	free_slot(t->id);
	tell_awaited(t, name, false);
	spin_unlock(&names_lock);
}

/* Who looks for either name finds the table by the one or by the other. */
int kreg_names_rename(struct kreg_table *t, struct kreg_name **name)
{
	struct kreg_name *old = kreg_table_name(t), *new = *name;
	int err = 0;

	kreg_table_assert(t);
	spin_lock(&names_lock);
	if (find_name(t->ns, new->bytes, new->len)) {
		err = -EEXIST;
	} else {
		list_name(t, new);
		kreg_table_set_name(t, new);
		if (old)
			hlist_del_rcu(&old->node);
		tell_awaited(t, new, true);
		tell_awaited(t, old, false);
		*name = old;
	}
	spin_unlock(&names_lock);
	return err;
}

/* Charged to the users of the tables, as they have it. */
static void set_name(struct kreg_table *t, struct kreg_name *name)
{
	s64 before = t->name_memory;

	if (name)
		rcu_assign_pointer(name->table, t);
	kreg_table_set_name(t, name);
	kreg_user_count_in(t->user, KREG_QUOTA_BYTES, t->name_memory - before);
}

/* A look-up finds the one or the other table, never none, since the names stay listed. */
int kreg_names_exchange(struct kreg_table *a, struct kreg_table *b)
{
	struct kreg_name *name_a = kreg_table_name(a), *name_b = kreg_table_name(b);

	kreg_table_assert(a);
	kreg_table_assert(b);
	if (!name_a && !name_b)
		return -EINVAL;
	spin_lock(&names_lock);
	set_name(a, name_b);
	set_name(b, name_a);
	spin_unlock(&names_lock);
	return 0;
}

struct kreg_table *kreg_names_find(const struct kreg_ns *ns, const u8 *name, u32 len)
{
	return find_name(ns, name, len) ?: ERR_PTR(-ENOENT);
}

int kreg_names_why_not(u64 id)
{
	struct kreg_slots *chunk = kreg_names_chunk(id);

	if (!kreg_names_serial(id) || !chunk)
		return -EINVAL;
	return id <= READ_ONCE(chunk->last[kreg_names_slot(id)]) ? -ESTALE : -EINVAL;
}

struct kreg_table *kreg_names_next(struct kreg_ns *ns, u64 after)
{
	unsigned long serial = kreg_names_serial(after);
	struct kreg_slots *chunk = kreg_names_chunk(after);
	struct kreg_table *t;

	/* Most often a table has or had this very id, and no other has its number. */
	if (chunk && READ_ONCE(chunk->last[kreg_names_slot(after)]) == after)
		serial++;
	t = xa_find(&ns->ids, &serial, ULONG_MAX, XA_PRESENT);
	if (t && t->id <= after)
		t = xa_find_after(&ns->ids, &serial, ULONG_MAX, XA_PRESENT);
	return t;
}

struct kreg_table *kreg_names_id_anywhere(u64 id)
{
	struct kreg_slots *chunk = kreg_names_chunk(id);
	struct kreg_table *t = chunk ? rcu_dereference(chunk->table[kreg_names_slot(id)]) : NULL;

	return t && t->id == id ? t : NULL;
}

bool kreg_names_walk(u32 *slot, struct kreg_table **found)
{
	struct kreg_slots *chunk = *slot < NO_SLOT ? kreg_names_chunk(*slot) : NULL;

	*found = NULL;
	if (!chunk)
		return false;
	do {
		*found = rcu_dereference(chunk->table[kreg_names_slot(*slot)]);
		(*slot)++;
	} while (kreg_names_slot(*slot) && !*found);
	return true;
}

unsigned long kreg_names_objects(void)
{
	unsigned long objects = 0;
	struct kreg_table *t;
	u32 slot = 0;
	bool more;

	do {
		rcu_read_lock();
		more = kreg_names_walk(&slot, &t);
		if (t)
			/* Of some moment, table by table. */
			objects += data_race(t->store.objects);
		rcu_read_unlock();
		cond_resched();
	} while (more);
	return objects;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Readers that look up and walk without pause while one writer replaces, deletes,
 * clears, grows and shrinks:
 *
 *	threads [SECONDS]
 *
 * Some of them walk by a pin, which the writer sets and ends, and find the same each time.
 * The first KEPT keys are there at all times, even over a clear, which puts them
 * back in its own commit. The first TOGETHER of them are always written together.
 */
#include <time.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/pin.h"
#include "store/thin.h"
#include "tap.h"

#define READERS		3
#define KEPT		64
#define TOGETHER	8
#define MOST		30000
#define WORDS		2100	/* a blob */

static struct kreg_store store __aligned(64);
static DEFINE_SPINLOCK(turn);
static bool stop;
static unsigned long lookups, walks, writes, pinned_walks, pauses;

/* Never freed before the end, since readers may be at one that has ended. */
static struct shown {
	struct kreg_pin pin;
	u64 sum;			/* of what the first reader has found, or 0 */
	struct shown *next;
} *shown, *lasting, *all_shown;

/* A value: its key, and the same stamp all over. */
struct value {
	u64 k;
	u64 stamps[WORDS];
};

static struct kreg_key key_of(u32 k, u8 bytes[24])
{
	struct kreg_key key = { .bytes = bytes, .len = 4 + k % 20 };

	memset(bytes, 0, 24);
	memcpy(bytes, &k, 4);
	kreg_store_hash(&store, &key);
	return key;
}

static u64 check(u32 k, const struct value *v, u32 len)
{
	u32 i, words = len / 8 - 1;

	tap_check(len >= 16 && len % 8 == 0 && v->k == k);
	for (i = 1; i < words; i++)
		tap_check(v->stamps[i] == v->stamps[0]);
	return v->stamps[0];
}

static u64 look(u32 k)
{
	static _Thread_local struct value copy;
	struct kreg_key key;
	struct kreg_hit hit;
	u8 bytes[24];
	int err;

	key = key_of(k, bytes);
	rcu_read_lock();
	err = kreg_store_get(&store, &key, &hit);
	if (!err && hit.blob)
		kreg_blob_get(hit.blob);
	else if (!err)
		memcpy(&copy, hit.value, hit.value_len);
	rcu_read_unlock();
	if (err) {
		tap_check(k >= KEPT);
		return 0;
	}
	if (hit.blob) {
		memcpy(&copy, kreg_blob_bytes(hit.blob), hit.value_len);
		kreg_blob_put(hit.blob);
	}
	return check(k, &copy, hit.value_len);
}

static void begin_walk(struct kreg_walk *w, const struct kreg_pin *pin, bool back,
		       const struct kreg_key *after)
{
	kreg_walk_init(w, &store, pin);
	kreg_walk_limit(w, shim_random() % 4);
	if (back)
		kreg_walk_seek_back(w, after, false);
	else
		kreg_walk_seek(w, after, false);
}

/* Where it pauses another one goes on, without a pin in another section. */
static bool walk_on(struct kreg_walk *w, bool back, struct kreg_hit *hit)
{
	u8 bytes[64];
	struct kreg_key key = { .bytes = bytes };

	while (!(back ? kreg_walk_prev(w, hit) : kreg_walk_next(w, hit))) {
		if (!w->paused)
			return false;
		key.len = hit->key_len;
		memcpy(bytes, hit->key, key.len);
		kreg_store_hash(&store, &key);
		if (!w->pin) {
			rcu_read_unlock();
			rcu_read_lock();
		}
		begin_walk(w, w->pin, back, &key);
		__atomic_fetch_add(&pauses, 1, __ATOMIC_RELAXED);
	}
	return true;
}

/* In an ordered list every other walk goes backwards. */
static void walk(bool back)
{
	static _Thread_local u8 seen[KEPT + MOST];
	static _Thread_local struct value copy;
	struct kreg_walk w;
	struct kreg_hit hit;
	u32 k, kept = 0;

	memset(seen, 0, sizeof(seen));
	rcu_read_lock();
	begin_walk(&w, NULL, back, NULL);
	while (walk_on(&w, back, &hit)) {
		memcpy(&k, hit.key, 4);
		memcpy(&copy, hit.blob ? kreg_blob_bytes(hit.blob) : hit.value,
		       hit.value_len);
		check(k, &copy, hit.value_len);
		tap_check(k < KEPT + MOST && !seen[k]++);
		kept += k < KEPT;
	}
	rcu_read_unlock();
	tap_check(kept == KEPT);
}

/* What a pin shows is the same for everyone, as long as it lasts. */
static void walk_pinned(void)
{
	static _Thread_local struct value copy;
	u64 sum = 1, stamp[TOGETHER] = {}, none = 0;
	struct shown *s;
	struct kreg_walk w;
	struct kreg_hit hit;
	u32 k, kept = 0;

	rcu_read_lock();
	/* Pairs with change_pin(). */
	s = smp_load_acquire(&shown);
	if (s && kreg_pin_enter(&s->pin)) {
		begin_walk(&w, &s->pin, false, NULL);
		while (walk_on(&w, false, &hit)) {
			memcpy(&k, hit.key, 4);
			memcpy(&copy, hit.blob ? kreg_blob_bytes(hit.blob) : hit.value,
			       hit.value_len);
			check(k, &copy, hit.value_len);
			if (k < TOGETHER)
				stamp[k] = copy.stamps[0];
			kept += k < KEPT;
			sum = sum * 1000003 + (k ^ hit.version);
		}
		if (kreg_pin_held(&s->pin)) {
			tap_check(kept == KEPT);
			for (k = 1; k < TOGETHER; k++)
				tap_check(stamp[k] == stamp[0]);
			if (!__atomic_compare_exchange_n(&s->sum, &none, sum, false,
							 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				tap_check(none == sum);
			__atomic_fetch_add(&pinned_walks, 1, __ATOMIC_RELAXED);
		}
	}
	rcu_read_unlock();
}

static void *reader(void *arg)
{
	unsigned long n = 0, walked = 0;
	u64 before, last = 0;

	shim_self = (unsigned long)arg;
	while (!READ_ONCE(stop)) {
		u32 i = shim_random() % TOGETHER;

		/* One commit, and no later lookup is older. */
		before = look(i);
		tap_check(before >= last);
		last = look((i + 1 + shim_random() % (TOGETHER - 1)) % TOGETHER);
		tap_check(last >= before);
		look(shim_random() % KEPT);
		look(KEPT + shim_random() % MOST);
		n += 4;
		if (!(n & 1023))
			walk(walked++ & kreg_store_is_ordered(&store));
		if (!(n & 2047))
			walk_pinned();
	}
	__atomic_fetch_add(&lookups, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&walks, walked, __ATOMIC_RELAXED);
	return NULL;
}

/* The writer. */

static void fill_and_add(struct kreg_prealloc *f)
{
	spin_unlock(&turn);
	tap_check(!kreg_prealloc_fill(f, &store));
	spin_lock(&turn);
	kreg_store_add_prealloc(&store, f);
}

static void change(struct kreg_txn *t, enum kreg_change_kind kind, u32 k)
{
	static struct value value;
	struct kreg_change c = { .kind = kind, .value = &value };
	struct kreg_prealloc f = {};
	struct kreg_place place;
	u8 bytes[24];
	u32 i;

	c.key = key_of(k, bytes);
	if (kind == KREG_CHANGE_CLEAR)
		c.root = kreg_root_alloc(KREG_GFP_USER);
	if (kind == KREG_CHANGE_PUT) {
		c.value_len = 16 + 8 * (shim_random() % 8);
		if (!(shim_random() % 64))
			c.value_len = sizeof(value);
		value.k = k;
		for (i = 0; i < c.value_len / 8 - 1; i++)
			value.stamps[i] = t->version;
		if (kreg_store_needs_blob(c.key.len, c.value_len)) {
			c.blob = kreg_blob_alloc(c.value_len);
			memcpy(kreg_blob_bytes(c.blob), &value, c.value_len);
		}
	}
	do {
		tap_check(kreg_store_find(&store, &c.key, &place));
		i = kreg_store_apply(t, &c, &place, &f);
		if (kreg_prealloc_wanted(&f))
			fill_and_add(&f);
	} while (i);
	kreg_prealloc_free(&f);
}

static void write_once(u32 size)
{
	struct kreg_prealloc f = {};
	struct kreg_txn t;
	u32 i, what = shim_random() % 2000;

	kreg_txn_begin(&t, &store);
	if (!what)
		change(&t, KREG_CHANGE_CLEAR, 0);
	if (!what || store.objects < KEPT)
		for (i = TOGETHER; i < KEPT; i++)
			change(&t, KREG_CHANGE_PUT, i);
	if (what < 500)
		for (i = 0; i < TOGETHER; i++)
			change(&t, KREG_CHANGE_PUT, i);
	else if (what < 900)
		change(&t, KREG_CHANGE_PUT,
		       TOGETHER + shim_random() % (KEPT - TOGETHER));
	else
		for (i = 0; i < 4; i++)
			change(&t, store.objects > size ? KREG_CHANGE_DELETE :
			       KREG_CHANGE_PUT, KEPT + shim_random() % MOST);
	kreg_txn_commit(&t);
	while (!kreg_txn_unlink(&t, 1))
		;
	if (!(writes & 511))
		kreg_thin_begin(&store, 100);
	if (writes & 1)
		kreg_store_upkeep(&store, 8, &f);
	else
		kreg_store_upkeep_idle(&store, 8, &f);
	if (f.want_index)
		fill_and_add(&f);
	kreg_prealloc_free(&f);
}

static struct shown *set_pin(void)
{
	struct shown *s = calloc(1, sizeof(*s));
	struct kreg_prealloc f = {};

	if (kreg_store_want_pins(&store, &f))
		fill_and_add(&f);
	kreg_prealloc_free(&f);
	s->pin.allowed = ~0ULL;
	kreg_pin_set(&store, &s->pin);
	s->next = all_shown;
	all_shown = s;
	return s;
}

/* Another pin, or none; the one before goes on for a while. */
static void change_pin(void)
{
	if (lasting)
		kreg_pin_end(&store, &lasting->pin);
	lasting = shown;
	/* Pairs with walk_pinned(). */
	smp_store_release(&shown, shim_random() % 4 ? set_pin() : NULL);
}

static void end_pins(void)
{
	struct shown *s;

	while (kreg_pin_first(&store))
		kreg_pin_end(&store, kreg_pin_first(&store));
	while ((s = all_shown)) {
		all_shown = s->next;
		free(s);
	}
	shown = NULL;
	lasting = NULL;
}

static void writer(double seconds)
{
	time_t end = time(NULL) + seconds;
	u32 size = MOST / 2;

	while (time(NULL) < end) {
		if (!(++writes & 16383))
			size = shim_random() % (MOST / 2);
		write_once(size);
		if (!(writes & 1023))
			change_pin();
		if (!(writes & 255))
			shim_run_work();
		while (kreg_store_limbo_full(&store)) {
			struct kreg_prealloc f = {};

			kreg_store_upkeep(&store, 64, &f);
		}
	}
}

/* The first state, which everybody may rely on. */
static void begin(void)
{
	struct kreg_txn t;
	u32 i;

	kreg_txn_begin(&t, &store);
	for (i = 0; i < KEPT; i++)
		change(&t, KREG_CHANGE_PUT, i);
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
}

static void run(double seconds, bool ordered)
{
	pthread_t threads[READERS];
	unsigned long i;

	spin_lock(&turn);
	tap_check(!kreg_store_init(&store, &turn, ordered));
	writes = 0;
	lookups = 0;
	pinned_walks = 0;
	pauses = 0;
	walks = 0;
	begin();
	WRITE_ONCE(stop, false);
	for (i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, reader, (void *)(i + 1));
	writer(seconds);
	WRITE_ONCE(stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	tap_check(kreg_store_verify(&store));
	end_pins();
	tap_check(kreg_store_verify(&store));
	spin_unlock(&turn);
	kreg_store_exit(&store);
	tap_check(!shim_allocated);
	printf("# %lu writes, %lu lookups, %lu walks, %lu by a pin, %lu pauses\n", writes, lookups,
	       walks, pinned_walks, pauses);
	tap_check(seconds < 5 || (pinned_walks && pauses));
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10;

	tap_plan(2);
	run(seconds, false);
	tap_pass("readers miss nothing, see nothing torn and nothing go back");
	run(seconds, true);
	tap_pass("nor where keys are in their order, in either direction");
	return 0;
}

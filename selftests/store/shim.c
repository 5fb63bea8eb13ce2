// SPDX-License-Identifier: GPL-2.0
/* What shim.h promises. */
long shim_fail_in;
long shim_allocated;
unsigned int shim_order = ~0u;
u32 shim_hash_mask = ~0u;
bool shim_rcu_hold;
u64 shim_clock;
struct shim_section shim_sections[SHIM_SECTIONS];
_Thread_local unsigned int shim_self;

static unsigned long rcu_now = 1;
static struct work_struct *works;
static pthread_mutex_t works_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local u64 random_state = 0x9e3779b97f4a7c15;

void shim_warn(const char *what, const char *file, int line)
{
	printf("Bail out! %s:%d: %s\n", file, line, what);
	fflush(stdout);
	abort();
}

void *shim_alloc(size_t size, size_t align)
{
	void *p;

	if (shim_fail_in && !--shim_fail_in)
		return NULL;
	p = aligned_alloc(align, ALIGN(size, align));
	if (!p)
		abort();
	memset(p, 0, size);
	__atomic_fetch_add(&shim_allocated, 1, __ATOMIC_RELAXED);
	return p;
}

void *shim_pages(unsigned int order)
{
	return order > shim_order ? NULL : shim_alloc(PAGE_SIZE << order, PAGE_SIZE);
}

void shim_free(void *p)
{
	if (p)
		__atomic_fetch_sub(&shim_allocated, 1, __ATOMIC_RELAXED);
	free(p);
}

void shim_queue_work(struct work_struct *w)
{
	pthread_mutex_lock(&works_lock);
	if (!w->pending) {
		w->pending = true;
		w->next = works;
		works = w;
	}
	pthread_mutex_unlock(&works_lock);
}

void shim_run_work(void)
{
	for (;;) {
		struct work_struct *w;

		pthread_mutex_lock(&works_lock);
		w = works;
		if (w) {
			works = w->next;
			w->pending = false;
		}
		pthread_mutex_unlock(&works_lock);
		if (!w)
			return;
		w->func(w);
	}
}

void shim_enter(unsigned int section)
{
	unsigned long now = __atomic_load_n(&rcu_now, __ATOMIC_ACQUIRE);

	__atomic_store_n(&shim_sections[section].since, now, __ATOMIC_RELAXED);
	smp_mb();
}

void shim_leave(unsigned int section)
{
	__atomic_store_n(&shim_sections[section].since, 0, __ATOMIC_RELEASE);
}

unsigned long start_poll_synchronize_rcu(void)
{
	smp_mb();
	return __atomic_fetch_add(&rcu_now, 1, __ATOMIC_SEQ_CST);
}

bool poll_state_synchronize_rcu(unsigned long cookie)
{
	unsigned int i;

	if (shim_rcu_hold)
		return false;
	smp_mb();
	for (i = 0; i < SHIM_SECTIONS; i++) {
		unsigned long since = __atomic_load_n(&shim_sections[i].since,
						      __ATOMIC_ACQUIRE);

		if (since && since <= cookie)
			return false;
	}
	smp_mb();
	return true;
}

static inline u64 rotate(u64 x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static inline __attribute__((always_inline)) void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3. */
u32 hsiphash(const void *data, size_t len, const hsiphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575, key->key[1] ^ 0x646f72616e646f6d,
		key->key[0] ^ 0x6c7967656e657261, key->key[1] ^ 0x7465646279746573,
	};
	const u8 *p = data;
	size_t left = len;
	int i;

	for (;;) {
		u64 m = (u64)len << 56;

		if (left >= 8)
			memcpy(&m, p, 8);
		else if (left)
			memcpy(&m, p, left);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
		if (left < 8)
			break;
		p += 8;
		left -= 8;
	}
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return (u32)(v[0] ^ v[1] ^ v[2] ^ v[3]) & shim_hash_mask;
}

void shim_seed(u64 seed)
{
	random_state = seed * 0xd1342543de82ef95;
}

u64 shim_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void get_random_bytes(void *p, size_t n)
{
	u8 *b = p;

	while (n--)
		*b++ = shim_random();
}

__attribute__((no_sanitize_address)) u64 shim_peek(const void *p, size_t size)
{
	return size == 8 ? READ_ONCE(*(const u64 *)p) : READ_ONCE(*(const u32 *)p);
}

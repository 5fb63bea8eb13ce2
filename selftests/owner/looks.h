/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that look keys up all the time, and must not find what was bound to a process that
 * was dead before: see deaths_many.c.
 */
#ifndef KREG_OWNER_LOOKS_H
#define KREG_OWNER_LOOKS_H

#include <sys/resource.h>

#include "kit/bound.h"
#include "kit/stall.h"

#define PLACES	64
#define READERS	2

/* In memory that the readers see, too. */
struct place {
	__u64 begun;		/* the number of the last process */
	__u64 dead;		/* of the last one that is known to be dead */
	__u32 pid;		/* of the last process; 0: not known yet */
	char key[8];
};

/* What a reader has done. */
struct looks {
	__u64 all, scans, found;
	__u64 proved;		/* the last process of the place was dead before */
	__u64 wrong;		/* one was found that was dead */
};

struct world {
	struct place places[PLACES];
	struct looks looks[READERS];
	bool stop;
};

struct value {
	__u64 place;
	__u64 number;
};

static struct world *world;
static struct kid *readers[READERS];

static inline unsigned int draw(__u64 *random, unsigned int n)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % n;
}

/* The number of the process that is found by the key; 0: none. */
static inline __s64 find(int fd, __u64 registry, const char *key)
{
	struct value value = {};
	int len = _test_get(fd, registry, key, strlen(key), &value, sizeof(value));

	if (len == -ENODATA)
		return 0;
	return len < 0 ? len : (__s64)value.number;
}

/* The last process of the place that is dead. The one before it was, before this one began. */
static inline __u64 dead_by_pidfd(const struct place *p)
{
	__u64 begun = __atomic_load_n(&p->begun, __ATOMIC_ACQUIRE);
	__u32 pid = __atomic_load_n(&p->pid, __ATOMIC_ACQUIRE);
	struct pollfd pfd = { .events = POLLIN };
	bool dead;

	if (!pid || __atomic_load_n(&p->begun, __ATOMIC_ACQUIRE) != begun)
		return __atomic_load_n(&p->dead, __ATOMIC_ACQUIRE);
	/* Whoever else has that number by now has it because the process is dead. */
	pfd.fd = test_pidfd(pid);
	dead = pfd.fd < 0 || poll(&pfd, 1, 0) == 1;
	if (pfd.fd >= 0)
		close(pfd.fd);
	return dead ? begun : begun - 1;
}

/* What a look-up that began when @dead was known may have found. */
static inline bool is_right(const struct place *p, __s64 found, __u64 dead)
{
	if (!found)
		return true;
	return found > (__s64)dead &&
	       found <= (__s64)__atomic_load_n(&p->begun, __ATOMIC_ACQUIRE);
}

static inline void look_up(struct looks *l, __u64 *random, int fd, __u64 registry)
{
	const struct place *p = &world->places[draw(random, PLACES)];
	__u64 dead = draw(random, 2) ? __atomic_load_n(&p->dead, __ATOMIC_ACQUIRE) :
				       dead_by_pidfd(p);
	bool proved = dead && dead == __atomic_load_n(&p->begun, __ATOMIC_ACQUIRE);
	__s64 found = find(fd, registry, p->key);

	l->all++;
	l->proved += proved;
	l->found += found > 0;
	l->wrong += !is_right(p, found, dead);
}

/* All objects; @dead is what was known of each place before. Returns how many are wrong. */
static inline unsigned int scan(int fd, __u64 registry, const __u64 *dead)
{
	static __u64 buf[PLACES * 16];
	struct kreg_ioc_scan cmd = {
		.table = registry, .buf = test_ptr(buf), .buf_len = sizeof(buf),
	};
	struct kreg_object *object = (void *)buf;
	unsigned int i, wrong = 0;
	struct value value;

	if (_test_scan(fd, &cmd) || cmd.out_more)
		return 1;
	for (i = 0; i < cmd.out_count; i++, object = (void *)object + object->size) {
		memcpy(&value, (char *)(object + 1) + object->key_len, sizeof(value));
		wrong += value.place >= PLACES ||
			 !is_right(&world->places[value.place], value.number, dead[value.place]);
	}
	return wrong;
}

static inline void look_at_all(struct looks *l, int fd, __u64 registry)
{
	__u64 dead[PLACES];
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		dead[i] = __atomic_load_n(&world->places[i].dead, __ATOMIC_ACQUIRE);
	l->wrong += scan(fd, registry, dead);
	l->scans++;
}

static inline long job_look(struct job *job)
{
	struct looks *l = &world->looks[job->arg];
	__u64 random = getpid();

	while (!__atomic_load_n(&world->stop, __ATOMIC_RELAXED)) {
		if (draw(&random, 32))
			look_up(l, &random, job->fd, job->table);
		else
			look_at_all(l, job->fd, job->table);
	}
	return 0;
}

/* Not before the others, who have to get on. */
static inline void start_readers(struct __test_metadata *_metadata, __u64 registry, int cpu)
{
	unsigned int i;

	for (i = 0; i < READERS; i++) {
		readers[i] = kid_start(_metadata);
		readers[i]->job->table = registry;
		readers[i]->job->arg = i;
		setpriority(PRIO_PROCESS, readers[i]->pid, 10);
		set_cpu(_metadata, readers[i]->pid, cpu);
		kid_ask(readers[i], job_look);
	}
}

static inline void expect_nothing_wrong(struct __test_metadata *_metadata)
{
	unsigned int i;

	for (i = 0; i < READERS; i++)
		EXPECT_EQ(0, world->looks[i].wrong);
}

static inline void stop_readers(struct __test_metadata *_metadata)
{
	struct looks *l = world->looks;
	unsigned int i;

	__atomic_store_n(&world->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++) {
		EXPECT_EQ(0, kid_answer(readers[i]));
		EXPECT_LT(0, l[i].found);
		EXPECT_LT(0, l[i].proved);
		EXPECT_LT(0, l[i].scans);
		TH_LOG("reader %u: %llu look-ups, %llu found, %llu after a death; %llu scans", i,
		       l[i].all, l[i].found, l[i].proved, l[i].scans);
	}
	expect_nothing_wrong(_metadata);
}

#endif /* KREG_OWNER_LOOKS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keep the writer's thread from running, by keeping all processors busy at real-time
 * priority: so a test can fill a queue, and see what waits in it.
 */
#ifndef KREG_KIT_STALL_H
#define KREG_KIT_STALL_H

#include <ctype.h>
#include <dirent.h>
#include <sched.h>

#include "kit/fixture.h"
#include "kit/job.h"

static inline void set_fifo(struct __test_metadata *_metadata, pid_t pid, int prio)
{
	struct sched_param param = { .sched_priority = prio };

	ASSERT_EQ(0, sched_setscheduler(pid, prio ? SCHED_FIFO : SCHED_OTHER,
					&param));
}

static inline void set_cpu(struct __test_metadata *_metadata, pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ASSERT_EQ(0, sched_setaffinity(pid, sizeof(set), &set));
}

static inline void set_any_cpu(struct __test_metadata *_metadata, pid_t pid)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	ASSERT_EQ(0, sched_setaffinity(pid, sizeof(set), &set));
}

struct stall {
	int count;
	struct kid *spinners[64];
	int *stop;
};

static int *spin_stop;

/* At most a second: the kernel throttles real-time tasks that run longer. */
static inline long job_spin(struct job *job)
{
	__u64 end = test_now_ns() + 1000000000ULL;

	while (!__atomic_load_n(spin_stop, __ATOMIC_RELAXED) &&
	       test_now_ns() < end)
		;
	return 0;
}

static inline void stall_prepare(struct __test_metadata *_metadata, struct stall *s)
{
	int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	memset(s, 0, sizeof(*s));
	spin_stop = test_shared(sizeof(*spin_stop));
	s->stop = spin_stop;
	for (cpu = 1; cpu < cpus && cpu < 64; cpu++) {
		struct kid *kid = kid_start_bare(_metadata);

		set_cpu(_metadata, kid->pid, cpu);
		s->spinners[s->count++] = kid;
	}
	set_cpu(_metadata, 0, 0);
}

/* Until unstall() nothing of normal priority runs; the test must not sleep. */
static inline void stall(struct __test_metadata *_metadata, struct stall *s)
{
	int i;

	__atomic_store_n(s->stop, 0, __ATOMIC_RELAXED);
	for (i = 0; i < s->count; i++) {
		set_fifo(_metadata, s->spinners[i]->pid, 50);
		kid_ask(s->spinners[i], job_spin);
	}
	set_fifo(_metadata, 0, 50);
}

static inline void unstall(struct __test_metadata *_metadata, struct stall *s)
{
	int i;

	__atomic_store_n(s->stop, 1, __ATOMIC_RELAXED);
	set_fifo(_metadata, 0, 0);
	for (i = 0; i < s->count; i++)
		ASSERT_EQ(0, kid_answer(s->spinners[i]));
}

/*
 * To keep only the writer's thread from running: it has to share the last processor with a
 * spinner. All others go on, and may sleep.
 */
struct hold {
	struct kid *spinner;
	pid_t thread;
	int cpu;
};

static inline pid_t find_thread(void)
{
	char path[300], name[32];
	struct dirent *entry;
	pid_t found = 0;
	DIR *proc = opendir("/proc");
	FILE *f;

	while (proc && !found && (entry = readdir(proc))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f) && !strcmp(name, "kreg/0\n"))
			found = atoi(entry->d_name);
		if (f)
			fclose(f);
	}
	if (proc)
		closedir(proc);
	return found;
}

static inline void hold_prepare(struct __test_metadata *_metadata, struct hold *h)
{
	spin_stop = test_shared(sizeof(*spin_stop));
	ASSERT_NE(NULL, spin_stop);
	h->spinner = kid_start_bare(_metadata);
	h->thread = find_thread();
	ASSERT_LT(0, h->thread);
	h->cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	ASSERT_LT(0, h->cpu);
}

static inline void hold(struct __test_metadata *_metadata, struct hold *h)
{
	set_cpu(_metadata, h->thread, h->cpu);
	set_cpu(_metadata, h->spinner->pid, h->cpu);
	set_fifo(_metadata, h->spinner->pid, 50);
	__atomic_store_n(spin_stop, 0, __ATOMIC_RELAXED);
	kid_ask(h->spinner, job_spin);
}

static inline void unhold(struct __test_metadata *_metadata, struct hold *h)
{
	__atomic_store_n(spin_stop, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, kid_answer(h->spinner));
}

#endif /* KREG_KIT_STALL_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A number for this process, to notice fork(2). The pid will not do: a descendant may
 * have got that of an ancestor that is dead. The number lies in a page that the kernel
 * clears in every child; the child takes the next one from an inherited counter, so it
 * is larger than those of all its ancestors.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static _Atomic uint64_t *page;
static _Atomic uint64_t numbers;

static void make_page(void)
{
	size_t size = sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Without the page no fork(2) would be noticed, and children would use dead files. */
	if (mem == MAP_FAILED || madvise(mem, size, MADV_WIPEONFORK))
		abort();
	page = mem;
}

uint64_t kreg_process_number(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t number, none = 0;

	pthread_once(&once, make_page);
	number = atomic_load(page);
	if (number)
		return number;
	number = atomic_fetch_add(&numbers, 1) + 1;
	return atomic_compare_exchange_strong(page, &none, number) ? number : none;
}

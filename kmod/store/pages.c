// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that go back without keeping anybody waiting.
 *
 * The page allocator has lists on each CPU for what is freed of orders up to
 * PAGE_ALLOC_COSTLY_ORDER. Two in a row that are more than a page tell it that
 * there is more to come, and it empties these lists: thousands of pages, whoever
 * freed them, with interrupts off. Hence small orders are split and go back page by
 * page; larger ones never come to these lists.
 */
#include "store/internal.h"

atomic_long_t kreg_arena_pieces;

/* @gfp is without __GFP_COMP. */
void *kreg_pages_alloc(unsigned int order, gfp_t gfp)
{
	if (order <= PAGE_ALLOC_COSTLY_ORDER)
		return alloc_pages_exact(PAGE_SIZE << order, gfp);
	return (void *)__get_free_pages(gfp, order);
}

/* @pages may be NULL. */
void kreg_pages_free(void *pages, unsigned int order)
{
	if (!pages)
		return;
	if (order <= PAGE_ALLOC_COSTLY_ORDER)
		free_pages_exact(pages, PAGE_SIZE << order);
	else
		free_pages((unsigned long)pages, order);
}

// SPDX-License-Identifier: GPL-2.0
/* libkreg: what is left behind when there is no memory. */
#include "lib/allocations.h"
#include "lib/lib.h"

/* From the first block that calloc() returns on, malloc() has none. */
static bool is_short;
static void *first;
static unsigned int frees;

void *calloc(size_t count, size_t size)
{
	void *block = __libc_calloc(count, size);

	if (is_short && !first)
		first = block;
	return block;
}

void *malloc(size_t size)
{
	if (!is_short || !first)
		return __libc_malloc(size);
	errno = ENOMEM;
	return NULL;
}

void free(void *block)
{
	if (block && block == first)
		frees++;
	__libc_free(block);
}

/* A client that cannot be made is freed, and its descriptor closed. */
TEST(no_memory_for_a_client)
{
	struct kreg_client *client;
	int ret, next = dup(0);

	close(next);
	is_short = true;
	ret = kreg_client_open("/dev/kreg", &client);
	is_short = false;
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_NE(NULL, first);
	EXPECT_EQ(1, frees);
	EXPECT_EQ(next, dup(0));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: GPL-2.0 */
/* The harness, with the time-outs and sizes that suit the guest. */
#ifndef KREG_KIT_SCALE_H
#define KREG_KIT_SCALE_H

#include <stdlib.h>

#include "kselftest_harness.h"

static inline int test_factor(const char *variable)
{
	const char *factor = getenv(variable);

	return factor && atoi(factor) > 0 ? atoi(factor) : 1;
}

/* On a slow guest all time-outs are multiplied by KREG_TEST_SCALE ... */
static inline int test_scale(int n)
{
	return n * test_factor("KREG_TEST_SCALE");
}

/* ... and large sizes and numbers are divided by KREG_TEST_SHRINK. */
static inline unsigned int test_size(unsigned int n)
{
	return n / test_factor("KREG_TEST_SHRINK");
}

/* Of a test that does not say: seconds, which are scaled when all tests are known. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	60

static void __attribute__((constructor)) test_scale_timeouts(void)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			if (t->timeout == TEST_TIMEOUT_DEFAULT)
				t->timeout = test_scale(TEST_TIMEOUT_DEFAULT);
}

/* After so many milliseconds of waiting a test has failed. */
#define PATIENCE_MS		test_scale(20000)

#endif /* KREG_KIT_SCALE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that are numbers, for what is done to all that match.
 */
#ifndef KREG_DATA_CHANGE_H
#define KREG_DATA_CHANGE_H

#include "kit/filter.h"

/* Object i has the number i, and a key of four digits. */
static inline int put_numbered(int fd, __u64 table, __u64 n)
{
	char key[16];
	__u64 i;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		snprintf(key, sizeof(key), "%04llu", (unsigned long long)i);
		err = _test_put(fd, table, key, 4, &i, sizeof(i));
	}
	return err;
}

static inline struct kreg_term less_than(__u64 n)
{
	return test_term(KREG_TERM_LT, KREG_TERM_VALUE, 8, 0, n);
}

#endif /* KREG_DATA_CHANGE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What kreg_errmsg() says of a failure. */
#ifndef KREG_LIB_CAUSE_H
#define KREG_LIB_CAUSE_H

#include "lib/lib.h"

/* Whether it has this in it; else it is printed. */
static inline bool says(const char *text)
{
	if (strstr(kreg_errmsg(), text))
		return true;
	printf("# '%s', not '%s'\n", kreg_errmsg(), text);
	return false;
}

/* The call fails so, and the sentence about it has this in it. */
#define EXPECT_CAUSE(err, text, call)						\
do {										\
	EXPECT_EQ(-(err), call);						\
	EXPECT_TRUE(says(text));						\
} while (0)

#endif /* KREG_LIB_CAUSE_H */

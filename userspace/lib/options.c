/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structs that grow at their end. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int kreg_options_copy_from(void *ours, size_t size, size_t least, const void *theirs)
{
	const unsigned char *bytes = theirs;
	size_t given, i;

	memcpy(&given, theirs, sizeof(given));
	if (given < least)
		return kreg_cause(-EINVAL, "the options do not tell their size: set @size");
	for (i = size; i < given; i++)
		if (bytes[i])
			return -E2BIG;
	memset(ours, 0, size);
	memcpy(ours, theirs, given < size ? given : size);
	return 0;
}

int kreg_options_copy(void *ours, size_t size, const void *theirs)
{
	return kreg_options_copy_from(ours, size, sizeof(size), theirs);
}

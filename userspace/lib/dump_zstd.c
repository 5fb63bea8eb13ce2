/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies of blocks, compressed by libzstd if the library was built with it. */
#include <errno.h>

#include "dump.h"

#ifdef KREG_HAVE_ZSTD

#include <zstd.h>

int kreg_zstd_check(int level)
{
	return level < 0 || level > ZSTD_maxCLevel() ? -EINVAL : 0;
}

/* What does not get shorter is stored as it is. */
ssize_t kreg_zstd_compress(void *to, const void *from, size_t len, int level)
{
	size_t n;

	if (len < 2)
		return 0;
	n = ZSTD_compress(to, len - 1, from, len, level);
	return ZSTD_isError(n) ? 0 : n;
}

/* In one go it needs no more memory than the room that it is given, whatever the frame says. */
int kreg_zstd_expand(void *to, size_t len, const void *from, size_t from_len)
{
	size_t n = ZSTD_decompress(to, len, from, from_len);

	return ZSTD_isError(n) || n != len ? -EBADMSG : 0;
}

#else

int kreg_zstd_check(int level)
{
	(void)level;
	return -EOPNOTSUPP;
}

ssize_t kreg_zstd_compress(void *to, const void *from, size_t len, int level)
{
	(void)to;
	(void)from;
	(void)len;
	(void)level;
	return -EOPNOTSUPP;
}

int kreg_zstd_expand(void *to, size_t len, const void *from, size_t from_len)
{
	(void)to;
	(void)len;
	(void)from;
	(void)from_len;
	return -EOPNOTSUPP;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Copies of keys and values, which are short. */
#ifndef KREG_STORE_COPY_H
#define KREG_STORE_COPY_H

#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>

/* Above, memcpy() is faster. */
#define KREG_COPY_SHORT		128

static __always_inline void kreg_copy_word(void *to, const void *from)
{
	__builtin_memcpy(to, from, sizeof(u64));
}

/* Inline for what is short, of which most is whole words. */
static __always_inline void kreg_copy(void *to, const void *from, u32 len)
{
	const void *end = from + (len & ~31u);

	if (len > KREG_COPY_SHORT) {
		memcpy(to, from, len);
		return;
	}
	for (; from != end; from += 32, to += 32) {
		kreg_copy_word(to, from);
		kreg_copy_word(to + 8, from + 8);
		kreg_copy_word(to + 16, from + 16);
		kreg_copy_word(to + 24, from + 24);
	}
	if (len & 16) {
		kreg_copy_word(to, from);
		kreg_copy_word(to + 8, from + 8);
		to += 16;
		from += 16;
	}
	if (len & 8) {
		kreg_copy_word(to, from);
		to += 8;
		from += 8;
	}
	for (end = from + (len & 7); unlikely(from != end); from++, to++)
		*(u8 *)to = *(const u8 *)from;
}

#endif /* KREG_STORE_COPY_H */

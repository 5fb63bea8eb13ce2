/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of a few words from and to the user's memory, inline: what is this short
 * costs less than a call of copy_from_user() with its checks.
 */
#ifndef KREG_USERCOPY_H
#define KREG_USERCOPY_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* Above, the general functions are as good. */
#define KREG_SHORT	256

/* One @type at offset i of @_to and @_from, which is then behind it. */
#define kreg_get_one(type)							\
	do {									\
		unsafe_get_user(*(type *)(to + i), (type __user *)(from + i), fault); \
		i += sizeof(type);						\
	} while (0)

#define kreg_put_one(type)							\
	do {									\
		unsafe_put_user(*(type *)(from + i), (type __user *)(to + i), fault); \
		i += sizeof(type);						\
	} while (0)

static __always_inline int kreg_get_short(void *to, const void __user *from, size_t len)
{
	size_t i = 0;

	if (!len)
		return 0;
	if (!user_read_access_begin(from, len))
		return -EFAULT;
	/* Four words at a time, since the loop costs as much as two. */
	while (i + 4 * sizeof(u64) <= len) {
		kreg_get_one(u64);
		kreg_get_one(u64);
		kreg_get_one(u64);
		kreg_get_one(u64);
	}
	while (i + sizeof(u64) <= len)
		kreg_get_one(u64);
	if (len & 4)
		kreg_get_one(u32);
	if (len & 2)
		kreg_get_one(u16);
	if (len & 1)
		kreg_get_one(u8);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline int kreg_put_short(void __user *to, const void *from, size_t len)
{
	size_t i = 0;

	if (!len)
		return 0;
	if (!user_write_access_begin(to, len))
		return -EFAULT;
	/* Four words at a time, since the loop costs as much as two. */
	while (i + 4 * sizeof(u64) <= len) {
		kreg_put_one(u64);
		kreg_put_one(u64);
		kreg_put_one(u64);
		kreg_put_one(u64);
	}
	while (i + sizeof(u64) <= len)
		kreg_put_one(u64);
	if (len & 4)
		kreg_put_one(u32);
	if (len & 2)
		kreg_put_one(u16);
	if (len & 1)
		kreg_put_one(u8);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/* Of any length. */
static __always_inline int kreg_get(void *to, const void __user *from, size_t len)
{
	if (likely(len <= KREG_SHORT))
		return kreg_get_short(to, from, len);
	return copy_from_user(to, from, len) ? -EFAULT : 0;
}

/* -EFAULT also if a page is not there, which fault_in_safe_writeable() may mend. */
static __always_inline int kreg_put_nofault(void __user *to, const void *from, size_t len)
{
	int err;

	if (unlikely(len > KREG_SHORT))
		return copy_to_user_nofault(to, from, len) ? -EFAULT : 0;
	pagefault_disable();
	err = kreg_put_short(to, from, len);
	pagefault_enable();
	return err;
}

#endif /* KREG_USERCOPY_H */

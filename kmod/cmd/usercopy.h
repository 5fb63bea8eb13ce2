/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of a few words from and to the user's memory, or of a few of each of many
 * structs, inline: what is this short costs less than a call of copy_from_user() with
 * its checks.
 */
#ifndef KREG_CMD_USERCOPY_H
#define KREG_CMD_USERCOPY_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* Above, the general functions are as good. */
#define KREG_SHORT	256

/* Copy one @type at offset @i, and move @i behind it. */
#define kreg_get_one(type, to, from, i, fault)					\
	do {									\
		unsafe_get_user(*(type *)((to) + (i)), (type __user *)((from) + (i)), fault); \
		(i) += sizeof(type);						\
	} while (0)

#define kreg_put_one(type, to, from, i, fault)					\
	do {									\
		unsafe_put_user(*(type *)((from) + (i)), (type __user *)((to) + (i)), fault); \
		(i) += sizeof(type);						\
	} while (0)

/* Copy @_len bytes of memory to which access was opened; mostly whole words. */
#define kreg_copy_opened(one, _to, _from, _len, fault)				\
	do {									\
		typeof(_to) __to = (_to);					\
		typeof(_from) __from = (_from);					\
		size_t __len = (_len), __i = 0;					\
										\
		while (__i != (__len & ~31UL)) {				\
			one(u64, __to, __from, __i, fault);			\
			one(u64, __to, __from, __i, fault);			\
			one(u64, __to, __from, __i, fault);			\
			one(u64, __to, __from, __i, fault);			\
		}								\
		if (__len & 16) {						\
			one(u64, __to, __from, __i, fault);			\
			one(u64, __to, __from, __i, fault);			\
		}								\
		if (__len & 8)							\
			one(u64, __to, __from, __i, fault);			\
		if (likely(!(__len & 7)))					\
			break;							\
		if (__len & 4)							\
			one(u32, __to, __from, __i, fault);			\
		if (__len & 2)							\
			one(u16, __to, __from, __i, fault);			\
		if (__len & 1)							\
			one(u8, __to, __from, __i, fault);			\
	} while (0)

#define kreg_put_opened(to, from, len, fault)					\
	kreg_copy_opened(kreg_put_one, to, from, len, fault)

/*
 * The first @len bytes of each of @count structs of @size bytes that stand in a row,
 * with all of them opened once.
 */
static __always_inline int kreg_get_parts(void *to, const void __user *from, size_t size,
					  size_t len, size_t count)
{
	const void __user *end = from + count * size;

	if (!user_read_access_begin(from, count * size))
		return -EFAULT;
	for (; from != end; to += size, from += size)
		kreg_copy_opened(kreg_get_one, to, from, len, fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/* The same the other way round, between structs of different size. */
static __always_inline int kreg_put_parts(void __user *to, size_t to_size, const void *from,
					  size_t size, size_t len, size_t count)
{
	if (!user_write_access_begin(to, (count - 1) * to_size + len))
		return -EFAULT;
	for (; count--; to += to_size, from += size)
		kreg_put_opened(to, from, len, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static __always_inline int kreg_get_short(void *to, const void __user *from, size_t len)
{
	return len ? kreg_get_parts(to, from, len, len, 1) : 0;
}

static __always_inline int kreg_put_short(void __user *to, const void *from, size_t len)
{
	return len ? kreg_put_parts(to, len, from, len, len, 1) : 0;
}

/* Of any length. */
static __always_inline int kreg_get(void *to, const void __user *from, size_t len)
{
	if (likely(len <= KREG_SHORT))
		return kreg_get_short(to, from, len);
	return copy_from_user(to, from, len) ? -EFAULT : 0;
}

/*
 * After pagefault_disable(). -EFAULT also if a page is not there, which
 * fault_in_safe_writeable() may mend.
 */
static __always_inline int kreg_put_nofault(void __user *to, const void *from, size_t len)
{
	if (likely(len <= KREG_SHORT))
		return kreg_put_short(to, from, len);
	return copy_to_user_nofault(to, from, len) ? -EFAULT : 0;
}

#endif /* KREG_CMD_USERCOPY_H */

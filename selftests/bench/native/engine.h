/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the storage engine in a process that measures it: shim.h, but the hash is inline, as in the
 * kernel, instead of one that a test can make collide. Included before everything else.
 */
#ifndef NATIVE_ENGINE_H
#define NATIVE_ENGINE_H

#include "shim.h"

#undef kreg_seed_init
#undef kreg_hash

#define le64_to_cpu(x)	(x)
#define SIPHASH_CONST_0	0x736f6d6570736575ULL
#define SIPHASH_CONST_1	0x646f72616e646f6dULL
#define SIPHASH_CONST_2	0x6c7967656e657261ULL
#define SIPHASH_CONST_3	0x7465646279746573ULL

static inline u64 native_rotate(u64 x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static inline __attribute__((__always_inline__)) void native_sip(u64 *a, u64 *b, u64 *c, u64 *d)
{
	*a += *b;
	*c += *d;
	*b = native_rotate(*b, 13) ^ *a;
	*d = native_rotate(*d, 16) ^ *c;
	*a = native_rotate(*a, 32) + *d;
	*c += *b;
	*d = native_rotate(*d, 21) ^ *a;
	*b = native_rotate(*b, 17) ^ *c;
	*c = native_rotate(*c, 32);
}

#define SIPHASH_PERMUTATION(a, b, c, d)	native_sip(&(a), &(b), &(c), &(d))

#endif /* NATIVE_ENGINE_H */

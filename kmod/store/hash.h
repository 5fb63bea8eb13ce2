/* SPDX-License-Identifier: GPL-2.0 */
/* hsiphash(), inline for keys of whole words, which most keys are made of. */
#ifndef KREG_STORE_HASH_H
#define KREG_STORE_HASH_H

#include <linux/bug.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#include "store/layout.h"

/**
 * struct kreg_seed - where a hash starts
 * @key: the secret
 * @state: of SipHash before the first word, which follows from it
 */
struct kreg_seed {
	hsiphash_key_t key;
	u64 state[4];
};

/* A test that wants keys to collide brings its own. */
#ifndef kreg_hash

static inline void kreg_seed_init(struct kreg_seed *seed)
{
	get_random_bytes(&seed->key, sizeof(seed->key));
	seed->state[0] = SIPHASH_CONST_0 ^ seed->key.key[0];
	seed->state[1] = SIPHASH_CONST_1 ^ seed->key.key[1];
	seed->state[2] = SIPHASH_CONST_2 ^ seed->key.key[0];
	seed->state[3] = SIPHASH_CONST_3 ^ seed->key.key[1];
}

/* SipHash-1-3, as hsiphash() is where a long has 64 bits: one round a word, three more. */
static __always_inline u32 kreg_hash_words(const void *bytes, u32 len,
					   const struct kreg_seed *seed)
{
	u64 v0 = seed->state[0], v1 = seed->state[1], v2 = seed->state[2], v3 = seed->state[3];
	const void *end = bytes + len;
	u64 word;

	for (; bytes != end; bytes += sizeof(word)) {
		word = le64_to_cpu((__force __le64)kreg_read_word(bytes));
		v3 ^= word;
		SIPHASH_PERMUTATION(v0, v1, v2, v3);
		v0 ^= word;
	}
	word = (u64)len << 56;
	v3 ^= word;
	SIPHASH_PERMUTATION(v0, v1, v2, v3);
	v0 ^= word;
	v2 ^= 0xff;
	SIPHASH_PERMUTATION(v0, v1, v2, v3);
	SIPHASH_PERMUTATION(v0, v1, v2, v3);
	SIPHASH_PERMUTATION(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

static __always_inline u32 kreg_hash(const void *bytes, u32 len, const struct kreg_seed *seed)
{
	u32 hash;

	if (unlikely(len % sizeof(u64)))
		return hsiphash(bytes, len, &seed->key);
	hash = kreg_hash_words(bytes, len, seed);
#ifdef KREG_DEBUG
	WARN_ON(hash != hsiphash(bytes, len, &seed->key));
#endif
	return hash;
}

#endif

#endif /* KREG_STORE_HASH_H */

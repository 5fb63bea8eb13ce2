/* SPDX-License-Identifier: GPL-2.0 */
/* Objects by their numbers, and numbers at random. */
#ifndef NATIVE_KEYS_H
#define NATIVE_KEYS_H

#include "native.h"

static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x7fb5d329728ea185ULL;
	x = (x ^ x >> 27) * 0x81dadef4bc2dd44dULL;
	return x ^ x >> 33;
}

static inline void key_make(struct key *key, uint64_t number)
{
	key->word[0] = mix(number + 0x1234567);
	key->word[1] = number;
}

/* Cheap, since it is part of what is measured. */
static inline void value_make(struct value *value, uint64_t number, uint64_t generation)
{
	uint64_t first = number | generation << GENERATION_SHIFT;

	*value = (struct value){ { first, 1, 2, 3, 4, 5, 6, ~first } };
}

/* Whether it is a whole value of that object. */
bool value_is_of(const struct value *value, uint64_t number);

/* Once, before the processes are started: what skewed numbers of so many objects need. */
void skew_prepare(uint64_t objects);

/* Numbers below @objects: the same for the same seed. */
void numbers_make(uint32_t *numbers, long count, uint64_t objects, bool skewed, uint64_t seed);

#endif /* NATIVE_KEYS_H */

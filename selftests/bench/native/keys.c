// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects are looked up: all alike, or skewed, where the one of rank r is asked for in
 * proportion to r^-0.99, as Jim Gray and others make it ("Quickly generating billion-record
 * synthetic databases", 1994).
 */
#include <math.h>

#include "keys.h"

#define SKEW	0.99

static struct {
	double zeta;		/* the sum of all r^-SKEW */
	double zeta_two;	/* and of the first two */
	double eta;
} skew;

bool value_is_of(const struct value *value, uint64_t number)
{
	uint64_t i;

	if ((value->word[0] & ((1ULL << GENERATION_SHIFT) - 1)) != number ||
	    value->word[7] != ~value->word[0])
		return false;
	for (i = 1; i < 7; i++)
		if (value->word[i] != i)
			return false;
	return true;
}

void skew_prepare(uint64_t objects)
{
	uint64_t rank;

	skew.zeta = 0;
	for (rank = 1; rank <= objects; rank++) {
		skew.zeta += pow(rank, -SKEW);
		if (rank == 2)
			skew.zeta_two = skew.zeta;
	}
	skew.eta = (1 - pow(2.0 / objects, 1 - SKEW)) / (1 - skew.zeta_two / skew.zeta);
}

static uint64_t next_random(uint64_t *state)
{
	return mix(*state += 0x9e3779b97f4a7c15ULL);
}

static uint64_t skewed_rank(uint64_t random, uint64_t objects)
{
	double u = (random >> 11) / (double)(1ULL << 53), part = u * skew.zeta;
	uint64_t rank;

	if (part < 1)
		return 0;
	if (part < skew.zeta_two)
		return 1;
	rank = objects * pow(skew.eta * u - skew.eta + 1, 1 / (1 - SKEW));
	return rank < objects ? rank : objects - 1;
}

/* Those that are asked for most lie anywhere: a prime number goes round through all objects. */
static uint64_t scattered(uint64_t rank, uint64_t objects)
{
	return rank * 2654435761ULL % objects;
}

void numbers_make(uint32_t *numbers, long count, uint64_t objects, bool skewed, uint64_t seed)
{
	uint64_t state = mix(seed);
	long i;

	for (i = 0; i < count; i++) {
		uint64_t random = next_random(&state);

		numbers[i] = skewed ? scattered(skewed_rank(random, objects), objects) :
				      (random >> 32) * objects >> 32;
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects whose value follows from their number, so that every reader can check it. */
#include <string.h>
#include <time.h>

#include "demo.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void object_key(uint64_t n, char key[KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = KEY_SIZE - 1; i >= 0; i--, n >>= 4)
		key[i] = digits[n & 15];
}

/* splitmix64: neighbouring numbers give unrelated words. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

void object_value(uint64_t n, unsigned char *value, size_t size)
{
	uint64_t word;
	size_t i, part;

	for (i = 0; i < size; i += part) {
		word = mix(n * 8192 + i / 8);
		part = size - i < 8 ? size - i : 8;
		memcpy(value + i, &word, part);
	}
}

bool object_check(uint64_t n, const unsigned char *value, size_t len, size_t size)
{
	uint64_t word;
	size_t i, part;

	if (len != size)
		return false;
	for (i = 0; i < size; i += part) {
		word = mix(n * 8192 + i / 8);
		part = size - i < 8 ? size - i : 8;
		if (memcmp(value + i, &word, part))
			return false;
	}
	return true;
}

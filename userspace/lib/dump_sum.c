/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checksums of dumps: CRC-32C (Castagnoli) and CRC-64 (ECMA-182 as in xz), both reflected. */
#include <pthread.h>

#include "dump.h"

#define POLY32	0x82f63b78u
#define POLY64	0xc96c5795d7870f42ull

static uint32_t table32[256];
static uint64_t table64[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
	unsigned int n, bit;
	uint32_t a;
	uint64_t b;

	for (n = 0; n < 256; n++) {
		a = n;
		b = n;
		for (bit = 0; bit < 8; bit++) {
			a = a & 1 ? a >> 1 ^ POLY32 : a >> 1;
			b = b & 1 ? b >> 1 ^ POLY64 : b >> 1;
		}
		table32[n] = a;
		table64[n] = b;
	}
}

uint32_t kreg_crc32c(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *s = data;

	pthread_once(&once, fill_tables);
	for (sum = ~sum; len; len--)
		sum = sum >> 8 ^ table32[(sum ^ *s++) & 0xff];
	return ~sum;
}

uint64_t kreg_crc64(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *s = data;

	pthread_once(&once, fill_tables);
	for (sum = ~sum; len; len--)
		sum = sum >> 8 ^ table64[(sum ^ *s++) & 0xff];
	return ~sum;
}

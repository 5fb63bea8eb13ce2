// SPDX-License-Identifier: GPL-2.0
/* Keys from numbers, values from seeds. */
#include "model.h"

u32 key_make(u32 k, u8 *bytes)
{
	u32 len = k % 211 == 7 ? KEY_ROOM : mode->prefix + 4 + k * 7 % 37;

	memset(bytes, 'k', len);
	memcpy(bytes + mode->prefix, &k, 4);
	return len;
}

struct kreg_key key_of(u32 k, u8 *bytes)
{
	struct kreg_key key = { .bytes = bytes, .len = key_make(k, bytes) };

	kreg_store_hash(&store, &key);
	return key;
}

u32 key_number(const void *bytes)
{
	u32 k;

	memcpy(&k, bytes + mode->prefix, 4);
	return k;
}

u32 value_len(u32 seed)
{
	if (mode->big && seed % mode->big == 1)
		return 3000 + seed % 20011;
	if (seed % 13 == 3)
		return seed % 4;
	if (seed % 17 == 2)
		return 4 + seed % 4100;
	return 4 + seed % 120;
}

void value_make(u32 k, u32 seed, u8 *bytes)
{
	u32 len = value_len(seed), i;

	for (i = 0; i < len; i++)
		bytes[i] = i < 4 ? seed >> 8 * i : seed + i * 7 + k;
}

void value_check(u32 k, u32 seed, const u8 *bytes, u32 len)
{
	u8 *want = malloc(value_len(seed) + 1);

	tap_check(len == value_len(seed));
	value_make(k, seed, want);
	tap_check(!memcmp(want, bytes, len));
	free(want);
}

/* A value of @k, whichever. */
void value_check_any(u32 k, const u8 *bytes, u32 len)
{
	u32 seed;

	if (len < 4)
		return;
	memcpy(&seed, bytes, 4);
	value_check(k, seed, bytes, len);
}

struct kreg_key crowd[CROWD];

/* All keys have the low bits of their hashes in common, and come in the order of the list. */
void crowd_make(void)
{
	static u8 bytes[CROWD][4];
	u32 i, j;

	shim_hash_mask = 0xffff0000;
	for (i = 0; i < CROWD; i++) {
		struct kreg_key key = { .len = 4, .bytes = bytes[i] };

		memcpy(bytes[i], &i, 4);
		kreg_store_hash(&store, &key);
		for (j = i; j && kreg_read_before(key.hash, crowd[j - 1].hash); j--)
			crowd[j] = crowd[j - 1];
		crowd[j] = key;
	}
}

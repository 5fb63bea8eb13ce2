/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that sort as the numbers and strings of which they are made. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define SIGN		((uint64_t)1 << 63)

/* Behind a NUL byte: one of the bytes, or their end, which comes before all that may follow. */
#define IS_NUL		0xff
#define IS_END		0x01

static int key_too_long(size_t len)
{
	kreg_fail(-ENAMETOOLONG, TRY_KEY, NULL);
	return kreg_fail_sizes(-ENAMETOOLONG, len, 0, 0);
}

int kreg_key_add_u64(struct kreg_key *key, uint64_t value)
{
	unsigned int i;

	if (key->len > sizeof(key->bytes) - sizeof(value))
		return key_too_long(key->len + sizeof(value));
	for (i = 0; i < sizeof(value); i++)
		key->bytes[key->len++] = value >> (56 - 8 * i);
	return 0;
}

int kreg_key_add_i64(struct kreg_key *key, int64_t value)
{
	return kreg_key_add_u64(key, (uint64_t)value ^ SIGN);
}

static int add_bytes(struct kreg_key *key, const unsigned char *data, size_t len, bool ends)
{
	size_t room = sizeof(key->bytes) - key->len, needed = len + (ends ? 2 : 0), i;

	for (i = 0; i < len && i <= room; i++)
		needed += !data[i];
	if (len > room || needed > room)
		return key_too_long(key->len + needed);
	for (i = 0; i < len; i++) {
		key->bytes[key->len++] = data[i];
		if (!data[i])
			key->bytes[key->len++] = IS_NUL;
	}
	if (ends) {
		key->bytes[key->len++] = 0;
		key->bytes[key->len++] = IS_END;
	}
	return 0;
}

int kreg_key_add_bytes(struct kreg_key *key, const void *data, size_t len)
{
	return add_bytes(key, data, len, true);
}

int kreg_key_add_string(struct kreg_key *key, const char *string)
{
	return add_bytes(key, (const void *)string, strlen(string), true);
}

int kreg_key_add_prefix(struct kreg_key *key, const void *data, size_t len)
{
	return add_bytes(key, data, len, false);
}

static int no_such_part(void)
{
	return kreg_fail(-EBADMSG, TRY_KEY, NULL);
}

int kreg_key_get_u64(const void *key, size_t key_len, size_t *at, uint64_t *value)
{
	const unsigned char *bytes = key;
	uint64_t n = 0;
	unsigned int i;

	if (*at > key_len || key_len - *at < sizeof(n))
		return no_such_part();
	for (i = 0; i < sizeof(n); i++)
		n = n << 8 | bytes[*at + i];
	*at += sizeof(n);
	*value = n;
	return 0;
}

int kreg_key_get_i64(const void *key, size_t key_len, size_t *at, int64_t *value)
{
	uint64_t n;
	int ret = kreg_key_get_u64(key, key_len, at, &n);

	if (!ret)
		*value = (int64_t)(n ^ SIGN);
	return ret;
}

/* The byte of a part at *@at, which is moved behind it; -1: the end of the part; -2: neither. */
static int next_byte(const unsigned char *key, size_t key_len, size_t *at)
{
	if (*at >= key_len)
		return -2;
	if (key[(*at)++])
		return key[*at - 1];
	if (*at == key_len)
		return -2;
	switch (key[(*at)++]) {
	case IS_NUL:
		return 0;
	case IS_END:
		return -1;
	}
	return -2;
}

int kreg_key_get_bytes(const void *key, size_t key_len, size_t *at, void *buf, size_t room,
		       size_t *len)
{
	unsigned char *to = buf;
	size_t n = 0, end = *at;
	int byte;

	while ((byte = next_byte(key, key_len, &end)) >= 0) {
		if (n < room)
			to[n] = byte;
		n++;
	}
	if (byte != -1)
		return no_such_part();
	if (len)
		*len = n;
	if (n > room) {
		kreg_fail(-EMSGSIZE, TRY_KEY, NULL);
		return kreg_fail_sizes(-EMSGSIZE, 0, room, n);
	}
	if (n < room)
		to[n] = '\0';
	*at = end;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: keys made of numbers and strings, which sort as these do. */
#ifndef KREG_KEY_H
#define KREG_KEY_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct kreg_key - a key under construction
 * @len: length so far; 0 at first
 * @bytes: its bytes
 *
 * A key of several parts: a user and a time, a host and a path. The keys of two such tuples
 * compare as their first parts that differ, if these are of the same kind: numbers by value,
 * strings byte by byte, and a string before those that it is the beginning of. So the tuples
 * that begin with the same parts stand side by side in an ordered table, and a scan with
 * KREG_RANGE_PREFIX of the key of these parts finds them, in a table of any type.
 *
 * What a part becomes, for programs in other languages:
 *
 *	u64	8 bytes, the highest first
 *	i64	the same of the number plus 2^63
 *	bytes	each byte as it is, but NUL as 00 ff; then 00 01
 *
 * Nothing tells of which kind a part is: who reads a key knows what he has put into it.
 *
 * The struct may be anywhere, is not freed, and never grows.
 */
struct kreg_key {
	size_t len;
	unsigned char bytes[KREG_MAX_KEY];
};

#define KREG_KEY_INIT	{ 0, { 0 } }

/*
 * Append a part. -ENAMETOOLONG: the key would have more than KREG_MAX_KEY bytes; it stays as it
 * was.
 */
int kreg_key_add_u64(struct kreg_key *key, uint64_t value) KREG_NONNULL_FIRST KREG_MUST_CHECK;
int kreg_key_add_i64(struct kreg_key *key, int64_t value) KREG_NONNULL_FIRST KREG_MUST_CHECK;
/* Any bytes, also none. */
int kreg_key_add_bytes(struct kreg_key *key, const void *data, size_t len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;
/* The same of a string, without its NUL byte. */
int kreg_key_add_string(struct kreg_key *key, const char *string)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;
/*
 * The same without the end: for scans with KREG_RANGE_PREFIX, of keys whose next part are bytes
 * that begin with these.
 */
int kreg_key_add_prefix(struct kreg_key *key, const void *data, size_t len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/*
 * Read a part that begins at offset *@at of a key, and move *@at behind it. -EBADMSG: there is no
 * such part; *@at stays.
 */
int kreg_key_get_u64(const void *key, size_t key_len, size_t *at, uint64_t *value)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;
int kreg_key_get_i64(const void *key, size_t key_len, size_t *at, int64_t *value)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_key_get_bytes() - read bytes, or a string, out of a key
 * @key: the key
 * @key_len: its length
 * @at: offset at which the part begins; moved behind it if the call succeeds
 * @buf: room for the bytes; a NUL byte follows them if there is room for it
 * @room: its size; KREG_MAX_KEY is always enough
 * @len: how many there are, written also with -EMSGSIZE; may be NULL
 *
 * Errors: -EBADMSG: no such part begins there; -EMSGSIZE: too little room.
 */
int kreg_key_get_bytes(const void *key, size_t key_len, size_t *at, void *buf, size_t room,
		       size_t *len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_KEY_H */

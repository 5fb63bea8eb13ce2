/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys and values that prove themselves: length and content follow from whose key
 * it is, which one, and the version.
 */
#ifndef KREG_STRESS_VALUE_H
#define KREG_STRESS_VALUE_H

#include "stress/world.h"

#define VALUE_MAX	(64 << 10)

/* Beside the lanes, the owner of a wild table writes under this number. */
#define OWNERS_LANE	1000

struct key {
	__u32 lane;
	__u32 index;
	__u8 rest[KREG_MAX_KEY - 8];
};

struct value {
	__u64 tag;
	__u32 table;
	__u32 lane;
	__u32 index;
	__u32 version;
	__u32 len;
	__u32 reserved;
	__u64 words[];
};

static inline __u32 key_len(__u32 index)
{
	static const __u32 lens[8] = { 8, 8, 8, 9, 16, 24, 100, 300 };

	return index == KEYS - 1 ? KREG_MAX_KEY : lens[index % 8];
}

/* Returns its length. */
static inline __u32 make_key(struct key *key, __u32 lane, __u32 index)
{
	__u32 len = key_len(index);

	key->lane = lane;
	key->index = index;
	memset(key->rest, index, len - 8);
	return len;
}

static inline bool parse_key(const void *bytes, __u32 len, __u32 *lane,
			     __u32 *index)
{
	struct key want;
	__u32 two[2];

	if (len < sizeof(two))
		return false;
	memcpy(two, bytes, sizeof(two));
	*lane = two[0];
	*index = two[1];
	if (two[0] >= ALL_LANES || two[1] >= KEYS)
		return false;
	return make_key(&want, two[0], two[1]) == len &&
	       !memcmp(&want, bytes, len);
}

static inline __u32 value_len(__u64 tag, __u32 lane, __u32 index)
{
	__u32 h = tag >> 8, kind = tag % 100;
	__u32 most = 6144;

	/* Large values, so that memory runs out soon. */
	if (lane < ALL_LANES && world->slots[lane / LANES].limited && kind >= 20)
		kind = 99;
	/* Many of these go into one batch. */
	if (kind < 70 || (index < GROUP && lane < ALL_LANES))
		most = 128;
	else if (kind < 92)
		most = 1024;
	else if (kind >= 99)
		most = VALUE_MAX;
	return sizeof(struct value) + h % (most - sizeof(struct value));
}

static inline __u64 value_tag(__u32 table, __u32 lane, __u32 index,
			      __u32 version)
{
	return mix(world->seed ^ mix(((__u64)table << 32 | lane) ^
				     mix((__u64)index << 32 | version)));
}

/* @room has VALUE_MAX bytes. Returns the length. */
static inline __u32 make_value(void *room, __u32 table, __u32 lane,
			       __u32 index, __u32 version)
{
	__u64 tag = value_tag(table, lane, index, version), word = tag;
	__u32 len = value_len(tag, lane, index), i;
	struct value *v = room;

	*v = (struct value) {
		.tag = tag,
		.table = table,
		.lane = lane,
		.index = index,
		.version = version,
		.len = len,
	};
	for (i = 0; i < (len - sizeof(*v)) / 8; i++) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		v->words[i] = word;
	}
	memset(&v->words[i], version, (len - sizeof(*v)) % 8);
	return len;
}

static inline bool words_fit(const struct value *v)
{
	__u32 i, n = (v->len - sizeof(*v)) / 8;
	const __u8 *tail = (const void *)&v->words[n];
	__u64 word = v->tag;

	for (i = 0; i < n; i++) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		if (v->words[i] != word)
			return false;
	}
	for (i = 0; i < (v->len - sizeof(*v)) % 8; i++)
		if (tail[i] != (__u8)v->version)
			return false;
	return true;
}

/* The version of what is whole a value of that key; 0: it is not. */
static inline __u32 check_value(const void *bytes, __u32 len, __u32 table,
				__u32 lane, __u32 index)
{
	const struct value *v = bytes;

	if (len < sizeof(*v) || v->len != len || v->table != table ||
	    v->lane != lane || v->index != index ||
	    v->tag != value_tag(table, lane, index, v->version) ||
	    len != value_len(v->tag, lane, index) || !words_fit(v))
		return 0;
	return v->version;
}

#endif /* KREG_STRESS_VALUE_H */

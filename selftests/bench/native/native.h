/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the structures that are compared have in common: objects, and what is done to them.
 * README.md says what is measured, and how.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 16 bytes that nobody can foresee from the number, which is the second word. */
struct key {
	uint64_t word[2];
};

/* The first word has the object's number, and above it how often all objects were put. */
struct value {
	uint64_t word[8];
};

#define GENERATION_SHIFT	32
#define MOST_OBJECTS		0x7fffffffULL

/* Writes after which those who still read have ended, so that memory can be used again. */
#define GRACE_WRITES		4096

/**
 * struct structure - one of those that are compared
 * @name: for people and programs
 * @package: Debian's, or NULL
 * @ordered: walks are in the order of the keys
 * @create: an empty one, for so many objects, though it need not believe that
 * @get: copy the value out; false: there is none
 * @put: insert or replace; the next get finds it
 * @walk: copy out the values of @count objects in a row, from that with @from on, which is there;
 *	behind the last one comes the first. Returns the sum of value_sum() of all.
 * @destroy: the opposite of @create
 *
 * With neither put nor walk it is an array of objects, of which get does no more than to read one
 * word.
 */
struct structure {
	const char *name;
	const char *package;
	bool ordered;
	void *(*create)(uint64_t objects);
	bool (*get)(void *it, const struct key *key, struct value *value);
	void (*put)(void *it, const struct key *key, const struct value *value);
	uint64_t (*walk)(void *it, const struct key *from, uint64_t count, struct value *value);
	void (*destroy)(void *it);
};

enum { KREG_SET, RCULFHASH, LMDB, ACCESS, KREG_ORDERED, BTREE, STRUCTURES };

extern const struct structure kreg_set, kreg_ordered, rculfhash, lmdb, btree, one_access;
extern const struct structure *const structures[STRUCTURES];

/* Ends the process, with a sentence. */
void native_die(const char *who, const char *what) __attribute__((__noreturn__));

/* The hash of a key that kreg_set has computed, for the other one that hashes. */
uint32_t native_hash(const struct key *key);

static inline uint64_t value_sum(const struct value *value)
{
	return value->word[0] + 3 * value->word[7];
}

#ifdef __cplusplus
}
#endif

#endif /* NATIVE_H */

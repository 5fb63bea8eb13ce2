/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments of commands at random: most of what they say is meant for the command, some is wrong.
 * The structs are filled in member by member as places.h has them, by the members' names, so that
 * a member that is new there is in these calls as well.
 */
#ifndef KREG_ABI_RANDOM_H
#define KREG_ABI_RANDOM_H

#include "abi/places.h"
#include "kit/fixture.h"
#include "kit/kid.h"

#define RANDOM_POOL	16	/* of each kind of what was told by earlier calls */
#define RANDOM_ARRAY	6	/* elements of an array that an argument points to */
#define RANDOM_BYTES	(KREG_MAX_VALUE + 2 * PAGE)

/* Members without which a command has a meaning as well. */
#define RANDOM_OPTIONAL	"flags deadline_ns udata version seq linger_ms orphan_ms lease_ms ms data " \
			"data_len schema schema_version beside value2 pin after after_len " \
			"after_version after_sub max_count after_seq"

/* What all threads of a process point to; they change it under each other's calls. */
struct random_memory {
	union {
		char bytes[RANDOM_BYTES];
		char text[PAGE];
	};
	struct kreg_op ops[RANDOM_ARRAY];
	struct kreg_ioc_batch batches[RANDOM_ARRAY];
	struct kreg_field fields[RANDOM_ARRAY];
	struct kreg_term terms[RANDOM_ARRAY];
	struct kreg_more more[RANDOM_ARRAY];
	/* The last of these is followed by a page that is not there. */
	char last[PAGE] __attribute__((aligned(PAGE)));
	char hole[PAGE] __attribute__((aligned(PAGE)));
	char constant[PAGE] __attribute__((aligned(PAGE)));	/* can only be read */
};

struct random {
	__u64 state;
	bool sparse;		/* the struct says little more than it has to */
	struct random_memory *memory;
	__u64 tables[RANDOM_POOL], ids[RANDOM_POOL], versions[RANDOM_POOL];
	__u64 subscriptions[RANDOM_POOL];
	struct kreg_process processes[RANDOM_POOL];
};

static inline __u32 random_below(struct random *r, __u32 n)
{
	r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (r->state >> 33) % n;
}

/* Once in @n times. */
static inline bool random_once_in(struct random *r, __u32 n)
{
	return !random_below(r, n);
}

static inline struct random_memory *random_memory(void)
{
	struct random_memory *m = test_shared(sizeof(*m));
	size_t i;

	if (!m)
		return NULL;
	for (i = 0; i < sizeof(m->text); i++)
		m->text[i] = "\0\1ab"[i * 7 / 3 % 4];
	return mprotect(m->hole, PAGE, PROT_NONE) || mprotect(m->constant, PAGE, PROT_READ) ?
	       NULL : m;
}

/* A number that may be near a limit. */
static inline __u64 random_number(struct random *r)
{
	static const __u64 numbers[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 40, 64, 128, 256, KREG_MAX_KEY, KREG_MAX_KEY + 1,
		PAGE - 1, PAGE, KREG_MIN_STREAM, KREG_MAX_VALUE, KREG_MAX_VALUE + 1,
		INT32_MAX, UINT32_MAX, 1ULL << 32, INT64_MAX, UINT64_MAX,
	};

	return numbers[random_below(r, ARRAY_SIZE(numbers))];
}

static inline __u64 random_bad_pointer(struct random *r)
{
	const struct random_memory *m = r->memory;

	switch (random_below(r, 6)) {
	case 0:
		return 0;
	case 1:
		return test_ptr(m->hole);
	case 2:
		return test_ptr(m->hole) - 1 - random_below(r, 64);
	case 3:
		return test_ptr(m->constant);
	case 4:
		return 1ULL << random_below(r, 64);
	default:
		return UINT64_MAX - random_below(r, 256);
	}
}

/* Few keys, so that they meet. */
static inline __u64 random_bytes(struct random *r)
{
	if (random_once_in(r, 120))
		return random_bad_pointer(r);
	return test_ptr(r->memory->text + 4 * random_below(r, 6));
}

static inline __u32 random_flags(struct random *r)
{
	__u32 flags = 0;

	if (random_below(r, 2))
		return 0;
	do
		flags |= 1U << random_below(r, random_once_in(r, 20) ? 32 : 13);
	while (random_below(r, 3) == 0);
	return flags;
}

/* Mostly short: soon, or past. */
static inline __u64 random_moment(struct random *r)
{
	switch (random_below(r, 4)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return test_now_ns() + random_below(r, 3000000);
	default:
		return random_number(r);
	}
}

static inline __u32 random_len(struct random *r)
{
	return random_once_in(r, 60) ? random_number(r) : 1 + random_below(r, 4);
}

static inline bool random_is(const char *name, const char *list)
{
	size_t len = strlen(name);
	const char *at = list;

	while ((at = strstr(at, name))) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static inline bool random_ends(const char *name, const char *end)
{
	size_t len = strlen(name), ends = strlen(end);

	return len >= ends && !strcmp(name + len - ends, end);
}

/* Where a value is pointed to, and is not a number itself. */
#define RANDOM_VALUES	"kreg_op kreg_ioc_register kreg_ioc_lease"

static inline __u64 random_member(struct random *r, const char *type, const char *name)
{
	if (random_once_in(r, 200))
		return random_number(r);
	if (r->sparse && random_is(name, RANDOM_OPTIONAL) && random_below(r, 12))
		return 0;
	if (random_is(name, "table other beside"))
		return r->tables[random_below(r, RANDOM_POOL)];
	if (random_is(name, "id pin"))
		return r->ids[random_below(r, RANDOM_POOL)];
	if (random_is(name, "version if_version after_version seq after_seq"))
		return random_below(r, 3) ? 0 : r->versions[random_below(r, RANDOM_POOL)];
	if (random_is(name, "name key data low high after buf info infos position start expected"))
		return random_bytes(r);
	if (!strcmp(name, "value") && random_is(type, RANDOM_VALUES))
		return random_bytes(r);
	if (!strcmp(name, "flags"))
		return random_flags(r);
	if (random_is(name, "code type access orphan option kind op of"))
		return random_below(r, random_is(name, "option code") ? 13 : 9);
	if (!strcmp(name, "mode"))
		return random_below(r, 4) ? 0666 : random_below(r, 01000);
	if (random_is(name, "buf_len info_len"))
		return random_below(r, 4) ? sizeof(struct kreg_info) : random_below(r, 2 * PAGE);
	if (random_ends(name, "_len") || random_is(name, "count max_count offset sub after_sub"))
		return random_len(r);
	if (random_ends(name, "_ns"))
		return random_moment(r);
	if (random_ends(name, "_ms"))
		return random_below(r, 3) ? random_below(r, 20) : random_number(r);
	if (random_is(name, "pid"))
		return random_below(r, 2) ? (__u32)getpid() : random_below(r, 3);
	if (random_ends(name, "reserved") || !strncmp(name, "out_", 4))
		return 0;
	return random_below(r, 3) ? random_below(r, 4) : random_number(r);
}

static inline void random_store(void *at, size_t size, __u64 value)
{
	if (size <= sizeof(value))
		memcpy(at, &value, size);	/* little-endian */
}

static inline struct kreg_process random_process(struct random *r, const char *name)
{
	if (r->sparse && strcmp(name, "to"))
		return (struct kreg_process) {};
	return r->processes[random_below(r, RANDOM_POOL)];
}

/* All members of the struct, as if each was for itself. */
static inline void random_struct(struct random *r, const char *type, void *to)
{
	const struct place *p = places, *end = places + ARRAY_SIZE(places);
	size_t size, len = strlen(type), next;

	while (p < end && strcmp(p->name, type))
		p++;
	size = p++->place;
	r->sparse = random_below(r, 8);
	for (; p < end && !strncmp(p->name, type, len) && p->name[len] == '.'; p++) {
		const char *name = p->name + len + 1;
		void *at = (char *)to + p->place;

		next = p + 1 < end && !strncmp(p[1].name, type, len) && p[1].name[len] == '.' ?
		       p[1].place : size;
		if (random_is(name, "process to heir") && next - p->place == sizeof(*r->processes))
			*(struct kreg_process *)at = random_process(r, name);
		else
			random_store(at, next - p->place, random_member(r, type, name));
	}
}

static inline __u64 random_terms(struct random *r, __u32 *count)
{
	__u32 i;

	*count = random_below(r, 3) ? 0 : 1 + random_below(r, RANDOM_ARRAY);
	for (i = 0; i < *count; i++) {
		struct kreg_term *term = &r->memory->terms[i];

		random_struct(r, "kreg_term", term);
		term->size = 1U << random_below(r, 4);
		term->yes = random_below(r, 2);
		term->no = random_below(r, 2) ? KREG_TERM_REJECT : random_below(r, 2);
		if (term->op == KREG_TERM_BYTES)
			term->value = random_bytes(r);
	}
	return *count ? test_ptr(r->memory->terms) : 0;
}

static inline void random_range(struct random *r, struct kreg_range *range)
{
	random_struct(r, "kreg_range", range);
	range->flags &= random_below(r, 2) ? KREG_RANGE_ALL : 0;
	if (random_below(r, 2)) {
		range->after = 0;
		range->after_len = 0;
		range->after_version = 0;
		range->after_sub = 0;
	}
	if (range->flags & (KREG_RANGE_EXACT | KREG_RANGE_PREFIX) || random_below(r, 2)) {
		range->high = 0;
		range->high_len = 0;
	}
	range->filter = random_terms(r, &range->filter_count);
}

static inline __u64 random_fields(struct random *r, __u32 *count)
{
	__u32 i;

	*count = 1 + random_below(r, RANDOM_ARRAY);
	for (i = 0; i < *count; i++) {
		struct kreg_field *f = &r->memory->fields[i];

		random_struct(r, "kreg_field", f);
		if (random_below(r, 3)) {
			f->code = 1 + random_below(r, 7);
			f->flags = KREG_FIELD_EXTEND | (random_below(r, 4) ? 0 : f->flags);
		}
		f->out = 0;
		if (f->code == KREG_FIELD_COPY) {
			f->operand = random_bytes(r);
			f->threshold = random_below(r, 3) ? random_below(r, 32) : f->threshold;
		}
	}
	return test_ptr(r->memory->fields);
}

static inline __u64 random_more(struct random *r)
{
	struct kreg_more *more = &r->memory->more[random_below(r, RANDOM_ARRAY)];

	random_struct(r, "kreg_more", more);
	more->size = sizeof(*more);
	if (random_below(r, 4))
		more->flags = 0;
	if (random_below(r, 2)) {
		more->idle_ms = 0;
		more->expires_ns = 0;
	}
	if (random_below(r, 2)) {
		more->linger_ms = 0;
		memset(&more->process, 0, sizeof(more->process));
	}
	if (!(more->flags & KREG_MORE_START)) {
		more->start = 0;
		more->start_len = 0;
	}
	more->filter = random_terms(r, &more->filter_count);
	return test_ptr(more);
}

/* One that the operation knows, or none; or any. */
static inline __u16 random_op_flags(struct random *r, __u16 code)
{
	static const __u16 known[] = {
		[KREG_OP_GET] = KREG_OP_PART | KREG_OP_MORE,
		[KREG_OP_MEMBER] = KREG_OP_MORE,
		[KREG_OP_PUT] = KREG_OP_NEW | KREG_OP_PRESENT | KREG_OP_VERSION | KREG_OP_MORE |
				KREG_OP_KEEP | KREG_OP_BOUND | KREG_OP_MINE | KREG_OP_VALUE,
		[KREG_OP_DELETE] = KREG_OP_VERSION | KREG_OP_MORE | KREG_OP_MINE | KREG_OP_VALUE,
		[KREG_OP_TAKE] = KREG_OP_VERSION | KREG_OP_MINE,
		[KREG_OP_EDIT] = KREG_OP_VERSION | KREG_OP_MORE | KREG_OP_MINE,
		[KREG_OP_PUBLISH] = 0,
	};
	__u16 flags = 1 << random_below(r, 9);

	if (random_once_in(r, 30))
		return random_flags(r);
	if (random_once_in(r, 10))
		flags |= 1 << random_below(r, 9);
	return code < ARRAY_SIZE(known) ? flags & known[code] : 0;
}

static inline void random_op(struct random *r, struct kreg_op *op)
{
	__u32 count;

	random_struct(r, "kreg_op", op);
	if (random_once_in(r, 30))
		return;
	op->code = random_once_in(r, 40) ? KREG_OP_CLEAR : 1 + random_below(r, 8);
	op->flags = random_op_flags(r, op->code);
	op->offset = 0;
	op->arg = 0;
	if (op->code == KREG_OP_CLEAR) {
		op->key = 0;
		op->key_len = 0;
	}
	if (op->code == KREG_OP_GET || op->code == KREG_OP_TAKE)
		op->value_len += 128;
	if (op->code == KREG_OP_MEMBER || op->code == KREG_OP_DELETE || op->code == KREG_OP_CLEAR) {
		op->value = 0;
		op->value_len = 0;
	}
	if (op->code == KREG_OP_EDIT) {
		op->value = random_fields(r, &count);
		op->value_len = count * sizeof(struct kreg_field);
	}
	if (op->flags & KREG_OP_MORE)
		op->arg = random_more(r);
	if (op->flags & KREG_OP_VALUE) {
		op->arg = random_bytes(r);
		op->offset = random_len(r);
	}
	if (op->flags & KREG_OP_VERSION)
		op->arg = r->versions[random_below(r, RANDOM_POOL)];
	if (op->flags & KREG_OP_PART)
		op->offset = random_below(r, 4);
}

static inline void random_batch(struct random *r, struct kreg_ioc_batch *batch)
{
	bool reads = random_below(r, 4) == 0;
	__u32 i;

	random_struct(r, "kreg_ioc_batch", batch);
	batch->size = sizeof(*batch);
	batch->count = 1 + random_below(r, RANDOM_ARRAY);
	batch->op_size = sizeof(struct kreg_op);
	batch->ops = random_once_in(r, 40) ? random_bad_pointer(r) : test_ptr(r->memory->ops);
	batch->deadline_ns = 0;
	for (i = 0; i < batch->count; i++) {
		do
			random_op(r, &r->memory->ops[i]);
		while ((r->memory->ops[i].code < KREG_OP_PUT) != reads && random_below(r, 50));
	}
}

#endif /* KREG_ABI_RANDOM_H */

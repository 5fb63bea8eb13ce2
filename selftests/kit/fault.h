/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Make calls fail in the middle: by failing the n-th allocation or user copy of this
 * thread (Documentation/fault-injection), or by memory of the caller that is
 * inaccessible from some byte on.
 */
#ifndef KREG_KIT_FAULT_H
#define KREG_KIT_FAULT_H

#include <sys/mman.h>

#include "kit/file.h"
#include "kit/op.h"

#define FAULT_DEBUGFS	"/sys/kernel/debug/"

/*
 * By default allocations that may sleep and single pages never fail, and each failure
 * prints a stack trace.
 */
static const char * const fault_settings[][2] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/verbose", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_usercopy/verbose", "0" },
};

/* Returns the file that makes calls of this thread fail, or -errno. */
static inline int fault_open(void)
{
	char path[128];
	unsigned int i;
	int fd, err;

	for (i = 0; i < ARRAY_SIZE(fault_settings); i++) {
		snprintf(path, sizeof(path), FAULT_DEBUGFS "%s",
			 fault_settings[i][0]);
		err = test_write_file(path, fault_settings[i][1]);
		if (err)
			return err;
	}
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static inline bool fault_arm(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fd, text, len, 0) == len;
}

/*
 * Whether the n-th allocation or copy was reached. If not, the counting goes on, and the
 * copies of this function's own calls may fail: hence the second try.
 */
static inline bool fault_disarm(int fd)
{
	char text[16] = "";
	bool hit = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	if (!fault_arm(fd, 0))
		fault_arm(fd, 0);
	return hit;
}

/* What a call has in the caller's memory, in the order in which call_place() writes it. */
enum part { PART_KEY, PART_VALUE, PART_OPS, PART_BATCHES, PART_ARG, PARTS };

struct span {
	__u64 *holder;		/* where its address is stored; NULL: not used */
	const void *from;	/* its content; NULL: room for an answer */
	__u32 len;
	bool out;		/* the call writes to it */
};

#define CALL_OPS	3

struct call {
	unsigned int cmd;
	__u64 address;		/* of @arg, as it was passed */
	struct span span[PARTS];
	struct kreg_op ops[CALL_OPS];
	union any arg;
};

/* Memory is accessible up to the first @keep bytes of this part. */
struct cut {
	enum part part;
	__u32 keep;
	int prot;		/* protection of the memory behind */
};

#define NO_CUT		((struct cut) { .part = PARTS })

/* Each part ends at the middle of an area, whose second half can be protected. */
#define AREA_HALF	(64U << 10)

struct areas {
	char *area[PARTS];
};

static inline bool areas_map(struct areas *areas)
{
	int i;

	for (i = 0; i < PARTS; i++) {
		areas->area[i] = mmap(NULL, 2 * AREA_HALF,
				      PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
				      -1, 0);
		if (areas->area[i] == MAP_FAILED)
			return false;
	}
	return true;
}

/* Put the first @keep bytes of a part directly in front of the protected half. */
static inline void *area_place(char *area, const struct span *span, __u32 keep,
			       int prot)
{
	char *fence = area + AREA_HALF;

	mprotect(fence, AREA_HALF, PROT_READ | PROT_WRITE);
	if (span->from)
		memcpy(fence - keep, span->from, span->len);
	else
		memset(fence - keep, 0, span->len);
	mprotect(fence, AREA_HALF, prot);
	return fence - keep;
}

static inline void call_place(struct areas *areas, struct call *c,
			      struct cut cut)
{
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		struct span *span = &c->span[i];
		bool here = i == cut.part;

		if (span->holder)
			*span->holder = test_ptr(area_place(areas->area[i], span,
							    here ? cut.keep : span->len,
							    here ? cut.prot : PROT_NONE));
	}
}

/*
 * The next place to try after @keep. Short parts are cut at every byte, longer ones at
 * some multiples of 8; the last operation of a batch at all of them.
 */
static inline __u32 cut_next(__u32 keep, __u32 len)
{
	__u32 last = len - sizeof(struct kreg_op);

	if (len <= 16)
		return keep + 1;
	if (len <= 160 || keep >= last)
		return keep + 8;
	keep += len / 4 & ~7U;
	return keep < last ? keep : last;
}

static inline void call_init(struct call *c, unsigned int cmd, __u32 size,
			     bool answers)
{
	memset(c, 0, sizeof(*c));
	c->cmd = cmd;
	c->arg.size = size;
	c->span[PART_ARG] = (struct span) {
		.holder = &c->address,
		.from = &c->arg,
		.len = size,
		.out = answers,
	};
}

static inline void call_in(struct call *c, enum part at, __u64 *holder,
			   const void *from, __u32 len)
{
	c->span[at] = (struct span) {
		.holder = holder, .from = from, .len = len,
	};
}

static inline void call_out(struct call *c, enum part at, __u64 *holder,
			    __u32 len)
{
	c->span[at] = (struct span) {
		.holder = holder, .len = len, .out = true,
	};
}

/* Number after @word in the fdinfo of a client, or -1. */
static inline long fault_fdinfo(pid_t pid, int fd, const char *word)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	test_read_file(path, text, sizeof(text));
	at = strstr(text, word);
	return at ? atol(at + strlen(word)) : -1;
}

#endif /* KREG_KIT_FAULT_H */

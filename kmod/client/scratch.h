/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for the time of a call, kept for the next one. Stock kernels clear what
 * they allocate, which for a batch is as dear as the work that is done in it.
 */
#ifndef KREG_CLIENT_SCRATCH_H
#define KREG_CLIENT_SCRATCH_H

#include <linux/types.h>

struct kreg_scratch_buf;

/*
 * What needs no more than this comes out of the slabs of 512 bytes. Where many are under way
 * at once, twice that costs much more.
 */
#define KREG_SCRATCH_SMALL	(512 - sizeof(size_t))

/* Zeroed: nothing is kept. */
struct kreg_scratch {
	struct kreg_scratch_buf *kept;
};

/* Sleeps. At least @size bytes, of any content; or NULL. */
void *kreg_scratch_get(struct kreg_scratch *s, size_t size);
/* Sleeps. Give them back, to be kept or freed. */
void kreg_scratch_put(struct kreg_scratch *s, void *bytes);
/* Sleeps. Free what is kept. */
void kreg_scratch_exit(struct kreg_scratch *s);

#endif /* KREG_CLIENT_SCRATCH_H */

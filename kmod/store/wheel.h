/* SPDX-License-Identifier: GPL-2.0 */
/* The timing wheel of a store, for wheel.c and for those who look whether it is right. */
#ifndef KREG_STORE_WHEEL_H
#define KREG_STORE_WHEEL_H

#include <linux/types.h>

#include "store/internal.h"

/* A tick is 2^22 nanoseconds, a little more than 4 ms. */
#define KREG_TICK_SHIFT		22
#define KREG_WHEEL_LEVELS	4
/* Slots of the finest level, and of each of the others. */
#define KREG_WHEEL_FINE		256
#define KREG_WHEEL_COARSE	64
#define KREG_WHEEL_SLOTS	(KREG_WHEEL_FINE + 3 * KREG_WHEEL_COARSE)

/**
 * struct kreg_wheel - live records that are timed, by when they are to be looked at
 * @base: tick up to which that was done; nothing is in a slot that ends before it
 * @next: no slot with a record begins before this tick; KREG_NEVER: there is none
 * @used: a bit for each slot that has a record
 * @heads: the first record of each slot, those of the finest level first
 *
 * A slot of the finest level is a tick long, one of the others as long as all of the level
 * before. Slot n of a level is the first that begins with that number, modulo the number of
 * slots, and is not before @base.
 */
struct kreg_wheel {
	u64 base;
	u64 next;
	u64 used[KREG_WHEEL_SLOTS / 64];
	u32 heads[KREG_WHEEL_SLOTS];
};

/* Any. Log2 of how many ticks a slot of @level has; how many slots that has, and the first. */
static inline u32 kreg_wheel_shift(u32 level)
{
	return level ? 2 + level * 6 : 0;
}

static inline u32 kreg_wheel_size(u32 level)
{
	return level ? KREG_WHEEL_COARSE : KREG_WHEEL_FINE;
}

static inline u32 kreg_wheel_first(u32 level)
{
	return level ? KREG_WHEEL_FINE + (level - 1) * KREG_WHEEL_COARSE : 0;
}

#endif /* KREG_STORE_WHEEL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Pins that other commands need for the length of a call. */
#ifndef KREG_CMD_PINNING_H
#define KREG_CMD_PINNING_H

#include <linux/types.h>

struct kreg_client;
struct kreg_snapshot;

/* So often it is tried without a pin to read all as of one moment. */
#define KREG_PIN_TRIES	4

/*
 * Sleeps. Pin the table @table for *@ms milliseconds at most, which becomes what the parameter
 * max_pin_ms allows (0: as long as may be); kreg_handle_cancel() with *@id ends that. Errors as of
 * KREG_IOC_PIN.
 */
int kreg_pin_table(struct kreg_client *cl, u64 table, u32 *ms, u64 *id, u64 *version);

/*
 * Sleeps. A pin of the table for the length of a call, to be ended by the other function: a
 * reference to it, or ERR_PTR() with the same errors; -ESTALE.
 */
struct kreg_snapshot *kreg_pin_for_call(struct kreg_client *cl, u64 table, u64 *id);
void kreg_pin_end_call(struct kreg_client *cl, struct kreg_snapshot *snap, u64 id);

#endif /* KREG_CMD_PINNING_H */

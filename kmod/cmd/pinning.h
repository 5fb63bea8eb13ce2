/* SPDX-License-Identifier: GPL-2.0 */
/* Pins that other commands need for the length of a call. */
#ifndef KREG_CMD_PINNING_H
#define KREG_CMD_PINNING_H

#include <linux/types.h>

struct kreg_client;

/*
 * Sleeps. Pin the table @table for *@ms milliseconds at most, which becomes what the parameter
 * max_pin_ms allows (0: as long as may be); kreg_handle_cancel() with *@id ends that. Errors as of
 * KREG_IOC_PIN.
 */
int kreg_pin_table(struct kreg_client *cl, u64 table, u32 *ms, u64 *id, u64 *version);

#endif /* KREG_CMD_PINNING_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Waits for a key or a name: the kinds of WATCH that end with READY. */
#ifndef KREG_CMD_WAIT_H
#define KREG_CMD_WAIT_H

struct kreg_call;
struct kreg_ioc_watch;

/* Any. What a WATCH of one of these kinds says. */
int kreg_wait_check(const struct kreg_ioc_watch *arg);
/* Sleeps. Perform it, once that is checked. */
int kreg_wait_perform(struct kreg_call *call);

#endif /* KREG_CMD_WAIT_H */

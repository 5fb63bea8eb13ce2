/* SPDX-License-Identifier: GPL-2.0 */
/* REGISTER, between its two files: register.c registers, register_line.c stands in line. */
#ifndef KREG_CMD_REGISTER_LINE_H
#define KREG_CMD_REGISTER_LINE_H

struct kreg_call;
struct kreg_client;
struct kreg_ioc_register;
struct kreg_proc;

/*
 * Sleeps. Who has the key. -EAGAIN: one who is dead, whose death has been handled now; 1: one who
 * is exiting; -EALREADY: @p; -ENODATA: nobody; else 0. As kreg_find_table(); -EFAULT, -EINTR.
 */
int kreg_register_look(struct kreg_client *cl, const struct kreg_ioc_register *arg,
		       const struct kreg_proc *p);
/*
 * Sleeps. Have @p stand in the line of the key: asleep until it is its turn, or not. The out_
 * members are filled in. Errors as the ABI header says.
 */
int kreg_register_in_line(struct kreg_call *call, struct kreg_proc *p);

#endif /* KREG_CMD_REGISTER_LINE_H */

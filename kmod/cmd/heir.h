/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Naming an heir, at creation or later.
 */
#ifndef KREG_CMD_HEIR_H
#define KREG_CMD_HEIR_H

#include <linux/kreg.h>

struct kreg_table_req;

/* Get what it takes: the process (pid 0: none), its record, the data. May sleep. */
int kreg_heir_bring(struct kreg_table_req *c, const struct kreg_process *heir, bool silent,
		    const void *data, u32 data_len);
/* Turn. Make it so, if the client is the owner; */
int kreg_heir_apply(struct kreg_table_req *c);
/* in two parts: whether it can be, and then, without fail, that it is. */
int kreg_heir_check(const struct kreg_table_req *c);
void kreg_heir_commit(struct kreg_table_req *c);

#endif /* KREG_CMD_HEIR_H */

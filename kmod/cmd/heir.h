/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Naming an heir, at creation or later.
 */
#ifndef KREG_CMD_HEIR_H
#define KREG_CMD_HEIR_H

#include <linux/kreg.h>

struct kreg_table_req;

/*
 * Sleeps. Bring what naming @heir takes: the process (pid 0: none), its record, the data.
 * -ESRCH, -ENOTCONN, -ENOMEM, kreg_over_limit(), kreg_denied().
 */
int kreg_heir_bring(struct kreg_table_req *c, const struct kreg_process *heir, bool silent,
		    const void *data, u32 data_len);
/* Turn. Name the heir, if the client is the owner and it can be. */
int kreg_heir_apply(struct kreg_table_req *c);
/* Turn. Whether the heir can be named. -ESRCH, -ENOTCONN, kreg_denied(). */
int kreg_heir_check(const struct kreg_table_req *c);
/* Turn. Name it; this cannot fail. */
void kreg_heir_commit(struct kreg_table_req *c);

#endif /* KREG_CMD_HEIR_H */

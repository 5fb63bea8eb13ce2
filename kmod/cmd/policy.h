/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options of a table that concern roles: whom it follows, who may write, how many deaths.
 */
#ifndef KREG_CMD_POLICY_H
#define KREG_CMD_POLICY_H

#include <linux/kreg.h>

struct kreg_table_req;

/* Any. What the struct says of the option. -EINVAL. */
int kreg_policy_check_option(const struct kreg_ioc_setopt *arg);
/*
 * Sleeps. Bring what the option takes. -ESTALE, -EINVAL: there is no such role; -EACCES, -EXDEV,
 * -ENOMEM, kreg_over_limit(), kreg_denied().
 */
int kreg_policy_bring(struct kreg_table_req *c, const struct kreg_ioc_setopt *arg);
/* Turn. Set it, if the client is the owner and the table can have it. */
int kreg_policy_apply_role(struct kreg_table_req *c);
int kreg_policy_apply_writer(struct kreg_table_req *c);
int kreg_policy_apply_limit(struct kreg_table_req *c);

#endif /* KREG_CMD_POLICY_H */

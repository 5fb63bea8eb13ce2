/* SPDX-License-Identifier: GPL-2.0 */
/* Edits on their way through the thread, which may have them longer than their caller. */
#ifndef KREG_CMD_EDIT_COPY_H
#define KREG_CMD_EDIT_COPY_H

#include "store/edit.h"

/* Sleeps. A copy with all that the caller has brought; or NULL. */
struct kreg_edit *kreg_edit_clone(const struct kreg_edit *e);
/* Sleeps. What has come of the copy @from goes to @to. */
void kreg_edit_take(struct kreg_edit *to, struct kreg_edit *from);
/* Sleeps. Free a copy, or NULL. */
void kreg_edit_free(struct kreg_edit *e);
/* Sleeps. Give back what was handed out, if there is something. */
void kreg_edit_put_base(struct kreg_edit *e);

#endif /* KREG_CMD_EDIT_COPY_H */

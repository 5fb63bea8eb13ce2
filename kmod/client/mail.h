/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mail: records for a process. Who promises a record has it allocated and charged
 * (mailbox.h says what that is good for).
 *
 * DOC: Shares
 *
 * A mailbox is its owner's. Another user may have a quarter of it, in records and in
 * bytes, and all others together three quarters: so no stranger can fill it, and the
 * owner's own processes always find room. Root is no stranger.
 */
#ifndef KREG_CLIENT_MAIL_H
#define KREG_CLIENT_MAIL_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct kreg_client;
struct kreg_mail;
struct kreg_mailbox;
struct kreg_proc;

/*
 * Sleeps. @from promises a TRANSFER record to @to under @uid. ERR_PTR: kreg_over_limit() if
 * the mailboxes of @to are full, or the share of the user of @from in them; -ENOMEM.
 */
struct kreg_mail *kreg_mail_alloc(const struct kreg_client *from, struct kreg_proc *to,
				  kuid_t uid, const void *name, u32 name_len,
				  const void *data, u32 data_len);
/* Any. NULL is allowed. */
void kreg_mail_free(struct kreg_mail *mail);
/* Any. Free what has not been read. */
void kreg_mail_free_all(struct kreg_mailbox *box);

#endif /* KREG_CLIENT_MAIL_H */

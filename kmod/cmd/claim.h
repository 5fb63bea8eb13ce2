/* SPDX-License-Identifier: GPL-2.0 */
/* OPEN, between its two files: open.c finds and creates tables, claim.c claims them. */
#ifndef KREG_CMD_CLAIM_H
#define KREG_CMD_CLAIM_H

#include <linux/types.h>

struct kreg_call;
struct kreg_client;
struct kreg_ioc_open;
struct kreg_table;

struct kreg_open {
	struct kreg_call *call;
	struct kreg_ioc_open *arg;	/* checked; out_ members are filled in */
	const u8 *name;
	const void *data;
};

/*
 * Sleeps. The answer is written before anything is changed, so that nothing can fail after.
 * -EFAULT.
 */
int kreg_open_answer(struct kreg_open *open, struct kreg_table *t, u32 how, u64 id);
/* Any. Whether @t is a table of the user whom the caller trusts alone. kreg_denied(). */
int kreg_open_check_user(const struct kreg_client *cl, const struct kreg_open *open,
			 const struct kreg_table *t);
/* Sleeps. Whether @t has the schema that is asked for; if not, it is told. -EPROTOTYPE, -EFAULT. */
int kreg_open_check_schema(struct kreg_open *open, struct kreg_table *t);
/* Sleeps. Claim @t, or stand in its line. Takes the reference over. */
int kreg_open_claim(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t);

#endif /* KREG_CMD_CLAIM_H */

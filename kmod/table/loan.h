/* SPDX-License-Identifier: GPL-2.0 */
/* Loans of objects: how many there were, and their end. */
#ifndef KREG_TABLE_LOAN_H
#define KREG_TABLE_LOAN_H

#include <linux/types.h>

struct kreg_bond;

/* RCU, or Turn. How often the object of the bond was lent; 0: it is no lease. */
u32 kreg_loan_number(struct kreg_bond *b);
/* Turn. @b is a new lease of an object whose bond was @old, or NULL. Returns its number. */
u32 kreg_loan_count(struct kreg_bond *b, struct kreg_bond *old);
/*
 * Turn. The loan has ended, and whoever waits for the object or subscribes is told that it is
 * there. Nothing, if that was so before.
 */
void kreg_loan_end(struct kreg_bond *b);

#endif /* KREG_TABLE_LOAN_H */

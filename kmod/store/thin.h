/* SPDX-License-Identifier: GPL-2.0 */
/* Sparse chunks are emptied: see thin.c. */
#ifndef KREG_STORE_THIN_H
#define KREG_STORE_THIN_H

#include <linux/types.h>

#include "store/internal.h"

/*
 * Turn, and no write is under way. Begin a round, in which chunks are emptied of which less than
 * @most percent is used, whether much memory is wasted or not.
 */
void kreg_thin_begin(struct kreg_store *s, unsigned int most);
/*
 * Turn, and no write is under way. Some @budget steps of a round, which begins if there is much
 * more memory than records. False: there is nothing to do now.
 */
bool kreg_thin_step(struct kreg_store *s, unsigned int budget);

#endif /* KREG_STORE_THIN_H */

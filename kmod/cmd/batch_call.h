/* SPDX-License-Identifier: GPL-2.0 */
/* What a batch of writes and a group of several have in common, from the caller and back. */
#ifndef KREG_CMD_BATCH_CALL_H
#define KREG_CMD_BATCH_CALL_H

#include <linux/kernel.h>
#include <linux/kreg.h>
#include <linux/types.h>

struct kreg_batch;
struct kreg_client;
struct kreg_op_list;

/* Any. Where the caller has operation @i. */
static inline void __user *kreg_batch_user_op(const struct kreg_ioc_batch *arg, u32 i)
{
	return u64_to_user_ptr(arg->ops) + (size_t)i * arg->op_size;
}

/*
 * batch_ops.c. Sleeps. Check what @arg says, and copy its operations, to be given back by
 * kreg_batch_put_ops(). -EINVAL, -EFBIG, -E2BIG, -EOPNOTSUPP, -EFAULT, -ENOMEM.
 */
int kreg_batch_get_ops(struct kreg_client *cl, const struct kreg_ioc_batch *arg,
		       struct kreg_op_list *ops);
void kreg_batch_put_ops(struct kreg_client *cl, struct kreg_op_list *ops);
/* batch_ops.c. Any. What the file has to be opened for. */
fmode_t kreg_batch_mode(const struct kreg_op_list *ops);
/*
 * Sleeps. What is written back after the fact must not fail then: see that it is writable, without
 * touching it. -EFAULT.
 */
int kreg_batch_probe_outs(const struct kreg_ioc_batch *arg);
/* Sleeps. A batch of all or nothing, with keys and values, that needs only to be applied. */
struct kreg_batch *kreg_batch_make(struct kreg_client *cl, u64 table,
				   const struct kreg_op_list *ops);
/*
 * Sleeps. Tell what became of each operation, as far as the memory can be written: what they did
 * cannot be undone.
 */
void kreg_batch_put_results(const struct kreg_ioc_batch *arg, struct kreg_batch *b, u64 version);

#endif /* KREG_CMD_BATCH_CALL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of the device: here, and in device.c, user pointers end.
 *
 * A file for a family of commands, from the struct to the effect. Each has the same parts,
 * in this order:
 *
 *	check_x()	what the struct says, without looking at anything else
 *	(prepare)	in the caller's context: table, rights, memory; may sleep
 *	apply_x()	under the turn: rights once more, then the effect; cannot fail after that
 *	kreg_cmd_x()	the row of the table in dispatch.c
 */
#ifndef KREG_CMD_CMD_H
#define KREG_CMD_CMD_H

#include <linux/errno.h>
#include <linux/kreg.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct kreg_client;

/* A call under way: the caller's struct and the kernel's copy of it. */
struct kreg_call {
	struct kreg_client *client;
	void __user *user;
	u32 user_size;
	void *arg;
};

long kreg_cmd_ioctl(struct kreg_client *cl, unsigned int cmd, void __user *user);
/* The same for KREG_IOC_OP, the command that is there for speed. */
long kreg_cmd_ioctl_op(struct kreg_client *cl, void __user *user);

/* What the caller is told: any kreg_over_limit() is EDQUOT. */
int kreg_cmd_errno(int err);

/*
 * Copy the out_ members at @offset, @len bytes, back, as far as the caller's
 * struct has them.
 */
int kreg_cmd_answer(const struct kreg_call *call, size_t offset, size_t len);

/* All from @_member on. */
#define kreg_cmd_answer_from(call, type, _member)			\
	kreg_cmd_answer(call, offsetof(type, _member),			\
			 sizeof(type) - offsetof(type, _member))

/*
 * Copies from the user's memory: NULL for none; ERR_PTR. To be freed with
 * kvfree(). A name: -EINVAL for a NUL in it, -ENAMETOOLONG.
 */
void *kreg_cmd_get_bytes(u64 user, u32 len);
u8 *kreg_cmd_get_name(u64 user, u32 len);

static inline bool kreg_cmd_no_process(const struct kreg_process *p)
{
	return !p->pid && !p->cookie;
}

/* Permission bits of a table. */
#define KREG_MODE_BITS	0666

/* The commands. */
int kreg_cmd_query(struct kreg_call *call);
int kreg_cmd_whois(struct kreg_call *call);
int kreg_cmd_open(struct kreg_call *call);
int kreg_cmd_destroy(struct kreg_call *call);
int kreg_cmd_give(struct kreg_call *call);
int kreg_cmd_setopt(struct kreg_call *call);
int kreg_cmd_op(struct kreg_call *call);
int kreg_cmd_batch(struct kreg_call *call);
int kreg_cmd_sync(struct kreg_call *call);
int kreg_cmd_scan(struct kreg_call *call);
int kreg_cmd_info(struct kreg_call *call);
int kreg_cmd_list(struct kreg_call *call);

#endif /* KREG_CMD_CMD_H */

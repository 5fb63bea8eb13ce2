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

/* Sleeps. Any command, by its number. */
long kreg_cmd_ioctl(struct kreg_client *cl, unsigned int cmd, void __user *user);
/* Sleeps. The same for KREG_IOC_OP, the command that is there for speed, of a KREG_CLIENT_RW. */
long kreg_cmd_ioctl_op(struct kreg_client *cl, void __user *user);

/*
 * Any. What the caller is told of an error: -EDQUOT or -EAGAIN for a kreg_over_limit(), -EPERM
 * for a kreg_denied().
 */
int kreg_cmd_errno(int err);

/*
 * Sleeps. Copy the @len bytes of out_ members at @offset back, as far as the caller's
 * struct has them. -EFAULT.
 */
int kreg_cmd_answer(const struct kreg_call *call, size_t offset, size_t len);

/* Sleeps. The same for all from @_member on. */
#define kreg_cmd_answer_from(call, type, _member)			\
	kreg_cmd_answer(call, offsetof(type, _member),			\
			 sizeof(type) - offsetof(type, _member))

/*
 * Sleeps. A copy of @len bytes of the user's memory, to be freed with kvfree(); NULL if
 * there are none. ERR_PTR(): -ENOMEM, -EFAULT.
 */
void *kreg_cmd_get_bytes(u64 user, u32 len);
/* Sleeps. The same for a name; also -ENAMETOOLONG, and -EINVAL if there is a NUL in it. */
u8 *kreg_cmd_get_name(u64 user, u32 len);

static inline bool kreg_cmd_no_process(const struct kreg_process *p)
{
	return !p->pid && !p->cookie;
}

/* Permission bits of a table. */
#define KREG_MODE_BITS	0666

/* Sleeps, all of them. The commands; errors as the ABI header says. */
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
int kreg_cmd_register(struct kreg_call *call);
int kreg_cmd_lease(struct kreg_call *call);
int kreg_cmd_watch(struct kreg_call *call);
int kreg_cmd_cancel(struct kreg_call *call);
int kreg_cmd_subscribe(struct kreg_call *call);
int kreg_cmd_ack(struct kreg_call *call);
int kreg_cmd_pin(struct kreg_call *call);
int kreg_cmd_rename(struct kreg_call *call);
int kreg_cmd_group(struct kreg_call *call);
int kreg_cmd_change(struct kreg_call *call);

#endif /* KREG_CMD_CMD_H */

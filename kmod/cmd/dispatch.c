// SPDX-License-Identifier: GPL-2.0
/* Find the command by its number and copy its struct in; the commands check what it says. */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "client/limits.h"
#include "cmd/cmd.h"
#include "store/gfp.h"

#define MAX_ARG		sizeof(struct kreg_ioc_change)

struct command {
	unsigned int cmd;
	u16 min_size;			/* of the first version */
	u16 size;			/* as this kernel knows it */
	u16 limit;			/* offset of out_limit, or 0 */
	int (*fn)(struct kreg_call *call);
};

/* @_last: the last member of the first version; @_limit: offset of out_limit, or 0. */
#define COMMAND(_name, _fn, _struct, _last, _limit)			\
	[KREG_CMD_##_name] = {						\
		.cmd = KREG_IOC_##_name,				\
		.min_size = offsetofend(_struct, _last),		\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(_struct) > MAX_ARG) +	\
			BUILD_BUG_ON_ZERO(sizeof(_struct) % 8),		\
		.limit = _limit,					\
		.fn = _fn,						\
	}

#define LIMIT_OF(_struct)	offsetof(_struct, out_limit)

static const struct command commands[] = {
	COMMAND(QUERY, kreg_cmd_query, struct kreg_ioc_query, out_max_batch_bytes, 0),
	COMMAND(WHOIS, kreg_cmd_whois, struct kreg_ioc_whois, out_process, 0),
	COMMAND(OPEN, kreg_cmd_open, struct kreg_ioc_open, out_reserved,
		LIMIT_OF(struct kreg_ioc_open)),
	COMMAND(DESTROY, kreg_cmd_destroy, struct kreg_ioc_table, table, 0),
	COMMAND(GIVE, kreg_cmd_give, struct kreg_ioc_give, out_limit,
		LIMIT_OF(struct kreg_ioc_give)),
	COMMAND(SETOPT, kreg_cmd_setopt, struct kreg_ioc_setopt, out_reserved,
		LIMIT_OF(struct kreg_ioc_setopt)),
	COMMAND(OP, kreg_cmd_op, struct kreg_ioc_op, op, LIMIT_OF(struct kreg_ioc_op)),
	COMMAND(BATCH, kreg_cmd_batch, struct kreg_ioc_batch, out_reserved,
		LIMIT_OF(struct kreg_ioc_batch)),
	COMMAND(SYNC, kreg_cmd_sync, struct kreg_ioc_sync, out_reserved,
		LIMIT_OF(struct kreg_ioc_sync)),
	COMMAND(SCAN, kreg_cmd_scan, struct kreg_ioc_scan, out_reserved, 0),
	COMMAND(INFO, kreg_cmd_info, struct kreg_ioc_info, info, 0),
	COMMAND(LIST, kreg_cmd_list, struct kreg_ioc_list, out_more, 0),
	COMMAND(WATCH, kreg_cmd_watch, struct kreg_ioc_watch, out_reserved,
		LIMIT_OF(struct kreg_ioc_watch)),
	COMMAND(CANCEL, kreg_cmd_cancel, struct kreg_ioc_cancel, id, 0),
	COMMAND(REGISTER, kreg_cmd_register, struct kreg_ioc_register, out_limit,
		LIMIT_OF(struct kreg_ioc_register)),
	COMMAND(SUBSCRIBE, kreg_cmd_subscribe, struct kreg_ioc_subscribe, out_reserved,
		LIMIT_OF(struct kreg_ioc_subscribe)),
	COMMAND(ACK, kreg_cmd_ack, struct kreg_ioc_ack, seq, 0),
	COMMAND(PIN, kreg_cmd_pin, struct kreg_ioc_pin, out_reserved,
		LIMIT_OF(struct kreg_ioc_pin)),
	COMMAND(RENAME, kreg_cmd_rename, struct kreg_ioc_rename, out_reserved,
		LIMIT_OF(struct kreg_ioc_rename)),
	COMMAND(CHANGE, kreg_cmd_change, struct kreg_ioc_change, out_reserved,
		LIMIT_OF(struct kreg_ioc_change)),
	COMMAND(GROUP, kreg_cmd_group, struct kreg_ioc_group, out_limit,
		LIMIT_OF(struct kreg_ioc_group)),
	COMMAND(LEASE, kreg_cmd_lease, struct kreg_ioc_lease, out_reserved2,
		LIMIT_OF(struct kreg_ioc_lease)),
};

static enum kreg_limit limit_of(int err)
{
	if (err == -ENOSPC)
		return KREG_LIMIT_TABLE;
	return err < kreg_over_limit(KREG_LIMIT_NONE) ? -err - KREG_OVER_LIMIT : KREG_LIMIT_NONE;
}

int kreg_cmd_errno(int err)
{
	if (likely(err >= kreg_over_limit(KREG_LIMIT_NONE)))
		return err;
	if (err <= kreg_denied(KREG_DENIED_PARK))
		return -EPERM;
	switch (-err - KREG_OVER_LIMIT) {
	/* These pass by themselves. */
	case KREG_LIMIT_QUEUED:
	case KREG_LIMIT_USER_QUEUED:
	case KREG_LIMIT_USER_QUEUED_BYTES:
		return -EAGAIN;
	default:
		return -EDQUOT;
	}
}

/* Tell which limit was reached, or why not, if the caller's struct has the member for it. */
static int tell_limit(const struct kreg_call *call, const struct command *c, int err)
{
	u32 limit = limit_of(err);

	if ((limit || err == -EPERM) && c->limit && call->user_size >= c->limit + sizeof(limit) &&
	    put_user(limit, (u32 __user *)(call->user + c->limit)))
		return -EFAULT;
	return kreg_cmd_errno(err);
}

long kreg_cmd_ioctl(struct kreg_client *cl, unsigned int cmd, void __user *user)
{
	u64 arg[DIV_ROUND_UP(MAX_ARG, 8)];
	struct kreg_call call = { .client = cl, .user = user, .arg = arg };
	unsigned int nr = _IOC_NR(cmd);
	const struct command *c;
	int err;

	if (nr >= ARRAY_SIZE(commands))
		return -ENOTTY;
	c = &commands[array_index_nospec(nr, ARRAY_SIZE(commands))];
	if (cmd != c->cmd)
		return -ENOTTY;
	if (get_user(call.user_size, (u32 __user *)user))
		return -EFAULT;
	if (call.user_size < c->min_size)
		return -EINVAL;
	if (call.user_size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, c->size, user, call.user_size);
	if (!err)
		err = c->fn(&call);
	return likely(!err) ? 0 : tell_limit(&call, c, err);
}

int kreg_cmd_answer(const struct kreg_call *call, size_t offset, size_t len)
{
	if (offset >= call->user_size)
		return 0;
	len = min_t(size_t, len, call->user_size - offset);
	return copy_to_user(call->user + offset, call->arg + offset, len) ? -EFAULT : 0;
}

void *kreg_cmd_get_bytes(u64 user, u32 len)
{
	void *bytes;

	if (!len)
		return NULL;
	bytes = kvmalloc(len, KREG_GFP_USER);
	if (!bytes)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(bytes, u64_to_user_ptr(user), len))
		return bytes;
	kvfree(bytes);
	return ERR_PTR(-EFAULT);
}

u8 *kreg_cmd_get_name(u64 user, u32 len)
{
	u8 *name;

	if (len > KREG_MAX_NAME)
		return ERR_PTR(-ENAMETOOLONG);
	name = kreg_cmd_get_bytes(user, len);
	if (IS_ERR_OR_NULL(name) || !memchr(name, 0, len))
		return name;
	kvfree(name);
	return ERR_PTR(-EINVAL);
}

// SPDX-License-Identifier: GPL-2.0
/* Telling about tables. */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "cmd/ops.h"
#include "table/table.h"
#include "cmd/cmd.h"

static int check_room(u32 len)
{
	if (len < 8 || len % 8)
		return -EINVAL;
	return len > PAGE_SIZE ? -E2BIG : 0;
}

static int put_info(void __user *user, u32 room, struct kreg_info *info)
{
	u32 len = min_t(u32, room, sizeof(*info));

	info->size = len;
	if (copy_to_user(user, info, len) || clear_user(user + len, room - len))
		return -EFAULT;
	return 0;
}

static struct kreg_table *get_table(struct kreg_call *call)
{
	const struct kreg_ioc_info *arg = call->arg;
	struct kreg_table *t;
	u8 *name;

	if (arg->table)
		return kreg_ops_get_table(call->client, arg->table);
	name = kreg_uapi_get_name(arg->name, arg->name_len);
	if (IS_ERR(name))
		return ERR_CAST(name);
	t = kreg_ops_find_table(call->client, name, arg->name_len);
	kvfree(name);
	return t;
}

int kreg_uapi_info(struct kreg_call *call)
{
	const struct kreg_ioc_info *arg = call->arg;
	struct kreg_info info;
	struct kreg_table *t;
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;
	/* By id or by name. */
	if (!arg->table == !arg->name_len || (arg->table && arg->name))
		return -EINVAL;
	err = check_room(arg->info_len);
	if (err)
		return err;
	t = get_table(call);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = kreg_ops_info(call->client, t, &info);
	kreg_table_put(t);
	return err ?: put_info(u64_to_user_ptr(arg->info), arg->info_len, &info);
}

/* 1: one more; 0: no table is left; or an error. */
static int list_one(struct kreg_call *call, u64 *after)
{
	struct kreg_ioc_list *arg = call->arg;
	void __user *user = u64_to_user_ptr(arg->infos) + (u64)arg->out_count * arg->info_len;
	struct kreg_info info;
	struct kreg_table *t;
	int err;

	t = kreg_ops_next_table(call->client, *after);
	if (IS_ERR_OR_NULL(t))
		return PTR_ERR_OR_ZERO(t);
	*after = t->id;
	err = kreg_ops_info(call->client, t, &info);
	kreg_table_put(t);
	/* Gone or closed to us meanwhile: it is not on the list. */
	if (err)
		return 1;
	err = put_info(user, arg->info_len, &info);
	if (err)
		return err;
	arg->out_count++;
	return 1;
}

int kreg_uapi_list(struct kreg_call *call)
{
	struct kreg_ioc_list *arg = call->arg;
	u64 after = arg->after;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (!arg->max_count)
		return -EINVAL;
	ret = check_room(arg->info_len);
	if (ret)
		return ret;
	arg->out_count = 0;
	do {
		ret = list_one(call, &after);
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	} while (ret > 0 && arg->out_count < arg->max_count);
	if (ret < 0)
		return ret;
	arg->out_more = ret;
	return kreg_uapi_answer_from(call, struct kreg_ioc_list, out_count);
}

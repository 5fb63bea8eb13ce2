// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

#include "client/client.h"
#include "client/mail.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/heir.h"
#include "store/gfp.h"
#include "table/access.h"
#include "table/request.h"
#include "table/table.h"

int kreg_heir_bring(struct kreg_table_req *c, const struct kreg_process *heir, bool silent,
		    const void *data, u32 data_len)
{
	struct kreg_table *t = c->table;
	u8 name[KREG_MAX_NAME] __uninitialized;
	struct kreg_mail *mail;
	struct kreg_proc *to;
	int err;

	if (!heir->pid)
		return 0;
	to = kreg_proc_find(heir->pid, heir->cookie);
	if (IS_ERR(to))
		return PTR_ERR(to);
	c->to = to;
	c->to_uid = kreg_client_user_of(to, c->client);
	c->silent = silent;
	if (silent)
		return 0;
	if (data_len) {
		c->data = kmemdup(data, data_len, KREG_GFP_USER);
		if (!c->data)
			return -ENOMEM;
		c->data_len = data_len;
	}
	if (to == c->client->proc)
		return 0;
	err = kreg_client_may_take(to, c->to_uid, c->client->ns, c->client->uid);
	if (err)
		return err;
	mail = kreg_mail_alloc(c->client, to, c->to_uid, name, kreg_table_copy_name(t, name), data,
			       data_len);
	if (IS_ERR(mail))
		return PTR_ERR(mail);
	c->mail = mail;
	return 0;
}

int kreg_heir_check(const struct kreg_table_req *c)
{
	if (!c->to)
		return 0;
	if (kreg_proc_exiting(c->to))
		return -ESRCH;
	if (kreg_table_req_check_name(c))
		return -EAGAIN;
	return kreg_client_may_take(c->to, c->to_uid, c->client->ns, c->client->uid);
}

void kreg_heir_commit(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;

	kreg_table_set_heir(t, c->to, c->to_uid);
	t->heir_from = c->client->uid;
	t->mail = c->mail;
	c->mail = NULL;
	t->heir_silent = c->silent;
	t->heir_on_crash = c->on_crash;
	/* The old data is freed with the request. */
	swap(t->heir_data, c->data);
	if (c->data_len != t->heir_data_len)
		kreg_user_count_in(t->user, KREG_QUOTA_BYTES,
				   (s64)c->data_len - t->heir_data_len);
	t->heir_data_len = c->data_len;
}

int kreg_heir_apply(struct kreg_table_req *c)
{
	int err = kreg_table_may_pass_on(c->table, c->client);

	if (!err)
		err = kreg_heir_check(c);
	if (!err)
		kreg_heir_commit(c);
	return err;
}

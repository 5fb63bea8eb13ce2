// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/sched.h>

#include "client/carry.h"
#include "client/client.h"
#include "client/proc.h"

/* The file is closed when execve(2) has succeeded, and nobody else has a descriptor of it. */
void kreg_carry_note(struct kreg_client *cl, const struct file *file)
{
	if (current->in_execve && file_count(file) == 1 && kreg_proc_is_current(cl->proc))
		cl->executes = true;
}

/* The file is released before the new program runs, and with its credentials. */
static bool goes_on(const struct kreg_client *cl)
{
	return cl->executes && cl->mode == KREG_CLIENT_RW &&
	       kreg_proc_is_current(cl->proc) && uid_eq(current_fsuid(), cl->uid);
}

kuid_t kreg_carry_begin(struct kreg_client *cl, struct kreg_mailbox *old)
{
	struct kreg_carried *c = &cl->proc->carried;
	kuid_t before = c->uid;

	lockdep_assert_held(&cl->proc->lock);
	if (!goes_on(cl))
		return kreg_carry_find(cl->proc, cl->uid) ? INVALID_UID : cl->uid;
	kreg_mailbox_move(old, &c->box);
	kreg_mailbox_move(&c->box, &cl->box);
	c->uid = cl->uid;
	c->accept = cl->accept;
	c->ns = cl->ns;
	return before;
}

void kreg_carry_end(struct kreg_client *cl)
{
	struct kreg_carried *c = kreg_carry_find(cl->proc, cl->uid);

	if (!c || cl->mode != KREG_CLIENT_RW)
		return;
	kreg_mailbox_move(&cl->box, &c->box);
	cl->accept = c->accept;
	c->uid = INVALID_UID;
}

struct kreg_carried *kreg_carry_find(struct kreg_proc *p, kuid_t uid)
{
	lockdep_assert_held(&p->lock);
	return uid_valid(uid) && uid_eq(p->carried.uid, uid) ? &p->carried : NULL;
}

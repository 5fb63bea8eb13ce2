// SPDX-License-Identifier: GPL-2.0
/* The device: open, close, ioctl, read, poll. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "client/carry.h"
#include "client/client.h"
#include "client/clock.h"
#include "client/handle.h"
#include "client/mail.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/events.h"
#include "cmd/sync.h"
#include "device.h"
#include "event/down.h"
#include "table/owner.h"
#include "table/standby.h"

static int kreg_open_file(struct inode *inode, struct file *file)
{
	struct kreg_client *cl = kreg_client_open(file->f_cred, file->f_mode);

	if (IS_ERR(cl))
		return kreg_cmd_errno(PTR_ERR(cl));
	file->private_data = cl;
	return stream_open(inode, file);
}

/* A descriptor is closed. The file is released when that was the last one. */
static int kreg_flush(struct file *file, fl_owner_t id)
{
	struct kreg_client *cl = file->private_data;

	kreg_carry_note(cl, file);
	/* Another process may have the file open still, which can do nothing with it. */
	if (kreg_proc_is_current(cl->proc) && kreg_proc_exiting(cl->proc))
		kreg_events_end_all(cl);
	return 0;
}

static int kreg_release(struct inode *inode, struct file *file)
{
	struct kreg_client *cl = file->private_data;
	kuid_t uid;

	kreg_client_flush(cl);
	kreg_handle_end_all(cl);
	uid = kreg_client_close(cl);
	if (uid_valid(uid))
		kreg_table_end_heirships(cl->proc, uid);
	kreg_client_put(cl);
	return 0;
}

static long kreg_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kreg_client *cl = file->private_data;

	if (unlikely(!kreg_proc_is_current(cl->proc)))
		return -ENXIO;
	/* Any other is asked, on the longer way, what it was opened for. */
	if (likely(cmd == KREG_IOC_OP && cl->mode == KREG_CLIENT_RW))
		return kreg_cmd_ioctl_op(cl, (void __user *)arg);
	return kreg_cmd_ioctl(cl, cmd, (void __user *)arg);
}

/* The kernel's time goes into the mail, and the reader's out of it. */
static int put_mail(char __user *buf, const struct kreg_mail *mail)
{
	struct kreg_event event = mail->event;

	event.time_ns = kreg_clock_to_user(ns_to_ktime(event.time_ns));
	if (copy_to_user(buf, &event, sizeof(event)) ||
	    copy_to_user(buf + sizeof(event), mail->tail, event.size - sizeof(event)))
		return -EFAULT;
	return 0;
}

/* Whole records, as many as fit. Returns the bytes, 0: there is none. */
static ssize_t read_mails(struct kreg_client *cl, char __user *buf, size_t len)
{
	struct kreg_mail *mail;
	size_t done = 0;

	while ((mail = kreg_mailbox_take(&cl->box, len - done))) {
		/* The first is too long, or one more does not fit. */
		if (IS_ERR(mail))
			return done ?: PTR_ERR(mail);
		if (put_mail(buf + done, mail)) {
			kreg_mailbox_put_back(&cl->box, mail);
			return done ?: -EFAULT;
		}
		done += mail->event.size;
		kreg_mail_free(mail);
	}
	return done;
}

/* Mail comes first, and then events, if all of the mail has fitted. */
static ssize_t read_records(struct kreg_client *cl, char __user *buf, size_t len)
{
	ssize_t mails = read_mails(cl, buf, len), events;

	if (mails < 0 || !kreg_mailbox_is_empty(&cl->box))
		return mails;
	events = kreg_events_read(cl, buf + mails, len - mails);
	return events < 0 ? mails ?: events : mails + events;
}

static ssize_t read_once(struct kreg_client *cl, char __user *buf, size_t len)
{
	ssize_t ret = 0;

	if (kreg_mailbox_is_empty(&cl->box) && !kreg_events_ready(cl))
		ret = kreg_sync_mail(cl) ?: kreg_events_settle(cl);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&cl->reading))
		return -ERESTARTSYS;
	ret = kreg_standby_sync(cl) ?: kreg_down_sync(cl) ?: read_records(cl, buf, len);
	mutex_unlock(&cl->reading);
	return ret;
}

/* If not, help the writers, which may change it; does not sleep. */
static bool has_mail(struct kreg_client *cl)
{
	unsigned int i;

	for (i = 0; i < kreg_writers && kreg_mailbox_is_empty(&cl->box); i++)
		kreg_death_help(kreg_writer_nr(i));
	kreg_down_help(cl);
	return !kreg_mailbox_is_empty(&cl->box);
}

/* The subscriptions first, since a look at them has the caller woken by what comes. */
static bool has_news(struct kreg_client *cl)
{
	return kreg_events_ready(cl) || has_mail(cl);
}

static ssize_t kreg_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct kreg_client *cl = file->private_data;
	ssize_t ret;

	if (!kreg_proc_is_current(cl->proc))
		return -ENXIO;
	if (!len)
		return 0;
	while (!(ret = read_once(cl, buf, len))) {
		/* Who waits with EPOLLET is to be woken by what comes after this. */
		if (file->f_flags & O_NONBLOCK && !kreg_events_ready(cl))
			return -EAGAIN;
		if (!(file->f_flags & O_NONBLOCK) &&
		    wait_event_freezable(cl->news.sleepers, has_news(cl)))
			return -ERESTARTSYS;
	}
	return ret;
}

/* Mail of a death that is being handled will wake the caller. */
static __poll_t kreg_poll(struct file *file, poll_table *wait)
{
	struct kreg_client *cl = file->private_data;

	if (!kreg_proc_is_current(cl->proc))
		return EPOLLERR;
	poll_wait(file, &cl->news.sleepers, wait);
	return has_news(cl) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void kreg_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct kreg_client *cl = file->private_data;

	seq_printf(m, "kreg-pid:\t%u\n", kreg_proc_pid(cl->proc));
	seq_printf(m, "kreg-cookie:\t%llu\n", cl->proc->cookie);
	seq_printf(m, "kreg-records:\t%d\n", atomic_read(&cl->proc->mails));
	seq_printf(m, "kreg-watches:\t%u\n",
		   READ_ONCE(cl->nr_watches) + atomic_read(&cl->nr_waits));
	seq_printf(m, "kreg-places:\t%u\n", READ_ONCE(cl->nr_standbys));
	seq_printf(m, "kreg-subscriptions:\t%u\n", READ_ONCE(cl->nr_subscriptions));
	seq_printf(m, "kreg-async:\t%d\n", atomic_read(&cl->async_ops));
}

static const struct file_operations kreg_fops = {
	.owner = THIS_MODULE,
	.open = kreg_open_file,
	.flush = kreg_flush,
	.release = kreg_release,
	.unlocked_ioctl = kreg_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = kreg_read,
	.poll = kreg_poll,
	.show_fdinfo = kreg_show_fdinfo,
};

/* One of those for local use, so that the node can be there before the module. */
#define KREG_MINOR	250

unsigned int kreg_device_minor = KREG_MINOR;

MODULE_ALIAS_MISCDEV(KREG_MINOR);
MODULE_ALIAS("devname:kreg");

static struct miscdevice kreg_misc = {
	.name = "kreg",
	.fops = &kreg_fops,
	.mode = 0600,
};

int kreg_device_init(void)
{
	int err = -EINVAL;

	kreg_misc.minor = kreg_device_minor;
	if (kreg_device_minor <= MISC_DYNAMIC_MINOR)
		err = misc_register(&kreg_misc);
	if (err)
		pr_err("kreg: no device with minor %u (error %d); minor=%u takes any that is free\n",
		       kreg_device_minor, err, MISC_DYNAMIC_MINOR);
	return err;
}

void kreg_device_exit(void)
{
	misc_deregister(&kreg_misc);
}

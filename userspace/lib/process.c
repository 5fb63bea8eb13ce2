/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes: pids, cookies and pidfds. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif

int kreg_client_self(struct kreg_client *client, struct kreg_process *self)
{
	struct kreg_ioc_query query = { .size = sizeof(query) };
	int ret = kreg_ioctl(client, KREG_IOC_QUERY, &query);

	if (!ret)
		*self = query.out_self;
	return kreg_fail(ret, TRY_OTHER, client);
}

int kreg_process_whois(struct kreg_client *client, pid_t pid, unsigned int flags,
		       struct kreg_process *proc)
{
	struct kreg_ioc_whois whois = { .size = sizeof(whois), .flags = flags, .pid = pid };
	int ret;

	if (pid <= 0)
		return -ESRCH;
	ret = kreg_ioctl(client, KREG_IOC_WHOIS, &whois);
	if (!ret)
		*proc = whois.out_process;
	return ret;
}

int kreg_process_find(struct kreg_client *client, pid_t pid, struct kreg_process *proc)
{
	int ret = kreg_fail(kreg_process_whois(client, pid, 0, proc), TRY_PROCESS, client);

	return kreg_fail_process(ret, pid);
}

/* EINVAL is also said of a process that is just being reaped. */
int kreg_pidfd_open(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == EINVAL && pid > 0 ? -ESRCH : -errno;
	return fd;
}

/* A pidfd polls readable when its process is dead. */
static int pidfd_dead(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int ret = poll(&p, 1, 0);

	if (ret < 0)
		return -errno;
	if (p.revents & POLLNVAL)
		return -EBADF;
	return ret;
}

/* Kernels before 6.13 tell the pid of a pidfd in no other way. */
static int pidfd_pid(int pidfd)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -EBADF : -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid:\t%d", &pid) == 1)
			break;
	fclose(f);
	if (pid == 0)
		return -EBADF;
	return pid < 0 ? -ESRCH : pid;
}

static int from_pidfd(struct kreg_client *client, int pidfd, unsigned int flags,
		      struct kreg_process *proc)
{
	struct kreg_process found;
	int pid, ret;

	pid = pidfd_pid(pidfd);
	if (pid < 0)
		return pid;
	ret = kreg_process_whois(client, pid, flags, &found);
	if (ret)
		return ret;
	/* It is still alive, so nobody else had its pid when the kernel looked. */
	ret = pidfd_dead(pidfd);
	if (ret)
		return ret < 0 ? ret : -ESRCH;
	*proc = found;
	return 0;
}

static int make_pidfd(struct kreg_client *client, const struct kreg_process *proc)
{
	struct kreg_process now;
	int fd, ret;

	if (proc->pid <= 0 || !proc->cookie)
		return -ESRCH;
	fd = kreg_pidfd_open(proc->pid);
	if (fd < 0)
		return fd;
	ret = kreg_process_whois(client, proc->pid, 0, &now);
	if (!ret && now.cookie != proc->cookie)
		ret = -ESRCH;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int kreg_process_whois_pidfd(struct kreg_client *client, int pidfd, unsigned int flags,
			     struct kreg_process *proc)
{
	int ret = from_pidfd(client, pidfd, flags, proc);
	bool closed = ret == -EBADF && kreg_client_check(client);

	return kreg_fail(ret, closed ? TRY_OTHER : TRY_PIDFD, client);
}

int kreg_process_from_pidfd(struct kreg_client *client, int pidfd, struct kreg_process *proc)
{
	return kreg_process_whois_pidfd(client, pidfd, 0, proc);
}

int kreg_process_pidfd(struct kreg_client *client, const struct kreg_process *proc)
{
	int ret = kreg_fail(make_pidfd(client, proc), TRY_PROCESS, client);

	return kreg_fail_process(ret, proc->pid);
}

/*
 * The table is asked rather than the process, because an owner need not have a
 * client. That it owns the table before and after the pidfd was opened means that it
 * lived meanwhile, and the pidfd is its own.
 */
static int owner_pidfd(struct kreg_table *table, struct kreg_process *owner)
{
	struct kreg_info before, after;
	int fd, ret;

	do {
		ret = kreg_info_read(table->client, table->id, NULL, &before);
		if (ret)
			return ret;
		if (before.flags & KREG_INFO_PARKED)
			return -ENOENT;
		if (!before.owner.pid)
			return -ESRCH;
		fd = kreg_pidfd_open(before.owner.pid);
		if (fd < 0 && fd != -ESRCH)
			return fd;
		ret = kreg_info_read(table->client, table->id, NULL, &after);
		if (!ret && fd >= 0 && after.owner.cookie == before.owner.cookie)
			break;
		if (fd >= 0)
			close(fd);
	} while (!ret);
	if (ret)
		return ret;
	if (owner)
		*owner = before.owner;
	return fd;
}

int kreg_table_owner_pidfd(struct kreg_table *table, struct kreg_process *owner)
{
	return kreg_fail_table(owner_pidfd(table, owner), TRY_STAT, table);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients: open, close, and what fork(2) does to them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define DEVICE	"/dev/kreg"

/* Events are waited for with poll(2), so the file itself never blocks. */
static int device_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

/*
 * The file of a child takes the number of the inherited one, so that threads that
 * use the number meanwhile meet either of them and never a third file.
 */
static int device_replace(struct kreg_client *client)
{
	int fd = device_open(client->path);
	int ret = 0;

	if (fd < 0)
		return fd;
	if (dup3(fd, client->fd, O_CLOEXEC) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * The first thread of the child that comes here sets pid to -self and opens the
 * device; others wait for it. A lock could be held for ever by a thread that exists
 * only in the parent; a pid of the parent's is simply another's.
 */
int kreg_client_reopen(struct kreg_client *client)
{
	pid_t self = getpid();
	pid_t old = atomic_load(&client->pid);
	int ret;

	for (;;) {
		if (old == self)
			return 0;
		if (old == -self) {
			sched_yield();
			old = atomic_load(&client->pid);
		} else if (atomic_compare_exchange_weak(&client->pid, &old, -self)) {
			break;
		}
	}
	ret = device_replace(client);
	atomic_store(&client->pid, ret ? 0 : self);
	return ret;
}

int kreg_client_open(const char *path, struct kreg_client **client)
{
	struct kreg_ioc_query query = { .size = sizeof(query) };
	struct kreg_client *c;
	int ret;

	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->path = strdup(path ? path : DEVICE);
	if (!c->path) {
		free(c);
		return -ENOMEM;
	}
	ret = device_open(c->path);
	c->fd = ret;
	atomic_init(&c->pid, getpid());
	if (ret >= 0)
		ret = kreg_ioctl(c, KREG_IOC_QUERY, &query);
	if (ret < 0) {
		kreg_client_close(c);
		return ret;
	}
	*client = c;
	return 0;
}

void kreg_client_close(struct kreg_client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->mail.buf);
	free(client->path);
	free(client);
}

int kreg_client_fd(const struct kreg_client *client)
{
	return client->fd;
}

int kreg_client_sync(struct kreg_client *client)
{
	struct kreg_ioc_sync sync = { .size = sizeof(sync) };

	return kreg_ioctl(client, KREG_IOC_SYNC, &sync);
}

static int set_option(struct kreg_client *client, unsigned int option, uint64_t value)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.option = option,
		.value = value,
	};

	return kreg_ioctl(client, KREG_IOC_SETOPT, &opt);
}

int kreg_client_set_receiver(struct kreg_client *client)
{
	return set_option(client, KREG_OPT_RECEIVER, 0);
}

int kreg_client_set_accept(struct kreg_client *client, bool accept)
{
	return set_option(client, KREG_OPT_ACCEPT, accept);
}

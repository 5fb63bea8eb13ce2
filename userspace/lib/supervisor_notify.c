/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: what children say of themselves, in the form of sd_notify(3). */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise.h"

#define MAX_SAID	2048

int kreg_sup_notify_open(struct kreg_supervisor *sup)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	unsigned char r[8];
	int one = 1, len, ret;

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	/* Abstract: it has no file that could stay behind. */
	len = snprintf(sup->notify_name, sizeof(sup->notify_name),
		       "kreg-supervisor/%02x%02x%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3],
		       r[4], r[5], r[6], r[7]);
	memcpy(a.sun_path + 1, sup->notify_name, len);
	sup->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = kreg_file_identify(sup->notify, &sup->notify_file);
	if (ret)
		return ret;
	if (setsockopt(sup->notify, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) ||
	    bind(sup->notify, (struct sockaddr *)&a,
		 offsetof(struct sockaddr_un, sun_path) + 1 + len))
		return -errno;
	return kreg_sup_watch_fd(sup, sup->notify, &sup->notify);
}

/* Who sent it, as the kernel says; 0: nobody knows. */
static pid_t sender_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	struct ucred cred;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		return cred.pid;
	}
	return 0;
}

static ssize_t receive(int fd, char *buf, size_t room, pid_t *sender)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { buf, room };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	/* Descriptors that somebody sends along are not taken. */
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (n >= 0)
		*sender = sender_of(&msg);
	return n;
}

static struct child *child_of(struct kreg_supervisor *sup, pid_t pid)
{
	size_t i;

	for (i = 0; i < sup->count; i++)
		if (pid && sup->children[i]->pid == pid && sup->children[i]->phase != SUP_DOWN)
			return sup->children[i];
	return NULL;
}

/* What it says before it is known that its program runs is entered then. */
static void hear(struct child *c, char *text)
{
	char *line, *rest = text;
	bool status = false;

	while ((line = strsep(&rest, "\n"))) {
		if (!strcmp(line, "READY=1"))
			c->said_ready = true;
		if (!strncmp(line, "STATUS=", 7)) {
			status = true;
			snprintf(c->said, sizeof(c->said), "%.255s", line + 7);
		}
	}
	if (c->said_ready && c->phase == SUP_WAITING)
		kreg_sup_is_ready(c);
	else if (status && c->phase != SUP_SETUP)
		kreg_sup_enter_phase(c);
}

void kreg_sup_notify_ready(struct kreg_supervisor *sup)
{
	char text[MAX_SAID];
	struct child *c;
	pid_t sender;
	ssize_t n;
	int i;

	/* Whoever sends without end keeps nobody else waiting. */
	for (i = 0; i < 64; i++) {
		n = receive(sup->notify, text, sizeof(text) - 1, &sender);
		if (n < 0)
			return;
		text[n] = '\0';
		c = child_of(sup, sender);
		if (c)
			hear(c, text);
	}
}

/* The name is in the environment, and wrong or not any more. */
static int unheard(int err)
{
	char text[128];

	if (err == -EINVAL)
		snprintf(text, sizeof(text),
			 "NOTIFY_SOCKET has to begin with '/' or '@', and to have less than %zu bytes",
			 sizeof(((struct sockaddr_un *)NULL)->sun_path));
	else
		snprintf(text, sizeof(text), "the socket that NOTIFY_SOCKET names: %s",
			 strerror(-err));
	return kreg_fail_text(err, text);
}

int kreg_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	ssize_t n;
	int fd, ret;

	if (!len)
		return 0;
	if (len >= sizeof(a.sun_path) || (*path != '@' && *path != '/'))
		return unheard(-EINVAL);
	memcpy(a.sun_path, path, len);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return unheard(-errno);
	n = sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&a,
		   offsetof(struct sockaddr_un, sun_path) + len);
	ret = n < 0 ? -errno : 0;
	/* The supervisor dies just now. */
	if (ret == -EPIPE || ret == -ECONNRESET)
		ret = -ECONNREFUSED;
	close(fd);
	return ret ? unheard(ret) : 0;
}

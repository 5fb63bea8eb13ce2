/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that is written as a whole or stays as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
	return 0;
}

/* The file gets the owner, as far as that is allowed, and the mode of the one it replaces. */
static int keep_attributes(int fd, const struct stat *old)
{
	mode_t mask;

	if (!old) {
		mask = umask(0);
		umask(mask);
		return fchmod(fd, 0666 & ~mask) ? -errno : 0;
	}
	if (fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
		return -errno;
	return fchmod(fd, old->st_mode & 07777) ? -errno : 0;
}

/* A device or a pipe has nothing that could be kept. */
static int open_special(struct output *o)
{
	o->fd = open(o->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	return o->fd < 0 ? -errno : 0;
}

/* A file beside @target, which is to take its place. */
static int open_beside(struct output *o, const char *target, const struct stat *old)
{
	int ret;

	o->target = strdup(target);
	if (!o->target || asprintf(&o->temp, "%s.XXXXXX", target) < 0) {
		o->temp = NULL;
		return -ENOMEM;
	}
	o->fd = mkostemp(o->temp, O_CLOEXEC);
	ret = o->fd < 0 ? -errno : keep_attributes(o->fd, old);
	if (!ret)
		return 0;
	if (o->fd >= 0)
		unlink(o->temp);
	return ret;
}

/*
 * What a symbolic link points to is replaced, and not the link. A link below /proc, as
 * /dev/stdout is one, may lead to a file that has no path here, whatever its text says.
 */
static int open_target(struct output *o, const struct stat *old)
{
	char *target = realpath(o->path, NULL);
	struct stat found;
	int ret;

	if (target && !stat(target, &found) && found.st_dev == old->st_dev &&
	    found.st_ino == old->st_ino)
		ret = open_beside(o, target, old);
	else
		ret = open_special(o);
	free(target);
	return ret;
}

/* A handler of a signal may look for the path at any moment. */
static void release(struct output *o)
{
	char *temp = o->temp;

	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	o->temp = NULL;
	free(temp);
	free(o->target);
	o->target = NULL;
}

int output_open(struct output *o, const char *path)
{
	struct stat old;
	int ret;

	*o = (struct output){ .path = path, .fd = -1 };
	if (stat(path, &old))
		ret = errno == ENOENT ? open_beside(o, path, NULL) : -errno;
	else if (S_ISREG(old.st_mode))
		ret = open_target(o, &old);
	else
		ret = open_special(o);
	if (!ret)
		return 0;
	release(o);
	return fail_text(EXIT_ERROR, "%s: %s", path, strerror(-ret));
}

void output_drop(struct output *o)
{
	if (o->temp)
		unlink(o->temp);
	release(o);
}

int output_close(struct output *o)
{
	int ret = o->temp && fsync(o->fd) ? -errno : 0;

	if (close(o->fd) && !ret)
		ret = -errno;
	o->fd = -1;
	if (!ret && o->temp && rename(o->temp, o->target))
		ret = -errno;
	if (!ret) {
		release(o);
		return 0;
	}
	output_drop(o);
	return fail_text(EXIT_ERROR, "%s: %s", o->path, strerror(-ret));
}

int output_file(const char *path, const struct bytes *bytes)
{
	struct output o;
	int ret = output_open(&o, path);

	if (ret)
		return ret;
	ret = write_all(o.fd, bytes->data, bytes->len);
	if (!ret)
		return output_close(&o);
	output_drop(&o);
	return fail_text(EXIT_ERROR, "%s: %s", path, strerror(-ret));
}

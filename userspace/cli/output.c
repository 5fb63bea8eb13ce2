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

/* A device or a pipe has nothing that could be kept. */
static int write_special(const char *path, const struct bytes *bytes)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY), ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, bytes->data, bytes->len);
	return close(fd) && !ret ? -errno : ret;
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

static int fill_file(int fd, const struct stat *old, const struct bytes *bytes)
{
	int ret = keep_attributes(fd, old);

	if (!ret)
		ret = write_all(fd, bytes->data, bytes->len);
	if (!ret && fsync(fd))
		ret = -errno;
	return close(fd) && !ret ? -errno : ret;
}

static int replace_file(const char *path, const struct stat *old, const struct bytes *bytes)
{
	char *temp = NULL;
	int fd, ret;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
	} else {
		ret = fill_file(fd, old, bytes);
		if (!ret && rename(temp, path))
			ret = -errno;
		if (ret)
			unlink(temp);
	}
	free(temp);
	return ret;
}

/*
 * What a symbolic link points to is replaced, and not the link. A link below /proc, as
 * /dev/stdout is one, may lead to a file that has no path here, whatever its text says.
 */
static int replace_target(const char *path, const struct stat *old, const struct bytes *bytes)
{
	char *target = realpath(path, NULL);
	struct stat found;
	int ret;

	if (target && !stat(target, &found) && found.st_dev == old->st_dev &&
	    found.st_ino == old->st_ino)
		ret = replace_file(target, old, bytes);
	else
		ret = write_special(path, bytes);
	free(target);
	return ret;
}

int output_file(const char *path, const struct bytes *bytes)
{
	struct stat old;
	int ret;

	if (stat(path, &old))
		ret = errno == ENOENT ? replace_file(path, NULL, bytes) : -errno;
	else if (S_ISREG(old.st_mode))
		ret = replace_target(path, &old, bytes);
	else
		ret = write_special(path, bytes);
	return ret ? fail_text(EXIT_ERROR, "%s: %s", path, strerror(-ret)) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences about the device itself, for errmsg.c: several causes have the same errno. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

/* What is at the path. */
enum node {
	HIDDEN,		/* nothing is there, or a directory on the way may not be entered */
	OTHER,		/* no device, or one of another driver */
	KREG,
	UNKNOWN,	/* a device, and nobody says whose; or the path is not known */
};

static enum node node_of(const struct stat *st)
{
	char link[64], target[PATH_MAX];
	const char *name;
	ssize_t len;

	if (!S_ISCHR(st->st_mode))
		return OTHER;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", major(st->st_rdev),
		 minor(st->st_rdev));
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return UNKNOWN;
	target[len] = '\0';
	name = strrchr(target, '/');
	return name && !strcmp(name, "/kreg") ? KREG : OTHER;
}

static enum node look(const char *path)
{
	struct stat st;

	/* What is kept of a path may be cut. */
	if (strlen(path) >= KREG_MAX_NAME)
		return UNKNOWN;
	return stat(path, &st) ? HIDDEN : node_of(&st);
}

/* Why it may not be opened. */
static const char *denied(const char *path)
{
	struct statvfs fs;

	if (look(path) == HIDDEN)
		return "this user may not enter the directory of %d";
	if (!statvfs(path, &fs) && (fs.f_flag & ST_NODEV))
		return "%d is on a file system for which devices are switched off (mount option nodev)";
	return "no permission for %d; 'ls -l %d' tells who may use it";
}

/* Who answers does not know its commands. */
static const char *not_kreg(const char *path)
{
	switch (look(path)) {
	case KREG:
		return "the module behind %d is older than the library: load the one that was installed with it";
	case OTHER:
		return "%d is not the device of kreg";
	default:
		return "%d is not the device of kreg, or the module is older than the library";
	}
}

static const char *of_open(int err, const char *path)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return "there is no %d: load the module with 'modprobe kreg', or pass the device into the container";
	case ENXIO:
	case ENODEV:
		if (look(path) != OTHER)
			return "nothing is behind %d: load the module with 'modprobe kreg'";
		return "%d is not the device of kreg";
	case EISDIR:
		return "%d is not the device of kreg";
	case EACCES:
		return denied(path);
	case EPERM:
		return "the control group of this process, perhaps its container's, does not allow %d";
	case EMFILE:
		return "this process has too many clients or descriptors open: close some";
	case ENAMETOOLONG:
		return "the path of the device is too long";
	case EDQUOT:
		return "the user who made this user namespace uses kreg in too many of them: end its clients and tables in some";
	case ENOTTY:
		return not_kreg(path);
	}
	return NULL;
}

const char *kreg_device_sentence(int err, enum attempt attempt, const char *path)
{
	if (attempt == TRY_DEVICE)
		return of_open(err, path);
	/* A child of fork(2) opens it again in any call. */
	if (err == ENODEV)
		return of_open(err, path);
	return NULL;
}

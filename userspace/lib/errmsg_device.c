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

static const char no_devices[] =
	"%d is on a file system for which devices are switched off (mount option nodev)";
static const char old_module[] =
	"the module behind %d is older than the library: load the one that was installed with it";
static const char no_kreg[] = "%d is not the device of kreg";
static const char no_kreg_or_old[] =
	"%d is not the device of kreg, or the module is older than the library";

/* Of these errors there is one cause each. */
static const struct {
	int err;
	const char *text;
} of_one_cause[] = {
	{ ENOENT,
	  "there is no %d: load the module with 'modprobe kreg', or pass the device into the container"
	},
	{ ENOTDIR,
	  "there is no %d: load the module with 'modprobe kreg', or pass the device into the container"
	},
	{ EISDIR, no_kreg },
	{ EPERM,
	  "the control group of this process, perhaps its container's, does not allow %d" },
	{ EMFILE, "this process has too many clients or descriptors open: close some" },
	{ ENAMETOOLONG, "the path of the device is too long" },
	{ EDQUOT,
	  "the user who made this user namespace uses kreg in too many of them: end its clients and tables in some"
	},
};

/* Why it may not be opened. */
static const char *denied(const char *path)
{
	struct statvfs fs;

	if (look(path) == HIDDEN)
		return "this user may not enter the directory of %d";
	if (!statvfs(path, &fs) && (fs.f_flag & ST_NODEV))
		return no_devices;
	return "no permission for %d; 'ls -l %d' tells who may use it";
}

/* Who answers does not know its commands. */
static const char *not_kreg(const char *path)
{
	switch (look(path)) {
	case KREG:
		return old_module;
	case OTHER:
		return no_kreg;
	default:
		return no_kreg_or_old;
	}
}

static const char *of_open(int err, const char *path)
{
	size_t i;

	switch (err) {
	case ENXIO:
	case ENODEV:
		return look(path) == OTHER ? no_kreg :
		       "nothing is behind %d: load the module with 'modprobe kreg'";
	case EACCES:
		return denied(path);
	case ENOTTY:
		return not_kreg(path);
	}
	for (i = 0; i < sizeof(of_one_cause) / sizeof(of_one_cause[0]); i++)
		if (of_one_cause[i].err == err)
			return of_one_cause[i].text;
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

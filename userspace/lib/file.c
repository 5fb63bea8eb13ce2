/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors of the library. Programs close what they do not know, as daemons do, and open other
 * files, which get these numbers; device and inode tell. Not always of a pidfd: before Linux 6.9
 * all pidfds, and other files without a name, have one inode.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

int kreg_file_identify(int fd, struct file_id *id)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	id->device = st.st_dev;
	id->inode = st.st_ino;
	return 0;
}

int kreg_file_check(int fd, const struct file_id *id)
{
	struct file_id now = { 0 };
	int ret = fd < 0 ? -EBADF : kreg_file_identify(fd, &now);

	if (ret)
		return ret;
	return now.device == id->device && now.inode == id->inode ? 0 : -EBADF;
}

void kreg_file_close(int fd, const struct file_id *id)
{
	if (!kreg_file_check(fd, id))
		close(fd);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors from and to which dumps go, and what is said if that fails. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dump.h"

int kreg_dump_fail(int ret, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return kreg_fail_text(ret, text);
}

static int write_bytes(int fd, const void *data, size_t len)
{
	const char *s = data;
	ssize_t n;

	while (len) {
		n = write(fd, s, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s += n;
		len -= n;
	}
	return 0;
}

int kreg_dump_write_all(int fd, const void *data, size_t len)
{
	int ret = write_bytes(fd, data, len);

	return ret ? kreg_dump_fail(ret, "the dump cannot be written: %s", strerror(-ret)) : 0;
}

static const char *temporary_directory(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

int kreg_dump_keep(int fd, const void *data, size_t len)
{
	int ret = fd < 0 ? 0 : write_bytes(fd, data, len);

	if (!ret)
		return 0;
	return kreg_dump_fail(ret,
			      "what comes through the pipe cannot be kept in %s: %s; set TMPDIR, or restore from a file",
			      temporary_directory(), strerror(-ret));
}

ssize_t kreg_dump_read_all(int fd, void *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, (char *)data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kreg_dump_fail(-errno, "the dump cannot be read: %s",
					      strerror(errno));
		if (!n)
			break;
		done += n;
	}
	return done;
}

int kreg_dump_temporary(void)
{
	const char *dir = temporary_directory();
	char path[4096];
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not all file systems have that. */
	if (fd < 0) {
		if (snprintf(path, sizeof(path), "%s/kreg.XXXXXX", dir) >= (int)sizeof(path))
			return kreg_dump_fail(-ENAMETOOLONG, "the path in TMPDIR is too long");
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return kreg_dump_fail(-errno,
				      "no file can be made in %s for what comes through the pipe: %s; set TMPDIR, or restore from a file",
				      dir, strerror(errno));
	return fd;
}

void kreg_dump_info_copy(struct kreg_dump_info *theirs, const struct kreg_dump_info *ours)
{
	size_t size = theirs->size;

	memset(theirs, 0, size);
	memcpy(theirs, ours, size < sizeof(*ours) ? size : sizeof(*ours));
	theirs->size = size;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of /proc, /sys and cgroups, read and written as a whole.
 */
#ifndef KREG_KIT_FILE_H
#define KREG_KIT_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static inline int test_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Returns the length of what was read, or -errno; @text ends with a NUL byte. */
static inline int test_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	if (len < 0)
		len = -errno;
	text[len > 0 ? len : 0] = 0;
	close(fd);
	return len;
}

/* The letter of the state in a stat file of /proc; 0 if there is none. */
static inline char test_task_state(const char *path)
{
	char text[128], *end;

	test_read_file(path, text, sizeof(text));
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

#endif /* KREG_KIT_FILE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each errno means, whatever call it came from; errmsg.c knows more. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

static const struct {
	int err;
	const char *text;
} errors[] = {
#define E(err, text)	{ err, text }
	E(ENXIO, "the device was opened by another process, or is gone"),
	E(ENOTTY, "this is not the device of kreg, or the loaded module is older than the library"),
	E(EINVAL, "the arguments contradict each other or make no sense"),
	E(E2BIG, "the loaded module is older than the program and does not know this"),
	E(EFAULT, "a pointer is bad"),
	E(EOPNOTSUPP, "the loaded module does not have this"),
	E(ENAMETOOLONG, "the name or the key is too long"),
	E(EFBIG, "the value or the data is too long"),
	E(ESTALE, "the table has been destroyed"),
	E(ENOENT, "there is no such table"),
	E(ENODEV, "there is no device: the module is not loaded"),
	E(EACCES, "the mode or the access rule forbids it"),
	E(EPERM, "only the owner may do this"),
	E(EMSGSIZE, "the buffer is too small"),
	E(ENODATA, "the key is not in the table"),
	E(EEXIST, "it exists already"),
	E(EROFS, "the table is sealed: nobody changes what is in it"),
	E(EPROTOTYPE, "what is in the table has another schema or version"),
	E(EDQUOT, "a limit of the user or of the mailbox is reached"),
	E(ENOSPC, "a limit of the table is reached"),
	E(ENOMEM, "no memory, in the machine or in the memory control group"),
	E(EINTR, "a signal came while waiting"),
	E(EBUSY, "the table belongs to another process, or follows a role"),
	E(EOWNERDEAD, "too many owners of the table have died"),
	E(EXDEV, "the tables have different writers"),
	E(EALREADY, "it is the owner already"),
	E(ETIMEDOUT, "the time-out has passed"),
	E(ESRCH, "no such living process"),
	E(ENOTCONN, "the process has not opened the device"),
	E(EAGAIN, "nothing is there yet, or too much is queued"),
	E(ENOBUFS, "the batch is full"),
	E(EMFILE, "too many clients or descriptors are open"),
	E(ENFILE, "too many files are open in the system"),
	E(EBADF, "the client is closed or may only read, or this is no pidfd"),
	E(EPROTO, "the answer of the kernel makes no sense"),
	E(ENOSYS, "this kernel lacks a system call"),
	E(ENOMSG, "the server does not answer this request"),
	E(EPIPE, "nobody waits for it any more"),
	E(ECONNRESET, "the server has died or ended meanwhile"),
	E(EHOSTUNREACH, "the server cannot be reached from here"),
	E(EBADMSG, "what was received makes no sense"),
	E(ESHUTDOWN, "the server is to end"),
	E(ECHILD, "the process died before it was ready"),
	E(EIO, "input or output has failed"),
#undef E
};

static int find(int err)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].err == abs(err))
			return i;
	return -1;
}

const char *kreg_error_name(int err)
{
	const char *name = kreg_errno_name(abs(err));

	return name ? name : "E?";
}

const char *kreg_strerror(int err)
{
	int i = find(err);

	if (!err)
		return "nothing is wrong";
	return i < 0 ? "an error that is not one of kreg's" : errors[i].text;
}

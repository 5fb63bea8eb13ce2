/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one call of ioctl(2). */
#include <errno.h>
#include <sys/ioctl.h>

#include "internal.h"

__thread unsigned int kreg_ioctl_limit;
__thread struct kreg_schemas kreg_ioctl_schemas;

/* What the kernel has written to the struct of a call that failed at a limit. */
static unsigned int limit_of(unsigned int cmd, const void *arg)
{
	switch (cmd) {
	case KREG_IOC_OPEN:
		return ((const struct kreg_ioc_open *)arg)->out_limit;
	case KREG_IOC_GIVE:
		return ((const struct kreg_ioc_give *)arg)->out_limit;
	case KREG_IOC_SETOPT:
		return ((const struct kreg_ioc_setopt *)arg)->out_limit;
	case KREG_IOC_BATCH:
		return ((const struct kreg_ioc_batch *)arg)->out_limit;
	case KREG_IOC_SYNC:
		return ((const struct kreg_ioc_sync *)arg)->out_limit;
	case KREG_IOC_WATCH:
		return ((const struct kreg_ioc_watch *)arg)->out_limit;
	case KREG_IOC_REGISTER:
		return ((const struct kreg_ioc_register *)arg)->out_limit;
	case KREG_IOC_LEASE:
		return ((const struct kreg_ioc_lease *)arg)->out_limit;
	case KREG_IOC_PIN:
		return ((const struct kreg_ioc_pin *)arg)->out_limit;
	case KREG_IOC_RENAME:
		return ((const struct kreg_ioc_rename *)arg)->out_limit;
	case KREG_IOC_CHANGE:
		return ((const struct kreg_ioc_change *)arg)->out_limit;
	case KREG_IOC_GROUP:
		return ((const struct kreg_ioc_group *)arg)->out_limit;
	case KREG_IOC_SUBSCRIBE:
		return ((const struct kreg_ioc_subscribe *)arg)->out_limit;
	case KREG_IOC_OP:
		if (((const struct kreg_ioc_op *)arg)->size > KREG_OP_SIZE)
			return ((const struct kreg_ioc_op *)arg)->out_limit;
		/* The short form, which is for speed, has no @out_limit. */
		return errno == ENOSPC ? KREG_LIMIT_TABLE : errno == EDQUOT ? KREG_LIMIT_BYTES :
		       KREG_LIMIT_NONE;
	}
	return KREG_LIMIT_NONE;
}

static void keep_schemas(const struct kreg_ioc_open *open)
{
	kreg_ioctl_schemas.schema = open->out_schema;
	kreg_ioctl_schemas.version = open->out_schema_version;
	kreg_ioctl_schemas.wanted = open->schema;
	kreg_ioctl_schemas.wanted_version = open->schema_version;
}

/* What is kept of an error, beside its number, for the sentence about it. */
static void keep_error(unsigned int cmd, const void *arg)
{
	switch (errno) {
	case EAGAIN:
	case EDQUOT:
	case ENOSPC:
	case EPERM:
		kreg_ioctl_limit = limit_of(cmd, arg);
		kreg_cause(0, NULL);
		break;
	case EPROTOTYPE:
		if (cmd == KREG_IOC_OPEN)
			keep_schemas(arg);
		break;
	case EACCES:
	case EBUSY:
	case EINVAL:
	case EFBIG:
	case ENOENT:
	case ESTALE:
		kreg_cause(0, NULL);
		break;
	}
}

/* What other files answer to a command that they do not know. */
static bool is_unknown(int err)
{
	return err == ENOTTY || err == EINVAL;
}

int kreg_ioctl(struct kreg_client *client, unsigned int cmd, void *arg)
{
	int ret, err, tries;

	for (tries = 0; ; tries++) {
		ret = ioctl(client->fd, cmd, arg);
		if (ret == 0) {
			if (kreg_memory_checked)
				kreg_mark_written(cmd, arg);
			return 0;
		}
		if (ret > 0)
			return -EPROTO;
		/* The program has closed the descriptor, and another file has its number. */
		err = errno;
		if (is_unknown(err) && kreg_client_check(client))
			return -EBADF;
		errno = err;
		keep_error(cmd, arg);
		if (errno != ENXIO || tries == 2)
			return -errno;
		ret = kreg_client_reopen(client);
		if (ret)
			return ret;
	}
}

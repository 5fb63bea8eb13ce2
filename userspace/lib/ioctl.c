/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one call of ioctl(2). */
#include <errno.h>
#include <sys/ioctl.h>

#include "internal.h"

int kreg_ioctl(struct kreg_client *client, unsigned int cmd, void *arg)
{
	int ret, tries;

	for (tries = 0; ; tries++) {
		ret = ioctl(client->fd, cmd, arg);
		if (ret == 0)
			return 0;
		if (ret > 0)
			return -EPROTO;
		/* Another file has this number; what it says of our command is beside the point. */
		if (errno == ENOTTY && kreg_client_check(client))
			return -EBADF;
		if (errno != ENXIO || tries == 2)
			return -errno;
		ret = kreg_client_reopen(client);
		if (ret)
			return ret;
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkreg: named in-memory tables that outlive the processes that use them.
 *
 * Conventions of every function
 *
 *   Errors	A function that can fail returns a negative errno, and 0 or a
 *		count when it succeeds; lengths are returned in parameters, also with
 *		-EMSGSIZE. A call that fails changes nothing, and
 *		leaves its output parameters alone unless it says otherwise.
 *		errno itself means nothing after a call. kreg_errmsg() tells in a
 *		sentence what the last failed call of the thread was about. Every
 *		call may also return -ENOMEM, -ENXIO (the device is gone), -EINVAL
 *		and -ENOENT, -ENODEV or -EACCES when the device must be opened
 *		again after fork(2).
 *   Sizes	In bytes. Keys have 1 to 1024, values 0 to 1048576, names 1 to
 *		128 bytes. Keys and values may hold any byte. Times are in
 *		nanoseconds of CLOCK_MONOTONIC, time-outs in milliseconds: 0 not at
 *		all, -1 and INT64_MAX for ever.
 *   Strings	Names are NUL-terminated strings of any other bytes.
 *   Order	When a call returns, its effect is visible to every process,
 *		asynchronous writes apart.
 *   Threads	Threads may share everything but a batch, a scan, a list and the
 *		events of a client, which are for one thread at a time.
 *   fork(2)	A child may go on with the handles that it has inherited: the
 *		first call in the child opens the device again for it. It is
 *		another process for the kernel: it owns nothing, and the events and
 *		refs stay with its parent. The number of kreg_client_fd() stays.
 *   execve(2)	The process keeps the tables that it owns, and loses its clients.
 *   Handles	May be closed in any order, NULL included. What was made from a
 *		client that is closed fails with -EBADF.
 *   Options	A struct whose first member is its size grows at its end. What an
 *		older library does not know must be zero, else -E2BIG.
 */
#ifndef KREG_H
#define KREG_H

#include <kreg/types.h>
#include <kreg/error.h>
#include <kreg/client.h>
#include <kreg/table.h>
#include <kreg/object.h>
#include <kreg/edit.h>
#include <kreg/expiry.h>
#include <kreg/key.h>
#include <kreg/bag.h>
#include <kreg/pin.h>
#include <kreg/batch.h>
#include <kreg/scan.h>
#include <kreg/filter.h>
#include <kreg/dump.h>
#include <kreg/registry.h>
#include <kreg/lease.h>
#include <kreg/queue.h>
#include <kreg/lock.h>
#include <kreg/role.h>
#include <kreg/stat.h>
#include <kreg/event.h>
#include <kreg/ref.h>
#include <kreg/monitor.h>
#include <kreg/wait.h>
#include <kreg/stream.h>
#include <kreg/server.h>
#include <kreg/keeper.h>
#include <kreg/agent.h>
#include <kreg/supervisor.h>

#endif /* KREG_H */

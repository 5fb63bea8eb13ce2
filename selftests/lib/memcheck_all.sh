#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memcheck_all.sh - more of the library's suites under valgrind: each kind of call is in one of them.
cd "$(dirname "$0")" || exit 4
exec ./memcheck.sh lib lib_data lib_owner lib_monitor lib_registry lib_wait lib_lock lib_lease \
	lib_event lib_present

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memcheck_all.sh - more of the library's suites under valgrind: most kinds of calls are in one of
# them. Not lib_refs, which executes itself, and under valgrind that is valgrind. Not those that
# need a pidfd, which valgrind does not know before 3.20: they wait for what never comes.
cd "$(dirname "$0")" || exit 4
exec ./memcheck.sh lib lib_data lib_range lib_fold lib_keys lib_role lib_wait lib_lock lib_lease \
	lib_event lib_present

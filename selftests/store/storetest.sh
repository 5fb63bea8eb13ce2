#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The storage engine against its model, in the kernel: loads storetest.ko (see
# selftests/store), which runs it and tells the kernel's log in TAP. It is in the
# parent folder, where who starts the tests puts it; needs root.

module=../storetest.ko
if [ ! -e $module ]; then
	echo "1..0 # SKIP there is no storetest.ko for this kernel"
	exit 4
fi
permille=$((20 / ${KREG_TEST_SHRINK:-1}))
[ $permille -gt 0 ] || permille=1

# What it says is in the log when insmod returns; of several runs the last counts.
insmod $module permille=$permille
status=$?
dmesg | sed -n 's/.*storetest: //p' |
	awk '/^TAP version/ { said = "" } { said = said $0 "\n" } END { printf "%s", said }'
[ $status = 0 ] && rmmod storetest

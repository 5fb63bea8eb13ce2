#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The storage engine against its model, in the kernel: loads storetest.ko (see
# selftests/store), which runs the test and prints TAP to the kernel's log. Whoever starts
# the tests has put it into the parent folder. Needs root.

module=../storetest.ko
if [ ! -e $module ]; then
	echo "1..0 # SKIP there is no storetest.ko for this kernel"
	exit 4
fi
permille=$((20 / ${KREG_TEST_SHRINK:-1}))
[ $permille -gt 0 ] || permille=1

# When insmod returns the test has ended; the log may have several runs, the last counts.
insmod $module permille=$permille
status=$?
dmesg | sed -n 's/.*storetest: //p' |
	awk '/^TAP version/ { said = "" } { said = said $0 "\n" } END { printf "%s", said }'
[ $status = 0 ] && rmmod storetest

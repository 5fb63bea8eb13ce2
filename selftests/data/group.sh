#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Groups, names and deaths, where the module has several writers. Prints TAP; it reloads the module.

dir=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kit/module.sh
. "$dir/module.sh"

if [ ! -d "$params" ]; then
	echo "1..0 # SKIP the module is not loaded"
	exit 4
fi
lend=$(cat "$params/lend") writers=$(cat "$params/writers")

echo TAP version 13
unload_soon && load "lend=$lend" writers=3
result $? "loaded with three writers"
{ "$dir/group"; "$dir/group_concurrent"; "$dir/rename"; "$dir/order"; } | sed 's/^/# /;s/^# not ok/# NOT ok/' >"$dir/group.out"
! grep -E '^# NOT ok|^# FAIL' "$dir/group.out"
result $? "all tests of groups, of names, and of the order in which a death shows"
grep -q '^# ok .*beside' "$dir/group.out"
result $? "with tables of several writers, too"
rm "$dir/group.out"
unload_soon && load "lend=$lend" "writers=$writers"
result $? "loaded as it was"
echo "1..$n"
[ $failed = 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# module.sh - for shell tests, to be sourced: load and unload the module, and
# print TAP.
#
# KREG_MODULE is the file to load; without it /vm/module.ko or modprobe.

params=/sys/module/kreg/parameters
n=0
failed=0

result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		failed=$((failed + 1))
		echo "not ok $n $2"
	fi
}

# load PARAMETER...
load() {
	file=${KREG_MODULE:-/vm/module.ko}
	if [ -e "$file" ]; then
		insmod "$file" "$@"
	else
		modprobe kreg "$@"
	fi
}

unload() {
	rmmod kreg
}

# A table that is being freed in the background keeps the module in use for a moment.
unload_soon() {
	tries=$((500 * ${KREG_TEST_SCALE:-1}))
	while ! rmmod kreg 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

counters_are_zero() {
	for counter in tables clients procs objects memory users; do
		[ "$(cat "$params/$counter")" = 0 ] ||
			{ echo "$counter: $(cat "$params/$counter")"; return 1; }
	done
}

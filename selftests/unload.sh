#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Unloading the module: refused while a client is open or a table exists, and
# clean otherwise. Prints TAP; run it last, for the module is loaded anew.
#
# KREG_MODULE is the file to load; without it /vm/module.ko or modprobe.

params=/sys/module/kreg/parameters
dir=$(dirname "$0")
n=0
failed=0

if [ ! -d "$params" ]; then
	echo "1..0 # SKIP the module is not loaded"
	exit 4
fi
lend=$(cat "$params/lend")
writers=$(cat "$params/writers")

result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		failed=$((failed + 1))
		echo "not ok $n $2"
	fi
}

# expect STATUS WHAT COMMAND...: the command ends with 0 (yes) or not (no).
expect() {
	want=$1 what=$2
	shift 2
	if said=$("$@" 2>&1); then got=yes; else got=no; fi
	[ "$got" = "$want" ] || echo "# $* said: $said"
	[ "$got" = "$want" ]
	result $? "$what"
}

load() {
	file=${KREG_MODULE:-/vm/module.ko}
	if [ -e "$file" ]; then
		insmod "$file" "lend=$lend" "writers=$writers"
	else
		modprobe kreg "lend=$lend" "writers=$writers"
	fi
}

unload() {
	rmmod kreg
}

# What is being freed in the background holds the module for a moment.
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

# Processes that come and go while others try to unload.
visitors() {
	i=0
	while [ $i -lt 40 ]; do
		"$dir/parked" leave "visitor$1" 10 2>/dev/null
		i=$((i + 1))
	done
}

echo TAP version 13
expect yes "unloaded while nothing is there" unload_soon
[ ! -e /dev/kreg ]
result $? "the device goes with the module"
expect yes "loaded again" load
[ -c /dev/kreg ]
result $? "the device comes with the module"
expect yes "all counters begin at zero" counters_are_zero

exec 3<>/dev/kreg
expect no "refused while a client is open" unload
exec 3>&-
expect yes "unloaded after the client was closed" unload_soon
expect yes "loaded after that" load

"$dir/parked" make left 10
result $? "a table is left by its process"
expect no "refused while a parked table exists" unload
"$dir/parked" remove left
result $? "the table is removed"
expect yes "unloaded after the table was removed" unload_soon
expect yes "loaded once more" load

# Its owner is dead, its memory perhaps still there.
"$dir/parked" leave large 50000
result $? "a large table dies with its process"
expect yes "unloaded while or after it is freed" unload_soon
expect yes "loaded after a large table" load

i=0
while [ $i -lt 10 ] && unload_soon && load; do i=$((i + 1)); done
[ $i = 10 ]
result $? "unloaded and loaded ten times"

visitors 1 & first=$!
visitors 2 & second=$!
while kill -0 $first 2>/dev/null || kill -0 $second 2>/dev/null; do
	if unload 2>/dev/null; then load; fi
done
wait
[ -c /dev/kreg ] || load
expect yes "unloaded between its users' calls" unload_soon
expect yes "loaded at the end" load
expect yes "nothing is left of them" counters_are_zero

echo "1..$n"
[ $failed = 0 ]

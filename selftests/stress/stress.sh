#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# stress.sh - the stress program with one writer and with several, then load the
# module, use it and unload it, many times. Prints TAP; the module
# is loaded anew.
#
#   stress.sh [-s SECONDS] [-w WRITERS] [-r ROUNDS] [OPTION-OF-STRESS...]
#
#   -s SECONDS  how long to stress it, all in all (default 120)
#   -w WRITERS  with so many writers only (default: 1, then 3)
#   -r ROUNDS   of load, use and unload (default 42; fewer on a slow kernel)
dir=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kit/module.sh
. "$dir/module.sh"

seconds=120 writers='1 3' rounds=$((40 / ${KREG_TEST_SHRINK:-1} + 2))
while getopts s:w:r: opt; do
	case $opt in
	s) seconds=$OPTARG ;;
	w) writers=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

if [ ! -d "$params" ]; then
	echo "1..0 # SKIP the module is not loaded"
	exit 4
fi
as_it_was="lend=$(cat "$params/lend") writers=$(cat "$params/writers")"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# What a kernel that has lost nothing gives back; in KiB. Empty slabs are given back first, and
# what KASAN keeps in quarantine.
kernel_memory() {
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done
	awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack):/ { sum += $2 }
	     END { print sum }' /proc/meminfo
}

# use NUMBER: a short round by a few processes, some of which are killed.
use() {
	"$dir/stress" --brief --processes 3 --seed "$1" >"$out" 2>&1 && return
	sed 's/^/# /' "$out"
	return 1
}

reload_round() {
	load "lend=$(($1 % 2))" "writers=$((1 + $1 % 3))" && counters_are_zero &&
		use "$1" && unload_soon
}

# Caches fill up at first; after a quarter of the rounds nothing may grow.
reload_rounds() {
	i=0 before=0 first=$(((rounds + 3) / 4))
	while [ $i -lt "$rounds" ]; do
		reload_round $i || return 1
		i=$((i + 1))
		[ $i != $first ] || before=$(kernel_memory)
		[ $((i % 20)) != 0 ] || echo "# loaded and unloaded $i times: $(kernel_memory) KiB"
	done
}

# What dead processes and their cgroups have held is given back some time after their end.
memory_is_back() {
	tries=20
	while grown=$(($(kernel_memory) - before)) && [ $grown -ge 512 ]; do
		tries=$((tries - 1))
		[ $tries != 0 ] || break
		sleep 1
	done
	echo "# the kernel's memory has grown by $grown KiB"
	[ $grown -lt 512 ] && return
	grep -E '^(SUnreclaim|VmallocUsed|Percpu|KernelStack):' /proc/meminfo | sed 's/^/# /'
	return 1
}

echo TAP version 13
count=$(echo "$writers" | wc -w)
for w in $writers; do
	unload_soon && load "writers=$w"
	result $? "loaded with writers=$w"
	"$dir/stress" --seconds $((seconds / count)) "$@" || failed=$((failed + 1))
done

unload_soon
result $? "unloaded after that"
reload_rounds
result $? "$rounds times loaded, used and unloaded"
memory_is_back
result $? "memory is back"
# shellcheck disable=SC2086
load $as_it_was
result $? "loaded as it was"

echo "1..$n"
[ $failed = 0 ]

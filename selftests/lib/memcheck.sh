#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memcheck.sh - valgrind and MemorySanitizer know what calls of libkreg have written: no false report,
# and none is missing. Prints TAP; needs the module, root, and valgrind in the guest.
#
#   memcheck.sh [PROGRAM...]    programs to run under valgrind (default: lib_written, and that under
#                               MemorySanitizer as well, if it was built with MEMCHECK=1)

tmp=$(mktemp -d) || exit 4
trap 'rm -rf "$tmp"' EXIT
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

# run_valgrind PROGRAM [ARGUMENT...]: its status; what valgrind says is in $tmp/log.*.
run_valgrind() {
	rm -f "$tmp"/log.*
	valgrind -q --log-file="$tmp/log.%p" "$@" >"$tmp/out" 2>&1
}

# said: the last lines of the program, but for tests that passed, and what the tool reported. None
# may look as a test of this one.
said() {
	grep -v '^ok\|^# OK' "$tmp/out" | tail -n 20
	cat "$tmp"/log.* 2>/dev/null | head -n 40
}

# quiet NAME STATUS: the program ended well, and nothing was reported.
quiet() {
	if [ "$2" != 0 ] || [ -n "$(cat "$tmp"/log.* 2>/dev/null)" ]; then
		not_ok "$1" "status $2" "$(said | sed '1!s/^/# /')"
	else
		ok "$1"
	fi
}

under_valgrind() {
	for program; do
		run_valgrind "./$program"
		quiet "valgrind: $program" $?
	done
}

under_msan() {
	if [ ! -e lib_written_msan ]; then
		ok 'MemorySanitizer # SKIP the tests were built without MEMCHECK=1'
		return
	fi
	# Its shadow is at fixed addresses, where nothing else may come.
	[ ! -e /proc/sys/vm/mmap_rnd_bits ] || echo 28 >/proc/sys/vm/mmap_rnd_bits
	rm -f "$tmp"/log.*
	./lib_written_msan >"$tmp/out" 2>&1
	quiet 'MemorySanitizer: lib_written' $?
	KREG_TEST_UNWRITTEN=1 ./lib_written_msan -t unwritten >"$tmp/out" 2>&1
	is 'MemorySanitizer: one report of what nobody has written' \
		"$(grep -c 'WARNING: MemorySanitizer' "$tmp/out")" 1
}

if [ $# -gt 0 ]; then
	under_valgrind "$@"
else
	under_valgrind lib_written
	export KREG_TEST_UNWRITTEN=1
	run_valgrind ./lib_written -t unwritten
	unset KREG_TEST_UNWRITTEN
	is 'valgrind: one report of what nobody has written' \
		"$(cat "$tmp"/log.* | grep -c 'depends on uninitialised')" 1
	under_msan
fi
echo "1..$n"
# shellcheck disable=SC2154
[ "$failed" = 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# tap.sh - for shell tests, to be sourced: print TAP. At the end: echo "1..$n".

n=0
failed=0

ok() {
	n=$((n + 1))
	echo "ok $n $1"
}

# not_ok NAME LINE...: and why.
not_ok() {
	n=$((n + 1))
	failed=$((failed + 1))
	echo "not ok $n $1"
	shift
	printf '# %s\n' "$@"
}

# is NAME FOUND EXPECTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$2'" "not: '$3'"; fi
}

# need_kreg COMMAND: without it, or without the device, nothing can be tested.
need_kreg() {
	if ! command -v "$1" >/dev/null; then
		echo "1..0 # SKIP there is no kreg command"
		exit 4
	fi
	if [ ! -c /dev/kreg ]; then
		echo "1..0 # SKIP there is no /dev/kreg"
		exit 4
	fi
}

# wait_until COMMAND...: at most some twenty seconds; that it never succeeds is a failed test.
wait_until() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -ge 400 ]; then
			not_ok "waited for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# run COMMAND...: its status, output and errors in $status, $out, $err; needs a folder $tmp.
# shellcheck disable=SC2154
run() {
	"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

# check NAME STATUS OUT ERR: of what was run. ERR may be a shell pattern.
check() {
	if [ "$status" != "$2" ]; then
		not_ok "$1" "status $status, not $2" "out: $out" "err: $err"
	elif [ "$out" != "$3" ]; then
		not_ok "$1" "out: '$out'" "not: '$3'" "err: $err"
	else
		# shellcheck disable=SC2254
		case $err in
		$4) ok "$1" ;;
		*) not_ok "$1" "err: '$err'" "not: '$4'" ;;
		esac
	fi
}

# t NAME STATUS OUT ERR COMMAND...
t() {
	name=$1 want=$2 wout=$3 werr=$4
	shift 4
	run "$@"
	check "$name" "$want" "$wout" "$werr"
}

# like NAME PATTERN: the output of what was run matches a shell pattern.
like() {
	# shellcheck disable=SC2254
	case $out in
	$2) ok "$1" ;;
	*) not_ok "$1" "out: '$out'" "not: '$2'" ;;
	esac
}

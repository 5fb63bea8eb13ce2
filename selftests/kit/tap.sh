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

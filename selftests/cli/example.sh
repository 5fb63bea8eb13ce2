#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# example.sh - for the tests of the examples that have a folder of their own, to be sourced: the
# story of one, which fails if something does not come out as it says; and its supervisor.

tmp=$(mktemp -d) || exit 4
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here:$PATH
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$here/tap.sh"
sup=
example=${0##*/}
example=${example%.sh}
file=$here/${example_file:-$example.yaml}

need_kreg kreg
# Of those that are called over it.
if [ "${example_needs:-}" = tcp ] && [ ! -e /proc/net/tcp ]; then
	echo "1..0 # SKIP this kernel has no TCP: CONFIG_INET"
	exit 4
fi
if kreg supervise --check "$file" 2>&1 | grep -q 'built without libcyaml'; then
	echo "1..0 # SKIP this kreg was built without libcyaml"
	exit 4
fi

cleanup() {
	[ -z "$sup" ] || { kill "$sup" && wait "$sup"; } 2>/dev/null
	for table in $(kreg ls --names); do kreg rm -f "$table"; done
	rm -rf "$tmp"
}
trap cleanup EXIT

# story DEATHS: it comes to its end, tells of so many deaths, and fits on a terminal.
story() {
	"$example-story" >"$tmp/story" 2>&1
	status=$?
	sed 's/^/# /' "$tmp/story"
	is 'the story' $status 0
	is 'its deaths' "$(grep -c ': dead (' "$tmp/story")" "$1"
	is 'its lines of 80 columns' "$(grep -c '.\{81\}' "$tmp/story")" 0
	is 'it leaves nothing' "$(kreg ls --names)" ''
}

start() {
	kreg supervise "$file" >"$tmp/log" 2>&1 &
	sup=$!
	wait_until kreg whereis "supervisor.$example" control
}

stop() {
	kill "$sup"
	wait "$sup"
	is 'the supervisor ends' $? 0
	sup=
}

pid_of() { kreg super status --json "$example" "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
is_ready() { kreg super status --json "$example" "$1" | grep -q '"state":"ready"'; }
is_new() { is_ready "$1" && [ "$(pid_of "$1")" != "$2" ]; }

# finish: count, and end as the tests did.
finish() {
	echo "1..$n"
	[ "$failed" = 0 ]
	exit
}

echo 'TAP version 13'

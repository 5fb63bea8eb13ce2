#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# example.sh - for the tests of the examples that have a folder of their own, to be sourced: the
# story of one, which fails if something does not come out as it says; and its supervisor.

here=$(cd "$(dirname "$0")" && pwd)
PATH=$here:$PATH
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$here/tap.sh"

need_kreg kreg
# That the story leaves nothing can only be seen if there was nothing.
if [ -n "$(kreg ls --names)" ]; then
	echo "1..0 # SKIP there are tables already: $(kreg ls --names | tr '\n' ' ')"
	exit 4
fi
# shellcheck source-path=SCRIPTDIR source=../../userspace/examples/story.sh
. "$here/story.sh"
file=$here/${example_file:-$example.yaml}

# Of those that are called over it.
if [ "${example_needs:-}" = tcp ] && [ ! -e /proc/net/tcp ]; then
	echo "1..0 # SKIP this kernel has no TCP: CONFIG_INET"
	exit 4
fi
if kreg supervise --check "$file" 2>&1 | grep -q 'built without libcyaml'; then
	echo "1..0 # SKIP this kreg was built without libcyaml"
	exit 4
fi

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
	wait_until kreg whereis "supervisor.$system" control
}

stop() {
	kill "$sup"
	wait "$sup"
	is 'the supervisor ends' $? 0
	sup=
}

# finish: count, and end as the tests did.
finish() {
	echo "1..$n"
	[ "$failed" = 0 ]
	exit
}

echo 'TAP version 13'

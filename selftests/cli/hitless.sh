#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/hitless: a server that is replaced while clients are connected. Prints TAP;
# needs the module, and root.

example_needs=tcp
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"
# A line to a client whose connection is gone is not answered; that is no reason to end.
trap : PIPE

# connect: lines to descriptor 9, answers to a file.
connect() {
	mkfifo "$tmp/lines"
	nc 127.0.0.1 8090 <"$tmp/lines" >"$tmp/answers" &
	exec 9>"$tmp/lines"
}

# ask NAME LINE ANSWER
ask() {
	asked=$(wc -l <"$tmp/answers")
	echo "$2" >&9
	wait_until has_more
	is "$1" "$(tail -n 1 "$tmp/answers")" "$3"
}
has_more() { [ "$(wc -l <"$tmp/answers")" -gt "$asked" ]; }
waits() { grep -q 'unix\|skb' "/proc/$1/wchan"; }
is_there() { [ "$(pid_of "$1")" -gt 0 ]; }

# One that does not come to its end: the one before goes on, with its connections.
successor_killed() {
	kreg super start hitless server v1 1
	connect
	ask 'a first line' alice 'alice: line 1, version 1'
	old=$(pid_of v1)
	kill -STOP "$old"
	kreg super start hitless server v2 2 2>/dev/null &
	starting=$!
	wait_until is_there v2
	wait_until waits "$(pid_of v2)"
	kill -9 "$(pid_of v2)"
	wait $starting
	is 'a successor that is killed is not started' $? 1
	kill -CONT "$old"
	ask 'the same connection goes on' more 'alice: line 2, version 1'
	kreg super start hitless server v3 3
	is 'the next successor is' $? 0
	ask 'and takes over' more 'alice: line 3, version 3'
	exec 9>&-
}

# What has come of a line passes on; nobody answers half of it.
half_a_line() {
	rm "$tmp/lines"
	connect
	ask 'another session' bob 'bob: line 1, version 3'
	printf 'hel' >&9
	kreg super start hitless server v4 4
	ask 'a line in two halves' lo 'bob: line 2, version 4'
	exec 9>&-
}

story 5
start
successor_killed
half_a_line
stop
finish

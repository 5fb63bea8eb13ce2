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
	# Empty and there before it is counted: nc opens it at some time after the pipe.
	: >"$tmp/answers"
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

# A successor is connected to who serves: there is the socket that listens, and another one.
is_connected() { [ "$(grep -c '@kreg-hitless$' /proc/net/unix)" = 2 ]; }
# The server has not read all that clients have sent.
has_unread() {
	awk '$2 ~ /:1F9A$/ && $4 == "01" && $5 !~ /:00000000$/ { n++ } END { exit !n }' /proc/net/tcp
}
has_read() { ! has_unread; }
holds() { [ "$(find "/proc/$1/fd" -type l | wc -l)" -ge "$2" ]; }

# begin_version NAME: it has begun to take over from version 1, which is stopped.
begin_version() {
	kill -STOP "$old"
	kreg super start hitless server "$@" 2>/dev/null &
	starting=$!
	wait_until is_connected
	next=$(pid_of "$1")
}

# One that does not come to its end: the one before goes on, with its connections.
successor_killed() {
	kreg super start hitless server v1 1
	connect
	ask 'a first line' alice 'alice: line 1, version 1'
	old=$(pid_of v1)
	begin_version v2 2
	kill -9 "$next"
	wait $starting
	is 'a successor that is killed is not started' $? 1
	kill -CONT "$old"
	ask 'the same connection goes on' more 'alice: line 2, version 1'
}

# One that hangs: the one before does not wait for ever.
successor_stopped() {
	begin_version v2 2
	kill -STOP "$next"
	kill -CONT "$old"
	ask 'a successor is stopped, the same connection goes on' more 'alice: line 3, version 1'
	kill -9 "$next"
	wait $starting
	is 'it is not started' $? 1
}

# One that may not have as many descriptors: it takes over nothing.
successor_without_room() {
	mkfifo "$tmp/silence"
	for _ in $(seq 10); do nc 127.0.0.1 8090 <"$tmp/silence" >/dev/null & done
	exec 8>"$tmp/silence"
	wait_until holds "$old" 15
	# shellcheck disable=SC3045
	(ulimit -n 12; hitless-server 2) >"$tmp/full" 2>&1
	is 'a successor without room for the connections ends' "$?:$(cat "$tmp/full")" \
		'1:hitless-server 2: cannot take over all connections; who serves goes on'
	ask 'and the same connection goes on' more 'alice: line 4, version 1'
	exec 8>&-
}

successor() {
	kreg super start hitless server v3 3
	is 'the next successor is started' $? 0
	ask 'and takes over' more 'alice: line 5, version 3'
	exec 9>&-
}

# What has come of a line passes on; nobody answers half of it.
half_a_line() {
	rm "$tmp/lines"
	connect
	ask 'another session' bob 'bob: line 1, version 3'
	old=$(pid_of v3)
	kill -STOP "$old"
	printf 'hel' >&9
	wait_until has_unread
	kill -CONT "$old"
	wait_until has_read
	kreg super start hitless server v4 4
	ask 'a line in two halves' lo 'bob: line 2, version 4'
	exec 9>&-
}

story 5
start
successor_killed
successor_stopped
successor_without_room
successor
half_a_line
stop
finish

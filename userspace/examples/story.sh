#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# story.sh - for the stories of the examples, to be sourced: run an example under kreg supervise,
# let its processes die, and tell what happens. Each story ends with 1 if something does not
# come out as it says. Needs the module, kreg and the example's programs in PATH, and root.

here=$(cd "$(dirname "$0")" && pwd)
name=${0##*/}
name=${name%-story}
tmp=$(mktemp -d) || exit 1
sup=
watcher=

cleanup() {
	[ -z "$sup" ] || { kill "$sup" && wait "$sup"; } 2>/dev/null
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	for table in $(kreg ls --names | grep -E "^(supervisor\.)?$name(\..*)?\$"); do
		kreg rm -f "$table"
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM PIPE

# say ['' TEXT]...: what the reader is to know, after an empty line if the first is empty.
say() {
	[ -n "$1" ] || { echo; shift; }
	[ $# = 0 ] || echo "$*" | fold -s -w 80 | sed 's/ $//'
}

# fail TEXT: the story does not come out.
fail() {
	echo "$name: $*, which should not be" >&2
	sed 's/^/    /' "$tmp/log" >&2
	exit 1
}

# show COMMAND...: the command as one would type it, and what it prints.
show() {
	printf '  $'
	for word; do
		case $word in
		*' '*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
	"$@" >"$tmp/show" 2>&1
	shown=$?
	awk '{ print "    " $0 }' "$tmp/show"
	return $shown
}

# until_is COMMAND...: at most some twenty seconds.
until_is() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "waited in vain for '$*'"
		sleep 0.05
	done
}

# supervise [FILE]: start it, and wait until all its children are ready.
supervise() {
	say "  \$ kreg supervise ${1:-$name}.yaml &"
	kreg supervise "$here/${1:-$name}.yaml" >>"$tmp/log" 2>&1 &
	sup=$!
	until_is kreg whereis "supervisor.$name" control
	sed -n '/: ready$/s/^/    /p' "$tmp/log"
}

# record TABLE: from now on its events are in $tmp/events, with their times.
record() {
	kreg watch --json --present "$1" >"$tmp/events" 2>/dev/null &
	watcher=$!
	until_is grep -q '"event":"ready"' "$tmp/events"
}

# ms_between PATTERN PATTERN: between the last event that has the first, and the first after it
# that has the second.
ms_between() {
	awk -v first="$1" -v second="$2" '
		{ match($0, /"monotonic_ns":[0-9]+/); now = substr($0, RSTART + 15) / 1e6 }
		index($0, first) { from = now; to = 0 }
		from && !to && index($0, second) && now > from { to = now }
		END { if (!to) exit 1; printf "%.1f ms\n", to - from }' "$tmp/events"
}

pid_of() { kreg super status --json "$name" "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
is_ready() { kreg super status --json "$name" "$1" | grep -q '"state":"ready"'; }
is_new() { is_ready "$1" && [ "$(pid_of "$1")" != "$2" ]; }

# says PATTERN: the example, or its supervisor, has said so.
says() { grep -q "$1" "$tmp/log"; }

# tell_deaths N: what the supervisor has said of the next so many.
tell_deaths() {
	until_is have_died "$((told + $1))"
	grep ': dead (' "$tmp/log" | sed -n "$((told + 1)),$((told + $1))s/^/    /p"
	told=$((told + $1))
}
told=0
have_died() { [ "$(grep -c ': dead (' "$tmp/log")" -ge "$1" ]; }

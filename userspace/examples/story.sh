#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# story.sh - for the stories of the examples, and their tests, to be sourced: run an example under
# kreg supervise, let its processes die, and tell what happens. Each story ends with 1 if something
# does not come out as it says. Needs the module, kreg and the example's programs in PATH, and root.

here=$(cd "$(dirname "$0")" && pwd)
example=${0##*/}
example=${example%-story}
example=${example%.sh}
# A story may set both before: the name in its file, and a table that is called otherwise.
system=${system:-$example}
other_table=${other_table:-$system}

# its_tables: all that the example makes.
its_tables() { kreg ls --names | grep -E "^(supervisor\.)?$system([.-].*)?\$|^$other_table\$"; }

# They are removed in the end, so they must not be of somebody else.
if [ -n "$(its_tables)" ]; then
	echo "$example: there are tables already: $(its_tables | tr '\n' ' ')" >&2
	exit 1
fi

tmp=$(mktemp -d) || exit 1
sup=
watcher=

remove_tables() {
	for table in $(its_tables); do kreg rm -f "$table"; done
}

cleanup() {
	[ -z "$sup" ] || { kill "$sup" && wait "$sup"; } 2>/dev/null
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	remove_tables
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
	echo "$example: $*, which should not be" >&2
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
	say "  \$ kreg supervise ${1:-$example}.yaml &"
	kreg supervise "$here/${1:-$example}.yaml" >>"$tmp/log" 2>&1 &
	sup=$!
	until_is kreg whereis "supervisor.$system" control
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

# pid_of CHILD: nothing if it has none, and not 0, by which kill would mean this script too.
pid_of() {
	kreg super status --json "$system" "$1" | sed -n 's/.*"pid":\([1-9][0-9]*\).*/\1/p'
}
is_ready() { kreg super status --json "$system" "$1" | grep -q '"state":"ready"'; }
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

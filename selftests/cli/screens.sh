#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What people see in a terminal of 80 columns: no control byte of a name, a key, a value or a
# process that somebody else has chosen, and no line that is too long. Prints TAP; needs the
# module, and root.

tmp=$(mktemp -d) || exit 4
pids=
kreg=${KREG:-kreg}
terminal=$(dirname "$0")/terminal
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

# ESC, a line feed, the CSI of eight bits as a character and as a byte, DEL.
odd=$(printf 'o\033[31m\nd\302\233d\2331\177')
# As a path of a process it is cut off, and can have no slash.
program=$tmp/$(printf 'p\033[31mq')

cleanup() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	"$kreg" rm -f "$odd" names.odd 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# control FILE: what is in it of bytes that a terminal would obey, but for line feeds and
# tabulators.
control() {
	# As other bytes than these are none of UTF-8, the CSI may only be part of a character.
	LC_ALL=C tr -d '\011\012\040-\176\200-\377' <"$1" | od -An -c
	! LC_ALL=C grep -qe "$(printf '\302\233')" "$1" || echo 'CSI'
	! LC_ALL=C grep -qe "$(printf '[^\302]\233')" "$1" || echo 'CSI'
}

# silent NAME FILE: it is of no such bytes, but there is something in it.
silent() {
	if [ ! -s "$2" ]; then
		not_ok "$1" 'nothing was printed'
	else
		is "$1" "$(control "$2")" ''
	fi
}

# clean COMMAND...: of kreg, in a terminal.
clean() {
	"$terminal" "$kreg" "$@" >"$tmp/shown"
	silent "$(printf %s "$*" | tr -dc ' [:alnum:].-')" "$tmp/shown"
}

of_tables() {
	"$kreg" new "$odd"
	clean new "$odd"
	clean ls
	clean ls --names
	clean ls --all
	clean info "$odd"
	clean set --mode 0644 "none $odd"
	clean status
	clean get "$odd" k
	clean get "none $odd" k
	clean take "$odd" "$odd"
	clean del "$odd" k
	clean count "$odd"
	clean put --file "/none/$odd" "$odd" k
	clean put --new "$odd"
	clean give "$odd" 1
	clean rename "none $odd" "$odd"
	clean rm "none $odd"
	clean lock -n "none $odd" "$odd" -- true
	clean super status "$odd"
	clean whereis "none $odd" k
	clean monitor --owner "$odd"
	clean watch -t 1ms "none $odd"
	clean wait -p -t 1ms "$odd" k
}

of_objects() {
	"$kreg" put "$odd" "$odd" "$odd"
	clean get "$odd" "$odd"
	clean scan "$odd"
	clean first "$odd"
	clean scan --where "key == $odd" "$odd"
	clean put --new "$odd" "$odd" "$odd"
	clean take "$odd" "$odd"
}

of_arguments() {
	clean "$odd"
	clean help "$odd"
	clean get "--$odd"
	clean get -"$(printf '\033')"
	clean new --mode "$odd" x
	clean new --access "$odd" x
	clean wait -p -t "$odd" x
	clean put --hex x "$odd" "$odd"
	clean supervise "$tmp/$odd"
	clean restore "$tmp/$odd"
	export KREG_DEVICE="/none/$odd"
	clean ls
	unset KREG_DEVICE
}

owner_is() { "$kreg" info --json "$odd" | grep -q "\"owner\":$1,"; }

# A process whose command has such a name owns the table.
of_processes() {
	cp "$(command -v "$kreg")" "$program"
	"$program" claim "$odd" 2>/dev/null &
	owner=$!
	pids="$pids $owner"
	wait_until owner_is $owner
	clean ls
	clean info "$odd"
	clean status
	clean claim "$odd"
	clean hold "$odd" true
	"$terminal" "$kreg" monitor "$owner" >"$tmp/monitor" &
	monitor=$!
	pids="$pids $monitor"
	wait_until monitored
	"$terminal" "$kreg" watch "$odd" >"$tmp/watch" &
	watcher=$!
	pids="$pids $watcher"
	wait_until subscribed
	kill -9 $owner
	wait $owner 2>/dev/null
	wait $monitor
	silent 'monitor' "$tmp/monitor"
}

subscribed() { "$kreg" info --json "$odd" | grep -q '"subscriptions":1,'; }
monitored() { grep -qs 'kreg-watches:.1' /proc/[0-9]*/fdinfo/*; }

of_events() {
	"$kreg" put "$odd" "$odd" "$odd"
	"$kreg" publish "$odd" "$odd" "$odd"
	"$terminal" "$kreg" hold -r never "$odd" -- sh -c "exit 3; : $odd" >"$tmp/shown"
	silent 'hold' "$tmp/shown"
	clean hold -r never "$odd" -- "/none/$odd"
	clean hold -r never "$odd" -- "$program" none
	"$kreg" rm "$odd"
	wait $watcher
	silent 'watch' "$tmp/watch"
	is 'watch has told of all' "$(grep -c 'publish\|create\|destroyed' "$tmp/watch")" 3
}

# wide FILE: its lines of more than 80 columns.
wide() { grep -n '.\{81\}' "$1"; }

widths() {
	for command in $("$kreg" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
		"$terminal" "$kreg" "$command" --help >"$tmp/help"
		is "help of $command fits" "$(wide "$tmp/help")" ''
		# Of what comes before, a word of the user's may be as long as it likes.
		"$terminal" "$kreg" "$command" --none 2>&1 | sed 1d >"$tmp/help"
		is "usage of $command, too" "$(wide "$tmp/help")" ''
	done
	"$terminal" "$kreg" --help >"$tmp/help"
	is 'the list of commands' "$(wide "$tmp/help")" ''
	"$kreg" new names.odd
	for shown in ls status 'info names.odd'; do
		# shellcheck disable=SC2086
		"$terminal" "$kreg" $shown >"$tmp/shown"
		is "$shown" "$(wide "$tmp/shown")" ''
	done
	"$kreg" rm names.odd
}

echo 'TAP version 13'
is 'a terminal has that many lines and columns' "$("$terminal" stty size)" '24 80'
printf 'a\033b\n' >"$tmp/shown"
is 'control bytes are found' "$(control "$tmp/shown" | tr -d ' ')" 033
printf 'a\302\233b\n' >"$tmp/shown"
is 'those of characters, too' "$(control "$tmp/shown")" CSI
of_tables
of_objects
of_arguments
of_processes
of_events
widths
echo "1..$n"
[ "$failed" -eq 0 ]

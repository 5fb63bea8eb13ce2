#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg queue, as installed: jobs are pushed, worked on, fail, and are not lost. Prints TAP; needs
# the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f queued plain strange 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

count() { "$kreg" queue --json ls queued; }

works() {
	t 'push' 0 '' '' "$kreg" queue push queued one
	t 'from a file' 0 '' '' sh -c "printf two >$tmp/job; $kreg queue push -f $tmp/job queued"
	t 'from standard input' 0 '' '' sh -c "printf three | $kreg queue push queued -"
	t 'later' 0 '' '' "$kreg" queue push --delay 1h queued four
	t 'how many' 0 '{"due":3,"delayed":1,"lent":0,"dead":0}' '' count
	t 'in their order' 0 'one1
two1
three1' '' "$kreg" queue work --drain queued -- sh -c 'cat; echo "$KREG_LOANS"'
	t 'done' 0 '{"due":0,"delayed":1,"lent":0,"dead":0}' '' count
	t 'nothing to do' 0 '' '' "$kreg" queue work --drain queued -- false
}

fails() {
	"$kreg" queue push queued bad
	t 'three times' 0 'bad bad bad ' '*has failed with status 1*' \
		"$kreg" queue work --drain --most 3 queued -- sh -c 'cat; printf " "; exit 1'
	t 'put aside' 0 'due	0
delayed	1
at work	0
dead	1' '' "$kreg" queue ls queued
	t 'which they are' 0 '3	bad' '' "$kreg" queue dead queued
	t 'the same in JSON' 0 '{"deliveries":3,"value":"bad"}' '' "$kreg" queue --json dead queued
	t 'the same in digits' 0 '3	626164' '' "$kreg" queue --hex dead queued
	t 'revived' 0 '1 job revived' '' "$kreg" queue revive queued
	t 'none is dead' 0 '' '' "$kreg" queue dead queued
	t 'and again' 0 'bad' '' "$kreg" queue work --drain queued -- cat
	"$kreg" queue push queued slow
	t 'put off' 0 '' '*has failed*' "$kreg" queue work --drain --retry 1h queued -- false
	t 'until then' 0 '{"due":0,"delayed":2,"lent":0,"dead":0}' '' count
	"$kreg" queue push queued here
	t 'no command' 127 '' 'kreg queue: /none: *' "$kreg" queue work --drain queued -- /none
	t 'it is there' 0 '{"due":1,"delayed":2,"lent":0,"dead":0}' '' count
}

# A command that has run may end as a shell does that finds no command.
ends_as_not_found() {
	"$kreg" new -t ordered_set -a public strange
	for status in 126 127; do
		"$kreg" queue push strange "one $status"
		"$kreg" queue push strange "two $status"
		t "ends with $status" 0 '' "*has failed with status $status*" "$kreg" queue work \
			--drain --most 1 strange -- sh -c "cat >/dev/null; exit $status"
	done
	t 'all are put aside' 0 '{"due":0,"delayed":0,"lent":0,"dead":4}' '' \
		"$kreg" queue --json ls strange
}

# What the clock of an earlier run says is in the future, as a delay is.
restored() {
	"$kreg" queue push --delay 1000d strange late
	"$kreg" queue push --delay 1h strange early
	"$kreg" dump strange >"$tmp/dump"
	"$kreg" rm strange
	"$kreg" restore "$tmp/dump" 2>/dev/null
	"$kreg" queue push strange new
	t 'made due' 0 '2 jobs made due' '' "$kreg" queue make-due strange
	t 'none is left to be' 0 '{"made_due":0}' '' "$kreg" queue --json make-due strange
	t 'in their order, behind what was due' 0 'new early late ' '' \
		"$kreg" queue work --drain strange -- sh -c 'cat; printf " "'
}

is_at_work() { [ -s "$tmp/pid" ]; }

killed() {
	"$kreg" queue work queued -- sh -c "echo \$\$ >$tmp/pid; exec sleep 1000" &
	worker=$!
	wait_until is_at_work
	t 'at work' 0 '{"due":0,"delayed":2,"lent":1,"dead":0}' '' count
	kill -9 $worker
	wait $worker
	t 'back' 0 '{"due":1,"delayed":2,"lent":0,"dead":0}' '' count
	t 'by another' 0 'here' '' "$kreg" queue work --drain queued -- cat
	"$kreg" queue push queued last
	"$kreg" queue work queued -- sh -c "cat >$tmp/last" &
	worker=$!
	wait_until test -s "$tmp/last"
	kill $worker
	wait $worker
	is 'ends when it is asked' $? 0
}

usage() {
	"$kreg" new plain
	t 'no order' 1 '' 'kreg queue: *is a set, which has no order*' "$kreg" queue ls plain
	t 'no action' 2 '' "kreg queue: 'x' is nothing to do with a queue*" "$kreg" queue x queued
	t 'no value' 2 '' 'kreg queue: a job is one value*' "$kreg" queue push queued
	t 'two values' 2 '' 'kreg queue: a job is one value*' "$kreg" queue push queued a b
	t 'no command' 2 '' 'kreg queue: there is no command behind --*' "$kreg" queue work queued
	t 'an option of another' 2 '' "kreg queue: an option does not go with 'ls'*" \
		"$kreg" queue --drain ls queued
	t 'too much to look at' 2 '' 'kreg queue: too many arguments*' "$kreg" queue dead queued a
	t 'no time' 2 '' "kreg queue: 'x' is no time*" "$kreg" queue --delay x push queued a
}

"$kreg" new -t ordered_set -a public queued
works
fails
ends_as_not_found
restored
killed
usage
echo "1..$n"
[ "$failed" -eq 0 ]

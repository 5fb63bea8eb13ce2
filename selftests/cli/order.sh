#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg supervise, from its file: who is started and stopped in which order when a child dies of
# what; and that what the file says of children and tables is so. Prints TAP; needs the module,
# and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$here/tap.sh"
rough=$here/lib_supervisor_rough
file=$tmp/file.yaml
log=$tmp/log
sup='' watcher=''

need_kreg "$kreg"
echo 'name: x' >"$tmp/none"
if "$kreg" supervise --check "$tmp/none" 2>&1 | grep -q 'built without libcyaml'; then
	echo "1..0 # SKIP this kreg was built without libcyaml"
	exit 4
fi

cleanup() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	# Its children end with it.
	[ -z "$sup" ] || { kill -TERM "$sup" && wait "$sup"; } 2>/dev/null
	for t in $("$kreg" ls --names | grep -E '^(supervisor\.)?so\b'); do "$kreg" rm -f "$t"; done
	rm -rf "$tmp"
}
trap cleanup EXIT

# begin COMMAND...: supervise the file, by what may be in front of it.
begin() {
	: >"$log"
	"$@" "$kreg" supervise "$file" 2>>"$log" &
	sup=$!
	wait_until "$kreg" whereis supervisor.so control
}

finish() {
	wait "$sup"
	status=$?
	sup=
}

pid_of() { "$kreg" super status --json so "$1" | sed -n 's/.*"pid":\([1-9][0-9]*\).*/\1/p'; }
states() { "$kreg" super status --json so | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p' | xargs; }
field() { "$kreg" info --json "$1" | sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }

# signs: what the log says, one for each thing, from the line $from on: + ready, - asked to stop,
# * killed, ! dead, # gave up.
signs() {
	sed -n -e "1,$((from - 1))d" -e 's/^\([a-z]*\): ready$/+\1/p' \
		-e 's/^\([a-z]*\): is asked to stop$/-\1/p' -e 's/^\([a-z]*\): is killed$/*\1/p' \
		-e 's/^\([a-z]*\): dead .*/!\1/p' -e 's/^\([a-z]*\): gives up.*/#\1/p' "$log" |
		tr -d '\n'
}
from=1
have_happened() { [ "$(signs)" = "$1" ]; }

# end_child CHILD HOW
end_child() {
	pid=$(pid_of "$1")
	case $2 in
	oom) "$rough" oom "$pid" ;;
	# What the child makes of them.
	exit-0) kill -USR2 "$pid" ;;
	exit-3) kill -HUP "$pid" ;;
	abort) kill -USR1 "$pid" ;;
	*) kill -s "$2" "$pid" ;;
	esac
}

obedient() { echo "  - {id: $1, command: [$rough, obey, $1], ready: notify, start: 1m, restart: $2}"; }

write_layout() {
	printf 'name: so\nstrategy: %s\nmax_restarts: %s\nmax_seconds: 10m\nchildren:\n' "$1" "$3"
	obedient a permanent
	obedient b "$2"
	obedient c permanent
}

# layout STRATEGY RESTART: that of b.
layout() {
	strategy=$1 restart=$2
	write_layout "$strategy" "$restart" 9 >"$file"
	from=1
	begin
	is "$strategy: starts as the file says" "$(signs)" '+a+b+c'
}

# row WHOM HOW SIGNS STATES: when this one of the layout has died.
row() {
	from=$(($(wc -l <"$log") + 1))
	end_child "$1" "$2"
	wait_until have_happened "$3"
	is "$strategy, $restart: $1 dies of $2" "$(signs) $(states)" "$3 $4"
}

stops() {
	from=$(($(wc -l <"$log") + 1))
	kill "-$1" "$sup"
	finish
	is "$strategy: stops, by SIG$1" "$status $(signs)" "0 $2"
}

test_orders() {
	layout one_for_one permanent
	for how in KILL SEGV abort exit-0 exit-3 oom TERM; do
		row b $how '!b+b' 'ready ready ready'
	done
	stops INT '-c!c-b!b-a!a'
	layout one_for_one transient
	for how in KILL exit-3 oom; do row b $how '!b+b' 'ready ready ready'; done
	row b exit-0 '!b' 'ready ended ready'
	stops TERM '-c!c-a!a'
	layout one_for_one temporary
	row b KILL '!b' 'ready ended ready'
	stops TERM '-c!c-a!a'
	layout one_for_all permanent
	row a KILL '!a-c!c-b!b+a+b+c' 'ready ready ready'
	row b oom '!b-c!c-a!a+a+b+c' 'ready ready ready'
	row c exit-3 '!c-b!b-a!a+a+b+c' 'ready ready ready'
	stops TERM '-c!c-b!b-a!a'
	layout one_for_all transient
	row b exit-0 '!b' 'ready ended ready'
	row a SEGV '!a-c!c+a+b+c' 'ready ready ready'
	stops TERM '-c!c-b!b-a!a'
	layout rest_for_one permanent
	row a abort '!a-c!c-b!b+a+b+c' 'ready ready ready'
	row b exit-0 '!b-c!c+b+c' 'ready ready ready'
	row c oom '!c+c' 'ready ready ready'
	stops TERM '-c!c-b!b-a!a'
}

# More deaths than are allowed end it, and those of another one count as well.
test_too_many() {
	write_layout rest_for_one permanent 1 >"$file"
	from=1
	begin
	end_child c KILL
	wait_until have_happened '+a+b+c!c+c'
	end_child b SEGV
	finish
	is 'one death too many' "$status $(signs)" '8 +a+b+c!c+c!b#b-c!c-a!a'
}

write_members() {
	cat <<-FILE
	name: so
	tables:
	  - {name: so.kept, kind: ordered_set, access: public, mode: 0640, keep: 10m, claimable: true}
	  - {name: so.gone, kind: bag, access: private, orphan: destroy}
	  - {name: so.crash, access: registry, orphan: park-on-crash, limit: 4/1m}
	children:
	  - id: who
	    command: [sh, -c, 'echo \$(id -u) \$(id -g) \$PWD \$ONE \$TWO >$tmp/who; exec sleep 1000']
	    user: "1001"
	    group: "1002"
	    directory: /proc
	    env: [ONE=1, TWO=2]
	  - {id: asked, command: [$rough, obey], ready: notify, start: 1m, stop: HUP}
	  - {id: deaf, command: [sh, -c, 'trap "" TERM; : >$tmp/deaf; exec sleep 1000'], patience: 200ms}
	  - {id: once, command: [sleep, "1000"], patience: 0s}
	FILE
}

table() { echo "$(field "$1" type) $(field "$1" access) $(field "$1" mode) $(field "$1" orphan)"; }

test_members() {
	chmod 755 "$tmp"
	: >"$tmp/who"
	chmod 666 "$tmp/who"
	write_members >"$file"
	begin
	wait_until test -s "$tmp/who"
	is 'user, group, directory, env' "$(cat "$tmp/who")" '1001 1002 /proc 1 2'
	is 'a table' "$(table so.kept)" 'ordered_set public 0640 park'
	is 'how long it is kept' "$(field so.kept orphan_ms) $(field so.kept claimable)" '600000 true'
	is 'another' "$(table so.gone)" 'bag private 0600 destroy'
	is 'a third, with a limit' "$(table so.crash) $(field so.crash limit) $(field so.crash limit_ms)" \
		'set registry 0600 park on crash 4 60000'
	wait_until test -e "$tmp/deaf"
	from=$(($(wc -l <"$log") + 1))
	kill "$sup"
	finish
	is 'stop and patience' "$status $(signs)" '0 *once!once-deaf*deaf!deaf-asked!asked-who!who'
	grep -q '^asked: dead (exited with 3)$' "$log"
	is 'the signal of the file' $? 0
	is 'tables that are kept, and the other' "$("$kreg" ls --names | grep '^so' | xargs)" so.kept
	"$kreg" rm -f so.kept
}

# One that is not ready in time cannot be started.
test_start_time() {
	printf 'name: so\nchildren:\n  - {id: a, command: [sleep, "1000"], ready: notify, start: 200ms}\n' >"$file"
	"$kreg" supervise "$file" 2>"$log"
	is 'start' "$?" 9
	grep -q "child 'a' was not ready in time, within 200 ms" "$log"
	is 'and it is said why' $? 0
}

# If the journal reads what it says there is a priority before each line.
test_journal() {
	printf 'name: so\nchildren:\n' >"$file"
	obedient a permanent >>"$file"
	: >"$log"
	begin env JOURNAL_STREAM="$(stat -c %d:%i "$log")"
	end_child a KILL
	wait_until grep -q 'a: restart 1 of 3' "$log"
	is 'priorities for the journal' "$(sed -n 's/^\(<.>a\): \(ready\|dead\|restart\).*/\1 \2/p' "$log" | head -n 3 | xargs)" \
		'<6>a ready <5>a dead <5>a restart'
	kill "$sup"
	finish
	begin env JOURNAL_STREAM=1:1
	grep -q '^a: ready$' "$log"
	is 'and none if it reads something else' $? 0
	kill "$sup"
	finish
}

watches() { [ "$(field so.own subscriptions)" = "$1" ]; }
is_dead() { ! kill -0 "$1"; }

# Who owns, stands by and watches; and what is parked when all are killed.
test_tree() {
	printf 'name: so\ntables: [{name: so.own}, {name: so.child}]\nchildren:\n' >"$file"
	obedient a permanent | sed 's/}$/, tables: [so.child]}/' >>"$file"
	begin
	"$kreg" watch so.own >/dev/null 2>&1 &
	watcher=$!
	wait_until watches 1
	a=$(pid_of a)
	is 'tree: who owns, stands by and watches' "$("$kreg" super tree | xargs)" \
		"so process $sup so.own 1 watch a process $a so.child 1 stand by"
	"$kreg" super stop so a
	is 'tree: a child is stopped' "$("$kreg" super tree | grep '^    [^ ]' | sort | xargs)" \
		'a not running so.child so.own 1 watch'
	"$kreg" super start so a
	a=$(pid_of a)
	kill -9 "$sup"
	wait "$sup" 2>/dev/null
	is 'tree: the supervisor is killed' "$("$kreg" super tree | xargs)" \
		"so no supervisor a process $a so.child"
	kill -9 "$a"
	wait_until is_dead "$a"
	is 'tree: its child, too' "$("$kreg" super tree | xargs)" \
		'so no supervisor a not running so.child parked'
	is 'tree --json' "$("$kreg" super tree --json | sed -n 2,3p | xargs)" \
		'{child:a,supervisor:so,pid:0} {table:so.child,supervisor:so,child:a,owner:0,heir:0,parked:true,stand_by:0,watch:0}'
	kill "$watcher"
	watcher=
	begin
	kill "$sup"
	finish
}

# What others have left to process 1 is reaped.
test_reaps() {
	printf 'name: so\nchildren:\n  - {id: a, command: [sh, -c, "sh -c \\"sleep 999 &\\"; exec sleep 1000"]}\n' >"$file"
	: >"$log"
	unshare --pid --fork --mount-proc "$kreg" supervise "$file" 2>>"$log" &
	shell=$!
	wait_until has_orphan
	kill -9 "$orphan"
	wait_until test ! -e "/proc/$orphan"
	is 'process 1 reaps what others have left' "$([ -e "/proc/$orphan" ] || echo gone)" gone
	kill -TERM "$inner"
	wait "$shell"
	is 'and ends' $? 0
}
child_of() { ps -o pid,ppid,args | awk -v p="$1" -v a="$2" '$2 == p && index($0, a) { print $1; exit }'; }
has_orphan() {
	inner=$(child_of "$shell" supervise)
	orphan=$(child_of "${inner:-none}" 'sleep 999')
	[ -n "$orphan" ]
}

echo "TAP version 13"
test_orders
test_too_many
test_members
test_start_time
test_journal
test_tree
test_reaps
echo "1..$n"
[ "$failed" = 0 ]

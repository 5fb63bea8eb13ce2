#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg supervise and kreg super as installed: the file with every kind of mistake, children that
# are killed, supervisors that are killed, exit codes. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"
sup=

need_kreg "$kreg"
echo 'name: x' >"$tmp/none"
if "$kreg" supervise --check "$tmp/none" 2>&1 | grep -q 'built without libcyaml'; then
	echo "1..0 # SKIP this kreg was built without libcyaml"
	exit 4
fi

cleanup() {
	[ -z "$sup" ] || kill -9 "$sup" 2>/dev/null
	for pid in $(cat "$tmp"/pid-* 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
	for t in $("$kreg" ls --names | grep -E '^(supervisor\.)?st[a-z]*\b'); do
		"$kreg" rm -f "$t"
	done 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# bad NAME LINE PATTERN TEXT: a file with this text is refused, with that line and words.
bad() {
	printf '%b' "$4" >"$tmp/bad.yaml"
	err=$("$kreg" supervise --check "$tmp/bad.yaml" 2>&1 >/dev/null)
	status=$?
	# shellcheck disable=SC2254
	case $status:$err in
	"2:kreg supervise: $tmp/bad.yaml:"$2': '$3) ok "file: $1" ;;
	*) not_ok "file: $1" "status $status: $err" "not: $2: $3" ;;
	esac
}

one='children:\n  - id: x\n    command: [true]\n'

test_mistakes() {
	bad 'unknown key' 2 '*Unexpected key: max_restart*' "name: a\nmax_restart: 3\n$one"
	bad 'of a child' 5 '*max_restart*' "name: a\n$one    max_restart: 3\n"
	bad 'a word' 5 "*never*'restart'*" "name: a\n$one    restart: never\n"
	bad 'no list' 4 "*'command'*" "name: a\nchildren:\n  - id: x\n    command: a\n"
	bad 'missing' 3 '*Missing*command*' "name: a\nchildren:\n  - id: x\n"
	bad 'twice' 1 '*already seen: name*' "name: a\nname: b\n$one"
	bad 'empty' 1 'the file is empty' ""
	bad 'only a comment' 1 'the file is empty' "# nothing\n"
	bad 'syntax' 2 '*' "name: [a\n"
	bad 'no mapping at all' 2 'Expecting MAPPING*' "# comment\n- name: a\n"
	bad 'no text' 3 '*UTF-8*' "name: a\n#\nmax_seconds: \0377\n$one"
	bad 'a tabulator' 1 '*' "\tname: a\n"
	bad 'second document' 5 'a second document*' "name: a\n$one---\nname: b\n"
	bad 'number' 2 "*max_restarts: '3x'*" "name: a\nmax_restarts: 3x\n$one"
	bad 'too large' 2 '*50001*up to 50000' "name: a\nmax_restarts: 50001\n$one"
	bad 'time' 2 "*max_seconds: '5 s'*" "name: a\nmax_seconds: 5 s\n$one"
	bad 'patience' 5 "x: patience: '5x'*" "name: a\n$one    patience: 5x\n"
	bad 'start' 5 "x: start: '0s'*" "name: a\n$one    start: 0s\n"
	bad 'signal' 5 "x: stop: 'FOO'*" "name: a\n$one    stop: FOO\n"
	bad 'env' 5 "x: env: 'b'*" "name: a\n$one    env: [B=1, b]\n"
	bad 'id' 5 "*'x'*two children" "name: a\n$one  - id: x\n    command: [b]\n"
	bad 'name' 1 "*'a/b'*" "name: a/b\n$one"
	bad 'writer' 2 "t: writer: 'y'*" "name: a\ntables: [{name: t, writer: y}]\n$one"
	bad 'table twice' 2 '*twice' "name: a\ntables: [{name: t}, {name: t}]\n$one"
	bad 'mode' 2 "*'0999'*" "name: a\ntables: [{name: t, mode: 0999}]\n$one"
	bad 'limit' 2 "*'3'*" "name: a\ntables: [{name: t, limit: 3}]\n$one"
	bad 'two limits' 2 "u: limit: '4/1m'*" "name: a\ntables: [{name: t, limit: 3/1m}, {name: u, limit: 4/1m}]\n$one    tables: [t, u]\n"
	bad 'kind' 2 '*heap*' "name: a\ntables: [{name: t, kind: heap}]\n$one"
	bad 'empty table' 5 '*no name*' "name: a\n$one    tables: [\"\"]\n"
	bad 'tables of a template' 5 '*template*' "name: a\n$one    tables: [t]\n    template: true\n"
	bad 'no children' 2 '*' "name: a\nchildren: []\n"
	bad 'alias' '*' '*' "name: &a b\nchildren: *a\n"
	bad 'NUL' 1 '*NUL*' "name: \"a\\\\0b\"\n$one"
	"$kreg" supervise --check "$tmp/absent" >/dev/null 2>&1
	is 'file that is absent' $? 2
	"$kreg" supervise >/dev/null 2>&1
	is 'no file' $? 2
	"$kreg" supervise --check "$tmp/todo.yaml" >"$tmp/out" 2>&1
	is 'good file' "$?:$(cat "$tmp/out")" 0:
	"$kreg" super status st >/dev/null 2>&1
	is '--check only reads' $? 3
}

# A child: says who it is, and sleeps until it is told to end.
child() {
	cat <<-FILE
	  - id: $1
	    command: [sh, -c, 'echo \$\$ >>$tmp/pid-$1; echo \$KREG_TABLES >$tmp/tables-$1; exec sleep 1000']
	FILE
}

write_file() {
	{
		printf 'name: st\nstrategy: %s\nmax_restarts: %s\nmax_seconds: %s\ntables:\n' \
			"$1" "$2" "$3"
		printf '  - {name: stnames, access: registry, mode: 0660}\n'
		printf '  - {name: stown, access: public, mode: 0666}\nchildren:\n'
		child a
		child b
		printf '    tables: [stnames]\n'
		child c
		printf '  - {id: more, template: true, command: [sleep]}\n'
	} >"$tmp/todo.yaml"
}

start() {
	rm -f "$tmp"/pid-*
	# Not exec, so that the children of one that is killed are no one's.
	"$kreg" supervise "$tmp/todo.yaml" 2>>"$tmp/log" &
	sup=$!
	wait_until "$kreg" whereis supervisor.st control
}

pid_of() { "$kreg" super status --json st "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
state_of() { "$kreg" super status --json st "$1" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
field() { "$kreg" info --json "$1" | sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
is_ready() { [ "$(state_of "$1")" = ready ]; }
is_new() { is_ready "$1" && [ "$(pid_of "$1")" != "$2" ]; }
has_died() { ! kill -0 "$1"; }
finish() {
	wait "$sup"
	status=$?
	sup=
}

test_life() {
	write_file one_for_one 3 60s
	test_mistakes
	start
	is 'starts all' "$(state_of a)$(state_of b)$(state_of c)" readyreadyready
	is 'the table is the child'\''s' "$(field stnames owner)" "$(pid_of b)"
	is 'the other is the supervisor'\''s' "$(field stown owner)" "$sup"
	wait_until test -s "$tmp/tables-b"
	is 'the child knows its tables' "$(cat "$tmp/tables-b")" stnames
	a=$(pid_of a) b=$(pid_of b)
	kill -9 "$b"
	wait_until is_new b "$b"
	is 'is started again' $? 0
	is 'with its table' "$(field stnames owner)" "$(pid_of b)"
	is 'alone' "$(pid_of a)" "$a"
	grep -q '^b: dead (was killed by SIGKILL)$' "$tmp/log"
	is 'it is said how it died' $? 0
	grep -q '^b: restart 1 of 3$' "$tmp/log"
	is 'and that it is started again' $? 0
	"$kreg" supervise "$tmp/todo.yaml" 2>/dev/null
	is 'one at a time' $? 6
	b=$(pid_of b)
	"$kreg" super stop st b
	is 'stop' "$?$(state_of b)" 0stopped
	"$kreg" super start st b
	is 'start' "$?$(state_of b)" 0ready
	"$kreg" super start st b 2>"$tmp/err"
	is 'start of one that runs' "$?:$(cat "$tmp/err")" \
		"4:kreg super: there is a child with this id: one that runs is stopped first, and one that does not is started by its id alone"
	b=$(pid_of b)
	"$kreg" super restart st b
	is 'restart' "$?$(state_of b)" 0ready
	[ "$(pid_of b)" != "$b" ]
	is 'is another process' $? 0
	"$kreg" super stop st none 2>/dev/null
	is 'stop of one that is not there' $? 3
	"$kreg" super restart st none 2>/dev/null
	is 'restart of one that is not there' $? 3
	"$kreg" super status st none 2>/dev/null
	is 'status of one that is not there' $? 3
	"$kreg" super dance st 2>/dev/null
	is 'a request that is none' $? 2
	tree=$("$kreg" super tree | grep -A20 '^st  ' | tr '\n' ' ')
	case $tree in
	"st  process $sup     stown     a  process $(pid_of a)     b  process $(pid_of b)         stnames  1 stand by     c  process $(pid_of c) "*)
		ok 'tree' ;;
	*) not_ok 'tree' "$tree" ;;
	esac
	"$kreg" super tree --json | grep -q "\"table\":\"stnames\",\"supervisor\":\"st\",\"child\":\"b\",\"owner\":$(pid_of b),"
	is 'tree --json' $? 0
}

# Its table is for its own user, so another one learns nothing of it, and is obeyed in nothing.
test_other_user() {
	mode=$(stat -c %a /dev/kreg)
	chmod 666 /dev/kreg
	for request in 'status st' 'stop st a' 'restart st a' 'reload st' 'shutdown st'; do
		su user -c "$kreg super $request" 2>"$tmp/err"
		is "super $request of another user" "$?:$(cat "$tmp/err")" \
			"5:kreg super: the mode of table 'supervisor.st' does not let this user do it; its owner can change the mode"
	done
	is 'super tree of another user' "$(su user -c "$kreg super tree" 2>&1)" ''
	chmod "$mode" /dev/kreg
	is 'it goes on' "$(state_of a)" ready
}

test_killed() {
	a=$(pid_of a) b=$(pid_of b) c=$(pid_of c)
	kill -9 "$sup"
	wait "$sup" 2>/dev/null
	is 'its children go on' "$(pid_of a)$(pid_of b)$(pid_of c)" "$a$b$c"
	"$kreg" super stop st a 2>"$tmp/err"
	is 'nobody to ask' "$?:$(cat "$tmp/err")" \
		"3:kreg super: nobody supervises this: start 'kreg supervise'"
	kill -9 "$b"
	wait_until has_died "$b"
	is 'a death is known' "$(state_of b)" dead
	: >"$tmp/log"
	start
	is 'goes on with those that live' "$(pid_of a)$(pid_of c)" "$a$c"
	wait_until is_new b "$b"
	is 'and starts the other' $? 0
	grep -q '^b: dead (was killed by SIGKILL)$' "$tmp/log"
	is 'it is said how it died meanwhile' $? 0
	is 'with its table again' "$(field stnames owner)" "$(pid_of b)"
}

test_templates() {
	"$kreg" super start st more m1 1000
	is 'start from a template' "$?$(state_of m1)" 0ready
	m1=$(pid_of m1)
	is 'with its arguments' "$(tr '\0' ' ' <"/proc/$m1/cmdline")" 'sleep 1000 '
	"$kreg" super start st more m1 1000 2>/dev/null
	is 'an id that is taken' $? 4
	"$kreg" super start st none m2 2>/dev/null
	is 'no template' $? 3
	"$kreg" super status st more 2>/dev/null
	is 'the template is no child' $? 3
	kill -9 "$sup"
	wait "$sup" 2>/dev/null
	start
	is 'goes on over a killed supervisor' "$(pid_of m1)" "$m1"
	kill -9 "$m1"
	wait_until is_new m1 "$m1"
	is 'and is started again' $? 0
	m1=$(pid_of m1)
	"$kreg" super restart st m1
	is 'restart of one on request' "$?$(state_of m1)" 0ready
	[ "$(pid_of m1)" != "$m1" ]
	is 'is another process, too' $? 0
	is 'with the same arguments' "$(tr '\0' ' ' <"/proc/$(pid_of m1)/cmdline")" 'sleep 1000 '
	"$kreg" super stop st m1
	is 'stop of one on request' $? 0
	"$kreg" super status st m1 2>/dev/null
	is 'forgets it' $? 3
}

test_reload() {
	a=$(pid_of a) b=$(pid_of b)
	sed -i -e '/id: c/,$d' "$tmp/todo.yaml"
	child d >>"$tmp/todo.yaml"
	"$kreg" super reload st
	is 'reload' $? 0
	wait_until is_ready d
	is 'the new one is started' $? 0
	is 'the others go on' "$(pid_of a)$(pid_of b)" "$a$b"
	"$kreg" super status st c 2>/dev/null
	is 'who is not there any more is gone' $? 3
	echo 'nonsense: 1' >>"$tmp/todo.yaml"
	"$kreg" super reload st 2>"$tmp/err"
	is 'reload of a bad file' "$?:$(cat "$tmp/err")" \
		"2:kreg super: all is left as it was: the supervisor's log says what is wrong"
	is 'changes nothing' "$(pid_of a)$(pid_of b)" "$a$b"
	sed -i '$d' "$tmp/todo.yaml"
	sed -i 's/name: st$/name: other/' "$tmp/todo.yaml"
	kill -HUP "$sup"
	wait_until grep -q "cannot become 'other'" "$tmp/log"
	is 'SIGHUP, and the name stays' $? 0
	"$kreg" super shutdown st
	is 'shutdown' $? 0
	finish
	is 'its exit' "$status" 0
	"$kreg" super status st 2>/dev/null
	is 'nothing is left' $? 3
	kill -0 "$a" 2>/dev/null
	is 'nor are children' $? 1
	is 'tables are parked' "$(field stnames parked)$(field stown parked)" truetrue
}

test_exits() {
	write_file one_for_one 1 60s
	start
	a=$(pid_of a)
	kill -9 "$a"
	wait_until is_new a "$a"
	kill -9 "$(pid_of b)"
	finish
	is 'gave up' "$status" 8
	is 'tables are parked when it gave up' "$(field stnames parked)" true
	start
	kill -TERM "$sup"
	finish
	is 'SIGTERM' "$status" 0
	start
	a=$(pid_of a)
	"${0%/*}/lib_supervisor_rough" stop supervisor.st control
	is 'kreg_stop()' $? 0
	finish
	is 'ends it as SIGTERM does' "$status" 0
	kill -0 "$a" 2>/dev/null
	is 'and its children' $? 1
	sed -i 's/sh, -c/\/nowhere, -c/' "$tmp/todo.yaml"
	"$kreg" supervise "$tmp/todo.yaml" 2>"$tmp/err"
	is 'cannot be started' $? 9
	grep -q "child 'a' could not be started: its program: No such file" "$tmp/err"
	is 'and it is said why' $? 0
	KREG_DEVICE=/dev/none "$kreg" supervise "$tmp/todo.yaml" 2>/dev/null
	is 'no device' $? 7
}

# One death more than the limit of its table, and nobody gets that until somebody has looked.
test_limit() {
	write_file one_for_one 9 60s
	sed -i 's/{name: stnames,/& limit: 1\/1h,/' "$tmp/todo.yaml"
	: >"$tmp/log"
	start
	b=$(pid_of b)
	kill -9 "$b"
	wait_until is_new b "$b"
	is 'as many deaths as the limit' $? 0
	"$kreg" super restart st b
	"$kreg" super restart st b
	is 'a restart on request is none' "$?$(state_of b)" 0ready
	b=$(pid_of b)
	kill -9 "$b"
	wait_until is_new b "$b"
	is 'and the count begins anew' $? 0
	kill -9 "$(pid_of b)"
	finish
	is 'one death more' "$status" 8
	grep -q "^b: gives up: table 'supervisor.st/b' is quarantined" "$tmp/log"
	is 'and it is said why' $? 0
	is 'the table is parked' "$(field stnames parked)" true
	"$kreg" supervise "$tmp/todo.yaml" 2>"$tmp/err"
	is 'cannot be started again' $? 9
	grep -q "child 'b' could not be started: its tables: table 'supervisor.st/b' is quarantined" "$tmp/err"
	is 'and it is said why once more' $? 0
	"$kreg" role --quarantined supervisor.st/b -- true
	is 'somebody has looked' $? 0
	start
	is 'and it gets its table' "$(field stnames owner)" "$(pid_of b)"
	kill -TERM "$sup"
	finish
	is 'and stops' "$status" 0
}

# As process 1 of a pid namespace it reaps what others leave, and can be asked to end.
test_process_1() {
	write_file one_for_one 3 60s
	: >"$tmp/log"
	unshare --pid --fork --mount-proc sh -c "exec $kreg supervise $tmp/todo.yaml" 2>>"$tmp/log" &
	shell=$!
	wait_until grep -q '^c: ready' "$tmp/log"
	is 'process 1 starts' $? 0
	inner=$(pgrep -P "$shell" 2>/dev/null || ps -o pid,ppid | awk -v p="$shell" '$2 == p { print $1 }')
	kill -TERM "$inner"
	wait "$shell"
	is 'process 1 ends when it is asked to' $? 0
	grep -q '^a: dead' "$tmp/log"
	is 'and stops its children' $? 0
}

echo "TAP version 13"
test_life
test_other_user
test_killed
test_templates
test_reload
test_exits
test_limit
test_process_1
echo "1..$n"
[ "$failed" = 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg lease as installed: the work of an object, which is done, fails, is killed or late. Prints
# TAP; needs the module, and root.
#
# Variables in single quotes are expanded by the shell that kreg starts:
# shellcheck disable=SC2016

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"
pid=

need_kreg "$kreg"

cleanup() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	"$kreg" rm -f leased 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

is_dead() { ! kill -0 "$1"; }

# late COMMAND: the work takes until the object is there again.
late() {
	"$kreg" lease -d 100ms leased job -- \
		sh -c "until $kreg get leased job 2>/dev/null; do sleep 0.05; done; $1"
}

# start COMMAND [BEFORE]: in the background, as $pid, with the object on loan; between the two
# it writes its pid, so that what is before is done when this returns.
start() {
	rm -f "$tmp/child"
	"$kreg" lease leased job -- sh -c "${2:-}
		echo \$\$ >$tmp/child.new; mv $tmp/child.new $tmp/child
		$1" &
	pid=$!
	wait_until test -e "$tmp/child"
}

# ended NAME STATUS: it does, and the object is there again.
ended() {
	wait "$pid" 2>/dev/null
	is "$1" $? "$2"
	pid=
	t "$1: it is there again" 0 work '' "$kreg" get leased job
}

done_or_not() {
	"$kreg" put leased job work
	t 'it fails' 3 'work leased 1' '' "$kreg" lease leased job -- \
		sh -c 'echo "$(cat) $KREG_TABLE $KREG_LOANS"; exit 3'
	t 'it is there again' 0 work '' "$kreg" get leased job
	t 'by a signal' 137 '' '*' "$kreg" lease leased job -- sh -c 'kill -9 $$'
	t 'no such command' 127 '' 'kreg lease: /no/such: *' "$kreg" lease leased job -- /no/such
	t 'what is no command' 126 '' 'kreg lease: /: *' "$kreg" lease leased job -- /
	t 'it is done' 0 5 '' "$kreg" lease leased job -- sh -c 'echo $KREG_LOANS'
	t 'and gone' 3 '' '*' "$kreg" get leased job
	t 'there is no more' 3 '' "kreg lease: the key is not in table 'leased'" \
		"$kreg" lease leased job -- true
	"$kreg" put leased job work
	t 'a new object, lent for the first time' 0 1 '' \
		"$kreg" lease leased job -- sh -c 'echo $KREG_LOANS'
}

values() {
	"$kreg" put leased job ''
	t 'an empty value' 0 0 '' "$kreg" lease leased job -- wc -c
	head -c 200000 /dev/zero | "$kreg" put leased job -
	t 'a long one' 0 200000 '' "$kreg" lease leased job -- wc -c
	"$kreg" put --hex leased 00ff 0a00
	t 'a key that is no text' 0 '0a 00' '' \
		"$kreg" lease --hex leased 00ff -- sh -c 'od -An -tx1 | sed "s/^ //"'
}

# Two shells see what each other does.
meanwhile() {
	"$kreg" put leased job work
	start 'kill -STOP $$' 'echo $KREG_TOKEN >'"$tmp/token"
	t 'nobody finds it' 3 '' '*' "$kreg" get leased job
	t 'or has it on loan' 6 '' "kreg lease: the key of table 'leased' is on loan to another *" \
		"$kreg" lease leased job -- true
	t 'or takes it' 6 '' "kreg take: the key of table 'leased' is on loan to another *" \
		"$kreg" take leased job
	t 'or puts another there' 6 '' "kreg put: the object in table 'leased' is on loan to a process: wait until it is back" \
		"$kreg" put leased job other
	child=$(cat "$tmp/child")
	kill -9 "$pid"
	ended 'killed' 137
	wait_until is_dead "$child"
	is 'its command is killed with it' $? 0
	start 'sleep 1000 & wait' "trap 'kill \$!; exit 7' TERM"
	kill "$pid"
	ended 'a signal is passed on' 7
	"$kreg" lease leased job -- sh -c 'echo $KREG_TOKEN; exit 1' >"$tmp/more"
	t 'a token is above those before' 0 '' '' test "$(cat "$tmp/more")" -gt "$(cat "$tmp/token")"
}

watched() {
	"$kreg" watch -c 4 leased >"$tmp/watch" 2>&1 &
	pid=$!
	wait_until grep -q poll "/proc/$pid/wchan"
	"$kreg" lease leased job -- sh -c 'echo $PPID; exit 1' >"$tmp/borrower"
	"$kreg" lease leased job -- true
	wait "$pid"
	pid=
	out=$(sed 's/^[^ ]*  //; s/\(loan to [0-9]*\).*/\1/' "$tmp/watch")
	borrower=$(cat "$tmp/borrower")
	like 'watch loans' "leased: delete job, on loan to $borrower
leased: create job	work	back from a loan
leased: delete job, on loan to *
leased: delete job"
	"$kreg" put leased job work
	"$kreg" watch --json -c 1 leased >"$tmp/watch" 2>&1 &
	pid=$!
	wait_until grep -q poll "/proc/$pid/wchan"
	"$kreg" lease leased job -- false
	wait "$pid"
	pid=
	out=$(cat "$tmp/watch")
	like 'in JSON' '{*"event":"delete","table":"leased",*"cause":"lease",*"key":"job",*}'
}

deadline() {
	t 'done too late' 6 work 'kreg lease: the command has ended after its loan of the object' \
		late true
	t 'it is there still' 0 work '' "$kreg" get leased job
	t 'failed too late' 9 work '' late 'exit 9'
	t 'in time' 0 '' '' "$kreg" lease --deadline 1h leased job -- true
	t 'gone' 3 '' '*' "$kreg" get leased job
}

refused() {
	t 'without a command' 2 '' 'kreg lease: there is no command behind --*' \
		"$kreg" lease leased job --
	t 'with no command' 2 '' '*' "$kreg" lease leased job value
	t 'an empty key' 2 '' 'kreg lease: the key is empty*' "$kreg" lease leased '' -- true
	t 'a bad deadline' 2 '' "kreg lease: 'x' is no time*" "$kreg" lease -d x leased job -- true
	t 'no deadline' 2 '' "kreg lease: '0' is no time*" "$kreg" lease -d 0 leased job -- true
	t 'in no table' 3 '' 'kreg lease: there is no table *' "$kreg" lease none job -- true
	t 'in JSON' 3 '' '{"error":"ENODATA","message":"the key is not in table*"}' \
		"$kreg" lease --json leased job -- true
	"$kreg" register leased job -- sh -c "$kreg lease leased job -- true; echo \$? >$tmp/code" \
		2>"$tmp/err"
	is 'what is bound to a process' "$(cat "$tmp/code")" 1
}

echo 'TAP version 13'
"$kreg" new --access public leased
done_or_not
values
meanwhile
watched
deadline
refused
echo "1..$n"

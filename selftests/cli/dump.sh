#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg dump and kreg restore. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f dumped copy bag hidden large 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# same NAME FILE FILE: they have the same bytes.
same() {
	if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1"; fi
}

# objects TABLE: what is in it, in an order that does not depend on the table.
objects() {
	"$kreg" scan "$1" | LC_ALL=C sort
}

# left FILE...: nothing else is in that folder.
left() {
	is 'nothing is left beside it' "$(ls "$tmp/dir")" "$(echo "$*" | tr ' ' '\n')"
}

there_and_back() {
	t 'dump into a file' 0 '' "kreg dump: 100 objects in $tmp/dir/file, *" \
		"$kreg" dump -o "$tmp/dir/file" dumped
	left file
	t 'restore' 0 '' "kreg restore: table 'copy' is parked, with 100 objects" \
		"$kreg" restore --as copy "$tmp/dir/file"
	is 'the same objects' "$(objects copy)" "$(objects dumped)"
	run "$kreg" info --json copy
	like 'type, access, mode' \
		'{"name":"copy",*"type":"ordered_set","access":"public","mode":"0640",*"parked":true*'
	like 'orphan rule' '*"orphan":"park on crash","orphan_ms":3600000,"claimable":true,*'
	"$kreg" rm copy
	t 'through pipes' 0 '' '*' sh -c "$kreg dump dumped | cat | $kreg restore --as copy"
	is 'the same objects again' "$(objects copy)" "$(objects dumped)"
	"$kreg" rm copy
	t 'from standard input, compressed' 0 '' '*' \
		sh -c "$kreg dump -c dumped >$tmp/packed && $kreg restore -a copy - <$tmp/packed"
	is 'the same objects, expanded' "$(objects copy)" "$(objects dumped)"
	t 'the name is taken' 4 '' "kreg restore: table 'dumped' exists already;*'--as NAME'*" \
		"$kreg" restore "$tmp/dir/file"
	t 'the other, too' 4 '' '*' "$kreg" restore --as copy "$tmp/dir/file"
	"$kreg" rm copy
	run "$kreg" restore --json --as copy "$tmp/packed"
	like 'a table in JSON' '{"name":"copy",*"parked":true,*"objects":100,*'
}

info() {
	run "$kreg" dump --info "$tmp/dir/file"
	like 'what a dump has' 'table     dumped
type      ordered_set
access    public, mode 0640, claimable
orphan    park on crash
objects   100, *
dump      format 1, *
written   20*'
	run sh -c "$kreg dump --json --info - <$tmp/packed"
	like 'in JSON' '{"name":"dumped","format":1,"compressed":true,"type":"ordered_set",*"objects":100,*'
	run "$kreg" dump --json -o "$tmp/dir/file" dumped
	like 'of what was written' '{"name":"dumped","format":1,"compressed":false,*"objects":100,*'
	t 'no dump' 1 '' 'kreg dump: this is no dump of kreg*' "$kreg" dump --info /proc/self/exe
	t 'no such file' 1 '' 'kreg dump: /no/such: No such file or directory' \
		"$kreg" dump --info /no/such
	t 'it needs no device' 0 dumped '' sh -c \
		"KREG_DEVICE=/no/such $kreg dump --info $tmp/packed | sed -n 's/^table  *//p'"
}

damaged() {
	head -c 1000 "$tmp/dir/file" >"$tmp/cut"
	t 'a dump that was cut' 1 '' 'kreg restore: the dump is damaged before byte 1000: it ends too early*' \
		"$kreg" restore --as cut "$tmp/cut"
	{ cat "$tmp/dir/file"; echo; } >"$tmp/long"
	t 'a byte too many' 1 '' 'kreg dump: the dump is damaged*it goes on behind its end*' \
		"$kreg" dump --info "$tmp/long"
	t 'no table came of it' 3 '' '*' "$kreg" info cut
	t 'a file that is not there' 1 '' 'kreg restore: /no/such: No such file or directory' \
		"$kreg" restore /no/such
}

# A file is replaced as a whole, or stays.
files() {
	echo before >"$tmp/dir/file"
	chmod 640 "$tmp/dir/file"
	ln -s file "$tmp/dir/link"
	cp "$tmp/dir/file" "$tmp/before"
	t 'no such table' 3 '' '*' "$kreg" dump -o "$tmp/dir/link" none
	same 'the file stays' "$tmp/before" "$tmp/dir/file"
	t 'no room' 1 '' 'kreg dump: the dump cannot be written: File too large' \
		sh -c "trap '' XFSZ; ulimit -f 1; exec $kreg dump -o $tmp/dir/link dumped"
	same 'the file stays here, too' "$tmp/before" "$tmp/dir/file"
	left file link
	t 'a full device' 1 '' 'kreg dump: the dump cannot be written: No space left on device' \
		"$kreg" dump -o /dev/full dumped
	t 'by a link' 0 '' '*' "$kreg" dump -o "$tmp/dir/link" dumped
	run stat -c '%F %a' "$tmp/dir/link" "$tmp/dir/file"
	check 'the link and the mode are kept' 0 'symbolic link 777
regular file 640' ''
	t 'a folder that is not there' 1 '' "kreg dump: $tmp/none/file: No such file or directory" \
		"$kreg" dump -o "$tmp/none/file" dumped
}

# A signal that comes while it is written leaves nothing.
killed() {
	head -c 1048576 /dev/urandom >"$tmp/value"
	"$kreg" new large
	for key in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		"$kreg" put large $key --file "$tmp/value"
	done
	rm "$tmp/dir/file" "$tmp/dir/link"
	"$kreg" dump -c -o "$tmp/dir/large" large 2>/dev/null &
	wait_until sh -c "ls $tmp/dir | grep ."
	kill -TERM $! 2>/dev/null
	wait $!
	status=$?
	if [ "$status" = 0 ]; then
		n=$((n + 1))
		echo "ok $n killed # SKIP it was faster"
	else
		is 'killed' "$status" 143
		left ''
	fi
}

# begun DUMP: it has written something; it stands still, as it ran for moments only.
begun() {
	kill -STOP "$1"
	until [ -s "$(echo "$tmp"/dir/turned.*)" ]; do
		# It says something at its end.
		[ ! -s "$tmp/said" ] || return 1
		kill -CONT "$1"
		kill -STOP "$1"
	done
}

# The table is for its owner alone from some moment of the dump on; it has none, so the command
# owns it, and begins again.
turned_private() {
	echo before >"$tmp/dir/turned"
	"$kreg" dump -o "$tmp/dir/turned" large 2>"$tmp/said" &
	dumping=$!
	begun $dumping || not_ok 'the dump was faster'
	"$kreg" set --access private large
	kill -CONT $dumping
	wait $dumping
	is 'private from then on' "$?" 0
	t 'nothing is left of the first try' 0 16 '' sh -c \
		"$kreg dump --info $tmp/dir/turned | sed -n 's/^objects  *\([0-9]*\),.*/\1/p'"
	rm "$tmp/dir/turned"
}

# The same through a pipe, from which nothing can be taken back.
turned_private_elsewhere() {
	"$kreg" set --access protected large
	mkfifo "$tmp/pipe"
	"$kreg" dump large >"$tmp/pipe" 2>"$tmp/said" &
	dumping=$!
	exec 3<"$tmp/pipe"
	dd bs=16 count=1 <&3 >"$tmp/through" 2>/dev/null
	"$kreg" set --access private large
	cat <&3 >>"$tmp/through"
	exec 3<&-
	wait $dumping
	is 'through a pipe' "$? $(cat "$tmp/said")" \
		"5 kreg dump: table 'large' is parked and private: claim it to read it"
	t 'its part is none' 1 '' 'kreg dump: the dump is damaged*it ends too early*' \
		"$kreg" dump --info "$tmp/through"
}

several() {
	"$kreg" new -t duplicate_bag bag
	for value in b a a; do "$kreg" put bag key $value; done
	"$kreg" dump bag >"$tmp/bag"
	"$kreg" rm bag
	t 'a bag' 0 '' '*' "$kreg" restore "$tmp/bag"
	t 'in its order' 0 'b
a
a' '' "$kreg" get bag key
}

hidden() {
	"$kreg" new --access private hidden
	"$kreg" put hidden key value
	t 'a table that only its owner reads' 0 '' '' sh -c "$kreg dump hidden >$tmp/hidden"
	"$kreg" rm hidden
	t 'restored' 0 '' '*' "$kreg" restore "$tmp/hidden"
	run "$kreg" info --json hidden
	like 'as it was' '*"access":"private"*"parked":true*"objects":1,*'
}

usage() {
	t 'no name' 2 '' 'kreg dump: arguments are missing*' "$kreg" dump
	t '--info and -o' 2 '' 'kreg dump: --info only reads*' "$kreg" dump --info x -o y
	t '--json without -o' 2 '' 'kreg dump: --json needs -o FILE*' "$kreg" dump --json dumped
	t 'two files' 2 '' 'kreg restore: too many arguments*' "$kreg" restore x y
	t 'an empty name' 2 '' 'kreg restore: the name is empty*' "$kreg" restore --as '' "$tmp/packed"
	t 'to a terminal' 2 '' 'kreg dump: a dump is not for a terminal*' \
		"$kreg" dump -o /dev/console dumped
	t 'from a terminal' 2 '' 'kreg restore: a dump is not typed*' \
		sh -c "$kreg restore </dev/console"
}

mkdir "$tmp/dir"
"$kreg" new -t ordered_set -m 0640 -o park-on-crash -k 1h -c dumped
i=0
while [ $i -lt 100 ]; do
	"$kreg" put dumped "key $i" "$(printf 'value of\t%d' $i)"
	i=$((i + 1))
done
there_and_back
info
damaged
files
killed
turned_private
turned_private_elsewhere
several
hidden
usage
echo "1..$n"
[ "$failed" -eq 0 ]

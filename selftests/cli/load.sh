#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg load, and kreg scan, which prints what it reads. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f from into bag owned 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# objects TABLE: what is in it, in an order that does not depend on the table.
objects() {
	"$kreg" scan "$1" | LC_ALL=C sort
}

# back OPTION...: all of a table into another one, by lines with these options.
back() {
	"$kreg" new into
	t "scan into load: $*" 0 '' 'kreg load: 1204 objects loaded' sh -c \
		"$kreg scan $* from >$tmp/lines && $kreg load $* into $tmp/lines"
	is "the same objects: $*" "$(objects into)" "$(objects from)"
	"$kreg" rm into
}

# bad NAME TEXT ERROR OPTION...: a line that makes no sense, behind one that does.
bad() {
	name=$1 text=$2 says=$3
	shift 3
	printf '%b' "$text" >"$tmp/bad"
	t "$name" 1 '' "kreg load: line 2: $says; 1 objects before it are loaded" \
		"$kreg" load "$@" into "$tmp/bad"
}

"$kreg" new from
i=0
while [ $i -lt 1200 ]; do
	printf 'key %d\tvalue of \\x00\\t%d\n' $i $i
	i=$((i + 1))
done >"$tmp/made"
t 'what was written by hand' 0 '' 'kreg load: 1200 objects loaded' "$kreg" load from "$tmp/made"
t 'one of them' 0 76616c7565206f662000093131 '' "$kreg" get --hex from 6b6579203131
head -c 1048576 /dev/urandom >"$tmp/big"
"$kreg" put from big --file "$tmp/big"
"$kreg" put from "$(printf 'ta\tb\\ "quote"')" "$(printf 'line\nline\r')"
"$kreg" put from ü 'ä { " :'
"$kreg" put from empty ''
back --format text
back --format json
back --hex
back --format json --hex
t 'through a pipe' 0 '{"loaded":1204}' '' sh -c \
	"$kreg new into; $kreg scan --json from | $kreg load --json -f json into -"
is 'the same objects' "$(objects into)" "$(objects from)"
t 'put twice' 0 '' 'kreg load: 1204 objects loaded' "$kreg" load into "$tmp/lines" -x -f json
is 'is there once' "$("$kreg" count into)" 1204

bad 'no tabulator' 'a\tb\nc\n' 'no tabulator is between key and value'
bad 'a bad escape' 'a\tb\nc\t\\q' 'a backslash begins none of *'
bad 'an empty key' 'a\tb\n\tc\n' 'the key is empty'
bad 'no digits' '61\t62\nx\t62\n' 'with --hex there are even numbers of hexadecimal digits' --hex
bad 'no JSON' '{"key":"a","value":"b"}\nnull\n' "this is no JSON object*" --format json
printf 'a\t' >"$tmp/bad"
head -c 1048577 /dev/zero | tr '\0' a >>"$tmp/bad"
t 'too long a value' 1 '' 'kreg load: line 1: the value has more than 1 MiB; 0 *' \
	"$kreg" load into "$tmp/bad"
t 'a line without an end' 1 '' 'kreg load: line 1: it is longer than *' \
	"$kreg" load into /dev/zero
t 'no such table' 3 '' '*' "$kreg" load none "$tmp/made"
t 'no such file' 1 '' 'kreg load: /no/such: No such file or directory' \
	"$kreg" load into /no/such
t 'a directory' 1 '' 'kreg load: line 1: it cannot be read*' "$kreg" load into "$tmp"
t 'another format' 2 '' "kreg load: 'xml' is no format: text or json*" \
	"$kreg" load -f xml into "$tmp/made"
t 'scan in another format' 2 '' "kreg scan: 'xml' is no format: text or json*" \
	"$kreg" scan --format xml into

"$kreg" new --access protected owned
t 'a parked table is owned for a moment' 0 '' '*' "$kreg" load owned "$tmp/made"
is 'and parked again' "$("$kreg" count owned)" 1200
"$kreg" new -t duplicate_bag bag
printf 'k\tb\nk\ta\nk\ta\n' >"$tmp/bag"
t 'a bag' 0 '' '*' "$kreg" load bag "$tmp/bag"
t 'in its order' 0 "$(cat "$tmp/bag")" '' "$kreg" scan bag
echo "1..$n"
[ "$failed" -eq 0 ]

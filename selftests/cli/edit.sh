#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg incr and patch, parts of values, and conditions of put and del, as installed: good and bad
# input, exact exit status and output. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f edited 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

most=9223372036854775807
version() { "$kreg" get --json edited "$1" | sed 's/.*"version":\([0-9]*\).*/\1/'; }

counters() {
	t 'no counter' 3 '' "kreg incr: the key is not in table 'edited'" "$kreg" incr edited n
	t 'it begins' 0 37 '' "$kreg" incr --start 36 edited n
	t 'by one' 0 38 '' "$kreg" incr edited n
	t 'by more' 0 42 '' "$kreg" incr edited n 4
	t 'by less' 0 -1 '' "$kreg" incr edited n -43
	t 'by less, behind --' 0 -3 '' "$kreg" incr -- edited n -2
	t 'look' 0 -3 '' "$kreg" incr edited n 0
	t 'in JSON' 0 '{"value":-2}' '' "$kreg" incr --json edited n
	t 'key in hex' 0 -1 '' "$kreg" incr --hex edited 6e
	t 'held at the most' 0 5 '' "$kreg" incr --max 5 edited n 10
	t 'and there' 0 5 '' "$kreg" incr --max 5 edited n
	t 'below it is free' 0 3 '' "$kreg" incr --max 5 edited n -2
	t 'held at the least' 0 -4 '' "$kreg" incr --min -4 --max 5 edited n -100
	t 'or begins anew' 0 1 '' "$kreg" incr --max 5 --set 1 edited n 100
	t 'too large' 1 '' 'kreg incr: the number in * would get larger than 64 bits hold*' \
		"$kreg" incr edited n $most
	t 'it saturates' 0 $most '' "$kreg" incr --saturate edited n $most
	t 'it wraps' 0 -9223372036854775808 '' "$kreg" incr --wrap edited n
	t 'no number' 2 '' "kreg incr: 'x' is no number of 64 bits*" "$kreg" incr edited n x
	t 'a number too large' 2 '' "kreg incr: '9223372036854775808' is no number*" \
		"$kreg" incr edited n 9223372036854775808
	t 'nor any start' 2 '' "kreg incr: '1e3' is no number*" "$kreg" incr --start 1e3 edited n
	t 'nor any limit' 2 '' "kreg incr: '' is no number*" "$kreg" incr --max '' edited n
	t 'wraps or is held' 2 '' 'kreg incr: a number is held at a limit, or*' \
		"$kreg" incr --wrap --max 1 edited n
	t 'set without a limit' 2 '' 'kreg incr: --set goes with*' "$kreg" incr --set 1 edited n
	t 'two flags' 1 '' 'kreg incr: the flags of a field*' "$kreg" incr --wrap --saturate edited n
	t 'two numbers' 2 '' 'kreg incr: too many arguments*' "$kreg" incr edited n -1 1
	t 'empty key' 2 '' 'kreg incr: the key is empty*' "$kreg" incr edited ''
	t 'no table' 3 '' "kreg incr: there is no table 'none' here*" "$kreg" incr none n
	"$kreg" put edited short 1234567
	t 'too short' 1 '' 'kreg incr: the value in * ends before the field does*' \
		"$kreg" incr edited short
	t 'extended' 0 4 '' "$kreg" incr --extend --big-endian --offset 7 edited short 4
	t 'as bytes' 0 313233343536370000000000000004 '' "$kreg" get --hex edited 73686f7274
	t 'no offset' 2 '' "kreg incr: '-1' is no number of bytes*" "$kreg" incr --offset -1 edited n
}

patches() {
	"$kreg" put edited text abcdefghij
	t 'patch' 0 '' '' "$kreg" patch edited text 2 XY
	t 'it is done' 0 abXYefghij '' "$kreg" get edited text
	t 'over the end' 1 '' 'kreg patch: the value in * ends before the field does*' \
		"$kreg" patch edited text 9 XY
	t 'longer' 0 '' '' "$kreg" patch --extend edited text 9 XY
	t 'is longer' 0 abXYefghiXY '' "$kreg" get edited text
	t 'shorter' 0 '' '' "$kreg" patch --truncate edited text 3 end
	t 'is shorter' 0 abXend '' "$kreg" get edited text
	t 'standard input' 0 '' '' sh -c "printf in | $kreg patch edited text 0 -"
	printf file >"$tmp/file"
	t 'a file' 0 '' '' "$kreg" patch --file "$tmp/file" --truncate edited text 2
	t 'both are there' 0 infile '' "$kreg" get edited text
	t 'no file' 1 '' 'kreg patch: /no/such: No such file*' "$kreg" patch -f /no/such edited text 0
	t 'no key' 3 '' "kreg patch: the key is not in table 'edited'" "$kreg" patch edited none 0 x
	t 'no bytes' 2 '' 'kreg patch: too few arguments*' "$kreg" patch edited text 0
	t 'no offset' 2 '' "kreg patch: 'x' is no number of bytes*" "$kreg" patch edited text x y
}

parts() {
	"$kreg" put edited text abcdefghij
	t 'from a byte on' 0 cdefghij '' "$kreg" get --offset 2 edited text
	t 'so many' 0 cde '' "$kreg" get --offset 2 --length 3 edited text
	t 'from the start' 0 abc '' "$kreg" get --length 3 edited text
	t 'up to the end' 0 j '' "$kreg" get --offset 9 --length 3 edited text
	t 'none at the end' 0 '' '' "$kreg" get --offset 10 edited text
	t 'behind the end' 1 '' 'kreg get: the value in * ends before byte 11' \
		"$kreg" get --offset 11 edited text
	t 'part in JSON' 0 '{"key":"text","value":"cde","length":10}' '' \
		"$kreg" get --json --offset 2 --length 3 edited text
	t 'into a file' 0 '' '' "$kreg" get -o "$tmp/part" --offset 8 edited text
	t 'is there' 0 ij '' cat "$tmp/part"
	t 'no length' 2 '' "kreg get: 'x' is no number of bytes*" "$kreg" get --length x edited text
	t 'take has no parts' 2 '' 'kreg take: there is no option --offset*' \
		"$kreg" take --offset 1 edited text
}

conditions() {
	"$kreg" del edited text >/dev/null
	t 'not present' 3 '' "kreg put: the key is not in table 'edited'" \
		"$kreg" put --present edited text a
	"$kreg" put edited text a
	t 'present' 0 '' '' "$kreg" put -p edited text b
	v=$(version text)
	t 'another version' 4 '' 'kreg put: the object in * has another version or value by now*' \
		"$kreg" put --if-version $((v + 1)) edited text c
	run "$kreg" put --json --if-version "$v" edited text c
	like 'that version' '{"version":*}'
	t 'not any more' 4 '' '*has another version*' "$kreg" put --if-version "$v" edited text d
	t 'another value' 4 '' '*has another version or value*' \
		"$kreg" put --if-value b edited text d
	t 'that value' 0 '' '' "$kreg" put --if-value c edited text d
	t 'in hex' 0 '' '' "$kreg" put --if-value 64 --hex edited 74657874 65
	t 'it is there' 0 e '' "$kreg" get edited text
	t 'two conditions' 2 '' 'kreg put: there is more than one condition*' \
		"$kreg" put --new --if-value e edited text d
	t 'no version' 2 '' "kreg put: '0' is no version*" "$kreg" put --if-version 0 edited text d
	t 'del of another value' 4 '' '*has another version or value*' \
		"$kreg" del --if-value d edited text
	t 'del of another version' 4 '' '*has another version*' \
		"$kreg" del --if-version "$v" edited text
	t 'del of many' 2 '' 'kreg del: too many arguments*' "$kreg" del --if-value d edited a b
	t 'del of all' 2 '' 'kreg del: a condition is one of a single object*' \
		"$kreg" del --all --if-value d edited
	t 'del of that value' 0 '1 object removed' '' "$kreg" del --if-value e edited text
	"$kreg" put edited text a
	t 'del of that version' 0 '{"removed":1}' '' \
		"$kreg" del --json --if-version "$(version text)" edited text
}

# A table that is parked and not public is owned for the moment.
parked() {
	"$kreg" rm -f edited
	"$kreg" new -a protected edited
	t 'incr of a parked table' 0 1 '' "$kreg" incr --start 0 edited n
	t 'patch of it' 0 '' '' "$kreg" patch edited n 0 x
	t 'put to it' 0 '' '' "$kreg" put --present edited n y
}

# Many at once, none of which is lost.
at_once() {
	"$kreg" incr --start 0 edited all 0 >/dev/null
	pids=
	for _ in 1 2 3 4; do
		sh -c "for i in 1 2 3 4 5; do $kreg incr edited all; done" >/dev/null &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
	t 'all count' 0 20 '' "$kreg" incr edited all 0
}

"$kreg" new edited || exit 1
counters
patches
parts
conditions
at_once
parked
echo "1..$n"
[ "$failed" -eq 0 ]

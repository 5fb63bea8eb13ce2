#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg scan, del and incr --where, as installed: what matches, what is wrong and where. Prints TAP;
# needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f asked 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

tab=$(printf '\t')

scans() {
	t 'of values' 0 "b${tab}bcd" '' "$kreg" scan --where 'prefix "bc"' asked
	t 'of keys' 0 'c' '' "$kreg" scan -k -w 'key == "c"' asked
	t 'lengths' 0 2 '' "$kreg" scan --count --where 'len >= 3' asked
	t 'in a range' 0 "a${tab}abc" '' "$kreg" scan --to a --where 'len == 3' asked
	t 'at one moment' 0 2 '' "$kreg" scan -s -c --where 'not len < 3' asked
	t 'nothing' 0 '' '' "$kreg" scan --where 'u64@0 == 0' asked
	t 'all but one' 0 2 '' "$kreg" scan -c --where 'u8@0 != 97' asked
	t 'in JSON' 0 '{"key":"c","length":1,"version":3}' '' \
		"$kreg" scan -k --json --where 'len == 1' asked
}

wrong() {
	t 'no number' 2 '' "kreg scan: the filter is wrong at column 7: a number is expected, such as 100 or 0x1f
  len > x
        ^" "$kreg" scan --where 'len > x' asked
	t 'below what is escaped' 2 '' 'kreg scan: the filter is wrong at column 8: a string in quotes is expected
  prefix\\tab
          ^' "$kreg" scan --where "prefix${tab}ab" asked
	t 'nothing at all' 2 '' 'kreg del: the filter is wrong at column 1: a field is expected*' \
		"$kreg" del --where '' asked
	t 'it is left' 0 3 '' "$kreg" count asked
	t 'with --all' 2 '' 'kreg del: --all and --where contradict*' \
		"$kreg" del --all --where 'len > 0' asked
	t 'with a key' 2 '' 'kreg del: too many arguments*' "$kreg" del --where 'len > 0' asked a
	t 'with a condition' 2 '' 'kreg del: a condition is one of a single object*' \
		"$kreg" del --if-version 1 --where 'len > 0' asked
	t 'with --start' 2 '' 'kreg incr: --start is for a key*' \
		"$kreg" incr --start 1 --where 'len > 0' asked
}

changes() {
	t 'too short to count' 1 '' "kreg incr: the value in * ends before the field does*" \
		"$kreg" incr --where 'len == 3' asked
	"$kreg" incr --start 9 asked n1
	"$kreg" incr --start 19 asked n2
	t 'all counters' 0 '2 objects changed' '' "$kreg" incr --where 'len == 8' asked 5
	t 'by less' 0 '1 object changed' '' "$kreg" incr --where 'u64@0 > 20' asked -5
	t 'one' 0 15 '' "$kreg" incr asked n1 0
	t 'the other' 0 20 '' "$kreg" incr asked n2 0
	t 'none' 3 '0 objects changed' '' "$kreg" incr --where 'u64@0 > 20' asked
	t 'removed' 0 '2 objects removed' '' "$kreg" del --where 'len == 8' asked
	t 'none is left' 3 '0 objects removed' '' "$kreg" del --where 'len == 8' asked
	t 'by a prefix' 0 '{"removed":1}' '' "$kreg" del --json --prefix c asked
	t 'the others are' 0 2 '' "$kreg" count asked
}

"$kreg" new -t ordered_set asked
"$kreg" put asked a abc
"$kreg" put asked b bcd
"$kreg" put asked c x
scans
wrong
changes
echo "1..$n"
[ "$failed" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg scan, del, incr and patch with --where and ranges, as installed: what matches, what is wrong
# and where. Prints TAP; needs the module, and root.

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

# Values of those in a range, or that match, are replaced.
replaces() {
	t 'a part' 0 '1 object changed' '' "$kreg" patch --where 'prefix "bc"' asked 1 X
	t 'is replaced' 0 bXd '' "$kreg" get asked b
	t 'the whole' 0 '2 objects changed' '' \
		"$kreg" patch --extend --truncate --where 'len == 3' asked 0 other
	t 'of the one' 0 other '' "$kreg" get asked a
	t 'and of the other' 0 other '' "$kreg" get asked b
	t 'in a range' 0 '1 object changed' '' "$kreg" patch --from b --below c asked 0 m
	t 'of one' 0 mther '' "$kreg" get asked b
	t 'in a range, of what matches' 3 '0 objects changed' '' \
		"$kreg" patch --prefix b --where 'len == 4' asked 0 m
	printf file >"$tmp/file"
	t 'by a file' 0 '{"changed":2}' '' "$kreg" patch --json -f "$tmp/file" --to b asked 1
	t 'it is' 0 mfile '' "$kreg" get asked b
	t 'too short' 1 '' 'kreg patch: *' "$kreg" patch --where 'len == 5' asked 4 xy
	t 'with a key' 2 '' 'kreg patch: too many arguments*' "$kreg" patch -w 'len > 0' asked a 0 x
	t 'without bytes' 2 '' 'kreg patch: too few arguments*' "$kreg" patch -w 'len > 0' asked 0
	"$kreg" put asked a abc
	"$kreg" put asked b bcd
}

ranges() {
	"$kreg" incr --start 1 asked m1
	"$kreg" incr --start 2 asked m2
	"$kreg" incr --start 3 asked m3
	t 'add in a range' 0 '2 objects changed' '' "$kreg" incr --above m1 --to m3 asked 10
	t 'not to its end' 0 2 '' "$kreg" incr asked m1 0
	t 'but to the other' 0 14 '' "$kreg" incr asked m3 0
	t 'and of what matches' 0 '1 object changed' '' \
		"$kreg" incr --prefix m --where 'u64@0 == 13' asked
	t 'remove a range' 0 '1 object removed' '' "$kreg" del --from m2 --below m3 asked
	t 'above' 0 '1 object removed' '' "$kreg" del --above m1 --to mm asked
	t 'and what matches' 0 '1 object removed' '' "$kreg" del --from b --where 'len == 8' asked
	t 'two ends' 2 '' 'kreg del: --from, --above and --prefix contradict each other*' \
		"$kreg" del --from a --above b asked
	t 'an empty end' 2 '' 'kreg del: the key is empty*' "$kreg" del --from '' asked
	t 'all else is left' 0 3 '' "$kreg" count asked
}

# More than are changed in one call, one of which cannot be.
many() {
	awk 'BEGIN { for (i = 1; i <= 25000; i++) printf "n%05d\t12345678\n", i }' |
		"$kreg" load asked
	"$kreg" put asked n22222 short
	t 'up to what fails' 1 '' '*22221 objects were changed before that*' \
		"$kreg" incr --prefix n asked
	t 'all but these' 0 2778 '' "$kreg" scan -c --prefix n --where 'value == "12345678"' asked
	t 'of many calls' 0 '25000 objects removed' '' "$kreg" del --prefix n asked
	t 'none is left' 3 '0 objects removed' '' "$kreg" del --prefix n asked
}

"$kreg" new -t ordered_set asked
"$kreg" put asked a abc
"$kreg" put asked b bcd
"$kreg" put asked c x
scans
wrong
replaces
ranges
many
changes
echo "1..$n"
[ "$failed" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Schemas of tables: kreg new, set, info, ls, dump, restore. Prints TAP; needs the module, and
# root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f one two plain 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# shown TABLE TEXT: what info says of its schema.
shown() {
	is "info of $1" "$("$kreg" info "$1" | grep '^schema')" "$2"
}

t 'a table' 0 '' '' "$kreg" new --schema 0x5e55/2 one
shown one 'schema     0x5e55, version 2'
run "$kreg" info --json one
like 'in JSON' '*"schema":"0x5e55","schema_version":2,*'
run "$kreg" ls --json
like 'in a list' '*"name":"one",*"schema":"0x5e55","schema_version":2,*'
t 'one without' 0 '' '' "$kreg" new plain
shown plain ''
run "$kreg" info --json plain
like 'none in JSON' '*"schema":null,"schema_version":0,*'

t 'it is there, and the same' 0 '' '*is there already*' "$kreg" new -i -s 24149/2 one
t 'another version' 4 '' \
	"kreg new: table 'one' has version 2 of the schema 0x5e55, and this program asks for version 3*" \
	"$kreg" new -i -s 0x5e55/3 one
t 'another schema' 4 '' \
	"kreg new: table 'one' has the schema 0x5e55, and this program asks for 0xbeef*" \
	"$kreg" new -i -s 0xbeef/2 one
t 'none' 4 '' "kreg new: table 'plain' has no schema, and this program asks for 0xbeef*" \
	"$kreg" new -i -s 0xbeef/2 plain
for bad in 5 /1 5/ 0/1 5/0 -5/1 0x/1 0x0x5/1 5/1/1 18446744073709551616/1 5/4294967296 ' 5/1'; do
	t "no schema: $bad" 2 '' "kreg new: '$bad' is no schema*" "$kreg" new -s "$bad" two
done

t 'set' 0 '' '' "$kreg" set --schema 0x5e55/3 --from 2 one
shown one 'schema     0x5e55, version 3'
t 'from another' 1 '' "kreg set: table 'one' has another version of its schema by now*" \
	"$kreg" set -s 0x5e55/3 -f 2 one
t 'of one that is parked and protected' 0 '' '' "$kreg" new -a protected two
t 'set, too' 0 '' '' "$kreg" set -s 18446744073709551615/4294967295 two
shown two 'schema     0xffffffffffffffff, version 4294967295'
t 'no more' 0 '' '' "$kreg" set -s none two
shown two ''
t 'to nothing' 2 '' "kreg set: *" "$kreg" set -s 5 two
t 'from nothing' 2 '' "kreg set: '0' is no version*" "$kreg" set -s 5/1 -f 0 two
t 'nothing' 2 '' 'kreg set: nothing is to be set*' "$kreg" set two
t 'only from' 2 '' 'kreg set: --from goes with --schema alone*' "$kreg" set -f 1 two
t 'none of these' 3 '' 'kreg set: there is no table*' "$kreg" set -s 5/1 absent
t 'no table' 2 '' 'kreg set: *' "$kreg" set -s 5/1
"$kreg" rm two

t 'dump' 0 '' '*' "$kreg" dump -o "$tmp/dump" one
run "$kreg" dump --info "$tmp/dump"
like 'what it has' '*schema    0x5e55, version 3*'
run "$kreg" dump --json --info "$tmp/dump"
like 'what it has in JSON' '*"schema":"0x5e55","schema_version":3,*'
t 'restore' 0 '' '*' "$kreg" restore --as two "$tmp/dump"
shown two 'schema     0x5e55, version 3'
echo "1..$n"
[ "$failed" -eq 0 ]

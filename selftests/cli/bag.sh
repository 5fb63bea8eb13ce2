#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command on tables whose keys have several objects. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f bag twice 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# values TABLE KEY: on one line.
values() {
	"$kreg" get "$@" | tr '\n' ' '
}

# What bags of both types have in common.
common() {
	t "$1: first" 0 '' '' "$kreg" put "$1" key 'a b'
	t "$1: second" 0 '' '' "$kreg" put "$1" key c
	t "$1: of another key" 0 '' '' "$kreg" put "$1" kez z
	t "$1: both" 0 'a b c ' '' values "$1" key
	t "$1: in hex" 0 '612062 63 ' '' values --hex "$1" 6b6579
	t "$1: in JSON" 0 '{"key":"key","value":"a b","number":0}
{"key":"key","value":"c","number":0}' '' \
		sh -c "$kreg get --json $1 key | sed 's/\"version\":[0-9]*,//'"
	t "$1: into a file" 0 '' '' "$kreg" get -o "$tmp/values" "$1" key
	t "$1: in it" 0 "$(printf 'a b\nc')" '' cat "$tmp/values"
	t "$1: scan" 0 "$(printf 'key\ta b\nkey\tc\nkez\tz')" '' "$kreg" scan "$1"
	t "$1: backwards" 0 "$(printf 'kez\tz\nkey\tc\nkey\ta b')" '' "$kreg" scan -r "$1"
	t "$1: count" 0 3 '' "$kreg" count "$1"
	t "$1: new" 4 '' 'kreg put: the key is in table*' "$kreg" put --new "$1" key d
	t "$1: none" 3 '' 'kreg get: the key is not in table*' "$kreg" get "$1" none
	t "$1: of one object only" 1 '' "kreg take: keys of table '$1' may have several objects*" \
		"$kreg" take "$1" key
	t "$1: wait" 0 '' '' "$kreg" wait --present "$1" key
	t "$1: wait for another" 6 '' '*' "$kreg" wait --present --timeout 10ms "$1" none
	t "$1: wait for its end" 1 '' "kreg wait: keys of table '$1' may have several objects*" \
		"$kreg" wait --absent "$1" key
	t "$1: part" 1 '' "kreg get: keys of table '$1' may have several objects*" \
		"$kreg" get --offset 1 "$1" key
}

t 'a bag' 0 '' '' "$kreg" new --type bag bag
t 'a duplicate_bag' 0 '' '' "$kreg" new --type duplicate_bag twice
common bag
common twice
t 'bag: the same' 0 '' '' "$kreg" put bag key c
t 'bag: is there once' 0 'a b c ' '' values bag key
t 'twice: the same' 0 '' '' "$kreg" put twice key c
t 'twice: is there twice' 0 'a b c c ' '' values twice key
t 'twice: removed by value' 0 '2 objects removed' '' "$kreg" del --if-value c twice key
t 'twice: what is left' 0 'a b ' '' values twice key
t 'bag: removed' 0 '2 objects removed' '' "$kreg" del bag key
t 'bag: gone' 3 '' '*' "$kreg" get bag key
echo "1..$n"
[ "$failed" -eq 0 ]

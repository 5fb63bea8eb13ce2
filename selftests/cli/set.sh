#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg set: rights, what becomes of a table, its writer and its events; schema.sh and seal.sh have
# the rest. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f one two role 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# shown NAME PATTERN: what info says of table 'one' in JSON.
shown() {
	run "$kreg" info --json one
	like "$1" "$2"
}

t 'a table' 0 '' '' "$kreg" new one
t 'its access rule' 0 '' '' "$kreg" set --access protected one
shown 'it is protected' '*"access":"protected","mode":"0600",*"parked":true,*'
t 'of one that is not public' 0 '' '' "$kreg" set -a private -m 0644 one
shown 'it is private' '*"access":"private","mode":"0644",*"parked":true,*'
t 'its time' 0 '' '' "$kreg" set --keep 1h one
shown 'it has it' '*"parked_ms_left":3[56]*"orphan":"park","orphan_ms":3600000,*'
t 'its rule' 0 '' '' "$kreg" set --orphan park one
shown 'it has no time' '*"orphan":"park","orphan_ms":0,*'
t 'a limit' 0 '' '' "$kreg" set --limit 3/60s one
shown 'it has it' '*"limit":3,"limit_ms":60000,*'
t 'no limit' 0 '' '' "$kreg" set -l none one
shown 'it has none' '*"limit":0,"limit_ms":0,*'
t 'a role' 0 '' '' "$kreg" new --sealed role
t 'as its writer' 0 '' '' "$kreg" set --writer role one
id=$("$kreg" info --json role | sed 's/.*"id":\([0-9]*\),.*/\1/')
shown 'it has it' "*\"writer_role\":$id,*"
t 'no writer' 0 '' '' "$kreg" set -w '' one
shown 'it has none' '*"writer_role":0,*'
t 'all at once' 0 '' '' "$kreg" set -a public -m 666 -l 1/1s -e 16384 -s 7/1 -S one
shown 'it has all' '*"access":"public","mode":"0666","schema":"0x7",*"sealed":true,*"limit":1,*'

# Events are kept without a subscriber: who comes later reads them.
# events: how many table 'two' has had that somebody could have asked for.
events() {
	"$kreg" info --json two | sed 's/.*"events":\([0-9]*\).*/\1/'
}

t 'another' 0 '' '' "$kreg" new two
t 'an event' 0 '' '' "$kreg" put two a 1
is 'that is not kept' "$(events)" 0
t 'to keep events' 0 '' '' "$kreg" set --events 16384 two
before=$(events)
t 'another one' 0 '' '' "$kreg" put two b 1
is 'that is' "$(events)" $((before + 1))
t 'no more' 0 '' '' "$kreg" set -e none two
t 'no size' 1 '' 'kreg set: a ring of events has a power of two of bytes, from 16384*' \
	"$kreg" set -e 5 two

t 'no access rule' 2 '' "kreg set: 'x' is no access rule*" "$kreg" set -a x two
t 'no mode' 2 '' "kreg set: '888' is no mode*" "$kreg" set -m 888 two
t 'no rule' 2 '' "kreg set: 'x' is no orphan rule*" "$kreg" set -o x two
t 'no time' 2 '' "kreg set: 'x' is no time*" "$kreg" set -k x two
t 'no number' 2 '' "kreg set: 'x' is no number of bytes*" "$kreg" set -e x two
for bad in 3 /1s 3/ 0/1s 3/0s 65/1s x/1s; do
	t "no limit: $bad" 2 '' "kreg set: '$bad' is no limit*" "$kreg" set -l "$bad" two
done
t 'kept and destroyed' 2 '' 'kreg set: --keep is for parked tables*' "$kreg" set -o destroy -k 1s two
t 'no role' 3 '' "kreg set: there is no table 'absent'*" "$kreg" set -w absent two
t 'to be destroyed' 0 '' '' "$kreg" set -o destroy two
t 'after that nothing' 5 '' "*table 'two' is parked, but would be destroyed*" "$kreg" set -o park two
t 'none' 3 '' 'kreg set: there is no table*' "$kreg" set -a public absent
echo "1..$n"
[ "$failed" -eq 0 ]

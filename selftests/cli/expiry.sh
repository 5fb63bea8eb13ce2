#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Objects that expire, by the command as installed: good and bad input, exact exit status and
# output. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f timed copy bag copybag 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT


# tells NAME PATTERN COMMAND...: a line of what it prints is as the pattern says.
tells() {
	name=$1 pattern=$2
	shift 2
	is "$name" "$("$@" 2>&1 | grep -c -- "$pattern")" 1
}

"$kreg" new timed
t 'put' 0 '' '' "$kreg" put --ttl 1h timed long v
tells 'told by get' '"expires_ms":3[56][0-9]\{5\}}$' "$kreg" get --json timed long
tells 'told by scan' '"expires_ms":3[56][0-9]\{5\}}$' "$kreg" scan --json timed
tells 'told by info' '^timed  *1 objects that expire' "$kreg" info timed
tells 'and in JSON' '"timed":1,' "$kreg" info --json timed
t 'put over it' 0 '' '' "$kreg" put timed long v
tells 'it does not expire any more' '"version":[0-9]*}$' "$kreg" get --json timed long
"$kreg" put --idle 5m timed idle v
tells 'idle' '"expires_ms":[23][0-9]\{5\}}$' "$kreg" get --json timed idle
t 'kept' 0 '' '' "$kreg" put --keep timed idle w
tells 'it is idle as before' '"value":"w".*"expires_ms":' "$kreg" get --json timed idle
"$kreg" put --ttl 1 timed short v
"$kreg" dump -o "$tmp/dump" timed
t 'waited for' 0 '' '' "$kreg" wait --absent timed short
t 'absent' 3 '' "kreg get: the key is not in table 'timed'" "$kreg" get timed short
t 'a new one' 0 '' '' "$kreg" put --new --ttl 1h timed short v
t 'taken' 0 v '' "$kreg" take timed short
is 'restored' "$("$kreg" restore --as copy "$tmp/dump" >/dev/null 2>&1; echo $?)" 0
t 'without what has expired' 3 '' '*' "$kreg" get copy short
tells 'and with what has not' '"expires_ms":' "$kreg" get --json copy idle
tells 'with a version' '^{"version":[0-9]*}$' "$kreg" put --json --present --ttl 1h timed idle x
t 'another version' 4 '' '*has another version*' "$kreg" put --if-version 1 --ttl 1h timed idle y
t 'no time' 2 '' "kreg put: 'x' is no time*" "$kreg" put --ttl x timed a b
t 'no time at all' 2 '' "kreg put: '0' is no time*" "$kreg" put --idle 0 timed a b
t 'too long' 2 '' "kreg put: '50d' is more than 49 days*" "$kreg" put --idle 50d timed a b
t 'new and keep' 2 '' 'kreg put: --new does not go with --keep*' "$kreg" put -n -k timed a b
t 'value and time' 2 '' 'kreg put: --if-value does not go with*' \
	"$kreg" put --if-value a --ttl 1 timed a b

"$kreg" new --type bag bag
t 'in a bag' 0 '' '' "$kreg" put --ttl 1h bag key a
t 'another one' 0 '' '' "$kreg" put bag key b
tells 'told of each' '"value":"a".*"expires_ms":3[56][0-9]\{5\}}$' "$kreg" scan --json bag
t 'the same again' 0 '' '' "$kreg" put --ttl 1 bag key b
is 'restored, too' "$("$kreg" dump bag | "$kreg" restore --as copybag - >/dev/null 2>&1; echo $?)" 0
tells 'it expires still' '"expires_ms":3[56][0-9]\{5\}}$' "$kreg" scan --json copybag
tells 'told of how many' '^timed  *[12] objects that expire' "$kreg" info copybag
t 'nothing to keep' 1 '' '*may have several objects*' \
	"$kreg" put --keep bag key c
echo "1..$n"
[ "$failed" -eq 0 ]

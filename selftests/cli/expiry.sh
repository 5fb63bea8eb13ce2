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
	"$kreg" rm -f timed copy 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT


"$kreg" new timed
t 'put' 0 '' '' "$kreg" put --ttl 1h timed long v
t 'told by get' 0 '*"expires_ms":3[56][0-9][0-9][0-9][0-9][0-9]*' '' "$kreg" get --json timed long
t 'told by scan' 0 '*"expires_ms":3[56][0-9][0-9][0-9][0-9][0-9]*' '' "$kreg" scan --json timed
t 'told by info' 0 '*timed * 1 objects that expire*' '' "$kreg" info timed
t 'and in JSON' 0 '*"timed":1,*' '' "$kreg" info --json timed
t 'put over it' 0 '' '' "$kreg" put timed long v
t 'it does not expire any more' 0 '{"key":"long","value":"v","version":*[0-9]}' '' \
	"$kreg" get --json timed long
"$kreg" put --idle 5m timed idle v
t 'idle' 0 '*"expires_ms":[23][0-9][0-9][0-9][0-9][0-9]*' '' "$kreg" get --json timed idle
t 'kept' 0 '' '' "$kreg" put --keep timed idle w
t 'it is idle as before' 0 '*"value":"w"*"expires_ms":*' '' "$kreg" get --json timed idle
"$kreg" put --ttl 1 timed short v
"$kreg" dump -o "$tmp/dump" timed
t 'waited for' 0 '*' '' "$kreg" wait --absent timed short
t 'absent' 3 '' "kreg get: the key is not in table 'timed'" "$kreg" get timed short
t 'a new one' 0 '' '' "$kreg" put --new --ttl 1h timed short v
t 'taken' 0 v '' "$kreg" take timed short
t 'restored' 0 '*' '*' "$kreg" restore --name copy "$tmp/dump"
t 'without what has expired' 3 '' '*' "$kreg" get copy short
t 'and with what has not' 0 '*"expires_ms":*' '' "$kreg" get --json copy idle
t 'with a version' 0 '{"version":*}' '' "$kreg" put --json --present --ttl 1h timed idle x
t 'another version' 4 '' '*has another version*' "$kreg" put --if-version 1 --ttl 1h timed idle y
t 'no time' 2 '' "kreg put: 'x' is no time*" "$kreg" put --ttl x timed a b
t 'no time at all' 2 '' "kreg put: '0' is no time*" "$kreg" put --idle 0 timed a b
t 'too long' 2 '' "kreg put: '50d' is more than 49 days*" "$kreg" put --idle 50d timed a b
t 'new and keep' 2 '' 'kreg put: --new does not go with --keep*' "$kreg" put -n -k timed a b
t 'value and time' 2 '' 'kreg put: --if-value does not go with*' \
	"$kreg" put --if-value a --ttl 1 timed a b
echo "1..$n"
[ "$failed" -eq 0 ]

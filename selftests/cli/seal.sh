#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Sealed tables: kreg new, set, info, ls, dump, restore, and those that write. Prints TAP; needs
# the module, and root.

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

# refused NAME COMMAND...: a command that would write to 'one'.
refused() {
	name=$1
	shift
	t "$name" 5 '' "kreg $1: table 'one' is sealed, and nobody changes what is in it*" \
		"$kreg" "$@"
}

t 'a table' 0 '' '' "$kreg" new one
t 'what is in it' 0 '' '' "$kreg" put one key value
run "$kreg" info --json one
like 'not sealed' '*"sealed":false,*'
t 'sealed' 0 '' '' "$kreg" set --seal one
t 'again' 0 '' '' "$kreg" set -S one
run "$kreg" info one
like 'info' '*sealed     what is in it stays as it is*'
run "$kreg" ls --json
like 'in a list' '*"name":"one",*"sealed":true,*'
refused 'put' put one key other
refused 'del' del one key
refused 'take' take one key
refused 'incr' incr one count
refused 'lease' lease one key -- true
refused 'register' register one name -- true
t 'load' 5 '' "kreg load: *table 'one' is sealed, and nobody changes what is in it*" \
	sh -c "$kreg scan one | $kreg load one"
refused 'publish' publish one key
t 'get' 0 'value' '' "$kreg" get one key
t 'count' 0 '1' '' "$kreg" count one
t 'its schema' 5 '' "kreg set: table 'one' is sealed, and what is in it stays what it is" \
	"$kreg" set --schema 5/1 one

t 'dump' 0 '' '*' "$kreg" dump -o "$tmp/dump" one
run "$kreg" dump --info "$tmp/dump"
like 'what it has' '*sealed    what is in it stays as it is*'
run "$kreg" dump --json --info "$tmp/dump"
like 'what it has in JSON' '*"sealed":true,*'
t 'restore' 0 '' '*' "$kreg" restore --as two "$tmp/dump"
run "$kreg" info --json two
like 'sealed as well' '*"sealed":true,*"objects":1,*'
t 'renamed' 0 '' '' "$kreg" rename -e one two
t 'removed' 0 '' '' "$kreg" rm two

t 'both at once' 0 '' '' "$kreg" new -a protected two
t 'its schema first' 0 '' '' "$kreg" set -S -s 5/1 two
run "$kreg" info --json two
like 'both' '*"schema":"0x5","schema_version":1,"sealed":true,*'
t 'a role' 0 '' '' "$kreg" new --sealed role
run "$kreg" info --json role
like 'from the start' '*"sealed":true,*'
t 'none' 3 '' 'kreg set: there is no table*' "$kreg" set --seal absent
echo "1..$n"
[ "$failed" -eq 0 ]

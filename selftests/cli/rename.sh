#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg rename. Prints TAP; needs the module, and root.

kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f one two three 2>/dev/null
}
trap cleanup EXIT

t 'a table' 0 '' '' "$kreg" new one
t 'another' 0 '' '' "$kreg" new two
t 'what is in it' 0 '' '' "$kreg" put one key 1
t 'what is in the other' 0 '' '' "$kreg" put two key 2
t 'renamed' 0 '' '' "$kreg" rename one three
t 'it has the new name' 0 1 '' "$kreg" get three key
t 'and not the old one' 3 '' "kreg get: *" "$kreg" get one key
t 'a name that is taken' 4 '' "kreg rename: a table has this name already*" "$kreg" rename three two
t 'its own' 4 '' "kreg rename: a table has this name already*" "$kreg" rename two two
t 'exchanged' 0 '' '' "$kreg" rename -e two three
t 'the one' 0 1 '' "$kreg" get two key
t 'the other' 0 2 '' "$kreg" get three key
t 'with itself' 1 '' 'kreg rename: *the same table*' "$kreg" rename --exchange two two
t 'with none' 3 '' 'kreg rename: *' "$kreg" rename -e two none
t 'an empty name' 1 '' 'kreg rename: *the name is empty*' "$kreg" rename two ''
t 'no name' 2 '' 'kreg rename: *' "$kreg" rename two
echo "1..$n"
[ "$failed" -eq 0 ]

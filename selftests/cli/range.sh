#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg scan with ranges, and keys one by one. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f range ordered 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

fill() {
	for key in app apple apply banana bandana cherry; do
		"$kreg" put "$1" $key "the $key"
	done
}

# keys TABLE OPTION...: what a scan finds, on one line, in the order of keys.
keys() {
	table=$1
	shift
	"$kreg" scan --keys "$@" "$table" | LC_ALL=C sort | tr '\n' ' '
}

# What is the same in tables of all types.
ranges() {
	t "$1: all" 0 'app apple apply banana bandana cherry ' '' keys "$1"
	t "$1: prefix" 0 'app apple apply ' '' keys "$1" --prefix app
	t "$1: prefix of none" 0 '' '' keys "$1" -p x
	t "$1: from" 0 'banana bandana cherry ' '' keys "$1" --from banana
	t "$1: above" 0 'bandana cherry ' '' keys "$1" --above banana
	t "$1: to" 0 'app apple apply banana ' '' keys "$1" --to banana
	t "$1: below" 0 'app apple apply ' '' keys "$1" --below banana
	t "$1: from, to" 0 'apple apply banana ' '' keys "$1" --from appl --to banana
	t "$1: above, below" 0 'apply ' '' keys "$1" --above apple --below banana
	t "$1: nothing between" 0 '' '' keys "$1" --from c --to a
	t "$1: values" 0 'cherry	the cherry' '' "$kreg" scan --from c "$1"
	t "$1: in hex" 0 '636865727279' '' "$kreg" scan --hex --keys --from 63 "$1"
	t "$1: in JSON" 0 '{"key":"cherry","length":10,' '' \
		sh -c "$kreg scan --json --keys --from c $1 | sed 's/\"version.*//'"
	t "$1: count" 0 6 '' "$kreg" scan --count "$1"
	t "$1: of one moment" 0 "$(keys "$1")" '' keys "$1" --snapshot
	t "$1: a count of one moment" 0 2 '' "$kreg" scan -sc --prefix ban "$1"
	t "$1: count of a range" 0 2 '' "$kreg" scan -c --prefix ban "$1"
	t "$1: count in JSON" 0 '{"objects":3}' '' "$kreg" scan --json -ck -p app "$1"
}

refused() {
	t 'two lower ends' 2 '' 'kreg scan: --from, --above and --prefix contradict each other*' \
		"$kreg" scan --from a --above b range
	t 'two upper ends' 2 '' 'kreg scan: *' "$kreg" scan --to a --below b range
	t 'a prefix and an end' 2 '' 'kreg scan: *' "$kreg" scan --prefix a --to b range
	t 'an end and a prefix' 2 '' 'kreg scan: *' "$kreg" scan --to b --prefix a range
	t 'two prefixes' 2 '' 'kreg scan: *' "$kreg" scan --prefix a --prefix b range
	t 'an empty key' 2 '' 'kreg scan: the key is empty*' "$kreg" scan --from '' range
	t 'count and limit' 2 '' 'kreg scan: --count and --limit contradict each other*' \
		"$kreg" scan --count --limit 3 range
	t 'an end without its key' 2 '' 'kreg scan: option --from needs an argument*' \
		"$kreg" scan range --from
	long=$(printf '%01025d' 0)
	t 'a long key' 1 '' 'kreg scan: the key has 1025 bytes; the most is 1024' \
		"$kreg" scan --from "$long" range
	t 'a range of no table' 3 '' "kreg scan: there is no table 'none' here*" \
		"$kreg" scan --from a none
}

steps() {
	t 'first of none' 3 '' "kreg first: no key is in table 'empty'" "$kreg" first empty
	"$kreg" put empty one 1
	t 'first' 0 one '' "$kreg" first empty
	t 'first in JSON' 0 '{"key":"one"}' '' "$kreg" first --json empty
	t 'first in hex' 0 6f6e65 '' "$kreg" first --hex empty
	t 'next of the only one' 3 '' "kreg next: no key of table 'empty' comes after this one" \
		"$kreg" next empty one
	t 'next without a key' 2 '' 'kreg next: too few arguments*' "$kreg" next empty
	t 'next of an empty key' 2 '' 'kreg next: the key is empty*' "$kreg" next empty ''
	t 'first with a key' 2 '' 'kreg first: too many arguments*' "$kreg" first empty one
	t 'all, one by one' 0 'app apple apply banana bandana cherry ' '' sh -c '
		k=$('"$kreg"' first range)
		while [ "$k" ]; do
			echo "$k"
			k=$('"$kreg"' next range "$k" 2>&-)
		done | LC_ALL=C sort | tr "\n" " "'
	"$kreg" rm empty
}

sets() {
	why="table 'range' is a set, which has no order: create it with type ordered_set"
	t 'a set backwards' 1 '' "kreg scan: $why" "$kreg" scan --reverse range
	t 'its count backwards' 1 '' "kreg scan: $why" "$kreg" scan --reverse --count range
	t 'its last key' 1 '' "kreg last: $why" "$kreg" last range
	t 'the one before' 1 '' "kreg prev: $why" "$kreg" prev range banana
	t 'why, in JSON' 1 '' '{"error":"EOPNOTSUPP","message":"table*"}' "$kreg" last --json range
}

ordered() {
	t 'in order' 0 'app
apple
apply
banana
bandana
cherry' '' "$kreg" scan --keys ordered
	t 'backwards' 0 'cherry
bandana' '' "$kreg" scan --keys --reverse --limit 2 ordered
	t 'backwards within' 0 'apply
apple' '' "$kreg" scan -rk --prefix appl ordered
	t 'before a key' 0 'apply
apple
app' '' "$kreg" scan -rk --after b ordered
	t 'behind a key' 0 'cherry' '' "$kreg" scan -k --after bandana ordered
	t 'the lowest' 0 app '' "$kreg" first ordered
	t 'the highest' 0 cherry '' "$kreg" last ordered
	t 'the next one' 0 banana '' "$kreg" next ordered b
	t 'the one before' 0 apply '' "$kreg" prev ordered b
	t 'nothing before' 3 '' "kreg prev: no key of table 'ordered' comes before this one" \
		"$kreg" prev ordered app
	run "$kreg" info --json ordered
	like 'its type' '{"name":"ordered",*"type":"ordered_set",*'
}

echo 'TAP version 13'
"$kreg" new range && "$kreg" new empty
fill range
ranges range
refused
steps
sets
t 'a bad type' 2 '' "kreg new: 'x' is no type: set, ordered_set, bag or duplicate_bag*" "$kreg" new -t x y
t 'a set by its type' 4 '' '*' "$kreg" new --type set range
# Without such tables the command says so.
run "$kreg" new --type ordered_set ordered
if [ "$status" = 0 ]; then
	ok 'an ordered table'
	fill ordered
	ranges ordered
	ordered
	t 'another type' 4 '' "kreg new: table 'ordered' is of another type" \
		"$kreg" new -i --type set ordered
else
	check 'no ordered table' 1 '' 'kreg new: the loaded module has no tables of this type'
	n=$((n + 1))
	echo "ok $n ordered tables # SKIP this kernel has none"
fi
echo "1..$n"
[ "$failed" -eq 0 ]

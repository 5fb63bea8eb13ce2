#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg batch: several writes to one table or several, all or none. Prints TAP; needs the module, and
# root.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	"$kreg" rm -f one two owned lost bag sealed 3 4 5 6 7 8 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# objects NAME TABLE TEXT: all that is in the table.
objects() {
	t "$1" 0 "$3" '' sh -c "$kreg scan $2 | LC_ALL=C sort | tr '\\t\\n' '= '"
}

# lines NAME STATUS OUT ERR TEXT OPTION...: a file of this text, as printf(1) takes it.
lines() {
	name=$1 status_want=$2 out_want=$3 err_want=$4
	# shellcheck disable=SC2059
	printf "$5" >"$tmp/lines"
	shift 5
	t "$name" "$status_want" "$out_want" "$err_want" "$kreg" batch "$@" --file "$tmp/lines"
}

"$kreg" new one
"$kreg" new --beside one two

t 'one table' 0 '' '' "$kreg" batch put one a 1 new one b 2
objects 'both are there' one 'a=1 b=2 '
t 'all fail' 4 '' "kreg batch: *
kreg batch: it was write 2 of 2; nothing is changed" "$kreg" batch put one a 3 new one b 4
objects 'as it was' one 'a=1 b=2 '
t 'moved' 0 '' '' "$kreg" batch del one a new two a 1
objects 'not here' one 'b=2 '
objects 'but there' two 'a=1 '
t 'moved, where it is already' 4 '' "kreg batch: *two*
kreg batch: it was write 2 of 3; nothing is changed" "$kreg" batch del one b new two a 9 put one c 1
objects 'nothing is removed' one 'b=2 '
t 'in order' 0 '' '' "$kreg" batch put one c 1 put one c 2 del one b
objects 'the last wins' one 'c=2 '
run "$kreg" batch --json put two a 7 del two none
like 'versions' '*"op":"put","table":"two","key":"a","version":*,"count":1}*'
like 'what is removed' '*"op":"del","table":"two","key":"none",*"count":0}*'
t 'a value that is an option' 0 '' '' "$kreg" batch put two -x --json
t 'it is there' 0 '--json' '' "$kreg" get two -- -x
t 'removed' 0 '' '' "$kreg" batch del two -x del two a

"$kreg" incr --start 10 one from 0 >/dev/null
"$kreg" incr --start 10 two to 0 >/dev/null
t 'a transfer' 0 '' '' "$kreg" batch incr one from -3 incr two to 3
t 'here' 0 7 '' "$kreg" incr one from 0
t 'and there' 0 13 '' "$kreg" incr two to 0
run "$kreg" batch --json incr two to 1 incr two to 1
like 'each sum' '*"value":14}*"value":15}*'
t 'no counter' 3 '' 'kreg batch: *
kreg batch: it was write 2 of 2; nothing is changed' "$kreg" batch incr one from 1 incr two absent 1
t 'nothing was added' 0 7 '' "$kreg" incr one from 0
t 'no number' 2 '' '*that is no number of 64 bits*' "$kreg" batch incr one from x
"$kreg" put two v old
t 'swapped' 0 '' '' "$kreg" batch swap two v old newer incr one from 1
t 'the new one' 0 newer '' "$kreg" get two v
t 'another value' 4 '' 'kreg batch: *
kreg batch: it was write 1 of 2; nothing is changed' "$kreg" batch swap two v old x incr one from 1
t 'and not added' 0 8 '' "$kreg" incr one from 0
lines 'both in lines' 0 '' '' 'swap\ttwo\t76\t6e65776572\t00\nincr\tone\t66726f6d\t-8\n' --hex
t 'swapped to' 0 00 '' "$kreg" get --hex two 76
t 'in digits' 0 0 '' "$kreg" incr one from 0
t 'removed as well' 0 '' '' "$kreg" batch del one from del two to del two v

lines 'lines' 0 '' '' 'put\tone\tk\\tey\tv\\x00l\nnew\ttwo\te\t\n'
t 'escapes' 0 '76006c' '' "$kreg" get --hex one 6b096579
t 'an empty value' 0 '' '' "$kreg" get two e
lines 'hexadecimal' 0 '' '' 'put\tone\t6b\t00ff\ndel\ttwo\t65' --hex
t 'bytes' 0 '00ff' '' "$kreg" get --hex one 6b
t 'standard input' 0 '' '' sh -c "printf 'del\\tone\\tk\\n' | $kreg batch -f -"
lines 'none' 0 '' '' ''
lines 'a word is wrong' 1 '' \
	'kreg batch: line 2: the first word is none of put, new, swap, incr and del; nothing is changed' \
	'put\tone\tx\ty\nget\tone\tx\n'
lines 'words missing' 1 '' 'kreg batch: line 1: there are words missing; nothing is changed' \
	'put\tone\tx\n'
lines 'too many words' 1 '' 'kreg batch: line 1: there are too many words; nothing is changed' \
	'del\tone\tx\ty\n'
lines 'an escape' 1 '' 'kreg batch: line 1: a backslash begins none *; nothing is changed' \
	'put\tone\tx\t\\y\n'
lines 'an empty line' 1 '' 'kreg batch: line 1: the first word*' '\n'
lines 'an empty key' 1 '' 'kreg batch: line 1: the key is empty; nothing is changed' \
	'put\tone\t\ty\n'
lines 'an empty table' 1 '' 'kreg batch: line 1: that is no name of a table; *' 'put\t\tx\ty\n'
t 'nothing of that is there' 3 '' '*' "$kreg" get one x
t 'no file' 1 '' "kreg batch: $tmp/absent: No such file or directory" \
	"$kreg" batch -f "$tmp/absent"

t 'no write' 2 '' "*'get' is no write; these are put, new, swap, incr and del*" "$kreg" batch get one x
t 'no value' 2 '' "*'put' needs a table, a key and a value*" "$kreg" batch put one x
t 'no key' 2 '' "*'del' needs a table and a key*" "$kreg" batch del one
t 'nothing' 2 '' '*' "$kreg" batch
t 'no table' 3 '' "kreg batch: there is no table 'absent'*" "$kreg" batch put one x y put absent x y
t 'not even the first' 3 '' '*' "$kreg" get one x

for name in 3 4 5 6 7 8; do "$kreg" new --beside one "$name"; done
many='put one k v put two k v put 3 k v put 4 k v put 5 k v put 6 k v put 7 k v put 8 k v'
# shellcheck disable=SC2086
t 'eight tables' 0 '' '' "$kreg" batch $many
t 'in the last' 0 v '' "$kreg" get 8 k
# shellcheck disable=SC2086
t 'nine' 2 '' '*there are more than 8 tables*' "$kreg" batch $many put 9 k v
i=0
while [ $i -lt 17 ]; do
	printf 'put\tone\tn%d\tv\n' $i
	i=$((i + 1))
done >"$tmp/17"
t '17 of one table' 0 '' '' "$kreg" batch -f "$tmp/17"
printf 'put\ttwo\tn\tv\n' >>"$tmp/17"
t '18 of two' 1 '' 'kreg batch: *at most 16 operations*
kreg batch: nothing is changed' "$kreg" batch -f "$tmp/17"
"$kreg" new -t bag --beside one bag
t 'a bag' 0 '' '' "$kreg" batch put one a 1 put bag a 1
t 'an object more' 0 '' '' "$kreg" batch put one a 2 put bag a 2
t 'both are there' 0 '1
2' '' "$kreg" get bag a
"$kreg" new --sealed sealed
t 'a sealed table' 5 '' "kreg batch: *'sealed' is sealed*" "$kreg" batch put one z 1 put sealed a 1
t 'the other is as it was' 3 '' '*' "$kreg" get one z

"$kreg" new -a protected --beside one owned
t 'a parked table' 0 '' '' "$kreg" batch put one p 1 put owned p 2
t 'its object' 0 2 '' "$kreg" get owned p
run "$kreg" info --json owned
like 'it is parked again' '*"parked":true*'
"$kreg" new -a protected -o destroy --beside one lost
t 'one that could be lost' 5 '' "kreg batch: *table 'lost' is parked, but would be destroyed*" \
	"$kreg" batch put one p 3 put lost p 2
t 'as before' 0 1 '' "$kreg" get one p
t 'beside none' 3 '' "kreg new: there is no table 'absent'*" "$kreg" new --beside absent 9
echo "1..$n"
[ "$failed" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The examples of event loops: each tells of all processes that die, and then ends. Prints
# TAP; needs the module.

here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$here/tap.sh"

if [ ! -c /dev/kreg ]; then
	echo "1..0 # SKIP there is no /dev/kreg"
	exit 4
fi
tmp=$(mktemp -d) || exit 4
trap 'rm -rf "$tmp"' EXIT
mkfifo "$tmp/exit" "$tmp/input"
# Standard input that never ends, for one of them reads it.
exec 3<>"$tmp/input"

monitors() { [ "$(sed -n 's/^kreg-watches:.//p' "/proc/$1/fdinfo/"* 2>/dev/null)" = "$2" ]; }

# deaths LOOP SIGNAL EXIT: how it tells of one that is killed and of one that exits.
deaths() {
	sleep 1000 &
	killed=$!
	sh -c "read -r word <$tmp/exit; exit 3" &
	exits=$!
	"$here/$1" $killed $exits <&3 >"$tmp/out" 2>&1 &
	pid=$!
	wait_until monitors $pid 2
	kill -9 $killed
	wait_until monitors $pid 1
	echo >"$tmp/exit"
	wait $pid
	is "$1 ends by itself" $? 0
	is "$1 has told of both" "$(cat "$tmp/out")" "$killed $2
$exits $3"
}

deaths monitor 'died of signal 9' 'exited with 3'
for loop in loop-glib loop-uv loop-sd-event; do
	deaths $loop 'has died' 'has died'
	"$here/$loop" 0 >"$tmp/out" 2>&1 <&3
	is "$loop of no process fails" "$? $(wc -l <"$tmp/out")" '1 1'
done
echo "1..$n"
[ "$failed" = 0 ]

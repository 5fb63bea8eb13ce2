#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The main purpose of kreg: a server with a million objects is killed again and again
# while others look up without pause. kreg-demo does it and counts; this test checks
# the counts. Prints TAP; needs the module, and root.

tmp=$(mktemp -d) || exit 4
trap 'rm -rf "$tmp"' EXIT

if ! command -v kreg-demo >/dev/null; then
	echo "1..0 # SKIP there is no kreg-demo command"
	exit 4
fi

n=0
failed=0

# ok NAME COMMAND...: the command succeeds.
ok() {
	name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		failed=1
	fi
}

# says FILE MEMBER VALUE: the last line of the file has "MEMBER":VALUE.
says() { tail -n 1 "$1" | grep -q "\"$2\":$3[,}]"; }

# looked_up FILE: there were look-ups at all.
looked_up() { tail -n 1 "$1" | grep -q '"lookups":[1-9]'; }

echo "TAP version 13"
echo "1..12"
objects=$((1000000 / ${KREG_TEST_SHRINK:-1}))
for round in keeper park standby; do
	out=$tmp/$round
	kreg-demo --json --objects "$objects" --kills 3 --pause 50 --round "$round" >"$out" 2>"$tmp/err"
	status=$?
	sed 's/^/# /' "$out" "$tmp/err"
	ok "$round.runs_to_its_end" [ $status = 0 ]
	ok "$round.no_lookup_failed" says "$out" failed 0
	ok "$round.no_object_lost" says "$out" lost 0
	ok "$round.there_were_lookups" looked_up "$out"
done
exit $failed

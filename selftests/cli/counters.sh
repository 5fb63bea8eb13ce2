#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/counters: what was counted stays when workers die. Prints TAP; needs the module, and root.

example_needs=tcp
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

requests() {
	for _ in $(seq 20); do wget -q -O /dev/null "http://127.0.0.1:$1/"; done
}

# None is lost, and none counted twice.
both_at_once() {
	requests 8081 &
	first=$!
	requests 8082
	wait $first
	is 'requests of both at once' "$(kreg get counters.totals requests)" 40
}

gauges_of_the_living() {
	old=$(pid_of worker-1)
	kill -9 "$old"
	kreg get counters.gauges "$old/connections" >/dev/null 2>&1
	is 'no gauge of who is killed' $? 3
	wait_until is_new worker-1 "$old"
	is 'one gauge for each worker' "$(kreg scan --keys counters.gauges | sort)" \
		"$(for id in 1 2; do echo "$(pid_of worker-$id)/connections"; done | sort)"
}

# The next one goes on with the workers, and their tables.
supervisor_killed() {
	pids=$(pid_of worker-1)$(pid_of worker-2)
	kill -9 "$sup"
	wait "$sup" 2>/dev/null
	requests 8081
	start
	is 'the supervisor is killed, the workers are not' "$(pid_of worker-1)$(pid_of worker-2)" "$pids"
	is 'and have counted meanwhile' "$(kreg get counters.totals requests)" 60
}

story 4
start
both_at_once
gauges_of_the_living
supervisor_killed
stop
finish

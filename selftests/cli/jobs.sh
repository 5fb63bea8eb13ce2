#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/jobs: all jobs are done, whoever dies. Prints TAP; needs the module, and root.

# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

all_done() { [ "$(kreg count jobs.queue) $(kreg count jobs.results)" = "0 $1" ]; }

# A worker is killed whenever ten jobs were put there.
killed() {
	for job in $(seq 30); do
		kreg put jobs.queue "job-$job" print
		[ $((job % 10)) != 0 ] || kill -9 "$(pid_of "worker-$((job / 10 % 2 + 1))")"
	done
	wait_until all_done 30
	is 'all are done' "$(kreg count jobs.results)" 30
	is 'none has failed' "$(kreg count jobs.failed)" 0
}

nobody_there() {
	stop
	for job in $(seq 5); do kreg put jobs.queue "late-$job" print; done
	is 'nobody is there' "$(kreg count jobs.queue)" 5
	start
	wait_until all_done 35
	is 'those that waited are done' "$(kreg count jobs.results)" 35
}

story 7
start
killed
nobody_there
stop
finish

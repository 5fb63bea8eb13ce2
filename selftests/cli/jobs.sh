#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/jobs: all jobs are done, whoever dies. Prints TAP; needs the module, and root.

# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

all_done() { [ "$(kreg count jobs.queue) $(kreg count jobs.results)" = "0 $1" ]; }

is_lent() { ! kreg get jobs.queue "$1" && ! kreg get jobs.results "$1"; }
done_at() { kreg scan jobs.results | grep -c "loan $1\$"; }

# kill_over ROUND: both workers have a job that does not end, others wait, and they are killed.
kill_over() {
	for worker in 1 2; do
		wait_until is_ready worker-$worker
		kreg put jobs.queue "wait-$1-$worker" wait
	done
	for worker in 1 2; do wait_until is_lent "wait-$1-$worker"; done
	first=$(pid_of worker-1) second=$(pid_of worker-2)
	for job in $(seq 8); do kreg put jobs.queue "job-$1-$job" print; done
	is 'two on loan, and nobody does the others' "$(kreg count jobs.queue)" 10
	kill -9 "$first" "$second"
	wait_until is_new worker-1 "$first"
	wait_until is_new worker-2 "$second"
}

killed() {
	for round in 1 2 3; do kill_over $round; done
	wait_until all_done 30
	is 'all are done' "$(kreg count jobs.results)" 30
	is 'those of workers that were killed, at the second loan' "$(done_at 2)" 6
	is 'and all others at the first' "$(done_at 1)" 24
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

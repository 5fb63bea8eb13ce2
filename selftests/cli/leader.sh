#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/leader: one of three leads, whoever dies. Prints TAP; needs the module, and root.

# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

grows() {
	new=$(kreg get leader.state state) && [ "${new%% *}" -gt "$1" ]
}

all_killed() {
	wait_until kreg get leader.state state
	old=$(kreg get leader.state state)
	leader=$(kreg get leader.locks leader)
	for node in node-1 node-2 node-3; do
		[ $node = "$leader" ] || kill -9 "$(pid_of $node)"
	done
	is 'leads whoever else dies' "$(kreg get leader.locks leader)" "$leader"
	kill -9 "$(pid_of "$leader")"
	wait_until grows "${old%% *}"
	is 'and then another, by a higher token' $? 0
}

story 4
start
all_killed
stop
finish

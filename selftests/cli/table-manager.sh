#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/table-manager: its story, and how kreg super tree draws it. The programs
# themselves have seeds_table_manager. Prints TAP; needs the module, and root.

system=immortal
other_table=consumer
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

# The consumer has the table, and the manager inherits it.
drawn() {
	wait_until is_ready consumer
	heir=$(pid_of manager)
	kreg super tree >"$tmp/tree"
	is 'the table is below its owner' \
		"$(grep -A1 "^    consumer  process $(pid_of consumer)\$" "$tmp/tree" | tail -n 1 | cut -c 1-16)" \
		'        consumer'
	is 'with its heir' "$(grep -c "^        consumer  heir $heir\>" "$tmp/tree")" 1
	kreg super tree --json | grep '"table":"consumer"' >"$tmp/tree"
	is 'in JSON' "$(grep -c "\"child\":\"consumer\",\"owner\":$(pid_of consumer),\"heir\":$heir," "$tmp/tree")" 1
}

story 7
start
drawn
stop
finish

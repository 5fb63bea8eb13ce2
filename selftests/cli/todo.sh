#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/todo: the three layouts of the supervisor. The programs themselves have
# seeds_todo. Prints TAP; needs the module, and root.

example_file=todo-one_for_one.yaml
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

create() { kreg call -t 30s todo.servers manager "create $1"; }
manager() { kreg whereis todo.servers manager; }
is_other() { new=$(manager) && [ "$new" != "$1" ]; }

# start_anew LAYOUT [SED]
start_anew() {
	remove_tables
	file=$tmp/todo.yaml
	sed "${2:-}" "$here/todo-$1.yaml" >"$file"
	start
	wait_until is_ready lists
}

# started FROM: which children have become ready, since that line of the log.
started() { sed -n "$(($1 + 1)),\$s/: ready\$//p" "$tmp/log" | xargs; }

# order LAYOUT ID...: if the manager is killed these are started anew, in this order.
order() {
	layout=$1
	shift
	start_anew "$layout"
	is "$layout: started as in the file" "$(started 0)" 'events manager lists'
	lines=$(wc -l <"$tmp/log") lists=$(pid_of lists)
	kill -9 "$(pid_of manager)"
	wait_until is_new lists "$lists"
	is "$layout: the manager is killed" "$(started "$lines")" "$*"
	stop
}

# However often it dies: a hundred times, or as often as it can in twenty seconds, but five times.
manager_killed() {
	worker=$(create shopping)
	killed=0 most=$((100 / ${KREG_TEST_SHRINK:-1})) until=$(($(date +%s) + 20))
	while [ $killed -lt $most ] && { [ $killed -lt 5 ] || [ "$(date +%s)" -lt $until ]; }; do
		old=$(manager)
		kill -9 "$old"
		wait_until is_other "$old" || break
		killed=$((killed + 1))
	done
	echo "# the manager was killed $killed times"
	is 'the manager was killed five times at least' $((killed >= 5)) 1
	is 'no name is lost' "$(kreg whereis todo.names shopping)" "$worker"
	is 'the next manager finds it' "$(create shopping)" "$worker"
	kill -9 "$worker"
	kreg whereis todo.names shopping 2>/dev/null
	is 'and when it dies it is gone' $? 3
}

# Names are bound by the manager alone.
others_may_not_write() {
	kreg put todo.names other x 2>/dev/null
	is 'nobody else may write' $? 5
	kreg register todo.names other -- true 2>/dev/null
	is 'or register' $? 5
}

story 6
order rest_for_one manager lists
order one_for_all events manager lists
start_anew one_for_one 's/^max_restarts: .*/max_restarts: 1000/'
manager_killed
others_may_not_write
stop
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/todo: the three layouts of the supervisor. The programs themselves have
# seeds_todo. Prints TAP; needs the module, and root.

example_file=todo-one_for_one.yaml
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

create() { kreg call todo.servers manager "create $1"; }

# However often it dies.
manager_killed() {
	worker=$(create shopping)
	for _ in 1 2 3 4 5; do
		old=$(pid_of manager)
		kill -9 "$old"
		wait_until is_new manager "$old"
	done
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
start
manager_killed
others_may_not_write
stop
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/kv under its supervisor. The programs themselves have seeds_kv. Prints TAP;
# needs the module, and root.

# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

create() { kreg call -t 30s kv.registries kv.shops "create $1"; }

# A bucket that is killed is not started again by itself, and again when it is asked for.
bucket_killed() {
	worker=$(create milk)
	kill -9 "$worker"
	kreg whereis kv.shops milk 2>/dev/null
	is 'a bucket that is killed is gone' $? 3
	next=$(create milk)
	is 'and another is there on request' "$(kreg whereis kv.shops milk)" "$next"
}

story 1
start
bucket_killed
stop
finish

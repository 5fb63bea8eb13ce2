#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kreg hold --group: all that a command has started is gone when the command is, by a control group
# of its own and without one, and no control group is left. Prints TAP; needs the module, and root.
#
# Variables in single quotes are expanded by the shell that kreg starts:
# shellcheck disable=SC2016

tmp=$(mktemp -d) || exit 4
pids=
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

cleanup() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	"$kreg" rm -f desk 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# Where it is mounted, and the group of this test in it.
cgroups=$(sed -n 's/^\([^ ]* \)\{4\}\([^ ]*\) .* - cgroup2 .*/\2/p' /proc/self/mountinfo | head -n 1)
own=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)
own=${own%/}

# Those that kreg hold has made.
left() { find "$own" -name 'kreg-hold-*' 2>/dev/null; }

# gone: there was a daemon, and no process has its arguments any more. Its pid may be one of
# another namespace, and what is looked for must not be in the arguments of who looks.
echo "daemon-of-$tmp" >"$tmp/daemons"
gone() { [ -e "$tmp/there" ] && ! grep -qsaF -f "$tmp/daemons" /proc/[0-9]*/cmdline; }

# A daemon: its parents have died, it has a session of its own, and ignores SIGTERM. The command
# ends when it is there.
cat >"$tmp/daemon" <<'EOF'
(setsid sh -c 'trap "" TERM HUP
	cat /proc/self/cgroup >"$1/where"; : >"$1/there"
	while :; do sleep 1000; done' "daemon-of-$1" "$1" >/dev/null 2>&1 &) &
wait
while [ ! -e "$1/there" ]; do sleep 0.01; done
EOF

# ends_daemon NAME COMMAND...: it runs kreg hold, whose daemon is gone when that has ended.
ends_daemon() {
	name=$1
	shift
	rm -f "$tmp/there"
	run "$@" "$kreg" hold --group --patience 100ms desk -- sh "$tmp/daemon" "$tmp"
	check "$name" 0 '' '*'
	t "$name: it was there, and is gone" 0 '' '' gone
	t "$name: nothing is left" 0 '' '' left
}

by_group() {
	ends_daemon 'in a control group' env
	t 'of its own' 0 1 '' grep -c 'kreg-hold-[0-9]*-0$' "$tmp/where"
	ends_daemon 'as process 1' unshare -p -f -m --mount-proc
	t 'likewise of its own' 0 1 '' grep -c 'kreg-hold-1-0$' "$tmp/where"
}

without_group() {
	ends_daemon 'without cgroup2' unshare -m sh -c 'umount "$0" && exec "$@"' "$cgroups"
	t 'in none of its own' 1 0 '' grep -c kreg-hold- "$tmp/where"
	ends_daemon 'where nothing may be written' unshare -m sh -c \
		'mount -o remount,bind,ro "$0" && exec "$@"' "$cgroups"
	t 'in none of its own either' 1 0 '' grep -c kreg-hold- "$tmp/where"
}

# holding ARGUMENT...: kreg hold in the background, whose command waits in its group.
holding() {
	rm -f "$tmp/pid"
	"$kreg" hold --group "$@" desk -- \
		sh -c 'echo $$ >"$1/new"; mv "$1/new" "$1/pid"; exec sleep 1000' sh "$tmp" \
		2>"$tmp/says" &
	keeper=$!
	pids="$pids $keeper"
	wait_until test -e "$tmp/pid"
	group=$(left)
}

# outsider COMMAND...: a member of the group that does not descend from the command.
outsider() {
	"$@" &
	victim=$!
	pids="$pids $victim"
	echo "$victim" >"$group/cgroup.procs"
}

# end_keeper STATUS NAME: SIGTERM ends it.
end_keeper() {
	kill -TERM $keeper
	wait $keeper
	t "$2" 0 "$1" '' echo $?
}

members() {
	holding
	t 'there is one group' 0 "$group" '' find "$own/kreg-hold-$keeper-0" -maxdepth 0
	outsider sleep 1000
	end_keeper 143 'hold ends'
	wait $victim
	t 'who has only joined gets SIGTERM' 0 143 '' echo $?
	holding --patience 100ms
	outsider env sh -c "trap '' TERM; : >$tmp/deaf; while :; do sleep 1000; done"
	wait_until test -e "$tmp/deaf"
	end_keeper 143 'hold ends again'
	wait $victim
	t 'and SIGKILL, if that is not enough' 0 137 '' echo $?
	holding
	mkdir "$group/below"
	sleep 1000 &
	victim=$!
	pids="$pids $victim"
	echo $victim >"$group/below/cgroup.procs"
	end_keeper 143 'hold ends with groups below its own'
	wait $victim
	t 'in which all end, too' 0 143 '' echo $?
	t 'no group is left' 0 '' '' left
}

# Each instance is in the group, of which there is one.
again() {
	: >"$tmp/groups"
	t 'one group for all instances' 125 '' '*died too often*' "$kreg" hold -g -M 2/1m desk -- \
		sh -c 'sed -n s/^0:://p /proc/self/cgroup >>"$1/groups"; sleep 1000 & exit 1' sh "$tmp"
	t 'three of them' 0 3 '' sh -c 'wc -l <"$0" | tr -d " "' "$tmp/groups"
	t 'in one' 0 1 '' sh -c 'sort -u "$0" | grep -c kreg-hold-' "$tmp/groups"
	t 'which is gone' 0 '' '' left
}

# The command lives on, and its group with it; the next one removes that when it is empty.
killed() {
	holding
	kill -9 $keeper
	wait $keeper 2>/dev/null
	t 'the group of one that was killed is there' 0 "$group" '' left
	t 'and stays while its command lives' 0 "$group" '' sh -c \
		'"$0" hold -g more true 2>/dev/null; find "$1" -name "kreg-hold-*"' "$kreg" "$own"
	kill -9 "$(cat "$tmp/pid")"
	wait_until grep -q 'populated 0' "$group/cgroup.events"
	holding
	t 'then it gives way to the next' 0 "$own/kreg-hold-$keeper-0" '' left
	end_keeper 143 'that ends'
	t 'and nothing is left' 0 '' '' left
	"$kreg" rm -f more
}

echo 'TAP version 13'
if [ -z "$cgroups" ]; then
	echo '1..0 # SKIP cgroup2 is not mounted'
	exit 4
fi
by_group
without_group
members
again
killed
echo "1..$n"
[ "$failed" -eq 0 ]

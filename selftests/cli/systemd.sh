#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The unit of kreg supervise under the systemd of Debian, which is process 1 of a pid namespace:
# readiness, a supervisor that is killed and whose children go on, reload, stop, and a file that is
# wrong. Prints TAP; needs the module, root, and a cgroup of version 2.

tmp=$(mktemp -d) || exit 4
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"
manager='' link=''
unit='kreg-supervise@sd.service'
group=/sys/fs/cgroup/kreg-systemd
file=/etc/kreg/sd.yaml

need_kreg "$kreg"
for need in /lib/systemd/systemd /sys/fs/cgroup/cgroup.procs \
	/usr/lib/systemd/system/kreg-supervise@.service; do
	[ -e "$need" ] || { echo "1..0 # SKIP there is no $need"; exit 4; }
done

# The namespace ends with its process 1, and all that is in it.
cleanup() {
	[ -z "$manager" ] || kill -9 "$manager" 2>/dev/null
	rm -f "$file"
	[ -z "$link" ] || rm -f "$link"
	rm -rf "$tmp" /run/systemd
	find "$group" -depth -type d 2>/dev/null | while read -r dir; do
		wait_until rmdir "$dir"
	done
}
trap cleanup EXIT

# inside COMMAND...: where the names of tables and the pids are, and whom systemd answers.
inside() { nsenter -t "$manager" -p -m -- "$@"; }
systemctl() { inside /bin/systemctl "$@"; }
property() { systemctl show -P "$1" "$unit"; }
is_state() { [ "$(property ActiveState)" = "$1" ]; }
is_running() { [ "$(property SubState)" = running ]; }
pid_of() { inside "$kreg" super status --json sd "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
children() { pid_of a; pid_of b; }
is_new() { [ "$(property MainPID)" != "$1" ] && [ "$(property MainPID)" != 0 ] && is_running; }
answers() { systemctl show -P Version >/dev/null 2>&1; }
has_manager() {
	manager=$(ps -o pid,ppid,comm | awk -v p="$shell" '$2 == p && $3 == "systemd" { print $1 }')
	[ -n "$manager" ]
}
has_child() { [ -n "$(pid_of "$1")" ]; }
lives() { inside kill -0 "$1" 2>/dev/null; }

# systemd has a PATH of its own.
child() { echo "  - {id: $1, command: [sleep, \"$2\"], env: [\"PATH=$PATH\"]}"; }

write_file() {
	mkdir -p /etc/kreg
	{
		printf 'name: sd\nmax_restarts: 5\nmax_seconds: 1m\nchildren:\n'
		child a 10000
		child b 20000
	} >"$file"
}

# The unit sends its signal by what each Debian has.
need_kill() {
	[ -e /bin/kill ] && return
	link=/bin/kill
	ln -s "$(which kill)" $link
}

# It takes the cgroup in which it finds itself for the root.
start_manager() {
	mkdir -p "$group" /run/systemd/system
	touch /etc/machine-id
	unshare -m -p -f -- sh -c "echo 0 >$group/cgroup.procs; mount -t proc proc /proc
		exec env -i container=kreg PATH=$PATH /lib/systemd/systemd --system \
			--unit=basic.target --log-target=console --show-status=no" \
		>"$tmp/systemd" 2>&1 </dev/null &
	shell=$!
	wait_until has_manager && wait_until answers
}

test_start() {
	write_file
	systemctl start "$unit" 2>"$tmp/err"
	is 'starts when it is ready' "$?:$(property ActiveState)" 0:active
	inside "$kreg" super status sd >/dev/null
	is 'and supervises' $? 0
	is_running
}

test_killed() {
	old=$(property MainPID)
	before=$(children)
	inside kill -9 "$old"
	wait_until is_new "$old"
	is 'one that was killed is started again' "$?:$(property NRestarts)" 0:1
	is 'and its children go on' "$(children)" "$before"
	a=$(pid_of a)
	inside kill -9 "$a"
	is_other() { [ "$(pid_of a)" != "$a" ] && has_child a; }
	wait_until is_other
	is 'it watches them' $? 0
}

test_reload() {
	before=$(children)
	child c 30000 >>"$file"
	systemctl reload "$unit" 2>"$tmp/err"
	wait_until has_child c
	is 'reload' $? 0
	is 'leaves the others alone' "$(children)" "$before"
}

test_stop() {
	before="$(children) $(pid_of c)"
	systemctl stop "$unit"
	is 'stop' "$?:$(property ActiveState)" 0:inactive
	left=
	for pid in $before; do ! lives "$pid" || left="$left $pid"; done
	is 'leaves no children' "$left" ''
}

test_wrong_file() {
	echo 'nonsense: 1' >>"$file"
	systemctl start "$unit" 2>/dev/null
	is 'a file that is wrong is an error' $? 1
	wait_until is_state failed
	is 'and it is not tried again' "$(property ExecMainStatus):$(property NRestarts)" 2:0
}

echo "TAP version 13"
need_kill
if start_manager; then
	ok 'systemd runs'
	if test_start; then
		test_killed
		test_reload
		test_stop
		test_wrong_file
	fi
else
	not_ok 'systemd runs' "$(tail -n 5 "$tmp/systemd")"
fi
echo "1..$n"
[ "$failed" = 0 ]

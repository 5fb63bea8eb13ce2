#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kreg command as installed: each subcommand with good and bad input, its
# exact exit status and output. Prints TAP; needs the module, and root.
#
# Variables in single quotes are expanded by the shell that kreg starts:
# shellcheck disable=SC2016

tmp=$(mktemp -d) || exit 4
pids=
kreg=${KREG:-kreg}
# shellcheck source-path=SCRIPTDIR source=../kit/tap.sh
. "$(dirname "$0")/tap.sh"

need_kreg "$kreg"

# All tables are removed in the end, so there must be none that others need.
if [ -n "$("$kreg" ls --names)" ]; then
	echo "1..0 # SKIP there are tables already: $("$kreg" ls --names | tr '\n' ' ')"
	exit 4
fi

cleanup() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	for t in $("$kreg" ls --names); do "$kreg" rm -f "$t"; done 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# field TABLE NAME: a number or a word of its JSON.
field() {
	"$kreg" info --json "$1" 2>/dev/null |
		sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
owned_by() { [ "$(field "$1" owner)" = "$2" ]; }
parked() { [ "$(field "$1" parked)" = true ]; }
waited_for() { [ "$(field "$1" waiters)" -gt 0 ]; }
# runs PID COMMAND ARGUMENT: until then the process has the name and the arguments of the shell
# that has forked it, and a command of busybox its name a moment after the arguments.
runs() {
	tr '\0' '\n' <"/proc/$1/cmdline" | grep -qxF -e "$3" && grep -qx "$2" "/proc/$1/comm"
}

general() {
	t 'no command' 2 '' 'Usage: kreg COMMAND*' "$kreg"
	t 'bad command' 2 '' "kreg: there is no command 'nonsense'; 'kreg --help' lists them" \
		"$kreg" nonsense
	run "$kreg" --version
	like 'version' 'kreg *, libkreg *'
	run "$kreg" --help
	like 'help' 'Usage: kreg COMMAND*watch*'
	t 'help of no command' 2 '' "kreg: there is no command 'x'*" "$kreg" help x
	for c in new rm ls info status put get take del incr patch scan count first last next prev \
		claim role give hold watch publish monitor wait lock lease register unregister whereis keys \
		call cast; do
		run "$kreg" "$c" --help
		like "help of $c" "Usage: kreg $c*Common options:*"
		t "bad option of $c" 2 '' "kreg $c: there is no option --nonsense*Usage: kreg $c*" \
			"$kreg" "$c" --nonsense
	done
	t 'a value with a dash' 2 '' "*there is no option -5; a key or value that begins with - goes behind '--'*" \
		"$kreg" put x y -5
	t 'no device' 7 '' 'kreg ls: there is no /dev/no-such: load the module*' \
		env KREG_DEVICE=/dev/no-such "$kreg" ls
	t 'wrong device' 7 '' 'kreg ls: /dev/null is not the device of kreg*' \
		env KREG_DEVICE=/dev/null "$kreg" ls
	t 'error in JSON' 3 '' '{"error":"ENOENT","message":"there is no table*"}' \
		"$kreg" get --json none key
}

# Several causes have one errno.
devices() {
	mknod "$tmp/none" c 10 249
	t 'a node without a driver' 7 '' "kreg ls: nothing is behind $tmp/none: load the module*" \
		env KREG_DEVICE="$tmp/none" "$kreg" ls
	mkdir "$tmp/nodev"
	mount -t tmpfs -o nodev none "$tmp/nodev"
	mknod "$tmp/nodev/kreg" c 10 "$(cat /sys/module/kreg/parameters/minor)"
	t 'a file system without devices' 7 '' \
		"kreg ls: $tmp/nodev/kreg is on a file system for which devices are switched off*" \
		env KREG_DEVICE="$tmp/nodev/kreg" "$kreg" ls
	umount "$tmp/nodev"
	mknod "$tmp/again" c 10 "$(cat /sys/module/kreg/parameters/minor)"
	# As a node that was made in a container before the module was loaded.
	t 'the minor number is always the same' 0 '250 kreg' '' sh -c \
		"grep -o '[0-9]* kreg\$' /proc/misc"
	t 'another node of the device' 0 '' '' env KREG_DEVICE="$tmp/again" "$kreg" ls --names
}

tables() {
	t 'new' 0 '' '' "$kreg" new phones
	t 'new again' 4 '' "kreg new: table 'phones' exists already; open it, destroy it, or choose another name" \
		"$kreg" new phones
	t 'new if missing' 0 '' "kreg new: table 'phones' is there already" "$kreg" new -i phones
	t 'new without name' 2 '' 'kreg new: arguments are missing*' "$kreg" new
	t 'new with empty name' 2 '' 'kreg new: the name is empty*' "$kreg" new ''
	t 'new with bad access' 2 '' "kreg new: 'x' is no access rule*" "$kreg" new -a x y
	t 'new with bad mode' 2 '' "kreg new: '0777' is no mode*" "$kreg" new -m 0777 y
	t 'new with bad time' 2 '' "kreg new: '5x' is no time*" "$kreg" new -k 5x y
	t 'new with a bad orphan rule' 2 '' "kreg new: 'x' is no orphan rule*" "$kreg" new -o x y
	t 'contradiction' 2 '' 'kreg new: --keep is for parked tables*' "$kreg" new -k 5s -o destroy y
	t 'option without argument' 2 '' 'kreg new: option --mode needs an argument*' "$kreg" new --mode
	long=$(printf '%0129d' 0)
	t 'new with long name' 1 '' 'kreg new: the name has 129 bytes; the most is 128' "$kreg" new "$long"
	t 'new for a time' 0 '' "kreg new: table 'short' is parked; the kernel keeps it for *" \
		"$kreg" new -k 10m -m 0644 -a protected short
	run "$kreg" info short
	like 'info' '*access     protected 0644, user root*owner      none: parked for another *'
	t 'info of none' 3 '' "kreg info: there is no table 'none' here*" "$kreg" info none
	run "$kreg" info --json phones
	like 'info in JSON' '{"name":"phones","id":*,"type":"set","access":"public","mode":"0600",*"parked":true,"owner":null,*}'
	run "$kreg" ls
	like 'ls' 'NAME *OWNER
phones  public * parked
short *protected*parked for *'
	t 'names' 0 'phones
short' '' "$kreg" ls --names
	odd=$(printf 'odd\nname\033[2J')
	"$kreg" new "$odd"
	t 'names are escaped' 0 'odd\nname\x1b[2J
phones
short' '' sh -c "$kreg ls --names | sort"
	run sh -c "$kreg ls --null | tr '\\0\\n\\033' ',+!'"
	like 'or end in NUL' '*,odd+name!\[2J,*'
	"$kreg" rm "$odd"
	t 'ls takes no names' 2 '' 'kreg ls: too many arguments*' "$kreg" ls phones
	t 'rm' 0 '' '' "$kreg" rm short
	t 'rm of none' 3 '' "kreg rm: there is no table 'short' here*" "$kreg" rm short
	t 'rm -f of none' 0 '' '' "$kreg" rm -f short
	t 'rm of nothing' 2 '' 'kreg rm: arguments are missing*' "$kreg" rm
}

objects() {
	t 'put' 0 '' '' "$kreg" put phones anna 123
	t 'get' 0 '123' '' "$kreg" get phones anna
	t 'put replaces' 0 '' '' "$kreg" put phones anna 456
	t 'get again' 0 '456' '' "$kreg" get phones anna
	t 'put --new' 4 '' "kreg put: the key is in table 'phones' already; put replaces it" \
		"$kreg" put --new phones anna 1
	t 'get of none' 3 '' "kreg get: the key is not in table 'phones'" "$kreg" get phones otto
	t 'get from no table' 3 '' "kreg get: there is no table 'none' here*" "$kreg" get none otto
	t 'get with empty key' 2 '' 'kreg get: the key is empty*' "$kreg" get phones ''
	t 'put without value' 2 '' 'kreg put: too few arguments*' "$kreg" put phones anna
	long=$(printf '%01025d' 0)
	t 'long key' 1 '' 'kreg put: the key has 1025 bytes; the most is 1024' "$kreg" put phones "$long" x
	run "$kreg" get --json phones anna
	like 'get in JSON' '{"key":"anna","value":"456","version":[0-9]*}'
	t 'get in hex' 0 '343536' '' "$kreg" get --hex phones 616e6e61
	t 'bad hex' 2 '' "kreg get: 'abc' is not an even number of hexadecimal digits*" \
		"$kreg" get --hex phones abc
	t 'put in hex' 0 '' '' "$kreg" put --hex phones 00ff 0a09005c80
	t 'scan' 0 'anna	456
\x00\xff	\n\t\x00\\\x80' '' sh -c "$kreg scan phones | sort -r"
	t 'scan in JSON' 0 '{"key_hex":"00ff","value_hex":"0a09005c80",' '' \
		sh -c "$kreg scan --json phones | grep 00ff | sed 's/\"length.*//'"
	t 'scan of keys' 0 '00ff
616e6e61' '' sh -c "$kreg scan --hex --keys phones | sort"
	t 'scan with limit' 0 '1' '' sh -c "$kreg scan --limit 1 phones | wc -l | tr -d ' '"
	t 'count' 0 '2' '' "$kreg" count phones
	t 'count in JSON' 0 '{"objects":2}' '' "$kreg" count --json phones
	t 'take' 0 '456' '' "$kreg" take phones anna
	t 'take again' 3 '' "kreg take: the key is not in table 'phones'" "$kreg" take phones anna
	t 'del' 0 '1 object removed' '' "$kreg" del --hex phones 00ff
	t 'del of none' 3 '0 objects removed' '' "$kreg" del phones a b
	"$kreg" put phones a 1 && "$kreg" put phones b 2
	t 'del of all' 0 '{"removed":2}' '' "$kreg" del --json --all phones
}

files() {
	head -c 1048576 /dev/urandom >"$tmp/big"
	t 'put a file' 0 '' '' "$kreg" put phones big --file "$tmp/big"
	t 'get into a file' 0 '' '' "$kreg" get -o "$tmp/copy" phones big
	if cmp -s "$tmp/big" "$tmp/copy"; then ok 'same bytes'; else not_ok 'same bytes'; fi
	"$kreg" get phones big >"$tmp/copy"
	if cmp -s "$tmp/big" "$tmp/copy"; then ok 'through a pipe'; else not_ok 'through a pipe'; fi
	printf x >>"$tmp/big"
	t 'too big a file' 1 '' "kreg put: $tmp/big: a value has at most 1 MiB; split it" \
		"$kreg" put phones big -f "$tmp/big"
	t 'no such file' 1 '' 'kreg put: /no/such: No such file or directory' \
		"$kreg" put phones big -f /no/such
	cp "$tmp/copy" "$tmp/kept"
	chmod 640 "$tmp/kept"
	cp -p "$tmp/kept" "$tmp/before"
	t 'a file stays if there is no such key' 3 '' '*' "$kreg" get -o "$tmp/kept" phones none
	if cmp -s "$tmp/before" "$tmp/kept"; then ok 'as it was'; else not_ok 'as it was'; fi
	"$kreg" put phones small 1 && ln -s kept "$tmp/link"
	t 'get into it' 0 '' '' "$kreg" get -o "$tmp/link" phones small
	run stat -c '%F %a' "$tmp/link" "$tmp/kept"
	check 'the link and the mode are kept' 0 'symbolic link 777
regular file 640' ''
	t 'get into a device' 0 '' '' "$kreg" get -o /dev/null phones small
	# As /dev/stdout is one.
	ln -s /proc/self/fd/1 "$tmp/stdout"
	t 'get into standard output' 0 1 '' sh -c "$kreg get -o $tmp/stdout phones small | cat"
	t 'a deleted file' 0 1 '' sh -c "exec 3>&1 1>$tmp/deleted 4<$tmp/deleted; rm $tmp/deleted
		$kreg get -o $tmp/stdout phones small; cat <&4 >&3"
	t 'leaves no other' 0 "$tmp/stdout" '' sh -c "ls -d $tmp/stdout* $tmp/deleted* 2>&-; :"
	t 'stays the link' 0 'symbolic link' '' stat -c %F "$tmp/stdout"
	t 'get into no folder' 1 '' 'kreg get: /no/such: No such file or directory' \
		"$kreg" get -o /no/such phones small
	t 'take into no folder' 1 '' 'kreg take: /no/such: No such file or directory' \
		"$kreg" take -o /no/such phones small
	t 'puts it back' 0 1 '' "$kreg" get phones small
	run sh -c "$kreg take phones small 2>$tmp/why | :; cat $tmp/why"
	# The pipe may have been read from a moment longer.
	if [ -n "$out" ]; then
		t 'so does a pipe that nobody reads' 0 1 '' "$kreg" get phones small
	fi
	# Killed while it writes, into a pipe that is full: nobody finds it until then.
	head -c 200000 /dev/zero | "$kreg" put phones long -
	mkfifo "$tmp/pipe"
	"$kreg" take phones long >"$tmp/pipe" &
	taker=$!
	exec 5<"$tmp/pipe"
	wait_until sh -c "! $kreg get phones long"
	kill -KILL $taker
	wait $taker 2>&-
	exec 5<&-
	t 'a killed take loses nothing' 0 200000 '' sh -c "$kreg get phones long | wc -c"
	"$kreg" del phones long
	printf 'from stdin' >"$tmp/in"
	t 'put standard input' 0 '' '' sh -c "$kreg put phones in - <$tmp/in"
	t 'get it' 0 'from stdin' '' "$kreg" get phones in
	if [ -c /dev/full ]; then
		t 'a full disk' 1 '' 'kreg: the output cannot be written*' \
			sh -c "$kreg get phones in >/dev/full"
		t 'take to a full disk' 1 '' 'kreg: the output cannot be written*' \
			sh -c "$kreg take phones in >/dev/full"
		t 'or to it as a file' 1 '' 'kreg take: /dev/full: No space left on device' \
			"$kreg" take -o /dev/full phones in
		t 'loses nothing' 0 'from stdin' '' "$kreg" get phones in
	fi
	full_disk
	"$kreg" del --all phones >/dev/null
}

# Where there is room for the file that is there, but not for another.
full_disk() {
	mkdir "$tmp/small"
	mount -t tmpfs -o size=64k none "$tmp/small"
	echo before >"$tmp/small/file"
	head -c 200000 /dev/urandom >"$tmp/more"
	"$kreg" put phones long -f "$tmp/more"
	t 'get into a file on a full disk' 1 '' "kreg get: $tmp/small/file: No space left on device" \
		"$kreg" get -o "$tmp/small/file" phones long
	t 'take, too' 1 '' "kreg take: $tmp/small/file: No space left on device" \
		"$kreg" take -o "$tmp/small/file" phones long
	t 'the file is as it was' 0 before '' cat "$tmp/small/file"
	t 'and alone' 0 file '' ls "$tmp/small"
	"$kreg" get phones long >"$tmp/same"
	if cmp -s "$tmp/more" "$tmp/same"; then ok 'it is there still'; else not_ok 'it is lost'; fi
	umount "$tmp/small"
	"$kreg" del phones long >/dev/null
}

# Without the standard files, whose numbers others could get.
closed() {
	"$kreg" new --orphan park closed
	t 'put without any' 0 '' '' sh -c "$kreg put closed k v <&- >&- 2>&-"
	t 'the value is there' 0 v '' "$kreg" get closed k
	t 'put of standard input, without one' 1 '' '?*' sh -c "$kreg put closed k - <&-"
	t 'the value is there still' 0 v '' "$kreg" get closed k
	t 'get without output' 1 '' '?*' sh -c "$kreg get closed k >&-"
	t 'ls without output' 1 '' '?*' sh -c "$kreg ls >&-"
	t 'an error without a place for it' 3 '' '' sh -c "$kreg get closed none 2>&-"
	"$kreg" rm closed
	for files in '<&-' '>&-' '2>&-' '<&- >&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		t "hold $files" 5 '' '*' sh -c "$kreg hold -r never closed -- sh -c 'exit 5' $files"
	done
	t 'the table is there' 0 0 '' field closed objects
	"$kreg" rm closed
}

# A protected table that is parked has no owner: the command claims it for each write.
protected() {
	"$kreg" new -a protected ledger
	t 'put into a protected table' 0 '' '' "$kreg" put ledger k v
	t 'and get' 0 'v' '' "$kreg" get ledger k
	t 'and take' 0 'v' '' "$kreg" take ledger k
	t 'and parked again' 0 'true' '' field ledger parked
	"$kreg" new -a protected -o destroy frail
	t 'not if it could be lost' 5 '' "kreg put: table 'frail' is parked, but would be destroyed*" \
		"$kreg" put frail k v
	"$kreg" new -a private diary
	t 'get from a private table' 5 '' "kreg get: table 'diary' is parked and private: claim it to read it" \
		"$kreg" get diary k
	"$kreg" rm ledger frail diary
}

# without_room LIMIT: what an ordinary user is told when there is no more of that.
without_room() {
	room=$(cat "/sys/module/kreg/parameters/$1")
	echo 0 >"/sys/module/kreg/parameters/$1"
	t "the limit $1 is told by its name" 1 '' "kreg new: *($1 = 0)*" su user -c "$kreg new more"
	echo "$room" >"/sys/module/kreg/parameters/$1"
}

# Root may destroy every table, so this is asked of an ordinary user.
as_user() {
	mode=$(stat -c %a /dev/kreg)
	chmod 666 /dev/kreg
	t 'rm of an owned table' 5 '' "kreg rm: *" su user -c "$kreg rm open"
	t 'rm of a table of others' 5 '' "kreg rm: *" su user -c "$kreg rm shown"
	t 'claim a table of others' 5 '' "kreg claim: only user 0 may claim table 'shown', or a process with CAP_SYS_ADMIN" \
		su user -c "$kreg claim shown"
	t 'get from a table of others' 0 'v' '' su user -c "$kreg get shown k"
	t 'put into a table of others' 5 '' "kreg put: *" su user -c "$kreg put shown k w"
	t 'a hidden table' 5 '' "kreg get: the mode of table 'desk' does not let this user do it*" \
		su user -c "$kreg get desk k"
	t 'rm --parked of others' 0 '0 parked tables removed' 'kreg rm: * of other users left' \
		su user -c "$kreg rm --parked"
	t 'new where others were first' 5 '' "kreg new: table 'shown' is of user 0, *" \
		su user -c "$kreg new -i shown"
	t 'new where others may be' 0 '' "kreg new: table 'shown' is there already" \
		su user -c "$kreg new -iu shown"
	without_room max_user_tables
	without_room max_user_parked
	without_room max_user_bytes
	chmod 644 /dev/kreg
	t 'get where the device may be read' 0 'v' '' su user -c "$kreg get shown k"
	t 'put there' 5 '' "kreg new: this process may read the device and not write to it*" \
		su user -c "$kreg new mine"
	chmod "$mode" /dev/kreg
}

plays() { [ "$(field "$1" owner_command)" = "$2" ]; }

roles() {
	t 'role and run' 0 'lead' "kreg role: process * owns table 'lead' (0 objects)" \
		"$kreg" role lead -- sh -c 'echo $KREG_TABLE'
	t 'parked behind it' 0 true '' field lead parked
	t 'role without command' 2 '' 'kreg role: a command follows the name*' "$kreg" role lead
	t 'role and no command' 2 '' 'kreg role: a command follows the name*' "$kreg" role lead --
	t 'role with bad mode' 2 '' "kreg role: '9' is no mode*" "$kreg" role -m 9 lead -- true
	t 'role and run none' 127 '' '*kreg role: /no/such: No such file or directory' \
		"$kreg" role lead -- /no/such
	t 'new that follows' 0 '' '' "$kreg" new -a protected --role lead follower
	t 'it follows' 0 "$(field lead id)" '' field follower role
	t 'new that follows none' 3 '' "kreg new: there is no table 'none' here*" \
		"$kreg" new --role none other
	t 'and is not left behind' 3 '' '*' "$kreg" info other
	t 'new with a writer' 0 '' '' "$kreg" new -a protected --writer lead written
	"$kreg" role lead -- sleep 1000 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until plays lead sleep
	t 'who plays owns what follows' 0 "$holder" '' field follower owner
	t 'role in time' 6 '' "kreg role: table 'lead' still belongs to process $holder (sleep)*" \
		"$kreg" role -t 50ms lead -- true
	t 'claim a follower' 6 '' "kreg claim: table 'follower' follows a role*" \
		"$kreg" claim follower
	run "$kreg" info follower
	like 'info of a follower' "*follows    $(field lead id)*"
	run "$kreg" info written
	like 'info of a writer' "*writer     $(field lead id)*"
	"$kreg" role lead -- sleep 1001 2>/dev/null &
	next=$!
	pids="$pids $next"
	wait_until waited_for lead
	kill -9 $holder
	wait $holder 2>/dev/null
	wait_until owned_by lead $next
	t 'the next plays it' 0 "$next" '' field follower owner
	kill -9 $next
	wait $next 2>/dev/null
	t 'new with a limit' 0 '' '' "$kreg" new --limit 1/60s frail
	t 'new with a bad limit' 2 '' "kreg new: '3' is no limit*" "$kreg" new -l 3 bad
	t 'new with no time in it' 2 '' "kreg new: '3/x' is no limit*" "$kreg" new -l 3/x bad
	t 'new with too many deaths' 2 '' "kreg new: '65/1s' is no limit*" "$kreg" new -l 65/1s bad
	run "$kreg" info frail
	like 'info of a limit' '*limit      1 deaths of owners in 1 min*'
	"$kreg" claim frail -- sh -c 'kill -9 $$' 2>/dev/null
	"$kreg" claim frail -- sh -c 'kill -9 $$' 2>/dev/null
	t 'quarantined' 0 true '' field frail quarantined
	t 'claim one' 6 '' "kreg claim: table 'frail' is quarantined*" "$kreg" claim frail
	run "$kreg" info frail
	like 'info of one' '*none: quarantined*'
	t 'lift it' 0 frail '*' "$kreg" role -q frail -- sh -c 'echo $KREG_TABLE'
	t 'lifted' 0 false '' field frail quarantined
	t 'new for crashes' 0 '' '' "$kreg" new -o park-on-crash crash
	t 'its orphan rule' 0 'park on crash' '' field crash orphan
	"$kreg" claim crash -- sh -c 'kill -9 $$' 2>/dev/null
	t 'kept after a crash' 0 true '' field crash parked
	"$kreg" claim crash -- true 2>/dev/null
	t 'gone after an exit' 3 '' '*' "$kreg" info crash
	t 'rm of roles' 0 '' '' "$kreg" rm lead follower written frail
}

claims() {
	"$kreg" new -a protected desk
	"$kreg" new -m 0644 shown
	"$kreg" new -m 0644 open
	"$kreg" put shown k v
	"$kreg" claim open 2>/dev/null &
	pids="$pids $!"
	wait_until owned_by open $!
	"$kreg" claim desk 2>"$tmp/claim" &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	t 'claim' 0 "$holder" '' field desk owner
	t 'put into an owned table' 5 '' "kreg put: table 'desk' is written only by its owner, process $holder (kreg)*" \
		"$kreg" put desk k v
	t 'claim again' 6 '' "kreg claim: table 'desk' belongs to process $holder (kreg); wait for it or ask it to give the table away" \
		"$kreg" claim desk
	t 'claim in time' 6 '' "kreg claim: table 'desk' still belongs to process $holder (kreg)*" \
		"$kreg" claim --timeout 50ms desk
	as_user
	t 'give an owned table' 5 '' "kreg give: table 'desk' belongs to process $holder (kreg)*" \
		"$kreg" give desk $holder
	kill -9 $holder
	wait $holder 2>/dev/null
	t 'parked when it is killed' 0 'true' '' field desk parked
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	"$kreg" claim --wait desk 2>/dev/null &
	next=$!
	pids="$pids $next"
	wait_until waited_for desk
	kill -TERM $holder
	wait $holder
	t 'ended politely' 0 0 '' echo $?
	wait_until owned_by desk $next
	t 'the next in line' 0 "$next" '' field desk owner
	kill -TERM $next
	wait $next
	t 'claim none' 3 '' "kreg claim: there is no table 'none' here*" "$kreg" claim none
	t 'claim with bad time' 2 '' "kreg claim: 'x' is no time*" "$kreg" claim -t x desk
	t 'claim and a word' 2 '' "kreg claim: 'word' after the name*" "$kreg" claim desk word
	t 'claim and run' 0 'desk' "kreg claim: process * owns table 'desk' (0 objects)" \
		"$kreg" claim desk -- sh -c 'echo $KREG_TABLE'
	t 'claim and run none' 127 '' '*kreg claim: /no/such: No such file or directory' \
		"$kreg" claim desk -- /no/such
	t 'parked in the end' 0 'true' '' field desk parked
	t 'root destroys any table' 0 '' '' "$kreg" rm open shown
}

gifts() {
	t 'give to nobody' 3 '' 'kreg give: no living process 99999*' "$kreg" give desk 99999
	t 'give to no client' 3 '' 'kreg give: process 1 has not opened /dev/kreg*' "$kreg" give desk 1
	t 'give to a word' 2 '' "kreg give: 'word' is no process id*" "$kreg" give desk word
	"$kreg" watch --json >"$tmp/watch" 2>/dev/null &
	watcher=$!
	pids="$pids $watcher"
	wait_until "$kreg" give -d note desk $watcher
	wait_until grep -q transfer "$tmp/watch"
	out=$(cat "$tmp/watch")
	like 'watch tells of a gift' '{"time_ms":*,"event":"transfer","table":"desk",*"cause":"gift","data":"note",*}'
	t 'owner' 0 "$watcher" '' field desk owner
	kill -TERM $watcher
	wait $watcher
	t 'watch ends politely' 0 0 '' echo $?
	t 'and parks' 0 'true' '' field desk parked
}

# watching ARGUMENT...: kreg watch in the background, when it waits.
watching() {
	"$kreg" watch "$@" >"$tmp/watch" 2>"$tmp/err" &
	watcher=$!
	pids="$pids $watcher"
	wait_until grep -q poll /proc/$watcher/wchan
}

# watched NAME PATTERN: kreg watch has ended by itself, and has told this.
watched() {
	wait $watcher
	status=$?
	out=$(cat "$tmp/watch")
	like "$1" "$2"
	[ "$status" = 0 ] || not_ok "$1" "status $status" "$(cat "$tmp/err")"
}

watches() {
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	watching desk
	kill -9 $holder
	wait $holder 2>/dev/null
	"$kreg" rm desk
	watched 'watch owner and end' "*:*:*.*  desk: owner $holder was killed by SIGKILL, parked
*  desk: destroyed"
	"$kreg" new --limit 1/60s frail
	watching -c 4 frail
	"$kreg" claim frail -- sh -c 'kill -9 $$' 2>/dev/null
	"$kreg" claim frail -- sh -c 'kill -9 $$' 2>/dev/null
	watched 'watch a quarantine' '* frail: claimed by *
* frail: owner * was killed by SIGKILL, parked
* frail: claimed by *
* frail: owner * was killed by SIGKILL, quarantined'
	"$kreg" rm frail
	watching -c 6 phones
	"$kreg" put phones k v
	"$kreg" put phones k "$(printf 'a\033\n.')"
	"$kreg" publish phones topic data
	"$kreg" publish phones data
	"$kreg" del phones k >/dev/null
	"$kreg" put phones "$(printf '\033')" -f "$tmp/copy"
	watched 'watch objects' '*  phones: create k	v
*  phones: update k	a\\x1b\\n.
*  phones: publish topic	data
*  phones: publish 	data
*  phones: delete k
*  phones: create \\x1b	(1048576 bytes)'
	watching -j -c 3 -k clear,publish phones
	"$kreg" put phones k v
	"$kreg" publish --hex phones ff00 ff
	"$kreg" publish phones text
	"$kreg" del --all phones >/dev/null
	watched 'watch some kinds in JSON' '{"time_ms":*,"event":"publish","table":"phones","key_hex":"ff00","value_hex":"ff","length":1,"version":*,"seq":*,"monotonic_ns":*}
{"time_ms":*,"event":"publish","table":"phones","value":"text","length":4,*}
{"time_ms":*,"event":"clear","table":"phones","seq":*}'
	"$kreg" put phones k v
	t 'watch what is there' 0 2 '' sh -c "$kreg watch -p -c 2 phones | grep -cE ': (create k.v|ready)$'"
	"$kreg" del --all phones >/dev/null
	"$kreg" new -a registry names
	"$kreg" register names me hello -- sleep 1000 &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until "$kreg" whereis names me
	watching -c 2 names phones
	kill -9 $sleeper
	wait $sleeper 2>/dev/null
	"$kreg" publish phones end
	watched 'watch an exit' "*  names: exit me, process $sleeper was killed by SIGKILL
*  phones: publish 	end"
	"$kreg" rm names
	t 'watch for a time' 0 '' '*' "$kreg" watch -t 50ms
	t 'watch a table for a time' 0 '' '' "$kreg" watch -t 50ms phones
	t 'watch with bad count' 2 '' "kreg watch: '0' is no number of lines*" "$kreg" watch -c 0
	t 'watch with bad kinds' 2 '' "kreg watch: 'exit,' are no kinds: create,*" \
		"$kreg" watch -k exit, phones
	t 'watch what is not there' 3 '' "kreg watch: there is no table 'none' here*" \
		"$kreg" watch none
	t 'publish with no subscribers' 0 '' '' "$kreg" publish --sync phones word
	t 'publish in JSON' 0 '{"missing":0}' '' "$kreg" publish --json --sync phones word
	t 'publish too much' 1 '' 'kreg publish: the data has 1048576 bytes; the most is 4096' \
		sh -c "$kreg publish phones - <$tmp/copy"
	t 'publish with time and no sync' 2 '' 'kreg publish: --timeout goes with --sync*' \
		"$kreg" publish -t 1s phones word
	t 'publish without data' 2 '' 'kreg publish: too few arguments*' "$kreg" publish phones
}

holds() {
	t 'hold' 7 'desk' "*sh (process *) owns table 'desk'*sh (process *) exited with 7; table 'desk' is back with 0 objects" \
		"$kreg" hold -r never desk -- sh -c 'echo $KREG_TABLE; exit 7'
	t 'hold a success' 0 '' '*exited with 0*' "$kreg" hold desk true
	t 'too many restarts' 125 '' '*was killed by SIGKILL*restart 1 of 2 in 5 s*restart 2 of 2 in 5 s*died too often: more than 2 restarts in 5 s (--max)' \
		"$kreg" hold -M 2 desk -- sh -c 'kill -9 $$'
	t 'parked after that' 0 'true' '' field desk parked
	t 'hold none' 127 '' '*kreg hold: /no/such: No such file or directory' "$kreg" hold desk /no/such
	t 'hold without command' 2 '' 'kreg hold: too few arguments*' "$kreg" hold desk
	t 'hold with bad limit' 2 '' "kreg hold: 'x' is no limit*" "$kreg" hold -M x desk true
	t 'hold with bad rule' 2 '' "kreg hold: 'x' is no rule*" "$kreg" hold -r x desk true
	t 'hold in JSON' 0 '' '{"event":"started","table":"desk","pid":*,"restarts":0}*{"event":"died",*"exit":0,"back":true,"objects":0}' \
		"$kreg" hold --json desk true
	"$kreg" hold -r always desk -- sh -c "echo \$\$ >>$tmp/pids; exec sleep 60" 2>/dev/null &
	keeper=$!
	pids="$pids $keeper"
	wait_until test -s "$tmp/pids"
	first=$(head -n 1 "$tmp/pids")
	t 'the command owns it' 0 "$first" '' field desk owner
	t 'the keeper is the heir' 0 "$keeper" '' field desk heir
	# Which a shell has its background jobs ignore.
	kill -INT $keeper
	kill -9 "$first"
	wait_until sh -c "[ \$(wc -l <$tmp/pids) -eq 2 ]"
	second=$(tail -n 1 "$tmp/pids")
	t 'the next owns it' 0 "$second" '' field desk owner
	kill -TERM $keeper
	wait $keeper
	t 'signals are passed on' 0 143 '' echo $?
	wait_until parked desk
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	t 'hold of an owned table' 6 '' "kreg hold: table 'desk' belongs to process $holder (kreg)*" \
		"$kreg" hold desk true
	"$kreg" hold --wait desk true 2>"$tmp/waits" &
	keeper=$!
	pids="$pids $keeper"
	wait_until waited_for desk
	# It says so afterwards.
	wait_until test -s "$tmp/waits"
	out=$(cat "$tmp/waits")
	like 'hold stands by' "kreg hold: table 'desk' has another owner; standing by for it"
	kill -TERM $keeper
	wait $keeper
	t 'and is ended while it does' 0 143 '' echo $?
	(trap '' HUP; exec "$kreg" hold --wait desk true 2>/dev/null) &
	keeper=$!
	pids="$pids $keeper"
	wait_until waited_for desk
	kill -HUP $keeper
	kill -TERM $keeper
	wait $keeper
	t 'and not by what is ignored' 0 143 '' echo $?
	kill -TERM $holder
	wait $holder
	t 'hold within hold' 0 '' '*' "$kreg" hold desk -- "$kreg" hold desk true
	t 'hold and destroy' 0 '' '*' "$kreg" hold -d desk true
	t 'destroyed' 3 '' "kreg info: there is no table 'desk' here*" "$kreg" info desk
}

# A hold that is killed and started again takes the table over when the command dies.
killed_holds() {
	: >"$tmp/pids"
	set -- -r always desk -- sh -c "echo \$\$ >>$tmp/pids; exec sleep 60"
	"$kreg" hold "$@" 2>/dev/null &
	keeper=$!
	wait_until test -s "$tmp/pids"
	first=$(cat "$tmp/pids")
	pids="$pids $keeper $first"
	wait_until runs "$first" sleep 60
	id=$(field desk id)
	kill -9 $keeper
	wait $keeper 2>/dev/null
	t 'the command lives on' 0 "$first" '' field desk owner
	t 'hold of a table whose hold was killed' 6 '' "kreg hold: table 'desk' belongs to process $first (sleep)*" \
		"$kreg" hold "$@"
	"$kreg" hold --wait "$@" 2>"$tmp/waits" &
	keeper=$!
	pids="$pids $keeper"
	wait_until waited_for desk
	t 'the first is still the only one' 0 "$first" '' cat "$tmp/pids"
	kill -9 "$first"
	wait_until sh -c "[ \$(wc -l <$tmp/pids) -eq 2 ]"
	second=$(tail -n 1 "$tmp/pids")
	wait_until owned_by desk "$second"
	t 'the next owns the same table' 0 "$id" '' field desk id
	t 'and its keeper is the heir' 0 "$keeper" '' field desk heir
	wait_until grep -q 'owns table' "$tmp/waits"
	out=$(cat "$tmp/waits")
	like 'what it has told' "kreg hold: table 'desk' has another owner; standing by for it*sh (process $second) owns table 'desk'"
	kill -TERM $keeper
	wait $keeper
	t 'started exactly once' 0 2 '' sh -c "wc -l <$tmp/pids | tr -d ' '"
	wait_until parked desk
	"$kreg" rm desk
}

# holding ARGUMENT...: kreg hold in the background, when its command has written to $tmp/pids.
holding() {
	: >"$tmp/pids"
	"$kreg" hold "$@" 2>"$tmp/says" &
	keeper=$!
	pids="$pids $keeper"
	wait_until test -s "$tmp/pids"
}

# dead FILE: all processes whose pids are in it.
dead() {
	while read -r pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done <"$1"
}

# Each signal comes to the command, and none ends kreg hold.
held_signals() {
	cat >"$tmp/traps" <<-'EOF'
	for s in 1 10 12 14 16 18 20 23 24 25 26 27 28 29 30 31 34 50 64; do
		trap "echo $s >>$1/got" $s
	done
	echo $$ >>"$1/pids"
	while :; do sleep 0.05; done
	EOF
	holding -r always desk -- sh "$tmp/traps" "$tmp"
	for s in 1 10 12 14 16 18 23 24 25 26 27 28 29 30 31 34 50 64; do
		: >"$tmp/got"
		kill -$s $keeper
		wait_until grep -qx $s "$tmp/got"
		t "signal $s is passed on" 0 $s '' cat "$tmp/got"
	done
	: >"$tmp/got"
	kill -20 $keeper
	wait_until grep -q '^State:.*stopped' /proc/$keeper/status
	t 'stopped like its command' 0 1 '' grep -c '^State:.*stopped' /proc/$keeper/status
	kill -CONT $keeper
	wait_until grep -qx 20 "$tmp/got"
	wait_until grep -qx 18 "$tmp/got"
	t 'and goes on with it' 0 '18
20' '' sort "$tmp/got"
	# The C library has these for itself, so nothing can be done about them but by the kernel.
	for s in 32 33; do
		: >"$tmp/pids"
		kill -$s $keeper
		wait_until grep -q "was killed by signal $s" "$tmp/says"
		t "signal $s ends the command alone" 0 1 '' \
			grep -c "was killed by signal $s" "$tmp/says"
		wait_until test -s "$tmp/pids"
	done
	kill -TERM $keeper
	wait $keeper
	t 'and the last ends both' 0 143 '' echo $?
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	"$kreg" hold --wait desk true 2>/dev/null &
	keeper=$!
	pids="$pids $keeper"
	wait_until waited_for desk
	for s in 10 12 14 18 28 32 34 64; do kill -$s $keeper; done
	kill -INT $keeper
	kill -TERM $keeper
	wait $keeper
	t 'also while it waits' 0 143 '' echo $?
	kill -TERM $holder
	wait $holder
	run sh -c "{ $kreg hold desk sleep 0.5; echo \$? >$tmp/status; } 2>&1 | :"
	t 'nor does a pipe that nobody reads' 0 0 '' cat "$tmp/status"
}

# interrupts NAME FILE COMMAND...: when there is something in the file, SIGINT ends it. It is no
# background job, which a shell has ignore that. It may write another pid to $tmp/int.
interrupts() {
	name=$1 file=$2
	shift 2
	: >"$tmp/int"
	(wait_until test -s "$file" && wait_until sleeps "$(cat "$tmp/int")" &&
		kill -INT "$(cat "$tmp/int")") &
	run sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/int" "$@"
	check "$name" 130 '' '*'
}

# SIGINT, and SIGTERM where the command has given the table away.
held_interrupts() {
	rm -f "$tmp/pids"
	interrupts 'SIGINT ends hold and its command' "$tmp/pids" \
		"$kreg" hold -r always desk -- sh -c "echo \$\$ >$tmp/pids; exec sleep 1000"
	t 'which is dead' 0 '' '' dead "$tmp/pids"
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	interrupts 'SIGINT ends hold that stands by' "$tmp/int" "$kreg" hold --wait desk true
	interrupts 'and claim that waits' "$tmp/int" "$kreg" claim --wait desk
	kill -TERM $holder
	wait $holder
	watching
	"$kreg" hold --wait -r always desk -- "$kreg" give desk $watcher 2>"$tmp/says" &
	keeper=$!
	pids="$pids $keeper"
	wait_until grep -q 'standing by' "$tmp/says"
	wait_until owned_by desk $watcher
	kill -TERM $keeper
	wait $keeper
	t 'hold is ended while it waits for what was given away' 0 143 '' echo $?
	kill -TERM $watcher
	wait $watcher
}

# What the command has started, and what becomes of it.
held_groups() {
	t 'hold of a bad time' 2 '' "kreg hold: 'x' is no time*" "$kreg" hold -p x desk true
	t 'the command goes to the background' 0 '' \
		"*kreg hold: sh has ended, but process * (sleep), which it has started, lives on without the table*" \
		"$kreg" hold desk -- sh -c "sleep 1000 >/dev/null 2>&1 & echo \$! >$tmp/pids"
	kill -9 "$(cat "$tmp/pids")"
	t 'and ends, with --group' 0 '' '*' "$kreg" hold -g desk -- sh -c \
		"setsid sh -c 'echo \$\$ >$tmp/pids; sleep 1000 & echo \$! >>$tmp/pids; wait' &
		while [ \$(wc -l <$tmp/pids) -ne 2 ]; do sleep 0.01; done"
	t 'all of it' 0 '' '' dead "$tmp/pids"
	: >"$tmp/got"
	: >"$tmp/pids"
	"$kreg" hold -g desk -- sh -c \
		"sh -c 'trap \"echo bye >$tmp/got; exit\" TERM; echo >$tmp/pids; while :; do sleep 0.05; done' &
		while [ ! -s $tmp/pids ]; do sleep 0.05; done" 2>/dev/null
	t 'by SIGTERM first' 0 bye '' cat "$tmp/got"
	t 'also if it ignores SIGTERM' 0 '' '*' "$kreg" hold -g -p 100ms desk -- sh -c \
		"trap '' TERM; sleep 1000 & echo \$! >$tmp/pids"
	t 'is killed' 0 '' '' dead "$tmp/pids"
	holding -g -p 200ms desk -- sh -c \
		"trap '' TERM; sleep 1000 & echo \$! \$\$ | tr ' ' '\\n' >$tmp/pids; wait; sleep 1000"
	kill -TERM $keeper
	wait $keeper
	t 'SIGKILL comes after patience' 0 137 '' echo $?
	t 'to all' 0 '' '' dead "$tmp/pids"
	# This time it has time to end as it likes.
	holding -g desk -- sh -c "trap 'exit 5' TERM
		sh -c 'trap \"echo bye >$tmp/got; exit\" TERM; echo >$tmp/pids; while :; do sleep 0.05; done' &
		while :; do sleep 0.05; done"
	: >"$tmp/got"
	kill -TERM $keeper
	wait $keeper
	t 'who ends in time is not killed' 0 5 '' echo $?
	t 'nor what it has started' 0 bye '' cat "$tmp/got"
	"$kreg" rm desk
}

# as_init NAME STATUS COMMAND...: as process 1 of a pid namespace SIGTERM ends it.
as_init() {
	name=$1 want=$2
	shift 2
	: >"$tmp/pids"
	# /proc is that of the outside, so the process sees there which it is outside.
	unshare -p -f sh -c "read init rest </proc/self/stat; echo \$init >$tmp/init; $*" \
		2>"$tmp/says" &
	outer=$!
	pids="$pids $outer"
	wait_until test -s "$tmp/pids"
	init=$(cat "$tmp/init")
	pids="$pids $init"
	wait_until sleeps "$init"
	wait_until is_gone "$init"
	kill -9 "$init" 2>/dev/null
	wait $outer
	t "$name" 0 "$want" '' echo $?
}

# is_gone PID: it is asked to end, and was before; the first time it may not know signals yet.
is_gone() { ! kill -TERM "$1" 2>/dev/null; }
sleeps() { grep -q '^State:.*sleeping' /proc/"$1"/status && grep -q kreg /proc/"$1"/comm; }

inits() {
	as_init 'process 1 is ended while it holds' 143 "exec $kreg hold -r always one -- \
		sh -c 'echo 1 >$tmp/pids; exec sleep 1000'"
	as_init 'and while it stands by' 143 "$kreg new two; $kreg claim two -- sh -c 'echo 1 >$tmp/pids; exec sleep 1000' &
		while [ ! -s $tmp/pids ]; do sleep 0.05; done; exec $kreg hold --wait two true"
	as_init 'and while it waits to claim' 143 "$kreg new three; $kreg claim three -- \
		sh -c 'echo 1 >$tmp/pids; exec sleep 1000' &
		while [ ! -s $tmp/pids ]; do sleep 0.05; done; exec $kreg claim --wait three"
	as_init 'and while it waits for a key' 143 "$kreg new four; echo 1 >$tmp/pids
		exec $kreg wait -p four key"
	: >"$tmp/pids"
	interrupts 'process 1 is ended by SIGINT, too' "$tmp/pids" unshare -p -f sh -c \
		"read init rest </proc/self/stat; echo \$init >$tmp/int
		exec $kreg hold -r always one -- sh -c 'echo 1 >$tmp/pids; exec sleep 1000'"
	for id in $("$kreg" ls --all --json |
		sed -n 's/.*"name":"\(one\|two\|three\|four\)","id":\([0-9]*\),.*/\2/p'); do
		"$kreg" rm --id "$id"
	done
}

# ends COMMAND...: in the background, when it runs; its pid is in $victim.
ends() {
	"$@" &
	victim=$!
	pids="$pids $victim"
	wait_until runs $victim "${1##*/}" "$2"
}

# monitors ARGUMENT...: kreg monitor in the background, when it has looked at all of them.
monitors() {
	"$kreg" monitor "$@" >"$tmp/monitor" 2>"$tmp/err" &
	monitor=$!
	pids="$pids $monitor"
	wait_until grep -q poll /proc/$monitor/wchan
}

# told NAME STATUS PATTERN: how kreg monitor has ended, and what it has told.
told() {
	wait $monitor
	status=$?
	out=$(cat "$tmp/monitor")
	err=$(cat "$tmp/err")
	if [ $status = "$2" ]; then like "$1" "$3"; else not_ok "$1" "status $status: $out $err"; fi
}

# Processes that know nothing of kreg, and owners of tables.
deaths() {
	ends sleep 60
	monitors $victim
	kill -9 $victim
	told 'monitor a process that is killed' 137 "*:*:*.* $victim (sleep) was killed by SIGKILL"
	mkfifo "$tmp/fifo"
	ends sh -c "read -r word <$tmp/fifo; exit 7"
	monitors $victim
	echo >"$tmp/fifo"
	told 'monitor one that exits' 7 "*  $victim (sh) exited with 7"
	ends sh -c "read -r word <$tmp/fifo; exit 0"
	monitors --json $victim
	echo >"$tmp/fifo"
	told 'monitor in JSON' 0 "{\"time_ms\":*,\"event\":\"down\",\"pid\":$victim,\"command\":\"sh\",\"cause\":\"death\",\"exit\":0,\"status\":0,\"monotonic_ns\":*}"
	ends sleep 60
	first=$victim
	ends sleep 60
	monitors $first $victim
	kill -TERM $victim
	wait_until grep -q SIGTERM "$tmp/monitor"
	kill -9 $first
	told 'monitor two' 143 "*  $victim (sleep) was killed by SIGTERM
*  $first (sleep) was killed by SIGKILL"
	"$kreg" new owned
	ends "$kreg" claim owned 2>/dev/null
	wait_until owned_by owned $victim
	monitors -o owned
	kill -9 $victim
	told 'monitor an owner' 137 "*  owned: owner $victim (kreg) was killed by SIGKILL"
	run "$kreg" monitor --owner owned
	check 'monitor of a parked table' 3 "$out" ''
	like 'nobody owns it' '*:*:*.*  owned: nobody owns it'
	"$kreg" rm owned
	run "$kreg" monitor --owner --json none
	check 'monitor of no table' 3 "$out" ''
	like 'in JSON' '{"time_ms":*,"event":"down","table":"none","cause":"noproc","monotonic_ns":*}'
	"$kreg" new -a registry names
	"$kreg" register names me -- sleep 1000 &
	victim=$!
	pids="$pids $victim"
	wait_until runs $victim sleep 1000
	monitors --key names me
	kill -9 $victim
	told 'monitor who has a key' 137 "*  names: me, process $victim (sleep) was killed by SIGKILL"
	"$kreg" register names me -- sleep 1000 &
	victim=$!
	pids="$pids $victim"
	wait_until runs $victim sleep 1000
	monitors --json -x -k names 6e6f 6d65
	kill -TERM $victim
	told 'of two keys, in JSON' 143 "{*\"table\":\"names\",\"key_hex\":\"6e6f\",\"cause\":\"noproc\",*}
{*\"table\":\"names\",\"key_hex\":\"6d65\",\"pid\":$victim,*\"signal\":15,*}"
	run "$kreg" monitor --key names none
	check 'monitor a key that nobody has' 3 "$out" ''
	like 'no process has it' '*:*:*.*  names: none, no process has it'
	t 'monitor a key of no table' 3 '' "kreg monitor: there is no table 'nowhere' here*" \
		"$kreg" monitor --key nowhere me
	t 'monitor an empty key' 2 '' 'kreg monitor: the key is empty*' "$kreg" monitor -k names ''
	t 'monitor no key' 2 '' 'kreg monitor: too few arguments*' "$kreg" monitor --key names
	t 'monitor keys of owners' 2 '' 'kreg monitor: only one of --key and --owner*' \
		"$kreg" monitor --key --owner names
	"$kreg" rm names
	t 'monitor a dead process' 3 '' "kreg monitor: no living process $victim: it is dead, or *" \
		"$kreg" monitor $victim
	t 'monitor for a time' 6 '' 'kreg monitor: 1 of 1 is alive after this time' \
		"$kreg" monitor -t 20ms $$
	t 'monitor two for a time' 6 '' 'kreg monitor: 2 of 2 are alive after this time' \
		"$kreg" monitor -t 0 1 $$
	t 'monitor with bad time' 2 '' "kreg monitor: 'x' is no time*" "$kreg" monitor -t x 1
	t 'monitor a word' 2 '' "kreg monitor: 'word' is no process id; names of tables go with --owner*" \
		"$kreg" monitor 1 word
	t 'monitor process 0' 2 '' "kreg monitor: '0' is no process id*" "$kreg" monitor 0
	t 'monitor nothing' 2 '' 'kreg monitor: arguments are missing*' "$kreg" monitor
	mode=$(stat -c %a /dev/kreg)
	chmod 644 /dev/kreg
	ends sleep 60
	su user -c "exec $kreg monitor $victim" >"$tmp/monitor" 2>"$tmp/err" &
	monitor=$!
	pids="$pids $monitor"
	wait_until grep -q poll /proc/$monitor/wchan
	kill -9 $victim
	told 'who dies is told to all, how is not' 0 "*  $victim (sleep) died"
	chmod "$mode" /dev/kreg
}

# waits ARGUMENT...: kreg wait in the background, when it sleeps.
waits() {
	"$kreg" wait "$@" >"$tmp/monitor" 2>"$tmp/err" &
	monitor=$!
	pids="$pids $monitor"
	wait_until awaits $monitor
}

awaits() { grep -qs 'kreg-watches:.1' "/proc/$1/fdinfo/"*; }

# Keys and names that are waited for.
until_so() {
	waits --present later
	"$kreg" new later
	told 'wait for a table' 0 ''
	t 'it is there' 0 '' '' "$kreg" wait -p later
	waits -p later k
	"$kreg" put later k v
	told 'wait for a key' 0 ''
	t 'the key is there' 0 '' '' "$kreg" wait --present -t 0 later k
	waits -c later k
	"$kreg" put later k v
	told 'wait for a change' 0 ''
	waits -a later k
	"$kreg" del later k
	told 'wait until a key is gone' 0 ''
	waits -c later k
	"$kreg" put later k v
	told 'an absent key changes' 0 ''
	t 'wait for a time' 6 '' "kreg wait: the key of table 'later' is not so after this time" \
		"$kreg" wait -a -t 20ms later k
	waits -p -x later ff
	"$kreg" rm later
	wait $monitor
	t 'wait for a key of a table that goes' 0 3 '' echo $?
	t 'it is gone' 0 '' '' "$kreg" wait --absent later
	t 'wait for a table for a time' 6 '' \
		"kreg wait: the name of table 'later' is not so after this time" \
		"$kreg" wait -p -t 0 later
	t 'wait for a key of no table' 3 '' "kreg wait: there is no table 'later'*" \
		"$kreg" wait -p later k
	t 'wait for nothing' 2 '' 'kreg wait: --present, --absent or --changed is missing*' \
		"$kreg" wait later
	t 'wait for both' 2 '' 'kreg wait: only one of --present, --absent and --changed*' \
		"$kreg" wait -p -a later
	t 'a name does not change' 2 '' 'kreg wait: --changed is for a key*' "$kreg" wait -c later
	t 'wait with bad time' 2 '' "kreg wait: 'x' is no time*" "$kreg" wait -p -t x later
	t 'wait without a name' 2 '' 'kreg wait: arguments are missing*' "$kreg" wait -p
}

many() {
	for i in 1 2 3; do "$kreg" new "m$i"; done
	run "$kreg" rm --parked
	check 'rm --parked' 0 '4 parked tables removed' ''
	t 'nothing is left' 0 '' '' "$kreg" ls --names
	t 'rm --parked takes no names' 2 '' 'kreg rm: --parked takes no names*' "$kreg" rm --parked x
}

# A user leaves a parked table in a user namespace that no process is in any more.
left_behind() {
	su user -c "unshare --user $kreg new --orphan park --access private left"
}

namespaces() {
	mode=$(stat -c %a /dev/kreg)
	chmod 666 /dev/kreg
	run left_behind
	check 'new in a user namespace' 0 '' '*'
	t 'ls does not show it' 0 '' '' "$kreg" ls --names
	t 'ls --all does' 0 'left' '' "$kreg" ls --all --names
	run "$kreg" ls --all
	like 'with id, user and namespaces' ' *ID *NAME *USER *USERNS *PIDNS *OWNER
* left *private *0600 *user *parked for *'
	id=$("$kreg" ls --all --json | sed -n 's/.*"name":"left","id":\([0-9]*\),.*/\1/p')
	userns=$("$kreg" ls --all --json | sed -n 's/.*"user_ns":\([0-9]*\),.*/\1/p')
	run "$kreg" info --id "$id"
	like 'info by id' "table      left
id         $id
*access     private 0600, user user*owner      none: parked for *namespaces user $userns, pid $(stat -L -c %i /proc/self/ns/pid)"
	t 'info by bad id' 2 '' "kreg info: 'left' is no id of a table*" "$kreg" info --id left
	t 'info by id 0' 2 '' "kreg info: '0' is no id of a table*" "$kreg" info --id 0
	t 'info by an id that never was' 1 '' 'kreg info: no table ever had this id' \
		"$kreg" info --id 999999999999
	t 'its maker may know of it' 0 'left' '' su user -c "$kreg ls --all --names"
	t 'others may not' 0 '' '' su other -c "$kreg ls --all --names"
	t 'info of others' 3 '' "kreg info: table $id is gone, or in a namespace over which this process has no CAP_SYS_ADMIN" \
		su other -c "$kreg info --id $id"
	t 'rm of others' 3 '' "kreg rm: table $id is gone, or in a namespace *" \
		su other -c "$kreg rm --id $id"
	t 'rm -f of others' 0 '' '' su other -c "$kreg rm -f --id $id"
	t 'still there' 0 'left' '' "$kreg" ls --all --names
	t 'rm by id' 0 "{\"removed\":\"left\",\"id\":$id}" '' "$kreg" rm --json --id "$id"
	t 'rm by id again' 3 '' "kreg rm: table $id is gone, or in a namespace *" "$kreg" rm --id "#$id"
	left_behind 2>/dev/null
	left_behind 2>/dev/null
	t 'rm --parked leaves them' 0 '0 parked tables removed' '' "$kreg" rm --parked
	t 'rm --parked --all does not' 0 '2 parked tables removed' '' "$kreg" rm --parked --all
	t 'nothing is left anywhere' 0 '' '' "$kreg" ls --all --names
	t 'rm --all without --parked' 2 '' 'kreg rm: --all goes with --parked*' "$kreg" rm --all x
	t 'rm --parked takes no ids' 2 '' 'kreg rm: --parked takes no names*' "$kreg" rm --parked --id
	chmod "$mode" /dev/kreg
}

# Nothing but the kreg command that asks has the device open.
idle() { "$kreg" status | grep -q 'Nothing holds the module'; }

# settled TEXT ARGUMENT...: run kreg status, whose output has the text when the deaths of
# earlier commands have been handled.
settled() {
	text=$1
	shift
	run "$kreg" status "$@"
	case $out in
	*"$text"*) ;;
	*) return 1 ;;
	esac
}

statuses() {
	mode=$(stat -c %a /dev/kreg)
	chmod 666 /dev/kreg
	# shellcheck disable=SC2086
	kill -9 $pids 2>/dev/null
	wait
	wait_until idle
	wait_until settled 'deaths  0 '
	like 'status of nothing' 'tables  0, of them 0 parked, with 0 objects in 0 B
files   0 open in 0 processes
deaths  0 not handled yet

Nothing holds the module: it can be removed.'
	"$kreg" new mine
	left_behind 2>/dev/null
	"$kreg" claim mine 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by mine $holder
	sleep 60 9<>/dev/kreg &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until test -e /proc/$sleeper/fd/9
	run "$kreg" status
	like 'status of two tables' "tables  2, of them 1 parked, with 0 objects in *
files   2 open in 2 processes
*
USER *TABLES *PARKED *OBJECTS *MEMORY
*root *1 *0 *user *1 *1 *
USER *FILES *PROCESS
*root *1  $holder (kreg)
*1  $sleeper (*
*The module cannot be removed: 2 tables and 2 open files hold it.*kreg ls --all*"
	wait_until settled '"deaths_pending":0' --json
	like 'status in JSON' "{\"status\":\"module\",\"tables\":2,\"parked\":1,*\"files\":2,\"tables_being_freed\":*,\"files_unseen\":0,\"deaths_pending\":0}
{\"status\":\"user\",\"uid\":0,*{\"status\":\"user\",\"uid\":1000,\"tables\":1,\"parked\":1,*{\"status\":\"process\",\"pid\":$holder,\"command\":\"kreg\",\"uid\":0,\"files\":1,\"inherited\":0}*\"pid\":$sleeper,*"
	run su user -c "$kreg status"
	like 'a user sees what is his' 'tables  1, of them 1 parked, with 0 objects in *
files   0 open in 0 processes

USER *TABLES *
user *1 *1 *'
	t 'counters are for root' 1 '' '*Permission denied*' su user -c 'cat /sys/module/kreg/parameters/memory'
	t 'status takes no names' 2 '' 'kreg status: too many arguments*' "$kreg" status x
	kill $holder $sleeper
	wait $holder $sleeper 2>/dev/null
	"$kreg" rm --parked --all >/dev/null
	chmod "$mode" /dev/kreg
}

registries() {
	t 'new registry' 0 '' '' "$kreg" new -a registry names
	t 'whereis of nobody' 3 '' '*' "$kreg" whereis names me
	"$kreg" register names me hello -- sleep 1000 &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until "$kreg" whereis names me
	t 'whereis' 0 "$sleeper" '' "$kreg" whereis names me
	t 'its value' 0 hello '' "$kreg" get names me
	t 'keys' 0 me '' "$kreg" keys names "$sleeper"
	t 'unregister nobody' 3 '' '*' "$kreg" unregister names other
	t 'register what is taken' 4 '' '*' "$kreg" register names me -- true
	t 'register without a command' 2 '' '*' "$kreg" register names me value
	t 'register no such command' 127 '' '*' "$kreg" register names other -- /no/such
	t 'keys of no pid' 2 '' '*' "$kreg" keys names x
	t 'keys of nobody' 3 '' '*' "$kreg" keys names 999999
	t 'unregister' 0 '' '' "$kreg" unregister names me
	t 'whereis after that' 3 '' '*' "$kreg" whereis names me
	kill -9 "$sleeper"
	wait "$sleeper" 2>/dev/null
	"$kreg" register names me hello -- sleep 1000 &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until "$kreg" whereis names me
	kill -9 "$sleeper"
	wait "$sleeper" 2>/dev/null
	t 'whereis of the dead' 3 '' '*' "$kreg" whereis names me
	t 'register after that' 0 names '' "$kreg" register names me -- sh -c 'echo $KREG_TABLE'
	t 'linger for no time' 2 '' '*is no time*' "$kreg" register -l x names me -- true
	t 'linger' 0 '' '' "$kreg" register --linger 1h names ghost boo -- true
	t 'what lingers' 0 boo '' "$kreg" get names ghost
	t 'whereis of what lingers' 0 0 '' "$kreg" whereis names ghost
	t 'register in its place' 0 '' '' "$kreg" register names ghost -- true
	t 'that does not linger' 3 '' '*' "$kreg" get names ghost
	t 'put in its place' 0 '' '' "$kreg" put names me nobody
	t 'unregister what is bound to none' 3 '' "kreg unregister: no process has the key; *" \
		"$kreg" unregister names me
	t 'whereis of what is bound to none' 0 0 '' "$kreg" whereis names me
	t 'remove the registry' 0 '' '' "$kreg" rm names
}

servers() {
	t 'new registry for servers' 0 '' '' "$kreg" new -a registry names
	t 'call nobody' 3 '' "kreg call: nobody has the key in table 'names', or *" \
		"$kreg" call names hits 'add 1'
	t 'cast to nobody' 3 '' "kreg cast: nobody has the key in table 'names', or *" \
		"$kreg" cast names hits 'add 1'
	"${0%/*}/counter" names hits &
	counter=$!
	pids="$pids $counter"
	wait_until "$kreg" whereis names hits
	t 'call' 0 3 '' "$kreg" call names hits 'add 3'
	t 'cast' 0 '' '' "$kreg" cast names hits 'add 4'
	t 'call in hex' 0 37 '' "$kreg" call --hex names 68697473 6164642030
	t 'call in JSON' 0 '{"reply":"7"}' '' "$kreg" call --json -t 5s names hits 'add 0'
	t 'call what it does not know' 1 '' 'kreg call: the server has answered with error 22' \
		"$kreg" call names hits 'what?'
	t 'call without data' 2 '' 'kreg call: too few arguments*' "$kreg" call names hits
	t 'call of an empty key' 2 '' 'kreg call: the key is empty*' "$kreg" call names '' x
	t 'call with bad time' 2 '' "kreg call: 'x' is no time*" "$kreg" call -t x names hits x
	kill -STOP "$counter"
	t 'call in vain' 6 '' 'kreg call: no reply came in time; the server may *' \
		"$kreg" call -t 50ms names hits 'add 1'
	kill -CONT "$counter"
	t 'stop it' 0 '' '' "$kreg" call names hits stop
	wait "$counter"
	t 'it has ended' 3 '' '*' "$kreg" whereis names hits
	"$kreg" register names hits -- sleep 1000 &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until "$kreg" whereis names hits
	t 'call what is no server' 1 '' "kreg call: who has the key in table 'names' is no server" \
		"$kreg" call names hits x
	kill "$sleeper"
	wait "$sleeper" 2>/dev/null
	t 'remove the registry of servers' 0 '' '' "$kreg" rm names
}

locks() {
	"$kreg" new locks
	"$kreg" lock locks backup -- sleep 1000 &
	sleeper=$!
	pids="$pids $sleeper"
	wait_until "$kreg" whereis locks backup
	t 'who has the lock' 0 $sleeper '' "$kreg" whereis locks backup
	t 'and why' 0 'sleep 1000' '' "$kreg" get locks backup
	t 'lock what is locked' 6 '' "kreg lock: process $sleeper has this key of table 'locks' *" \
		"$kreg" lock -n locks backup -- true
	t 'not within a time' 6 '' 'kreg lock: process *' \
		"$kreg" lock --timeout 20ms locks backup -- true
	t 'with a status of its own' 9 '' 'kreg lock: process *' \
		"$kreg" lock --conflict-exit-code 9 -n locks backup -- true
	t 'another lock' 0 locks '' "$kreg" lock locks other why -- sh -c 'echo $KREG_TABLE'
	t 'the status of the command' 3 '' '' "$kreg" lock locks other -- sh -c 'exit 3'
	# Who waits gets it when the holder is killed, and its number is a higher one.
	"$kreg" lock locks backup -- sh -c 'echo $KREG_TOKEN; exec sleep 1000' >"$tmp/token" &
	waiter=$!
	pids="$pids $waiter"
	first=$("$kreg" whereis --json locks backup | sed 's/.*"version":"\{0,1\}\([0-9]*\).*/\1/')
	kill -9 "$sleeper"
	wait "$sleeper" 2>/dev/null
	wait_until test -s "$tmp/token"
	t 'the next has it' 0 $waiter '' "$kreg" whereis locks backup
	t 'its token is a higher one' 0 '' '' test "$(cat "$tmp/token")" -gt "$first"
	kill -9 "$waiter"
	wait "$waiter" 2>/dev/null
	t 'nobody has it' 3 '' '*' "$kreg" whereis locks backup
	t 'lock without a command' 2 '' 'kreg lock: there is no command behind --*' \
		"$kreg" lock locks backup --
	t 'lock with no command' 2 '' '*' "$kreg" lock locks backup value
	t 'lock an empty key' 2 '' 'kreg lock: the key is empty*' "$kreg" lock locks '' -- true
	t 'lock for no time' 2 '' "kreg lock: 'x' is no time*" "$kreg" lock -t x locks a -- true
	t 'lock with a bad status' 2 '' "kreg lock: '256' is no exit status*" \
		"$kreg" lock -E 256 locks a -- true
	t 'lock, no such command' 127 '' 'kreg lock: /no/such: *' \
		"$kreg" lock locks backup -- /no/such
	t 'lock in no table' 3 '' '*' "$kreg" lock nowhere backup -- true
	t 'nobody has it still' 3 '' '*' "$kreg" whereis locks backup
	t 'remove the locks' 0 '' '' "$kreg" rm locks
}

echo 'TAP version 13'
general
devices
tables
objects
files
closed
protected
claims
roles
gifts
watches
holds
killed_holds
held_signals
held_interrupts
held_groups
inits
deaths
until_so
many
namespaces
registries
locks
servers
statuses
echo "1..$n"
[ "$failed" -eq 0 ]

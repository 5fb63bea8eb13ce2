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
n=0
failed=0
kreg=${KREG:-kreg}

if ! command -v "$kreg" >/dev/null; then
	echo "1..0 # SKIP there is no kreg command"
	exit 4
fi
if [ ! -c /dev/kreg ]; then
	echo "1..0 # SKIP there is no /dev/kreg"
	exit 4
fi

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

ok() {
	n=$((n + 1))
	echo "ok $n $1"
}

not_ok() {
	n=$((n + 1))
	failed=$((failed + 1))
	echo "not ok $n $1"
	shift
	printf '# %s\n' "$@"
}

# run COMMAND...: its status, output and errors in $status, $out, $err.
run() {
	"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

# check NAME STATUS OUT ERR: of what was run. ERR may be a shell pattern.
check() {
	if [ "$status" != "$2" ]; then
		not_ok "$1" "status $status, not $2" "out: $out" "err: $err"
	elif [ "$out" != "$3" ]; then
		not_ok "$1" "out: '$out'" "not: '$3'" "err: $err"
	else
		# shellcheck disable=SC2254
		case $err in
		$4) ok "$1" ;;
		*) not_ok "$1" "err: '$err'" "not: '$4'" ;;
		esac
	fi
}

# t NAME STATUS OUT ERR COMMAND...
t() {
	name=$1 want=$2 wout=$3 werr=$4
	shift 4
	run "$@"
	check "$name" "$want" "$wout" "$werr"
}

# like NAME PATTERN: the output of what was run matches a shell pattern.
like() {
	# shellcheck disable=SC2254
	case $out in
	$2) ok "$1" ;;
	*) not_ok "$1" "out: '$out'" "not: '$2'" ;;
	esac
}

# wait_until COMMAND...: at most ten seconds.
wait_until() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || return 1
		sleep 0.05
	done
}

# field TABLE NAME: a number or a word of its JSON.
field() {
	"$kreg" info --json "$1" 2>/dev/null |
		sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
owned_by() { [ "$(field "$1" owner)" = "$2" ]; }
parked() { [ "$(field "$1" parked)" = true ]; }
waited_for() { [ "$(field "$1" waiters)" -gt 0 ]; }

general() {
	t 'no command' 2 '' 'Usage: kreg COMMAND*' "$kreg"
	t 'bad command' 2 '' "kreg: there is no command 'nonsense'; 'kreg --help' lists them" \
		"$kreg" nonsense
	run "$kreg" --version
	like 'version' 'kreg *, libkreg *'
	run "$kreg" --help
	like 'help' 'Usage: kreg COMMAND*watch*'
	t 'help of no command' 2 '' "kreg: there is no command 'x'*" "$kreg" help x
	for c in new rm ls info status put get take del scan count claim give hold watch monitor \
		register whereis keys; do
		run "$kreg" "$c" --help
		like "help of $c" "Usage: kreg $c*Common options:*"
		t "bad option of $c" 2 '' "kreg $c: there is no option --nonsense*Usage: kreg $c*" \
			"$kreg" "$c" --nonsense
	done
	t 'a value with a dash' 2 '' "*there is no option -5; a key or value that begins with - goes behind --*" \
		"$kreg" put x y -5
	t 'no device' 7 '' 'kreg ls: there is no /dev/no-such: load the module*' \
		env KREG_DEVICE=/dev/no-such "$kreg" ls
	t 'wrong device' 7 '' 'kreg ls: /dev/null is not the device of kreg*' \
		env KREG_DEVICE=/dev/null "$kreg" ls
	t 'error in JSON' 3 '' '{"error":"ENOENT","message":"there is no table*"}' \
		"$kreg" get --json none key
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
	t 'get in JSON' 0 '{"key":"anna","value":"456"}' '' "$kreg" get --json phones anna
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
	chmod 640 "$tmp/copy"
	cp -p "$tmp/copy" "$tmp/before"
	t 'a file stays if there is no such key' 3 '' '*' "$kreg" get -o "$tmp/copy" phones none
	if cmp -s "$tmp/before" "$tmp/copy"; then ok 'as it was'; else not_ok 'as it was'; fi
	"$kreg" put phones small 1 && ln -s copy "$tmp/link"
	t 'get into it' 0 '' '' "$kreg" get -o "$tmp/link" phones small
	run stat -c '%F %a' "$tmp/link" "$tmp/copy"
	check 'the link and the mode are kept' 0 'symbolic link 777
regular file 640' ''
	t 'get into a device' 0 '' '' "$kreg" get -o /dev/null phones small
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
	"$kreg" del --all phones >/dev/null
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
	chmod 644 /dev/kreg
	t 'get where the device may be read' 0 'v' '' su user -c "$kreg get shown k"
	t 'put there' 5 '' "kreg new: this process may read the device and not write to it*" \
		su user -c "$kreg new mine"
	chmod "$mode" /dev/kreg
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

watches() {
	"$kreg" claim desk 2>/dev/null &
	holder=$!
	pids="$pids $holder"
	wait_until owned_by desk $holder
	"$kreg" watch -i 20ms -c 4 desk absent >"$tmp/watch" &
	watcher=$!
	pids="$pids $watcher"
	wait_until grep -q missing "$tmp/watch"
	kill -9 $holder
	wait $holder 2>/dev/null
	wait_until grep -q died "$tmp/watch"
	"$kreg" rm desk
	wait $watcher
	out=$(cat "$tmp/watch")
	like 'watch' "*desk: is owned, owner $holder (kreg)
*absent: missing
*desk: owner $holder died, parked
*desk: destroyed"
	t 'watch for a time' 0 '' '*' "$kreg" watch -t 50ms
	t 'watch with bad count' 2 '' "kreg watch: '0' is no number of lines*" "$kreg" watch -c 0
}

holds() {
	t 'hold' 7 'desk' "*sh (process *) owns table 'desk'*sh (process *) exited with 7; table 'desk' is back with 0 objects" \
		"$kreg" hold -r never desk -- sh -c 'echo $KREG_TABLE; exit 7'
	t 'hold a success' 0 '' '*exited with 0*' "$kreg" hold desk true
	t 'too many restarts' 137 '' '*was killed by SIGKILL*restart 1 of 2 in 5 s*restart 2 of 2 in 5 s*died too often: more than 2 restarts in 5 s (--max)' \
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
	kill -TERM $holder
	wait $holder
	t 'hold within hold' 0 '' '*' "$kreg" hold desk -- "$kreg" hold desk true
	t 'hold and destroy' 0 '' '*' "$kreg" hold -d desk true
	t 'destroyed' 3 '' "kreg info: there is no table 'desk' here*" "$kreg" info desk
}

# ends COMMAND...: in the background; its pid is in $victim.
ends() {
	"$@" &
	victim=$!
	pids="$pids $victim"
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
	t 'register what is taken' 4 '' '*' "$kreg" register names me -- true
	t 'register without a command' 2 '' '*' "$kreg" register names me value
	t 'register no such command' 127 '' '*' "$kreg" register names other -- /no/such
	t 'keys of no pid' 2 '' '*' "$kreg" keys names x
	t 'keys of nobody' 3 '' '*' "$kreg" keys names 999999
	kill -9 "$sleeper"
	wait "$sleeper" 2>/dev/null
	t 'whereis of the dead' 3 '' '*' "$kreg" whereis names me
	t 'register after that' 0 names '' "$kreg" register names me -- sh -c 'echo $KREG_TABLE'
	t 'put in its place' 0 '' '' "$kreg" put names me nobody
	t 'whereis of what is bound to none' 0 0 '' "$kreg" whereis names me
	t 'remove the registry' 0 '' '' "$kreg" rm names
}

echo 'TAP version 13'
general
tables
objects
files
protected
claims
gifts
watches
holds
deaths
many
namespaces
registries
statuses
echo "1..$n"
[ "$failed" -eq 0 ]

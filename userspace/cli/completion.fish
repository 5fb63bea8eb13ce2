# SPDX-License-Identifier: GPL-2.0-only
# Completion of kreg(1) for fish, which escapes what it inserts.

# A tab would begin a description, a newline the next name: such names have to be typed.
# What begins with - would be taken for an option, unless -- stands before it.
function __kreg_tables
	set -l words (commandline -opc)
	for name in (kreg ls --null 2>/dev/null | string split0)
		string match -qr '[[:cntrl:]]' -- $name
		or string match -q -- '-*' $name
		and not contains -- -- $words
		or printf '%s\n' $name
	end
end

function __kreg_commands
	kreg --help 2>/dev/null | string match -rg '^  ([a-z]+) +(.*)' | while read -l name
		read -l summary
		printf '%s\t%s\n' $name $summary
	end
end

function __kreg_options
	set -l words (commandline -opc)
	kreg $words[2] --help 2>/dev/null | string match -ar -- '--[a-z-]+' | sort -u
end

# After "super": a request, then the name of a supervisor.
function __kreg_super
	set -l words (commandline -opc)
	if test (count $words) -eq 2
		printf '%s\n' status start stop restart reload shutdown tree
	else if test (count $words) -eq 3
		for name in (kreg ls --null 2>/dev/null | string split0)
			string match -q 'supervisor.*' -- $name
			and not string match -qr '/|[[:cntrl:]]' -- $name
			and string replace supervisor. '' -- $name
		end
	end
end

function __kreg_is
	set -l words (commandline -opc)
	test (count $words) -gt 1 -a "$words[2]" = $argv[1]
end

function __kreg_has_command
	set -l words (commandline -opc)
	test (count $words) -gt 1
end

complete -c kreg -f
complete -c kreg -n 'not __kreg_has_command' -a '(__kreg_commands)'
complete -c kreg -n 'not __kreg_has_command' -l help -s h -d 'what there is'
complete -c kreg -n 'not __kreg_has_command' -l version -s V -d 'the version'
complete -c kreg -n '__kreg_is new' -s t -l type -x -a 'set ordered_set bag duplicate_bag' -d 'of the table'
complete -c kreg -n '__kreg_is scan; or __kreg_is load' -l format -x -a 'text json' -d 'of the lines'
complete -c kreg -n '__kreg_is super' -a '(__kreg_super)'
complete -c kreg -n '__kreg_is queue' -a 'push work ls dead revive make-due'
complete -c kreg -n '__kreg_is batch' -a 'put new swap incr del'
complete -c kreg -n '__kreg_is batch' -s f -l file -r -F -d 'with a line for each write'
complete -c kreg -n '__kreg_is dump' -s o -l output -r -F -d 'a file'
complete -c kreg -n '__kreg_is dump' -l info -r -F -d 'what a file has'
complete -c kreg -n '__kreg_is supervise; or __kreg_is restore' -F
complete -c kreg -n '__kreg_has_command; and not __kreg_is super; and not __kreg_is supervise
	and not __kreg_is restore' -a '(__kreg_tables)'
complete -c kreg -n __kreg_has_command -a '(__kreg_options)'

#compdef kreg
# SPDX-License-Identifier: GPL-2.0-only
# Completion of kreg(1) for zsh. compadd quotes what it inserts, and expands nothing.

_kreg()
{
	local command=$words[2] dashes=${words[(i)--]}
	local -a found

	if (( CURRENT == 2 )); then
		found=(${(f)"$(kreg --help 2> /dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')"})
		compadd -- $found --help --version
	elif (( dashes < CURRENT )) && [[ $command == (claim|hold|lease|lock|queue|register|role) ]]; then
		words=("${(@)words[dashes + 1, -1]}")
		(( CURRENT -= dashes ))
		_normal
	elif [[ $command == new && ${words[CURRENT-1]} == (-t|--type) ]]; then
		compadd -- set ordered_set bag duplicate_bag
	elif [[ $command == (scan|load) && ${words[CURRENT-1]} == (-f|--format) ]]; then
		compadd -- text json
	elif [[ $PREFIX == -* ]] && (( dashes >= CURRENT )); then
		found=(${(f)"$(kreg $command --help 2> /dev/null | grep -o -- '--[a-z-]*')"})
		compadd -- $found
	elif [[ $command == (supervise|restore) ]]; then
		_files
	elif [[ $command == dump && ${words[CURRENT-1]} == (-o|--output|--info) ]]; then
		_files
	elif [[ $command == super ]] && (( CURRENT == 3 )); then
		compadd -- status start stop restart reload shutdown tree
	elif [[ $command == queue ]] && (( CURRENT == 3 )); then
		compadd -- push work ls dead revive make-due
	elif [[ $command == batch ]] && (( CURRENT == 3 )); then
		compadd -- put new swap incr del
	elif [[ $command == batch && ${words[CURRENT-1]} == (-f|--file) ]]; then
		_files
	elif [[ $command == super ]]; then
		found=("${(@0)$(kreg ls --null 2> /dev/null)}")
		found=("${(@M)found:#supervisor.*}")
		found=("${(@)found:#*/*}")
		(( CURRENT != 4 )) || compadd -- "${(@)found#supervisor.}"
	elif [[ $command == monitor && -z ${words[(r)(-o|--owner|-k|--key)]} ]]; then
		_pids
	else
		found=("${(@0)$(kreg ls --null 2> /dev/null)}")
		found=("${(@M)found:#?*}")
		# What begins with - would be taken for an option.
		(( dashes < CURRENT )) || found=("${(@)found:#-*}")
		compadd -- "${(@)found}"
	fi
}

_kreg "$@"

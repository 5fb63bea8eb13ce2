# SPDX-License-Identifier: GPL-2.0-only
# Completion of kreg(1) for bash.

_kreg()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}
	local commands='new rm ls info status put get take del scan count claim role give hold watch monitor'
	commands+=' publish wait register unregister whereis keys call cast'

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	case $cur in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$(kreg "$cmd" --help 2> /dev/null |
			grep -o -- '--[a-z-]*')" -- "$cur")
		;;
	*)
		if [ "$cmd" = monitor ] && [[ " ${COMP_WORDS[*]} " != *' -o '* &&
						" ${COMP_WORDS[*]} " != *' --owner '* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur")
			return
		fi
		mapfile -t COMPREPLY < <(compgen -W "$(kreg ls --names 2> /dev/null)" -- "$cur")
		;;
	esac
}

complete -F _kreg kreg

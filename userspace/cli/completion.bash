# SPDX-License-Identifier: GPL-2.0-only
# Completion of kreg(1) for bash.

# A name as one word behind an open quotation mark, if it can stand there.
_kreg_in_quotes()
{
	case $1 in
	\'*)	[[ $2 != *[\'[:cntrl:]]* ]] && printf %s "'$2" ;;
	*)	[[ $2 != *[\"\$\`\\![:cntrl:]]* ]] && printf %s "\"$2" ;;
	esac
}

# A name as one word. What comes last ends a word for readline, though not for the shell.
_kreg_quoted()
{
	local word

	printf -v word %q "$1"
	if [[ $word != \$\'* ]]; then
		word=${word//:/\\:} word=${word//=/\\=} word=${word//@/\\@}
	fi
	printf %s "$word"
}

# Names of tables are other people's input: they are compared and quoted, never expanded.
# What begins with - would be taken for an option, unless -- stands before it.
_kreg_tables()
{
	local name word

	while IFS= read -r -d '' name; do
		[[ $name != -* || $2 == *' -- '* ]] || continue
		if [[ $1 == [\"\']* ]]; then
			word=$(_kreg_in_quotes "$1" "$name") || continue
			[[ $word != "$1"* ]] || COMPREPLY+=("${word:1}")
		else
			word=$(_kreg_quoted "$name")
			[[ $word != "$1"* && $name != "$1"* ]] || COMPREPLY+=("$word")
		fi
	done < <(kreg ls --null 2> /dev/null)
}

_kreg_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

# The names of supervisors are those of their tables, which other people may have chosen.
_kreg_super()
{
	local name word

	if [ "$COMP_CWORD" -eq 2 ]; then
		_kreg_words "$1" 'status start stop restart reload shutdown tree'
		return
	fi
	[ "$COMP_CWORD" -eq 3 ] || return
	while IFS= read -r -d '' name; do
		[[ $name == supervisor.* && $name != */* ]] || continue
		name=${name#supervisor.}
		word=$(_kreg_quoted "$name")
		[[ $word != "$1"* && $name != "$1"* ]] || COMPREPLY+=("$word")
	done < <(kreg ls --null 2> /dev/null)
}

_kreg()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}
	local before=" ${COMP_WORDS[*]:0:COMP_CWORD} "

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		_kreg_words "$cur" "$(kreg --help 2> /dev/null |
			sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') --help --version"
	elif [[ $before == *' -- '* && $cmd == @(claim|hold|lease|lock|queue|register|role) ]]; then
		compopt -o default 2> /dev/null
	elif [[ $cmd == new && ${COMP_WORDS[COMP_CWORD - 1]} == @(-t|--type) ]]; then
		_kreg_words "$cur" 'set ordered_set bag duplicate_bag'
	elif [[ $cmd == @(scan|load) && ${COMP_WORDS[COMP_CWORD - 1]} == @(-f|--format) ]]; then
		_kreg_words "$cur" 'text json'
	elif [[ $cur == -* && $before != *' -- '* ]]; then
		_kreg_words "$cur" "$(kreg "$cmd" --help 2> /dev/null | grep -o -- '--[a-z-]*' | sort -u)"
	elif [[ $cmd == @(supervise|restore) ||
		( $cmd == dump && ${COMP_WORDS[COMP_CWORD - 1]} == @(-o|--output|--info) ) ]]; then
		compopt -o default 2> /dev/null
	elif [[ $cmd == super ]]; then
		_kreg_super "$cur"
	elif [[ $cmd == queue && $COMP_CWORD -eq 2 ]]; then
		_kreg_words "$cur" 'push work ls dead revive make-due'
	elif [[ $cmd == batch && $COMP_CWORD -eq 2 ]]; then
		_kreg_words "$cur" 'put new swap incr del'
	elif [[ $cmd == batch && ${COMP_WORDS[COMP_CWORD - 1]} == @(-f|--file) ]]; then
		compopt -o default 2> /dev/null
	elif [[ $cmd == monitor && ! $before =~ ' '(-o|--owner|-k|--key)' ' ]]; then
		_kreg_words "$cur" "$(cd /proc && echo [0-9]*)"
	else
		_kreg_tables "$cur" "$before"
	fi
}

complete -F _kreg kreg

# SPDX-License-Identifier: GPL-2.0
#
# complaints.awk - find in the kernel's messages that something is wrong.
#
# Prints what it finds as "PROGRAM: message", where PROGRAM is the test program
# that ran then (see suite) or "kernel", once for each program. With -v context=N
# prints each message found, and the N lines after it, instead.
#
# A data race counts if a module is at the top of one of its two stacks: the rest
# of the kernel has races of its own. The top may be a function that the module has
# called; not one that asks for a capability, which notes that in the flags of the process.

BEGIN {
	bad = "BUG:|BUG [a-z]|KASAN|KFENCE:|KCSAN|UBSAN|WARNING:|Oops|general protection" \
	      "|Call Trace|INFO: (task|rcu)|rcu.*(stall|suspicious)" \
	      "|suspicious RCU usage|possible (circular|recursive)" \
	      "|inconsistent lock state|held lock freed|lock held when returning" \
	      "|refcount_t:|list_(add|del) corruption|Double-freed" \
	      "|unreferenced object|Kernel panic|soft lockup|hung_task" \
	      "|DEBUG_LOCKS_WARN"
	program = "kernel"
}

{ sub(/\r$/, "") }

/suite begin / { program = $NF }
/suite end /   { program = "kernel" }

# A test exceeds the memory of its cgroup on purpose: the trace is no complaint.
/invoked oom-killer:/ { oom = 40 }
oom && oom-- {
	if (/<\/TASK>/)
		oom = 0
	next
}

function judge(line)
{
	if (line ~ bad && !context && !(program in seen)) {
		seen[program]
		print program ": " line
	}
	if (context && line ~ bad)
		show = context + 1
	if (show && show--)
		print line
}

function judge_race(   i)
{
	for (i = 1; i <= lines; i++)
		judge(race[i])
	lines = 0
}

# From the headline to the line of "=" a report is kept until it is known to count.
/BUG: KCSAN:/ { lines = 0; race[++lines] = $0; counts = 0; next }

lines && /=======/ {
	if (counts)
		judge_race()
	lines = 0
	next
}

lines {
	race[++lines] = $0
	if (/ by (task|interrupt)/)
		frame = 0
	else if (++frame == 1 && / ns_capable/)
		frame = 2
	else if (frame <= 2 && /\[[a-z_0-9]+\]$/)
		counts = 1
	if ($0 !~ bad)
		next
}

{ judge($0) }

END { judge_race() }

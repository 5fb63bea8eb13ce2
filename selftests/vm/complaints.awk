# SPDX-License-Identifier: GPL-2.0
#
# complaints.awk - find in the kernel's messages that something is wrong.
#
# Prints what it finds as "PROGRAM: message", where PROGRAM is the test program
# that ran then (see suite) or "kernel", once for each program. With -v context=N
# prints each message found, and the N lines after it, instead.

BEGIN {
	bad = "BUG:|KASAN|KFENCE:|KCSAN|UBSAN|WARNING:|Oops|general protection" \
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

# A test that runs out of its cgroup's memory on purpose: the trace is news.
/invoked oom-killer:/ { oom = 40 }
oom && oom-- {
	if (/<\/TASK>/)
		oom = 0
	next
}

$0 ~ bad && !context && !(program in seen) {
	seen[program]
	print program ": " $0
}

context && $0 ~ bad { show = context + 1 }
show && show-- { print }

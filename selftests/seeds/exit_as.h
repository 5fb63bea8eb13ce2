/* SPDX-License-Identifier: GPL-2.0 */
/* A process of any program ends by exit_group(2), as if it had come to its end by itself. */
#ifndef KREG_SEEDS_EXIT_AS_H
#define KREG_SEEDS_EXIT_AS_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

/* With PTRACE_O_TRACESYSGOOD, that it stopped where a system call begins or ends. */
#define AT_SYSCALL	(SIGTRAP | 0x80)

/* On x86-64: the system call that the stopped process @pid begins is this one instead. */
static inline bool set_exit(pid_t pid, int code)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return false;
	regs.orig_rax = SYS_exit_group;
	regs.rdi = (unsigned int)code;
	return !ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}

/* Let it go on to where it begins its next system call; signals reach it on its way. */
static inline bool run_to_syscall(pid_t pid)
{
	int status, sig = 0;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == AT_SYSCALL)
			return true;
		sig = status >> 16 ? 0 : WSTOPSIG(status);
		if (ptrace(PTRACE_SYSCALL, pid, NULL, sig))
			return false;
	}
	return false;
}

/*
 * Return: whether it does so. Its parent sees that it has exited with @code, and nothing that the
 * program does at its end has been done.
 */
static inline bool exit_as(pid_t pid, int code)
{
	bool done = !ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD) &&
		    !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) && run_to_syscall(pid) &&
		    set_exit(pid, code);

	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return done;
}

#endif /* KREG_SEEDS_EXIT_AS_H */

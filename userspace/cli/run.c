/* SPDX-License-Identifier: GPL-2.0-only */
/* Start a program that finds its table in KREG_TABLE, and tell how it has ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* Returns only if the program cannot be run. */
int run_exec(char **argv, const char *table)
{
	if (setenv("KREG_TABLE", table, 1))
		return errno;
	execvp(argv[0], argv);
	return errno;
}

/* As shells do. */
int run_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

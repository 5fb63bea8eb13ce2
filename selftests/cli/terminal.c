// SPDX-License-Identifier: GPL-2.0
/*
 * terminal - run a command in a terminal of 24 lines of 80 columns, for shell tests.
 *
 *   terminal COMMAND...
 *
 * What the terminal is sent comes out as it is, and the exit status is that of the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Without the carriage returns that a terminal is sent for line feeds. */
static int shape(int fd)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios how;

	if (tcgetattr(fd, &how))
		return -1;
	how.c_oflag &= ~OPOST;
	return tcsetattr(fd, TCSANOW, &how) || ioctl(fd, TIOCSWINSZ, &size) ? -1 : 0;
}

static void become(int fd, char **argv)
{
	setsid();
	ioctl(fd, TIOCSCTTY, 0);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Until nobody has the terminal open any more. */
static void copy(int from)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
}

int main(int argc, char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd, status;
	pid_t pid;

	if (argc < 2 || master < 0 || grantpt(master) || unlockpt(master))
		return 4;
	fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || shape(fd))
		return 4;
	pid = fork();
	if (!pid)
		become(fd, argv + 1);
	close(fd);
	copy(master);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 4;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

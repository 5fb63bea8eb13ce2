/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of hitless-server: sends lines of a session, one when the one before is answered, and
 * checks that the server has forgotten none. If the connection breaks it connects again. When the
 * session has so many lines, or with the next line after SIGTERM, it ends, and tells how long it
 * had to wait at most.
 *
 *	hitless-client SESSION LINES
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static FILE *connect_again(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(8090),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		usleep(1000);
		fd = socket(AF_INET, SOCK_STREAM, 0);
	}
	return fdopen(fd, "r+");
}

/* Return: the number of lines that the server has counted; 0: the connection is broken. */
static unsigned long ask(FILE *server, const char *session, char *version)
{
	char answer[128];
	unsigned long count;

	/* The first line of a connection says which session it is; any other would do after it. */
	if (send(fileno(server), session, strlen(session), MSG_NOSIGNAL) < 0 ||
	    !fgets(answer, sizeof(answer), server) ||
	    sscanf(answer, "%*[^:]: line %lu, version %15s", &count, version) != 2)
		return 0;
	return count;
}

int main(int argc, char **argv)
{
	unsigned long lines, count, last = 0, again, broken = 0;
	double began, longest = 0;
	char version[16], line[64];
	FILE *server;
	int ending = 0;

	if (argc != 3)
		return 2;
	snprintf(line, sizeof(line), "%s\n", argv[1]);
	signal(SIGTERM, on_signal);
	server = connect_again();
	/* The session may have had lines before. */
	for (lines = strtoul(argv[2], NULL, 10); last < lines && !ending; last = count) {
		ending = stopped;
		began = now_ms();
		for (again = 0; !(count = ask(server, line, version)); again++) {
			fclose(server);
			server = connect_again();
		}
		longest = now_ms() - began > longest ? now_ms() - began : longest;
		broken += again;
		/* What was asked again may have been counted each time before, too. */
		if (last && (count <= last || count > last + 1 + again)) {
			printf("%s: line %lu was followed by line %lu\n", argv[1], last, count);
			return 1;
		}
	}
	printf("%s: line %lu by version %s, none forgotten\n", argv[1], last, version);
	printf("%s: broken %lu times, waited at most %.1f ms\n", argv[1], broken, longest);
	return 0;
}

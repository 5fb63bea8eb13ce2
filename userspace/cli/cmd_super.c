/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg super: look at a supervisor, and ask it for something. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "super.h"

static const struct option options[] = {
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

/* In words; @child may have died a moment ago. */
static const char *state_of(const struct super_child *child)
{
	if (child->process.pid)
		return *child->phase ? child->phase : "ready";
	if (*child->phase)
		return "dead";
	return !strcmp(child->want, "stop") ? "stopped" :
	       !strcmp(child->want, "ended") ? "ended" : "down";
}

static void child_json(const struct super_child *c)
{
	json_begin(stdout);
	json_text("child", c->id);
	json_text("state", state_of(c));
	if (c->process.pid)
		json_number("pid", c->process.pid);
	else
		json_null("pid");
	json_number("restarts", c->restarts);
	json_text("status", c->status);
	json_end();
}

static void show_child(const struct super_child *c)
{
	char pid[16] = "-";

	if (c->process.pid)
		snprintf(pid, sizeof(pid), "%d", c->process.pid);
	bytes_print(c->id, strlen(c->id), stdout);
	printf("\t%s\t%s\t%llu\t", state_of(c), pid, (unsigned long long)c->restarts);
	bytes_print(c->status, strlen(c->status), stdout);
	putchar('\n');
}

static void show_head(struct kreg_table *table)
{
	struct kreg_process process = super_process(table);

	if (process.pid)
		printf("supervisor: process %d\n", process.pid);
	else
		printf("supervisor: none; its children go on\n");
	printf("CHILD\tSTATE\tPID\tRESTARTS\tSTATUS\n");
}

static int show_status(struct kreg_table *table, const char *only)
{
	struct super_child *children;
	size_t count, i, shown = 0;
	int ret = super_read(table, &children, &count);

	if (ret)
		return fail(ret);
	if (!json && !only)
		show_head(table);
	for (i = 0; i < count; i++) {
		if (only && strcmp(only, children[i].id))
			continue;
		shown++;
		if (json)
			child_json(&children[i]);
		else
			show_child(&children[i]);
	}
	free(children);
	if (only && !shown)
		return fail_text(EXIT_MISSING, "there is no child '%s'", only);
	return finish_output();
}

/* Words, each with a NUL byte behind it. Return: the length, or 0: too long. */
static size_t join_words(const char *what, char *const *words, char *buf, size_t room)
{
	size_t len = snprintf(buf, room, "%s", what) + 1;

	for (; *words; words++) {
		if (len + strlen(*words) + 1 > room)
			return 0;
		len += snprintf(buf + len, room - len, "%s", *words) + 1;
	}
	return len;
}

static int ask(struct kreg_table *table, const char *what, char *const *words, int64_t ms)
{
	static char request[KREG_MAX_MESSAGE], reply[KREG_MAX_MESSAGE + 1];
	size_t len = join_words(what, words, request, sizeof(request));
	struct kreg_peer *peer;
	int ret;

	if (!len)
		usage("the arguments are too long");
	ret = kreg_peer_open(table, SUPER_CONTROL, strlen(SUPER_CONTROL), &peer);
	if (ret)
		return fail(ret);
	ret = kreg_call(peer, request, len, reply, KREG_MAX_MESSAGE, &len, ms);
	kreg_peer_close(peer);
	if (ret == -ESRCH)
		return fail_text(EXIT_MISSING, "nobody supervises this: start 'kreg supervise'");
	if (ret)
		return fail(ret);
	if (!len || !reply[0])
		return EXIT_OK;
	reply[len] = '\0';
	return fail_text(reply[0], "%s", reply + 1);
}

/* Until its supervisor is gone. */
static int shut_down(struct kreg_table *table, char *const *none, int64_t ms)
{
	struct pollfd p = { .events = POLLIN };
	int ret;

	p.fd = kreg_whereis_pidfd(table, SUPER_CONTROL, strlen(SUPER_CONTROL), NULL);
	ret = ask(table, "shutdown", none, ms);
	if (!ret && p.fd >= 0 && !poll(&p, 1, ms < 0 || ms > 1 << 30 ? -1 : ms))
		ret = fail_text(EXIT_BUSY, "its children are not stopped in time");
	if (p.fd >= 0)
		close(p.fd);
	return ret;
}

/* What can be asked for, and how many words follow the name of the supervisor. */
static const struct request {
	const char *what;
	int min, max;
} requests[] = {
	{ "status", 0, 1 }, { "start", 1, 250 }, { "stop", 1, 1 }, { "restart", 1, 1 },
	{ "reload", 0, 0 }, { "shutdown", 0, 0 },
};

static const struct request *find_request(const char *what)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].what, what))
			return &requests[i];
	usage("there is no request '%s'", what);
}

static int act(const struct request *request, char *const *words, int64_t ms)
{
	char *none = NULL;
	struct kreg_table *table;
	int ret = super_open(words[0], &table);

	if (ret)
		return ret;
	if (!strcmp(request->what, "status"))
		ret = show_status(table, words[1]);
	else if (!strcmp(request->what, "shutdown"))
		ret = shut_down(table, &none, ms);
	else
		ret = ask(table, request->what, words + 1, ms);
	close_table(table);
	return ret;
}

static int run(int argc, char **argv)
{
	const struct request *request;
	int64_t ms = -1;
	uint64_t n;

	while (next_option(argc, argv, "t:", options) != -1) {
		if (parse_time_ms(optarg, &n))
			usage("'%s' is no time: 500ms, 30s, 10m, 2h, 1d", optarg);
		ms = n;
	}
	need_args(argc, 1, -1);
	if (!strcmp(argv[optind], "tree")) {
		need_args(argc, 1, 1);
		return super_tree();
	}
	request = find_request(argv[optind]);
	need_args(argc, 2 + request->min, 2 + request->max);
	return act(request, argv + optind + 1, ms);
}

const struct command cmd_super = {
	.name = "super",
	.args = "[--timeout TIME] REQUEST [NAME [CHILD...]]",
	.summary = "look at supervisors, and ask them for something",
	.help = "NAME is that of the file of 'kreg supervise'. Requests:\n\n"
		"  status NAME [CHILD]   its children, also if nobody supervises them now\n"
		"  start NAME CHILD      start one that was stopped or has ended\n"
		"  start NAME TEMPLATE CHILD [ARGUMENT]...\n"
		"                        start one more, as the template of the file says\n"
		"  stop NAME CHILD       stop one, until it is started again\n"
		"  restart NAME CHILD    stop one and start it\n"
		"  reload NAME           read the file anew, and keep what has not changed\n"
		"  shutdown NAME         stop all, last first\n"
		"  tree                  who supervises, owns, inherits and stands by\n\n"
		"  -t, --timeout TIME    wait at most so long: 500ms, 30s, 10m",
	.run = run,
};

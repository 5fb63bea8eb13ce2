/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg monitor: wait for the deaths of processes, and tell how each died. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd.h"

static const struct option options[] = {
	{ "owner", no_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

struct monitored {
	struct monitor *monitor;
	const char *table;		/* whose owner it is; NULL: given by its pid */
	struct kreg_process process;
	char comm[32];			/* which cannot be asked for when it is dead */
	struct kreg_ref *ref;
	int code;			/* to exit with */
};

struct monitor {
	struct kreg_client *client;
	struct monitored *all;
	int count;
	int left;			/* alive */
	int64_t timeout_ms;
};

static void say_json(const struct kreg_event *event, const struct monitored *m,
		     const int *status)
{
	json_begin(stdout);
	json_number("time_ms", event_time_ms(event));
	json_text("event", "down");
	if (m->table)
		json_text("table", m->table);
	if (m->process.pid)
		json_number("pid", m->process.pid);
	if (*m->comm)
		json_text("command", m->comm);
	json_text("cause", kreg_event_cause(event) == KREG_CAUSE_DEATH ? "death" : "noproc");
	if (status && WIFSIGNALED(*status))
		json_number("signal", WTERMSIG(*status));
	else if (status)
		json_number("exit", WEXITSTATUS(*status));
	if (status)
		json_signed("status", *status);
	json_number("monotonic_ns", kreg_event_time_ns(event));
	json_end();
}

static void print_text(const char *text)
{
	bool keep = hex;

	hex = false;
	bytes_print(text, strlen(text), stdout);
	hex = keep;
}

static void print_process(const struct monitored *m)
{
	char text[64];

	if (*m->comm)
		snprintf(text, sizeof(text), "%u (%s)", m->process.pid, m->comm);
	else
		text_proc(m->process.pid, text, sizeof(text));
	print_text(text);
}

static void say(const struct kreg_event *event, const struct monitored *m, const int *status)
{
	bool nobody = m->table && !m->process.cookie;
	char text[64];

	text_clock(event_time_ms(event), text, sizeof(text));
	printf("%s  ", text);
	if (m->table) {
		print_text(m->table);
		printf(nobody ? ": nobody owns it\n" : ": owner ");
	}
	if (nobody)
		return;
	print_process(m);
	if (status)
		text_end(*status, text, sizeof(text));
	else
		snprintf(text, sizeof(text), kreg_event_cause(event) == KREG_CAUSE_DEATH ?
			 "died" : "was dead already");
	printf(" %s\n", text);
}

static void on_down(const struct kreg_event *event, void *arg)
{
	struct monitored *m = arg;
	int status;
	bool known = kreg_event_status(event, &status);

	m->monitor->left--;
	if (!m->process.cookie)
		m->process = kreg_event_process(event);
	if (json)
		say_json(event, m, known ? &status : NULL);
	else
		say(event, m, known ? &status : NULL);
	fflush(stdout);
	if (known)
		m->code = run_exit_code(status);
	else if (kreg_event_cause(event) == KREG_CAUSE_NOPROC)
		m->code = EXIT_MISSING;
}

static int set_one(struct monitor *monitor, struct monitored *m, const char *arg)
{
	uint64_t pid = 0;
	int ret;

	m->monitor = monitor;
	if (m->table) {
		ret = kreg_monitor_owner_name(monitor->client, arg, on_down, m, &m->ref);
	} else {
		parse_number(arg, INT32_MAX, &pid);
		ret = kreg_monitor_pid(monitor->client, pid, on_down, m, &m->ref);
	}
	if (ret)
		return fail(ret);
	m->process = kreg_ref_process(m->ref);
	if (m->process.pid)
		text_comm(m->process.pid, m->comm, sizeof(m->comm));
	monitor->left++;
	return 0;
}

static int timed_out(const struct monitor *monitor)
{
	return fail_text(EXIT_BUSY, "%d of %d %s alive after this time", monitor->left,
			 monitor->count, monitor->left == 1 ? "is" : "are");
}

static int wait_all(struct monitor *monitor)
{
	uint64_t end = kreg_deadline(monitor->timeout_ms), now;
	int64_t ms = -1;
	int ret;

	while (monitor->left) {
		now = kreg_deadline(0);
		if (end)
			ms = now < end ? (end - now + 999999) / 1000000 : 0;
		ret = kreg_client_dispatch(monitor->client, ms);
		if (ret < 0 && ret != -EINTR)
			return fail(ret);
		if (!ret && !ms)
			return timed_out(monitor);
	}
	return monitor->all[monitor->count - 1].code;
}

static bool parse(int argc, char **argv, struct monitor *monitor)
{
	bool owner = false;
	uint64_t n;
	int c, i;

	while ((c = next_option(argc, argv, "ot:", options)) != -1) {
		if (c == 'o')
			owner = true;
		if (c == 't') {
			if (parse_time_ms(optarg, &n))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			monitor->timeout_ms = n;
		}
	}
	need_args(argc, 1, -1);
	for (i = optind; i < argc && !owner; i++)
		if (parse_number(argv[i], INT32_MAX, &n) || !n)
			usage("'%s' is no process id; names of tables go with --owner", argv[i]);
	return owner;
}

static int run(int argc, char **argv)
{
	struct monitor monitor = { .timeout_ms = -1 };
	bool owner = parse(argc, argv, &monitor);
	int i, ret;

	ret = open_client(&monitor.client);
	if (ret)
		return ret;
	monitor.count = argc - optind;
	monitor.all = calloc(monitor.count, sizeof(*monitor.all));
	if (!monitor.all)
		ret = fail_text(EXIT_ERROR, "no memory");
	for (i = 0; i < monitor.count && !ret; i++) {
		monitor.all[i].table = owner ? argv[optind + i] : NULL;
		ret = set_one(&monitor, &monitor.all[i], argv[optind + i]);
	}
	if (!ret)
		ret = wait_all(&monitor);
	for (i = 0; monitor.all && i < monitor.count; i++)
		kreg_ref_cancel(monitor.all[i].ref);
	free(monitor.all);
	kreg_client_close(monitor.client);
	i = finish_output();
	return ret ? ret : i;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.args = "[--timeout TIME] PID... | --owner NAME...",
	.summary = "wait for processes to die, and tell how",
	.help = "Wait until processes are dead, and tell how each died, a line each. They need not\n"
		"know of kreg. The exit status is that of the process that was named last, or 128\n"
		"and the signal that killed it; 0 if the kernel does not tell, as of other users'\n"
		"processes; 3 if there was none.\n\n"
		"  -o, --owner         names of tables are given: wait for their owners\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m",
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg monitor: wait for the deaths of processes, and tell how each died. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd.h"

static const struct option options[] = {
	{ "key", no_argument, NULL, 'k' },
	{ "owner", no_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

struct monitored {
	struct monitor *monitor;
	const char *table;		/* whose owner or holder it is; NULL: given by its pid */
	bool has_key;			/* and so is the holder of a key */
	struct kreg_process process;
	char comm[32];			/* which cannot be asked for when it is dead */
	struct kreg_ref *ref;
	int code;			/* to exit with */
};

struct monitor {
	struct kreg_client *client;
	struct kreg_table *table;	/* of the keys, which has the client then; or NULL */
	struct monitored *all;
	int count;
	int left;			/* alive */
	int64_t timeout_ms;
};

static void json_key(const struct kreg_event *event)
{
	size_t len;
	const void *key = kreg_event_key(event, &len);

	json_bytes("key", key, len);
}

static void say_json(const struct kreg_event *event, const struct monitored *m,
		     const int *status)
{
	json_begin(stdout);
	json_number("time_ms", event_time_ms(event));
	json_text("event", "down");
	if (m->table)
		json_text("table", m->table);
	if (m->has_key)
		json_key(event);
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

/* As what it was found. False: there is nobody. */
static bool print_found(const struct kreg_event *event, const struct monitored *m)
{
	bool nobody = !m->process.cookie;
	const void *key;
	size_t len;

	if (!m->table)
		return true;
	print_text(m->table);
	printf(": ");
	if (m->has_key) {
		key = kreg_event_key(event, &len);
		bytes_print(key, len, stdout);
		printf(nobody ? ", no process has it\n" : ", process ");
	} else {
		printf(nobody ? "nobody owns it\n" : "owner ");
	}
	return !nobody;
}

static void say(const struct kreg_event *event, const struct monitored *m, const int *status)
{
	char text[64];

	text_clock(event_time_ms(event), text, sizeof(text));
	printf("%s  ", text);
	if (!print_found(event, m))
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

static int monitor_key(struct kreg_table *table, struct monitored *m, const char *arg)
{
	struct bytes key = bytes_arg(arg);
	int ret = kreg_registry_monitor(table, key.data, key.len, on_down, m, &m->ref);

	bytes_free(&key);
	return ret;
}

static int set_one(struct monitor *monitor, struct monitored *m, const char *arg)
{
	uint64_t pid = 0;
	int ret;

	m->monitor = monitor;
	if (m->has_key) {
		ret = monitor_key(monitor->table, m, arg);
	} else if (m->table) {
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

/* What the arguments are. */
static int parse(int argc, char **argv, struct monitor *monitor)
{
	int what = 0, c, i;
	uint64_t n;

	while ((c = next_option(argc, argv, "kot:", options)) != -1) {
		if (c == 'k' || c == 'o') {
			if (what && what != c)
				usage("only one of --key and --owner");
			what = c;
		}
		if (c == 't') {
			if (parse_time_ms(optarg, &n))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			monitor->timeout_ms = n;
		}
	}
	need_args(argc, what == 'k' ? 2 : 1, -1);
	for (i = optind + 1; i < argc && what == 'k'; i++)
		if (!*argv[i])
			usage("the key is empty");
	for (i = optind; i < argc && !what; i++)
		if (parse_number(argv[i], INT32_MAX, &n) || !n)
			usage("'%s' is no process id; names of tables go with --owner", argv[i]);
	return what;
}

/* Behind the name of their table come the keys. */
static int open_monitor(struct monitor *monitor, const char *table)
{
	int ret;

	if (!table)
		return open_client(&monitor->client);
	ret = open_table(table, &monitor->table);
	if (!ret)
		monitor->client = kreg_table_client(monitor->table);
	return ret;
}

static void close_monitor(struct monitor *monitor)
{
	int i;

	for (i = 0; monitor->all && i < monitor->count; i++)
		kreg_ref_cancel(monitor->all[i].ref);
	free(monitor->all);
	if (monitor->table)
		close_table(monitor->table);
	else
		kreg_client_close(monitor->client);
}

static int set_all(struct monitor *monitor, char **args, int what, const char *table)
{
	struct monitored *m;
	int ret = 0, i;

	monitor->all = calloc(monitor->count, sizeof(*monitor->all));
	if (!monitor->all)
		return fail_text(EXIT_ERROR, "no memory");
	for (i = 0; i < monitor->count && !ret; i++) {
		m = &monitor->all[i];
		m->table = what == 'o' ? args[i] : table;
		m->has_key = table;
		ret = set_one(monitor, m, args[i]);
	}
	return ret;
}

static int run(int argc, char **argv)
{
	struct monitor monitor = { .timeout_ms = -1 };
	int what = parse(argc, argv, &monitor), ret, end;
	const char *table = what == 'k' ? argv[optind++] : NULL;

	ret = open_monitor(&monitor, table);
	if (ret)
		return ret;
	monitor.count = argc - optind;
	ret = set_all(&monitor, argv + optind, what, table);
	if (!ret)
		ret = wait_all(&monitor);
	close_monitor(&monitor);
	end = finish_output();
	return ret ? ret : end;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.args = "[--timeout TIME] PID... | --owner NAME... | --key NAME KEY...",
	.summary = "wait for processes to die, and tell how",
	.help = "Wait until processes are dead, and tell how each died, a line each. They need\n"
		"not know of kreg. The exit status is that of the process that was named last,\n"
		"or 128 and the signal that killed it; 0 if the kernel does not tell, as of\n"
		"other users' processes; 3 if there was none.\n\n"
		"  -k, --key           keys of a table are given: wait for the processes they are\n"
		"                      bound to\n"
		"  -o, --owner         names of tables are given: wait for their owners\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m",
	.run = run,
};

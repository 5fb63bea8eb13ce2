/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg watch: tell what happens to tables, and what comes to its own mailbox. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

static const struct option options[] = {
	{ "kinds", required_argument, NULL, 'k' },
	{ "present", no_argument, NULL, 'p' },
	{ "count", required_argument, NULL, 'c' },
	{ "timeout", required_argument, NULL, 't' },
	{ "accept", no_argument, NULL, 'a' },
	COMMON_LONG_OPTIONS
};

static volatile sig_atomic_t over;

static void on_signal(int sig)
{
	(void)sig;
	over = 1;
}

/* They come only while the command waits; @waiting is the mask for that. */
static void catch_signals(sigset_t *waiting)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;
	int sig;

	ending_signals(&blocked);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	for (sig = 1; sig < NSIG; sig++) {
		if (sigismember(&blocked, sig) != 1)
			continue;
		sigaction(sig, &sa, NULL);
		sigdelset(waiting, sig);
	}
}

static int remember_gift(struct watch *w, uint64_t id)
{
	uint64_t *more = realloc(w->gifts, (w->n_gifts + 1) * sizeof(*more));

	if (!more)
		return fail_text(EXIT_ERROR, "no memory");
	w->gifts = more;
	w->gifts[w->n_gifts++] = id;
	return 0;
}

/* Tables that this command was given or has inherited must not be destroyed by its exit. */
static void park_gifts(struct watch *w)
{
	struct kreg_table *table;
	size_t i;

	for (i = 0; i < w->n_gifts; i++) {
		if (kreg_table_by_id(w->client, w->gifts[i], &table))
			continue;
		kreg_table_park(table);
		kreg_table_close(table);
	}
	free(w->gifts);
}

/* What is no subscription's: a table for this command. */
static void on_transfer(const struct kreg_event *event, void *arg)
{
	struct watch *w = arg;
	char name[KREG_MAX_NAME + 1];
	size_t len;

	if (kreg_event_kind(event) != KREG_EVENT_TRANSFER)
		return;
	if (kreg_event_name(event, name, sizeof(name), &len) || !len)
		snprintf(name, sizeof(name), "#%" PRIu64, kreg_event_table(event));
	watch_say(w, name, event);
	/* The table is to be parked even if no more lines are to be printed. */
	if (remember_gift(w, kreg_event_table(event)))
		w->lines_left = 0;
}

static void on_change(const struct kreg_event *event, void *arg)
{
	struct watched *t = arg;

	watch_say(t->watch, t->name, event);
	if (kreg_event_kind(event) == KREG_EVENT_GONE)
		t->watch->left--;
}

static int subscribe(struct watch *w, struct watched *t)
{
	unsigned int flags = w->present ? KREG_SUBSCRIBE_PRESENT : 0;
	int ret = kreg_table_open(w->client, t->name, NULL, &t->table);

	if (!ret)
		ret = kreg_subscribe(t->table, w->kinds, flags, 0, on_change, t, &t->ref);
	return ret ? fail(ret) : 0;
}

/* NULL: no end. */
static const struct timespec *time_left(const struct watch *w, struct timespec *left)
{
	uint64_t now = kreg_deadline(0), ns = w->end_ns > now ? w->end_ns - now : 0;

	*left = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	return w->end_ns ? left : NULL;
}

static int loop(struct watch *w, const sigset_t *waiting)
{
	struct pollfd readable = { .fd = kreg_client_fd(w->client), .events = POLLIN };
	struct timespec left;
	int ret;

	while (!over && w->lines_left && (w->left || !w->count)) {
		ret = ppoll(&readable, 1, time_left(w, &left), waiting);
		if (!ret)
			break;
		if (ret < 0 && errno != EINTR)
			return fail_text(EXIT_ERROR, "poll: %s", strerror(errno));
		ret = kreg_client_dispatch(w->client, 0);
		if (ret < 0)
			return fail(ret);
	}
	return 0;
}

static void parse(int argc, char **argv, struct watch *w)
{
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "k:pc:t:a", options)) != -1) {
		if (c == 'k' && watch_parse_kinds(optarg, &w->kinds))
			usage("'%s' are no kinds: create,update,delete,exit,expired,clear,owner,publish",
			      optarg);
		if (c == 'c' && (parse_number(optarg, UINT64_MAX - 1, &w->lines_left) ||
				 !w->lines_left))
			usage("'%s' is no number of lines", optarg);
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			w->end_ns = kreg_deadline(ms);
		}
		w->present |= c == 'p';
		w->accept |= c == 'a';
	}
}

static int begin(struct watch *w, char **names)
{
	int i, ret = w->accept ? kreg_client_set_accept(w->client, true) : 0;

	if (ret)
		return fail(ret);
	kreg_client_set_handler(w->client, on_transfer, w);
	if (!w->count)
		note("the mailbox of process %d; 'kreg give NAME %d' sends a table", getpid(),
		     getpid());
	w->tables = calloc(w->count + 1, sizeof(*w->tables));
	if (!w->tables)
		return fail_text(EXIT_ERROR, "no memory");
	for (i = 0; i < w->count && !ret; i++) {
		w->tables[i] = (struct watched){ .watch = w, .name = names[i] };
		ret = subscribe(w, &w->tables[i]);
	}
	w->left = w->count;
	return ret;
}

static void end(struct watch *w)
{
	int i;

	for (i = 0; w->tables && i < w->count; i++) {
		kreg_ref_cancel(w->tables[i].ref);
		kreg_table_close(w->tables[i].table);
	}
	free(w->tables);
	park_gifts(w);
	kreg_client_close(w->client);
}

static int run(int argc, char **argv)
{
	struct watch w = { .kinds = KREG_SUBSCRIBE_KINDS, .lines_left = UINT64_MAX };
	sigset_t waiting;
	int ret;

	parse(argc, argv, &w);
	ret = open_client(&w.client);
	if (ret)
		return ret;
	catch_signals(&waiting);
	w.count = argc - optind;
	ret = begin(&w, argv + optind);
	if (!ret)
		ret = loop(&w, &waiting);
	end(&w);
	return ret ? ret : finish_output();
}

const struct command cmd_watch = {
	.name = "watch",
	.args = "[OPTION]... [NAME]...",
	.summary = "tell what happens to tables",
	.help = "Tell what happens to tables, a line each: what is written, removed and\n"
		"published, processes that have keys and exit, changes of the owner, and the end\n"
		"of the table, with which this command ends. Tells also of tables that it is\n"
		"given or inherits, with the cause; it parks them in the end.\n\n"
		"  -k, --kinds LIST     only these:\n"
		"                       create,update,delete,exit,expired,clear,owner,publish\n"
		"  -p, --present        first what is there, each as 'create', then 'ready'\n"
		"  -c, --count N        end after N lines\n"
		"  -t, --timeout TIME   end after this time\n"
		"  -a, --accept         let other users give tables to this command",
	.run = run,
};

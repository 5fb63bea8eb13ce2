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
	{ "interval", required_argument, NULL, 'i' },
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

/* Without SA_RESTART, so that a signal ends poll(2). */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
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

static void on_event(const struct kreg_event *event, void *arg)
{
	struct watch *w = arg;

	/* The table is to be parked even if no more lines are to be printed. */
	if (w->lines_left)
		watch_say_event(w, event);
	if (remember_gift(w, kreg_event_table(event)))
		w->lines_left = 0;
}

static int look_at_all(struct watch *w, const struct pollfd *polled)
{
	int i, ret = 0;

	for (i = 0; i < w->count && !ret && w->lines_left; i++)
		ret = watch_look(w, &w->tables[i], polled && polled[i + 1].revents);
	return ret;
}

/* Milliseconds until the next look at the tables or the end, at most an hour. */
static int poll_timeout(const struct watch *w)
{
	uint64_t ms = w->count ? w->interval_ms : 3600000;
	uint64_t now = kreg_deadline(0);

	if (w->end_ns && (w->end_ns <= now || (w->end_ns - now) / 1000000 < ms))
		ms = w->end_ns <= now ? 0 : (w->end_ns - now) / 1000000 + 1;
	return ms > 3600000 ? 3600000 : ms;
}

static int loop(struct watch *w, struct pollfd *polled)
{
	int i, ret;

	ret = look_at_all(w, NULL);
	while (!ret && !over && w->lines_left && (!w->end_ns || kreg_deadline(0) < w->end_ns)) {
		polled[0] = (struct pollfd){ kreg_client_fd(w->client), POLLIN, 0 };
		for (i = 0; i < w->count; i++)
			polled[i + 1] = (struct pollfd){ w->tables[i].pidfd, POLLIN, 0 };
		if (poll(polled, w->count + 1, poll_timeout(w)) < 0) {
			if (errno != EINTR)
				return fail_text(EXIT_ERROR, "poll: %s", strerror(errno));
			continue;
		}
		ret = kreg_client_dispatch(w->client, 0);
		ret = ret < 0 ? fail(ret) : look_at_all(w, polled);
	}
	return ret;
}

static void parse(int argc, char **argv, struct watch *w, bool *accept)
{
	uint64_t ms;
	int c;

	while ((c = next_option(argc, argv, "i:c:t:a", options)) != -1) {
		if (c == 'i' && (parse_time_ms(optarg, &w->interval_ms) || !w->interval_ms))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
		if (c == 'c' && (parse_number(optarg, UINT64_MAX - 1, &w->lines_left) ||
				 !w->lines_left))
			usage("'%s' is no number of lines", optarg);
		if (c == 't') {
			if (parse_time_ms(optarg, &ms))
				usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
			w->end_ns = kreg_deadline(ms);
		}
		if (c == 'a')
			*accept = true;
	}
}

static int watch(struct watch *w, char **names, bool accept)
{
	struct pollfd *polled = calloc(w->count + 1, sizeof(*polled));
	int i, ret;

	w->tables = calloc(w->count + 1, sizeof(*w->tables));
	if (!polled || !w->tables) {
		ret = fail_text(EXIT_ERROR, "no memory");
		goto out;
	}
	for (i = 0; i < w->count; i++)
		w->tables[i] = (struct watched){ .name = names[i], .pidfd = -1 };
	ret = accept ? kreg_client_set_accept(w->client, true) : 0;
	if (ret) {
		ret = fail(ret);
		goto out;
	}
	kreg_client_set_handler(w->client, on_event, w);
	if (!w->count)
		note("the mailbox of process %d; 'kreg give NAME %d' sends a table", getpid(),
		     getpid());
	catch_signals();
	ret = loop(w, polled);
	park_gifts(w);
	for (i = 0; i < w->count; i++)
		if (w->tables[i].pidfd >= 0)
			close(w->tables[i].pidfd);
out:
	free(polled);
	free(w->tables);
	return ret;
}

static int run(int argc, char **argv)
{
	struct watch w = { .interval_ms = 1000, .lines_left = UINT64_MAX };
	bool accept = false;
	int ret;

	parse(argc, argv, &w, &accept);
	ret = open_client(&w.client);
	if (ret)
		return ret;
	w.count = argc - optind;
	ret = watch(&w, argv + optind, accept);
	kreg_client_close(w.client);
	return ret ? ret : finish_output();
}

const struct command cmd_watch = {
	.name = "watch",
	.args = "[OPTION]... [NAME]...",
	.summary = "tell what happens to tables",
	.help = "Tell what happens to tables, a line each: the death of an owner at once, gifts,\n"
		"claims and destruction within the interval. Tells also of tables that this\n"
		"command itself is given or inherits, with the cause; it parks them in the end.\n\n"
		"  -i, --interval TIME  how often to look: 1s (default)\n"
		"  -c, --count N        end after N lines\n"
		"  -t, --timeout TIME   end after this time\n"
		"  -a, --accept         let other users give tables to this command",
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg queue: push jobs, work on them, look at them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

static const struct option options[] = {
	{ "delay", required_argument, NULL, 'd' },
	{ "file", required_argument, NULL, 'f' },
	{ "deadline", required_argument, NULL, 'D' },
	{ "most", required_argument, NULL, 'm' },
	{ "retry", required_argument, NULL, 'r' },
	{ "drain", no_argument, NULL, 'n' },
	COMMON_LONG_OPTIONS
};

struct wish {
	uint64_t delay_ms;
	uint64_t retry_ms;
	const char *file;
	bool drain;
	struct kreg_queue_options options;
	struct kreg_table *table;
	struct kreg_queue *queue;
	const char *name;
	char **args;		/* behind the name */
	struct work work;
	sigset_t wait_mask;
};

static uint64_t time_arg(const char *text, uint64_t most)
{
	uint64_t ms;

	if (parse_time_ms(text, &ms) || ms > most)
		usage("'%s' is no time: a number with ms, s, m, h or d", text);
	return ms;
}

static void set_wish(struct wish *w, int option)
{
	uint64_t n;

	switch (option) {
	case 'd':
		w->delay_ms = time_arg(optarg, INT64_MAX);
		break;
	case 'r':
		w->retry_ms = time_arg(optarg, INT64_MAX);
		break;
	case 'D':
		w->options.lease_ms = time_arg(optarg, UINT32_MAX - 1);
		break;
	case 'm':
		if (parse_number(optarg, UINT32_MAX, &n) || !n)
			usage("'%s' is no number of times", optarg);
		w->options.max_deliveries = n;
		break;
	case 'f':
		w->file = optarg;
		break;
	case 'n':
		w->drain = true;
		break;
	}
}

static int push(struct wish *w)
{
	struct bytes value = { 0 };
	int ret = 0;

	if (!!w->args[0] == !!w->file || (w->args[0] && w->args[1]))
		usage("a job is one value, '-', or --file FILE");
	if (w->args[0] && strcmp(w->args[0], "-"))
		value = bytes_arg(w->args[0]);
	else
		ret = bytes_value(w->file ? w->file : "-", &value);
	if (!ret) {
		ret = kreg_queue_push(w->queue, value.data, value.len, w->delay_ms);
		ret = ret ? fail(ret) : 0;
	}
	bytes_free(&value);
	return ret;
}

/* What was not done is there for the next one, or after some time. */
static int end_job(struct wish *w, struct kreg_job *job, int status)
{
	int ret = status ? kreg_job_back(job, w->retry_ms) : kreg_job_done(job);

	if (ret == -ECANCELED) {
		note("the command has ended after the time of its job");
		return 0;
	}
	return ret ? fail(ret) : 0;
}

static int work_on(struct wish *w, struct kreg_job *job)
{
	struct work *work = &w->work;
	size_t len;
	const void *value = kreg_job_value(job, &len);
	int ret;

	work->loans = kreg_job_deliveries(job);
	ret = work_input(work, value, len);
	if (ret) {
		end_job(w, job, ret);
		return ret;
	}
	ret = work_run(work);
	/* Not by the exit code: a command that has run may end with the same one. */
	if (!work->started) {
		end_job(w, job, ret);
		return ret;
	}
	if (ret)
		note("the command has failed with status %d", ret);
	return end_job(w, job, ret);
}

static int work(struct wish *w)
{
	struct kreg_job *job;
	int ret = 0;

	while (!ret && !work_is_asked(&w->work)) {
		ret = kreg_queue_take(w->queue, w->drain ? 0 : -1, &job);
		if (ret == -ETIMEDOUT)
			return 0;
		if (ret == -EINTR)
			ret = 0;
		else
			ret = ret ? fail(ret) : work_on(w, job);
	}
	return ret;
}

/* A signal that comes before a wait is seen before it, or ends it. */
static void prepare_work(struct wish *w)
{
	w->work = (struct work){ .input = -1, .table = w->name, .argv = w->args + 1 };
	if (!w->args[0] || strcmp(w->args[0], "--") || !w->args[1])
		usage("there is no command behind --");
	work_take_signals(&w->work);
	work_wait_mask(&w->work, &w->wait_mask);
	w->options.sigmask = &w->wait_mask;
}

static int list(struct wish *w)
{
	struct kreg_queue_counts c = KREG_QUEUE_COUNTS_INIT;
	int ret = kreg_queue_count(w->queue, &c);

	if (ret)
		return fail(ret);
	if (json) {
		json_begin(stdout);
		json_number("due", c.due);
		json_number("delayed", c.delayed);
		json_number("lent", c.lent);
		json_number("dead", c.dead);
		json_end();
	} else {
		printf("due\t%" PRIu64 "\ndelayed\t%" PRIu64 "\n", c.due, c.delayed);
		printf("at work\t%" PRIu64 "\ndead\t%" PRIu64 "\n", c.lent, c.dead);
	}
	return finish_output();
}

static int show_dead(const struct kreg_job *job, void *arg)
{
	size_t len;
	const void *value = kreg_job_value(job, &len);

	(void)arg;
	if (json) {
		json_begin(stdout);
		json_number("deliveries", kreg_job_deliveries(job));
		json_bytes("value", value, len);
		json_end();
	} else {
		printf("%" PRIu32 "\t", kreg_job_deliveries(job));
		bytes_print(value, len, stdout);
		putchar('\n');
	}
	/* Nobody reads what is written. */
	return ferror(stdout);
}

static int list_dead(struct wish *w)
{
	int ret = kreg_queue_dead(w->queue, show_dead, NULL);

	return ret < 0 ? fail(ret) : finish_output();
}

/* Of jobs that were moved, @done in the text and @name in JSON. */
static int tell_moved(int ret, uint64_t n, const char *name, const char *done)
{
	if (ret)
		return fail(ret);
	if (json) {
		json_begin(stdout);
		json_number(name, n);
		json_end();
	} else {
		printf("%" PRIu64 " job%s %s\n", n, n == 1 ? "" : "s", done);
	}
	return finish_output();
}

static int revive(struct wish *w)
{
	uint64_t n = 0;
	int ret = kreg_queue_revive(w->queue, &n);

	return tell_moved(ret, n, "revived", "revived");
}

static int make_jobs_due(struct wish *w)
{
	uint64_t n = 0;
	int ret = kreg_queue_make_due(w->queue, &n);

	return tell_moved(ret, n, "made_due", "made due");
}

static const struct action {
	const char *name;
	int (*act)(struct wish *w);
	const char *options;	/* those that go with it */
} actions[] = {
	{ "push", push, "df" },
	{ "work", work, "Dmrn" },
	{ "ls", list, "" },
	{ "dead", list_dead, "" },
	{ "revive", revive, "" },
	{ "make-due", make_jobs_due, "" },
};

static const struct action *find_action(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(name, actions[i].name))
			return &actions[i];
	usage("'%s' is nothing to do with a queue: push, work, ls, dead, revive or make-due", name);
}

/* Options stand before what is to be done, or behind it. */
static void take_options(int argc, char **argv, struct wish *w, char *given, size_t room)
{
	size_t n = strlen(given);
	int c;

	while ((c = next_option(argc, argv, "+d:f:m:r:", options)) != -1) {
		set_wish(w, c);
		if (n < room - 1)
			given[n++] = c;
	}
}

static int run(int argc, char **argv)
{
	struct wish w = { .options = KREG_QUEUE_OPTIONS_INIT };
	char given[16] = "";
	const struct action *action;
	int ret;

	take_options(argc, argv, &w, given, sizeof(given));
	need_args(argc, 2, -1);
	action = find_action(argv[optind++]);
	take_options(argc, argv, &w, given, sizeof(given));
	need_args(argc, 1, -1);
	if (strspn(given, action->options) != strlen(given))
		usage("an option does not go with '%s'", action->name);
	w.name = argv[optind];
	w.args = argv + optind + 1;
	if (action->act != push && action->act != work && w.args[0])
		usage("too many arguments");
	if (action->act == work)
		prepare_work(&w);
	ret = open_table(w.name, &w.table);
	if (ret)
		return ret;
	ret = kreg_queue_open(w.table, &w.options, &w.queue);
	ret = ret ? fail(ret) : action->act(&w);
	kreg_queue_close(w.queue);
	close_table(w.table);
	return ret;
}

const struct command cmd_queue = {
	.name = "queue",
	.args = "push [OPTION]... NAME VALUE | work [OPTION]... NAME -- COMMAND... | ls NAME | dead NAME | revive NAME | make-due NAME",
	.summary = "push jobs, and work on them so that none is lost",
	.help = "A queue is a table of type ordered_set, with nothing but jobs in it.\n\n"
		"push appends a job.\n"
		"  -d, --delay TIME     it is given out after so long\n"
		"  -f, --file FILE      what there is to be done is the content of FILE\n\n"
		"work runs COMMAND for one job after the other, with the job as its standard\n"
		"input. If it succeeds the job is removed; if it fails, or this command is\n"
		"killed, which kills COMMAND, the job goes to the next who asks. KREG_LOANS is\n"
		"how often it was given out.\n"
		"      --deadline TIME  after so long the job goes to others, although COMMAND\n"
		"                       goes on\n"
		"  -m, --most N         what was given out N times is put aside, among the dead\n"
		"  -r, --retry TIME     after COMMAND has failed, the job is given out after so\n"
		"                       long\n"
		"      --drain          end when no job is due\n\n"
		"ls tells how many jobs there are, dead shows those that were put aside, each\n"
		"with how often it was given out, and revive pushes them again.\n\n"
		"make-due makes all jobs due that are not yet: after a restore of a queue that\n"
		"was dumped before the machine was started anew, jobs may wait for long.",
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg lease: run a command that does the work which an object stands for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

static const struct option options[] = {
	{ "deadline", required_argument, NULL, 'd' },
	COMMON_LONG_OPTIONS
};

struct lending {
	struct bytes key;
	uint64_t deadline_ms;	/* from when on the object is another's; 0: never */
	struct kreg_table *table;
	struct kreg_loan loan;
	struct work work;
};

static void parse(int argc, char **argv, struct lending *l)
{
	int c;

	while ((c = next_option(argc, argv, "+d:", options)) != -1)
		if (c == 'd' && (parse_time_ms(optarg, &l->deadline_ms) || !l->deadline_ms ||
				 l->deadline_ms >= UINT32_MAX))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
	need_args(argc, 3, -1);
	l->work.table = argv[optind];
	if (!*argv[optind + 1])
		usage("the key is empty");
	if (strcmp(argv[optind + 2], "--") || !argv[optind + 3])
		usage("there is no command behind --");
	l->work.argv = argv + optind + 3;
	l->key = bytes_arg(argv[optind + 1]);
}

static int borrow(struct lending *l)
{
	void *value;
	size_t len;
	int ret = kreg_lease(l->table, l->key.data, l->key.len, l->deadline_ms, &value, &len,
			     &l->loan);

	if (ret)
		return fail(ret);
	l->work.token = l->loan.version;
	l->work.loans = l->loan.loans;
	ret = work_input(&l->work, value, len);
	free(value);
	return ret;
}

static bool has_ended(int ret)
{
	return ret == -ENODATA || ret == -ECANCELED;
}

/* The object goes with its work; what was not done is there for the next one. */
static int end_loan(struct lending *l, int status)
{
	int ret;

	if (status) {
		ret = kreg_lease_return(l->table, l->key.data, l->key.len, &l->loan);
		return ret && !has_ended(ret) ? fail(ret) : status;
	}
	ret = kreg_lease_done(l->table, l->key.data, l->key.len, &l->loan);
	if (has_ended(ret))
		return fail_text(EXIT_BUSY, "the command has ended after its loan of the object");
	return ret ? fail(ret) : 0;
}

static int run(int argc, char **argv)
{
	struct lending l = { .loan = KREG_LOAN_INIT, .work.input = -1 };
	int ret;

	parse(argc, argv, &l);
	ret = open_table(l.work.table, &l.table);
	if (ret)
		return ret;
	ret = borrow(&l);
	work_take_signals(&l.work);
	if (l.loan.version)
		ret = end_loan(&l, ret ? ret : work_run(&l.work));
	close_table(l.table);
	bytes_free(&l.key);
	return ret;
}

const struct command cmd_lease = {
	.name = "lease",
	.args = "[OPTION]... NAME KEY -- COMMAND [ARGUMENT]...",
	.summary = "run a command that does the work of an object",
	.help = "Take an object on loan and run COMMAND, with the value as its standard input.\n"
		"Nobody else finds the object meanwhile. If COMMAND succeeds the object is\n"
		"removed; if it fails, or this command is killed, which kills COMMAND, the\n"
		"object is there again. KREG_LOANS is how often it was lent, this time included,\n"
		"and KREG_TOKEN a number that only grows from one loan to the next. The exit\n"
		"status is that of COMMAND.\n\n"
		"  -d, --deadline TIME  after so long the object is there again, although\n"
		"                       COMMAND goes on; it is too late then: 6, if it succeeds\n"
		"                       nevertheless",
	.run = run,
};

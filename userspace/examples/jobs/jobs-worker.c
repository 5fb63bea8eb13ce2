/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Do the jobs of a table. A job is on loan to the worker that does it; if that dies the job is
 * there again for another, who is told how often it was lent.
 *
 *	jobs-worker NAME
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kreg.h>

/* Who has killed three workers is not given to a fourth one. */
#define MAX_LOANS	3

struct worker {
	const char *name;
	struct kreg_client *client;
	struct kreg_table *queue, *results, *failed;
	struct kreg_ref *ref;
	bool lost;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "jobs-worker: %s\n", what);
	exit(1);
}

/* The jobs of this example are ways to die, once or always. All others are done at once. */
static void work(const char *job, uint32_t loans)
{
	if (!strcmp(job, "poison") || (!strcmp(job, "abort") && loans == 1))
		abort();
	if (!strcmp(job, "segv") && loans == 1)
		raise(SIGSEGV);
	if (!strcmp(job, "exit") && loans == 1)
		exit(3);
	while (!strcmp(job, "wait") && loans == 1)
		pause();
}

/*
 * The result is written under the job's key before the job is removed: who dies in between has
 * the job done again, and the same result written over the first. Nothing is lost or doubled.
 */
static int do_job(struct worker *w, const void *key, size_t len)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	struct kreg_table *to = w->results;
	char result[128];
	void *job;
	int ret;

	ret = kreg_lease(w->queue, key, len, 0, &job, NULL, &loan);
	if (ret == -ENODATA || ret == -EBUSY)
		return 0;	/* another worker was faster */
	if (ret)
		return ret;
	if (loan.loans > MAX_LOANS)
		to = w->failed;
	else
		work(job, loan.loans);
	snprintf(result, sizeof(result), "%s by %s, loan %u", (char *)job, w->name, loan.loans);
	free(job);
	ret = kreg_put(to, key, len, result, strlen(result));
	return ret ? ret : kreg_lease_done(w->queue, key, len, &loan);
}

/* A job that is new, that was there at the beginning, or that is back from a loan. */
static void on_event(const struct kreg_event *event, void *arg)
{
	struct worker *w = arg;
	size_t len;
	const void *key = kreg_event_key(event, &len);

	if (kreg_event_kind(event) == KREG_EVENT_OVERFLOW)
		w->lost = true;
	if (kreg_event_kind(event) == KREG_EVENT_GONE ||
	    (kreg_event_kind(event) == KREG_EVENT_CREATE && do_job(w, key, len)))
		die(kreg_errmsg());
}

/* Subscribing anew tells of all that is there: also after more events than could be kept. */
static int run(struct worker *w)
{
	int ret = 0;

	while (ret >= 0) {
		w->lost = false;
		ret = kreg_subscribe(w->queue, KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE),
				     KREG_SUBSCRIBE_PRESENT, 0, on_event, w, &w->ref);
		while (ret >= 0 && !w->lost)
			ret = kreg_client_dispatch(w->client, -1);
		kreg_ref_cancel(w->ref);
		/* It is freed, also when the next one does not come to be. */
		w->ref = NULL;
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct worker w = { .name = argv[1] };

	if (argc != 2)
		die("usage: jobs-worker NAME");
	if (kreg_client_open(NULL, &w.client) ||
	    kreg_table_open(w.client, "jobs.queue", NULL, &w.queue) ||
	    kreg_table_open(w.client, "jobs.results", NULL, &w.results) ||
	    kreg_table_open(w.client, "jobs.failed", NULL, &w.failed))
		die(kreg_errmsg());
	run(&w);
	die(kreg_errmsg());
}

// SPDX-License-Identifier: GPL-2.0
/* libkreg: processes of a supervised tree are killed at random, the supervisor included. */
#include "lib/again.h"

static unsigned int random_below(unsigned int n)
{
	static unsigned int state = 12345;

	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

/* As it is to be: three children live, each once, with their tables. */
static bool is_whole(struct kreg_client *client, const char *table)
{
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++) {
		pid = pid_in(client, table, ids[i]);
		if (pid <= 0 || kill(pid, 0))
			return false;
		if (i < 2 && owner_of(client, tables[i][0]) != pid)
			return false;
	}
	return true;
}

static void tell_state(struct __test_metadata *_metadata, struct kreg_client *client,
		       const char *table)
{
	pid_t pid;
	int i;

	TH_LOG("started: %d; failures: %u, %s", shared->started, shared->failures, shared->failure);
	for (i = 0; i < 3; i++) {
		pid = pid_in(client, table, ids[i]);
		TH_LOG("%s: process %d%s, table of %d", ids[i], pid,
		       pid > 0 && kill(pid, 0) ? ", dead" : "",
		       tables[i] ? owner_of(client, tables[i][0]) : 0);
	}
}

static int count_children(void)
{
	char path[64], *list = NULL, *word, *rest;
	size_t room = 0;
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	if (!f || getline(&list, &room, f) < 0)
		n = 0;
	else
		for (rest = list; (word = strsep(&rest, " "));)
			n += *word != '\0';
	if (f)
		fclose(f);
	free(list);
	return n;
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/*
 * A child that dies before it was ready ends a supervisor that is starting, as it is to be: then
 * who is ready is killed alone, which that starts again. @pid may be another by then.
 */
static bool may_be_killed(struct kreg_client *client, const char *table, int whom, pid_t pid)
{
	return pid > 0 && (!shared->started || (is_ready_in(client, table, ids[whom]) &&
						pid_in(client, table, ids[whom]) == pid));
}

/* A process of the tree, the supervisor included, is killed at any moment. */
TEST_F(again, random_kills)
{
	unsigned int round, rounds = 150, supervisors = 0, before, whom, i, runs = 0, kills = 0;
	static const int how[] = { SIGKILL, SIGSEGV, ABORT, EXIT_0, EXIT_3 };
	uint64_t deadline;
	bool whole;
	pid_t pid;

	self->how.max = KREG_MAX_RESTARTS;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	for (round = 0; round < rounds; round++) {
		whom = random_below(5);
		for (before = 0, i = 0; i < 3; i++)
			before += shared->runs[i];
		if (whom < 3) {
			pid = pid_in(self->client, self->table, ids[whom]);
			if (may_be_killed(self->client, self->table, whom, pid)) {
				kill(pid, how[random_below(ARRAY_SIZE(how))]);
				kills++;
			}
			/* Sometimes the supervisor dies over it. */
			usleep(random_below(3) * 1500);
		}
		if (whom >= 3 || random_below(2)) {
			kill(self->pid, random_below(2) ? SIGKILL : SIGUSR2);
			waitpid(self->pid, NULL, 0);
			self->pid = fork_supervisor(&self->how);
			supervisors++;
			/* Some are killed while they start. */
			if (random_below(2))
				usleep(random_below(8000));
		}
		if (random_below(3))
			continue;
		/* Calm: everything has to be there again, with its last word. */
		deadline = kreg_deadline(15000);
		/* Looked at once: one that was killed last may die of it only now. */
		for (whole = false; !whole && kreg_deadline(0) < deadline;) {
			reap_all();
			whole = shared->started != 1 && is_whole(self->client, self->table);
			if (!whole)
				usleep(2000);
		}
		ASSERT_TRUE(whole) {
			TH_LOG("round %u", round);
			tell_state(_metadata, self->client, self->table);
		}
		ASSERT_EQ(0, shared->started);
		reap_all();
	}
	for (i = 0; i < 3; i++)
		runs += shared->runs[i];
	EXPECT_EQ(0, shared->failures) {
		TH_LOG("%s", shared->failure);
	}
	/* Each kill of a child has led to one start at most. */
	EXPECT_LE(runs, kills + 3);
	TH_LOG("%u rounds, %u supervisors, %u kills, %u starts", rounds, supervisors, kills, runs);
	while (shared->started == 1)
		usleep(1000);
	EXPECT_EQ(0, end_process(self->pid, SIGTERM));
	self->pid = 0;
	reap_all();
	/* Nobody is left. */
	EXPECT_EQ(0, count_children());
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Each example under kreg supervise: a process of its tree ends at random, over and over, the
 * supervisor and those that the children have started included. Whenever it is calm all that has to
 * be there is, once, and nothing else.
 * KREG_TEST_KILLS: rounds for each example; KREG_TEST_SEED: what the choices follow from.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/leave.h"
#include "seeds/tree.h"
#include "seeds/trees.h"

#define WORKERS	3

/* The tree that grows here now. */
struct forest {
	const struct tree *tree;
	struct kreg_client *client;
	struct kreg_table *state, *managers, *names, *facts;
	struct tree_procs procs;
	char file[64];
	pid_t supervisor;
	unsigned int random;
	unsigned int deaths, said;	/* of children; facts */
	struct {
		pid_t pid;		/* 0: there is none */
		char value[16];
	} workers[WORKERS];
};

FIXTURE(kills)
{
	struct forest forest;
};

FIXTURE_VARIANT(kills)
{
	const struct tree *tree;
};

FIXTURE_VARIANT_ADD(kills, todo_one_for_one) {
	.tree = &todo_one_for_one,
};

FIXTURE_VARIANT_ADD(kills, todo_one_for_all) {
	.tree = &todo_one_for_all,
};

FIXTURE_VARIANT_ADD(kills, todo_rest_for_one) {
	.tree = &todo_rest_for_one,
};

FIXTURE_VARIANT_ADD(kills, kv) {
	.tree = &kv,
};

FIXTURE_VARIANT_ADD(kills, table_manager) {
	.tree = &table_manager,
};

FIXTURE_VARIANT_ADD(kills, data_backup) {
	.tree = &data_backup,
};

FIXTURE_VARIANT_ADD(kills, counters) {
	.tree = &counters,
};

FIXTURE_VARIANT_ADD(kills, leader) {
	.tree = &leader,
};

FIXTURE_VARIANT_ADD(kills, jobs) {
	.tree = &jobs,
};

FIXTURE_VARIANT_ADD(kills, hitless) {
	.tree = &hitless,
};

static unsigned int below(struct forest *f, unsigned int n)
{
	return (unsigned int)rand_r(&f->random) % n;
}

/* Without a limit of deaths, which would be reached. */
static int copy_file(struct forest *f)
{
	char command[256];

	snprintf(f->file, sizeof(f->file), "/tmp/kills-%d.yaml", getpid());
	snprintf(command, sizeof(command), "sed 's/^max_restarts: .*/max_restarts: 50000/' %s >%s",
		 f->tree->file, f->file);
	return system(command);
}

static void start_supervisor(struct forest *f)
{
	f->supervisor = fork();
	if (!f->supervisor)
		be_supervisor(f->file);
}

static bool has_control(struct forest *f)
{
	return whereis(f->state, "control") == f->supervisor;
}

static int request_child(const struct tree *tree)
{
	char command[256];

	snprintf(command, sizeof(command), "%s super start %s %s", kreg_command(), tree->name,
		 tree->request);
	return system(command);
}

/* One process of each child, which is ready. */
static bool has_children(struct forest *f)
{
	size_t i, n = count_children(f->tree);
	pid_t pid;

	for (i = 0; i < n; i++) {
		pid = tree_only(&f->procs, f->tree->children[i].command);
		if (pid <= 0 || pid != tree_ready(f->state, f->tree->children[i].id))
			return false;
	}
	return true;
}

static size_t count_workers(struct forest *f)
{
	size_t i, n = 0;

	for (i = 0; i < WORKERS; i++)
		n += f->workers[i].pid > 0;
	return n;
}

/* The same processes as ever, each once, with its name; and no name of who is gone. */
static bool has_workers(struct forest *f)
{
	char command[64], name[8];
	unsigned int i;
	pid_t pid;

	for (i = 0; f->tree->worker && i < WORKERS; i++) {
		snprintf(command, sizeof(command), f->tree->worker, i);
		snprintf(name, sizeof(name), "w%u", i);
		pid = whereis(f->names, name);
		if (tree_only(&f->procs, command) != f->workers[i].pid ||
		    pid != (f->workers[i].pid ?: -ENODATA))
			return false;
	}
	return true;
}

static bool is_calm(struct forest *f)
{
	tree_reap();
	tree_look(&f->procs);
	return f->procs.count == 1 + count_children(f->tree) + count_workers(f) &&
	       has_control(f) && has_children(f) && has_workers(f);
}

static void tell_all(struct forest *f)
{
	char text[512];
	size_t i;

	tree_tell(&f->procs);
	printf("# supervisor %d, control of %d\n", f->supervisor, whereis(f->state, "control"));
	for (i = 0; i < count_children(f->tree); i++) {
		tree_state(f->state, "run", f->tree->children[i].id, text, sizeof(text));
		printf("# %s: ready %d, %s\n", f->tree->children[i].id,
		       tree_ready(f->state, f->tree->children[i].id), text);
	}
	for (i = 0; i < WORKERS; i++)
		printf("# worker %zu: %d\n", i, f->workers[i].pid);
}

static bool gets_calm(struct forest *f)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	bool calm;

	while (!(calm = is_calm(f)) && kreg_deadline(0) < deadline)
		usleep(2000);
	if (!calm)
		tell_all(f);
	return calm;
}

/* Of a child in a tree in which each death leads to one start. */
static unsigned int count_restarts(struct forest *f)
{
	size_t i, n = count_children(f->tree);
	unsigned int restarts = 0;

	for (i = 0; i < n; i++)
		restarts += tree_restarts(f->state, f->tree->children[i].id);
	return restarts;
}

/* Return: whether the session has as many lines as were sent, with one more. */
static bool say_line(unsigned int number)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(8090),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[128] = "", expected[64];

	snprintf(expected, sizeof(expected), "kills: line %u,", number + 1);
	if (connect(fd, (void *)&to, sizeof(to)) || write(fd, "kills\n", 6) != 6 ||
	    read(fd, answer, sizeof(answer) - 1) <= 0)
		*answer = '\0';
	close(fd);
	if (!strncmp(answer, expected, strlen(expected)))
		return true;
	printf("# '%s', not '%s'\n", answer, expected);
	return false;
}

static int say_fact(struct forest *f, unsigned int number)
{
	char key[16], value[16], request[64], answer[16];

	snprintf(key, sizeof(key), "f%u", number);
	snprintf(value, sizeof(value), "v%u", number);
	if (!f->tree->server)
		return kreg_put(f->facts, key, strlen(key), value, strlen(value));
	snprintf(request, sizeof(request), f->tree->insert, key, value);
	return ask_later(f->facts, f->tree->server, request, answer, sizeof(answer));
}

static bool is_known(struct forest *f, unsigned int number)
{
	char key[16], value[16], request[64], answer[64] = "";
	int ret;

	snprintf(key, sizeof(key), "f%u", number);
	snprintf(value, sizeof(value), "v%u", number);
	snprintf(request, sizeof(request), f->tree->lookup ?: "%s", key);
	ret = f->tree->server ?
	      ask_later(f->facts, f->tree->server, request, answer, sizeof(answer)) :
	      kreg_get(f->facts, key, strlen(key), answer, sizeof(answer) - 1, NULL);
	if (!ret && !strcmp(answer, value))
		return true;
	printf("# fact %u: %d '%s'\n", number, ret, answer);
	return false;
}

/* The last ones and one of before, or all; and one more. */
static bool has_facts(struct forest *f, bool all)
{
	unsigned int i;

	if (f->tree->lines)
		return say_line(f->said++);
	if (!f->facts)
		return true;
	for (i = all || f->said < 2 ? 0 : f->said - 2; i < f->said; i++)
		if (!is_known(f, i))
			return false;
	if (f->said && !is_known(f, below(f, f->said)))
		return false;
	return !say_fact(f, f->said++);
}

static bool has_value(struct forest *f, unsigned int i)
{
	char name[8], answer[64], expected[32];

	snprintf(name, sizeof(name), "w%u", i);
	snprintf(expected, sizeof(expected), f->tree->value, f->workers[i].value);
	if (!ask(f->names, name, f->tree->get, answer, sizeof(answer)) && !strcmp(answer, expected))
		return true;
	printf("# %s: '%s', not '%s'\n", name, answer, expected);
	return false;
}

static bool make_worker(struct forest *f, unsigned int i)
{
	char name[8], request[64];

	snprintf(name, sizeof(name), "w%u", i);
	f->workers[i].pid = create_worker(f->managers, f->tree->manager, name);
	snprintf(f->workers[i].value, sizeof(f->workers[i].value), "v%u", below(f, 10000));
	snprintf(request, sizeof(request), f->tree->put, f->workers[i].value);
	return f->workers[i].pid > 0 && !ask(f->names, name, request, NULL, 0);
}

/* What they hold is what they were given; now and then one more is made. */
static bool has_values(struct forest *f)
{
	unsigned int i;

	for (i = 0; f->tree->worker && i < WORKERS; i++) {
		if (f->workers[i].pid && !has_value(f, i))
			return false;
		if (!f->workers[i].pid && below(f, 2) && !make_worker(f, i))
			return false;
	}
	return true;
}

/* What its death leads to. */
static void note_death(struct forest *f, const struct tree_proc *p)
{
	const struct tree *t = f->tree;
	size_t i;

	for (i = 0; i < count_children(t); i++)
		f->deaths += !strcmp(p->command, t->children[i].command);
	for (i = 0; i < WORKERS; i++)
		if (f->workers[i].pid == p->pid)
			f->workers[i].pid = 0;
	for (i = 0; i < ARRAY_SIZE(t->ends) && t->ends[i]; i++)
		if (!strcmp(p->command, t->ends[i]))
			memset(f->workers, 0, sizeof(f->workers));
}

/* Signals and codes of exit(3), and now and then the want of memory. */
static const struct cause *any_cause(struct forest *f)
{
	const struct cause *cause = &causes[below(f, 20) ? below(f, CAUSES - 1) : CAUSES - 1];

	return cause->sig || cause->status || !f->tree->ends_at_0 ? cause : &causes[0];
}

/* Without want of memory: whom it has just started would be in the same full cgroup. */
static bool kill_supervisor(struct forest *f)
{
	bool dead = tree_kill(f->supervisor, &causes[below(f, CAUSES - 1)]);

	waitpid(f->supervisor, NULL, 0);
	start_supervisor(f);
	return dead;
}

/* One of the tree, and sometimes the supervisor while it has to do with that, or begins. */
static bool kill_some(struct forest *f)
{
	struct tree_proc p = f->procs.all[below(f, f->procs.count)];
	bool dead = true;

	if (p.pid != f->supervisor) {
		note_death(f, &p);
		dead = tree_kill(p.pid, any_cause(f));
		usleep(below(f, 4) * 1000);
	}
	if (dead && (p.pid == f->supervisor || !below(f, 3)))
		dead = kill_supervisor(f);
	if (dead && !below(f, 8)) {
		usleep(below(f, 40) * 1000);
		dead = kill_supervisor(f);
	}
	return dead;
}

static struct kreg_table *open_table(struct forest *f, const char *name)
{
	struct kreg_table *table = NULL;

	if (name && kreg_wait_name(f->client, name, KREG_WATCH_PRESENT, PATIENCE_MS))
		return NULL;
	return name && kreg_table_open(f->client, name, NULL, &table) ? NULL : table;
}

FIXTURE_SETUP(kills)
{
	struct forest *f = &self->forest;
	const char *seed = getenv("KREG_TEST_SEED");
	char state[64];

	f->tree = variant->tree;
	f->random = seed ? atoi(seed) : 1;
	ASSERT_EQ(0, go_to_tests());
	if (!can_supervise(f->tree->file))
		SKIP(return, "this kreg cannot supervise");
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, copy_file(f));
	ASSERT_EQ(0, kreg_client_open(NULL, &f->client));
	start_supervisor(f);
	snprintf(state, sizeof(state), "supervisor.%s", f->tree->name);
	f->state = open_table(f, state);
	ASSERT_NE(NULL, f->state);
	ASSERT_EQ(0, is_present(f->state, "control"));
	if (f->tree->request)
		ASSERT_EQ(0, request_child(f->tree));
	f->managers = open_table(f, f->tree->managers);
	f->names = open_table(f, f->tree->names);
	f->facts = open_table(f, f->tree->facts);
	ASSERT_TRUE((f->managers || !f->tree->managers) &&
		    (f->names || !f->tree->names) && (f->facts || !f->tree->facts));
}

FIXTURE_TEARDOWN(kills)
{
	struct forest *f = &self->forest;

	if (f->supervisor > 0) {
		kill(f->supervisor, SIGTERM);
		EXPECT_TRUE(test_wait_for(waitpid(f->supervisor, NULL, WNOHANG) > 0));
	}
	EXPECT_TRUE(test_wait_for(leave_nothing(f->client)));
	kreg_client_close(f->client);
	unlink(f->file);
}

static unsigned int rounds(void)
{
	const char *text = getenv("KREG_TEST_KILLS");

	return text ? (unsigned int)atoi(text) : 1 + test_size(20);
}

TEST_F_TIMEOUT(kills, random, 3600)
{
	struct forest *f = &self->forest;
	unsigned int i, n = rounds();
	int status = -1;

	for (i = 0; i < n; i++) {
		ASSERT_TRUE(gets_calm(f)) TH_LOG("round %u", i);
		if (f->tree->one_for_one)
			ASSERT_EQ(f->deaths, count_restarts(f)) TH_LOG("round %u", i);
		ASSERT_TRUE(has_facts(f, i == n - 1)) TH_LOG("round %u", i);
		ASSERT_TRUE(has_values(f)) TH_LOG("round %u", i);
		ASSERT_TRUE(gets_calm(f)) TH_LOG("round %u", i);
		ASSERT_TRUE(kill_some(f)) TH_LOG("round %u", i);
	}
	ASSERT_TRUE(gets_calm(f));
	TH_LOG("%u rounds, %u deaths of children", n, f->deaths);
	/* Asked to end, nobody is left. */
	kill(f->supervisor, SIGTERM);
	ASSERT_EQ(f->supervisor, waitpid(f->supervisor, &status, 0));
	f->supervisor = 0;
	EXPECT_EQ(0, status);
	tree_reap();
	tree_look(&f->procs);
	EXPECT_EQ(0, f->procs.count) tree_tell(&f->procs);
}

TEST_HARNESS_MAIN

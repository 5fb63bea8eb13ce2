// SPDX-License-Identifier: GPL-2.0
/*
 * ets_player - play a sequence of operations (see README.md) on tables of kreg.
 *
 *	ets_player FILE		the results go to stdout, a line for each
 *
 * Each actor is a process without privileges, which has the whole sequence and plays the lines
 * that it is told to.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ/player.h"

#define USER	1000
#define WORDS	4096

struct sequence {
	char ***line;
	size_t lines;
};

struct actor {
	pid_t pid;
	int sock;
};

/* Lines from the first to before the last. */
struct span {
	size_t first;
	size_t last;
};

static void die(const char *what)
{
	fprintf(stderr, "ets_player: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char **words_of(char *line)
{
	static char *word[WORDS + 1];
	size_t n = 0, size;
	char *save, **copy;

	line = strtok_r(line, " ", &save);
	for (; line && n < WORDS; line = strtok_r(NULL, " ", &save))
		word[n++] = line;
	word[n++] = NULL;
	size = n * sizeof(*word);
	copy = malloc(size);
	return copy ? memcpy(copy, word, size) : NULL;
}

static void read_sequence(const char *path, struct sequence *sequence)
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	char *line = NULL, **words;

	if (!file)
		die(path);
	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		words = words_of(strdup(line));
		if (!words || !words[0] || !words[1])
			continue;
		sequence->line = realloc(sequence->line,
					 (sequence->lines + 1) * sizeof(*sequence->line));
		if (!sequence->line)
			die("memory");
		sequence->line[sequence->lines++] = words;
	}
	free(line);
	fclose(file);
}

static const struct op *find_op(const char *name)
{
	static const struct op *const all[] = { table_ops, object_ops, walk_ops, select_ops };
	const struct op *op;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (op = all[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	return NULL;
}

/* A name is looked up each time; of a slot the handle is kept as long as its table is the same. */
static int find_table(struct play *play, const char *word)
{
	struct kreg_table **known;
	uint64_t id;

	if (word[0] == 'n')
		return kreg_table_open(play->client, word, NULL, &play->table);
	known = &play->known[word_slot(word)];
	id = play->world->slot[word_slot(word)];
	if (!*known || kreg_table_id(*known) != id) {
		kreg_table_close(*known);
		*known = NULL;
		if (!id)
			return 1;
		if (kreg_table_by_id(play->client, id, known))
			return kreg_table_by_id(play->client, id, known);
	}
	play->table = *known;
	return 0;
}

static int enough(char **arg, unsigned int words)
{
	while (words && *arg)
		arg++, words--;
	return !words;
}

static void play_line(struct play *play, char **words)
{
	const struct op *op = find_op(words[1]);
	int ret = 0;

	play->table = NULL;
	play->arg = words + 2;
	if (op && op->table && *play->arg)
		ret = find_table(play, *play->arg++);
	if (!op || !enough(play->arg, op->words) || (op->table && play->arg == words + 2))
		say("error line");
	else if (ret > 0)
		say("error unset");
	else if (ret)
		say_done(ret);
	else
		op->fn(play);
	if (op && op->table && words[2] && words[2][0] == 'n')
		kreg_table_close(play->table);
}

static void record_life(struct play *play, unsigned int actor, unsigned int number)
{
	struct world *world = play->world;
	struct life *life = &world->life[world->lives];

	life->actor = actor;
	life->number = number;
	if (kreg_client_self(play->client, &life->process))
		die(kreg_errmsg());
	world->now[actor] = world->lives++;
}

/* Ends when the controller does, or with an empty span. */
static void act(struct play *play, struct sequence *sequence, int sock)
{
	struct span span = { 0, 1 };
	size_t i;

	for (;;) {
		if (write(sock, &span, sizeof(span)) != sizeof(span) ||
		    read(sock, &span, sizeof(span)) != sizeof(span) || span.first == span.last)
			_exit(0);
		for (i = span.first; i < span.last; i++)
			play_line(play, sequence->line[i]);
		fflush(stdout);
	}
}

static void start_actor(struct actor *actor, struct world *world, struct sequence *sequence,
			unsigned int index, unsigned int number)
{
	struct play play = { .world = world };
	struct span span;
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		die("socketpair");
	fflush(stdout);
	actor->pid = fork();
	if (actor->pid < 0)
		die("fork");
	if (!actor->pid) {
		close(sock[0]);
		if (setgid(USER) || setuid(USER) || prctl(PR_SET_PDEATHSIG, SIGKILL))
			die("user");
		if (kreg_client_open(NULL, &play.client))
			die(kreg_errmsg());
		record_life(&play, index, number);
		act(&play, sequence, sock[1]);
	}
	close(sock[1]);
	actor->sock = sock[0];
	if (read(actor->sock, &span, sizeof(span)) != sizeof(span))
		die("an actor does not start");
}

static void tell(struct actor *actor, size_t first, size_t last)
{
	struct span span = { first, last };

	if (write(actor->sock, &span, sizeof(span)) != sizeof(span))
		die("an actor is gone");
	if (first != last && read(actor->sock, &span, sizeof(span)) != sizeof(span))
		die("an actor has died");
}

/* "- kill p0", "- exit p0": it dies, and the next of its lives begins. */
static void end_life(struct actor *actors, struct world *world, struct sequence *sequence,
		     char **words)
{
	unsigned int index = word_actor(words[2]);
	unsigned int number = world->life[world->now[index]].number;
	struct actor *actor = &actors[index];

	if (!strcmp(words[1], "kill"))
		kill(actor->pid, SIGKILL);
	else
		tell(actor, 0, 0);
	waitpid(actor->pid, NULL, 0);
	close(actor->sock);
	start_actor(actor, world, sequence, index, number + 1);
	printf("%sed\n", words[1]);
}

static void control(struct actor *actors, struct world *world, struct sequence *sequence)
{
	size_t first, last;

	for (first = 0; first < sequence->lines; first = last) {
		char **words = sequence->line[first];

		last = first + 1;
		if (words[0][0] == '-') {
			end_life(actors, world, sequence, words);
			continue;
		}
		while (last < sequence->lines && !strcmp(sequence->line[last][0], words[0]))
			last++;
		fflush(stdout);
		tell(&actors[word_actor(words[0])], first, last);
	}
}

int main(int argc, char **argv)
{
	struct actor actors[ACTORS];
	struct sequence sequence = { 0 };
	struct world *world;
	unsigned int i;

	if (argc != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	read_sequence(argv[1], &sequence);
	world = mmap(NULL, sizeof(*world) + (ACTORS + sequence.lines) * sizeof(*world->life),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED)
		die("mmap");
	if (chmod("/dev/kreg", 0666))
		die("/dev/kreg");
	for (i = 0; i < ACTORS; i++)
		start_actor(&actors[i], world, &sequence, i, 1);
	control(actors, world, &sequence);
	for (i = 0; i < ACTORS; i++) {
		tell(&actors[i], 0, 0);
		waitpid(actors[i].pid, NULL, 0);
	}
	return 0;
}

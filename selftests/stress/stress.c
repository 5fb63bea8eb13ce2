// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with threads do at random what can be done with shared tables, and are killed
 * at any moment, for as long as one says. A model in shared memory knows what must be in
 * the tables and who must own them. Each round is a test.
 *
 *   stress [--seconds N] [--processes N] [--seed N] [--lend 0|1|flip] [--brief]
 *
 * --lend sets the module's parameter; without it each round has it in another way,
 * "flip" changes it all the time. --brief: one short round and nothing else.
 */
#include <getopt.h>
#include <sys/resource.h>

#include "stress/tables.h"

#define ROUND_SECONDS	10
#define WARM_UP		2

enum lend { LEND_0, LEND_1, LEND_FLIP, LEND_WAYS };

static const char * const lend_names[LEND_WAYS] = { "0", "1", "flip" };
static bool flipped;			/* there was such a round */

static struct options {
	unsigned int seconds;
	unsigned int processes;
	__u64 seed;
	int lend;			/* -1: one after the other */
	bool brief;
} options = { .seconds = 30, .processes = 6, .lend = -1 };

static __u64 totals[COUNTERS];
static long long baseline[TEST_COUNTERS];

static void begin_round(struct referee *r, __u64 seed, enum lend lend)
{
	bool groups = !have_groups();
	unsigned int i;

	memset(world, 0, sizeof(*world));
	memset(r, 0, sizeof(*r));
	world->seed = seed;
	world->players = options.processes;
	world->slots[REFEREE].life = 1;
	r->random = mix(seed);
	r->flips = lend == LEND_FLIP;
	flipped |= r->flips;
	r->look.number = ALL_LANES;
	r->look.slot = &world->slots[REFEREE];
	r->look.room = rooms[0];
	r->look.random = seed;
	r->look.fd = test_client();
	if (r->look.fd < 0)
		complain("open: %s", strerror(-r->look.fd));
	if (lend != LEND_FLIP && test_set_param("lend", lend == LEND_1))
		complain("parameter lend cannot be set");
	create_tables(r);
	/* The last two, if there are enough. */
	for (i = world->players - world->players / 3; groups && i < world->players; i++) {
		world->slots[i].limited = true;
		world->slots[i].oom_exempt = i & 1;
	}
	for (i = 0; i < world->players; i++)
		spawn(r, i);
}

static void print_progress(unsigned int round, double seconds)
{
	char text[40 * COUNTERS];
	int len = 0, i;

	for (i = 0; i < COUNTERS; i++)
		if (world->counts[i])
			len += snprintf(text + len, sizeof(text) - len,
					", %llu %s",
					(unsigned long long)world->counts[i],
					counter_names[i]);
	ksft_print_msg("round %u: %.1f s%s\n", round, seconds, len ? text : "");
}

/* What the module allocates for its users comes from these caches; in KiB. */
static long slab_memory(void)
{
	unsigned long active, all, size, bytes = 0;
	char line[256], name[64];
	FILE *file = fopen("/proc/slabinfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lu %lu %lu", name, &active, &all,
			   &size) == 4 && !strncmp(name, "kmalloc-", 8))
			bytes += active * size;
	if (file)
		fclose(file);
	return bytes >> 10;
}

static void play_round(struct referee *r, unsigned int round, __u64 end)
{
	__u64 start = test_now_ns(), next = start, shown = start, now;

	while ((now = test_now_ns()) < end) {
		reap(r);
		if (now >= next) {
			interfere(r);
			next = now + test_scale(5 + toss(r, 120)) * 1000000ULL;
		}
		if (now - shown >= 5000000000ULL) {
			print_progress(round, (now - start) / 1e9);
			shown = now;
		}
		test_pause_ms(1);
	}
}

static void leave(struct referee *r, unsigned int number)
{
	struct slot *slot = &world->slots[number];

	if (!is_alive(number) || toss(r, 2))
		return;
	end_life(slot, slot->life);
	kill(slot->pid, SIGKILL);
}

static void settle_all(struct referee *r)
{
	__u32 settle;

	do {
		settle = world->settle;
		wait_for_all(r, "settled", is_settled);
	} while (world->settle != settle);
}

static void end_round(struct referee *r)
{
	unsigned int i;

	r->over = true;
	store(&world->phase, HUSH);
	wait_for_all(r, "quiet", is_quiet);
	world->settle++;
	store(&world->phase, SETTLE);
	settle_all(r);
	check_objects_all(&r->look);
	check_owners(&r->look);

	/* Some leave, some are killed: nothing of that touches the objects. */
	for (i = 0; i < world->players; i++)
		leave(r, i);
	store(&world->phase, LEAVE);
	wait_for_all(r, "gone", is_gone);
	wait_for_children();
	check_objects_all(&r->look);
	check_owners(&r->look);
	check_nothing_bound(&r->look);
	check_accounts(r->look.fd);
	check_mortals(r->look.fd);
}

static void remove_all(struct referee *r)
{
	struct kreg_info info;
	__u64 after = 0;
	__u32 more;
	int err;

	while (_test_list(r->look.fd, after, &info, 1, &more) == 1) {
		err = _test_destroy(r->look.fd, info.id);
		/* Parked for a time, which was over just now. */
		if (err && err != -ESTALE)
			complain("%s cannot be destroyed: %s", info.name,
				 strerror(-err));
		after = info.id;
	}
	close(r->look.fd);
	if (test_wait_for(test_counts_are(baseline)))
		return;
	for (more = 0; more < TEST_COUNTERS; more++)
		if (test_param(test_counters[more]) != baseline[more])
			complain("left behind: %lld %s",
				 test_param(test_counters[more]),
				 test_counters[more]);
}

static bool one_round(unsigned int round, __u64 seed, __u64 ns)
{
	enum lend lend = options.lend < 0 ? (round + 1) % LEND_WAYS :
			 (unsigned int)options.lend;
	static struct referee referee;
	__u64 start = test_now_ns();
	unsigned int i;

	begin_round(&referee, seed, lend);
	play_round(&referee, round, start + ns);
	end_round(&referee);
	remove_all(&referee);

	print_progress(round, (test_now_ns() - start) / 1e9);
	for (i = 0; i < COUNTERS; i++)
		totals[i] += world->counts[i];
	for (i = 0; i < world->complaints && i < COMPLAINTS; i++)
		ksft_print_msg("%s\n", world->texts[i]);
	if (world->complaints)
		ksft_print_msg("%u complaints; again with: --seed %llu\n",
			       world->complaints,
			       (unsigned long long)options.seed);
	ksft_print_msg("kmalloc: %ld KiB\n", slab_memory());
	ksft_test_result(!world->complaints, "round %u, lend=%s\n", round,
			 lend_names[lend]);
	return !world->complaints;
}

/*
 * Caches fill up in the first rounds; then nothing may grow. Where kmemleak looks
 * for leaks, KASAN keeps what was freed for a while.
 */
static void report_memory(unsigned int rounds, long before)
{
	long grown = slab_memory() - before;

	if (rounds <= WARM_UP || !access("/sys/kernel/debug/kmemleak", F_OK))
		return;
	ksft_print_msg("kmalloc has grown by %ld KiB in %u rounds\n", grown,
		       rounds - WARM_UP);
	ksft_test_result(grown < 400, "memory is back\n");
}

/* A test in which something never happened has not tested it. */
static void report_kinds(void)
{
	bool all = true;
	int i;

	for (i = 0; i < COUNTERS; i++) {
		if (totals[i] || (i == FLIPS && !flipped) ||
		    (i == EXDEVS && test_param("writers") == 1))
			continue;
		ksft_print_msg("never happened: %s\n", counter_names[i]);
		all = false;
	}
	/* A slow kernel does not get to all of it. */
	ksft_test_result(all || test_scale(1) > 1, "everything happened\n");
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "processes", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 'r' },
		{ "lend", required_argument, NULL, 'l' },
		{ "brief", no_argument, NULL, 'b' },
		{ 0 }
	};
	int c;

	options.seed = mix(test_now_ns() ^ getpid()) % 1000000;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			options.seconds = atoi(optarg);
		else if (c == 'p')
			options.processes = atoi(optarg);
		else if (c == 'r')
			options.seed = strtoull(optarg, NULL, 0);
		else if (c == 'l')
			options.lend = strcmp(optarg, "flip") ? atoi(optarg) :
				       LEND_FLIP;
		else if (c == 'b')
			options.brief = true;
		else
			ksft_exit_fail_msg("see the head of stress.c\n");
	}
	if (options.processes < 2 || options.processes > PLAYERS ||
	    options.lend > LEND_FLIP)
		ksft_exit_fail_msg("processes: 2 to %d; lend: 0, 1, flip\n",
				   PLAYERS);
}

static void wake_up(int signal)
{
}

static void prepare(void)
{
	struct sigaction action = { .sa_handler = wake_up };

	if (access(KREG_DEV, R_OK | W_OK))
		ksft_exit_skip("no %s that may be opened\n", KREG_DEV);
	/* It has all the players to look after. */
	setpriority(PRIO_PROCESS, 0, -15);
	world = test_shared(sizeof(*world));
	if (!world || sigaction(SIGUSR1, &action, NULL) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1))
		ksft_exit_fail_msg("cannot start: %s\n", strerror(errno));
	if (!test_wait_for(test_counts_rest(baseline)))
		ksft_exit_skip("others use the module\n");
	/* The other user may open it, too. */
	if (chmod(KREG_DEV, 0666))
		ksft_exit_fail_msg("chmod: %s\n", strerror(errno));
	if (have_groups())
		ksft_print_msg("no memory cgroups: nobody has a limit of memory\n");
}

static bool lends(void)
{
	char c = 0;
	int fd = open(KREG_PARAMS "lend", O_RDONLY | O_CLOEXEC);

	if (read(fd, &c, 1) != 1)
		ksft_print_msg("parameter lend cannot be read\n");
	close(fd);
	return c == 'Y';
}

int main(int argc, char **argv)
{
	__u64 ns = test_scale(ROUND_SECONDS) * 1000000000ULL, end;
	bool lend = lends();
	unsigned int round = 0;
	long memory = 0;

	/* The harness comes with the header. */
	(void)test_harness_run;
	ksft_print_header();
	parse(argc, argv);
	prepare();
	ksft_print_msg("%u processes, writers=%lld, seed %llu\n",
		       options.processes, test_param("writers"),
		       (unsigned long long)options.seed);
	end = test_now_ns() + options.seconds * 1000000000ULL;
	if (ns > options.seconds * 1000000000ULL)
		ns = options.seconds * 1000000000ULL;
	if (options.brief)
		ns = test_scale(50) * 1000000ULL;
	do {
		if (!one_round(round, mix(options.seed + round), ns))
			break;
		if (++round == WARM_UP)
			memory = slab_memory();
	} while (!options.brief && !out_of_time(end));
	if (!options.brief && !ksft_get_fail_cnt()) {
		report_kinds();
		report_memory(round, memory);
	}
	test_set_param("lend", lend);
	chmod(KREG_DEV, 0600);
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}

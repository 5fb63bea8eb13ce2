/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The referee: starts players, has them die, reaps them, and sees them to the
 * end of a round.
 */
#ifndef KREG_STRESS_REFEREE_H
#define KREG_STRESS_REFEREE_H

#include <dirent.h>

#include "kit/fixture.h"
#include "stress/check.h"
#include "stress/player.h"

struct referee {
	struct data look;		/* its own way of reading */
	__u64 random;
	bool flips;			/* changes parameter lend now and then */
	bool over;			/* who dies is not replaced */
};

static inline __u32 toss(struct referee *r, __u32 n)
{
	return choose(&r->random, n);
}

static inline void spawn(struct referee *r, unsigned int number)
{
	struct slot *slot = &world->slots[number];
	pid_t pid;
	int err;

	store(&slot->ready, 0);
	store(&slot->life, slot->life + 1);
	if (slot->limited) {
		err = make_group(number, slot->life);
		if (err)
			complain("no group for %u.%u: %s", number, slot->life,
				 strerror(-err));
	}
	pid = fork();
	if (!pid)
		player_main(number, r->look.fd);
	if (pid < 0)
		complain("fork: %s", strerror(errno));
	slot->pid = pid;
}

static inline bool is_alive(unsigned int number)
{
	return world->slots[number].pid > 0;
}

/* Ended as somebody meant it to. */
static inline void check_status(unsigned int number, int status)
{
	struct slot *slot = &world->slots[number];

	if (WIFEXITED(status) && WEXITSTATUS(status) == KID_ERROR &&
	    !slot->limited)
		complain("%u.%u could not start", number, slot->life);
	if (slot->ending != slot->life && !slot->limited)
		complain("%u.%u died by itself: status 0x%x", number,
			 slot->life, status);
}

static inline void player_ended(struct referee *r, unsigned int number, int status)
{
	struct slot *slot = &world->slots[number];
	__u32 i;
	int err;

	check_status(number, status);
	end_life(slot, slot->life);
	slot->pid = 0;
	memset(slot->owned, 0, sizeof(slot->owned));
	if (slot->claiming) {
		i = slot->claiming - 1;
		store(&world->dead_claimants[i], world->dead_claimants[i] + 1);
		store(&slot->claiming, 0);
	}
	tally(DEATHS);
	if (slot->ready == slot->life)
		check_dead(&r->look, slot->self);
	if (slot->limited && remove_group(number, slot->life))
		tally(OOMS);
	err = _test_sync(r->look.fd);
	if (err)
		complain("SYNC: %s", strerror(-err));
	for (i = 0; i < LANES; i++)
		settle_lane(&r->look, number * LANES + i);
	if (r->over)
		store(&world->settle, world->settle + 1);
	else
		spawn(r, number);
}

/* Children of players that have died come here, too. */
static inline void reap(struct referee *r)
{
	int status, i, n = PLAYERS;
	pid_t pid;

	while (n-- && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < (int)world->players; i++)
			if (world->slots[i].pid == pid)
				player_ended(r, i, status);
}

static inline void kill_one(struct referee *r)
{
	unsigned int number = toss(r, world->players);
	struct slot *slot = &world->slots[number];

	if (!is_alive(number))
		return;
	end_life(slot, slot->life);
	kill(slot->pid, toss(r, 8) ? SIGKILL : SIGTERM);
	tally(KILLS);
}

static inline void interrupt_one(struct referee *r)
{
	unsigned int number = toss(r, world->players);

	if (is_alive(number))
		kill(world->slots[number].pid, SIGUSR1);
}

/* The module is in use. */
static inline void try_unload(void)
{
	if (!syscall(SYS_delete_module, "kreg", O_NONBLOCK))
		complain("the module was unloaded while it was in use");
	else if (errno != EWOULDBLOCK && errno != EBUSY)
		complain("unload: %s", strerror(errno));
	else
		tally(UNLOADS);
}

static inline void flip_lend(struct referee *r)
{
	int err;

	if (!r->flips)
		return;
	err = test_set_param("lend", toss(r, 2));
	if (err)
		complain("lend: %s", strerror(-err));
	tally(FLIPS);
}

/* Something unpleasant. */
static inline void interfere(struct referee *r)
{
	__u32 what = toss(r, 10);

	if (what < 4)
		kill_one(r);
	if (what < 2)
		kill_one(r);
	if (what >= 4 && what < 6)
		interrupt_one(r);
	if (what == 6)
		try_unload();
	flip_lend(r);
}

/* Where each thread of it sleeps. */
static inline void show_stacks(pid_t pid)
{
	char path[64], text[1024];
	struct dirent *entry;
	DIR *dir;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.10s/stack", pid,
			 entry->d_name);
		ksft_print_msg("%s\n", path);
		file = fopen(path, "r");
		while (file && fgets(text, sizeof(text), file))
			ksft_print_msg("  %s", text);
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
}

static inline bool is_quiet(unsigned int number)
{
	return world->slots[number].quiet == world->slots[number].life;
}

static inline bool is_settled(unsigned int number)
{
	return world->slots[number].settled == world->settle;
}

static inline bool is_gone(unsigned int number)
{
	return false;
}

/* Until it is so with all who live. Who does not get there is shown and killed. */
static inline void wait_for_all(struct referee *r, const char *what,
				bool (*done)(unsigned int number))
{
	__u64 end = test_now_ns() + PATIENCE_MS * 1000000ULL;
	bool again, late;
	unsigned int i;

	do {
		test_pause_ms(2);
		reap(r);
		late = out_of_time(end);
		again = false;
		for (i = 0; i < world->players; i++) {
			if (!is_alive(i) || done(i))
				continue;
			again = true;
			if (!late)
				continue;
			complain("%u.%u is not %s", i, world->slots[i].life,
				 what);
			show_stacks(world->slots[i].pid);
			end_life(&world->slots[i], world->slots[i].life);
			kill(world->slots[i].pid, SIGKILL);
		}
	} while (again && !late);
}

/* Children of players may be left; they end by themselves. */
static inline void wait_for_children(void)
{
	__u64 end = test_now_ns() + PATIENCE_MS * 1000000ULL;
	pid_t pid;

	do {
		pid = waitpid(-1, NULL, WNOHANG);
		if (!pid)
			test_pause_ms(2);
	} while (pid >= 0 && !out_of_time(end));
	if (pid >= 0)
		complain("a process that was killed does not end");
}

#endif /* KREG_STRESS_REFEREE_H */

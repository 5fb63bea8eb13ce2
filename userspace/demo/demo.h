/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kreg-demo: a server that owns a table is killed again and again.
 *
 * director	starts the others, kills the server, measures, prints
 * server	owns the table, fills it, writes a heartbeat into it
 * readers	look objects up in the table, all the time, and check the values
 * keeper	round 1: heir of the server, parent of the next one
 *
 * In round 2 the kernel keeps the table, in round 3 the next server waits already.
 */
#ifndef KREG_DEMO_H
#define KREG_DEMO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include <kreg.h>

#define MAX_READERS	64
#define VALUE_ROOM	65536

struct options {
	uint64_t objects;
	unsigned int value_size;
	unsigned int kills;		/* in each round */
	unsigned int readers;
	unsigned int pause_ms;		/* between a hand-over and the next kill */
	unsigned int rounds;		/* bits: keeper, park, standby */
	bool json;
	char table[64];
};

enum round { ROUND_KEEPER, ROUND_PARK, ROUND_STANDBY, ROUNDS };

/* Memory that all processes share. Each counter has one writer. */
struct shared {
	_Alignas(64) atomic_bool stop;
	struct {
		_Alignas(64) atomic_ullong lookups;
		atomic_ullong failures;
	} reader[MAX_READERS];
};

/* What servers, readers and the keeper report to the director through a pipe. */
enum word {
	WORD_FILLING,	/* number: objects so far */
	WORD_OWNS,	/* pid: the server; number: objects in the table; time */
	WORD_INHERITED,	/* pid: who died; number: wait status; time: of the event */
	WORD_STANDBY,	/* pid: a server that is about to wait */
	WORD_FAILED,	/* number: errno; text: what it was */
};

struct report {
	enum word word;
	pid_t pid;
	uint64_t number;
	uint64_t time_ns;
	char text[96];
};

struct demo {
	struct options opt;
	struct shared *shared;
	int pipe[2];
	pid_t reader[MAX_READERS];
	pid_t keeper;
};

/* object.c: key and value of the object with a number. */
#define KEY_SIZE	16
void object_key(uint64_t n, char key[KEY_SIZE]);
void object_value(uint64_t n, unsigned char *value, size_t size);
bool object_check(uint64_t n, const unsigned char *value, size_t len, size_t size);
uint64_t now_ns(void);

/* report.c */
void report(const struct demo *d, const struct report *r);
void report_failure(const struct demo *d, const char *what, int err);
/* 1; 0: time-out or the end of all writers. */
int report_read(const struct demo *d, struct report *r, int timeout_ms);

/* server.c, keeper.c, reader.c: processes; they end with the parent that forked them. */
enum takeover { TAKE_CLAIM, TAKE_WAIT, TAKE_GIFT };
pid_t server_start(const struct demo *d, enum takeover how, int ready);
pid_t keeper_start(const struct demo *d);
pid_t reader_start(const struct demo *d, unsigned int index);
void die_with_parent(pid_t parent);

/* One hand-over, from the kill to the new owner. */
struct takeover_result {
	pid_t killed;
	pid_t owner;
	int status;
	uint64_t dead_ns;	/* since kill(2): the death can be seen, */
	uint64_t heir_ns;	/* the keeper has inherited (0: no keeper), */
	uint64_t owner_ns;	/* the next server owns the table */
	uint64_t lookups;	/* meanwhile */
	uint64_t failures;
	uint64_t objects;
};

/* tell.c */
void tell_start(const struct demo *d);
void tell_filling(const struct demo *d, uint64_t objects);
void tell_filled(const struct demo *d, uint64_t started_ns);
void tell_round(const struct demo *d, enum round round);
void tell_takeover(const struct demo *d, enum round round, unsigned int n,
		   const struct takeover_result *r);
void tell_checking(const struct demo *d, uint64_t objects);
void tell_end(const struct demo *d, uint64_t lookups, uint64_t failures, uint64_t lost,
	      unsigned int kills, uint64_t worst_ns);
void tell_trouble(const struct demo *d, const char *text);

/* rounds.c: 0, or -1 after tell_trouble(). */
struct tally {
	unsigned int kills;
	uint64_t worst_ns;
	uint64_t lost;
};

int round_run(struct demo *d, enum round round, bool first, struct tally *tally);
uint64_t count_lookups(const struct demo *d, uint64_t *failures);

/* Set by SIGINT and SIGTERM: end soon. */
extern volatile sig_atomic_t interrupted;

#endif /* KREG_DEMO_H */

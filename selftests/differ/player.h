/* SPDX-License-Identifier: GPL-2.0 */
/* A player of sequences of operations; README.md describes their lines. */
#ifndef KREG_DIFFER_PLAYER_H
#define KREG_DIFFER_PLAYER_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

#define ACTORS	4
#define SLOTS	16
#define PINS	2
#define CHUNKS	2

/* A process that has played one of the actors. */
struct life {
	struct kreg_process process;
	unsigned int actor;
	unsigned int number;		/* which of its lives, from 1 on */
};

/* What all actors know, in shared memory. */
struct world {
	uint64_t slot[SLOTS];		/* ids of tables; 0: none yet */
	unsigned int now[ACTORS];	/* index of the present life of each */
	unsigned int lives;
	struct life life[];
};

struct bytes {
	const unsigned char *data;
	size_t len;
};

/* A selection of which a part was told. */
struct chunk {
	struct kreg_table *table;	/* NULL: there is none */
	char **spec;			/* its range and filter, in the sequence */
	unsigned int limit;
	unsigned char key[KREG_MAX_KEY];	/* it goes on after this object */
	size_t key_len;
	uint64_t version;
	unsigned int number;
};

/* An actor, and the line that it plays. */
struct play {
	struct world *world;
	struct kreg_client *client;
	struct kreg_table *known[SLOTS];	/* handles of the tables in the slots */
	struct kreg_table *pinned[PINS];
	struct kreg_pin *pin[PINS];
	struct chunk chunk[CHUNKS];
	struct kreg_table *table;	/* that of the line, if its operation is on one */
	char **arg;			/* its other words, and a NULL */
	FILE *list;			/* a list that is being made */
	char *text;			/* its text */
	size_t text_len;
};

typedef void (*op_fn)(struct play *play);

struct op {
	const char *name;
	op_fn fn;
	unsigned int words;		/* at least so many behind the table */
	int table;			/* its first word is a table */
};

extern const struct op table_ops[], object_ops[], walk_ops[], select_ops[];

/* The bytes that a word stands for; good until the line ends. */
struct bytes word_bytes(const char *word);
unsigned int word_slot(const char *word);
unsigned int word_actor(const char *word);

/* What a line says. Each line says one of these. */
void say(const char *text);
void say_number(int64_t number);
void say_bytes(FILE *to, const void *data, size_t len);
/* The name of the error, or with 0 and more "true". */
void say_done(int ret);

/* A list: begun, items added, and said; or, with an error, that said instead. */
FILE *list_item(struct play *play);
void list_say(struct play *play, int ordered, int ret);
void list_object(struct play *play, const struct kreg_object *object);

int in_order(const struct kreg_table *table);
int has_one_of_a_key(const struct kreg_table *table);

#endif /* KREG_DIFFER_PLAYER_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: an array of as many bytes as there are in keys and values. A get is one access, to
 * where the object with this number would be; what it reads says where the next one is to be.
 */
#include <stdlib.h>

#include "native.h"

struct cell {
	uint64_t word[10];
};

_Static_assert(sizeof(struct cell) == sizeof(struct key) + sizeof(struct value),
	       "a cell has as many bytes as an object");

static void *create(uint64_t objects)
{
	struct cell *cells = malloc(objects * sizeof(*cells));
	uint64_t i;

	if (!cells)
		native_die("one-access", "out of memory");
	for (i = 0; i < objects; i++)
		cells[i] = (struct cell){ { i, i } };
	return cells;
}

static bool get(void *it, const struct key *key, struct value *value)
{
	const struct cell *cells = it;

	value->word[0] = cells[key->word[1]].word[0];
	return true;
}

const struct structure one_access = {
	.name = "one-access",
	.create = create,
	.get = get,
	.destroy = free,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Abseil's B-tree, which knows at compile time how long keys are. Values are apart, since its nodes
 * of 256 bytes would have room for three. It has no readers beside the writer, no versions, and a
 * put writes over the value that is there.
 */
#include <absl/container/btree_map.h>

#include <endian.h>
#include <memory>

#include "native.h"

namespace {

/* In the order of their bytes. */
struct Before {
	bool operator()(const key &a, const key &b) const
	{
		uint64_t x = be64toh(a.word[0]), y = be64toh(b.word[0]);

		return x != y ? x < y : be64toh(a.word[1]) < be64toh(b.word[1]);
	}
};

using Map = absl::btree_map<key, std::unique_ptr<value>, Before>;

void *create(uint64_t)
{
	return new Map;
}

bool get(void *it, const key *k, value *v)
{
	Map *map = static_cast<Map *>(it);
	auto found = map->find(*k);

	if (found == map->end())
		return false;
	*v = *found->second;
	return true;
}

void put(void *it, const key *k, const value *v)
{
	auto &place = static_cast<Map *>(it)->try_emplace(*k).first->second;

	if (!place)
		place = std::make_unique<value>();
	*place = *v;
}

uint64_t walk(void *it, const key *from, uint64_t count, value *v)
{
	Map *map = static_cast<Map *>(it);
	auto at = map->lower_bound(*from);
	uint64_t sum = 0;

	for (; count; count--, ++at) {
		if (at == map->end())
			at = map->begin();
		*v = *at->second;
		sum += value_sum(v);
	}
	return sum;
}

void destroy(void *it)
{
	delete static_cast<Map *>(it);
}

} // namespace

extern "C" const structure btree = {
	"absl::btree_map", "libabsl-dev", true, create, get, put, walk, destroy,
};

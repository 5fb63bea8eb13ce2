/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of jobs. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "queue.h"

void kreg_job_write(const struct job_key *key, unsigned char *bytes)
{
	uint64_t due = htobe64(key->due_ns), number = htobe64(key->number);
	uint32_t deliveries = htobe32(key->deliveries);

	bytes[0] = key->what;
	memcpy(bytes + 1, &due, sizeof(due));
	memcpy(bytes + 9, &number, sizeof(number));
	memcpy(bytes + 17, &deliveries, sizeof(deliveries));
}

int kreg_job_read(struct job_key *key, const unsigned char *bytes, size_t len)
{
	uint64_t due, number;
	uint32_t deliveries;

	if (len != JOB_KEY)
		return -EBADMSG;
	memcpy(&due, bytes + 1, sizeof(due));
	memcpy(&number, bytes + 9, sizeof(number));
	memcpy(&deliveries, bytes + 17, sizeof(deliveries));
	*key = (struct job_key){
		bytes[0], be64toh(due), be64toh(number), be32toh(deliveries),
	};
	return 0;
}

void kreg_job_range(char what, uint64_t from_ns, uint64_t until_ns, unsigned char *low,
		    unsigned char *high)
{
	const struct job_key first = { what, from_ns, 0, 0 };
	const struct job_key last = { what, until_ns, UINT64_MAX, UINT32_MAX };

	kreg_job_write(&first, low);
	kreg_job_write(&last, high);
}

int kreg_job_make(struct job_key *key, char what, uint64_t due_ns, uint32_t deliveries)
{
	/* Clocks may be slow to change: what one process pushes meanwhile keeps its order. */
	static _Atomic uint32_t made;
	uint32_t random;

	*key = (struct job_key){ what, due_ns, (uint64_t)made++ << 32, deliveries };
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	key->number |= random;
	return 0;
}

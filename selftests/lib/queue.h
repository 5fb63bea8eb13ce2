/* SPDX-License-Identifier: GPL-2.0 */
/* Queues of the table "jobs", which is there as long as a test has it. */
#ifndef KREG_LIB_QUEUE_TEST_H
#define KREG_LIB_QUEUE_TEST_H

#include "lib/lib.h"

FIXTURE(queue)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_queue *queue;
};

static inline struct kreg_table *open_queue_table(struct kreg_client *client, const char *name)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table;

	options.flags = KREG_OPEN_CREATE;
	options.type = KREG_TYPE_ORDERED_SET;
	options.access = KREG_ACCESS_PUBLIC;
	return kreg_table_open(client, name, &options, &table) ? NULL : table;
}

static inline struct kreg_table *open_jobs(struct kreg_client *client)
{
	return open_queue_table(client, "jobs");
}

/* Of a process that has none so far. */
static inline struct kreg_queue *open_queue(void)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_queue *q;

	if (kreg_client_open(NULL, &client))
		return NULL;
	table = open_jobs(client);
	return table && !kreg_queue_open(table, NULL, &q) ? q : NULL;
}

FIXTURE_SETUP(queue)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = open_jobs(self->client);
	ASSERT_NE(NULL, self->table);
	ASSERT_EQ(0, kreg_queue_open(self->table, NULL, &self->queue));
}

FIXTURE_TEARDOWN(queue)
{
	kreg_queue_close(self->queue);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static inline bool counts_are(struct kreg_queue *q, uint64_t due, uint64_t delayed, uint64_t dead,
			      uint64_t lent)
{
	struct kreg_queue_counts c = KREG_QUEUE_COUNTS_INIT;

	if (kreg_queue_count(q, &c))
		return false;
	if (c.due == due && c.delayed == delayed && c.dead == dead && c.lent == lent)
		return true;
	printf("# due %llu, delayed %llu, dead %llu, lent %llu\n", (unsigned long long)c.due,
	       (unsigned long long)c.delayed, (unsigned long long)c.dead,
	       (unsigned long long)c.lent);
	return false;
}

static inline bool is_job(const struct kreg_job *job, const char *value, uint32_t deliveries)
{
	size_t len;

	return !strcmp(value, kreg_job_value(job, &len)) && len == strlen(value) &&
	       kreg_job_deliveries(job) == deliveries;
}

#endif /* KREG_LIB_QUEUE_TEST_H */

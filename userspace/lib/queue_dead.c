/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that were put aside, for who wants to see what they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"

struct looker {
	struct kreg_queue *queue;
	kreg_job_fn fn;
	void *arg;
};

/* The value of a job is followed by a NUL, so it is copied. */
static int look_at(const struct kreg_object *object, void *arg)
{
	const struct looker *l = arg;
	size_t key_len, len;
	const void *key = kreg_object_key(object, &key_len);
	const void *value = kreg_object_value(object, &len);
	struct kreg_job *job = malloc(sizeof(*job) + len + 1);
	int ret;

	if (!job)
		return kreg_fail_table(-ENOMEM, TRY_OTHER, l->queue->table);
	ret = kreg_job_read(&job->key, key, key_len);
	if (ret) {
		free(job);
		return kreg_fail_table(ret, TRY_QUEUE, l->queue->table);
	}
	job->queue = l->queue;
	job->version = kreg_object_version(object);
	job->deliveries = job->key.deliveries;
	job->len = len;
	job->value = memcpy(job + 1, value, len);
	job->value[len] = '\0';
	ret = l->fn(job, l->arg);
	free(job);
	return ret;
}

int kreg_queue_dead(struct kreg_queue *queue, kreg_job_fn fn, void *arg)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct looker looker = { queue, fn, arg };
	unsigned char low[JOB_KEY], high[JOB_KEY];

	kreg_job_range(JOB_DEAD, 0, UINT64_MAX, low, high);
	o.low = low;
	o.low_len = sizeof(low);
	o.high = high;
	o.high_len = sizeof(high);
	return kreg_fold(queue->table, &o, look_at, &looker);
}

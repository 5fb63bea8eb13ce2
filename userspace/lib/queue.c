/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work queues: jobs are objects of an ordered table, and on loan while somebody works on them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"

/* Room for the value in the first try. */
#define GUESS	256

static int queue_failed(int ret, const struct kreg_queue *q)
{
	return kreg_fail_table(ret, TRY_QUEUE, q->table);
}

int kreg_queue_open(struct kreg_table *table, const struct kreg_queue_options *options,
		    struct kreg_queue **queue)
{
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	struct kreg_queue *q;
	int ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;

	if (ret)
		return kreg_fail_table(ret, TRY_OTHER, table);
	if (table->type != KREG_TYPE_ORDERED_SET)
		return kreg_fail_table(-EOPNOTSUPP, TRY_ORDER, table);
	q = calloc(1, sizeof(*q));
	if (!q)
		return kreg_fail_table(-ENOMEM, TRY_OTHER, table);
	q->table = kreg_table_get(table);
	q->options = o;
	if (o.sigmask) {
		memcpy(&q->sigmask, o.sigmask, sizeof(q->sigmask));
		q->options.sigmask = &q->sigmask;
	}
	*queue = q;
	return 0;
}

void kreg_queue_close(struct kreg_queue *queue)
{
	if (!queue)
		return;
	kreg_queue_deafen(queue);
	kreg_table_close(queue->table);
	free(queue);
}

/* UINT64_MAX: never. */
static uint64_t due_after(int64_t delay_ms)
{
	uint64_t due = kreg_deadline(delay_ms);

	return due ? due : UINT64_MAX;
}

static struct kreg_op put_op(const unsigned char *key, const void *value, size_t len)
{
	return (struct kreg_op){
		.code = KREG_OP_PUT,
		.flags = KREG_OP_NEW,
		.key = kreg_ptr(key),
		.key_len = JOB_KEY,
		.value = kreg_ptr(value),
		.value_len = len,
	};
}

int kreg_queue_push(struct kreg_queue *queue, const void *value, size_t len, int64_t delay_ms)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = queue->table->id };
	unsigned char bytes[JOB_KEY];
	struct job_key key;
	int ret = 0;

	if (delay_ms < 0)
		ret = kreg_cause(-EINVAL, "the delay is below 0");
	else if (len > KREG_MAX_VALUE)
		ret = -EFBIG;
	do {
		if (!ret || ret == -EEXIST)
			ret = kreg_job_make(&key, JOB_WAITS, due_after(delay_ms), 0);
		if (ret)
			break;
		kreg_job_write(&key, bytes);
		io.op = put_op(bytes, value, len);
		ret = kreg_ioctl(queue->table->client, KREG_IOC_OP, &io);
	} while (ret == -EEXIST);
	kreg_fail_table(ret, TRY_WRITE, queue->table);
	return kreg_fail_sizes(ret, JOB_KEY, len, 0);
}

/* What is no job is given back, and nothing goes on behind it. */
static int read_key(struct kreg_queue *q, const struct kreg_ioc_lease *lent, struct kreg_job *job)
{
	struct kreg_ioc_lease io = {
		.size = sizeof(io), .flags = KREG_LEASE_RETURN, .table = q->table->id,
		.key = lent->key, .key_len = lent->out_key_len,
	};
	int ret = kreg_job_read(&job->key, (const void *)(uintptr_t)lent->key, lent->out_key_len);

	if (ret)
		kreg_ioctl(q->table->client, KREG_IOC_LEASE, &io);
	return ret;
}

/* Lend the first of a range, in as many tries as its value needs to have room. */
static int lend(struct kreg_queue *q, char what, uint64_t from_ns, uint64_t until_ns,
		struct kreg_job **job)
{
	unsigned char low[JOB_KEY], high[JOB_KEY], key[KREG_MAX_KEY];
	struct kreg_ioc_lease io = {
		.size = sizeof(io), .flags = KREG_LEASE_FIRST, .table = q->table->id,
		.key = kreg_ptr(key), .key_len = sizeof(key), .lease_ms = q->options.lease_ms,
		.range.low = kreg_ptr(low), .range.low_len = sizeof(low),
		.range.high = kreg_ptr(high), .range.high_len = sizeof(high),
	};
	struct kreg_job *j = NULL, *more;
	size_t room = GUESS;
	int ret;

	kreg_job_range(what, from_ns, until_ns, low, high);
	do {
		more = realloc(j, sizeof(*j) + room + 1);
		if (!more) {
			free(j);
			return -ENOMEM;
		}
		j = more;
		io.value = kreg_ptr(j + 1);
		io.value_len = room;
		ret = kreg_ioctl(q->table->client, KREG_IOC_LEASE, &io);
		room = io.out_len;
	} while (ret == -EMSGSIZE);
	if (!ret)
		ret = read_key(q, &io, j);
	if (ret) {
		free(j);
		return ret;
	}
	j->queue = q;
	j->version = io.out_version;
	j->deliveries = j->key.deliveries + io.out_loans;
	j->value = (char *)(j + 1);
	j->len = io.out_len;
	j->value[j->len] = '\0';
	*job = j;
	return 0;
}

static struct kreg_op remove_op(const struct kreg_job *job, unsigned char *bytes)
{
	kreg_job_write(&job->key, bytes);
	return (struct kreg_op){
		.code = KREG_OP_DELETE,
		.flags = KREG_OP_MINE | KREG_OP_VERSION,
		.key = kreg_ptr(bytes),
		.key_len = JOB_KEY,
		.arg = job->version,
	};
}

/* Remove it, and put it where @key says, at once; nothing if it is not on loan any more. */
static int move_job(const struct kreg_job *job, const struct job_key *key)
{
	struct kreg_table *table = job->queue->table;
	unsigned char from[JOB_KEY], to[JOB_KEY];
	struct kreg_op ops[2] = { remove_op(job, from) };
	struct kreg_ioc_batch io = {
		.size = sizeof(io), .flags = KREG_BATCH_ATOMIC, .table = table->id,
		.ops = kreg_ptr(ops), .count = 2, .op_size = sizeof(ops[0]),
	};

	kreg_job_write(key, to);
	ops[1] = put_op(to, job->value, job->len);
	return kreg_ioctl(table->client, KREG_IOC_BATCH, &io);
}

static int return_job(const struct kreg_job *job)
{
	unsigned char bytes[JOB_KEY];
	struct kreg_ioc_lease io = {
		.size = sizeof(io), .flags = KREG_LEASE_RETURN | KREG_LEASE_VERSION,
		.table = job->queue->table->id, .key = kreg_ptr(bytes), .key_len = JOB_KEY,
		.version = job->version,
	};
	int ret;

	kreg_job_write(&job->key, bytes);
	ret = kreg_ioctl(job->queue->table->client, KREG_IOC_LEASE, &io);
	return ret == -ENODATA ? -ECANCELED : ret;
}

/* If that cannot be done the job is given back at once: nobody could end it any more. */
static int move_anew(const struct kreg_job *job, char what, uint64_t due_ns, uint32_t deliveries)
{
	struct job_key key;
	int ret;

	do {
		ret = kreg_job_make(&key, what, due_ns, deliveries);
		if (!ret)
			ret = move_job(job, &key);
	} while (ret == -EEXIST);
	if (ret && ret != -ECANCELED)
		return_job(job);
	return ret;
}

/* The moment at which the next is due that is not yet; UINT64_MAX: there is none. */
static int next_due(struct kreg_queue *q, uint64_t now, uint64_t *due)
{
	unsigned char low[JOB_KEY], high[JOB_KEY];
	uint64_t room[(sizeof(struct kreg_object) + KREG_MAX_KEY) / 8 + 1];
	const struct kreg_object *object = (const void *)room;
	struct kreg_ioc_scan io = {
		.size = sizeof(io), .flags = KREG_SCAN_KEYS, .table = q->table->id,
		.buf = kreg_ptr(room), .buf_len = sizeof(room), .max_count = 1,
		.range.low = kreg_ptr(low), .range.low_len = sizeof(low),
		.range.high = kreg_ptr(high), .range.high_len = sizeof(high),
	};
	struct job_key key;
	int ret;

	kreg_job_range(JOB_WAITS, now + 1, UINT64_MAX, low, high);
	ret = kreg_ioctl(q->table->client, KREG_IOC_SCAN, &io);
	if (!ret && io.out_count)
		ret = kreg_job_read(&key, (const void *)(object + 1), object->key_len);
	*due = !ret && io.out_count ? key.due_ns : UINT64_MAX;
	return ret;
}

/* One that was given out too often goes aside, and the next is taken. */
static int take_now(struct kreg_queue *q, uint64_t now, struct kreg_job **job)
{
	uint32_t most = q->options.max_deliveries;
	int ret;

	while (!(ret = lend(q, JOB_WAITS, 0, now, job))) {
		if (!most || (*job)->deliveries <= most)
			return 0;
		/* It is not given out this time. */
		(*job)->deliveries--;
		ret = kreg_job_reject(*job);
		if (ret && ret != -ECANCELED)
			return ret;
	}
	return ret;
}

/* What has happened before the look cannot be missed: it is listened to before. */
static int take_or_wait(struct kreg_queue *q, uint64_t until, struct kreg_job **job)
{
	uint64_t now, due;
	int ret;

	for (;;) {
		ret = kreg_queue_listen(q);
		now = kreg_deadline(0);
		if (!ret)
			ret = take_now(q, now, job);
		if (ret != -ENODATA)
			return ret;
		if (now >= until)
			return -ETIMEDOUT;
		ret = next_due(q, now, &due);
		if (!ret)
			ret = kreg_queue_sleep(q, due < until ? due : until);
		if (ret)
			return ret;
	}
}

int kreg_queue_take(struct kreg_queue *queue, int64_t timeout_ms, struct kreg_job **job)
{
	int ret = take_now(queue, kreg_deadline(0), job);

	if (ret == -ENODATA && timeout_ms)
		ret = take_or_wait(queue, timeout_ms < 0 || timeout_ms == INT64_MAX ? UINT64_MAX :
					  due_after(timeout_ms), job);
	return queue_failed(ret == -ENODATA ? -ETIMEDOUT : ret, queue);
}

const void *kreg_job_value(const struct kreg_job *job, size_t *len)
{
	if (len)
		*len = job->len;
	return job->value;
}

uint32_t kreg_job_deliveries(const struct kreg_job *job)
{
	return job->deliveries;
}

static int end_job(struct kreg_job *job, int ret)
{
	queue_failed(ret, job->queue);
	free(job);
	return ret;
}

int kreg_job_done(struct kreg_job *job)
{
	struct kreg_ioc_op io = { .size = KREG_OP_SIZE, .table = job->queue->table->id };
	unsigned char bytes[JOB_KEY];

	io.op = remove_op(job, bytes);
	return end_job(job, kreg_ioctl(job->queue->table->client, KREG_IOC_OP, &io));
}

int kreg_job_back(struct kreg_job *job, int64_t delay_ms)
{
	int ret = delay_ms > 0 ? move_anew(job, JOB_WAITS, due_after(delay_ms), job->deliveries) :
				 return_job(job);

	if (delay_ms < 0)
		ret = kreg_cause(-EINVAL, "the delay is below 0");
	return end_job(job, ret);
}

int kreg_job_reject(struct kreg_job *job)
{
	return end_job(job, move_anew(job, JOB_DEAD, job->key.due_ns, job->deliveries));
}

static int count_jobs(struct kreg_queue *q, char what, uint64_t from, uint64_t until, uint64_t *n)
{
	unsigned char low[JOB_KEY], high[JOB_KEY];
	struct kreg_ioc_scan io = {
		.size = sizeof(io), .flags = KREG_SCAN_COUNT, .table = q->table->id,
		.range.low = kreg_ptr(low), .range.low_len = sizeof(low),
		.range.high = kreg_ptr(high), .range.high_len = sizeof(high),
	};
	int ret;

	kreg_job_range(what, from, until, low, high);
	ret = kreg_ioctl(q->table->client, KREG_IOC_SCAN, &io);
	*n = io.out_count;
	return ret;
}

int kreg_queue_count(struct kreg_queue *queue, struct kreg_queue_counts *counts)
{
	struct kreg_queue_counts c = KREG_QUEUE_COUNTS_INIT;
	uint64_t now = kreg_deadline(0), all, seen;
	int ret;

	if (counts->size < sizeof(c)) {
		ret = kreg_cause(-EINVAL, "the counts do not tell their size: set @size");
		return queue_failed(ret, queue);
	}
	ret = count_jobs(queue, JOB_WAITS, 0, now, &c.due);
	if (!ret)
		ret = count_jobs(queue, JOB_WAITS, now + 1, UINT64_MAX, &c.delayed);
	if (!ret)
		ret = count_jobs(queue, JOB_DEAD, 0, UINT64_MAX, &c.dead);
	if (!ret)
		ret = kreg_count(queue->table, &all);
	if (ret)
		return queue_failed(ret, queue);
	/* What is on loan to others is hidden, and counts as an object. */
	seen = c.due + c.delayed + c.dead;
	c.lent = all > seen ? all - seen : 0;
	*counts = c;
	return 0;
}

int kreg_queue_revive(struct kreg_queue *queue, uint64_t *revived)
{
	struct kreg_job *job;
	uint64_t n = 0;
	int ret;

	while (!(ret = lend(queue, JOB_DEAD, 0, UINT64_MAX, &job))) {
		ret = move_anew(job, JOB_WAITS, kreg_deadline(0), 0);
		free(job);
		if (ret && ret != -ECANCELED)
			break;
		n += !ret;
	}
	if (revived)
		*revived = n;
	return queue_failed(ret == -ENODATA ? 0 : ret, queue);
}

/* All of one moment, so that none is found twice; their numbers keep them in order. */
int kreg_queue_make_due(struct kreg_queue *queue, uint64_t *made)
{
	uint64_t now = kreg_deadline(0), n = 0;
	struct kreg_job *job;
	int ret;

	while (!(ret = lend(queue, JOB_WAITS, now + 1, UINT64_MAX, &job))) {
		/* It is not given out this time. */
		ret = move_anew(job, JOB_WAITS, now, job->deliveries - 1);
		free(job);
		if (ret && ret != -ECANCELED)
			break;
		n += !ret;
	}
	if (made)
		*made = n;
	return queue_failed(ret == -ENODATA ? 0 : ret, queue);
}

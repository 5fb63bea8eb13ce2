/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes and tables of faults.c, and their state as it can be seen from outside.
 */
#ifndef KREG_FAULTS_WORLD_H
#define KREG_FAULTS_WORLD_H

#include "kit/fault.h"
#include "kit/fixture.h"
#include "kit/kid.h"

#define TABLES		4

struct world {
	int fd;
	int caller;			/* the client that makes the call; may be @fd */
	int nth;
	__u64 table;			/* 0: gone */
	struct kid *kid;
	struct areas areas;
	long long counts[TEST_COUNTERS];
	long long limit;		/* to be restored */
};

/* All that can be seen from outside, but for the use of memory, which may change. */
struct dump {
	int tables;
	struct kreg_info infos[TABLES];
	long records[2];		/* in mailboxes, and promised to them */
	__u32 len;
	__u64 objects[AREA_HALF / 8];
};

static struct dump before, after;

static void take_dump(struct __test_metadata *_metadata, struct world *w,
		      struct dump *d)
{
	struct kreg_ioc_scan scan = {
		.table = w->table,
		.buf = test_ptr(d->objects),
		.buf_len = sizeof(d->objects),
	};
	__u32 more;
	int i;

	memset(d, 0, sizeof(*d));
	test_sync(w->fd);
	d->tables = _test_list(w->fd, 0, d->infos, TABLES, &more);
	ASSERT_LE(0, d->tables);
	ASSERT_EQ(0, more);
	for (i = 0; i < d->tables; i++) {
		d->infos[i].memory = 0;
		d->infos[i].limbo = 0;
		d->infos[i].buckets = 0;
		d->infos[i].events = 0;
		d->infos[i].walked = 0;
	}
	d->records[0] = fault_fdinfo(getpid(), w->fd, "kreg-records:");
	ASSERT_LE(0, d->records[0]);
	if (w->kid)
		d->records[1] = fault_fdinfo(w->kid->pid, w->kid->job->fd,
					     "kreg-records:");
	ASSERT_LE(0, d->records[1]);
	test_scan(w->fd, &scan);
	ASSERT_EQ(0, scan.out_more);
	d->len = scan.out_len;
}

static void expect_unchanged(struct __test_metadata *_metadata, struct world *w)
{
	take_dump(_metadata, w, &after);
	EXPECT_EQ(before.tables, after.tables);
	EXPECT_EQ(0, memcmp(before.infos, after.infos, sizeof(before.infos)));
	EXPECT_EQ(before.records[0], after.records[0]);
	EXPECT_EQ(before.records[1], after.records[1]);
	EXPECT_EQ(before.len, after.len);
	EXPECT_EQ(0, memcmp(before.objects, after.objects, sizeof(before.objects)));
}

#endif /* KREG_FAULTS_WORLD_H */

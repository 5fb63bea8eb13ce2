/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables that the referee creates at the begin of a round.
 */
#ifndef KREG_STRESS_TABLES_H
#define KREG_STRESS_TABLES_H

#include "stress/referee.h"

static inline __u64 create_table(struct referee *r, const char *name, __u32 access, __u32 type,
				 __u64 beside)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	int err;

	cmd.flags |= beside ? KREG_OPEN_BESIDE : 0;
	cmd.type = type;
	cmd.access = access;
	cmd.orphan = KREG_ORPHAN_PARK;
	cmd.beside = beside;
	err = _test_open_cmd(r->look.fd, &cmd);
	if (err)
		complain("%s: %s", name, strerror(-err));
	return cmd.out_table;
}

static inline __u64 create_shared(struct referee *r, const char *name, __u32 access)
{
	return create_table(r, name, access, KREG_TYPE_SET, 0);
}

static inline void make_steps(struct referee *r)
{
	int err;

	world->steps = create_table(r, "steps", KREG_ACCESS_PUBLIC, KREG_TYPE_ORDERED_SET, 0);
	err = fill_steps(r->look.fd);
	if (err)
		complain("steps: %s", strerror(-err));
}

/* A table can follow one of the same writer; which one it has is not for us to say. */
static inline void make_follower(struct referee *r, __u64 role)
{
	int tries = 50, err;
	char name[16];
	__u64 id;

	do {
		snprintf(name, sizeof(name), "follower%d", tries);
		id = create_shared(r, name, KREG_ACCESS_PUBLIC);
		err = _test_setopt(r->look.fd, id, KREG_OPT_ROLE, role, 0);
		if (!err)
			world->follower = id;
		else if (err == -EXDEV && test_param("writers") > 1)
			tally(EXDEVS);
	} while (err == -EXDEV && --tries);
	if (err)
		complain("%s: ROLE: %s", name, strerror(-err));
}

static inline void make_writer(struct referee *r, __u64 role)
{
	int err;

	world->fenced = create_shared(r, "fenced", KREG_ACCESS_PROTECTED);
	err = _test_setopt(r->look.fd, world->fenced, KREG_OPT_WRITER, role, 0);
	if (err)
		complain("WRITER: %s", strerror(-err));
}

static inline void create_kept(struct referee *r, unsigned int table)
{
	struct intent d = { .orphan = KREG_ORPHAN_PARK, .pending = PARK };
	struct kreg_ioc_open cmd;
	char name[16];
	int err;

	table_name(table, name, sizeof(name));
	cmd = test_open_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	cmd.access = KREG_ACCESS_PUBLIC;
	cmd.orphan = KREG_ORPHAN_PARK;
	err = _test_open_cmd(r->look.fd, &cmd);
	if (!err) {
		if (table == WRITER_ROLE)
			make_writer(r, cmd.out_table);
		if (table == FOLLOWED)
			make_follower(r, cmd.out_table);
		err = _test_park(r->look.fd, cmd.out_table);
	}
	if (err)
		complain("%s: %s", name, strerror(-err));
	d.id = cmd.out_table;
	d.owner = (struct who) { .slot = REFEREE, .life = 1 };
	world->ids[table] = d.id;
	write_intent(table, &d);
}

/* Each beside the one before. */
static inline void make_purses(struct referee *r)
{
	char name[16];
	__u64 id = 0;
	int i, err;

	for (i = 0; i < PURSES; i++) {
		snprintf(name, sizeof(name), "purse%d", i);
		id = create_table(r, name, KREG_ACCESS_PUBLIC, i % 2 ? KREG_TYPE_SET :
				  KREG_TYPE_ORDERED_SET, id);
		world->purses[i] = id;
	}
	err = fill_purses(r->look.fd);
	if (err)
		complain("accounts: %s", strerror(-err));
}

static inline void create_tables(struct referee *r)
{
	unsigned int i;

	for (i = 0; i < KEPT; i++)
		create_kept(r, i);
	world->registry = create_shared(r, "registry", KREG_ACCESS_REGISTRY);
	world->jobs = create_shared(r, "jobs", KREG_ACCESS_PUBLIC);
	world->mortals = create_shared(r, "mortals", KREG_ACCESS_PUBLIC);
	make_steps(r);
	make_purses(r);
}

#endif /* KREG_STRESS_TABLES_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What comes to a player, and what he finds to be his.
 */
#ifndef KREG_STRESS_MAIL_H
#define KREG_STRESS_MAIL_H

#include "stress/watch.h"

/* Numbers have gaps only where CANCEL has taken a record back. */
static inline void check_number(struct actor *a, unsigned int box, __u64 seq)
{
	__u64 gap = seq - a->seq[box] - 1;

	if (gap > a->flushed[box])
		complain("%u.%u: record %llu behind %llu", a->me.slot, a->me.life,
			 (unsigned long long)seq, (unsigned long long)a->seq[box]);
	else
		a->flushed[box] -= gap;
	a->seq[box] = seq;
}

/* Read what there is. */
static inline void open_box(struct actor *a, unsigned int box)
{
	struct test_event event;
	int err;

	note_overdue(a, box);
	while (!(err = test_event_read(a->fd[box], &event))) {
		check_number(a, box, event.e.seq);
		if (event.e.kind == KREG_EVENT_DOWN)
			take_down(a, box, &event);
		else
			take_record(a, &event);
	}
	if (err == -EAGAIN)
		check_overdue(a, box);
	if (err != -EAGAIN && !out_of_memory(a->slot, err))
		complain("%u.%u: read: %s", a->me.slot, a->me.life,
			 strerror(-err));
}

static inline void open_mail(struct actor *a)
{
	unsigned int box;

	for (box = 0; box < BOXES; box++)
		open_box(a, box);
}

/* Whose is it? Ours without a record: only a silent death explains that. */
static inline void look_up(struct actor *a, unsigned int table)
{
	struct kreg_info info;
	char name[16];
	bool ours;
	int err;

	table_name(table, name, sizeof(name));
	err = _test_info_name(client(a), name, &info);
	/* Gone, perhaps between the name and the answer. */
	if (table >= KEPT && (err == -ENOENT || err == -ESTALE))
		info.owner = (struct kreg_process) { 0 };
	else if (expect(a, table, "INFO by name", err, 0, 0))
		return;
	ours = test_same(info.owner, a->me.process);
	if (ours == a->slot->owned[table])
		return;
	if (!ours) {
		complain_of(a, table, "is ours, but %u owns it",
			    info.owner.pid);
		a->slot->owned[table] = false;
		return;
	}
	/* Its record is there when the change is. */
	if (sync_all(a))
		return;
	open_mail(a);
	if (a->slot->owned[table])
		return;
	tally(SILENT);
	adopt(a, table, info.id, SILENTLY, 0);
}

static inline void claim(struct actor *a, unsigned int table, bool wait)
{
	struct kreg_ioc_open cmd;
	char name[16];
	int err;

	table_name(table, name, sizeof(name));
	cmd = test_open_cmd(name, KREG_OPEN_CLAIM | (wait ? KREG_OPEN_WAIT : 0));
	if (wait)
		cmd.deadline_ns = test_now_ns() +
				  test_scale(1 + roll(a, 50)) * 1000000ULL;
	store(&a->slot->claiming, table + 1);
	err = _test_open_cmd(client(a), &cmd);
	if (!err) {
		tally(CLAIMS);
		if (cmd.out_how != KREG_OPENED_CLAIMED)
			complain_of(a, table, "claimed, but how %u",
				    cmd.out_how);
		adopt(a, table, cmd.out_table, BY_CLAIM, 0);
	}
	store(&a->slot->claiming, 0);
	if (!err || err == (wait ? -ETIMEDOUT : -EBUSY) ||
	    (wait && err == -EINTR))
		return;
	if (err == -EALREADY)
		look_up(a, table);
	else if (table < KEPT || (err != -ENOENT && err != -ESTALE))
		expect(a, table, wait ? "WAIT" : "CLAIM", err, 0, 0);
}

#endif /* KREG_STRESS_MAIL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that expire. Each player has keys of its own, whose values tell when they do. Both are
 * decided by the clock of the last tick, which is read before and after each call: what has expired
 * before is not found, what has not until after is.
 */
#ifndef KREG_STRESS_MORTAL_H
#define KREG_STRESS_MORTAL_H

#include "kit/tick.h"
#include "stress/replica.h"

#define IDLE_PART	16	/* by that part of its time an idle object may be gone earlier */

/* The value of such an object. */
struct mortal {
	__u64 number;		/* of the write */
	__u64 expires;		/* 0: never, but it may be idle for too long */
	__u32 idle_ms;		/* 0: it may be idle */
	__u32 reserved;
};

/* The span that is looked at, as it was before the look-up. */
struct glance {
	struct lifetime before;
	__u64 begin;		/* by the clock of the last tick */
	bool found;
};

/* The table as its events tell it. */
struct diary {
	int fd;
	__u64 id;		/* of the subscription; 0: none */
	__u64 seq;		/* of the last event */
	struct page {
		bool known;	/* there was an event */
		bool present;
		__u64 expires;
	} pages[PLAYERS][MORTALS];
	struct glance glances[PLAYERS][MORTALS];
	__u64 room[4096];
};

static inline struct lifetime *lifetime_of(__u32 slot, __u32 number)
{
	return &world->lifetimes[slot][number];
}

static inline void mortal_key(char *key, size_t room, __u32 slot, __u32 number)
{
	snprintf(key, room, "m%u.%u", slot, number);
}

static inline bool parse_mortal(const char *key, __u32 len, __u32 *slot, __u32 *number)
{
	char text[16] = "";

	memcpy(text, key, len < sizeof(text) ? len : sizeof(text) - 1);
	return sscanf(text, "m%u.%u", slot, number) == 2 && *slot < PLAYERS &&
	       *number < MORTALS;
}

static inline struct glance glance(__u32 slot, __u32 number)
{
	struct lifetime *lifetime = lifetime_of(slot, number);
	struct glance g = { 0 };

	g.before.done = load(&lifetime->done);
	g.before.expires = load(&lifetime->expires);
	g.before.begun = load(&lifetime->begun);
	g.begin = test_tick_ns();
	return g;
}

/* Nothing was written since, and nothing is being written. */
static inline bool is_still(const struct glance *g, const struct lifetime *lifetime)
{
	return g->before.begun == g->before.done && load(&lifetime->begun) == g->before.begun;
}

static inline void judge_found(struct registrant *r, const char *key, const struct glance *g,
			       const struct lifetime *lifetime, const struct mortal *m)
{
	if (m->number < g->before.done || m->number > load(&lifetime->begun))
		complain_of_key(r, key, "write %llu is found, not %llu to %llu",
				(unsigned long long)m->number,
				(unsigned long long)g->before.done,
				(unsigned long long)lifetime->begun);
	if (m->expires && m->expires <= g->begin)
		complain_of_key(r, key, "is found %llu ns after it has expired",
				(unsigned long long)(g->begin - m->expires));
}

/* Not found: that is right if it has expired by now. */
static inline void judge_absent(struct registrant *r, const char *key, const struct glance *g,
				const struct lifetime *lifetime)
{
	__u64 end = test_tick_ns();

	if (is_still(g, lifetime) && g->before.expires > end)
		complain_of_key(r, key, "is not found %llu ns before it expires",
				(unsigned long long)(g->before.expires - end));
	else if (g->before.expires)
		tally(EXPIRED);
}

static inline int get_mortal(struct registrant *r, const char *key, struct mortal *m)
{
	int err = _test_get(r->fd, world->mortals, key, strlen(key), m, sizeof(*m));

	if (err >= 0 && err != sizeof(*m))
		complain_of_key(r, key, "has a value of %d bytes", err);
	if (err < 0 && err != -ENODATA)
		came(r, key, "GET", err, 0);
	return err;
}

/* Those that may be idle are not looked at by others, since that counts. */
static inline void look_at_mortal(struct registrant *r, __u32 slot, __u32 number)
{
	struct lifetime *lifetime = lifetime_of(slot, number);
	struct glance g = glance(slot, number);
	struct mortal m;
	char key[16];
	int err;

	mortal_key(key, sizeof(key), slot, number);
	err = get_mortal(r, key, &m);
	if (err > 0)
		judge_found(r, key, &g, lifetime, &m);
	else if (err == -ENODATA)
		judge_absent(r, key, &g, lifetime);
}

/* One's own that may be idle: nobody else looks it up. */
static inline void look_at_idle(struct registrant *r, __u32 number)
{
	struct idle *idle = &r->idle[number - TIMED];
	__u64 begin = test_tick_ns(), ns = idle->ms * MS, end;
	struct mortal m;
	char key[16];
	int err;

	mortal_key(key, sizeof(key), r->me.slot, number);
	err = get_mortal(r, key, &m);
	end = test_tick_ns();
	if (!idle->ms)
		return;
	if (err == -ENODATA && end < idle->used_from + ns - ns / IDLE_PART)
		complain_of_key(r, key, "is not found, but was %llu ns before, of %llu",
				(unsigned long long)(end - idle->used_from),
				(unsigned long long)ns);
	if (err > 0 && begin >= idle->used_to + ns)
		complain_of_key(r, key, "is found, but was idle for %llu ns, of %llu",
				(unsigned long long)(begin - idle->used_to),
				(unsigned long long)ns);
	if (err == -ENODATA) {
		idle->ms = 0;
		tally(IDLED);
	} else if (err > 0) {
		idle->used_from = begin;
		idle->used_to = end;
	}
}

/* Its writer is the only one. @more: when it expires, which @m tells. */
static inline int write_mortal(struct registrant *r, __u32 number, struct mortal *m, __u16 flags)
{
	struct lifetime *lifetime = lifetime_of(r->me.slot, number);
	struct kreg_more more = {
		.size = sizeof(more),
		.expires_ns = m->expires,
		.idle_ms = m->idle_ms,
	};
	struct kreg_op op;
	char key[16];
	int err;

	mortal_key(key, sizeof(key), r->me.slot, number);
	m->number = lifetime->begun + 1;
	op = test_op_value(KREG_OP_PUT, key, strlen(key), m, sizeof(*m));
	op.flags = KREG_OP_MORE | flags;
	op.arg = test_ptr(&more);
	store(&lifetime->begun, m->number);
	err = _test_op(r->fd, world->mortals, 0, &op);
	if (came(r, key, "PUT", err, 0)) {
		store(&lifetime->expires, m->expires);
		store(&lifetime->done, m->number);
	}
	return err;
}

static inline void put_timed(struct registrant *r, __u32 number)
{
	struct mortal m = { .expires = test_tick_ns() + draw(r, test_scale(60) * MS) };

	write_mortal(r, number, &m, 0);
}

/* Another value, which expires as the one before: if that has expired meanwhile, so has this. */
static inline void put_kept(struct registrant *r, __u32 number)
{
	struct lifetime *lifetime = lifetime_of(r->me.slot, number);
	struct mortal m = { .expires = lifetime->expires };

	if (m.expires && lifetime->begun == lifetime->done)
		write_mortal(r, number, &m, KREG_OP_KEEP);
}

static inline void put_idle(struct registrant *r, __u32 number)
{
	struct idle *idle = &r->idle[number - TIMED];
	struct mortal m = { .idle_ms = test_scale(5 + draw(r, 60)) };
	__u64 begin = test_tick_ns();

	if (write_mortal(r, number, &m, 0))
		return;
	idle->ms = m.idle_ms;
	idle->used_from = begin;
	idle->used_to = test_tick_ns();
}

static inline void delete_mortal(struct registrant *r, __u32 number)
{
	struct lifetime *lifetime = lifetime_of(r->me.slot, number);
	struct kreg_op op;
	char key[16];

	mortal_key(key, sizeof(key), r->me.slot, number);
	op = test_ops(KREG_OP_DELETE, key);
	store(&lifetime->begun, lifetime->begun + 1);
	if (!came(r, key, "DELETE", _test_op(r->fd, world->mortals, 0, &op), 0))
		return;
	store(&lifetime->expires, 0);
	store(&lifetime->done, lifetime->begun);
	if (number >= TIMED)
		r->idle[number - TIMED].ms = 0;
}

/* What a scan tells of it beside the value: when it expires, which has not come. */
static inline void judge_tail(struct registrant *r, const char *key, const struct glance *g,
			      const struct mortal *m, const struct kreg_object *o)
{
	struct kreg_object_expiry tail;

	memcpy(&tail, (const char *)o + o->size - sizeof(tail), sizeof(tail));
	if (tail.expires_ns != m->expires || tail.idle_ms != m->idle_ms)
		complain_of_key(r, key, "expires at %llu or after %u ms, not %llu or %u",
				(unsigned long long)tail.expires_ns, tail.idle_ms,
				(unsigned long long)m->expires, m->idle_ms);
	if (tail.until_ns <= g->begin || (m->expires && tail.until_ns != m->expires))
		complain_of_key(r, key, "is found at %llu, but expires at %llu",
				(unsigned long long)g->begin, (unsigned long long)tail.until_ns);
}

static inline void judge_scanned(struct registrant *r, const struct kreg_object *o)
{
	const char *key = (const char *)(o + 1);
	__u32 slot, number;
	struct mortal m;
	struct glance *g;
	char text[16];

	if (!parse_mortal(key, o->key_len, &slot, &number) || o->value_len != sizeof(m)) {
		complain_of_key(r, "mortals", "a strange object of %u bytes", o->value_len);
		return;
	}
	mortal_key(text, sizeof(text), slot, number);
	memcpy(&m, key + o->key_len, sizeof(m));
	g = &r->diary->glances[slot][number];
	g->found = true;
	judge_found(r, text, g, lifetime_of(slot, number), &m);
	judge_tail(r, text, g, &m, o);
}

/* All of the players' objects that have expired by then, and none that has not, are missing. */
static inline void scan_mortals(struct registrant *r)
{
	struct diary *diary = r->diary;
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_EXPIRES,
		.table = world->mortals,
		.buf = test_ptr(diary->room),
		.buf_len = sizeof(diary->room),
	};
	struct kreg_object *o = (void *)diary->room;
	__u32 slot, number, i;
	char key[16];

	for (slot = 0; slot < world->players; slot++)
		for (number = 0; number < MORTALS; number++)
			diary->glances[slot][number] = glance(slot, number);
	if (!came(r, "mortals", "SCAN", _test_scan(r->fd, &cmd), 0))
		return;
	if (cmd.out_more)
		complain_of_key(r, "mortals", "too large for a scan");
	for (i = 0; i < cmd.out_count; i++, o = (void *)o + o->size)
		judge_scanned(r, o);
	for (slot = 0; slot < world->players; slot++)
		for (number = 0; number < TIMED; number++) {
			if (diary->glances[slot][number].found)
				continue;
			mortal_key(key, sizeof(key), slot, number);
			judge_absent(r, key, &diary->glances[slot][number],
				     lifetime_of(slot, number));
		}
}

static inline void use_mortals(struct registrant *r)
{
	__u32 number = draw(r, MORTALS), what = draw(r, 10);

	if (number >= TIMED && what < 3)
		put_idle(r, number);
	else if (number >= TIMED && what < 9)
		look_at_idle(r, number);
	else if (what < 3)
		put_timed(r, number);
	else if (what == 3)
		put_kept(r, number);
	else if (what < 8)
		look_at_mortal(r, draw(r, world->players), draw(r, TIMED));
	else if (what == 8)
		scan_mortals(r);
	else
		delete_mortal(r, number);
}

#endif /* KREG_STRESS_MORTAL_H */

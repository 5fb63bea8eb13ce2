/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a player is told of the objects that expire: each goes before it comes again, by EXPIRED
 * not before its time.
 */
#ifndef KREG_STRESS_DIARY_H
#define KREG_STRESS_DIARY_H

#include "stress/mortal.h"

static inline void close_diary(struct registrant *r)
{
	struct diary *diary = r->diary;

	if (diary->id)
		came(r, "diary", "CANCEL", _test_cancel(diary->fd, diary->id, 0), 0);
	diary->id = 0;
}

static inline void open_diary(struct registrant *r)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(world->mortals, ALL_KINDS);
	struct diary *diary = r->diary;

	if (!came(r, "mortals", "SUBSCRIBE", _test_subscribe_cmd(diary->fd, &cmd), 0))
		return;
	memset(diary->pages, 0, sizeof(diary->pages));
	diary->id = cmd.out_id;
	diary->seq = cmd.out_seq;
}

/* Whether the event is one that makes the object be there; or complains. */
static inline bool comes(struct registrant *r, const char *key, const struct kreg_event *e)
{
	if (e->kind == KREG_EVENT_CREATE || e->kind == KREG_EVENT_UPDATE)
		return true;
	if (e->kind != KREG_EVENT_DELETE && e->kind != KREG_EVENT_EXPIRED)
		complain_of_key(r, key, "an event of kind %u", e->kind);
	return false;
}

static inline void judge_end(struct registrant *r, const char *key, const struct page *page,
			     const struct kreg_event *e)
{
	if (page->known && e->time_ns < page->expires)
		complain_of_key(r, key, "EXPIRED was told %llu ns too early",
				(unsigned long long)(page->expires - e->time_ns));
	if (e->cause != KREG_CAUSE_EXPIRED)
		complain_of_key(r, key, "EXPIRED has the cause %u", e->cause);
	tally(ENDS);
}

static inline void write_down(struct registrant *r, const struct kreg_event *e)
{
	struct mortal m = { 0 };
	__u32 slot, number;
	struct page *page;
	char key[16];
	bool is_new;

	if (!parse_mortal(test_key(e), e->key_len, &slot, &number)) {
		complain_of_key(r, "mortals", "an event of a strange key, kind %u", e->kind);
		return;
	}
	mortal_key(key, sizeof(key), slot, number);
	page = &r->diary->pages[slot][number];
	is_new = e->kind == KREG_EVENT_CREATE;
	if (page->known && page->present == is_new)
		complain_of_key(r, key, "an event of kind %u, but it is%s there", e->kind,
				page->present ? "" : " not");
	if (e->kind == KREG_EVENT_EXPIRED)
		judge_end(r, key, page, e);
	page->present = comes(r, key, e);
	page->known = true;
	if (page->present && e->value_len == sizeof(m))
		memcpy(&m, test_value(e), sizeof(m));
	page->expires = m.expires;
}

static inline void take_entries(struct registrant *r, ssize_t len)
{
	const struct kreg_event *e = (void *)r->diary->room;
	struct diary *diary = r->diary;

	for (; len > 0 && diary->id; len -= e->size, e = (void *)((char *)e + e->size)) {
		if (!test_event_is_whole(e, len)) {
			complain_of_key(r, "mortals", "an event is not whole");
			break;
		}
		if (e->kind == KREG_EVENT_OVERFLOW) {
			close_diary(r);
			break;
		}
		if (e->seq != diary->seq + 1)
			complain_of_key(r, "mortals", "event %llu after %llu",
					(unsigned long long)e->seq,
					(unsigned long long)diary->seq);
		diary->seq = e->seq;
		write_down(r, e);
	}
}

static inline void read_diary(struct registrant *r)
{
	struct diary *diary = r->diary;
	ssize_t len;

	while (diary->id) {
		len = read(diary->fd, diary->room, sizeof(diary->room));
		if (len < 0) {
			came(r, "mortals", "read", -errno, -EAGAIN);
			return;
		}
		take_entries(r, len);
	}
}

static inline void use_diary(struct registrant *r)
{
	if (!r->diary->id)
		open_diary(r);
	else if (!draw(r, 40))
		close_diary(r);
	else
		read_diary(r);
}

/* All expire soon, whoever has died. */
static inline void check_mortals(int fd)
{
	struct kreg_info info = { .timed = 1 };
	int err = 0;

	test_wait_for((err = _test_info(fd, world->mortals, &info)) || !info.timed);
	if (err || info.timed || info.objects)
		complain("%llu objects are left that expire, of %llu",
			 (unsigned long long)info.timed, (unsigned long long)info.objects);
}

#endif /* KREG_STRESS_DIARY_H */

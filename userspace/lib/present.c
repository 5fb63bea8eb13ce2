/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a table when a subscription to it begins. It is scanned after the subscription
 * has begun, so no change is missed, and some are both in what the scan finds and among the
 * events. Those are left out: an event says nothing new if its version is not above that of
 * its key as the scan has found it. Only keys that were written during the scan are kept for
 * that, and of those only the last ones, of which the ring of the kernel may still have the
 * events.
 *
 * Where a key may have several objects its version says nothing of the others. So such a table is
 * pinned, and all of it read, when the subscription has begun: events up to the version of the pin
 * are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* A key as the scan has found it. */
struct found {
	uint64_t version;
	size_t len;
	unsigned char key[];
};

/* The first three members are protected by the lock of ref.c. */
struct present {
	struct present *next;	/* in the list of the client */
	struct kreg_ref *ref;	/* NULL: not begun, or cancelled */
	unsigned int users;	/* the subscription, and who is about to tell */
	bool told;		/* from now on nobody changes it without the lock */
	uint64_t id;
	uint64_t table;
	struct kreg_scan *scan;
	const struct kreg_object *object;	/* fetched, and not told yet */
	uint64_t seq;		/* of the last event, */
	uint64_t version;	/* and version of the last write before it began */
	uint64_t newest;	/* version that the scan has found, or that of the pin */
	bool pinned;		/* what was there is in @state */
	struct table_state *state;
	struct found **found;	/* in the end in the order of keys */
	size_t count;
	size_t room;
	size_t bytes;		/* that their events take in the ring, at least */
};

static int open_scan(struct present *p, struct kreg_table *table)
{
	const struct kreg_scan_options options = {
		.size = sizeof(options),
		.flags = KREG_SCAN_PROCESSES,
	};

	return kreg_scan_open(table, &options, &p->scan);
}

int kreg_present_new(struct kreg_table *table, struct present **present)
{
	struct present *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	p->table = table->id;
	p->users = 1;
	p->pinned = kreg_table_is_bag(table);
	ret = p->pinned ? 0 : open_scan(p, table);
	if (ret)
		free(p);
	else
		*present = p;
	return ret;
}

void kreg_present_free(struct present *p)
{
	size_t i;

	if (!p)
		return;
	kreg_scan_close(p->scan);
	for (i = 0; i < p->count; i++)
		free(p->found[i]);
	free(p->found);
	kreg_state_free(p->state);
	free(p);
}

void kreg_present_set(struct present *p, uint64_t seq, uint64_t version)
{
	p->seq = seq;
	p->version = version;
	p->newest = version;
}

void kreg_present_begin(struct refs *refs, struct kreg_ref *ref)
{
	struct present *p = ref->subscription->present, **end = &refs->presents;

	while (*end)
		end = &(*end)->next;
	*end = p;
	p->ref = ref;
	p->id = ref->id;
}

static void put_present(struct present *p)
{
	if (!--p->users)
		kreg_present_free(p);
}

static void take_off(struct refs *refs, struct present *p)
{
	struct present **at = &refs->presents;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	p->next = NULL;
}

void kreg_present_end(struct refs *refs, struct subscription *s)
{
	struct present *p = s->present;

	if (!p)
		return;
	if (refs)
		take_off(refs, p);
	p->ref = NULL;
	s->present = NULL;
	put_present(p);
}

bool kreg_present_is_told(const struct present *p)
{
	return p->told;
}

static int compare_keys(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return diff ? diff : (a_len > b_len) - (a_len < b_len);
}

static int by_key(const void *a, const void *b)
{
	const struct found *const *x = a, *const *y = b;

	return compare_keys((*x)->key, (*x)->len, (*y)->key, (*y)->len);
}

static int newest_first(const void *a, const void *b)
{
	const struct found *const *x = a, *const *y = b;

	return ((*x)->version < (*y)->version) - ((*x)->version > (*y)->version);
}

static size_t bytes_of_event(size_t key_len)
{
	return sizeof(struct kreg_event) + ((key_len + 7) & ~(size_t)7);
}

/* The ring is not longer than KREG_MAX_STREAM, so no event is left of those that are older. */
static void drop_oldest(struct present *p)
{
	size_t i;

	qsort(p->found, p->count, sizeof(*p->found), newest_first);
	p->bytes = 0;
	for (i = 0; i < p->count && p->bytes < KREG_MAX_STREAM; i++)
		p->bytes += bytes_of_event(p->found[i]->len);
	while (p->count > i)
		free(p->found[--p->count]);
}

static int more_room(struct present *p)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct found **more = realloc(p->found, room * sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->found = more;
	p->room = room;
	return 0;
}

static int remember(struct present *p, const struct kreg_object *object)
{
	struct found *f;
	const void *key;
	size_t len;

	if (object->version <= p->version)
		return 0;
	if (p->count == p->room && more_room(p))
		return -ENOMEM;
	key = kreg_object_key(object, &len);
	f = malloc(sizeof(*f) + len);
	if (!f)
		return -ENOMEM;
	f->version = object->version;
	f->len = len;
	memcpy(f->key, key, len);
	p->found[p->count++] = f;
	p->bytes += bytes_of_event(len);
	if (f->version > p->newest)
		p->newest = f->version;
	if (p->bytes > 2 * KREG_MAX_STREAM)
		drop_oldest(p);
	return 0;
}

/* Whether it is of objects of one key. */
static bool is_of_object(const struct kreg_event *event)
{
	return event->kind <= KREG_EVENT_EXIT || event->kind == KREG_EVENT_EXPIRED;
}

/* Whether it was committed before the table was pinned. */
static bool is_in_state(const struct present *p, const struct kreg_event *event)
{
	return (is_of_object(event) || event->kind == KREG_EVENT_CLEAR) &&
	       event->version <= p->newest;
}

bool kreg_present_covers(const struct present *p, const struct kreg_event *event)
{
	const unsigned char *key = (const void *)(event + 1);
	size_t low = 0, high = p->count, middle;
	int diff;

	if (p->pinned)
		return is_in_state(p, event);
	if (!is_of_object(event))
		return false;
	while (low < high) {
		middle = low + (high - low) / 2;
		diff = compare_keys(key, event->key_len, p->found[middle]->key,
				    p->found[middle]->len);
		if (!diff)
			return event->version <= p->found[middle]->version;
		if (diff < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool kreg_present_is_past(const struct present *p, const struct kreg_event *event)
{
	return is_of_object(event) && event->version > p->newest;
}

static struct kreg_event *make_event(struct mail *mail, size_t len)
{
	char *more;

	if (mail->made_room < sizeof(struct kreg_event) + len) {
		more = realloc(mail->made, sizeof(struct kreg_event) + len);
		if (!more)
			return NULL;
		mail->made = more;
		mail->made_room = sizeof(struct kreg_event) + len;
	}
	return memset(mail->made, 0, sizeof(struct kreg_event));
}

static int make_of_object(struct kreg_client *client, struct present *p)
{
	struct kreg_event *event = make_event(&client->mail, kreg_state_bytes(p->object));
	int ret = event ? remember(p, p->object) : -ENOMEM;

	if (ret)
		return ret;
	kreg_state_describe(event, p->object);
	p->object = NULL;
	return KREG_EVENT_CREATE;
}

int kreg_present_fetch(struct present *p, struct kreg_table *table)
{
	int ret;

	if (!p->pinned)
		return 0;
	ret = kreg_state_get(table, &p->state, &p->version);
	p->newest = p->version;
	return ret;
}

/* 0: all were told. */
static int make_of_state(struct kreg_client *client, struct present *p)
{
	const struct kreg_event *next = kreg_state_next(p->state);
	struct kreg_event *event;

	if (!next)
		return 0;
	event = make_event(&client->mail, next->key_len + next->value_len);
	if (!event)
		return -ENOMEM;
	memcpy(event, next, sizeof(*next) + next->key_len + next->value_len);
	kreg_state_pass(p->state);
	return KREG_EVENT_CREATE;
}

static int make_of_end(struct kreg_client *client, struct present *p, int scanned)
{
	struct kreg_event *event = make_event(&client->mail, 0);

	if (!event)
		return -ENOMEM;
	event->version = p->version;
	if (scanned == -EACCES)
		event->cause = KREG_CAUSE_ACCESS;
	return scanned ? KREG_EVENT_GONE : KREG_EVENT_READY;
}

/*
 * Return: the kind of the event that was made, or an error: with -ESTALE it is the kernel that
 * tells that the table is gone.
 */
static int make_next(struct kreg_client *client, struct present *p)
{
	int ret;

	if (p->pinned)
		ret = make_of_state(client, p);
	else
		ret = p->object ? 1 : kreg_scan_next(p->scan, &p->object);
	if (ret == 1)
		ret = make_of_object(client, p);
	else if (!ret || ret == -EACCES)
		ret = make_of_end(client, p, ret);
	if (ret > 0) {
		struct kreg_event *event = (void *)client->mail.made;

		event->size = client->mail.made_room;
		event->kind = ret;
		event->seq = p->seq;
		event->time_ns = kreg_deadline(0);
		event->table = p->table;
		event->id = p->id;
	}
	return ret;
}

/* The first that is to be told; to be put. */
static struct present *first_present(struct kreg_client *client)
{
	struct present *p;

	kreg_refs_lock();
	p = kreg_refs_of(client)->presents;
	if (p)
		p->users++;
	kreg_refs_unlock();
	return p;
}

/* False: it was cancelled, or the kernel will tell. */
static bool hand_out(struct kreg_client *client, struct present *p, int kind,
		     struct taken *taken)
{
	struct refs *refs;
	bool told;

	kreg_refs_lock();
	refs = kreg_refs_of(client);
	told = p->ref && kind != -ESTALE;
	if (told) {
		*taken = (struct taken){ .id = p->id };
		p->ref->subscription->made = true;
		p->ref->subscription->denied = kind == KREG_EVENT_GONE;
		kreg_ref_hand(refs, p->ref, (const void *)client->mail.made, taken);
	}
	if (p->ref && kind != KREG_EVENT_CREATE) {
		take_off(refs, p);
		p->told = true;
	}
	put_present(p);
	kreg_refs_unlock();
	return told;
}

/* Nothing more is to be read of it. */
static void end_denied(struct kreg_client *client, uint64_t id)
{
	struct kreg_ioc_cancel cancel = { .size = sizeof(cancel), .id = id };

	kreg_ioctl(client, KREG_IOC_CANCEL, &cancel);
}

static void end_scan(struct present *p)
{
	if (p->count)
		qsort(p->found, p->count, sizeof(*p->found), by_key);
	kreg_scan_close(p->scan);
	p->scan = NULL;
	kreg_state_free(p->state);
	p->state = NULL;
}

int kreg_present_next(struct kreg_client *client, struct taken *taken)
{
	struct present *p;
	int kind;

	for (;;) {
		p = first_present(client);
		if (!p)
			return 0;
		kind = make_next(client, p);
		if (kind == KREG_EVENT_READY || kind == KREG_EVENT_GONE || kind == -ESTALE)
			end_scan(p);
		if (kind == KREG_EVENT_GONE)
			end_denied(client, p->id);
		if (kind < 0 && kind != -ESTALE) {
			kreg_refs_lock();
			put_present(p);
			kreg_refs_unlock();
			return kind;
		}
		if (hand_out(client, p, kind, taken))
			return 1;
	}
}

// SPDX-License-Identifier: GPL-2.0
#include "client/client.h"
#include "client/ns.h"
#include "client/proc.h"
#include "store/edit.h"
#include "store/reader.h"
#include "store/write.h"
#include "table/bind.h"
#include "table/bond.h"
#include "table/names.h"
#include "table/publish.h"

/* The object with @key has gone with the process that it was bound to. */
static void describe_exit(const struct kreg_table *t, struct kreg_holder *h,
			  const struct kreg_key *key, u64 version, enum kreg_cause cause,
			  struct kreg_stream_event *e)
{
	const struct kreg_proc *p = kreg_bond_proc(h);

	*e = (struct kreg_stream_event) {
		.kind = KREG_EVENT_EXIT,
		.cause = cause,
		.key = key->bytes,
		.key_len = key->len,
		.version = version,
		.process = kreg_proc_name(p, t->ns->key.pid_ns),
	};
	if (p->status_known) {
		e->flags = KREG_EVENT_STATUS;
		e->status = p->status;
	}
}

/* The object with @key has expired. */
static void describe_expired(const struct kreg_key *key, u64 version, struct kreg_stream_event *e)
{
	*e = (struct kreg_stream_event) {
		.kind = KREG_EVENT_EXPIRED,
		.cause = KREG_CAUSE_EXPIRED,
		.key = key->bytes,
		.key_len = key->len,
		.version = version,
	};
}

/* What @c has displaced. */
static void describe_gone(const struct kreg_table *t, const struct kreg_change *c, u64 version,
			  struct kreg_stream_event *e)
{
	if (c->gone == &kreg_holder_expired)
		describe_expired(&c->key, version, e);
	else
		describe_exit(t, c->gone, &c->key, version, KREG_CAUSE_DEATH, e);
}

/* Whether @c has displaced or deleted an object that has expired, or whose process is exiting. */
static bool has_displaced(const struct kreg_change *c)
{
	if (c->kind != KREG_CHANGE_PUT && c->kind != KREG_CHANGE_DELETE)
		return false;
	return c->special && c->gone;
}

/*
 * For others an object that is lent is removed, and what its borrower puts there meanwhile is
 * not to be seen.
 */
static noinline bool describe_loan(const struct kreg_table *t, const struct kreg_change *c,
				   struct kreg_stream_event *e)
{
	e->kind = KREG_EVENT_DELETE;
	e->cause = KREG_CAUSE_LEASE;
	e->key = c->key.bytes;
	e->key_len = c->key.len;
	e->process = kreg_proc_name(kreg_bond_proc(c->holder), t->ns->key.pid_ns);
	return c->lends;
}

static bool is_on_loan(const struct kreg_change *c)
{
	return c->special && c->holder && kreg_bond_of(c->holder)->is_lease;
}

/* What a change has come to; false: to nothing. */
static __always_inline bool describe_change(const struct kreg_table *t, struct kreg_change *c,
					    u64 version, struct kreg_stream_event *e)
{
	*e = (struct kreg_stream_event) { .version = version };
	switch (c->kind) {
	case KREG_CHANGE_PUT:
		if (unlikely(is_on_loan(c)))
			return describe_loan(t, c, e);
		e->kind = c->count && !(c->special && c->untold) ? KREG_EVENT_UPDATE :
								   KREG_EVENT_CREATE;
		e->value_len = c->value_len;
		/* Behind the key in a record that was filled beforehand; of a blob unused. */
		e->value = c->value ?: c->key.bytes + c->key.len;
		if (unlikely(c->special && c->holder))
			e->process = kreg_proc_name(kreg_bond_proc(c->holder),
						    t->ns->key.pid_ns);
		if (unlikely(c->special && c->edit && c->edit->count && !c->value))
			e->value = c->edit->made;
		break;
	case KREG_CHANGE_EVENT:
		e->kind = KREG_EVENT_USER;
		e->value_len = c->value_len;
		e->value = c->value;
		c->count = READ_ONCE(t->stream->nr_subscriptions);
		break;
	case KREG_CHANGE_DELETE:
		e->kind = KREG_EVENT_DELETE;
		if (unlikely(c->special && c->mine))
			e->process = kreg_proc_name(c->bind->client->proc, t->ns->key.pid_ns);
		break;
	case KREG_CHANGE_CLEAR:
		e->kind = KREG_EVENT_CLEAR;
		return c->count;
	}
	e->key = c->key.bytes;
	e->key_len = c->key.len;
	return c->count || e->kind != KREG_EVENT_DELETE;
}

void kreg_table_note_listeners(struct kreg_table *t)
{
	kreg_table_assert(t);
	t->listeners = t->stream || (t->awaited && t->awaited->count);
}

/* That nobody waits any more the next change finds out. */
static void publish_key(struct kreg_table *t, const struct kreg_change *c, u64 version)
{
	if (!t->awaited->count) {
		kreg_table_note_listeners(t);
		return;
	}
	kreg_waits_note(t, c, version);
	kreg_waits_show(t, 1);
}

u16 kreg_table_publish_change(struct kreg_table *t, struct kreg_change *c, u64 version)
{
	struct kreg_stream_event e __uninitialized;

	kreg_table_assert(t);
	if (t->awaited)
		publish_key(t, c, version);
	if (!t->stream)
		return 0;
	if (unlikely(has_displaced(c))) {
		describe_gone(t, c, version, &e);
		kreg_stream_append(t->stream, t->writer, &e);
	}
	return describe_change(t, c, version, &e) && kreg_stream_append(t->stream, t->writer, &e) ?
	       e.kind : 0;
}

void kreg_table_note_for_listeners(struct kreg_table *t, struct kreg_change *c, u64 version)
{
	struct kreg_stream_event e __uninitialized;

	kreg_table_assert(t);
	if (t->awaited)
		kreg_waits_note(t, c, version);
	if (!t->stream)
		return;
	if (unlikely(has_displaced(c))) {
		describe_gone(t, c, version, &e);
		kreg_stream_add(t->stream, &e);
	}
	if (describe_change(t, c, version, &e))
		kreg_stream_add(t->stream, &e);
}

void kreg_table_publish_exit(struct kreg_table *t, struct kreg_holder *h,
			     const struct kreg_key *key, u64 version, enum kreg_cause cause)
{
	struct kreg_stream_event e;

	describe_exit(t, h, key, version, cause, &e);
	kreg_table_publish(t, &e);
	if (t->awaited)
		kreg_waits_note_exit(t, key);
}

void kreg_table_publish_expired(struct kreg_table *t, const struct kreg_rec *r, u64 version)
{
	struct kreg_key key = {
		.bytes = r->bytes,
		.len = kreg_rec_key_len(r),
		.hash = r->hash,
	};
	struct kreg_stream_event e;

	describe_expired(&key, version, &e);
	kreg_table_publish(t, &e);
	if (t->awaited)
		kreg_waits_note_exit(t, &key);
}

void kreg_table_publish_return(struct kreg_table *t, const struct kreg_rec *r)
{
	u32 key_len = kreg_rec_key_len(r);
	struct kreg_stream_event e = {
		.kind = KREG_EVENT_CREATE,
		.cause = KREG_CAUSE_LEASE,
		.key = r->bytes,
		.key_len = key_len,
		.value_len = kreg_rec_value_len(r),
		.version = r->born,
	};
	struct kreg_key key = { .bytes = r->bytes, .len = key_len, .hash = r->hash };

	kreg_table_assert(t);
	if (likely(!t->listeners))
		return;
	e.value = kreg_rec_has_blob(r) ? kreg_blob_bytes(kreg_blob_of(&t->store, r)) :
					 r->bytes + key_len;
	kreg_table_publish(t, &e);
	if (t->awaited)
		kreg_waits_tell_returned(t, &key, r->born);
}

void kreg_table_publish_noted(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (unlikely(t->stream))
		kreg_stream_show(t->stream, t->writer);
}

/* Whether who owns it makes no difference to who may read. */
static bool is_read_by_all(const struct kreg_table *t)
{
	return t->access != KREG_ACCESS_PRIVATE && (t->mode & 0444) == 0444;
}

/*
 * Whether the new owner could not read before, by his user alone: his groups are not known here.
 * To whom a table comes that was parked is asked when it comes.
 */
static bool is_new_to_owner(const struct kreg_table *t)
{
	u16 need = uid_eq(t->owner_uid, t->uid) ? 0400 : 0044;

	if (t->access == KREG_ACCESS_PRIVATE)
		return true;
	return kreg_table_owner(t) && (t->mode & need) != need;
}

/*
 * The old one has lost the right to read that came with it. What happened while the new one had
 * none is not for him.
 */
static void append_owner(struct kreg_table *t, const struct kreg_proc *from,
			 enum kreg_cause cause)
{
	struct pid_namespace *ns = t->ns->key.pid_ns;
	struct kreg_process old = kreg_proc_name(from, ns);
	struct kreg_stream_event e = {
		.kind = KREG_EVENT_OWNER,
		.cause = cause,
		.value = &old,
		.value_len = sizeof(old),
		.version = t->store.version,
		.process = kreg_proc_name(kreg_table_owner(t), ns),
	};

	if ((cause == KREG_CAUSE_DEATH || cause == KREG_CAUSE_LIMIT) && from->status_known) {
		e.flags = KREG_EVENT_STATUS;
		e.status = from->status;
	}
	if (is_new_to_owner(t))
		kreg_stream_forget(t->stream);
	/* A batch may be under way if a follower moves; what it has appended is not shown yet. */
	if (unlikely(t->stream->fresh))
		kreg_stream_add(t->stream, &e);
	else
		kreg_stream_append(t->stream, t->writer, &e);
	if (!is_read_by_all(t))
		kreg_stream_narrow(t->stream, t->writer);
}

void kreg_table_publish_owner(struct kreg_table *t, const struct kreg_proc *from,
			      enum kreg_cause cause)
{
	kreg_table_assert(t);
	if (t->awaited && !is_read_by_all(t))
		kreg_waits_narrow(t);
	if (unlikely(t->stream))
		append_owner(t, from, cause);
}

void kreg_table_publish_rights(struct kreg_table *t, bool less, bool more)
{
	kreg_table_assert(t);
	if (t->awaited && less)
		kreg_waits_narrow(t);
	if (likely(!t->stream))
		return;
	if (more)
		kreg_stream_forget(t->stream);
	if (less || more)
		kreg_stream_narrow(t->stream, t->writer);
}

void kreg_table_publish_gone(struct kreg_table *t, enum kreg_cause cause)
{
	struct kreg_stream *s = t->stream;

	kreg_table_assert(t);
	if (t->awaited)
		kreg_waits_gone(t, cause);
	if (likely(!s))
		return;
	t->stream = NULL;
	kreg_stream_end(s, t->writer, cause, t->store.version);
	kreg_stream_put(s);
}

void kreg_table_set_stream(struct kreg_table *t, struct kreg_stream *s)
{
	kreg_table_assert(t);
	kreg_stream_start(s, t->events);
	t->stream = s;
	kreg_table_note_listeners(t);
}

struct kreg_stream *kreg_table_unset_stream(struct kreg_table *t)
{
	struct kreg_stream *s = t->stream;

	kreg_table_assert(t);
	t->stream = NULL;
	kreg_table_note_listeners(t);
	return s;
}

/* All kinds are asked for by one that is kept. */
int kreg_table_replace_stream(struct kreg_table *t, struct kreg_stream *s)
{
	kreg_table_assert(t);
	if (t->stream) {
		if (READ_ONCE(t->stream->nr_subscriptions))
			return -EBUSY;
		t->events = t->stream->seq;
		kreg_stream_put(kreg_table_unset_stream(t));
	}
	if (s) {
		s->kept = true;
		s->mask = KREG_STREAM_ALL;
		kreg_table_set_stream(t, s);
	}
	return 0;
}

void kreg_table_drop_stream(const struct kreg_ns *ns, struct kreg_stream *s)
{
	struct kreg_table *t;
	bool idle = false;

	rcu_read_lock();
	t = kreg_names_id(ns, s->table);
	if (t) {
		spin_lock(&t->writer->turn);
		idle = t->stream == s && kreg_stream_is_idle(s);
		if (idle) {
			t->events = s->seq;
			kreg_table_unset_stream(t);
		}
		spin_unlock(&t->writer->turn);
	}
	rcu_read_unlock();
	if (idle)
		kreg_stream_put(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refs, found by the id that stands in the record. The record's udata will not do: a
 * program after execve(2) reads the records of the one before it, whose addresses mean
 * nothing to it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"

#define FEW	64

/*
 * A hash table of all refs, which are in it until they are cancelled. The lock protects also
 * the struct refs of every client.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kreg_ref *few[FEW];
static struct kreg_ref **chains = few;
static size_t room = FEW;	/* a power of two */
static size_t count;

void kreg_refs_lock(void)
{
	pthread_mutex_lock(&lock);
}

void kreg_refs_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child must not inherit a lock that a thread of its parent holds. */
static void __attribute__((constructor)) guard_forks(void)
{
	pthread_atfork(kreg_refs_lock, kreg_refs_unlock, kreg_refs_unlock);
}

/* Without memory the chains stay as they are, and get longer. */
static void grow(void)
{
	struct kreg_ref **more = calloc(room * 2, sizeof(struct kreg_ref *)), *r, *next;
	size_t i;

	if (!more)
		return;
	for (i = 0; i < room; i++) {
		for (r = chains[i]; r; r = next) {
			next = r->next;
			r->next = more[r->id & (room * 2 - 1)];
			more[r->id & (room * 2 - 1)] = r;
		}
	}
	if (chains != few)
		free(chains);
	chains = more;
	room *= 2;
}

static void insert(struct kreg_ref *ref)
{
	if (count >= room)
		grow();
	ref->next = chains[ref->id & (room - 1)];
	chains[ref->id & (room - 1)] = ref;
	count++;
}

static void withdraw(struct kreg_ref *ref)
{
	struct kreg_ref **r = &chains[ref->id & (room - 1)];

	while (*r != ref)
		r = &(*r)->next;
	*r = ref->next;
	count--;
}

/* What the threads of a parent were about to set is not for the child. */
struct refs *kreg_refs_of(struct kreg_client *client)
{
	struct refs *refs = &client->refs_of;
	uint64_t self = kreg_process_number();

	if (refs->process != self)
		*refs = (struct refs){ .process = self, .first = UINT64_MAX };
	return refs;
}

struct kreg_ref *kreg_ref_begin(struct kreg_client *client, kreg_event_fn fn, void *arg)
{
	struct kreg_ref *ref = calloc(1, sizeof(*ref));
	struct refs *refs;

	if (!ref)
		return NULL;
	ref->client = kreg_client_get(client);
	ref->process = kreg_process_number();
	ref->fn = fn;
	ref->arg = arg;
	kreg_refs_lock();
	refs = kreg_refs_of(client);
	ref->slot = refs->slot;
	refs->setting[ref->slot]++;
	kreg_refs_unlock();
	return ref;
}

static void free_ref(struct kreg_ref *ref)
{
	kreg_client_put(ref->client);
	free(ref->subscription);
	free(ref);
}

/* @out is written under the lock, which whoever takes the event from now on has to take. */
void kreg_ref_commit(struct kreg_ref *ref, uint64_t id, struct kreg_ref **out)
{
	struct refs *refs;

	ref->id = id;
	atomic_store(&ref->client->refs_in, kreg_process_number());
	kreg_refs_lock();
	refs = kreg_refs_of(ref->client);
	refs->setting[ref->slot]--;
	if (id < refs->first)
		refs->first = id;
	insert(ref);
	if (ref->subscription && ref->subscription->present)
		kreg_present_begin(refs, ref);
	*out = ref;
	kreg_refs_unlock();
}

/* The kernel's watch or subscription: 1: it was there; 0: it had fired or ended. */
static int cancel_id(struct kreg_client *client, uint64_t id)
{
	struct kreg_ioc_cancel cancel = {
		.size = sizeof(cancel),
		.flags = KREG_CANCEL_FLUSH,
		.id = id,
	};
	int ret = kreg_ioctl(client, KREG_IOC_CANCEL, &cancel);

	if (ret == -ENOENT)
		return 0;
	return ret ? ret : 1;
}

int kreg_ref_add_member(struct kreg_ref *group, uint64_t id)
{
	struct kreg_ref *ref = calloc(1, sizeof(*ref));

	if (!ref) {
		cancel_id(group->client, id);
		return -ENOMEM;
	}
	ref->client = kreg_client_get(group->client);
	ref->process = group->process;
	ref->id = id;
	ref->fn = group->fn;
	ref->arg = group->arg;
	ref->group = group;
	ref->next_member = group->members;
	group->members = ref;
	return 0;
}

/* All at once, so that no handler sees a part of them. */
void kreg_ref_commit_group(struct kreg_ref *group, struct kreg_ref **out)
{
	struct kreg_ref *m;
	struct refs *refs;

	group->is_group = true;
	atomic_store(&group->client->refs_in, kreg_process_number());
	kreg_refs_lock();
	refs = kreg_refs_of(group->client);
	refs->setting[group->slot]--;
	for (m = group->members; m; m = m->next_member) {
		if (m->id < refs->first)
			refs->first = m->id;
		insert(m);
	}
	*out = group;
	kreg_refs_unlock();
}

void kreg_ref_abort_group(struct kreg_ref *group)
{
	struct kreg_ref *m, *next;

	for (m = group->members; m; m = next) {
		next = m->next_member;
		cancel_id(m->client, m->id);
		free_ref(m);
	}
	kreg_ref_abort(group);
}

void kreg_ref_abort(struct kreg_ref *ref)
{
	kreg_refs_lock();
	kreg_refs_of(ref->client)->setting[ref->slot]--;
	kreg_refs_unlock();
	free_ref(ref);
}

static struct kreg_ref *find(const struct kreg_client *client, uint64_t id, uint64_t process)
{
	struct kreg_ref *r = chains[id & (room - 1)];

	while (r && (r->id != id || r->client != client || r->process != process))
		r = r->next;
	return r;
}

/* Until then the ref keeps the client, and so the buffer in which its event lies. */
void kreg_ref_release(struct kreg_client *client)
{
	struct refs *refs;

	kreg_refs_lock();
	refs = kreg_refs_of(client);
	if (refs->handed)
		refs->handed->event = NULL;
	refs->handed = NULL;
	kreg_refs_unlock();
}

/*
 * What is not found may be of a ref that a thread is about to add. Who begins from now on is
 * counted in the other slot and not waited for, so this ends however many refs are set.
 */
static bool may_come(struct refs *refs, bool *waiting)
{
	if (!*waiting) {
		if (refs->setting[!refs->slot])
			return true;
		refs->slot = !refs->slot;
		*waiting = true;
	}
	return refs->setting[!refs->slot];
}

void kreg_ref_hand(struct refs *refs, struct kreg_ref *ref, const struct kreg_event *event,
		   struct taken *taken)
{
	refs->handed = ref;
	ref->event = event;
	taken->event = event;
	taken->fn = ref->fn;
	taken->arg = ref->arg;
}

static enum whose look_up(struct kreg_client *client, const struct kreg_event *event,
			  struct taken *taken, bool *waiting)
{
	struct refs *refs = kreg_refs_of(client);
	enum whose whose = OF_REF;
	struct kreg_ref *ref;

	if (!event->id)
		return OF_NONE;
	ref = find(client, event->id, refs->process);
	if (!ref && may_come(refs, waiting))
		return OF_UNKNOWN;
	/* What is older than the first ref was asked for by the program before execve(2). */
	if (!ref)
		return event->id < refs->first ? OF_NONE : OF_CANCELLED;
	if (ref->subscription) {
		taken->fn = ref->fn;
		whose = kreg_subscription_take(ref->subscription, event, taken);
	}
	if (whose == OF_REF)
		kreg_ref_hand(refs, ref, event, taken);
	return whose;
}

/* That the subscription has ended meanwhile is no error. */
void kreg_ref_handled(struct kreg_client *client, const struct taken *taken)
{
	struct kreg_ioc_ack ack = {
		.size = sizeof(ack),
		.id = taken->id,
		.seq = taken->ack,
	};

	if (taken->ack)
		kreg_ioctl(client, KREG_IOC_ACK, &ack);
}

enum whose kreg_ref_take(struct kreg_client *client, const struct kreg_event *event,
			 struct taken *taken)
{
	const struct timespec moment = { .tv_nsec = 10000 };
	bool waiting = false;
	enum whose whose;

	*taken = (struct taken){ .event = event, .id = event->id };
	for (;;) {
		kreg_refs_lock();
		whose = look_up(client, event, taken, &waiting);
		kreg_refs_unlock();
		if (whose == OF_PASSED)
			kreg_ref_handled(client, taken);
		if (whose != OF_UNKNOWN)
			return whose;
		/* Not sched_yield(2), which lets no thread of a lower priority go on. */
		nanosleep(&moment, NULL);
	}
}

struct kreg_ref *kreg_ref_of(const struct kreg_event *event)
{
	uint64_t process = kreg_process_number();
	struct kreg_ref *r = chains[event->id & (room - 1)];

	while (r && (r->event != event || r->id != event->id || r->process != process))
		r = r->next;
	return r;
}

struct kreg_ref *kreg_event_ref(const struct kreg_event *event)
{
	struct kreg_ref *r;

	kreg_refs_lock();
	r = kreg_ref_of(event);
	if (r && r->group)
		r = r->group;
	kreg_refs_unlock();
	return r;
}

/* First out of the table, so that no handler is called any more. */
static int cancel_one(struct kreg_ref *ref)
{
	struct refs *refs;
	int ret = -ESTALE;

	kreg_refs_lock();
	withdraw(ref);
	refs = kreg_refs_of(ref->client);
	if (refs->handed == ref)
		refs->handed = NULL;
	if (ref->subscription)
		kreg_present_end(refs, ref->subscription);
	kreg_refs_unlock();
	/* A child's own file may have a watch with the same id. */
	if (ref->process == kreg_process_number())
		ret = cancel_id(ref->client, ref->id);
	kreg_fail(ret, TRY_CANCEL, ref->client);
	free_ref(ref);
	return ret;
}

/* 1: one of them at least had not fired. */
static int cancel_group(struct kreg_ref *group)
{
	struct kreg_ref *m, *next;
	int ret = 0, one;

	for (m = group->members; m; m = next) {
		next = m->next_member;
		one = cancel_one(m);
		if (one < 0 || ret == 0)
			ret = one;
	}
	free_ref(group);
	return ret;
}

int kreg_ref_cancel(struct kreg_ref *ref)
{
	if (!ref)
		return 0;
	return ref->is_group ? cancel_group(ref) : cancel_one(ref);
}

void *kreg_ref_arg(const struct kreg_ref *ref)
{
	return ref->arg;
}

struct kreg_process kreg_ref_process(const struct kreg_ref *ref)
{
	return ref->watched;
}

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

static void lock_refs(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_refs(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child must not inherit a lock that a thread of its parent holds. */
static void __attribute__((constructor)) guard_forks(void)
{
	pthread_atfork(lock_refs, unlock_refs, unlock_refs);
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
static struct refs *own_refs(struct kreg_client *client)
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
	lock_refs();
	refs = own_refs(client);
	ref->slot = refs->slot;
	refs->setting[ref->slot]++;
	unlock_refs();
	return ref;
}

static void free_ref(struct kreg_ref *ref)
{
	kreg_client_put(ref->client);
	free(ref);
}

/* @out is written under the lock, which whoever takes the event from now on has to take. */
void kreg_ref_commit(struct kreg_ref *ref, uint64_t id, struct kreg_ref **out)
{
	struct refs *refs;

	ref->id = id;
	atomic_store(&ref->client->has_refs, true);
	lock_refs();
	refs = own_refs(ref->client);
	refs->setting[ref->slot]--;
	if (id < refs->first)
		refs->first = id;
	insert(ref);
	*out = ref;
	unlock_refs();
}

void kreg_ref_abort(struct kreg_ref *ref)
{
	lock_refs();
	own_refs(ref->client)->setting[ref->slot]--;
	unlock_refs();
	free_ref(ref);
}

int kreg_ref_watch(struct kreg_client *client, struct kreg_ioc_watch *watch,
		   kreg_event_fn fn, void *arg, struct kreg_ref **out)
{
	struct kreg_ref *ref = kreg_ref_begin(client, fn, arg);
	int ret;

	if (!ref)
		return -ENOMEM;
	watch->size = sizeof(*watch);
	ret = kreg_ioctl(client, KREG_IOC_WATCH, watch);
	if (ret) {
		kreg_ref_abort(ref);
		return ret;
	}
	ref->watched = watch->out_process;
	kreg_ref_commit(ref, watch->out_id, out);
	return 0;
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

	lock_refs();
	refs = own_refs(client);
	if (refs->handed)
		refs->handed->event = NULL;
	refs->handed = NULL;
	unlock_refs();
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

static enum whose look_up(struct kreg_client *client, const struct kreg_event *event,
			  struct taken *taken, bool *waiting)
{
	struct refs *refs = own_refs(client);
	struct kreg_ref *ref;

	if (!event->id)
		return OF_NONE;
	ref = find(client, event->id, refs->process);
	if (!ref && may_come(refs, waiting))
		return OF_UNKNOWN;
	/* What is older than the first ref was asked for by the program before execve(2). */
	if (!ref)
		return event->id < refs->first ? OF_NONE : OF_CANCELLED;
	refs->handed = ref;
	ref->event = event;
	taken->fn = ref->fn;
	taken->arg = ref->arg;
	return OF_REF;
}

bool kreg_ref_take(struct kreg_client *client, const struct kreg_event *event,
		   struct taken *taken)
{
	const struct timespec moment = { .tv_nsec = 10000 };
	bool waiting = false;
	enum whose whose;

	*taken = (struct taken){ .event = event };
	for (;;) {
		lock_refs();
		whose = look_up(client, event, taken, &waiting);
		unlock_refs();
		if (whose != OF_UNKNOWN)
			return whose != OF_CANCELLED;
		/* Not sched_yield(2), which lets no thread of a lower priority go on. */
		nanosleep(&moment, NULL);
	}
}

struct kreg_ref *kreg_event_ref(const struct kreg_event *event)
{
	uint64_t process = kreg_process_number();
	struct kreg_ref *r;

	lock_refs();
	r = chains[event->id & (room - 1)];
	while (r && (r->event != event || r->id != event->id || r->process != process))
		r = r->next;
	unlock_refs();
	return r;
}

/* The kernel's watch: 1: it had not fired; 0: it had. Its record is dropped. */
static int cancel_watch(const struct kreg_ref *ref)
{
	struct kreg_ioc_cancel cancel = {
		.size = sizeof(cancel),
		.flags = KREG_CANCEL_FLUSH,
		.id = ref->id,
	};
	int ret;

	/* A child's own file may have a watch with the same id. */
	if (ref->process != kreg_process_number())
		return -ESTALE;
	ret = kreg_ioctl(ref->client, KREG_IOC_CANCEL, &cancel);
	if (ret == -ENOENT)
		return 0;
	return ret ? ret : 1;
}

/* First out of the table, so that no handler is called any more. */
int kreg_ref_cancel(struct kreg_ref *ref)
{
	struct refs *refs;
	int ret;

	if (!ref)
		return 0;
	lock_refs();
	withdraw(ref);
	refs = own_refs(ref->client);
	if (refs->handed == ref)
		refs->handed = NULL;
	unlock_refs();
	ret = kreg_fail(cancel_watch(ref), TRY_CANCEL, ref->client);
	free_ref(ref);
	return ret;
}

void *kreg_ref_arg(const struct kreg_ref *ref)
{
	return ref->arg;
}

struct kreg_process kreg_ref_process(const struct kreg_ref *ref)
{
	return ref->watched;
}

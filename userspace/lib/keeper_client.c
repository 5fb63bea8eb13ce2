/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keepers: the client of a process to which its tables come, and what it is told of them. */
#include <errno.h>
#include <pthread.h>

#include "keep.h"

/*
 * Tables come to one client of a process. So all keepers of the process are that client's, and
 * none of them takes the table of another one, which its own thread would have to be told of.
 */
static struct {
	pthread_mutex_t lock;
	uint64_t process;
	const struct kreg_client *client;
	unsigned int keepers;
} receiver = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void lock_receiver(void)
{
	pthread_mutex_lock(&receiver.lock);
}

static void unlock_receiver(void)
{
	pthread_mutex_unlock(&receiver.lock);
}

/* A child must not inherit a lock that a thread of its parent holds. */
static void __attribute__((constructor)) guard_forks(void)
{
	pthread_atfork(lock_receiver, unlock_receiver, unlock_receiver);
}

int kreg_keeper_join(const struct kreg_client *client)
{
	uint64_t self = kreg_process_number();
	int ret = 0;

	lock_receiver();
	if (receiver.process != self) {
		receiver.process = self;
		receiver.keepers = 0;
	}
	if (receiver.keepers && receiver.client != client) {
		ret = -EBUSY;
	} else {
		receiver.client = client;
		receiver.keepers++;
	}
	unlock_receiver();
	return ret;
}

void kreg_keeper_leave(void)
{
	lock_receiver();
	receiver.keepers--;
	unlock_receiver();
}

bool kreg_keeper_works(const struct kreg_client *client)
{
	const struct kreg_keeper *k = client->keepers;

	while (k && !kreg_keeper_is_own(k))
		k = k->next;
	return k;
}

static void on_own_table(const struct kreg_event *event, void *arg)
{
	(void)event;
	kreg_keeper_continue(arg);
}

static void on_foreign_table(const struct kreg_event *event, void *arg)
{
	struct kreg_ioc_table destroy = { .size = sizeof(destroy), .table = event->table };
	struct kreg_keeper *k = arg;

	/* Only if nobody else has got it meanwhile. */
	kreg_ioctl(k->client, KREG_IOC_DESTROY, &destroy);
}

void kreg_keeper_take(struct kreg_client *client, const struct kreg_event *event,
		      struct taken *taken)
{
	struct kreg_keeper *k, *destroyer = NULL;

	if (event->kind != KREG_EVENT_TRANSFER)
		return;
	for (k = client->keepers; k; k = k->next) {
		if (!kreg_keeper_is_own(k))
			continue;
		if (k->table->id == event->table) {
			taken->fn = on_own_table;
			taken->arg = k;
			return;
		}
		if (k->destroy_foreign && event->time_ns >= k->since)
			destroyer = k;
	}
	if (destroyer) {
		taken->fn = on_foreign_table;
		taken->arg = destroyer;
	}
}

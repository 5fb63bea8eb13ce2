/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients: open, close, and what fork(2) does to them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define DEVICE	"/dev/kreg"

/* Set in a client's process number while that process opens the device again. */
#define OPENING	(UINT64_C(1) << 63)

/* All open clients, for kreg_errmsg(), which keeps only the serial number of one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kreg_client *clients;
static uint64_t serials;

static void lock_list(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_list(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child must not inherit a lock that a thread of its parent holds. */
static void __attribute__((constructor)) guard_forks(void)
{
	pthread_atfork(lock_list, unlock_list, unlock_list);
}

/*
 * Events are waited for with poll(2), so the file itself never blocks. Who may only read the
 * device can still read tables.
 */
int kreg_device_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int err = errno;

	if (fd < 0 && err == EACCES)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -err : fd;
}

int kreg_client_check(const struct kreg_client *client)
{
	return kreg_file_check(client->fd, &client->file);
}

/*
 * The child's new file gets the descriptor number of the inherited one. dup3(2) replaces
 * it atomically: other threads that use the number get one of the two, never a third file.
 */
static int device_replace(struct kreg_client *client)
{
	int fd = kreg_device_open(client->path);
	int ret;

	if (fd < 0)
		return fd;
	ret = kreg_client_check(client);
	if (!ret && dup3(fd, client->fd, O_CLOEXEC) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Whatever the call was to do, the error is that of the device. */
static int reopen_failed(const struct kreg_client *client, int ret)
{
	kreg_ioctl_limit = KREG_LIMIT_NONE;
	return kreg_cause(ret, kreg_device_sentence(-ret, TRY_DEVICE, client->path));
}

/*
 * The first thread of a child sets OPENING with the child's number and opens the device;
 * the others wait. A mutex will not do: the child may inherit it locked by a thread that
 * exists only in the parent. OPENING with the parent's number is ignored.
 */
int kreg_client_reopen(struct kreg_client *client)
{
	uint64_t self = kreg_process_number();
	uint64_t old = atomic_load(&client->process);
	int ret;

	for (;;) {
		if (old == self)
			return 0;
		if (old == (self | OPENING)) {
			sched_yield();
			old = atomic_load(&client->process);
		} else if (atomic_compare_exchange_weak(&client->process, &old,
							self | OPENING)) {
			break;
		}
	}
	ret = device_replace(client);
	atomic_store(&client->process, ret ? 0 : self);
	return ret ? reopen_failed(client, ret) : 0;
}

static void list_add(struct kreg_client *client)
{
	lock_list();
	client->serial = ++serials;
	client->next = clients;
	clients = client;
	unlock_list();
}

static void list_remove(struct kreg_client *client)
{
	struct kreg_client **c;

	lock_list();
	for (c = &clients; *c; c = &(*c)->next) {
		if (*c == client) {
			*c = client->next;
			break;
		}
	}
	unlock_list();
}

struct kreg_client *kreg_client_get(struct kreg_client *client)
{
	atomic_fetch_add(&client->refs, 1);
	return client;
}

struct kreg_client *kreg_client_by_serial(uint64_t serial)
{
	struct kreg_client *c;

	lock_list();
	for (c = clients; c && c->serial != serial; c = c->next)
		;
	if (c)
		kreg_client_get(c);
	unlock_list();
	return c;
}

void kreg_client_put(struct kreg_client *client)
{
	if (atomic_fetch_sub(&client->refs, 1) != 1)
		return;
	free(client->mail.buf);
	free(client->mail.made);
	free(client->path);
	free(client);
}

int kreg_client_set(struct kreg_client *client, int fd)
{
	struct kreg_ioc_query query = { .size = sizeof(query) };
	int ret = kreg_file_identify(fd, &client->file);

	client->fd = fd;
	atomic_init(&client->refs, 1);
	atomic_init(&client->process, kreg_process_number());
	return ret ? ret : kreg_ioctl(client, KREG_IOC_QUERY, &query);
}

/* Make a client of @fd; if that fails, @fd stays open. */
static int client_new(int fd, const char *path, struct kreg_client **client)
{
	struct kreg_client *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return -ENOMEM;
	/* So that putting it frees it, whatever fails. */
	atomic_init(&c->refs, 1);
	c->path = strdup(path);
	ret = c->path ? kreg_client_set(c, fd) : -ENOMEM;
	if (ret) {
		kreg_client_put(c);
		return ret;
	}
	list_add(c);
	*client = c;
	return 0;
}

static int open_path(const char *path, struct kreg_client **client)
{
	int fd = kreg_device_open(path), ret;

	if (fd < 0)
		return fd;
	ret = client_new(fd, path, client);
	if (ret)
		close(fd);
	return ret;
}

static int take_fd(int fd, struct kreg_client **client)
{
	int ret = client_new(fd, DEVICE, client);

	if (!ret) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return ret;
}

int kreg_client_open_fd(int fd, struct kreg_client **client)
{
	return kreg_fail_name(take_fd(fd, client), TRY_DEVICE, NULL, "this descriptor");
}

/* The descriptor that a supervisor has left in KREG_FD. */
static atomic_bool taken;

void kreg_client_offer_fd(void)
{
	atomic_store(&taken, false);
}

/* Only the first call takes it. */
static int inherited(struct kreg_client **client)
{
	const char *text = secure_getenv("KREG_FD");
	struct stat device, st;
	char *end;
	long fd;

	if (!text || *text < '0' || *text > '9' || stat(DEVICE, &device))
		return -ENOENT;
	fd = strtol(text, &end, 10);
	if (*end || fd > INT_MAX || fstat(fd, &st) || st.st_rdev != device.st_rdev ||
	    !S_ISCHR(st.st_mode) || atomic_exchange(&taken, true))
		return -ENOENT;
	return take_fd(fd, client);
}

int kreg_client_open(const char *path, struct kreg_client **client)
{
	if (!path && !inherited(client))
		return 0;
	path = path ? path : DEVICE;
	return kreg_fail_name(open_path(path, client), TRY_DEVICE, NULL, path);
}

/* Handles that were made from it fail with -EBADF then, but may still be closed. */
void kreg_client_close(struct kreg_client *client)
{
	if (!client)
		return;
	list_remove(client);
	kreg_file_close(client->fd, &client->file);
	client->fd = -1;
	kreg_client_put(client);
}

int kreg_client_fd(const struct kreg_client *client)
{
	return client->fd;
}

int kreg_client_sync(struct kreg_client *client)
{
	struct kreg_ioc_sync sync = { .size = sizeof(sync) };

	return kreg_fail(kreg_ioctl(client, KREG_IOC_SYNC, &sync), TRY_SYNC, client);
}

static int set_option(struct kreg_client *client, unsigned int option, uint64_t value)
{
	struct kreg_ioc_setopt opt = {
		.size = sizeof(opt),
		.option = option,
		.value = value,
	};

	return kreg_fail(kreg_ioctl(client, KREG_IOC_SETOPT, &opt), TRY_OTHER, client);
}

int kreg_client_set_receiver(struct kreg_client *client)
{
	return set_option(client, KREG_OPT_RECEIVER, 0);
}

int kreg_client_set_accept(struct kreg_client *client, bool accept)
{
	return set_option(client, KREG_OPT_ACCEPT, accept);
}

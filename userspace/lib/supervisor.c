/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: what programs call, and the loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "packet.h"
#include "supervise.h"

int kreg_sup_watch_fd(struct kreg_supervisor *sup, int fd, void *ptr)
{
	struct epoll_event ev = { EPOLLIN, { .ptr = ptr } };

	return fd < 0 || epoll_ctl(sup->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_fds(struct kreg_supervisor *sup)
{
	int ret;

	sup->epoll = epoll_create1(EPOLL_CLOEXEC);
	ret = kreg_file_identify(sup->epoll, &sup->epoll_file);
	if (ret)
		return ret;
	sup->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = kreg_file_identify(sup->wake, &sup->wake_file);
	ret = ret ? ret : kreg_sup_watch_fd(sup, sup->wake, &sup->wake);
	if (ret)
		return ret;
	sup->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ret = kreg_file_identify(sup->timer, &sup->timer_file);
	ret = ret ? ret : kreg_sup_watch_fd(sup, sup->timer, &sup->timer);
	if (!ret)
		ret = kreg_sup_watch_fd(sup, kreg_client_fd(sup->client), sup->client);
	return ret ? ret : kreg_sup_notify_open(sup);
}

int kreg_sup_check_new(const char *name, enum kreg_strategy strategy, unsigned int max_restarts)
{
	size_t len = name ? strnlen(name, SUP_MAX_NAME + 1) : 0;

	if (!len)
		return kreg_cause(-EINVAL, "the supervisor has no name");
	if (len > SUP_MAX_NAME)
		return kreg_cause(-EINVAL, "the name of the supervisor is too long");
	if (strchr(name, '/'))
		return kreg_cause(-EINVAL, "the name of the supervisor has a '/' in it");
	if (strategy > KREG_REST_FOR_ONE)
		return kreg_cause(-EINVAL, "there is no such strategy");
	if (max_restarts > KREG_MAX_RESTARTS)
		return kreg_cause(-EINVAL, "so many restarts are not counted");
	return 0;
}

static int open_all(struct kreg_supervisor *sup, const char *path)
{
	int ret = kreg_client_open(path, &sup->client);

	if (ret)
		return ret;
	ret = kreg_sup_state_open(sup);
	return ret ? ret : kreg_fail(open_fds(sup), TRY_OTHER, sup->client);
}

int kreg_supervisor_new(struct kreg_client *client, const char *name,
			enum kreg_strategy strategy, unsigned int max_restarts, uint64_t max_ms,
			struct kreg_supervisor **out)
{
	struct kreg_supervisor *sup;
	int ret = kreg_sup_check_new(name, strategy, max_restarts);

	if (ret)
		return kreg_fail(ret, TRY_SUPERVISE, client);
	sup = calloc(1, sizeof(*sup));
	if (!sup)
		return kreg_fail(-ENOMEM, TRY_OTHER, client);
	sup->process = kreg_process_number();
	memcpy(sup->name, name, strlen(name));
	sup->strategy = strategy;
	sup->max_restarts = max_restarts;
	sup->max_ms = max_ms;
	sup->epoll = -1;
	sup->wake = -1;
	sup->timer = -1;
	sup->notify = -1;
	sup->times = calloc(max_restarts + 1, sizeof(*sup->times));
	/* A client of its own: events of the program's are not its business. */
	ret = sup->times ? open_all(sup, client->path) : kreg_fail(-ENOMEM, TRY_OTHER, client);
	if (ret) {
		/* It names the owner of the table only while the client is open. */
		kreg_errmsg();
		kreg_supervisor_free(sup);
	} else {
		*out = sup;
	}
	return ret;
}

void kreg_supervisor_set_log(struct kreg_supervisor *sup, kreg_supervisor_log_fn fn, void *arg)
{
	sup->log = fn;
	sup->log_arg = arg;
}

struct kreg_table *kreg_supervisor_table(const struct kreg_supervisor *sup)
{
	return sup->table;
}

int kreg_supervisor_fd(const struct kreg_supervisor *sup)
{
	return sup->epoll;
}

void kreg_supervisor_end(struct kreg_supervisor *sup)
{
	uint64_t one = 1;
	int err = errno;

	/* It cannot fail, if it is the counter still: that is far from its end. */
	if (!kreg_file_check(sup->wake, &sup->wake_file) && write(sup->wake, &one, sizeof(one)) < 0)
		abort();
	errno = err;
}

int kreg_sup_check(const struct kreg_supervisor *sup, bool started)
{
	if (sup->process != kreg_process_number())
		return -ESTALE;
	if (sup->dispatching)
		return kreg_cause(-EBUSY, "a function of this supervisor is being called");
	if ((sup->started && !sup->failed) == started)
		return 0;
	if (!started && sup->ending)
		return kreg_cause(-EBUSY, "the supervisor has stopped its children for good");
	return kreg_cause(-EBUSY, started ? "the supervisor is to be started first" :
			  "the supervisor was started already");
}

int kreg_sup_add(struct kreg_supervisor *sup, const struct kreg_child *how, struct child **child)
{
	struct child *c;
	int ret = kreg_sup_child_new(sup, how, &c);

	if (ret)
		return ret;
	ret = kreg_sup_find(sup, c->how.id) ? -EEXIST : kreg_sup_append(sup, c);
	if (ret)
		kreg_sup_child_free(c);
	else
		*child = c;
	return ret;
}

int kreg_supervisor_add(struct kreg_supervisor *sup, const struct kreg_child *child)
{
	struct child *c;
	int ret = kreg_sup_check(sup, false);

	return kreg_fail(ret ? ret : kreg_sup_add(sup, child, &c), TRY_SUPERVISE, sup->client);
}

/* When it has to look again although nothing has come. */
void kreg_sup_set_timer(struct kreg_supervisor *sup)
{
	struct itimerspec t = { 0 };
	uint64_t first = sup->zombie_count ? sup->reap_at : 0, d;
	size_t i;

	for (i = 0; i < sup->count; i++) {
		d = sup->children[i]->deadline;
		if (d && (!first || d < first))
			first = d;
	}
	t.it_value.tv_sec = first / 1000000000;
	t.it_value.tv_nsec = first % 1000000000;
	timerfd_settime(sup->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void handle_ready(struct kreg_supervisor *sup, void *ptr)
{
	uint64_t count;

	if (ptr == &sup->wake) {
		if (read(sup->wake, &count, sizeof(count)) == sizeof(count))
			kreg_sup_end_all(sup, 0);
	} else if (ptr == &sup->notify) {
		kreg_sup_notify_ready(sup);
	} else if (ptr == sup->client) {
		/* Below, for what was read before counts as well. */
	} else if (ptr != &sup->timer) {
		kreg_sup_spawn_ready(ptr);
	}
}

/*
 * No child is freed before all that came are handled. Deaths are looked for last: what a child has
 * said before it died is known then.
 */
static int one_round(struct kreg_supervisor *sup, int ms)
{
	struct epoll_event events[32];
	int count, i, n;

	kreg_sup_reap_again(sup);
	kreg_sup_advance(sup);
	if (kreg_sup_is_done(sup))
		return -ESHUTDOWN;
	count = epoll_wait(sup->epoll, events, 32, ms);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++)
		handle_ready(sup, events[i].data.ptr);
	n = kreg_client_handles(sup->client) || kreg_client_has_refs(sup->client) ?
		kreg_client_dispatch(sup->client, 0) : 0;
	kreg_sup_advance(sup);
	if (kreg_sup_is_done(sup))
		return -ESHUTDOWN;
	return n < 0 ? n : count;
}

int kreg_sup_dispatch(struct kreg_supervisor *sup, uint64_t deadline)
{
	int n;

	sup->dispatching = true;
	do {
		n = one_round(sup, kreg_ms_left(deadline));
	} while (!n && kreg_ms_left(deadline));
	sup->dispatching = false;
	return n;
}

int kreg_supervisor_dispatch(struct kreg_supervisor *sup, int64_t timeout_ms)
{
	int ret = kreg_sup_check(sup, true);

	if (!ret)
		ret = kreg_sup_dispatch(sup, kreg_deadline(timeout_ms));
	return kreg_fail(ret, TRY_SUPERVISE, sup->client);
}

int kreg_supervisor_run(struct kreg_supervisor *sup)
{
	int ret = kreg_sup_check(sup, true);

	while (ret >= 0 || ret == -EINTR)
		ret = kreg_sup_dispatch(sup, 0);
	if (ret == -ESHUTDOWN && sup->ending)
		ret = sup->end;
	return kreg_fail(ret, TRY_SUPERVISE, sup->client);
}

/* A signal is the program's business only while it waits for nothing in particular. */
static int wait_until(struct kreg_supervisor *sup, bool (*goes_on)(const struct kreg_supervisor *))
{
	int ret = 0;

	while (ret >= 0 || ret == -EINTR) {
		kreg_sup_advance(sup);
		if (!sup->ending && !goes_on(sup))
			return 0;
		ret = kreg_sup_dispatch(sup, 0);
	}
	return ret;
}

static bool is_starting(const struct kreg_supervisor *sup)
{
	return sup->starting;
}

static int start(struct kreg_supervisor *sup)
{
	int ret = kreg_sup_attach_all(sup);

	if (ret)
		return ret;
	sup->started = true;
	sup->failed = false;
	sup->starting = true;
	ret = wait_until(sup, is_starting);
	if (ret == -ESHUTDOWN && *sup->why) {
		sup->failed = true;
		return kreg_fail_text(sup->end, sup->why);
	}
	return kreg_fail(ret == -ESHUTDOWN && sup->end ? sup->end : ret, TRY_SUPERVISE,
			 sup->client);
}

int kreg_supervisor_start(struct kreg_supervisor *sup)
{
	int ret = kreg_sup_check(sup, false);

	return ret ? kreg_fail(ret, TRY_SUPERVISE, sup->client) : start(sup);
}

/* Nothing is left to go on with: the next supervisor begins anew. */
static void clear_state(struct kreg_supervisor *sup)
{
	size_t i;

	for (i = 0; i < sup->count; i++)
		kreg_sup_role_end(sup->children[i]);
	kreg_table_destroy(sup->table);
}

static bool has_no_state(const struct kreg_supervisor *sup)
{
	struct kreg_stat *stat;
	bool none;

	if (kreg_table_stat(sup->table, &stat))
		return false;
	none = !kreg_stat_objects(stat);
	kreg_stat_free(stat);
	return none;
}

/* One that was not started leaves to the next what it has found, and nothing else. */
static void stop_all(struct kreg_supervisor *sup)
{
	int ret = 0;

	if (!sup->started) {
		if (sup->table && has_no_state(sup))
			kreg_table_destroy(sup->table);
		else if (sup->table)
			kreg_table_park(sup->table);
		return;
	}
	kreg_sup_end_all(sup, 0);
	while (ret >= 0 || ret == -EINTR)
		ret = kreg_sup_dispatch(sup, 0);
	if (kreg_sup_is_done(sup))
		clear_state(sup);
}

void kreg_supervisor_free(struct kreg_supervisor *sup)
{
	if (!sup)
		return;
	if (sup->process == kreg_process_number())
		stop_all(sup);
	while (sup->count)
		kreg_sup_child_free(sup->children[--sup->count]);
	kreg_sup_close_zombies(sup);
	free(sup->children);
	free(sup->times);
	kreg_sup_free_forgotten(sup);
	kreg_table_close(sup->table);
	kreg_file_close(sup->notify, &sup->notify_file);
	kreg_file_close(sup->timer, &sup->timer_file);
	kreg_file_close(sup->wake, &sup->wake_file);
	kreg_file_close(sup->epoll, &sup->epoll_file);
	kreg_client_close(sup->client);
	free(sup);
}

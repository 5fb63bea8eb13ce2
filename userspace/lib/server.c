/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers: their socket, their names, and the loop. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "serve.h"

#define CONNECTIONS	256
#define BACKLOG		4096
#define READ_AGAIN_MS	100	/* events that could not be read */

/* In a directory, under a name that no other server has. */
static int name_socket(struct kreg_server *server, const char *directory)
{
	struct sockaddr_un *a = &server->address;
	unsigned char random[8];
	int n;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	n = snprintf(a->sun_path, sizeof(a->sun_path),
		     "%s/kreg-%02x%02x%02x%02x%02x%02x%02x%02x", directory, random[0], random[1],
		     random[2], random[3], random[4], random[5], random[6], random[7]);
	return n < (int)sizeof(a->sun_path) ? 0 : -ENAMETOOLONG;
}

/* Without a directory the kernel finds a free abstract name, which nobody else can take. */
static int bind_socket(struct kreg_server *server, const char *directory)
{
	struct sockaddr_un *a = &server->address;
	socklen_t len = sizeof(sa_family_t);
	int ret;

	a->sun_family = AF_UNIX;
	if (directory) {
		ret = name_socket(server, directory);
		if (ret)
			return ret;
		len = sizeof(*a);
	}
	if (bind(server->listener, (struct sockaddr *)a, len))
		return -errno;
	/* Whoever gets through the directory may connect; kreg_server_accept() decides. */
	if (directory && chmod(a->sun_path, 0666))
		return -errno;
	server->address_len = sizeof(*a);
	if (getsockname(server->listener, (struct sockaddr *)a, &server->address_len) ||
	    listen(server->listener, BACKLOG))
		return -errno;
	return 0;
}

static int watch_fd(struct kreg_server *server, int fd, uint32_t events, void *ptr)
{
	struct epoll_event ev = { events, { .ptr = ptr } };

	return fd < 0 || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_server(struct kreg_server *server, const char *directory)
{
	int ret = kreg_client_reopen(server->client);

	/* In a child, the client's descriptor is the parent's until it is used. */
	if (ret)
		return ret;
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	ret = kreg_file_identify(server->epoll, &server->epoll_file);
	if (ret)
		return ret;
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = kreg_file_identify(server->wake, &server->wake_file);
	ret = ret ? ret : watch_fd(server, server->wake, EPOLLIN, &server->wake);
	if (ret)
		return ret;
	server->spare = fcntl(server->wake, F_DUPFD_CLOEXEC, 0);
	if (server->spare < 0)
		return -errno;
	/* All events are taken whenever there are some: nothing is left behind by edges. */
	ret = watch_fd(server, server->client->fd, EPOLLIN | EPOLLET, server->client);
	if (ret)
		return ret;
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = kreg_file_identify(server->listener, &server->listener_file);
	ret = ret ? ret : bind_socket(server, directory);
	return ret ? ret : watch_fd(server, server->listener, EPOLLIN, &server->listener);
}

static int make_server(struct kreg_client *client, kreg_serve_fn fn, void *state,
		       const struct kreg_server_options *options, struct kreg_server **out)
{
	struct kreg_server_options o = { .size = sizeof(o) };
	struct kreg_server *s;
	int ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;

	if (!ret && o.reserved)
		ret = -EOPNOTSUPP;
	if (!ret && o.max_message > KREG_MAX_MESSAGE)
		ret = -EFBIG;
	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->refs = 1;
	s->process = kreg_process_number();
	s->client = kreg_client_get(client);
	s->epoll = -1;
	s->listener = -1;
	s->wake = -1;
	s->spare = -1;
	s->fn = fn;
	s->state = state;
	s->admit = o.admit;
	s->admit_arg = o.arg;
	s->uid = geteuid();
	s->max_message = o.max_message ? o.max_message : KREG_MAX_MESSAGE;
	s->max_connections = o.max_connections ? o.max_connections : CONNECTIONS;
	s->open.next = &s->open;
	s->open.prev = &s->open;
	s->end = -1;
	ret = open_server(s, o.directory);
	if (ret)
		kreg_server_free(s);
	else
		*out = s;
	return ret;
}

int kreg_server_new(struct kreg_client *client, kreg_serve_fn fn, void *state,
		    const struct kreg_server_options *options, struct kreg_server **server)
{
	return kreg_fail(make_server(client, fn, state, options, server), TRY_SERVE, client);
}

/* Only for -ENOMEM before the key is taken. */
static struct server_name *make_name(struct kreg_table *table, const void *key, size_t len)
{
	struct server_name *name = malloc(sizeof(*name) + len);

	if (!name)
		return NULL;
	name->table = kreg_table_get(table);
	name->len = len;
	memcpy(name->key, key, len);
	return name;
}

static void free_name(struct server_name *name)
{
	kreg_table_close(name->table);
	free(name);
}

/* What a client finds under a name. Return: its length. */
static size_t write_address(const struct kreg_server *server, unsigned char *value)
{
	size_t len = server->address_len - offsetof(struct sockaddr_un, sun_path);

	value[0] = ADDRESS_VERSION;
	value[1] = len;
	memcpy(value + 2, server->address.sun_path, len);
	return 2 + len;
}

int kreg_server_register(struct kreg_server *server, struct kreg_table *table,
			 const void *key, size_t key_len)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	unsigned char value[ADDRESS_MAX];
	struct server_name *name;
	int ret;

	if (server->process != kreg_process_number())
		return kreg_fail(-ESTALE, TRY_SERVE, server->client);
	if (key_len > KREG_MAX_KEY)
		return kreg_register(table, key, key_len, NULL, 0);
	name = make_name(table, key, key_len);
	if (!name)
		return kreg_fail(-ENOMEM, TRY_SERVE, server->client);
	ret = kreg_register_with(table, key, key_len, value, write_address(server, value), NULL,
				 &holder);
	if (ret) {
		free_name(name);
		return ret;
	}
	name->version = holder.version;
	name->next = server->names;
	server->names = name;
	return 0;
}

static int delete_name(const struct server_name *name, struct kreg_op_args *args)
{
	args->code = KREG_OP_DELETE;
	args->flags |= KREG_OP_MINE;
	args->key = name->key;
	args->key_len = name->len;
	return kreg_op_run(name->table, args);
}

/*
 * Only what this server has registered: the program may have removed the key meanwhile, and
 * given it to another server. So this may fail, and then there is nothing to be removed. It may
 * also have put the same address anew: no other server has that one.
 */
static void unregister_name(const struct kreg_server *server, const struct server_name *name)
{
	struct kreg_op_args by_version = KREG_OP_ARGS_INIT, by_address = KREG_OP_ARGS_INIT;
	unsigned char value[ADDRESS_MAX];

	by_version.flags = KREG_OP_VERSION;
	by_version.version = name->version;
	if (delete_name(name, &by_version) != -ECANCELED)
		return;
	by_address.flags = KREG_OP_VALUE;
	by_address.expected = value;
	by_address.expected_len = write_address(server, value);
	delete_name(name, &by_address);
}

static void forget_names(struct kreg_server *server, bool unregister)
{
	struct server_name *name;

	while ((name = server->names)) {
		server->names = name->next;
		if (unregister)
			unregister_name(server, name);
		free_name(name);
	}
}

int kreg_server_add(struct kreg_server *server, struct service *service)
{
	if (server->process != kreg_process_number())
		return -ESTALE;
	pthread_mutex_lock(&server->lock);
	server->refs++;
	pthread_mutex_unlock(&server->lock);
	service->next = server->services;
	server->services = service;
	return 0;
}

void kreg_server_remove(struct kreg_server *server, struct service *service)
{
	struct service **s = &server->services;

	while (*s != service)
		s = &(*s)->next;
	*s = service->next;
	/* In a child, a thread of the parent may have held the lock. */
	if (server->process == kreg_process_number())
		kreg_server_put(server);
}

void kreg_server_put(struct kreg_server *server)
{
	bool last;

	pthread_mutex_lock(&server->lock);
	last = !--server->refs;
	if (last)
		kreg_connection_sweep(server);
	pthread_mutex_unlock(&server->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&server->lock);
	kreg_client_put(server->client);
	free(server);
}

/* Those of a child's parent are closed here only: the sockets and the epoll set are his. */
static void close_all(struct kreg_server *server, bool own)
{
	struct connection *c;

	server->freed = true;
	if (own) {
		server->full = false;
		while (server->open.next != &server->open)
			kreg_connection_close(server->open.next);
		if (server->address_len && server->address.sun_path[0])
			unlink(server->address.sun_path);
	} else {
		for (c = server->open.next; c != &server->open; c = c->next)
			kreg_file_close(c->fd, &c->file);
	}
	kreg_file_close(server->epoll, &server->epoll_file);
	kreg_file_close(server->listener, &server->listener_file);
	kreg_file_close(server->wake, &server->wake_file);
	kreg_file_close(server->spare, &server->wake_file);
}

void kreg_server_free(struct kreg_server *server)
{
	bool own = server && server->process == kreg_process_number();

	if (!server)
		return;
	forget_names(server, own);
	/* A child may have got the lock from a thread that only its parent has. */
	if (own)
		pthread_mutex_lock(&server->lock);
	else if (pthread_mutex_trylock(&server->lock))
		return;
	close_all(server, own);
	pthread_mutex_unlock(&server->lock);
	if (own)
		kreg_server_put(server);
}

int kreg_server_fd(const struct kreg_server *server)
{
	return server->epoll;
}

void kreg_server_end(struct kreg_server *server, int code)
{
	int none = -1, err = errno;
	uint64_t one = 1;

	/* It cannot fail, if it is the counter still: that is far from its end. */
	if (atomic_compare_exchange_strong(&server->end, &none, code < 0 ? 0 : code) &&
	    !kreg_file_check(server->wake, &server->wake_file) &&
	    write(server->wake, &one, sizeof(one)) < 0)
		abort();
	errno = err;
}

/* The client's events, also those that the library has read while a handler waited. */
static int client_events(struct kreg_server *server, bool ready)
{
	int n;

	if (!ready && !server->missed && !kreg_client_holds(server->client))
		return 0;
	n = kreg_client_handles(server->client) ? kreg_client_dispatch(server->client, 0) : -1;
	/* Those that are there make no edge any more. */
	server->missed = n < 0;
	return n < 0 ? 0 : n;
}

/* Events that could not be read, though there is a handler, are not waited for. */
static int wait_events(struct kreg_server *server, struct epoll_event *events, int most, int ms)
{
	bool again = server->missed && kreg_client_handles(server->client);

	if (again && (ms < 0 || ms > READ_AGAIN_MS))
		ms = READ_AGAIN_MS;
	return epoll_wait(server->epoll, events, most, ms);
}

static int handle_ready(struct kreg_server *server, const struct epoll_event *ev)
{
	if (ev->data.ptr == &server->listener)
		kreg_server_accept(server);
	else if (ev->data.ptr == server->client)
		return client_events(server, true);
	else if (ev->data.ptr != &server->wake)
		return kreg_connection_ready(ev->data.ptr, ev->events);
	return 0;
}

static int one_round(struct kreg_server *server, int ms)
{
	int n = client_events(server, false), count, i;
	struct epoll_event events[16];

	if (!kreg_server_goes_on(server))
		return n;
	count = wait_events(server, events, 16, n ? 0 : ms);
	if (count < 0)
		return n ? n : -errno;
	for (i = 0; i < count && kreg_server_goes_on(server); i++)
		n += handle_ready(server, &events[i]);
	if (server->freed)
		return n;
	n += client_events(server, false);
	if (server->freed || !server->has_closed)
		return n;
	pthread_mutex_lock(&server->lock);
	kreg_connection_sweep(server);
	pthread_mutex_unlock(&server->lock);
	return n;
}

static void get_server(struct kreg_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->refs++;
	pthread_mutex_unlock(&server->lock);
}

static int check_server(const struct kreg_server *server)
{
	if (server->process != kreg_process_number())
		return -ESTALE;
	if (server->dispatching)
		return -EBUSY;
	return server->end < 0 ? 0 : -ESHUTDOWN;
}

int kreg_server_dispatch(struct kreg_server *server, int64_t timeout_ms)
{
	uint64_t deadline = kreg_deadline(timeout_ms);
	int n = check_server(server);

	if (n)
		return kreg_fail(n, TRY_SERVE, server->client);
	get_server(server);
	server->dispatching = true;
	do {
		n = one_round(server, kreg_ms_left(deadline));
	} while (!n && kreg_server_goes_on(server) && kreg_ms_left(deadline));
	server->dispatching = false;
	if (!n && !server->freed && server->end >= 0)
		n = -ESHUTDOWN;
	kreg_fail(n, TRY_SERVE, server->client);
	kreg_server_put(server);
	return n;
}

int kreg_server_run(struct kreg_server *server)
{
	int ret = check_server(server);

	if (ret && ret != -ESHUTDOWN)
		return kreg_fail(ret, TRY_SERVE, server->client);
	get_server(server);
	server->dispatching = true;
	ret = 0;
	while (kreg_server_goes_on(server) && (ret >= 0 || ret == -EINTR))
		ret = one_round(server, -1);
	server->dispatching = false;
	if (ret >= 0 || ret == -EINTR)
		ret = server->end < 0 ? 0 : server->end;
	kreg_fail(ret, TRY_SERVE, server->client);
	kreg_server_put(server);
	return ret;
}

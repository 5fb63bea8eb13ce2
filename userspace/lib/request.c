/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests of a server: what they say, and their answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

const void *kreg_request_data(const struct kreg_request *request, size_t *len)
{
	*len = request->len;
	return request->data;
}

const void *kreg_request_key(const struct kreg_request *request, size_t *len)
{
	*len = request->key_len;
	return request->key;
}

bool kreg_request_is_cast(const struct kreg_request *request)
{
	return !request->id;
}

/*
 * Before 6.5 the kernel knows only the pid that the caller had when it connected. Later ones
 * make no pidfd of a process that is gone: EINVAL, or ESRCH.
 */
static int find_caller(const struct kreg_request *request, struct kreg_process *process)
{
	struct connection *c = request->connection;
	struct kreg_client *client = request->server->client;
	socklen_t len = sizeof(int);
	int pidfd = -1, ret = 0;

	pthread_mutex_lock(&request->server->lock);
	if (c->fd < 0)
		ret = -ESRCH;
	else if (getsockopt(c->fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		ret = errno == EINVAL ? -ESRCH : -errno;
	pthread_mutex_unlock(&request->server->lock);
	if (ret == -ENOPROTOOPT)
		return kreg_process_whois(client, c->pid, 0, process);
	if (ret)
		return ret;
	ret = kreg_process_whois_pidfd(client, pidfd, 0, process);
	close(pidfd);
	return ret;
}

int kreg_request_from(const struct kreg_request *request, struct kreg_process *process,
		      uid_t *uid)
{
	int ret = process ? find_caller(request, process) : 0;

	if (uid)
		*uid = request->connection->uid;
	kreg_fail(ret, TRY_PROCESS, request->server->client);
	return kreg_fail_process(ret, request->connection->pid);
}

/* Who has to do with a request that was dealt with is told how. */
static int dealt_with(const struct kreg_request *request)
{
	if (request->kept || request->passed)
		return kreg_cause(-EALREADY,
				  "the request is kept, and answered by what is kept of it");
	return kreg_cause(-EALREADY, "the request was answered already");
}

static int keep_request(struct kreg_request *request, struct kreg_request **kept)
{
	size_t room = PACKET_KEY(request->key_len) + request->len;
	struct kreg_request *r;

	if (request->done || request->kept)
		return dealt_with(request);
	r = malloc(sizeof(*r) + room);
	if (!r)
		return -ENOMEM;
	*r = *request;
	r->kept = true;
	r->key = r->copy;
	r->data = (char *)r->copy + PACKET_KEY(r->key_len);
	memcpy(r->copy, request->key, room);
	request->done = true;
	request->passed = true;
	pthread_mutex_lock(&r->server->lock);
	r->server->refs++;
	r->connection->refs++;
	pthread_mutex_unlock(&r->server->lock);
	*kept = r;
	return 0;
}

int kreg_request_keep(struct kreg_request *request, struct kreg_request **kept)
{
	return kreg_fail(keep_request(request, kept), TRY_REPLY, request->server->client);
}

/*
 * Under the lock, since another thread might close the connection and its descriptor be
 * another file's then. A client whose queue is full does not read what it has asked for.
 */
static int send_answer(struct kreg_request *request, unsigned int err, const void *data,
		       size_t len)
{
	const struct packet head = {
		PACKET_MAGIC, err ? PACKET_ERROR : PACKET_REPLY, err, request->id,
	};
	struct connection *c = request->connection;
	int ret = -EPIPE;

	/* What is kept may be answered when the program has another file there. */
	if (c->fd >= 0 && (!request->kept || !kreg_file_check(c->fd, &c->file)))
		ret = kreg_packet_send(c->fd, &head, NULL, data, len);
	c->pending--;
	if (!ret)
		kreg_connection_answered(c);
	else if (c->fd >= 0)
		kreg_connection_close(c);
	return ret ? -EPIPE : 0;
}

static void drop_kept(struct kreg_request *request)
{
	struct kreg_server *server = request->server;

	pthread_mutex_lock(&server->lock);
	request->connection->refs--;
	pthread_mutex_unlock(&server->lock);
	kreg_server_put(server);
	free(request);
}

/* With @err 0 it is a reply. */
static int answer_request(struct kreg_request *request, unsigned int err, const void *data,
			  size_t len)
{
	struct kreg_server *server = request->server;
	int ret = 0;

	if (len > KREG_MAX_MESSAGE)
		return -EFBIG;
	if (request->done)
		return dealt_with(request);
	request->done = true;
	if (server->process != kreg_process_number()) {
		ret = -ESTALE;
	} else if (request->id) {
		pthread_mutex_lock(&server->lock);
		ret = send_answer(request, err, data, len);
		pthread_mutex_unlock(&server->lock);
	}
	/* In a child, a thread of the parent may have held the lock. */
	if (request->kept && ret == -ESTALE)
		free(request);
	else if (request->kept)
		drop_kept(request);
	return ret;
}

int kreg_reply(struct kreg_request *request, const void *data, size_t len)
{
	return kreg_fail(answer_request(request, 0, data, len), TRY_REPLY, NULL);
}

int kreg_reply_error(struct kreg_request *request, int err)
{
	int positive = err < 0 ? -err : err, ret;

	if (positive < 1 || positive > PACKET_ERRNO)
		return kreg_fail(-EINVAL, TRY_REPLY, NULL);
	ret = answer_request(request, positive, NULL, 0);
	return kreg_fail(ret, TRY_REPLY, NULL);
}

void kreg_request_refuse(struct kreg_request *request, int err)
{
	answer_request(request, err, NULL, 0);
}

void kreg_request_finish(struct kreg_request *request)
{
	if (!request->done)
		kreg_request_refuse(request, ENOMSG);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of servers, and the connections to those who have them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

/* Threads that end leave their links behind; more than so many are closed. */
#define LINKS_MAX	64

/* How long recvmsg(2) alone waits for a reply, before the death of the server is waited for. */
#define QUICK_US	20000

/* For the links of all peers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Its address tells threads apart; that of a thread that has ended may come again. */
static __thread char this_thread;

static void lock_links(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_links(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child must not inherit a lock that a thread of its parent holds. */
static void __attribute__((constructor)) guard_forks(void)
{
	pthread_atfork(lock_links, unlock_links, unlock_links);
}

static void free_link(struct link *link)
{
	kreg_file_close(link->fd, &link->file);
	kreg_file_close(link->pidfd, &link->pidfd_file);
	free(link);
}

static void free_links(struct link *links)
{
	struct link *next;

	for (; links; links = next) {
		next = links->next;
		free_link(links);
	}
}

/* Those of the parent, also if a thread of it was using them. */
static void own_links(struct kreg_peer *peer)
{
	uint64_t self = kreg_process_number();

	if (peer->process == self)
		return;
	free_links(peer->links);
	peer->links = NULL;
	peer->process = self;
}

int kreg_peer_open(struct kreg_table *table, const void *key, size_t key_len,
		   struct kreg_peer **peer)
{
	struct kreg_peer *p;

	if (!key_len)
		return kreg_fail_table(kreg_cause(-EINVAL, "the key is empty"), TRY_READ, table);
	if (key_len > KREG_MAX_KEY)
		return kreg_fail_sizes(kreg_fail_table(-ENAMETOOLONG, TRY_READ, table),
				       key_len, 0, 0);
	p = calloc(1, sizeof(*p) + key_len);
	if (!p)
		return kreg_fail_table(-ENOMEM, TRY_READ, table);
	p->table = kreg_table_get(table);
	p->process = kreg_process_number();
	p->key_len = key_len;
	memcpy(p->key, key, key_len);
	*peer = p;
	return 0;
}

void kreg_peer_close(struct kreg_peer *peer)
{
	if (!peer)
		return;
	free_links(peer->links);
	kreg_table_close(peer->table);
	free(peer);
}

/* Who has the name, and where his socket is. */
struct found {
	struct kreg_process process;
	uint64_t version;
	struct sockaddr_un address;
	socklen_t address_len;
};

static int look_up(struct kreg_peer *peer, unsigned int code, void *value, size_t room,
		   struct kreg_ioc_op *io)
{
	int ret;

	*io = (struct kreg_ioc_op){ .size = sizeof(*io), .table = peer->table->id };
	ret = kreg_op_fill(&io->op, code, peer->key, peer->key_len, value, room);
	if (!ret)
		ret = kreg_ioctl(peer->table->client, KREG_IOC_OP, io);
	return ret == -ENODATA ? -ESRCH : ret;
}

static int find_server(struct kreg_peer *peer, struct found *found)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	unsigned char value[ADDRESS_MAX];
	struct kreg_ioc_op io;
	int ret = look_up(peer, KREG_OP_GET, value, sizeof(value), &io);

	if (ret == -EMSGSIZE)
		return -EPROTO;
	if (ret)
		return ret;
	if (!io.out_process.pid || io.op.out_len < 3 || value[0] != ADDRESS_VERSION ||
	    value[1] != io.op.out_len - 2)
		return -EPROTO;
	*found = (struct found){ .process = io.out_process, .version = io.op.out_version };
	found->address.sun_family = AF_UNIX;
	memcpy(found->address.sun_path, value + 2, value[1]);
	found->address_len = before + value[1];
	return 0;
}

/* Does who was found live still, and have the name? */
static int check_found(struct kreg_peer *peer, const struct found *found)
{
	struct kreg_ioc_op io;
	int ret = look_up(peer, KREG_OP_MEMBER, NULL, 0, &io);

	if (ret)
		return ret;
	return io.op.out_version == found->version ? 0 : -EAGAIN;
}

static bool is_his(int fd, const struct found *found)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	       cred.pid == (pid_t)found->process.pid;
}

/*
 * -EAGAIN: too many wait to be connected already; -EHOSTUNREACH: nobody is there, or somebody
 * else, as in another network namespace.
 */
static int connect_to(int fd, const struct found *found)
{
	const struct timeval quick = { .tv_usec = QUICK_US };

	if (connect(fd, (const struct sockaddr *)&found->address, found->address_len)) {
		if (errno == EAGAIN || errno == EACCES || errno == EPERM)
			return -errno;
		return errno == ECONNREFUSED || errno == ENOENT ? -EHOSTUNREACH : -errno;
	}
	if (!is_his(fd, found))
		return -EHOSTUNREACH;
	if (fcntl(fd, F_SETFL, 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quick, sizeof(quick)))
		return -errno;
	return 0;
}

/* 0: it is no socket. For a call this is cheaper than fstat(2). */
static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/*
 * The pidfd is his, since he was alive before and after it was opened. A failure of connect(2)
 * means something only if he is alive after it, too.
 */
static int make_link(struct kreg_peer *peer, const struct found *found, struct link *link)
{
	int ret, err;

	link->version = found->version;
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = kreg_file_identify(link->fd, &link->file);
	if (ret)
		return ret;
	link->cookie = cookie_of(link->fd);
	link->pidfd = kreg_pidfd_open(found->process.pid);
	if (link->pidfd < 0 && link->pidfd != -ESRCH)
		return link->pidfd;
	if (link->pidfd >= 0)
		ret = kreg_file_identify(link->pidfd, &link->pidfd_file);
	if (ret)
		return ret;
	err = connect_to(link->fd, found);
	ret = check_found(peer, found);
	if (ret == -EAGAIN || (!ret && link->pidfd < 0))
		return -ESTALE;
	if (ret)
		return ret;
	return err;
}

static int open_link(struct kreg_peer *peer, const struct found *found, struct link **out)
{
	struct link *link = calloc(1, sizeof(*link));
	int ret;

	if (!link)
		return -ENOMEM;
	link->fd = -1;
	link->pidfd = -1;
	ret = make_link(peer, found, link);
	if (!ret) {
		link->thread = &this_thread;
		link->busy = true;
		*out = link;
		return 0;
	}
	if (link->fd >= 0)
		close(link->fd);
	if (link->pidfd >= 0)
		close(link->pidfd);
	free(link);
	return ret;
}

/* This thread's, if it leads to whom was found; what leads elsewhere is to be freed. */
static struct link *borrow_link(struct kreg_peer *peer, uint64_t version, struct link **old)
{
	struct link **at = &peer->links, *l, *mine = NULL;

	*old = NULL;
	lock_links();
	own_links(peer);
	while ((l = *at)) {
		if (!l->busy && l->version != version) {
			*at = l->next;
			l->next = *old;
			*old = l;
			continue;
		}
		if (!l->busy && l->thread == &this_thread)
			mine = l;
		at = &l->next;
	}
	if (mine)
		mine->busy = true;
	unlock_links();
	return mine;
}

static void add_link(struct kreg_peer *peer, struct link *link)
{
	lock_links();
	link->next = peer->links;
	peer->links = link;
	unlock_links();
}

static void unlink_link(struct kreg_peer *peer, struct link *link)
{
	struct link **at = &peer->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
}

/* The one that was not used for longest, if there are too many. */
static struct link *choose_last(struct kreg_peer *peer)
{
	struct link *l, *last = NULL;
	unsigned int n = 0;

	for (l = peer->links; l; l = l->next, n++)
		if (!l->busy)
			last = l;
	return n > LINKS_MAX ? last : NULL;
}

void kreg_link_return(struct kreg_peer *peer, struct link *link)
{
	struct link *last;

	lock_links();
	link->busy = false;
	if (peer->links != link) {
		unlink_link(peer, link);
		link->next = peer->links;
		peer->links = link;
	}
	last = choose_last(peer);
	if (last)
		unlink_link(peer, last);
	unlock_links();
	if (last)
		free_link(last);
}

void kreg_link_drop(struct kreg_peer *peer, struct link *link)
{
	lock_links();
	unlink_link(peer, link);
	unlock_links();
	free_link(link);
}

/* Nothing tells when there is room; the server may take some a millisecond. */
int kreg_wait_a_moment(const struct calling *calling)
{
	int ms = kreg_ms_left(calling->deadline);

	if (!calling->wait)
		return -EAGAIN;
	if (!ms)
		return -ETIMEDOUT;
	return poll(NULL, 0, ms < 0 || ms > 5 ? 5 : ms) < 0 ? -errno : 0;
}

int kreg_link_get(struct calling *calling, struct link **link)
{
	struct kreg_peer *peer = calling->peer;
	struct found found;
	struct link *old;
	int ret;

	for (;;) {
		ret = find_server(peer, &found);
		if (ret)
			return ret;
		*link = borrow_link(peer, found.version, &old);
		free_links(old);
		if (*link && (*link)->cookie && cookie_of((*link)->fd) == (*link)->cookie)
			return 0;
		/* The program has closed its descriptor. */
		if (*link)
			kreg_link_drop(peer, *link);
		ret = open_link(peer, &found, link);
		if (!ret) {
			add_link(peer, *link);
			return 0;
		}
		if (ret == -EAGAIN)
			ret = kreg_wait_a_moment(calling);
		/* With -ESTALE another process has the name meanwhile. */
		if (ret && ret != -ESTALE)
			return ret;
	}
}

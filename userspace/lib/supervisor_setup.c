/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: the new process, until its program runs. It waits until it is monitored, opens the
 * device under its own rights, says so, and waits until the supervisor has entered it and has given
 * it its tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervise.h"

static int number_of(const char *text, unsigned int *number)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (*end || errno || n >= UINT32_MAX)
		return -EINVAL;
	*number = n;
	return 0;
}

static int find_groups(const char *user, struct setup_ids *ids)
{
	int count = 0;

	getgrouplist(user, ids->gid, NULL, &count);
	ids->groups = malloc(count * sizeof(*ids->groups));
	if (!ids->groups)
		return -ENOMEM;
	ids->count = count;
	return getgrouplist(user, ids->gid, ids->groups, &ids->count) < 0 ? -EAGAIN : 0;
}

static int find_user(const char *user, struct setup_ids *ids)
{
	struct passwd *pw = getpwnam(user);
	char *name = pw ? pw->pw_name : NULL;

	if (!pw) {
		if (number_of(user, &ids->uid))
			return -ESRCH;
		pw = getpwuid(ids->uid);
		name = pw ? pw->pw_name : NULL;
	}
	/* A number that no name belongs to is the group's as well. */
	ids->gid = ids->uid;
	if (!pw)
		return 0;
	ids->uid = pw->pw_uid;
	ids->gid = pw->pw_gid;
	return find_groups(name, ids);
}

/* In the supervisor: NSS is better not called after fork(2). */
int kreg_sup_ids(const struct child *c, struct setup_ids *ids)
{
	struct group *gr;
	int ret = 0;

	*ids = (struct setup_ids){ .uid = geteuid(), .gid = getegid() };
	ids->set = c->how.user || c->how.group;
	if (c->how.user)
		ret = find_user(c->how.user, ids);
	if (ret || !c->how.group)
		return ret;
	gr = getgrnam(c->how.group);
	if (gr)
		ids->gid = gr->gr_gid;
	else if (number_of(c->how.group, &ids->gid))
		return -ESRCH;
	return 0;
}

static void report(int sock, enum setup_step step, int err)
{
	struct setup_report r = { .step = step, .err = err };

	/* If the supervisor is gone it does not matter. */
	if (write(sock, &r, sizeof(r)) != sizeof(r))
		_exit(SUP_ABANDONED);
}

static void __attribute__((noreturn)) give_up(int sock, enum setup_step step, int err)
{
	report(sock, step, err);
	_exit(step == SETUP_EXEC && err != -ENOENT ? 126 : 127);
}

static void reset_signals(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig <= SIGRTMAX; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_inherited(struct kreg_supervisor *sup)
{
	size_t i;

	kreg_client_close(sup->client);
	close(sup->epoll);
	close(sup->wake);
	close(sup->timer);
	close(sup->notify);
	for (i = 0; i < sup->count; i++) {
		if (sup->children[i]->sock >= 0)
			close(sup->children[i]->sock);
		if (sup->children[i]->pidfd >= 0)
			close(sup->children[i]->pidfd);
	}
}

static void set_ids(int sock, const struct setup_ids *ids)
{
	if (!ids->set)
		return;
	/* Who is not root can be no other, and keeps his groups. */
	if (geteuid() == 0 && setgroups(ids->count, ids->groups))
		give_up(sock, SETUP_IDS, -errno);
	if (setgid(ids->gid) || setuid(ids->uid))
		give_up(sock, SETUP_IDS, -errno);
}

static void join_names(const char *const *list, char *buf, size_t room)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; list && *list && used < room; list++)
		used += snprintf(buf + used, room - used, "%s%s", used ? "\n" : "", *list);
}

static size_t length_of(const char *const *list)
{
	size_t len = 1;

	for (; list && *list; list++)
		len += strlen(*list) + 1;
	return len;
}

static int set_environment(struct child *c, int fd)
{
	char *names = malloc(length_of(c->how.tables)), number[16], socket[80];
	char *const *e;
	int ret;

	if (!names)
		return -ENOMEM;
	for (e = c->how.env; e && *e; e++)
		if (putenv(*e))
			return -errno;
	join_names(c->how.tables, names, length_of(c->how.tables));
	snprintf(number, sizeof(number), "%d", getpid());
	snprintf(socket, sizeof(socket), "@%s", c->sup->notify_name);
	ret = setenv("KREG_SUPERVISOR", c->sup->name, 1) || setenv("KREG_TABLES", names, 1) ||
	      setenv("KREG_PID", number, 1) || setenv("NOTIFY_SOCKET", socket, 1);
	free(names);
	snprintf(number, sizeof(number), "%d", fd);
	/* That of the supervisor, if it is itself a child of one. */
	if (fd < 0)
		unsetenv("KREG_FD");
	else
		ret = ret || setenv("KREG_FD", number, 1);
	return ret ? -errno : 0;
}

/*
 * NULL: it may not open the device, and needs not. The descriptor stays open over execve(2). Who
 * runs under another user is given tables only if it accepts that.
 */
static struct kreg_client *open_device(struct child *c, const char *path, int sock)
{
	struct kreg_client *client;
	int ret = kreg_client_open(path, &client);

	if (ret && !c->role)
		return NULL;
	if (!ret)
		ret = fcntl(kreg_client_fd(client), F_SETFD, 0) ? -errno : 0;
	if (!ret && c->role)
		ret = kreg_client_set_accept(client, true);
	if (ret)
		give_up(sock, SETUP_DEVICE, ret);
	return client;
}

/* Without an answer the supervisor is gone, and the next one starts the child anew. */
static void wait_for_letter(int sock)
{
	char letter;
	ssize_t n;

	do {
		n = read(sock, &letter, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(SUP_ABANDONED);
}

void kreg_sup_setup(struct child *c, int sock, const struct setup_ids *ids)
{
	char *path = strdup(c->sup->client->path);
	struct kreg_client *client;
	int ret;

	setpgid(0, 0);
	reset_signals();
	close_inherited(c->sup);
	wait_for_letter(sock);
	set_ids(sock, ids);
	if (c->how.directory && chdir(c->how.directory))
		give_up(sock, SETUP_DIRECTORY, -errno);
	client = path ? open_device(c, path, sock) : NULL;
	ret = set_environment(c, client ? kreg_client_fd(client) : -1);
	if (ret)
		give_up(sock, SETUP_DEVICE, ret);
	report(sock, SETUP_WAITS, client ? 0 : -EACCES);
	wait_for_letter(sock);
	if (client && c->role)
		ret = kreg_client_set_accept(client, false);
	if (ret)
		give_up(sock, SETUP_DEVICE, ret);
	if (c->how.argv) {
		execvp(c->how.argv[0], c->how.argv);
		give_up(sock, SETUP_EXEC, -errno);
	}
	kreg_client_offer_fd();
	close(sock);
	/* As in other children of fork(2), what the parent has buffered is not written again. */
	_exit(c->how.main(c->how.arg));
}

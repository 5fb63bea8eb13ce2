/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: the new process, until its program runs. It waits until it is monitored, opens the
 * device under its own rights, says so, and waits until the supervisor has entered it and has given
 * it its tables. It allocates nothing and takes no lock, since the program may have threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise.h"

static void report(int sock, enum setup_step step, int err)
{
	struct setup_report r = { .step = step, .err = err };

	if (send(sock, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
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

/* Without the list of clients, whose lock another thread may have had. */
static void close_client(struct kreg_client *client)
{
	kreg_file_close(client->fd, &client->file);
	client->fd = -1;
}

static void close_inherited(struct kreg_supervisor *sup)
{
	size_t i;

	close_client(sup->client);
	kreg_file_close(sup->epoll, &sup->epoll_file);
	kreg_file_close(sup->wake, &sup->wake_file);
	kreg_file_close(sup->timer, &sup->timer_file);
	kreg_file_close(sup->notify, &sup->notify_file);
	for (i = 0; i < sup->count; i++)
		kreg_file_close(sup->children[i]->pidfd, &sup->children[i]->pidfd_file);
	for (i = 0; i < sup->zombie_count; i++)
		kreg_file_close(sup->zombies[i].pidfd, &sup->zombies[i].file);
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

/* Behind the name that is there. snprintf(3) may take locks. */
static void put_number(char *variable, unsigned int number)
{
	char digits[16], *to = variable + strlen(variable);
	int n = 0;

	do {
		digits[n++] = '0' + number % 10;
		number /= 10;
	} while (number);
	while (n)
		*to++ = digits[--n];
	*to = '\0';
}

/* KREG_FD is the last one, which is left out if it may not open the device. */
static void set_environment(struct setup *s, int fd)
{
	put_number(s->pid, getpid());
	if (fd >= 0)
		put_number(s->fd, fd);
	else
		s->env[--s->env_count] = NULL;
	environ = s->env;
}

/* The descriptor stays open over execve(2). */
static int set_device(struct kreg_client *client, int fd)
{
	int ret = kreg_client_set(client, fd);

	if (!ret && fcntl(fd, F_SETFD, 0))
		ret = -errno;
	return ret;
}

/*
 * -1: it may not open the device, and needs not. Who runs under another user is given tables only
 * if it accepts that.
 */
static int open_device(struct child *c, struct kreg_client *client, int sock)
{
	int fd = kreg_device_open(client->path);
	int ret = fd < 0 ? fd : set_device(client, fd);

	if (ret < 0 && !c->role) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (!ret && c->role)
		ret = kreg_client_set_accept(client, true);
	if (ret < 0)
		give_up(sock, SETUP_DEVICE, ret);
	return fd;
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

void kreg_sup_setup(struct child *c, int sock, struct setup *setup)
{
	struct kreg_client client = { .path = c->sup->client->path };
	int fd, ret = 0;

	setpgid(0, 0);
	reset_signals();
	close_inherited(c->sup);
	wait_for_letter(sock);
	set_ids(sock, &setup->ids);
	if (c->how.directory && chdir(c->how.directory))
		give_up(sock, SETUP_DIRECTORY, -errno);
	fd = open_device(c, &client, sock);
	set_environment(setup, fd);
	report(sock, SETUP_WAITS, fd < 0 ? -EACCES : 0);
	wait_for_letter(sock);
	if (fd >= 0 && c->role)
		ret = kreg_client_set_accept(&client, false);
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

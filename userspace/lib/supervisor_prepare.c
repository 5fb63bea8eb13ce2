/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: what a new process needs, made before fork(2): user and groups, for which NSS may
 * load libraries, and its environment.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
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

/* -ESRCH: there is none of this name. */
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

static int find_group(const char *group, struct setup_ids *ids)
{
	struct group *gr = getgrnam(group);

	if (gr)
		ids->gid = gr->gr_gid;
	else if (number_of(group, &ids->gid))
		return -ESRCH;
	return 0;
}

/* @name: which one was looked for last. */
static int find_ids(const struct kreg_child *how, struct setup_ids *ids, const char **name)
{
	int ret = 0;

	*ids = (struct setup_ids){ .uid = geteuid(), .gid = getegid() };
	ids->set = how->user || how->group;
	*name = how->user;
	if (how->user)
		ret = find_user(how->user, ids);
	if (ret || !how->group)
		return ret;
	*name = how->group;
	return find_group(how->group, ids);
}

static void remove_variable(struct setup *s, const char *name, size_t len)
{
	size_t i, left = 0;

	for (i = 0; i < s->env_count; i++)
		if (strncmp(s->env[i], name, len) || s->env[i][len] != '=')
			s->env[left++] = s->env[i];
	s->env_count = left;
}

/* NAME=VALUE, in place of what there is. */
static void set_variable(struct setup *s, char *text)
{
	size_t len = strcspn(text, "=");

	remove_variable(s, text, len);
	if (text[len])
		s->env[s->env_count++] = text;
}

static size_t count_of(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* KREG_TABLES: each name on a line. */
static char *join_tables(const char *const *tables)
{
	size_t len = sizeof("KREG_TABLES="), i;
	char *text, *to;

	for (i = 0; tables && tables[i]; i++)
		len += strlen(tables[i]) + 1;
	text = malloc(len);
	if (!text)
		return NULL;
	to = stpcpy(text, "KREG_TABLES=");
	for (i = 0; tables && tables[i]; i++) {
		if (i)
			*to++ = '\n';
		to = stpcpy(to, tables[i]);
	}
	return text;
}

static int make_environment(const struct child *c, struct setup *s)
{
	size_t inherited = count_of(environ), i;

	s->env = calloc(inherited + count_of(c->how.env) + 6, sizeof(*s->env));
	s->tables = join_tables(c->how.tables);
	if (!s->env || !s->tables)
		return -ENOMEM;
	snprintf(s->supervisor, sizeof(s->supervisor), "KREG_SUPERVISOR=%s", c->sup->name);
	snprintf(s->socket, sizeof(s->socket), "NOTIFY_SOCKET=@%s", c->sup->notify_name);
	snprintf(s->pid, sizeof(s->pid), "KREG_PID=");
	snprintf(s->fd, sizeof(s->fd), "KREG_FD=");
	for (i = 0; i < inherited; i++)
		s->env[s->env_count++] = environ[i];
	for (i = 0; c->how.env && c->how.env[i]; i++)
		set_variable(s, c->how.env[i]);
	set_variable(s, s->supervisor);
	set_variable(s, s->socket);
	set_variable(s, s->tables);
	set_variable(s, s->pid);
	set_variable(s, s->fd);
	return 0;
}

void kreg_sup_prepare_free(struct setup *s)
{
	if (!s)
		return;
	free(s->ids.groups);
	free(s->env);
	free(s->tables);
	free(s);
}

int kreg_sup_prepare(struct child *c, struct setup **setup)
{
	struct setup *s = calloc(1, sizeof(*s));
	const char *name = NULL, *what;
	char text[128];
	int ret;

	*setup = s;
	if (!s) {
		kreg_sup_failed_os(c, -ENOMEM, "its environment");
		return -ENOMEM;
	}
	ret = find_ids(&c->how, &s->ids, &name);
	what = name == c->how.user ? "its user" : "its group";
	if (ret == -ESRCH) {
		snprintf(text, sizeof(text), "there is no '%.64s'", name);
		kreg_sup_failed(c, ret, what, text);
	} else if (ret) {
		kreg_sup_failed_os(c, ret, what);
	}
	if (ret)
		return ret;
	ret = make_environment(c, s);
	if (ret)
		kreg_sup_failed_os(c, ret, "its environment");
	return ret;
}

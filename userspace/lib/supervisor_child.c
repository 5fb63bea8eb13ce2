/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: the list of children, and copies of what the program says of them. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervise.h"

#define STOP_MS		5000
#define START_MS	10000

/* A list of strings that ends with NULL, and its strings, in one piece. */
static int copy_list(char *const *list, char *const **copy)
{
	size_t n = 0, bytes = 0;
	char **all, *to;

	if (!list)
		return 0;
	for (n = 0; list[n]; n++)
		bytes += strlen(list[n]) + 1;
	all = malloc((n + 1) * sizeof(*all) + bytes);
	if (!all)
		return -ENOMEM;
	to = (char *)(all + n + 1);
	for (n = 0; list[n]; n++) {
		all[n] = to;
		to = stpcpy(to, list[n]) + 1;
	}
	all[n] = NULL;
	*copy = all;
	return 0;
}

static int copy_string(const char *string, const char **copy)
{
	if (!string)
		return 0;
	*copy = strdup(string);
	return *copy ? 0 : -ENOMEM;
}

static int copy_how(struct kreg_child *to, const struct kreg_child *how)
{
	int ret;

	to->size = sizeof(*to);
	to->main = how->main;
	to->arg = how->arg;
	to->restart = how->restart;
	to->stop_signal = how->stop_signal ? how->stop_signal : SIGTERM;
	to->stop_ms = how->stop_ms ? how->stop_ms : STOP_MS;
	to->start_ms = how->start_ms ? how->start_ms : START_MS;
	to->notify = how->notify;
	to->max_deaths = how->max_deaths;
	to->deaths_ms = how->deaths_ms;
	ret = copy_string(how->id, &to->id);
	ret = ret ? ret : copy_string(how->user, &to->user);
	ret = ret ? ret : copy_string(how->group, &to->group);
	ret = ret ? ret : copy_string(how->directory, &to->directory);
	ret = ret ? ret : copy_list(how->argv, &to->argv);
	ret = ret ? ret : copy_list(how->env, &to->env);
	ret = ret ? ret : copy_list((char *const *)how->tables, (char *const **)&to->tables);
	return ret ? ret : copy_list((char *const *)how->writes, (char *const **)&to->writes);
}

static int check_limit(const struct kreg_child *how)
{
	if (how->max_deaths > KREG_MAX_DEATHS)
		return kreg_cause(-EINVAL, "a limit is of 64 deaths at most");
	if (!how->max_deaths != !how->deaths_ms)
		return kreg_cause(-EINVAL, "a limit has a number of deaths and a time, or neither");
	if (how->max_deaths && (!how->tables || !how->tables[0]))
		return kreg_cause(-EINVAL, "a limit of deaths is one of tables, and the child has none");
	return 0;
}

static int check_how(const struct kreg_child *how)
{
	size_t len = how->id ? strnlen(how->id, SUP_MAX_ID + 1) : 0;

	if (!len)
		return kreg_cause(-EINVAL, "the child has no id");
	if (len > SUP_MAX_ID)
		return kreg_cause(-EINVAL, "the id of the child is too long");
	if (how->argv && how->main)
		return kreg_cause(-EINVAL, "the child has a program and a function");
	if (!how->main && (!how->argv || !how->argv[0]))
		return kreg_cause(-EINVAL, "the child has no program");
	if (how->restart > KREG_TEMPORARY)
		return kreg_cause(-EINVAL, "there is no such rule of restart");
	if (how->stop_signal < 0 || how->stop_signal > SIGRTMAX)
		return kreg_cause(-EINVAL, "there is no such signal to stop the child by");
	if (how->stop_ms < KREG_AT_ONCE || how->start_ms < KREG_FOR_EVER)
		return kreg_cause(-EINVAL, "the time to start or to stop the child is negative");
	return check_limit(how);
}

int kreg_sup_child_new(struct kreg_supervisor *sup, const struct kreg_child *how,
		       struct child **child)
{
	struct kreg_child full;
	struct child *c;
	int ret = kreg_options_copy(&full, sizeof(full), how);

	if (!ret)
		ret = check_how(&full);
	if (ret)
		return ret;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->sup = sup;
	c->pidfd = -1;
	c->sock = -1;
	c->child_sock = -1;
	ret = copy_how(&c->how, &full);
	if (ret)
		kreg_sup_child_free(c);
	else
		*child = c;
	return ret;
}

void kreg_sup_child_free(struct child *c)
{
	free((void *)c->how.id);
	free((void *)c->how.user);
	free((void *)c->how.group);
	free((void *)c->how.directory);
	free((void *)c->how.argv);
	free((void *)c->how.env);
	free((void *)c->how.tables);
	free((void *)c->how.writes);
	kreg_ref_cancel(c->down);
	kreg_ref_cancel(c->standby);
	kreg_table_close(c->role);
	kreg_file_close(c->pidfd, &c->pidfd_file);
	kreg_sup_close_sock(c);
	free(c);
}

struct child *kreg_sup_find(struct kreg_supervisor *sup, const char *id)
{
	size_t i;

	for (i = 0; i < sup->count; i++)
		if (!strcmp(sup->children[i]->how.id, id))
			return sup->children[i];
	return NULL;
}

int kreg_sup_append(struct kreg_supervisor *sup, struct child *c)
{
	struct child **more = realloc(sup->children, (sup->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[sup->count++] = c;
	sup->children = more;
	return 0;
}

void kreg_sup_remove(struct kreg_supervisor *sup, struct child *c)
{
	size_t i;

	for (i = 0; sup->children[i] != c; i++)
		;
	sup->count--;
	memmove(&sup->children[i], &sup->children[i + 1],
		(sup->count - i) * sizeof(*sup->children));
	kreg_sup_forget(c);
	kreg_sup_role_end(c);
	kreg_sup_child_free(c);
}
